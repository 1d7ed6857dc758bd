"""The one training loop. A recipe brings a `Task`; everything else happens here, in sight."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from encoders.precision import computing
from pipelines.errors import DataError
from pipelines.reading.computing import ahead, device_for
from pipelines.reading.precision import precision_for
from pipelines.writers import write_atomically
from recipes.learning.options import TrainingOptions

AHEAD = 2  # batches that another thread makes while the network learns from one
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # of mallopt(3)


class Task(Protocol):
    """What a recipe hands to `train`: a module whose `forward(batch)` is the loss to minimise."""

    model: nn.Module
    criterion: str
    """The validation metric that chooses the best weights; smaller is better."""
    laborious: bool
    """Whether making a batch takes about as long as learning from it."""

    def __call__(self, batch) -> Tensor: ...

    def batches(self, epoch: int) -> Sequence[Callable[[], object]]:
        """What makes each batch of the epoch: the same for the same epoch, whichever others are made."""

    def evaluate(self) -> dict[str, float]:
        """Metrics on the validation data."""


def rate(progress: float, options: TrainingOptions) -> float:
    """The learning rate after a share of the run: up in a line, down along a cosine."""
    if progress < options.warmup:
        share = progress / options.warmup
    else:
        share = 0.5 + 0.5 * math.cos(math.pi * (progress - options.warmup) / (1 - options.warmup))
    return options.learning_rate * max(share, 1e-3)


def train(task: Task, options: TrainingOptions, out: Path) -> list[dict]:
    """Train the task's model in place; it ends with its best weights by validation.

    Args:
        out: folder for `checkpoint.pt` and the TensorBoard log.

    Returns:
        One dict of numbers an epoch (also those of a run that was resumed).

    Raises:
        DataError: `resume="yes"` without a checkpoint, or one made with other options or another model; or
            another training is at work in the folder.
    """
    with _alone(out):
        return _trained(task, options, out)


def _trained(task: Task, options: TrainingOptions, out: Path) -> list[dict]:
    from lightning_fabric import Fabric

    if options.threads:
        torch.set_num_threads(options.threads)
    _keep_memory()
    device = device_for("auto")
    precision = precision_for(options.precision, device, training=True, measure=True)
    fabric = Fabric(accelerator=device, devices=1)
    optimiser = torch.optim.AdamW(
        _parameter_groups(task, options.weight_decay), lr=options.learning_rate, betas=(0.9, 0.98)
    )
    runner, optimiser = fabric.setup(task, optimiser)
    checkpoint = _Checkpoint(out / "checkpoint.pt", task, optimiser, options)
    state = checkpoint.restore()
    if options.blend and not state["begun"]:
        state["begun"] = _copied(task.model.state_dict())
    log = SummaryWriter(str(out / "log"))
    averaging_from = round(options.epochs * (1 - options.average)) if options.average else options.epochs
    for epoch in range(state["epoch"], options.epochs):
        if state["batch"] == 0:
            torch.manual_seed(options.seed * 100_003 + epoch)
        started, losses = time.monotonic(), state["losses"]
        makers, first = task.batches(epoch), state["batch"]
        count = len(makers)
        task.model.train()
        with _made_ahead((make() for make in makers[first:]), task.laborious) as made:
            bar = tqdm(
                made,
                f"epoch {epoch + 1}/{options.epochs}",
                count,
                leave=False,
                mininterval=1.0,
                disable=None,
                initial=first,
            )
            for index, batch in enumerate(bar, first):
                if index == first and state["rng"] is not None:
                    torch.set_rng_state(state["rng"])
                for group in optimiser.param_groups:
                    group["lr"] = rate((epoch + index / count) / options.epochs, options)
                with computing(device, precision):
                    loss = runner(batch)
                fabric.backward(loss)
                fabric.clip_gradients(runner, optimiser, max_norm=options.clip)
                optimiser.step()
                optimiser.zero_grad()
                losses.append(loss.item())
                bar.set_postfix(loss=f"{losses[-1]:.3f}")
                seconds = time.monotonic() - started
                if checkpoint.is_due():
                    checkpoint.write({**state, "batch": index + 1, "seconds": state["seconds"] + seconds})
        seconds = time.monotonic() - started
        row = {"epoch": epoch + 1, "loss": sum(losses) / len(losses), "seconds": state["seconds"] + seconds}
        if epoch >= averaging_from:
            state["averaged"] += 1
            _mix_into(state["average"], task.model.state_dict(), 1 / state["averaged"])
        if (epoch + 1) % options.valid_every == 0 or epoch + 1 == options.epochs:
            row |= _validate(task, state)
        for name, value in row.items():
            log.add_scalar(name, value, epoch + 1)
        state["history"].append(row)
        tqdm.write("  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))
        state.update(epoch=epoch + 1, batch=0, rng=None, losses=[], seconds=0.0)
        if checkpoint.is_due() or epoch + 1 == options.epochs:
            checkpoint.write(state)
    log.close()
    if state["averaged"]:
        task.model.load_state_dict(state["average"])
        scores = task.evaluate()
        state["history"][-1] |= {f"averaged_{name}": value for name, value in scores.items()}
        if scores[task.criterion] > state["best_score"]:
            task.model.load_state_dict(state["best"])
    elif state["best"]:
        task.model.load_state_dict(state["best"])
    if options.blend:
        state["history"][-1] |= _blend(task, state["begun"], options.blend)
    return state["history"]


@contextlib.contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Two trainings in one folder would write over each other's checkpoints."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    folder = os.open(out, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                way = "wait for its end, stop it, or give another --out"
                raise DataError(out, "another training is at work in it", way) from None
        yield
    finally:
        os.close(folder)


@contextlib.contextmanager
def _made_ahead(batches: Iterable, laborious: bool) -> Iterator[Iterable]:
    """Batches, by another thread where torch is allowed several; half of these if they are much work."""
    threads = torch.get_num_threads()
    if threads == 1:
        yield batches
        return
    making = threads // 2 if laborious else 0
    torch.set_num_threads(threads - making)
    try:
        yield ahead(batches, AHEAD, making)
    finally:
        torch.set_num_threads(threads)


def _keep_memory() -> None:
    """Large tensors' memory is kept for the next ones. The C library would give it back each time and get it

    anew, page by page, which takes a sixth of the time on a CPU. oneDNN would keep some for each of the last
    1,024 shapes that it computed: many gigabytes, as batches are of all widths.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another library than glibc
        library = ctypes.CDLL(None)
        for setting, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 2**28)):
            library.mallopt(setting, value)


