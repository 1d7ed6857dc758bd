"""Risk over time: measurements of persons in, the risk of an event for each hour out.

Not a medical device.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from encoders.signals import Signals
from pipelines.errors import MediaError, TriscribeError
from pipelines.media.stays import Stay, Stays, binned
from pipelines.model import SequenceModel
from pipelines.reading.batches import Reading, read
from pipelines.reading.readers import answer
from pipelines.reading.settings import RiskOptions
from pipelines.results import RiskCurve, Risks

SUMMARIES = ("lowest", "highest", "mean", "count")
"""Of a quantity up to each step, which names of channels such as "HR lowest" stand for."""
LONGEST = 1000  # steps of a stay that are read; later ones are left out

Source = str | os.PathLike | Stays


def risk(
    source: Source | Iterable[Source], model: SequenceModel | str | Path | None = None, **options
) -> Risks | Iterator[Risks]:
    """Tell the risk of an event for each hour of a stay, from what was measured up to it.

    Not a medical device: what it tells is no diagnosis.

    Args:
        source: a table with a row a moment: CSV or Parquet, with a column that says whose it is and one of
            times; a file of the PhysioNet challenge of 2012; or a list or generator of these.
        model: a loaded model, or a file.
        options: see `RiskOptions`.

    Returns:
        A `Risks`, with a curve for each stay of the table. For many sources a generator.

    Raises:
        MediaError: a source cannot be read (for many: when its turn comes, see `errors`).
        ModelError: the model cannot be used, or is not for risks.
    """
    return answer("risk", source, model, RiskOptions.of(options))


def read_risks(
    sources: Iterable[Stays | TriscribeError], model: SequenceModel, options: RiskOptions
) -> Iterator[Risks | TriscribeError]:
    """The risks of the stays of each source, in order."""

    def decode(states: Tensor, lengths: Tensor) -> list[np.ndarray]:
        probabilities = model.decoder.frame_probabilities(states, lengths)[0][:, :, 1].cpu().numpy()
        return [row[:length] for row, length in zip(probabilities, lengths.tolist(), strict=True)]

    return read((_Assessing(each, model) for each in sources), model, options, decode)


@dataclass(frozen=True)
class _Part:
    """What is read at once: a stay."""

    name: str
    inputs: Tensor


class _Assessing(Reading):
    """The stays of one source on their way to a result."""

    def __init__(self, stays: Stays, model: SequenceModel):
        self.stays, self.model, self.source = stays, model, stays.source
        self.curves: list[RiskCurve] = []

    def pieces(self) -> Iterator[_Part]:
        columns = columns_of(self.stays, self.model.front_end)
        for stay in self.stays.stays:
            yield _Part(stay.name, inputs_of(stay, columns, self.model.front_end))

    def add(self, piece: _Part, found: np.ndarray) -> None:
        step = 1 / self.model.front_end.sample_rate
        times = tuple(step * (place + 1) for place in range(len(found)))
        self.curves.append(RiskCurve(piece.name, times, tuple(map(float, found))))

    def result(self) -> Risks:
        known = {name.casefold() for name in self.stays.columns}
        wanted = [name for name in self.model.front_end.names if summarised(name)[1] is None]
        missing = [name for name in wanted if name.casefold() not in known]
        told = f"not in the table, or without numbers, so taken for missing: {', '.join(missing)}"
        notes = (told,) if missing else ()
        event = self.model.alphabet.symbols[0]
        return Risks(tuple(self.curves), event, self.model.name, self.source, notes=notes)


def summarised(name: str) -> tuple[str, str | None]:
    """The quantity that a channel is of, and which of `SUMMARIES` it is; None for its values."""
    quantity, _, kind = name.rpartition(" ")
    return (quantity, kind) if quantity and kind in SUMMARIES else (name, None)


def columns_of(stays: Stays, front_end: Signals) -> list[int | None]:
    """Where the quantity of each channel of a model is in a table; None if it is not there.

    Raises:
        MediaError: none of them is.
    """
    places = {name.casefold(): place for place, name in enumerate(stays.columns)}
    found = [places.get(summarised(name)[0].casefold()) for name in front_end.names]
    if all(place is None for place in found):
        wanted = ", ".join(dict.fromkeys(summarised(name)[0] for name in front_end.names))
        raise MediaError(stays.source or "<stays>", "has none of the columns of the model", f"give {wanted}")
    return found


def inputs_of(stay: Stay, columns: list[int | None], front_end: Signals) -> Tensor:
    """(steps, 1 + channels) as the front end takes them: seconds since the step before, and the channels."""
    step = 1 / front_end.sample_rate
    even = binned(stay, step, step * LONGEST)
    values = np.full((len(even.values), len(columns)), np.nan, dtype=np.float32)
    summaries = _summaries(even.values)
    for channel, (name, place) in enumerate(zip(front_end.names, columns, strict=True)):
        if place is not None:
            kind = summarised(name)[1]
            values[:, channel] = even.values[:, place] if kind is None else summaries[kind][:, place]
    elapsed = np.full((len(values), 1), step, dtype=np.float32)
    elapsed[0] = 0.0
    return torch.from_numpy(np.concatenate([elapsed, values], axis=1))


def _summaries(values: np.ndarray) -> dict[str, np.ndarray]:
    """(time, columns) of each of `SUMMARIES` over the steps so far, NaN before the first value."""
    seen = np.isfinite(values)
    count = seen.cumsum(0)
    sums = np.where(seen, values, 0.0).cumsum(0, dtype=np.float64)
    found = {
        "lowest": np.minimum.accumulate(np.where(seen, values, np.inf)),
        "highest": np.maximum.accumulate(np.where(seen, values, -np.inf)),
        "mean": sums / np.maximum(1, count),
    }
    known = count > 0
    found = {name: np.where(known, each, np.nan).astype(np.float32) for name, each in found.items()}
    return found | {"count": np.log1p(count).astype(np.float32)}
