"""An evaluation as one self-contained HTML file: learning curves, confusions and the worst items."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.audio import open_audio
from pipelines.media.recording import resample
from pipelines.writers import write_atomically
from pipelines.writers.markup import data_uri, render
from recipes.scoring.curves import learning_curves
from recipes.scoring.error_rates import Evaluation, Scored, Unit, pairs, shown
from recipes.scoring.headings import heading

TEMPLATE = Path(__file__).parent / "templates" / "evaluation.html"
MEDIA_BYTES = 7_000_000  # of all recordings or pictures together, base64 included
SAMPLE_RATE = 16000  # Hz of the recordings in the page
CELLS = 40  # confusions in the matrix
LISTED = 12  # confusions in a list


@dataclass(frozen=True)
class Attachment:
    """A recording or a picture of an item: media type, e.g. `audio/mpeg`, and content of a file."""

    media_type: str
    content: bytes


@dataclass(frozen=True)
class Shown:
    """A worst item as the page shows it: aligned words, and its media or the reason why there is none."""

    item: Scored
    words: list[tuple[str, str]]
    media_type: str = ""
    address: str = ""
    reason: str = ""

    @property
    def errors(self) -> int:
        return sum(reference != hypothesis for reference, hypothesis in self.words)

    @property
    def wer(self) -> float:
        return self.errors / max(1, sum(bool(reference) for reference, _ in self.words))


@dataclass(frozen=True)
class Confusion:
    """How often `reference`, which occurs `total` times, was read as `hypothesis`.

    An empty reference is an insertion, an empty hypothesis a deletion.
    """

    reference: str
    hypothesis: str
    count: int
    total: int


def sound_of(item: Scored) -> Attachment:
    """The part of the recording that the item is, as MP3, which every browser plays.

    Raises:
        MediaError: the recording cannot be read.
    """
    import soundfile

    audio = open_audio(item.media)
    first = round((item.start or 0.0) * audio.sample_rate)
    last = None if item.end is None else round(item.end * audio.sample_rate)
    kept, done = [], 0
    for block in audio.blocks():
        kept.append(block[max(0, first - done) : None if last is None else max(0, last - done)])
        done += len(block)
        if last is not None and done >= last:
            break
    samples = resample(np.concatenate(kept), audio.sample_rate, SAMPLE_RATE)
    file = io.BytesIO()
    soundfile.write(file, samples.clip(-1, 1), SAMPLE_RATE, format="MP3")
    return Attachment("audio/mpeg", file.getvalue())


def write_page(
    path: str | Path,
    evaluation: Evaluation,
    history: Sequence[Mapping[str, float]] = (),
    facts: Mapping[str, object] | None = None,
    attach: Callable[[Scored], Attachment] = sound_of,
    worst: int = 50,
) -> Path:
    """Write the report of an evaluation as one self-contained page of less than 8 MB.

    Args:
        path: the HTML file; replaced atomically.
        evaluation: what to report.
        history: the rows that `train` returned, one an epoch.
        facts: names and values for the page's head, as in `heading`.
        attach: makes the recording or picture of an item; its MediaErrors are shown in place of it.
        worst: number of items to show.

    Returns:
        The path written.
    """
    page = render(
        TEMPLATE,
        **heading(evaluation.split, facts),
        evaluation=evaluation,
        words=int(evaluation.word_counts[:, 1].sum()),
        seconds=sum(item.duration or 0.0 for item in evaluation.items),
        wrong=int(np.count_nonzero(evaluation.word_counts[:, 0])),
        curves=learning_curves(history),
        **_matrix(evaluation),
        lists={f"{unit.capitalize()}s": _confusions(evaluation, unit) for unit in ("character", "word")},
        worst=_worst(evaluation.worst(worst), attach),
        shown=shown,
    )
    path = Path(path)
    with write_atomically(path) as file:
        file.write(page)
    return path


def _worst(items: Sequence[Scored], attach: Callable[[Scored], Attachment]) -> list[Shown]:
    entries, room = [], MEDIA_BYTES
    for item in items:
        words = pairs(item.reference, item.hypothesis)
        try:
            attachment = attach(item) if item.media else None
        except MediaError as error:
            entries.append(Shown(item, words, reason=str(error)))
            continue
        address = data_uri(attachment.media_type, attachment.content) if attachment else ""
        if len(address) > room:
            entries.append(Shown(item, words, reason="left out to keep this page small"))
            continue
        room -= len(address)
        entries.append(Shown(item, words, attachment.media_type if attachment else "", address))
    return entries


def _matrix(evaluation: Evaluation) -> dict:
    """The most frequent confusions of characters as rows and columns; deletions and insertions come last."""
    cells = dict(evaluation.most_confused(CELLS))
    rows, columns = ({pair[side] for pair in cells} for side in (0, 1))
    return {
        "cells": cells,
        "kinds": len(evaluation.confusions()),
        "rows": sorted(rows, key=lambda character: (not character, character)),
        "columns": sorted(columns, key=lambda character: (not character, character)),
    }


def _confusions(evaluation: Evaluation, unit: Unit) -> list[Confusion]:
    """The most frequent confusions, each with the number of occurrences of its reference."""
    texts = (item.reference.split() for item in evaluation.items)
    totals = Counter(part for words in texts for part in (words if unit == "word" else " ".join(words)))
    confused = evaluation.most_confused(LISTED, unit)
    return [Confusion(*pair, count, totals[pair[0]]) for pair, count in confused]
