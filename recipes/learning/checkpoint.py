"""The state of a training run in one file, and the checks before a run goes on from it."""

from __future__ import annotations

import dataclasses
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pipelines.errors import DataError
from pipelines.writers import write_atomically
from recipes.learning.fingerprint import Fingerprint, listed
from recipes.learning.weights import Weights

NAME = "checkpoint.pt"
FORMAT = "triscribe checkpoint 2"
WAY_OUT = "give another --out, or --resume no to start afresh"


@dataclasses.dataclass
class State:
    """Where a run is, besides the weights that it trains.

    Attributes:
        epoch, batch: those that come next, from 0; a batch beyond the last one is the validation.
        losses: of the batches of this epoch.
        seconds: spent on this epoch before now.
        history: a dict of numbers for each epoch.
        begun: the weights that the run began with, where they are needed at its end.
        best, best_score: the best weights by validation.
        average, averaged: mean of the weights of so many epochs.
    """

    epoch: int = 0
    batch: int = 0
    losses: list[float] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    history: list[dict] = dataclasses.field(default_factory=list)
    begun: Weights = dataclasses.field(default_factory=dict)
    best: Weights = dataclasses.field(default_factory=dict)
    best_score: float = math.inf
    average: Weights = dataclasses.field(default_factory=dict)
    averaged: int = 0


class Checkpoint:
    """Everything that the next step depends on.

    Args:
        path: of the file.
        task, optimiser: whose states are kept.
        made_from: what the run depends on.
        minutes: between two checkpoints within an epoch.
    """

    def __init__(
        self,
        path: Path,
        task: nn.Module,
        optimiser: torch.optim.Optimizer,
        made_from: Fingerprint,
        minutes: float,
    ):
        self.path, self.task, self.optimiser = path, task, optimiser
        self.made_from, self._text = made_from, made_from.to_text()
        self.seconds, self.written = 60 * minutes, time.monotonic()
        self._generators: tuple[Tensor, list[Tensor]] | None = None

    def is_due(self) -> bool:
        """Whether the last one is older than it should be."""
        return time.monotonic() - self.written > self.seconds

    def write(self, state: State) -> None:
        """Write the state, and that of the task, the optimiser and the random generators, atomically."""
        whole = {
            "format": FORMAT,
            "made_from": self._text,
            "task": self.task.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "state": {field.name: _plain(getattr(state, field.name)) for field in dataclasses.fields(state)},
            "generator": torch.get_rng_state(),
            "generators": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
        }
        with write_atomically(self.path, "wb") as file:
            torch.save(whole, file)
        self.written = time.monotonic()

    def restore(self, resume: str) -> State | None:
        """Go on from the file; None where there is none, or `resume` is "no".

        Raises:
            DataError: the file is damaged, no checkpoint, or of another run, what differs being named; or
                there is none and `resume` is "yes".
        """
        whole = matching(self.path, self.made_from, resume)
        if whole is None:
            return None
        try:
            return self._taken(whole)
        except Exception as error:  # what a damaged file holds can fail anywhere
            raise _damaged(self.path, error) from error

    def _taken(self, whole: dict) -> State:
        """Take over all states of a checkpoint, which are checked first."""
        kinds = State()
        for field in dataclasses.fields(State):
            value, kind = whole["state"][field.name], type(getattr(kinds, field.name))
            if not isinstance(value, kind):
                raise TypeError(f"{field.name} is {type(value).__name__}")
        state = State(**whole["state"])
        shapes = _shapes(self.task.model.state_dict())
        for weights in (state.begun, state.best, state.average):
            if weights and _shapes(weights) != shapes:
                raise ValueError("kept weights do not fit the model")
        self.task.load_state_dict(whole["task"])
        self.optimiser.load_state_dict(whole["optimiser"])
        for parameter, kept in self.optimiser.state.items():
            if any(kept[name].shape != parameter.shape for name in ("exp_avg", "exp_avg_sq")):
                raise ValueError("the optimiser's state does not fit the model")
        self._generators = whole["generator"], whole["generators"]
        self.restore_generators()
        return state

    def restore_generators(self) -> None:
        """Set torch's random generators to what they were when the restored file was written."""
        if self._generators:
            cpu, cuda = self._generators
            torch.set_rng_state(cpu)
            if cuda and len(cuda) == torch.cuda.device_count():
                torch.cuda.set_rng_state_all(cuda)


def matching(path: Path, made_from: Fingerprint, resume: str) -> dict | None:
    """The content of the checkpoint that a run goes on from; None where it starts afresh.

    Raises:
        DataError: see `Checkpoint.restore`.
    """
    if resume == "no" or not path.exists():
        if resume == "yes":
            raise DataError(path, "no checkpoint to resume from", "start with --resume auto")
        return None
    whole = _read(path)
    try:
        different = made_from.differences(whole["made_from"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _damaged(path, error) from error
    if different:
        raise DataError(path, f"is of another run: {listed(different)}", WAY_OUT)
    return whole


def _read(path: Path) -> dict:
    try:
        whole = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror or error})", WAY_OUT) from error
    except Exception as error:  # a dozen kinds, by where the damage lies
        raise _damaged(path, error) from error
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        if isinstance(whole, dict) and {"options", "task", "optimiser", "state"} <= whole.keys():
            cause = "is of an earlier version, which did not note what the run was made from"
            raise DataError(path, cause, WAY_OUT)
        raise DataError(path, "is not a checkpoint of this program", WAY_OUT)
    return whole


def _damaged(path: Path, error: Exception) -> DataError:
    detail = str(error).strip().partition("\n")[0][:100]
    untold = " " not in detail or detail.startswith("Weights only")  # names of keys, advice
    told = "" if untold else f" ({detail})"
    return DataError(path, f"is damaged, or not a checkpoint{told}", WAY_OUT)


def _plain(value: object) -> object:
    """A value without NumPy's numbers, which torch does not load from a file that may hold only weights."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


def _shapes(weights: Weights) -> dict[str, torch.Size]:
    return {name: weight.shape for name, weight in weights.items()}
