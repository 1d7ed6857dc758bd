"""Where a network is run, and how all cores are kept busy with it."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import torch

Job = TypeVar("Job")
Made = TypeVar("Made")


def device_for(name: str) -> str:
    """cpu or cuda; auto is cuda where there is one."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def even(items: Sequence[Job], size: int, device: str) -> list[Sequence[Job]]:
    """Batches of at most `size` items in order, as many for each core."""
    cores = torch.get_num_threads() if device == "cpu" else 1
    count = min(-(-len(items) // (size * cores)) * cores, len(items))
    edges = [round(len(items) * place / count) for place in range(count + 1)] if count else []
    return [items[start:end] for start, end in pairwise(edges)]


def side_by_side(function: Callable[[Job], Made], jobs: Sequence[Job], device: str) -> list[Made]:
    """What a function makes of each job, on a CPU several at a time, in order.

    A recurrent network goes from step to step and hardly gains by a second thread: two batches beside
    each other, a thread each, take much less time than one after the other. The threads are those that
    torch is allowed in the calling one.
    """
    threads = torch.get_num_threads()
    workers = min(threads, len(jobs)) if device == "cpu" else 1
    if workers < 2:
        return [function(job) for job in jobs]
    share = max(1, threads // workers)
    with ThreadPoolExecutor(workers, "worker", torch.set_num_threads, (share,)) as pool:
        try:
            return list(pool.map(function, jobs))
        finally:
            torch.set_num_threads(threads)  # which is also what threads to come start with


def meanwhile(
    function: Callable[[Job], Made], jobs: Iterable[Job], is_last: Callable[[Job], bool]
) -> Iterator[tuple[Job, Made]]:
    """Each job and what a function makes of it, in order; the next job is made ready meanwhile.

    What is known to be the last, or where torch is allowed only one thread, is done by the calling thread:
    another one would first have to gather torch's threads around it, which takes longer than a short job.
    """
    with ThreadPoolExecutor(1, "meanwhile") as pool:
        before: tuple[Job, Future] | None = None
        for job in jobs:
            started = None
            if torch.get_num_threads() > 1 and not is_last(job):
                started = job, pool.submit(function, job)
            if before:
                yield before[0], before[1].result()
            before = started
            if not started:
                yield job, function(job)
        if before:
            yield before[0], before[1].result()


def ahead(items: Iterable[Made], size: int) -> Iterator[Made]:
    """The same items, made by another thread, up to `size` of them before they are asked for."""
    made: queue.Queue = queue.Queue(size)
    stopped, ended = threading.Event(), object()

    def put(item: object) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                made.put(item, timeout=0.1)
                break

    def make() -> None:
        try:
            for item in items:
                put((item, None))
                if stopped.is_set():
                    break
            put((ended, None))
        except BaseException as error:  # it is the asking thread's to deal with
            put((ended, error))

    thread = threading.Thread(target=make, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = made.get()
            if error is not None:
                raise error
            if item is ended:
                return
            yield item
    finally:
        stopped.set()
        thread.join()
