"""Environments of gymnasium: made by name, described by plain values, stepped side by side."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from decoders.policy import UNBOUNDED
from pipelines.errors import DataError

VELOCITIES = {
    "Acrobot": (4, 5),
    "CartPole": (1, 3),
    "LunarLander": (2, 3, 5),
    "LunarLanderContinuous": (2, 3, 5),
    "MountainCar": (1,),
    "MountainCarContinuous": (1,),
    "Pendulum": (2,),
}
"""Where the velocities are in observations, by the names of environments without their versions."""

LARGEST = 4096  # numbers of an observation


def make(name: str, render: bool = False):
    """An environment.

    Args:
        name: as `gymnasium.make` takes it: `CartPole-v1`, or `module:name-v0` to import a module first.
        render: whether pictures of it will be wanted.

    Raises:
        DataError: gymnasium is not installed, there is no such environment, or it cannot be made.
    """
    gymnasium = _gymnasium()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of gymnasium, about newer versions
            mode = {"render_mode": "rgb_array"} if render else {}
            return gymnasium.make(name, disable_env_checker=True, **mode)
    except gymnasium.error.DependencyNotInstalled as error:
        raise DataError(f"--env {name}", f"cannot be made: {_line(error)}", "install that") from error
    except (gymnasium.error.Error, ModuleNotFoundError) as error:
        way = 'name one that `python -c "import gymnasium; gymnasium.pprint_registry()"` lists'
        raise DataError(f"--env {name}", f"there is no such environment: {_line(error)}", way) from error
    except Exception as error:  # whatever an environment's own code raises
        cause = f"cannot be made: {type(error).__name__}: {_line(error)}"
        raise DataError(f"--env {name}", cause, "try it with gymnasium.make") from error


def observed(name: str, space: Any) -> dict:
    """Plain values that describe an observation, as `encoders.observations.Observations` takes them.

    Raises:
        DataError: it is of a kind that policies do not read.
    """
    spaces = _gymnasium().spaces
    way = "register an environment with a wrapper whose observations are one array of numbers"
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        return _choices(name, space, "observations")
    if not isinstance(space, spaces.Box):
        cause = f"its observations are a {type(space).__name__}, not an array of numbers or choices"
        if isinstance(space, spaces.Dict | spaces.Tuple):
            way = "register it with gymnasium.wrappers.FlattenObservation around it"
        raise DataError(f"--env {name}", cause, way)
    if len(space.shape) > 1 and (space.dtype == np.uint8 or len(space.shape) > 2):
        cause = f"its observations are images of shape {space.shape}, which policies do not read"
        raise DataError(f"--env {name}", cause, way)
    size = int(np.prod(space.shape))
    if not 1 <= size <= LARGEST:
        cause = f"its observations have {size:,} numbers, not 1 to {LARGEST:,}"
        raise DataError(f"--env {name}", cause, way)
    return {"shape": list(space.shape or (1,))}


def acted(name: str, space: Any) -> dict:
    """Plain values that describe an action, as `decoders.policy.Policy` takes them.

    Raises:
        DataError: it is of a kind that policies do not have.
    """
    spaces = _gymnasium().spaces
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        return _choices(name, space, "actions") | {"single": isinstance(space, spaces.Discrete)}
    if not isinstance(space, spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        cause = f"its actions are a {space}, neither choices nor an array of floats"
        raise DataError(f"--env {name}", cause, "register an environment with a wrapper that takes these")
    if not 1 <= int(np.prod(space.shape)) <= 64:
        raise DataError(f"--env {name}", f"its actions are {space}", "take one with 1 to 64 numbers")
    low, high = (np.clip(limit, -UNBOUNDED, UNBOUNDED).ravel() for limit in (space.low, space.high))
    return {"shape": list(space.shape or (1,)), "low": low.tolist(), "high": high.tolist()}


def names_of(action: dict) -> list[str]:
    """Names of what a policy puts out for each action: choices, or numbers."""
    if "choices" not in action:
        return [f"number {place}" for place in range(int(np.prod(action["shape"])))]
    if action["single"]:
        return [str(choice + action["starts"][0]) for choice in range(action["choices"][0])]
    starts = action["starts"]
    return [
        f"{part}: {c + starts[part]}" for part, count in enumerate(action["choices"]) for c in range(count)
    ]


def hidden_of(name: str, hide: Sequence[str], observation: dict) -> list[int]:
    """Places of the hidden parts in a flattened observation.

    Args:
        name: of the environment.
        hide: places, from 0, or "velocity".
        observation: as `observed` describes it.

    Raises:
        DataError: there are no such parts, or nothing is left.
    """
    size = len(observation.get("choices", ())) or int(np.prod(observation["shape"]))
    found: set[int] = set()
    for part in hide:
        if part == "velocity":
            plain = name.rpartition(":")[2].rpartition("/")[2].rpartition("-v")[0]
            if plain not in VELOCITIES:
                cause = f"does not know where {name} has its velocities"
                raise DataError("--hide velocity", cause, f"give their places, from 0 to {size - 1}")
            found |= set(VELOCITIES[plain])
        elif part.isdecimal() and int(part) < size:
            found.add(int(part))
        else:
            way = f"give velocity, or places from 0 to {size - 1}"
            raise DataError(f"--hide {part}", f"is no part of the observations of {name}", way)
    if len(found) == size:
        raise DataError("--hide", "hides all of the observations", "leave something to see")
    return sorted(found)


class Worlds:
    """Environments of one name, stepped side by side in this process.

    Each episode is seeded by the numbers of its environment and of itself, so that an environment can be put
    where another run has left it: the unfinished episode begins again, and its actions are repeated.

    Args:
        name: of the environments.
        count: how many.
        seed: of all episodes.
    """

    def __init__(self, name: str, count: int, seed: int):
        self.name, self.seed = name, seed
        self.worlds = [make(name) for _ in range(count)]
        self.episodes = [-1] * count
        self.done: list[list] = [[] for _ in range(count)]
        self.seen: list = [None] * count
        for place in range(count):
            self.begin(place)

    def __len__(self) -> int:
        return len(self.worlds)

    def begin(self, place: int, episode: int | None = None) -> None:
        """Begin the next episode, or a certain one, in one environment."""
        self.episodes[place] = self.episodes[place] + 1 if episode is None else episode
        self.done[place] = []
        seed = episode_seed(self.seed, place, self.episodes[place])
        self.seen[place] = self._called(self.worlds[place].reset, seed=seed)[0]

    def step(self, place: int, action: Any) -> tuple[float, bool, bool]:
        """Act in one environment: the reward, and whether the episode is over, or cut off.

        `seen` is what is observed then; the caller begins the next episode.
        """
        seen, reward, over, cut, _ = self._called(self.worlds[place].step, action)
        self.done[place].append(action)
        self.seen[place] = seen
        return float(reward), bool(over), bool(cut) and not over

    def places(self) -> list[tuple[int, list]]:
        """The episode of each environment, and its actions so far, as plain values."""
        return [
            (episode, [getattr(action, "tolist", lambda a=action: a)() for action in actions])
            for episode, actions in zip(self.episodes, self.done, strict=True)
        ]

    def put(self, places: Sequence[tuple[int, list]], dtype: Any = None) -> None:
        """Put the environments where `places` says they were; arrays of actions are of this kind."""
        for place, (episode, actions) in enumerate(places):
            self.begin(place, episode)
            for action in actions:
                self.step(place, np.asarray(action, dtype) if isinstance(action, list) else action)

    def _called(self, method, *args, **keywords):
        try:
            return method(*args, **keywords)
        except Exception as error:  # whatever an environment's own code raises
            cause = f"failed in {method.__name__}: {type(error).__name__}: {_line(error)}"
            raise DataError(f"--env {self.name}", cause, "mend the environment") from error

    def close(self) -> None:
        """Close all environments."""
        for world in self.worlds:
            world.close()


def episode_seed(*numbers: int) -> int:
    """A seed that follows from these numbers, which differ from episode to episode."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def stacked(observations: Sequence) -> Tensor:
    """(environments, size) observations, flattened."""
    return torch.from_numpy(np.stack([np.asarray(each, np.float32).reshape(-1) for each in observations]))


def _choices(name: str, space: Any, what: str) -> dict:
    spaces = _gymnasium().spaces
    if isinstance(space, spaces.Discrete):
        found = {"choices": [int(space.n)], "starts": [int(space.start)]}
    elif isinstance(space, spaces.MultiBinary):
        found = {"choices": [2] * int(np.prod(space.shape)), "starts": [0] * int(np.prod(space.shape))}
    else:
        starts = np.broadcast_to(getattr(space, "start", 0), space.nvec.shape)
        found = {"choices": space.nvec.ravel().tolist(), "starts": starts.ravel().tolist()}
    if len(found["choices"]) > 64 or len(getattr(space, "shape", ())) > 1:
        cause = f"its {what} are {space}, which is more than a row of 64 choices"
        raise DataError(f"--env {name}", cause, "register an environment with a wrapper that has fewer")
    return found


def _gymnasium():
    try:
        import gymnasium
    except ImportError as error:
        raise DataError("gymnasium", "is not installed", "pip install 'triscribe[policy]'") from error
    return gymnasium


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
