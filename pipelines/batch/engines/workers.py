"""Worker processes: several files at once, and one that hangs or crashes its reader costs only itself."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from pipelines.batch.engines.groups import Numbered
from pipelines.batch.engines.limits import Limits, memory_of
from pipelines.batch.engines.nursery import Nursery
from pipelines.batch.engines.pool import Answer, Pool, Reader
from pipelines.batch.engines.prober import ending
from pipelines.errors import ModelError
from pipelines.reading.precision import MANY

if TYPE_CHECKING:
    from pipelines.batch.units import Unit

WAY_OUT = "free memory, or read in one process with --workers 0"


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
        self._nursery: Nursery | None = None

    def warm(self) -> None:
        """Begin to import what workers need: there will be something to read."""
        if self._nursery is None:
            self._nursery = Nursery(self.threads)

    def cool(self) -> None:
        """End what `warm` began, if nothing was read."""
        if self._nursery:
            self._nursery.close()
            self._nursery = None

    def __call__(self, units: Sequence[Unit]) -> Iterator[Answer]:
        """Read units; see the contract of engines."""
        remote = [unit for unit in units if isinstance(unit.source, (str, os.PathLike))]
        if remote:
            count = min(self.count, len(remote))
            self.warm()
            nursery, self._nursery = self._nursery, None
            crew = _Processes(nursery, self.threads, len(remote) >= MANY)
            pool = Pool(remote, crew, count, self.limits, self.limits.gigabytes(count))
            try:
                yield from pool.found()
            finally:
                pool.close()
        from pipelines.batch.units import read

        yield from read(unit for unit in units if not isinstance(unit.source, (str, os.PathLike)))


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class _Process:
    number: int
    connection: Connection


class _Processes:
    """The worker processes of a run, as its `Crew`."""

    vain, trials = 3, 1
    reason = "worker processes end before they begin", WAY_OUT

    def __init__(self, nursery: Nursery, threads: int, many: bool):
        self._nursery, self._threads, self._many = nursery, threads, many
        self._readers: list[Reader] = []

    def hire(self) -> Reader:
        try:
            born = self._nursery.bear(self._many)
        except OSError:  # something has ended the nursery, and its workers with it
            self._nursery.close()
            self._nursery = Nursery(self._threads)
            try:
                born = self._nursery.bear(self._many)
            except OSError as error:
                raise ModelError("triscribe", f"cannot start worker processes ({error})", WAY_OUT) from error
        self._readers.append(Reader(_Process(*born)))
        return self._readers[-1]

    def send(self, reader: Reader, group: list[Numbered]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            reader.handle.connection.send(group)

    def hear(self, readers: Sequence[Reader], seconds: float) -> Iterator[tuple[Reader, list[tuple] | None]]:
        by_connection = {reader.handle.connection: reader for reader in readers}
        for connection in wait(list(by_connection), seconds):
            try:
                messages = [connection.recv()]
            except (EOFError, ConnectionResetError):
                messages = None
            yield by_connection[connection], messages

    def memory(self, reader: Reader) -> float:
        return memory_of(reader.handle.number)

    def end(self, reader: Reader) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(reader.handle.number, signal.SIGKILL)

    def dismiss(self, reader: Reader) -> tuple[str, str]:
        self._readers.remove(reader)
        reader.handle.connection.close()
        if reader.ended_for or not reader.groups:
            return reader.ended_for or ("it ended idle", WAY_OUT)
        return ending(self._nursery.status(reader.handle.number))

    def close(self) -> None:
        for reader in self._readers:
            reader.handle.connection.close()
        self._nursery.close()
