"""The device that a network runs on, and batches in parallel on all cores of a CPU."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import torch

GROUPS = 2  # of jobs that are queued or running while the next one is prepared

Group = TypeVar("Group")
Job = TypeVar("Job")
Made = TypeVar("Made")


def device_for(name: str) -> str:
    """cpu or cuda; auto is cuda where there is one."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def even(items: Sequence[Job], size: int, device: str) -> list[Sequence[Job]]:
    """Batches of at most `size` items, in order, their number a multiple of the cores' where possible."""
    cores = torch.get_num_threads() if device == "cpu" else 1
    count = min(-(-len(items) // (size * cores)) * cores, len(items))
    edges = [round(len(items) * place / count) for place in range(count + 1)] if count else []
    return [items[start:end] for start, end in pairwise(edges)]


def side_by_side(function: Callable[[Job], Made], jobs: Sequence[Job], device: str) -> list[Made]:
    """The results of a function for each job, in order; on a CPU several jobs run in parallel.

    A recurrent network is sequential and hardly gains from a second thread: two batches in parallel, with a
    thread each, take much less time than one after the other. There are as many threads as torch may use in
    the calling thread.
    """
    threads = torch.get_num_threads()
    workers = min(threads, len(jobs)) if device == "cpu" else 1
    if workers < 2:
        return [function(job) for job in jobs]
    share = max(1, threads // workers)
    with ThreadPoolExecutor(workers, "worker", _allow, (share,)) as pool:
        try:
            return list(pool.map(function, jobs))
        finally:
            _restore_threads()


def meanwhile(
    function: Callable[[Job], Made],
    groups: Iterable[tuple[Group, Sequence[Job]]],
    is_last: Callable[[Group], bool],
    device: str,
) -> Iterator[tuple[Group, list[Made]]]:
    """Each group and the results of a function for its jobs, in order, while the next groups are prepared.

    On a CPU there are as many workers as torch may use threads, and each takes the next job of whichever
    group, so that none waits for the others. The last group, and all of them where torch may use only one
    thread, are left to the calling thread: see `side_by_side`.
    """
    threads = torch.get_num_threads()
    workers, share = (threads, 1) if device == "cpu" else (1, threads)
    begun: deque[tuple[Group, list[Future]]] = deque()

    def finished(most: int) -> Iterator[tuple[Group, list[Made]]]:
        while len(begun) > most or (begun and all(each.done() for each in begun[0][1])):
            group, started = begun.popleft()
            found = [each.result() for each in started]
            _restore_threads()
            yield group, found

    pool = ThreadPoolExecutor(workers, "meanwhile", _allow, (share,))
    try:
        for group, jobs in groups:
            if threads > 1 and not is_last(group):
                begun.append((group, [pool.submit(function, job) for job in jobs]))
                yield from finished(GROUPS)
            else:
                yield from finished(0)
                yield group, side_by_side(function, jobs, device)
        yield from finished(0)
    finally:
        pool.shutdown(cancel_futures=True)
        _restore_threads()


def _allow(threads: int) -> None:
    """Let torch use so many threads in the calling thread."""
    torch.get_num_threads()  # a thread that has not asked yet would take what another one sets meanwhile
    torch.set_num_threads(threads)


def _restore_threads() -> None:
    """Let new threads start with the thread count of the calling one, not with that of a worker."""
    torch.set_num_threads(torch.get_num_threads())


def ahead(items: Iterable[Made], size: int, threads: int = 0) -> Iterator[Made]:
    """The same items, computed in another thread, up to `size` of them in advance.

    Args:
        threads: that torch may use in it; 0 for as many as elsewhere.
    """
    made: queue.Queue = queue.Queue(size)
    stopped, ended = threading.Event(), object()

    def put(item: object) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                made.put(item, timeout=0.1)
                break

    def make() -> None:
        if threads:
            _allow(threads)
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
