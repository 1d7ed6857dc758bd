"""Batches made while the network learns from others: by a thread, or by several processes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence

import torch
from torch.utils.data import DataLoader, Dataset

from pipelines.reading.computing import ahead

AHEAD = 2  # batches that another thread, or each process, has ready
MOST = 16  # processes

Makers = Sequence[Callable[[], object]]


class _Made(Dataset):
    def __init__(self, makers: Makers):
        self.makers = makers

    def __len__(self) -> int:
        return len(self.makers)

    def __getitem__(self, place: int) -> object:
        return self.makers[place]()


def workers_for(asked: int | None, device: str) -> int:
    """The number of processes that make batches; where none can be forked, there are none.

    Args:
        asked: this many; None leaves it to the device.
        device: that training runs on.
    """
    if not hasattr(os, "fork"):
        return 0
    if asked is not None:
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST, cores - 1) if device == "cuda" else 0


@contextlib.contextmanager
def made_ahead(makers: Makers, laborious: bool, workers: int = 0) -> Iterator[Iterator]:
    """What the makers make, in their order, made in advance.

    Args:
        laborious: whether a network runs in it, on the device that training runs on. Then no other process
            makes it, but a thread that has half of torch's threads, if there are several.
        workers: processes that make batches, forked from this one; 0 leaves it to a thread.
    """
    if workers and not laborious:
        yield _made_by(makers, workers)
        return
    made = (make() for make in makers)
    threads = torch.get_num_threads()
    if threads == 1:
        yield made
        return
    making = threads // 2 if laborious else 0
    torch.set_num_threads(threads - making)
    try:
        with contextlib.closing(ahead(made, AHEAD, making)) as made:
            yield made
    finally:
        torch.set_num_threads(threads)


def _made_by(makers: Makers, workers: int) -> Iterator:
    loader = DataLoader(
        _Made(makers),
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_made,
        prefetch_factor=AHEAD,
        worker_init_fn=_begin,
        multiprocessing_context="fork",  # what makes batches is no plain value that could be sent
    )
    with warnings.catch_warnings():  # of forking beside threads: workers call nothing that these may hold
        warnings.simplefilter("ignore", DeprecationWarning)
        return iter(loader)


def _as_made(batch: object) -> object:
    return batch


def _begin(worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that trains ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)  # the threads of the process that was forked are not here
