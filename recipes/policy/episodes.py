"""Whole episodes by a policy, and what came of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pipelines.policy import PolicyModel
from recipes.policy.environments import Worlds, episode_seed, make, stacked
from recipes.policy.rollout import select

TOGETHER = 50  # episodes that are played side by side
LONGEST = 100_000  # steps of an episode, in environments that set no limit


@dataclass(frozen=True)
class Episode:
    """What came of an episode: the seed of its environment, the sum of its rewards, and its steps."""

    seed: int
    reward: float
    steps: int


def played(model: PolicyModel, name: str, count: int, seed: int, sample: bool = False) -> list[Episode]:
    """Episodes by a policy, each with a seed of its own, which begin in the same way whoever plays them.

    Args:
        name: of the environment.
        count: of episodes.
        seed: from which theirs follow.
        sample: draw actions instead of taking the most probable ones.
    """
    found: list[Episode] = []
    worlds = Worlds(name, min(count, TOGETHER), seed)
    try:
        for start in range(0, count, len(worlds)):
            if start:
                for place in range(len(worlds)):
                    worlds.begin(place)
            found += _played(model, worlds, min(len(worlds), count - start), sample)
    finally:
        worlds.close()
    return found


@torch.no_grad()
def _played(model: PolicyModel, worlds: Worlds, count: int, sample: bool) -> list[Episode]:
    """The present episode of the first environments, to its end."""
    model.eval()
    device = next(model.parameters()).device
    going_on, state = list(range(count)), None
    rewards, steps = [0.0] * count, [0] * count
    while going_on:
        x = stacked([worlds.seen[place] for place in going_on]).to(device)
        judged, state = model.step(x, state)
        noise = model.decoder.noise(len(going_on)) if sample else None
        chosen = model.best(judged) if noise is None else model.decoder.sample(judged.outputs, noise)
        kept = []
        for row, place in enumerate(going_on):
            reward, over, cut = worlds.step(place, model.action(chosen[row]))
            rewards[place] += reward
            steps[place] += 1
            if not (over or cut or steps[place] >= LONGEST):
                kept.append(row)
        if len(kept) < len(going_on):
            going_on = [going_on[row] for row in kept]
            state = [select(layer, torch.tensor(kept, dtype=torch.long)) for layer in state]
    seeds = [episode_seed(worlds.seed, place, worlds.episodes[place]) for place in range(count)]
    return [Episode(*each) for each in zip(seeds, rewards, steps, strict=True)]


def mean_reward(episodes: Sequence[Episode]) -> float:
    """The mean sum of rewards."""
    return float(np.mean([episode.reward for episode in episodes]))


def interval(episodes: Sequence[Episode]) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean sum of rewards."""
    rewards = np.array([episode.reward for episode in episodes])
    drawn = np.random.default_rng(0).choice(rewards, (2000, len(rewards)))
    low, high = np.quantile(drawn.mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def pictures(model: PolicyModel, name: str, seed: int) -> Iterator[tuple[float, np.ndarray]]:
    """One episode as (seconds, (height, width, 3) uint8) frames, for a video.

    Raises:
        DataError: the environment cannot be made with pictures.
    """
    with _without_screen():
        yield from _pictures(model, make(name, render=True), seed)


def _pictures(model: PolicyModel, world, seed: int) -> Iterator[tuple[float, np.ndarray]]:
    try:
        rate = world.metadata.get("render_fps") or 30
        seen, _ = world.reset(seed=seed)
        model.reset()
        for step in range(LONGEST):
            yield step / rate, np.asarray(world.render())
            seen, _, over, cut, _ = world.step(model.act(seen))
            if over or cut:
                yield (step + 1) / rate, np.asarray(world.render())
                return
    finally:
        model.reset()
        world.close()


@contextlib.contextmanager
def _without_screen() -> Iterator[None]:
    """Within it, SDL, which many environments are drawn with, looks for neither a screen nor sound."""
    wanted = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
