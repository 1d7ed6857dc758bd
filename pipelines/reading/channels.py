"""Signals as models take them: their channels by name, at the model's rate, with the time between samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from encoders.signals import Signals
from pipelines.errors import MediaError
from pipelines.media.signals import Signal

PLACE = re.compile(r"\d+")  # the name of a channel that has none
SAME = 0.005  # share by which rates may differ


def inputs_of(signal: Signal, front_end: Signals) -> Tensor:
    """A signal as the front end takes it: (time, 1 + channels).

    The first column is the seconds since the sample before, or 1 where nothing is known of time; the others
    are the values, NaN where they are missing.

    Raises:
        MediaError: it lacks channels of the model.
    """
    values, rate = taken(signal, front_end), signal.rate
    wanted = front_end.sample_rate
    if wanted and rate and abs(rate / wanted - 1) > SAME:
        values, rate = resampled(values, rate, wanted), wanted
    elapsed = np.full((len(values), 1), 1.0 / rate if rate else 1.0, dtype=np.float32)
    if not rate and signal.times is not None:
        elapsed[1:, 0] = np.diff(signal.times)
    elapsed[0] = 0.0
    return torch.from_numpy(np.concatenate([elapsed, values.astype(np.float32)], axis=1))


def taken(signal: Signal, front_end: Signals) -> np.ndarray:
    """(time, channels) of the channels that the model reads: by name, or by place if one side has none.

    Raises:
        MediaError: the signal lacks some, or they hold not one value.
    """
    values = _named(signal, front_end)
    if len(values) and not np.isfinite(values).any():
        cause = "holds no values in the channels that the model reads, all are missing"
        raise MediaError(signal.source or "<signal>", cause, "give one with values")
    return values


def notes_on(signal: Signal, front_end: Signals) -> list[str]:
    """What is to be said of the channels of a signal that `taken` takes: unknown to the model, or empty."""
    known = {name.casefold() for name in front_end.names}
    by_name = known and known <= {name.casefold() for name in signal.channels}
    others = [name for name in signal.channels if by_name and name.casefold() not in known]
    kept = [place for place, name in enumerate(signal.channels) if name not in others]
    empty = [signal.channels[place] for place in kept if not np.isfinite(signal.values[:, place]).any()]
    told = [(others, "not known to the model and left out"), (empty, "without a value")]
    return [f"{_listed(names)} {what}" for names, what in told if names]


def _listed(names: Sequence[str]) -> str:
    named = ", ".join(map(repr, names[:12])) + (", ..." if len(names) > 12 else "")
    return f"channel{'s' if len(names) > 1 else ''} {named}:"


def _named(signal: Signal, front_end: Signals) -> np.ndarray:
    names = [name.casefold() for name in front_end.names]
    places = {name.casefold(): place for place, name in enumerate(signal.channels)}
    if names and all(name in places for name in names):
        return signal.values[:, [places[name] for name in names]]
    numbered = all(map(PLACE.fullmatch, names)) or all(map(PLACE.fullmatch, signal.channels))
    if signal.values.shape[1] == front_end.channels and (numbered or front_end.channels == 1):
        return signal.values
    listed = ", ".join(map(repr, signal.channels[:12])) + (", ..." if len(signal.channels) > 12 else "")
    count = len(signal.channels)
    cause = (
        f"has {count} channel{'s' if count > 1 else ''} ({listed}), and the model reads {front_end.channels}"
    )
    missing = [name for name in front_end.names if name.casefold() not in places]
    if names and not numbered:
        cause = f"has no channel {missing[0]!r}, only {listed}"
    raise MediaError(signal.source or "<signal>", cause, "name its channels as in training")


def resampled(values: np.ndarray, rate: float, wanted: float) -> np.ndarray:
    """(time, channels) at another rate, in hertz: filtered against aliasing, its gaps kept."""
    count = max(1, round(len(values) * wanted / rate))
    before, after = np.arange(len(values)) / rate, np.arange(count) / wanted
    ratio = Fraction(wanted / rate).limit_denominator(1000)
    found = np.full((count, values.shape[1]), np.nan, dtype=np.float32)
    for place, column in enumerate(values.T):
        seen = np.isfinite(column)
        if not seen.any():
            continue
        filled = np.interp(before, before[seen], column[seen])
        if ratio and abs(float(ratio) * rate / wanted - 1) < 1e-3:
            from scipy.signal import resample_poly

            spread = resample_poly(filled, ratio.numerator, ratio.denominator, padtype="line")
            found[:, place] = np.resize(spread, count) if len(spread) < count else spread[:count]
        else:
            found[:, place] = np.interp(after, before, filled)
        if not seen.all():
            nearest = np.clip(np.rint(after * rate).astype(int), 0, len(column) - 1)
            found[~seen[nearest], place] = np.nan
    return found
