"""Readers of groups of units, whatever they are: who reads what, and what becomes of it when one is lost."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pipelines.batch.engines.groups import Numbered, grouped
from pipelines.batch.engines.limits import Limits
from pipelines.batch.engines.prober import too_much
from pipelines.batch.engines.serving import BEGUN, BROKEN, ENDED, FOUND
from pipelines.errors import MediaError, ModelError

if TYPE_CHECKING:
    from pipelines.batch.units import Route, Unit
    from pipelines.errors import TriscribeError
    from pipelines.results import Result

Answer = tuple["Unit", "Route", "Result | TriscribeError", float]

AHEAD = 2  # groups that a reader is given at once, so that it need not wait for the next
WATCH = 0.2  # seconds between two looks at time and memory
START = 120.0  # seconds in which a reader is to have begun what it was given
RECYCLED = 0.5  # of the memory that a reader may hold: one that holds it idle makes room for a new one


@dataclass(eq=False)
class Reader:
    """One of those who read.

    Attributes:
        handle: what its crew knows it by.
        ready: whether it can be given groups.
        groups: that it was given and has not ended.
        left: numbers of units of these that are not found yet.
        begun: numbers of units -> seconds of media.
        since: when it was heard of last.
        started: when it began the unit that it began last.
        ended_for: why it was ended: cause and way out.
    """

    handle: object
    ready: bool = True
    groups: deque[list[Numbered]] = field(default_factory=deque)
    left: set[int] = field(default_factory=set)
    begun: dict[int, float] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)
    started: float = 0.0
    ended_for: tuple[str, str] | None = None


class Crew(Protocol):
    """Starts readers and speaks with them. No method waits without a limit.

    Attributes:
        vain: readers in a row that may end before they have begun anything.
        trials: readers that a unit may end which had it alone.
        reason: why readers may end before they begin, as the cause and the way out of the error.
    """

    vain: int
    trials: int
    reason: tuple[str, str]

    def hire(self) -> Reader: ...

    def send(self, reader: Reader, group: list[Numbered]) -> None:
        """Give it a group. That it has ended is not said here, but when it is listened to."""

    def hear(self, readers: Sequence[Reader], seconds: float) -> Iterable[tuple[Reader, list[tuple] | None]]:
        """What readers say within so many seconds: messages, see `serving.serve`; None if one has ended."""

    def memory(self, reader: Reader) -> float:
        """Gigabytes that it holds; 0 where that is not known here."""

    def end(self, reader: Reader) -> None:
        """Have it end at once."""

    def dismiss(self, reader: Reader) -> tuple[str, str]:
        """Forget one that has ended; gives why, as cause and way out."""

    def close(self) -> None:
        """End all."""


class Pool:
    """The readers of one run.

    When one ends or is ended, what it had begun and not finished is read again, each unit alone; a unit that
    ends `trials` readers alone has failed, the first of them counted if it had the unit among others and the
    crew allows for more than one. Results that had arrived stay.

    Args:
        units: to be read.
        crew: of the readers.
        count: of readers.
        limits: on the reading of a unit.
        most: gigabytes that a reader may hold.
    """

    def __init__(self, units: Sequence[Unit], crew: Crew, count: int, limits: Limits, most: float):
        self.units, self.crew, self.limits, self.most = units, crew, limits, most
        self.left = len(units)
        self.waiting = grouped(units, count)
        self.again: deque[list[Numbered]] = deque()  # groups whose reader ended before it began them
        self.alone: deque[list[Numbered]] = deque()  # units that may have ended their reader
        self.ended: Counter[int] = Counter()  # readers that a unit may have ended
        self.vain = 0
        self.watched = -WATCH  # when time and memory were last looked at
        self.readers: list[Reader] = []
        try:
            for _ in range(count):
                self.readers.append(crew.hire())
        except BaseException:
            crew.close()
            raise

    def found(self) -> Iterator[Answer]:
        """What is found in each unit."""
        while self.left:
            for reader in self.readers:
                if reader.ready:
                    self._feed(reader)
            for reader, messages in self.crew.hear(self.readers, WATCH):
                if messages is None:
                    yield from self._replace(reader)
                for message in messages or ():
                    yield from self._take(reader, message)
            self._watch()

    def close(self) -> None:
        """End all readers."""
        self.crew.close()

    def _feed(self, reader: Reader) -> None:
        """Give it what it can do: a unit that may end it only by itself."""
        while len(reader.groups) < AHEAD and not (reader.groups and len(reader.groups[0]) == 1):
            if self.alone and not reader.groups:
                group = self.alone.popleft()
            else:
                group = self.again.popleft() if self.again else next(self.waiting, None)
            if group is None:
                return
            reader.groups.append(group)
            reader.left.update(number for number, _ in group)
            if len(reader.groups) == 1:
                reader.since = time.monotonic()
            self.crew.send(reader, group)

    def _take(self, reader: Reader, message: tuple) -> Iterator[Answer]:
        """Take what a reader says."""
        kind, *told = message
        reader.since = time.monotonic()
        if kind == BEGUN:
            number, media = told
            reader.begun[number] = media
            reader.started = reader.since
            self.vain = 0
        elif kind == FOUND:
            number, place, result, seconds = told
            del reader.begun[number]
            reader.left.discard(number)
            unit = self.units[number]
            self.left -= 1
            yield unit, unit.routes[place], result, seconds
        elif kind == ENDED:
            reader.groups.popleft()
            if not reader.groups and self.crew.memory(reader) > RECYCLED * self.most:
                yield from self._replace(reader, False)  # what it holds is not to be a later file's fault
        elif kind == BROKEN:
            self._end(reader, *told)

    def _watch(self) -> None:
        """End readers that take too long, or too much memory."""
        now = time.monotonic()
        if now - self.watched < WATCH:
            return
        self.watched = now
        for reader in self.readers:
            if reader.ended_for or not reader.groups:
                continue
            limit = self.limits.seconds(sum(reader.begun.values())) if reader.begun else START
            if now - reader.since > limit:
                cause = f"took longer than {limit:.0f} s"
                self._end(reader, cause, "give a higher --time-limit or leave it out")
            elif self.crew.memory(reader) > self.most:
                self._end(reader, *too_much(self.most))

    def _end(self, reader: Reader, cause: str, way_out: str) -> None:
        reader.ended_for = cause, way_out
        self.crew.end(reader)

    def _replace(self, reader: Reader, lost: bool = True) -> Iterator[Answer]:
        """A reader has ended: what it had begun is suspect, the rest is given to others."""
        self.readers.remove(reader)
        reason = self.crew.dismiss(reader)
        if lost:
            reason = reader.ended_for or reason
            self.vain += not reader.begun
            if self.vain >= self.crew.vain:
                cause, way_out = self.crew.reason
                raise ModelError("triscribe", f"{cause} ({reason[0]})", way_out)
            yield from self._divide(reader, *reason)
        self.readers.append(self.crew.hire())

    def _divide(self, reader: Reader, cause: str, way_out: str) -> Iterator[Answer]:
        for group in reader.groups:
            suspects = [each for each in group if each[0] in reader.begun]
            for number, unit in suspects:
                self.ended[number] += 1
                if len(group) == 1 and self.ended[number] >= self.crew.trials:
                    seconds = time.monotonic() - reader.started
                    self.left -= 1
                    yield unit, unit.routes[0], MediaError(_name(unit), cause, way_out), seconds
                else:
                    self.alone.append([(number, unit)])
            rest = [each for each in group if each[0] in reader.left - reader.begun.keys()]
            if rest:
                self.again.append(rest)


def _name(unit: Unit) -> str:
    return f"{unit.source}, part {unit.part}" if unit.part else str(unit.source)
