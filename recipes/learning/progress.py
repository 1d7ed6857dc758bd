"""How far a long run is and how long the rest takes: a line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

Each = TypeVar("Each")

EVERY = 60.0  # seconds between two plain lines
FIRST = 10.0  # seconds until the first of them
REFRESH = 0.2  # seconds between two states of the line on a terminal
MEMORY = 0.98  # share of what past steps weigh in the rate that remains after each further step
VALIDATION = 0.1  # seconds of a validation to those of an epoch, until one has been measured
BAR = "{desc} {percentage:3.0f} % |{bar:24}| {unit}"  # the unit is the place for any text


def counted(count: int, unit: str) -> str:
    """A number with its unit, in singular or plural: 1 file, 1,200 files."""
    plural = "" if count == 1 else "es" if unit == "batch" else "s"
    return f"{count:,} {unit}{plural}"


def lasting(seconds: float) -> str:
    """A duration as people say it: 8 s, 5 min, 2 h 10 min."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"


def followed(items: Sequence[Each], doing: str, unit: str, first: int = 0) -> Iterator[Each]:
    """The items, with progress shown while they are worked on.

    Args:
        doing: what is done, e.g. "reading recordings".
        unit: one item's name in the singular, e.g. "file".
        first: the items before this one are done already, and left out.
    """
    with Line(doing) as line:
        started = time.monotonic()
        for done in range(first, len(items)):
            item, count = items[done], done - first
            left = (time.monotonic() - started) / count * (len(items) - done) if count else None
            line.show(doing, done / len(items), f"{done:,} of {counted(len(items), unit)}", left)
            yield item


class Line:
    """One line of progress on standard error.

    Args:
        doing: shown before anything is measured.
    """

    def __init__(self, doing: str):
        self.bar = tqdm(total=1.0, desc=doing, unit="", bar_format=BAR, leave=False, disable=None)
        self._next = time.monotonic() + (FIRST if self.bar.disable else 0.0)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def show(self, doing: str, share: float, detail: str, left: float | None, at_once: bool = False) -> None:
        """Show a state, unless the last one was shown just now.

        Args:
            share: of the work that is done, from 0 to 1.
            detail: what else is worth knowing.
            left: seconds until the end; None while nothing is measured.
            at_once: on a terminal, show it in any case.
        """
        now = time.monotonic()
        if now < self._next and not (at_once and not self.bar.disable):
            return
        remaining = "" if left is None else f", {lasting(left)} left"
        if self.bar.disable:
            print(f"{doing}: {100 * share:.0f} %, {detail}{remaining}", file=sys.stderr, flush=True)
            self._next = now + EVERY
        else:
            self.bar.n = min(share, 1.0)
            self.bar.set_description_str(doing, refresh=False)
            self.bar.unit = detail + remaining
            self.bar.refresh()
            self._next = now + REFRESH

    def say(self, text: str, left: float | None = None) -> None:
        """Print a line on standard output; also the seconds left where no progress line shows them."""
        tqdm.write(f"{text}  {lasting(left)} left" if self.bar.disable and left else text)
        if self.bar.disable:
            self._next = time.monotonic() + EVERY


class Remaining:
    """Seconds left of a training run, from the work that was done.

    Args:
        epochs: of the whole run.
        validations: after which of the epochs, from 0, the model is validated.
        extra: validations after the last epoch.
    """

    def __init__(self, epochs: int, validations: Sequence[int], extra: int):
        self.epochs, self.validations, self.extra = epochs, validations, extra
        self.epoch, self.todo, self.whole = 0, 0.0, 0.0
        self.seconds, self.work = 0.0, 0.0
        self.validation: float | None = None

    def begin(self, epoch: int, costs: Sequence[float], done: int) -> None:
        """An epoch begins whose batches cost so much each, the first ones being done."""
        self.epoch, self.whole, self.todo = epoch, sum(costs), sum(costs[done:])

    def step(self, cost: float, seconds: float) -> None:
        """A batch took so long."""
        self.seconds = MEMORY * self.seconds + seconds
        self.work = MEMORY * self.work + cost
        self.todo -= cost

    def end(self) -> None:
        """The epoch has ended; the next one is taken to be like it."""
        self.epoch, self.todo = self.epoch + 1, self.whole

    def validated(self, seconds: float) -> None:
        """A validation took so long."""
        self.validation = seconds

    def left(self) -> float | None:
        """Seconds until the end of the run; None while nothing is measured."""
        if not self.work:
            return None
        rate = self.seconds / self.work
        validation = VALIDATION * rate * self.whole if self.validation is None else self.validation
        count = sum(place >= self.epoch for place in self.validations) + self.extra
        return rate * (self.todo + self.whole * (self.epochs - self.epoch - 1)) + validation * count

    def share(self) -> float:
        """Of the batches of the whole run that are done."""
        done = 1 - self.todo / self.whole if self.whole else 1.0
        return (self.epoch + done) / self.epochs
