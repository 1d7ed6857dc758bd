"""An evaluation as one HTML file that can be mailed: curves, confusions, and the worst items to listen to."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.audio import open_audio, resample
from pipelines.writers import write_atomically
from pipelines.writers.markup import data_uri, render
from recipes.scoring.curves import learning_curves
from recipes.scoring.error_rates import Evaluation, Scored, Unit, pairs, shown

TEMPLATE = Path(__file__).parent / "templates" / "evaluation.html"
MEDIA_BYTES = 7_000_000  # of all players or pictures together, as they stand in the page
SAMPLE_RATE = 16000  # Hz of the players
CELLS = 40  # kinds of confusion in the matrix
LISTED = 12  # kinds of confusion in a list


@dataclass(frozen=True)
class Attachment:
    """What an item sounds or looks like: a file that browsers show and its media type, e.g. `audio/mpeg`."""

    media_type: str
    content: bytes


@dataclass(frozen=True)
class Shown:
    """A worst item as the page shows it: aligned words, and the address of its media or why there is none."""

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
        return self.errors / sum(bool(reference) for reference, _ in self.words)


@dataclass(frozen=True)
class Confusion:
    """How often `hypothesis` stood for `reference`, which occurs `total` times; "" is nothing."""

    reference: str
    hypothesis: str
    count: int
    total: int


def sound_of(item: Scored) -> Attachment:
    """The item's part of its recording as MP3, which is small and plays in every browser."""
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
        path: the HTML file; whatever was there is replaced atomically.
        evaluation: what to report.
        history: what `train` returned.
        facts: names and values for the page's head, e.g. model, data, minutes of training.
        attach: makes what stands beside an item that has media. Its MediaErrors are written there instead.
        worst: how many items to show.

    Returns:
        The path written.
    """
    page = render(
        TEMPLATE,
        title=f"Evaluation on {evaluation.split}",
        evaluation=evaluation,
        facts=facts or {},
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
    """The most frequent confusions of characters as rows and columns, "" (left out, added) last."""
    cells = dict(evaluation.most_confused(CELLS))
    rows, columns = ({pair[side] for pair in cells} for side in (0, 1))
    return {
        "cells": cells,
        "kinds": len(evaluation.confusions()),
        "rows": sorted(rows, key=lambda character: (not character, character)),
        "columns": sorted(columns, key=lambda character: (not character, character)),
    }


def _confusions(evaluation: Evaluation, unit: Unit) -> list[Confusion]:
    """The most frequent confusions, each with how often what was confused occurs."""
    texts = (item.reference.split() for item in evaluation.items)
    totals = Counter(part for words in texts for part in (words if unit == "word" else " ".join(words)))
    confused = evaluation.most_confused(LISTED, unit)
    return [Confusion(*pair, count, totals[pair[0]]) for pair, count in confused]
