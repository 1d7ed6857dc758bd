"""Worker processes: several files at once, and one that hangs or crashes its reader costs only itself."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from pipelines.batch.engines.groups import Numbered, grouped
from pipelines.batch.engines.limits import Limits, memory_of
from pipelines.batch.engines.nursery import Nursery
from pipelines.batch.engines.serving import BEGUN, BROKEN, ENDED, FOUND
from pipelines.batch.units import read
from pipelines.errors import MediaError, ModelError
from pipelines.reading.precision import MANY

if TYPE_CHECKING:
    from pipelines.batch.units import Route, Unit
    from pipelines.errors import TriscribeError
    from pipelines.results import Result

Answer = tuple["Unit", "Route", "Result | TriscribeError", float]

AHEAD = 2  # groups that a worker is given at once, so that it need not wait for the next
WATCH = 0.2  # seconds between two looks at time and memory
START = 120.0  # seconds in which a worker is to have begun
RECYCLED = 0.5  # of the memory that a worker may hold: one that holds it idle makes room for a new one
VAIN = 3  # workers in a row that may end before they have begun anything


class Workers:
    """An engine of worker processes, each of which reads groups of units and has its own model and threads.

    When a worker ends or is ended, what it had begun and not finished is read again, each file alone; one
    that ends its worker then too has failed. Results that had arrived stay.

    Args:
        count: of processes; 0 is one for each core that this process may use.
        threads: of each.
        limits: on the reading of a file.

    Raises:
        ValueError: a number is out of range.
    """

    def __init__(self, count: int = 0, threads: int = 1, limits: Limits | None = None):
        if count < 0 or threads < 1:
            raise ValueError(f"workers must be 0 or more and threads at least 1, not {count} and {threads}")
        self.count, self.threads = count or max(1, cores() // threads), threads
        self.limits = limits or Limits()

    def __call__(self, units: Sequence[Unit]) -> Iterator[Answer]:
        """Read units; see the contract of engines."""
        remote = [unit for unit in units if isinstance(unit.source, (str, os.PathLike))]
        if remote:
            pool = _Pool(remote, self.threads, min(self.count, len(remote)), self.limits)
            try:
                yield from pool.found()
            finally:
                pool.close()
        yield from read(unit for unit in units if not isinstance(unit.source, (str, os.PathLike)))


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(eq=False)
class _Worker:
    process: int
    connection: Connection
    groups: deque[list[Numbered]] = field(default_factory=deque)  # that it was given and has not ended
    left: set[int] = field(default_factory=set)  # numbers of units of these that are not found yet
    begun: dict[int, float] = field(default_factory=dict)  # numbers of units -> seconds of media
    since: float = field(default_factory=time.monotonic)  # when it was heard of last
    started: float = 0.0  # when it began the unit that it began last
    ended_for: tuple[str, str] | None = None  # why it was ended: cause and way out


class _Pool:
    """The workers of one run."""

    def __init__(self, units: Sequence[Unit], threads: int, count: int, limits: Limits):
        self.units, self.threads, self.limits = units, threads, limits
        self.most = limits.gigabytes(count)
        self.waiting = grouped(units, count)
        self.again: deque[list[Numbered]] = deque()  # groups whose worker ended before it began them
        self.alone: deque[list[Numbered]] = deque()  # units that may have ended their worker
        self.vain = 0
        self.watched = -WATCH  # when time and memory were last looked at
        self.nursery = self._nursery()
        self.workers: list[_Worker] = []
        try:
            for _ in range(count):
                self._hire()
        except BaseException:
            self.close()
            raise

    def found(self) -> Iterator[Answer]:
        """What is found in each unit."""
        while True:
            for worker in self.workers:
                self._feed(worker)
            if not any(worker.groups for worker in self.workers):
                return
            for connection in wait([worker.connection for worker in self.workers], WATCH):
                worker = next(each for each in self.workers if each.connection is connection)
                yield from self._hear(worker)
            self._watch()

    def close(self) -> None:
        """End all processes."""
        for worker in self.workers:
            worker.connection.close()
        self.nursery.close()

    def _hire(self) -> None:
        try:
            born = self.nursery.bear()
        except OSError:  # something has ended the nursery, and its workers with it
            self.nursery.close()
            self.nursery = self._nursery()
            try:
                born = self.nursery.bear()
            except OSError as error:
                way = "free memory, or read in one process with --workers 0"
                raise ModelError("triscribe", f"cannot start worker processes ({error})", way) from error
        self.workers.append(_Worker(*born))

    def _nursery(self) -> Nursery:
        return Nursery(self.threads, len(self.units) >= MANY)

    def _feed(self, worker: _Worker) -> None:
        """Give it what it can do: a unit that may end it only by itself."""
        while len(worker.groups) < AHEAD and not (worker.groups and len(worker.groups[0]) == 1):
            if self.alone and not worker.groups:
                group = self.alone.popleft()
            else:
                group = self.again.popleft() if self.again else next(self.waiting, None)
            if group is None:
                return
            worker.groups.append(group)
            worker.left.update(number for number, _ in group)
            if len(worker.groups) == 1:
                worker.since = time.monotonic()
            try:
                worker.connection.send(group)
            except (BrokenPipeError, ConnectionResetError):
                return  # it has ended, which is found when it is listened to

    def _hear(self, worker: _Worker) -> Iterator[Answer]:
        """Take what a worker says."""
        try:
            kind, *told = worker.connection.recv()
        except (EOFError, ConnectionResetError):
            yield from self._replace(worker)
            return
        worker.since = time.monotonic()
        if kind == BEGUN:
            number, media = told
            worker.begun[number] = media
            worker.started = worker.since
            self.vain = 0
        elif kind == FOUND:
            number, place, result, seconds = told
            del worker.begun[number]
            worker.left.discard(number)
            unit = self.units[number]
            yield unit, unit.routes[place], result, seconds
        elif kind == ENDED:
            worker.groups.popleft()
            if not worker.groups and memory_of(worker.process) > RECYCLED * self.most:
                yield from self._replace(worker)  # what it still holds is not to be a later file's fault
        elif kind == BROKEN:
            worker.ended_for = f"its reader failed ({told[0]})", "convert the file or leave it out"

    def _watch(self) -> None:
        """End workers that take too long, or too much memory."""
        now = time.monotonic()
        if now - self.watched < WATCH:
            return
        self.watched = now
        for worker in self.workers:
            if worker.ended_for or not worker.groups:
                continue
            limit = self.limits.seconds(sum(worker.begun.values())) if worker.begun else START
            if now - worker.since > limit:
                cause = f"took longer than {limit:.0f} s"
                self._end(worker, cause, "give a higher --time-limit or leave it out")
            elif memory_of(worker.process) > self.most:
                cause = f"needed more than {self.most:.2g} GB of memory"
                self._end(worker, cause, "give a higher --memory-limit or leave it out")

    def _end(self, worker: _Worker, cause: str, way_out: str) -> None:
        worker.ended_for = cause, way_out
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.process, signal.SIGKILL)

    def _replace(self, worker: _Worker) -> Iterator[Answer]:
        """A worker has ended: what it had begun is suspect, the rest is given to others."""
        self.workers.remove(worker)
        worker.connection.close()
        if worker.groups:
            cause, way_out = worker.ended_for or _ending(self.nursery.status(worker.process))
            yield from self._divide(worker, cause, way_out)
        self._hire()

    def _divide(self, worker: _Worker, cause: str, way_out: str) -> Iterator[Answer]:
        if not worker.begun:
            self.vain += 1
            if self.vain >= VAIN:
                way = "free memory, or read in one process with --workers 0"
                raise ModelError("triscribe", f"worker processes end before they begin ({cause})", way)
        for group in worker.groups:
            if len(group) == 1 and group[0][0] in worker.begun:
                unit = group[0][1]
                seconds = time.monotonic() - worker.started
                yield unit, unit.routes[0], MediaError(_name(unit), cause, way_out), seconds
                continue
            self.alone += [[each] for each in group if each[0] in worker.begun]
            rest = [each for each in group if each[0] in worker.left - worker.begun.keys()]
            if rest:
                self.again.append(rest)


def _ending(number: int | None) -> tuple[str, str]:
    """Why a worker ended by itself: cause and way out."""
    if not number:
        return "its reader ended its process", "convert the file or leave it out"
    cause = f"its reader was killed by signal {number} ({signal.Signals(number).name})"
    if number == signal.SIGKILL:
        return cause, "if memory was short, give fewer --workers"
    return cause, "convert the file or leave it out"


def _name(unit: Unit) -> str:
    return f"{unit.source}, part {unit.part}" if unit.part else str(unit.source)
