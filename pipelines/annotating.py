"""Annotation: signals in, marks over time out: waves of an ECG, beats, events. Not a medical device.

Long recordings are read in windows that overlap, a few at a time, so that only their marks need more memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from torch import Tensor

from decoders.search import switching
from pipelines.errors import MediaError, TriscribeError
from pipelines.media.signals import Signal, StoredSignal, evened
from pipelines.model import SequenceModel
from pipelines.reading.batches import Reading, read
from pipelines.reading.leads import Window, columns_of, rate_for, windows
from pipelines.reading.readers import answer
from pipelines.reading.settings import AnnotationOptions
from pipelines.results import Annotated, Mark

Source = str | os.PathLike | Signal | StoredSignal

FLAT = 1e-4  # share of its level below which a change of a signal is none


def annotate(
    source: Source | Iterable[Source], model: SequenceModel | str | Path | None = None, **options
) -> Annotated | Iterator[Annotated]:
    """Mark what happens in a signal and when: the waves of an ECG, its beats, events. Not a medical device.

    Args:
        source: a file: WFDB (the header), EDF, BDF, a table with a row a time step, WAV; a `Signal`; or a
            list or generator of these.
        model: a loaded model, a file, or a bundled model's name; None is the bundled one.
        options: see `AnnotationOptions`.

    Returns:
        An `Annotated`. For many sources a generator.

    Raises:
        MediaError: a source cannot be read, or lacks the leads (for many: when its turn comes, see `errors`).
        ModelError: the model cannot be used, or is not for annotation.
    """
    return answer("annotate", source, model, AnnotationOptions.of(options))


def read_annotations(
    signals: Iterable[Signal | StoredSignal | TriscribeError],
    model: SequenceModel,
    options: AnnotationOptions,
) -> Iterator[Annotated | TriscribeError]:
    """The marks of each signal, in order."""

    def decode(states: Tensor, lengths: Tensor) -> list[np.ndarray]:
        probabilities = model.decoder.frame_probabilities(states, lengths)[0].cpu().numpy()
        return [row[:length] for row, length in zip(probabilities, lengths.tolist(), strict=True)]

    return read((_Annotating(each, model, options) for each in signals), model, options, decode)


class _Annotating(Reading):
    """One signal on its way to a result."""

    def __init__(self, signal: Signal | StoredSignal, model: SequenceModel, options: AnnotationOptions):
        self.signal, self.model, self.options = evened(signal), model, options
        self.ranges: dict[str, tuple[float, float]] = {}  # of the values of each channel that has any
        self.source = signal.source
        self.marks: dict[str | None, list[Mark]] = {}

    def pieces(self) -> Iterator[Window]:
        columns = dict(columns_of(self.signal, self.model.front_end, self.options.lead_names))
        for window in windows(self.signal, self.model.front_end, self.options.lead_names):
            self._look(window, columns[window.lead])
            yield window
            self.position = window.last
        if not self.ranges:
            cause = "holds no values in the channels that are read, all are missing"
            raise MediaError(self.source or "<signal>", cause, "give a signal with values")

    def _look(self, window: Window, places: list[int | None]) -> None:
        """Note between which values each channel lies."""
        for values, place in zip(window.inputs[:, 1:].numpy().T, places, strict=True):
            values = values[np.isfinite(values)]
            if place is not None and len(values):
                name, found = self.signal.channels[place], (float(values.min()), float(values.max()))
                low, high = self.ranges.get(name, found)
                self.ranges[name] = min(low, found[0]), max(high, found[1])

    def add(self, piece: Window, found: np.ndarray) -> None:
        kept = self.marks.setdefault(piece.lead, [])
        names = self.model.alphabet.symbols
        for mark in marks_of(found, names, piece, self.frame, self.options.switch):
            middle = (mark.start + mark.end) / 2
            # What lies across the border of two windows is seen by both, and may be seen a little earlier.
            if piece.first - self.frame <= middle < piece.last and not (kept and mark.start < kept[-1].end):
                kept.append(mark)

    @property
    def frame(self) -> float:
        """Seconds of a frame of the model."""
        rate = self.model.front_end.sample_rate or rate_for(self.signal)
        return frame_seconds(self.model, rate)

    def result(self) -> Annotated:
        signal, wanted = self.signal, self.options.lead_names
        columns = columns_of(signal, self.model.front_end, wanted)
        read = [place for _, places in columns for place in places]
        leads = tuple(signal.channels[place] for place in read if place is not None)
        order = {name: place for place, name in enumerate(leads)}
        marks = [mark for found in self.marks.values() for mark in found]
        marks.sort(key=lambda mark: (mark.start, order.get(mark.lead, 0)))
        missing = [
            name for name, place in zip(self.model.front_end.names, read, strict=False) if place is None
        ]
        notes = [*signal.notes, *(f"lead {name!r} is missing" for name in missing)]
        notes += [f"lead {name!r} holds no values" for name in leads if name not in self.ranges]
        notes += [
            f"lead {name!r} is flat: nothing but {low:.4g}"
            for name, (low, high) in self.ranges.items()
            if high - low <= FLAT * max(abs(low), abs(high))
        ]
        return Annotated(
            tuple(marks),
            signal.duration,
            rate_for(signal),
            leads,
            self.model.name,
            signal.source,
            signal.number,
            signal if isinstance(signal, Signal) else None,
            notes=tuple(notes),
        )


def frame_seconds(model: SequenceModel, rate: float) -> float:
    """Seconds of a frame of a model that reads samples at this rate."""
    return float(np.prod(model.front_end.strides)) / rate


def marks_of(
    probabilities: np.ndarray, names: tuple[str, ...], window: Window, frame: float, switch: float
) -> list[Mark]:
    """The marks of a window, in order of time.

    Args:
        probabilities: (frames, 1 + classes); a frame stands for the time around its first sample.
        names: of the classes.
        frame: seconds of a frame.
        switch: see `AnnotationOptions`.
    """
    found, marks = switching.segments(probabilities, switch), []
    values, rate = window.inputs[:, 1:].numpy(), window.rate
    end = len(values) / rate
    for label, first, last, score in zip(found.ids, found.starts, found.ends, found.confidences, strict=True):
        start, stop = max(0.0, (first - 0.5) * frame), min(end, (last - 0.5) * frame)
        place = peak_of(values[int(start * rate) : max(int(start * rate) + 1, int(stop * rate))])
        peak = start + place / rate
        times = (window.start + each for each in (start, stop, min(peak, stop)))
        marks.append(Mark(names[label - 1], *times, score, window.lead))
    return marks


def peak_of(values: np.ndarray) -> int:
    """Where a stretch, (time, channels), is farthest from the line between its ends, in the first channel
    that has values.
    """
    for column in values.T:
        if np.isfinite(column).all() and len(column):
            line = np.linspace(column[0], column[-1], len(column))
            return int(np.abs(column - line).argmax())
    return len(values) // 2
