"""States of the core -> what to do next, and how much reward to expect (an actor and a critic).

Its targets are not labels: it learns from rewards by `surrogate`, the clipped objective of proximal policy
optimisation (Schulman et al. 2017), and so stands beside `decoders.contract`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

UNBOUNDED = 1e6  # a limit of an action that is none


@dataclass(frozen=True)
class Judged:
    """What a policy makes of states.

    Attributes:
        outputs: (..., outputs) log-probabilities of the choices, component by component; or the means of
            numbers.
        values: (...,) the sum of discounted rewards to come, in units of the rewards.
    """

    outputs: Tensor
    values: Tensor


class Policy(nn.Module):
    """Two networks of one hidden layer each: one for the actions, one for the value of states.

    An action is either one or several choices, each from a categorical distribution; or an array of numbers,
    from a normal distribution whose standard deviation is learnt. Numbers are in units in which their limits
    are -1 and 1.

    Args:
        input_size: features per hidden state.
        num_labels: number of outputs + 1, for the alphabet of the model names what is put out.
        hidden_size: of both hidden layers.
        choices: numbers of choices of each component.
        starts: the least value of each of these components.
        single: whether the action is one choice by itself, not an array of them.
        shape: of an action that is an array of numbers.
        low, high: limits of these numbers, flattened; 1e6 or more means none.
        deviation: standard deviation of the numbers when training begins.

    Raises:
        ValueError: both or neither of `shape` and `choices`, or sizes that do not fit together.
    """

    acts = True
    predicts = False

    def __init__(
        self,
        input_size: int,
        num_labels: int,
        *,
        hidden_size: int = 64,
        choices: tuple[int, ...] = (),
        starts: tuple[int, ...] = (),
        single: bool = False,
        shape: tuple[int, ...] = (),
        low: tuple[float, ...] = (),
        high: tuple[float, ...] = (),
        deviation: float = 1.0,
    ):
        super().__init__()
        size = math.prod(shape) if shape else 0
        if bool(shape) == bool(choices) or min(1, *shape, *choices, hidden_size) < 1:
            raise ValueError("an action has either a shape or choices, of at least 1 each")
        if len(starts) not in (0, len(choices)) or (single and len(choices) != 1):
            raise ValueError("starts and single must fit the choices")
        if not len(low) == len(high) == size or not all(a < b for a, b in zip(low, high, strict=True)):
            raise ValueError("low must be below high, one of each for every number of an action")
        if sum(choices) + size != num_labels - 1:
            raise ValueError(f"{sum(choices) + size} outputs, but names for {num_labels - 1}")
        if deviation <= 0:
            raise ValueError(f"deviation must be above 0, not {deviation}")
        self.choices, self.single, self.shape = tuple(choices), single, tuple(shape)
        self.starts = tuple(starts) or (0,) * len(choices)
        self.low, self.high = tuple(low), tuple(high)
        self.size = len(choices) or size  # components of an action
        self.actor = _head(input_size, hidden_size, num_labels - 1, 0.01)
        self.critic = _head(input_size, hidden_size, 1, 1.0)
        self.register_buffer("value_mean", torch.zeros(()))
        self.register_buffer("value_deviation", torch.ones(()))
        if shape:
            self.log_deviation = nn.Parameter(torch.full((size,), math.log(deviation)))

    def forward(self, states: Tensor, *_: Tensor) -> Judged:
        """(..., input_size) states -> what the policy makes of each."""
        values = self.critic(states)[..., 0] * self.value_deviation + self.value_mean
        outputs = self.actor(states)
        if self.choices:
            parts = outputs.split(self.choices, dim=-1)
            outputs = torch.cat([part.log_softmax(dim=-1) for part in parts], dim=-1)
        return Judged(outputs, values)

    def best(self, outputs: Tensor) -> Tensor:
        """(..., size) the most probable actions: numbers of choices from 0, or numbers."""
        if not self.choices:
            return outputs
        return torch.stack([part.argmax(dim=-1) for part in outputs.split(self.choices, dim=-1)], dim=-1)

    def noise(self, batch: int) -> Tensor:
        """(batch, outputs) random numbers from which `sample` draws actions; independent of each other."""
        device = self.value_mean.device
        if not self.choices:
            return torch.randn(batch, self.size, device=device)
        return -torch.empty(batch, sum(self.choices), device=device).exponential_().log()

    def sample(self, outputs: Tensor, noise: Tensor) -> Tensor:
        """(..., size) actions drawn from their distribution, by noise of `noise`."""
        return self.best(outputs + noise) if self.choices else outputs + noise * self.log_deviation.exp()

    def log_probs(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """(...,) logarithms of the probability, or density, of (..., size) actions."""
        if not self.choices:
            away = (actions - outputs) / self.log_deviation.exp()
            return (-0.5 * away**2 - self.log_deviation - 0.5 * math.log(2 * math.pi)).sum(dim=-1)
        parts = outputs.split(self.choices, dim=-1)
        chosen = actions.long().unsqueeze(-1).unbind(dim=-2)
        return sum(part.gather(-1, one)[..., 0] for part, one in zip(parts, chosen, strict=True))

    def entropy(self, outputs: Tensor) -> Tensor:
        """(...,) entropy of the distribution of actions, in nats."""
        if self.choices:
            return -(outputs.exp() * outputs).sum(dim=-1)
        each = 0.5 + 0.5 * math.log(2 * math.pi) + self.log_deviation
        return each.sum().expand(outputs.shape[:-1])

    def in_units(self, actions: Tensor) -> Tensor:
        """(..., size) actions as the environment takes them: counted from `starts`, or within limits."""
        if self.choices:
            return actions.long() + torch.tensor(self.starts, device=actions.device)
        pairs = list(zip(self.low, self.high, strict=True))
        free = [max(abs(low), abs(high)) >= UNBOUNDED for low, high in pairs]
        middle = [0.0 if each else (low + high) / 2 for each, (low, high) in zip(free, pairs, strict=True)]
        half = [1.0 if each else (high - low) / 2 for each, (low, high) in zip(free, pairs, strict=True)]
        middle, half, low, high = actions.new_tensor([middle, half, self.low, self.high])
        return (middle + half * actions).clamp(low, high)


def surrogate(
    log_probs: Tensor, before: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, clip: float
) -> tuple[Tensor, Tensor]:
    """Losses of the actor and of the critic: Schulman et al. 2017, equations 7 and 9.

    Args:
        log_probs: (steps,) of the actions by the policy as it is.
        before: (steps,) by the policy that acted.
        advantages: (steps,) of the actions.
        values, returns: (steps,) expected and true, both in normalised units.
        clip: how far from 1 the ratio of the probabilities may go.
    """
    ratio = (log_probs - before).exp()
    gains = torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)
    return -gains.mean(), F.mse_loss(values, returns)


def _head(input_size: int, hidden_size: int, outputs: int, gain: float) -> nn.Sequential:
    """A network of one hidden layer, orthogonal as usual for policies (Andrychowicz et al. 2021)."""
    layers = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, outputs)
    for layer, scale in zip(layers, (math.sqrt(2), gain), strict=True):
        nn.init.orthogonal_(layer.weight, scale)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(layers[0], nn.Tanh(), layers[1])
