"""How good a model is on one split: error rates with confidence intervals, worst items, confusions."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import jiwer
import numpy as np

from recipes.data.manifest import Item

Unit = Literal["word", "character"]

WIDTH = 90  # columns of the summary
DRAWS = 4_000_000  # numbers drawn at a time for the bootstrap, 32 MB


@dataclass(frozen=True)
class Rate:
    """An error rate (errors / reference units) and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        value, low, high = (round(100 * each, 2) + 0.0 for each in (self.value, self.low, self.high))  # no -0
        return f"{value:.2f} % [{low:.2f}, {high:.2f}]"


@dataclass(frozen=True)
class Scored:
    """An item of a split with the text that the model read.

    Attributes:
        name: shown in reports.
        media: the file it is in, where there is one.
        start, end: seconds, when the item is a part of a longer recording.
        duration: seconds of the item, where it has any.
        item: of the data set, for recipes that draw it.
    """

    name: str
    reference: str
    hypothesis: str
    media: Path | None = None
    start: float | None = None
    end: float | None = None
    duration: float | None = None
    item: Item | None = None


@dataclass(frozen=True)
class Evaluation:
    """The items of a split and their error rates. Made by `evaluate`."""

    split: str
    items: tuple[Scored, ...]
    wer: Rate
    cer: Rate

    @cached_property
    def word_counts(self) -> np.ndarray:
        """(items, 2) word errors and reference words of each item."""
        return counts(self._references, self._hypotheses, "word")

    def worst(self, n: int) -> list[Scored]:
        """At most n items with errors, the highest word error rate first, then the most errors."""
        errors, words = self.word_counts.T
        order = np.lexsort((-errors, -errors / np.maximum(words, 1)))
        return [self.items[index] for index in order[:n] if errors[index]]

    def confusions(self, unit: Unit = "character") -> Counter[tuple[str, str]]:
        """How often each (reference, hypothesis) was confused; "" is nothing: left out, or added."""
        found = _aligned(self._references, self._hypotheses, unit)
        total = Counter()
        for reference, hypothesis, chunks in zip(
            found.references, found.hypotheses, found.alignments, strict=True
        ):
            for chunk in chunks:
                if chunk.type != "equal":
                    total.update(_pairs(reference, hypothesis, chunk))
        return total

    def most_confused(self, n: int, unit: Unit = "character") -> list[tuple[tuple[str, str], int]]:
        """The n most frequent confusions with their counts, ties in the order of the characters."""
        return sorted(self.confusions(unit).items(), key=lambda entry: (-entry[1], entry[0]))[:n]

    def summary(self, worst: int = 10) -> str:
        """The evaluation as text for a terminal, at most about 90 columns."""
        errors, words = self.word_counts.T
        sizes = f"{_counted(len(self.items), 'item')}, {_counted(words.sum(), 'word')}"
        lines = [
            f"{self.split}: {sizes}, {100 * (errors == 0).mean():.1f} % of items without an error",
            f"  WER {self.wer}  {_kinds(self.confusions('word'))}",
            f"  CER {self.cer}  {_kinds(self.confusions())}",
        ]
        sections = ["\n".join(lines)]
        if errors.any():
            sections += [
                "Most confused characters\n" + _listed(self.most_confused(12)),
                "Most confused words\n" + _listed(self.most_confused(12, "word")),
                f"Worst items (of {np.count_nonzero(errors):,} with errors)\n"
                + "\n".join(_compared(item) for item in self.worst(worst)),
            ]
        return "\n\n".join(sections)

    @property
    def _references(self) -> list[str]:
        return [item.reference for item in self.items]

    @property
    def _hypotheses(self) -> list[str]:
        return [item.hypothesis for item in self.items]


def evaluate(split: str, items: Iterable[Scored]) -> Evaluation:
    """Score the items of a split.

    Args:
        split: its name, e.g. "test".
        items: at least one with a reference that is not blank. What is read where nothing is to be read
            counts as errors.
    """
    items = tuple(items)
    references, hypotheses = [item.reference for item in items], [item.hypothesis for item in items]
    rates = (error_rate(references, hypotheses, unit) for unit in ("word", "character"))
    return Evaluation(split, items, *rates)


def counts(references: Sequence[str], hypotheses: Sequence[str], unit: Unit) -> np.ndarray:
    """(items, 2) errors and reference units of each item.

    Raises:
        ValueError: when there are not as many references as hypotheses.
    """
    found = _aligned(references, hypotheses, unit)
    rows = [
        (sum(_size(chunk) for chunk in chunks if chunk.type != "equal"), len(reference))
        for reference, chunks in zip(found.references, found.alignments, strict=True)
    ]
    return np.array(rows)


