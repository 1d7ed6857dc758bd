"""What training means for policies: an epoch is a rollout, and the passes over it that learn from it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor, nn

from decoders.policy import surrogate
from pipelines.policy import PolicyModel
from recipes.learning.training import Maker
from recipes.policy.environments import Worlds, episode_seed, stacked
from recipes.policy.episodes import mean_reward, played
from recipes.policy.normalising import Moments
from recipes.policy.options import PolicyOptions
from recipes.policy.rollout import Piece, Rollout, advantages, masked, pieces, through

PER_STEP = 0.05  # cost of a step of the longest piece of a batch beside that of a step of the batch
KNOWN = 10_000  # steps, as which the moments of a loaded model count
FORGOTTEN = 10  # rollouts after which values have mostly been forgotten
HELD = 0.95  # share of the scale of advantages that the next rollout keeps at least
VALIDATION = 1  # follows the seed of a run for that of its validation episodes


@dataclass(frozen=True)
class Position:
    """Where a run is before or after a rollout, apart from the weights.

    Attributes:
        epoch: whose rollout this is; -1 before the first.
        places: of the environments behind it, as `Worlds.places` tells them.
        state: of the core behind it.
        noise: behind it, where what is tried out is correlated.
        observed, valued: moments of observations and of values that are used while learning from it.
        next_observed, next_valued: those for the next.
        scale: that advantages are divided by.
        rewards: sums of the rewards of the episodes that go on behind it.
        finished: sums of those that ended in it.
        rollout: the steps; None before the first.
    """

    epoch: int = -1
    places: list = field(default_factory=list)
    state: list = field(default_factory=list)
    noise: Tensor | None = None
    observed: Moments | None = None
    valued: Moments | None = None
    next_observed: Moments | None = None
    next_valued: Moments | None = None
    scale: float = 0.0
    rewards: list = field(default_factory=list)
    finished: list = field(default_factory=list)
    rollout: Rollout | None = None


class PolicyTask(nn.Module):
    """Training of a policy by proximal policy optimisation.

    Args:
        model: the policy.
        options: of the recipe.
    """

    laborious = False
    criterion = "shortfall"

    def __init__(self, model: PolicyModel, options: PolicyOptions):
        super().__init__()
        self.model, self.options, self.ppo = model, options, options.ppo
        self.seed = options.training.seed
        self.worlds: Worlds | None = None
        known = KNOWN if options.load else 0
        front_end, decoder = model.front_end, model.decoder
        observed = _moments(known, front_end.mean, front_end.deviation) if front_end.shape else None
        valued = _moments(known, decoder.value_mean, decoder.value_deviation)
        self.position = Position(next_observed=observed, next_valued=valued)

    def begin(self, epoch: int) -> None:
        """Act for the steps of one rollout, unless a resumed run has done so already."""
        if self.position.epoch != epoch:
            self.position = self._lived(epoch)  # at once, so that an interruption leaves nothing half done
        self._normalise(self.position.observed, self.position.valued)
        self._prepare()

    def batches(self, epoch: int) -> list[Maker]:
        """Every piece of an episode once a pass, in random order."""
        chooser = random.Random(f"{self.seed} {epoch}")
        makers = []
        for _ in range(self.ppo.passes):
            for chosen in batched(self.pieces, self.options.training.batch_size, chooser):
                cost = sum(piece.length for piece in chosen) * PER_STEP + max(p.length for p in chosen)
                makers.append(Maker(partial(_as_it_is, chosen), cost))
        return makers

    def forward(self, chosen: list[Piece]) -> Tensor:
        states, places = through(self.model, chosen, self.position.rollout)
        judged = self.model.decoder(states)
        log_probs = self.model.decoder.log_probs(judged.outputs, self.flat_actions[places])
        mean, deviation = self.model.decoder.value_mean, self.model.decoder.value_deviation
        acting, valuing = surrogate(
            log_probs,
            self.flat_log_probs[places],
            self.flat_advantages[places],
            (judged.values - mean) / deviation,
            (self.flat_returns[places] - mean) / deviation,
            self.ppo.clip_range,
        )
        entropy = self.model.decoder.entropy(judged.outputs).mean()
        return acting + self.ppo.value_weight * valuing - self.ppo.entropy * entropy

    def evaluate(self) -> dict[str, float]:
        """Mean reward of the validation episodes, and of those of training; `shortfall` is its negative."""
        options = self.options
        found = played(self.model, options.env, options.valid_episodes, episode_seed(self.seed, VALIDATION))
        reward, sums = mean_reward(found), self.position.finished
        learning = {"while_learning": sum(sums) / len(sums)} if sums else {}
        steps = self.steps(self.position.epoch + 1)
        return {"shortfall": -reward, "reward": reward, "steps": steps, **learning}

    def judge(self, scores: dict[str, float]) -> None:
        """Nothing depends on the scores."""

    def steps(self, epochs: int) -> int:
        """Steps in the environment after so many rollouts."""
        return epochs * self.ppo.rollout * self.ppo.environments

    def told(self, row: dict[str, float], epochs: int) -> str:
        """An epoch in a line."""
        told = [f"{self.steps(row['epoch']):,} of {self.steps(epochs):,} steps"]
        if self.position.finished:
            mean = sum(self.position.finished) / len(self.position.finished)
            told.append(f"reward while learning {mean:.4g}")
        if "reward" in row:
            told.append(f"of the policy {row['reward']:.4g}")
        return "  ".join(told)

    def get_extra_state(self) -> dict:
        """The position as plain values and tensors, for a checkpoint."""
        return to_plain(self.position)

    def set_extra_state(self, state: dict) -> None:
        """Take over a position, and put the environments there."""
        self.position = from_plain(state)
        self.worlds = None

    @torch.no_grad()
    def _lived(self, epoch: int) -> Position:
        """The position behind the rollout of an epoch."""
        before, ppo, model, decoder = self.position, self.ppo, self.model, self.model.decoder
        self._normalise(before.next_observed, before.next_valued)
        worlds = self._placed(before)
        model.eval()
        count = len(worlds)
        state = before.state or None
        noise = decoder.noise(count) if before.noise is None else before.noise
        rewards, finished = list(before.rewards or [0.0] * count), []
        kept: dict[str, list[Tensor]] = {name: [] for name in ("x", "actions", "log_probs", "values")}
        earned = torch.zeros(ppo.rollout, count)
        ended, after = torch.zeros_like(earned, dtype=torch.bool), torch.zeros_like(earned)
        for step in range(ppo.rollout):
            x = stacked(worlds.seen)
            judged, state = model.step(x, state)
            actions = decoder.sample(judged.outputs, noise)
            new = (x, actions, decoder.log_probs(judged.outputs, actions), judged.values)
            for each, value in zip(kept.values(), new, strict=True):
                each.append(value)
            cut_off, seen = [], list(worlds.seen)
            in_units = decoder.in_units(actions).numpy()
            for place in range(count):
                action = int(in_units[place, 0]) if decoder.single else self._shaped(in_units[place])
                reward, over, cut = worlds.step(place, action)
                earned[step, place], ended[step, place] = reward, over or cut
                rewards[place] += reward
                seen[place] = worlds.seen[place]
                if over or cut:
                    finished.append(rewards[place])
                    rewards[place] = 0.0
                    cut_off += [place] * cut
                    worlds.begin(place)
            if cut_off:
                values = model.step(stacked(seen), state)[0].values
                after[step, cut_off] = values[cut_off]
            if ended[step].any():
                state = masked(state, ~ended[step])
            noise = self._next_noise(noise, ended[step])
        final = model.step(stacked(worlds.seen), state)[0].values
        steps = [torch.stack(each) for each in kept.values()]
        rollout = Rollout(*steps, earned, ended, after, final, before.state)
        found = advantages(rollout, ppo.gamma, ppo.gae_lambda)
        returns = found + rollout.values
        valued = before.next_valued.with_more(returns.flatten(), FORGOTTEN * returns.numel())
        observed = before.next_observed
        if observed is not None:
            observed = observed.with_more(rollout.observations.flatten(0, 1)[:, model.front_end.seen])
        return Position(
            epoch,
            worlds.places(),
            state,
            noise if ppo.correlation else None,
            before.next_observed,
            valued,
            observed,
            valued,
            max(found.std().item(), HELD * before.scale),
            rewards,
            finished,
            rollout,
        )

    def _placed(self, position: Position) -> Worlds:
        """The environments, where they are or were behind a rollout."""
        if self.worlds is None or (position.places and self.worlds.places() != position.places):
            self.worlds = self.worlds or Worlds(self.options.env, self.ppo.environments, self.seed)
            self.worlds.put(position.places, None if self.model.decoder.choices else "float32")
        return self.worlds

    def _shaped(self, action):
        return action.reshape(self.model.decoder.shape or -1)

    def _next_noise(self, noise: Tensor, ended: Tensor) -> Tensor:
        new, share = self.model.decoder.noise(len(noise)), self.ppo.correlation
        if not share or self.model.decoder.choices:
            return new
        carried = share * noise + (1 - share**2) ** 0.5 * new
        return torch.where(ended[:, None], new, carried)

    @torch.no_grad()
    def _normalise(self, observed: Moments | None, valued: Moments) -> None:
        """Set what the model normalises observations and values by."""
        if observed is not None:
            self.model.front_end.mean.copy_(observed.mean)
            self.model.front_end.deviation.copy_(observed.deviation)
        self.model.decoder.value_mean.copy_(valued.mean)
        self.model.decoder.value_deviation.copy_(valued.deviation)

    def _prepare(self) -> None:
        """What the batches of a rollout have in common."""
        rollout = self.position.rollout
        found = advantages(rollout, self.ppo.gamma, self.ppo.gae_lambda)
        self.pieces = pieces(rollout.ended)
        self.flat_actions = rollout.actions.flatten(0, 1)
        self.flat_log_probs = rollout.log_probs.flatten()
        self.flat_returns = (found + rollout.values).flatten()
        self.flat_advantages = ((found - found.mean()) / (self.position.scale + 1e-8)).flatten()


def batched(found: list[Piece], size: int, chooser: random.Random) -> list[list[Piece]]:
    """All pieces once, in random order, in batches of about `size` steps."""
    order = chooser.sample(found, len(found))
    total = sum(piece.length for piece in order)
    count = max(1, round(total / size))
    batches, done = [[]], 0
    for piece in order:
        if batches[-1] and done >= len(batches) * total / count:
            batches.append([])
        batches[-1].append(piece)
        done += piece.length
    return batches


def to_plain(position: Position) -> dict:
    """A position as dictionaries, lists, numbers and tensors."""
    plain = dict(vars(position))
    for name in ("observed", "valued", "next_observed", "next_valued", "rollout"):
        plain[name] = None if plain[name] is None else dict(vars(plain[name]))
    return plain


def from_plain(plain: dict) -> Position:
    """What `to_plain` was given."""
    position = Position(**plain)
    for name in ("observed", "valued", "next_observed", "next_valued"):
        if plain[name] is not None:
            position = replace(position, **{name: Moments(**plain[name])})
    if plain["rollout"] is not None:
        position = replace(position, rollout=Rollout(**plain["rollout"]))
    return position


def _moments(count: int, mean: Tensor, deviation: Tensor) -> Moments:
    return Moments(count, mean.detach().clone(), deviation.detach() ** 2)


def _as_it_is(chosen: list[Piece]) -> list[Piece]:
    return chosen
