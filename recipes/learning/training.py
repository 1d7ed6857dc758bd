"""The one training loop. A recipe brings a `Task`; everything else happens here, in sight."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from encoders.precision import computing
from pipelines.errors import DataError
from pipelines.reading.computing import device_for
from pipelines.reading.precision import precision_for
from recipes.learning.checkpoint import NAME, Checkpoint, State
from recipes.learning.fingerprint import Fingerprint
from recipes.learning.interruption import Interrupted, Interruption
from recipes.learning.locking import locked
from recipes.learning.making import made_ahead, workers_for
from recipes.learning.options import TrainingOptions
from recipes.learning.progress import Line, Remaining, counted, lasting
from recipes.learning.weights import copied, mix_into, parameter_groups

LOG = "log"  # folder for TensorBoard


@dataclass(frozen=True)
class Maker:
    """Makes one batch when called.

    Args:
        make: the function.
        cost: how long learning from the batch takes, in any unit that is the same for all batches.
    """

    make: Callable[[], object]
    cost: float = 1.0

    def __call__(self) -> object:
        return self.make()


class Task(Protocol):
    """What a recipe hands to `train`: a module whose `forward(batch)` is the loss to minimise.

    Before each epoch, and when a run is resumed in its midst, comes `begin`, then `batches`. After each
    validation of `evaluate` comes `judge`. Whatever these two change must be in `state_dict` or follow
    from it and the epoch.
    """

    model: nn.Module
    criterion: str
    """The validation score that chooses the best weights; smaller is better."""
    laborious: bool
    """Whether making a batch takes about as long as learning from it."""

    def __call__(self, batch) -> Tensor: ...

    def begin(self, epoch: int) -> None:
        """Get ready for an epoch, from 0."""

    def batches(self, epoch: int) -> Sequence[Maker]:
        """The batches of the epoch, each the same whichever others are made."""

    def evaluate(self) -> dict[str, float]:
        """Scores on the validation data, from 0 to 1."""

    def judge(self, scores: dict[str, float]) -> None:
        """Take note of the scores that training has led to."""

    def told(self, row: dict[str, float], epochs: int) -> str:
        """An epoch in a line, for tasks whose scores are no shares; optional."""


def rate(progress: float, options: TrainingOptions) -> float:
    """The learning rate after a share of the run: a linear rise, then a half cosine down."""
    if progress < options.warmup:
        share = progress / options.warmup
    else:
        share = 0.5 + 0.5 * math.cos(math.pi * (progress - options.warmup) / (1 - options.warmup))
    return options.learning_rate * max(share, 1e-3)


def train(
    task: Task, options: TrainingOptions, out: Path, made_from: Fingerprint | None = None
) -> list[dict]:
    """Train the task's model in place; it ends with its best weights by validation.

    The caller's random generators, number of threads and signal handlers are as before afterwards, and
    the task is on its device again.

    Args:
        out: folder for `checkpoint.pt` and the TensorBoard log.
        made_from: what the run depends on; None takes the options alone.

    Returns:
        One dict of numbers an epoch, those before a resumption included: `epoch` from 1, `loss`, `seconds`,
        and the scores of `evaluate` where there was one; in the last one also those of the averaged and
        the blended weights.

    Raises:
        DataError: `resume="yes"` without a checkpoint; one that is damaged or of another run; another
            training is at work in the folder; the loss is not finite; or there is no such device.
        Interrupted: by Ctrl-C or SIGTERM; the checkpoint is up to date.
    """
    device = checked_device(options)
    made_from = made_from or Fingerprint.of(options)
    home = next(task.parameters()).device
    with locked(out / LOG, out), kept_settings(options.threads, device), Interruption() as interruption:
        try:
            return _Run(task.to(device), options, out, made_from, device, interruption).finished()
        finally:
            task.to(home)


def checked_device(options: TrainingOptions) -> str:
    """The device to train on, "cpu" or "cuda".

    Raises:
        DataError: there is no CUDA device.
    """
    if options.device == "cuda" and not torch.cuda.is_available():
        raise DataError("--device cuda", "this machine has no CUDA device", "take auto or cpu")
    return device_for(options.device)


@contextlib.contextmanager
def kept_settings(threads: int = 0, device: str = "cpu") -> Iterator[None]:
    """Restore torch's random generators and number of threads afterwards.

    Args:
        threads: CPU threads within the block; 0 leaves them as they are.
        device: whose generators are restored besides the CPU's.
    """
    before = torch.get_num_threads()
    with torch.random.fork_rng(range(torch.cuda.device_count()) if device == "cuda" else ()):
        if threads:
            torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


class _Run:
    """A run of `train`, from its beginning or its checkpoint."""

    def __init__(
        self,
        task: Task,
        options: TrainingOptions,
        out: Path,
        made_from: Fingerprint,
        device: str,
        interruption: Interruption,
    ):
        self.task, self.options, self.out, self.device = task, options, out, device
        self.interruption = interruption
        self.precision = precision_for(options.precision, device, training=True, measure=True)
        self.workers = workers_for(options.workers, device)
        self.optimiser = torch.optim.AdamW(
            parameter_groups(task, options.weight_decay), lr=options.learning_rate, betas=(0.9, 0.98)
        )
        self.checkpoint = Checkpoint(out / NAME, task, self.optimiser, made_from, options.checkpoint_minutes)
        found = self.checkpoint.restore(options.resume)
        self.state = found or State(begun=copied(task.model) if options.blend else {})
        share = 1 - options.average
        self.averaging_from = round(options.epochs * share) if options.average else options.epochs
        validations = [epoch for epoch in range(options.epochs) if self._is_validated(epoch)]
        extra = bool(options.average) + 2 * bool(options.blend)
        self.remaining = Remaining(options.epochs, validations, extra)
        if found:
            self._say_where()

    def finished(self) -> list[dict]:
        """The history of the run, after all that was left of it."""
        options, state = self.options, self.state
        with (
            contextlib.closing(SummaryWriter(str(self.out / LOG))) as self.log,
            Line("starting") as self.line,
        ):
            try:
                for epoch in range(state.epoch, options.epochs):
                    self._epoch(epoch)
                self._choose()
            except KeyboardInterrupt as stop:
                if self.interruption.torn:  # raised in a step itself: the last checkpoint is what there is
                    raise
                if state.epoch < options.epochs:  # after the last epoch it is written already
                    self.checkpoint.write(state)
                way = f"the same command goes on from {self.checkpoint.path}"
                message = f"interrupted in {self._where()}; {way}"
                raise Interrupted(message, getattr(stop, "code", 130)) from None
        return state.history

    def _where(self) -> str:
        return f"epoch {min(self.state.epoch + 1, self.options.epochs)} of {self.options.epochs}"

    def _say_where(self) -> None:
        path = self.checkpoint.path
        if self.state.epoch == self.options.epochs:
            print(f"{path}: this run is finished ({counted(self.state.epoch, 'epoch')}); nothing to train")
        else:
            after = f" after {counted(self.state.batch, 'batch')}" if self.state.batch else ""
            print(f"going on from {path}: {self._where()}{after}")

    def _is_validated(self, epoch: int) -> bool:
        return (epoch + 1) % self.options.valid_every == 0 or epoch + 1 == self.options.epochs

    def _epoch(self, epoch: int) -> None:
        task, options, state, held = self.task, self.options, self.state, self.interruption.held
        if state.batch == 0:
            torch.manual_seed(options.seed * 100_003 + epoch)
        task.begin(epoch)
        makers, first = task.batches(epoch), state.batch
        if first:
            self.checkpoint.restore_generators()
        costs = [maker.cost for maker in makers]
        self.remaining.begin(epoch, costs, first)
        task.model.train()
        before, started = state.seconds, time.monotonic()
        last = started
        with made_ahead(makers[first:], task.laborious, self.workers) as made:
            for index, batch in enumerate(made, first):
                with held():
                    state.losses.append(self._step(batch, (epoch + index / len(makers)) / options.epochs))
                    state.batch = index + 1
                    now = time.monotonic()
                    state.seconds = before + now - started
                self.remaining.step(costs[index], now - last)
                last = now
                self._show(f"loss {state.losses[-1]:.3f}")
                if self.checkpoint.is_due():
                    with held():
                        self.checkpoint.write(state)
        row = {"epoch": epoch + 1, "loss": sum(state.losses) / len(state.losses), "seconds": state.seconds}
        scores = self._validated() if self._is_validated(epoch) else {}
        with held():
            self._conclude(row | scores, scores)

    def _step(self, batch: object, progress: float) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = rate(progress, self.options)
        with computing(self.device, self.precision):
            loss = self.task(batch)
        loss.float().backward()
        parameters = [parameter for group in self.optimiser.param_groups for parameter in group["params"]]
        norm = nn.utils.clip_grad_norm_(parameters, self.options.clip)
        if not norm.isfinite():
            cause = f"the loss or its gradient is not finite (loss {loss.item():g}) in {self._where()}"
            raise DataError(self.out, cause, "lower --learning-rate or --clip, or take --precision fp32")
        self.optimiser.step()
        self.optimiser.zero_grad()
        return loss.item()

    def _validated(self) -> dict[str, float]:
        """Scores of the model as it is; nothing is changed."""
        self._show("validation", now=True)
        started = time.monotonic()
        scores = self.task.evaluate()
        self.remaining.validated(time.monotonic() - started)
        return scores

    def _conclude(self, row: dict[str, float], scores: dict[str, float]) -> None:
        """Take over what an epoch has led to, and go to the next one."""
        state = self.state
        weights = copied(self.task.model) if scores or state.epoch >= self.averaging_from else {}
        if state.epoch >= self.averaging_from:
            state.averaged += 1
            mix_into(state.average, weights, 1 / state.averaged)
        if scores:
            if scores[self.task.criterion] <= state.best_score:
                state.best_score, state.best = scores[self.task.criterion], weights
            self.task.judge(scores)
        for name, value in row.items():
            self.log.add_scalar(name, value, state.epoch + 1)
        state.history.append(row)
        self.remaining.end()
        told = getattr(self.task, "told", _told)
        self.line.say(told(row, self.options.epochs), self.remaining.left())
        state.epoch, state.batch, state.losses, state.seconds = state.epoch + 1, 0, [], 0.0
        if self.checkpoint.is_due() or state.epoch == self.options.epochs:
            self.checkpoint.write(state)

    def _choose(self) -> None:
        """Give the model its final weights: averaged, best, or blended with those of the beginning."""
        task, state = self.task, self.state
        last = dict(state.history[-1])
        if state.averaged:
            task.model.load_state_dict(state.average)
            scores = task.evaluate()
            last |= {f"averaged_{name}": value for name, value in scores.items()}
            if scores[task.criterion] > state.best_score:
                task.model.load_state_dict(state.best)
        elif state.best:
            task.model.load_state_dict(state.best)
        if self.options.blend:
            last |= self._blended()
        state.history[-1] = last

    def _blended(self) -> dict[str, float]:
        """Mix in the weights that the run began with if validation gains by it; the mixture's scores."""
        task = self.task
        ended, before = copied(task.model), task.evaluate()[task.criterion]
        mixture = {name: weight.clone() for name, weight in ended.items()}
        mix_into(mixture, self.state.begun, self.options.blend)
        task.model.load_state_dict(mixture)
        scores = task.evaluate()
        if scores[task.criterion] > before:
            task.model.load_state_dict(ended)
        return {f"blended_{name}": value for name, value in scores.items()}

    def _show(self, detail: str, now: bool = False) -> None:
        doing = f"epoch {self.state.epoch + 1}/{self.options.epochs}"
        self.line.show(doing, self.remaining.share(), detail, self.remaining.left(), now)


def _told(row: dict[str, float], epochs: int) -> str:
    """An epoch in a line: scores in percent."""
    scores = [
        f"{name.upper() if len(name) == 3 else name} {100 * value:.2f} %"
        for name, value in row.items()
        if name not in ("epoch", "loss", "seconds")
    ]
    told = [f"epoch {row['epoch']}/{epochs}", f"loss {row['loss']:.4g}", *scores, lasting(row["seconds"])]
    return "  ".join(told)
