"""Signals: channels of numbers over time, in memory or in their files. `signal_files` opens them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

import numpy as np

from pipelines.errors import MediaError

MOST_VALUES = 100_000_000  # of a signal in memory
MOST_CHANNELS = 10_000
EVEN = 0.01  # of a step, by which an even one may differ

EDF = re.compile(rb"(0 {7}|\xffBIOSEMI)[\x20-\x7e\s]{80}")
WFDB = re.compile(
    r"""
    (?:\s*\#[^\n]*\n)*                                       # comments
    [ \t]*[\w-]+(?:/\d+[ ]\d+[ ]?[^\n]*\n                     # a record of several segments,
        (?:\s*\#[^\n]*\n)*\s*(?:[\w-]+|~)[ ]\d+[ ]*\r?\n        # and the first of them;
    |[ \t]+\d+(?:[ \t]+[\d.eE+-]+(?:/\S+)?[^\n]*)?\n             # or a record,
        (?:\s*\#[^\n]*\n)*\s*[\w-]+\.\w+[ \t]+\d{1,3}[x:+\s])   # and its first signal file
    """,
    re.VERBOSE,
)
"""How a WFDB header begins."""
MOST_MISSING = 10  # times the steps of a signal that may be missing in a row
SLACK = 0.05  # of a step by which times may lie beside the grid
TAGS = "problemname timestamps missing univariate dimensions? equallength classlabel data"
TS = re.compile(rf"(?:\s*#[^\n]*\n)*\s*@({TAGS.replace(' ', '|')})\b", re.IGNORECASE)
"""How a `.ts` file begins."""


@dataclass(frozen=True)
class Signal:
    """Channels over time, in memory.

    Attributes:
        values: (time, channels) float32; NaN is missing.
        channels: their names, without repetition.
        rate: time steps a second; None where the steps are uneven or their length is not known.
        times: (time,) float64, seconds from the first step, never falling; None where `rate` says it, or
            nothing is known but the order.
        units: of the channels, "" where unknown; () if none is known.
        start: date and time of the first step.
        label: class of the whole, where its file has one.
        static: values that do not change over time, by name.
        source: path of its file; None if it comes from no file.
        number: of the signal in its file, from 1; None where the file has only one.
        notes: what was left out, and why.

    Raises:
        ValueError: shapes that do not fit, or times that fall.
    """

    values: np.ndarray
    channels: tuple[str, ...]
    rate: float | None = None
    times: np.ndarray | None = None
    units: tuple[str, ...] = ()
    start: datetime | None = None
    label: str | None = None
    static: tuple[tuple[str, float], ...] = ()
    source: str | None = None
    number: int | None = None
    notes: tuple[str, ...] = ()
    kind: ClassVar[str] = "signal"

    def __post_init__(self):
        if self.values.ndim != 2 or self.values.shape[1] != len(self.channels) or not len(self.values):
            shape, count = self.values.shape, len(self.channels)
            raise ValueError(f"values must be (time, {count}) with at least one time step, not {shape}")
        if len(set(self.channels)) < len(self.channels):
            raise ValueError(f"channels must have different names, not {', '.join(self.channels)}")
        if self.times is not None and (
            self.times.shape != self.values.shape[:1] or not (np.diff(self.times) >= 0).all()
        ):
            raise ValueError("times must be one number for each time step, and never fall")
        if self.rate is not None and not 0 < self.rate < np.inf:
            raise ValueError(f"rate must be a positive number of hertz, not {self.rate}")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def duration(self) -> float:
        """Seconds, the last step included where the rate is known; 0 where nothing is known of time."""
        if self.rate:
            return len(self) / self.rate
        return float(self.times[-1] - self.times[0]) if self.times is not None else 0.0

    def read(self, first: int, last: int) -> np.ndarray:
        """(time, channels) of the steps from `first` up to, not including, `last`; both within the signal."""
        return self.values[first:last]

    def whole(self) -> Signal:
        """The signal itself."""
        return self


@dataclass(frozen=True)
class StoredSignal:
    """Channels over time that stay in their file and are read in stretches; attributes as of `Signal`.

    Attributes:
        length: number of time steps.
        reader: function (first step, step after the last) -> (time, channels) float32.
        labels: what the file itself marks in time: (start in seconds, duration in seconds, text).
        medical: whether its format is one of medical recordings.
    """

    reader: Callable[[int, int], np.ndarray]
    length: int
    channels: tuple[str, ...]
    rate: float
    units: tuple[str, ...] = ()
    start: datetime | None = None
    source: str | None = None
    notes: tuple[str, ...] = ()
    labels: tuple[tuple[float, float, str], ...] = ()
    number: int | None = None
    label: str | None = None
    medical: bool = False
    kind: ClassVar[str] = "signal"

    def __len__(self) -> int:
        return self.length

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.length / self.rate

    def read(self, first: int, last: int) -> np.ndarray:
        """(time, channels) of the steps from `first` up to, not including, `last`; both within the signal.

        Raises:
            MediaError: the file is damaged there.
        """
        return self.reader(first, last)

    def whole(self) -> Signal:
        """All of it in memory.

        Raises:
            MediaError: it is too long for that, or damaged.
        """
        if self.length * len(self.channels) > MOST_VALUES:
            cause = (
                f"is too long to be held in memory ({self.length:,} steps of {len(self.channels)} channels)"
            )
            raise MediaError(self.source, cause, "cut it into shorter files")
        names = ("channels", "rate", "units", "start", "source", "notes", "label", "number")
        return Signal(self.read(0, self.length), **{name: getattr(self, name) for name in names})


def format_of(head: bytes, text: str | None) -> str | None:
    """The format of a medical recording or a set of series, by how the file begins; None for others.

    Args:
        head: first bytes of the file.
        text: the same as text, if it is text.
    """
    if EDF.match(head):
        return "edf"
    if text and TS.match(text):
        return "ts"
    if text and WFDB.match(text):
        return "wfdb"
    return None


def unique(names: list[str]) -> tuple[str, ...]:
    """Names of channels, with a number behind those that come again; their place where there is no name."""
    found: dict[str, None] = {}
    for place, name in enumerate(names, start=1):
        name = " ".join(name.split()) or str(place)
        number, whole = 2, name
        while whole in found:
            whole, number = f"{name} {number}", number + 1
        found[whole] = None
    return tuple(found)


def rate_of(times: np.ndarray) -> float | None:
    """Time steps a second, where they are even; None for others."""
    steps = np.diff(times)
    if not len(steps) or steps.min() <= 0:
        return None
    step = (times[-1] - times[0]) / len(steps)
    even = np.abs(times - times[0] - np.arange(len(times)) * step).max() <= EVEN * step * 50
    return 1 / step if even and np.abs(steps - step).max() <= max(EVEN * step, 1e-9) else None


def evened(signal: Signal | StoredSignal) -> Signal | StoredSignal:
    """A signal whose times leave out steps of an even grid, with missing values there; others as they are."""
    if signal.rate or getattr(signal, "times", None) is None or len(signal) < 3:
        return signal
    steps = np.diff(signal.times)
    step = float(np.median(steps))
    if step <= 0 or steps.min() < step / 2 or steps.max() > MOST_MISSING * len(signal) * step:
        return signal
    counts = np.round(steps / step)
    usual = counts == 1
    step = float(steps[usual].mean())
    places = np.concatenate([[0], np.cumsum(np.round(steps / step))]).astype(int)
    if np.abs(steps - np.round(steps / step) * step).max() > SLACK * step or usual.mean() < 0.5:
        return signal
    values = np.full((places[-1] + 1, signal.values.shape[1]), np.nan, dtype=np.float32)
    values[places] = signal.values
    lacking = len(values) - len(signal)
    gaps = int((~usual).sum())
    number = "1 gap" if gaps == 1 else f"{gaps} gaps"
    note = f"{number} in its times, {lacking * step:.3g} s in all, read as missing values"
    return replace(signal, values=values, rate=1 / step, times=None, notes=(*signal.notes, note))


def chosen(signal: Signal, channels: list[str]) -> Signal:
    """A signal with only these of its channels, in this order.

    Raises:
        MediaError: it has none of a name.
    """
    places = {name.casefold(): place for place, name in enumerate(signal.channels)}
    missing = [name for name in channels if name.casefold() not in places]
    if missing:
        cause = f"has no channel {missing[0]!r}, only {', '.join(map(repr, signal.channels))}"
        raise MediaError(signal.source or "<signal>", cause, "name one of these")
    taken = [places[name.casefold()] for name in channels]
    units = tuple(signal.units[place] for place in taken) if signal.units else ()
    names = tuple(signal.channels[place] for place in taken)
    return replace(signal, values=signal.values[:, taken], channels=names, units=units)
