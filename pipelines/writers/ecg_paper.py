"""Draws signals with their marks on ECG paper: 25 mm a second, 10 mm a millivolt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from pipelines.results import Annotated, Mark
from pipelines.writers.marks import NOTICE

ROW = 10.0  # seconds
SPEED, GAIN = 25.0, 10.0  # millimetres a second, and a millivolt
LOWEST, HIGHEST = 20.0, 50.0  # millimetres of a row
MILLIVOLTS = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "v": 1e3}
COLOURS = {"P": "#2f7fc1", "QRS": "#c0392b", "T": "#2e8b57", "V": "#c0392b", "S": "#8e44ad", "F": "#d68910"}
OTHERS = ("#5d6d7e", "#16a085", "#884ea0", "#b9770e", "#2e4053")
PAPER, FINE, BROAD = "#fffafa", "#f6d5d5", "#eaa9a9"
MOST_ROWS = 36


@dataclass(frozen=True)
class ECGPaper:
    """A picture of the signal with its marks, a row for each lead and ten seconds.

    Raises:
        ValueError: start is negative, or seconds are none.
    """

    start: float = 0.0
    """Seconds at which it begins."""
    seconds: float | None = None
    """Seconds that are drawn (default: 60 of one lead, 10 of several)."""

    extension: ClassVar[str] = "png"
    mode: ClassVar[str] = "wb"

    def __post_init__(self):
        if self.start < 0 or (self.seconds is not None and not 0 < self.seconds <= 3600):
            raise ValueError("start must be 0 or more, seconds above 0 and at most 3600")

    def write(self, annotated: Annotated, file: BinaryIO) -> None:
        from pipelines.media.signal_files import open_signal

        signal = annotated.signal if annotated.signal is not None else open_signal(annotated.source)
        names = annotated.leads or signal.channels
        seconds = self.seconds or (60.0 if len(names) == 1 else 10.0)
        draw(signal, annotated.marks, file, names=names, start=self.start, seconds=seconds)


def draw(
    signal,
    marks: Sequence[Mark],
    file: BinaryIO,
    *,
    names: Sequence[str] = (),
    start: float = 0.0,
    seconds: float = 10.0,
    true: Sequence[tuple[float, float, float, str]] = (),
) -> None:
    """Draw a stretch of a signal as a PNG.

    Args:
        signal: a `Signal` or `StoredSignal` with a rate.
        names: of the leads to draw; empty is all.
        start, seconds: of the stretch, in seconds.
        true: start, peak, end and label of marks that are drawn as lines above the signal.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    places = {name: place for place, name in enumerate(signal.channels)}
    seconds = max(1.0, min(seconds, signal.duration - start))
    rows = [
        (name, start + place * ROW)
        for place in range(-(-int(seconds * 1000) // int(ROW * 1000)))
        for name in (names or signal.channels)
    ][:MOST_ROWS]
    drawn = [_row(signal, places[name], begin, min(ROW, start + seconds - begin)) for name, begin in rows]
    width = min(ROW, seconds) * SPEED
    heights = [high for *_, high in drawn]
    figure = Figure(figsize=((width + 14) / 25.4, (sum(heights) + 16) / 25.4), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    total = sum(heights) + 16
    top = total - 6
    for (name, begin), (time, values, low, high) in zip(rows, drawn, strict=True):
        top -= high
        box = (12 / (width + 14), top / total, width / (width + 14), high / total)
        axes = figure.add_axes(box, facecolor=PAPER)
        _grid(axes, width, high)
        _marks(axes, [mark for mark in marks if mark.lead in (None, name)], begin, width, high)
        for first, _, last, label in true:
            line = (first - begin) * SPEED, max(last, first + 0.02) * SPEED - begin * SPEED
            axes.plot(line, (high - 2, high - 2), color=_colour(label), lw=3, solid_capstyle="butt")
        axes.plot(time * SPEED, values - low, color="#111111", lw=0.8)
        axes.text(-1.5, high / 2, name, ha="right", va="center", fontsize=8)
        axes.text(1, 1, f"{begin:g} s", fontsize=6, color="#777777")
    scale = "25 mm/s, 10 mm/mV" if all(_millivolts(signal, places[name]) for name, _ in rows) else "25 mm/s"
    figure.text(0.5, 3 / total, f"{scale}    {NOTICE}", ha="center", va="center", fontsize=8)
    figure.savefig(file, format="png")


def _row(signal, place: int, begin: float, seconds: float):
    """Seconds from the beginning of a row; millimetres; those of its lower edge, and its height."""
    import numpy as np

    first = int(begin * signal.rate)
    last = min(len(signal), first + max(2, round(seconds * signal.rate)))
    values = signal.read(first, last)[:, place].astype(float)
    time = np.arange(first, last) / signal.rate - begin
    seen = values[np.isfinite(values)]
    middle = float(np.median(seen)) if len(seen) else 0.0
    spread = float(np.abs(seen - middle).max()) if len(seen) else 1.0
    scale = _millivolts(signal, place)
    millimetres = (values - middle) * (scale * GAIN if scale else 12 / max(spread, 1e-12))
    seen = millimetres[np.isfinite(millimetres)]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (-1.0, 1.0)
    height = min(HIGHEST, max(LOWEST, 5 * np.ceil((high - low + 9) / 5)))
    return time, millimetres, (low + high - height) / 2, height


def _millivolts(signal, place: int) -> float | None:
    """Millivolts in the unit of a channel; None if it is another."""
    return MILLIVOLTS.get(signal.units[place].lower()) if signal.units else None


def _grid(axes, width: float, height: float) -> None:
    import numpy as np

    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.set_xticks([])
    axes.set_yticks([])
    for step, colour, line in ((1, FINE, 0.3), (5, BROAD, 0.6)):
        axes.vlines(np.arange(0, width + 0.1, step), 0, height, colors=colour, lw=line, zorder=0)
        axes.hlines(np.arange(0, height + 0.1, step), 0, width, colors=colour, lw=line, zorder=0)
    for side in axes.spines.values():
        side.set_color(BROAD)


def _marks(axes, marks: Sequence[Mark], begin: float, width: float, height: float) -> None:
    for mark in marks:
        first, last = ((time - begin) * SPEED for time in (mark.start, mark.end))
        if last < 0 or first > width:
            continue
        colour = _colour(mark.label)
        axes.axvspan(max(0.0, first), min(width, last), color=colour, alpha=0.18, lw=0, zorder=1)
        place = (mark.peak - begin) * SPEED
        if 0 <= place <= width:
            axes.text(place, height - 5.2, mark.label, ha="center", fontsize=6.5, color=colour, clip_on=True)


def _colour(label: str) -> str:
    return COLOURS.get(label) or OTHERS[sum(map(ord, label)) % len(OTHERS)]


FORMATS = {"png": ECGPaper}