def _validate(task: Task, state: dict) -> dict[str, float]:
    scores = task.evaluate()
    if scores[task.criterion] <= state["best_score"]:
        state["best_score"] = scores[task.criterion]
        state["best"] = _copied(task.model.state_dict())
    return scores


def _blend(task: Task, begun: dict[str, Tensor], share: float) -> dict[str, float]:
    """Mix what the run began with into what it ends with, if validation gains by it; the mixture's scores."""
    ended, before = _copied(task.model.state_dict()), task.evaluate()[task.criterion]
    mixture = _copied(ended)
    _mix_into(mixture, begun, share)
    task.model.load_state_dict(mixture)
    scores = task.evaluate()
    if scores[task.criterion] > before:
        task.model.load_state_dict(ended)
    return {f"blended_{name}": value for name, value in scores.items()}


def _parameter_groups(task: nn.Module, weight_decay: float) -> list[dict]:
    """Biases and gains do not decay."""
    matrices = [p for p in task.parameters() if p.dim() > 1]
    vectors = [p for p in task.parameters() if p.dim() <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _copied(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: weight.detach().cpu().clone() for name, weight in weights.items()}


def _mix_into(average: dict[str, Tensor], weights: dict[str, Tensor], share: float) -> None:
    for name, weight in _copied(weights).items():
        if name in average and weight.is_floating_point():  # counters are not averaged
            average[name].lerp_(weight, share)
        else:
            average[name] = weight


class _Checkpoint:
    """Everything that the next step depends on, in one file."""

    def __init__(self, path: Path, task: Task, optimiser, options: TrainingOptions):
        self.path, self.task, self.optimiser, self.options = path, task, optimiser, options
        self.written = time.monotonic()

    def is_due(self) -> bool:
        return time.monotonic() - self.written > 60 * self.options.checkpoint_minutes

    def write(self, state: dict) -> None:
        whole = {
            "options": self._fixed_options(self.options),
            "task": self.task.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "state": {**state, "rng": torch.get_rng_state() if state["batch"] else None},
        }
        with write_atomically(self.path, "wb") as file:
            torch.save(whole, file)
        self.written = time.monotonic()

    def restore(self) -> dict:
        if self.options.resume == "no" or not self.path.exists():
            if self.options.resume == "yes":
                raise DataError(self.path, "no checkpoint to resume from", "start with --resume auto")
            return {
                "epoch": 0,
                "batch": 0,
                "rng": None,
                "losses": [],
                "seconds": 0.0,
                "history": [],
                "begun": {},
                "best": {},
                "best_score": math.inf,
                "average": {},
                "averaged": 0,
            }
        whole = torch.load(self.path, map_location="cpu", weights_only=True)
        now, had = self._fixed_options(self.options), self._fixed_options(TrainingOptions())
        had |= whole["options"]  # one made before an option came has its default
        changed = [f"{k} {had[k]} -> {now[k]}" for k in now if had[k] != now[k]]
        if changed:
            raise DataError(
                self.path,
                f"was made with other options ({', '.join(changed)})",
                "give the same options, another --out, or --resume no",
            )
        try:
            self.task.load_state_dict(whole["task"])
        except RuntimeError as error:
            raise DataError(
                self.path,
                "was made with another model: its sizes, its alphabet or --views differ",
                "give another --out, or --resume no",
            ) from error
        self.optimiser.load_state_dict(whole["optimiser"])
        tqdm.write(f"going on from {self.path}, epoch {whole['state']['epoch'] + 1}")
        return {"begun": {}, **whole["state"]}

    @staticmethod
    def _fixed_options(options: TrainingOptions) -> dict:
        free = {"resume", "threads", "checkpoint_minutes", "valid_every"}
        return {k: v for k, v in dataclasses.asdict(options).items() if k not in free}
