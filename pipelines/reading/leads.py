"""Signals in windows as models take them: leads by name, at the model's rate, a missing lead as a gap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from encoders.signals import Signals
from pipelines.errors import MediaError
from pipelines.media.signals import Signal, StoredSignal

WINDOW = 60.0  # seconds that are read at once
OVERLAP = 10.0  # of two windows, from the middle of which on the later one counts
MOST_STEPS = 1000  # denominator of the ratio of two rates
FILTERED = 10  # periods of the lower rate that the filter sees on each side


@dataclass(frozen=True)
class Window:
    """A stretch of a signal, of some of its leads.

    Attributes:
        lead: the one lead that it is of; None if the model reads several together.
        start: seconds of its first sample.
        rate: samples a second.
        inputs: (time, 1 + channels) as the front end takes it.
        first, last: seconds from and up to which its marks count.
    """

    lead: str | None
    start: float
    rate: float
    inputs: Tensor
    first: float
    last: float


def windows(
    signal: Signal | StoredSignal, front_end: Signals, wanted: Sequence[str] = ()
) -> Iterator[Window]:
    """The windows of a signal in order of time, those of the same time in the order of the leads.

    Args:
        signal: of even steps.
        front_end: of the model.
        wanted: names of leads; empty is all.

    Raises:
        MediaError: it has no rate, or none of the leads.
    """
    columns = columns_of(signal, front_end, wanted)
    rate = rate_for(signal)
    model_rate = front_end.sample_rate or rate
    ratio = Fraction(model_rate / rate).limit_denominator(MOST_STEPS)
    if abs(float(ratio) * rate / model_rate - 1) > 1e-4:
        cause = f"has a rate of {rate:g} Hz, and the model {model_rate:g} Hz"
        if len(signal) < 2:
            raise MediaError(signal.source or "<signal>", "is a single time step", "give a longer one")
        raise MediaError(signal.source or "<signal>", cause, "resample it")
    # Windows begin where a sample of one rate falls on one of the other.
    block, total = ratio.denominator, len(signal)
    step = max(1, round((WINDOW - OVERLAP) * rate / block)) * block
    size = step + round(OVERLAP * rate / block) * block
    starts = range(0, max(1, total - size + step), step)
    for start in starts:
        end = min(total, start + size)
        begin = 0.0 if start == 0 else start / rate + OVERLAP / 2
        stop = total / rate if start == starts[-1] else (start + step) / rate + OVERLAP / 2
        values = resampled(signal.read(start, end), ratio)
        for lead, places in columns:
            yield Window(lead, start / rate, model_rate, inputs_of(values, places, model_rate), begin, stop)


def columns_of(
    signal: Signal | StoredSignal, front_end: Signals, wanted: Sequence[str] = ()
) -> list[tuple[str | None, list[int | None]]]:
    """What is read together: the name of a lead, if it is one; and the place of each channel, None if there
    is none.

    Raises:
        MediaError: the signal has none of the leads.
    """
    places = {name.casefold(): place for place, name in enumerate(signal.channels)}
    listed = ", ".join(map(repr, signal.channels[:20]))
    for name in wanted:
        if name.casefold() not in places:
            cause = f"has no channel {name!r}, only {listed}"
            raise MediaError(signal.source or "<signal>", cause, "name one of these")
    if front_end.channels == 1:
        chosen = [places[name.casefold()] for name in wanted] or range(len(signal.channels))
        return [(signal.channels[place], [place]) for place in chosen]
    if not front_end.names and len(signal.channels) != front_end.channels:
        cause = f"has {len(signal.channels)} channels, and the model reads {front_end.channels}"
        raise MediaError(
            signal.source or "<signal>", cause, "give as many, in the order of the training data"
        )
    if not front_end.names:
        return [(None, list(range(front_end.channels)))]
    allowed = {name.casefold() for name in wanted} or set(places)
    names = [name.casefold() for name in front_end.names]
    found = [places[name] if name in places and name in allowed else None for name in names]
    if all(place is None for place in found):
        cause = f"has none of the channels {', '.join(map(repr, front_end.names))}, only {listed}"
        raise MediaError(signal.source or "<signal>", cause, "name its channels as in training")
    return [(None, found)]


def rate_for(signal: Signal | StoredSignal) -> float:
    """The rate of a signal.

    Raises:
        MediaError: it has none.
    """
    if not signal.rate:
        if len(signal) < 2:
            raise MediaError(signal.source or "<signal>", "is a single time step", "give a longer one")
        cause, way = (
            "has no times and no sampling rate",
            "give a column of times, or its rate (--rate, rate=)",
        )
        if signal.times is not None:
            cause, way = "has uneven time steps", "resample it to even ones"
        raise MediaError(signal.source or "<signal>", cause, way)
    return signal.rate


def resampled(values: np.ndarray, ratio: Fraction) -> np.ndarray:
    """(time, channels) at `ratio` times its rate; gaps stay gaps, and are filled before the filter."""
    if ratio == 1:
        return values
    from scipy.signal import resample_poly

    count = max(1, -(-len(values) * ratio.numerator // ratio.denominator))
    found = np.full((count, values.shape[1]), np.nan, dtype=np.float32)
    steps = np.arange(len(values))
    for place, column in enumerate(values.T):
        seen = np.isfinite(column)
        if seen.any():
            filled = column if seen.all() else np.interp(steps, steps[seen], column[seen])
            found[:, place] = resample_poly(filled, ratio.numerator, ratio.denominator, padtype="line")[
                :count
            ]
        if seen.any() and not seen.all():
            nearest = np.minimum(np.arange(count) * ratio.denominator // ratio.numerator, len(values) - 1)
            found[~seen[nearest], place] = np.nan
    return found


def inputs_of(values: np.ndarray, places: Sequence[int | None], rate: float) -> Tensor:
    """(time, 1 + channels): the seconds since the sample before, and the channels, NaN where missing."""
    found = torch.full((len(values), 1 + len(places)), float("nan"))
    found[:, 0] = 1 / rate
    found[0, 0] = 0.0
    for column, place in enumerate(places, start=1):
        if place is not None:
            found[:, column] = torch.from_numpy(np.ascontiguousarray(values[:, place]))
    return found
