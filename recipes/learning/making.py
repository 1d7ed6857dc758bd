"""Batches made while the network learns from others: by another thread, or by several processes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch.utils.data import DataLoader, Dataset

from pipelines.reading.computing import ahead

AHEAD = 2  # batches that another thread, or each process, makes while the network learns from one


class _Made(Dataset):
    def __init__(self, makers: Sequence[Callable[[], object]]):
        self.makers = makers

    def __len__(self) -> int:
        return len(self.makers)

    def __getitem__(self, index: int) -> object:
        return self.makers[index]()


def _as_it_is(batch: object) -> object:
    return batch


@contextlib.contextmanager
def made_ahead(
    makers: Sequence[Callable[[], object]], laborious: bool, workers: int = 0
) -> Iterator[Iterable]:
    """What the makers make, in their order.

    Another thread makes it where torch is allowed several, with half of these if it is much work.

    Args:
        workers: processes that make it instead, unless it is `laborious`, for which they lack the device.
    """
    threads = torch.get_num_threads()
    if workers and not laborious:
        # Forked, as what makes a batch holds whole data sets and functions that cannot be pickled.
        yield DataLoader(
            _Made(makers),
            batch_size=None,
            num_workers=workers,
            prefetch_factor=AHEAD,
            collate_fn=_as_it_is,
            multiprocessing_context="fork",
        )
        return
    made = (make() for make in makers)
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
