"""What an agent lives through: steps of several environments, and how good its actions were.

Whole sequences of these are learnt from at once. They are cut where episodes end, so that each piece runs
through the core from its own initial state: zero at the start of an episode, else the state carried over from
the rollout before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from pipelines.policy import PolicyModel


@dataclass(frozen=True)
class Rollout:
    """Steps of several environments side by side, (time, environments, ...).

    Attributes:
        observations: (time, environments, size), flattened, before each action.
        actions: (time, environments, size), as the policy drew them.
        log_probs: of the actions by the policy that drew them.
        values: that it expected.
        rewards: that it got.
        ended: whether the episode ended with this step.
        after: the value of what was reached, where the episode was cut off by a limit of time; else 0.
        final: (environments,) the value of what the last step reached.
        state: of the core before the first step; empty where all environments begin an episode.
    """

    observations: Tensor
    actions: Tensor
    log_probs: Tensor
    values: Tensor
    rewards: Tensor
    ended: Tensor
    after: Tensor
    final: Tensor
    state: list


def advantages(rollout: Rollout, gamma: float, gae_lambda: float) -> Tensor:
    """(time, environments) generalised advantage estimates (Schulman et al. 2016, equation 16)."""
    found, running = torch.zeros_like(rollout.values), torch.zeros_like(rollout.final)
    behind = torch.cat([rollout.values[1:], rollout.final[None]])
    behind = torch.where(rollout.ended, rollout.after, behind)
    surprise = rollout.rewards + gamma * behind - rollout.values
    going_on = gamma * gae_lambda * (~rollout.ended).float()
    for step in range(len(found) - 1, -1, -1):
        running = surprise[step] + going_on[step] * running
        found[step] = running
    return found


@dataclass(frozen=True)
class Piece:
    """Steps of one environment within one episode: `length` of them from step `start` of the rollout."""

    environment: int
    start: int
    length: int


def pieces(ended: Tensor) -> list[Piece]:
    """A rollout cut where episodes end; `ended` is (time, environments)."""
    found = []
    for environment, column in enumerate(ended.T.tolist()):
        start = 0
        for step, is_last in enumerate(column, 1):
            if is_last or step == len(column):
                found.append(Piece(environment, start, step - start))
                start = step
    return found


def flat_steps(chosen: Sequence[Piece], environments: int) -> list[Tensor]:
    """For each piece its steps as places in a rollout whose first two dimensions are flattened."""
    return [
        torch.arange(piece.start, piece.start + piece.length) * environments + piece.environment
        for piece in chosen
    ]


def initial(chosen: Sequence[Piece], state: list) -> list | None:
    """The core's state before each piece: that carried over for pieces which go on, zeros for the others."""
    if not state:
        return None
    where = torch.tensor([piece.environment for piece in chosen])
    going_on = torch.tensor([piece.start == 0 for piece in chosen])
    return masked([select(layer, where) for layer in state], going_on)


def select(layer: tuple | Tensor, where: Tensor) -> tuple | Tensor:
    """Columns of one layer's state, (layers, batch, features) or a tuple of such."""
    return tuple(each[:, where] for each in layer) if isinstance(layer, tuple) else layer[:, where]


def masked(state: list, kept: Tensor) -> list:
    """The state with zeros, which is where episodes begin, in all columns but those kept."""
    mask = kept[:, None]
    return [
        tuple(torch.where(mask, each, 0.0) for each in layer)
        if isinstance(layer, tuple)
        else torch.where(mask, layer, 0.0)
        for layer in state
    ]


def through(model: PolicyModel, chosen: Sequence[Piece], rollout: Rollout) -> tuple[Tensor, Tensor]:
    """The core's states at all steps of some pieces, computed at once.

    Returns:
        (steps, features), piece after piece; and (steps,) the places of these steps in the flattened rollout.
    """
    places = flat_steps(chosen, rollout.ended.size(1))
    lengths = torch.tensor([piece.length for piece in chosen])
    padded = pad_sequence(places, batch_first=True)
    x = rollout.observations.flatten(0, 1)[padded]
    y, _ = model.core.stream(model.front_end(x, lengths)[0], initial(chosen, rollout.state))
    valid = torch.arange(padded.size(1)) < lengths[:, None]
    return y[valid], torch.cat(places)