def error_rate(
    references: Sequence[str], hypotheses: Sequence[str], unit: Unit, resamples: int = 2000
) -> Rate:
    """WER or CER; whole items are drawn with replacement for the interval (Bisani & Ney 2004).

    Args:
        references, hypotheses: one of each an item; a run of white space counts as one space.
        unit: "word" for WER, "character" (spaces included) for CER.
        resamples: draws of the bootstrap; the same arguments give the same interval.

    Raises:
        ValueError: as `counts`, or when there are no items, or none has a reference that is not blank.
    """
    if not any(map(str.strip, references)):
        raise ValueError("no items to score; an error rate needs at least one reference that is not blank")
    table = counts(references, hypotheses, unit)
    # Items with equal counts are interchangeable: it is enough to draw how many of each kind there are.
    kinds, items = np.unique(table, axis=0, return_counts=True)
    rng, rows, rates = np.random.default_rng(0), max(1, DRAWS // len(kinds)), []
    for start in range(0, resamples, rows):
        draws = rng.multinomial(len(table), items / len(table), min(rows, resamples - start))
        errors, units = (draws @ kinds).T
        rates.append(errors / np.maximum(units, 1))  # none where only blank references are drawn
    low, high = np.quantile(np.concatenate(rates), [0.025, 0.975])
    errors, units = table.sum(axis=0)
    return Rate(float(errors / units), float(low), float(high))


def pairs(reference: str, hypothesis: str, unit: Unit = "word") -> list[tuple[str, str]]:
    """The two texts aligned with the fewest errors: (reference, hypothesis) units, "" where one has none."""
    found = _aligned([reference], [hypothesis], unit)
    parts = found.references[0], found.hypotheses[0]
    return [pair for chunk in found.alignments[0] for pair in _pairs(*parts, chunk)]


def shown(text: str) -> str:
    """A word or character made visible: a lone accent on a circle, what has no shape by its code."""
    if len(text) > 1 or unicodedata.category(text)[0] in "LNPS":
        return text
    if text == " ":
        return "space"
    return f"◌{text}" if unicodedata.category(text)[0] == "M" else f"U+{ord(text):04X}"


def _aligned(references: Sequence[str], hypotheses: Sequence[str], unit: Unit):
    """What jiwer finds, one alignment an item."""
    references, hypotheses = (
        [" ".join(text.split()) for text in texts] for texts in (references, hypotheses)
    )
    return {"word": jiwer.process_words, "character": jiwer.process_characters}[unit](references, hypotheses)


def _pairs(
    reference: list[str], hypothesis: list[str], chunk: jiwer.AlignmentChunk
) -> Iterable[tuple[str, str]]:
    return zip_longest(
        reference[chunk.ref_start_idx : chunk.ref_end_idx],
        hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx],
        fillvalue="",
    )


def _size(chunk: jiwer.AlignmentChunk) -> int:
    return max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)


def _kinds(confusions: Counter[tuple[str, str]]) -> str:
    """The errors counted by kind, as a clause."""
    left_out = sum(count for (_, hypothesis), count in confusions.items() if not hypothesis)
    added = sum(count for (reference, _), count in confusions.items() if not reference)
    replaced = confusions.total() - left_out - added
    total = _counted(confusions.total(), "error")
    return f"{total}: {replaced:,} replaced, {left_out:,} left out, {added:,} added"


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def _listed(confused: list[tuple[tuple[str, str], int]]) -> str:
    """Confusions as indented lines."""
    lines = [" "]
    for (reference, hypothesis), count in confused:
        if not reference:
            entry = f"{shown(hypothesis)} added ×{count:,}"
        elif not hypothesis:
            entry = f"{shown(reference)} left out ×{count:,}"
        else:
            entry = f"{shown(reference)} → {shown(hypothesis)} ×{count:,}"
        if len(lines[-1]) + len(entry) + 3 > WIDTH:
            lines.append(" ")
        lines[-1] += f" {entry}  "
    return "\n".join(line.rstrip() for line in lines)


def _compared(item: Scored) -> str:
    """Reference over hypothesis, with a mark under each word replaced (S), left out (D) or added (I)."""
    found = _aligned([item.reference], [item.hypothesis], "word")
    drawn = jiwer.visualize_alignment(found, show_measures=False, skip_correct=False, line_width=WIDTH - 4)
    rows = [f"    {line.rstrip()}" for line in drawn.splitlines()[1:] if line.strip()]
    return "\n".join([f"  {item.name}  WER {100 * found.wer:.0f} %", *rows])
