"""Scores of captions: exact matches, BLEU, ROUGE-L and CIDEr with confidence intervals.

All but exact matches are counted as the captioning literature does (Karpathy & Fei-Fei 2015): in lower
case, without punctuation, against all sentences of a picture.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.errors import DataError
from recipes.learning.progress import counted
from recipes.scoring.error_rates import Rate

ORDERS = 4  # of n-grams
RESAMPLES = 1000


@dataclass(frozen=True)
class Described:
    """A picture with the sentences that people wrote about it, and the model's."""

    name: str
    references: tuple[str, ...]
    hypothesis: str
    media: Path | None = None


@dataclass(frozen=True)
class CaptionScores:
    """The pictures of a split and their scores. Made by `score`.

    Attributes:
        exact: share of pictures of which the model says just what one of the people said.
        bleu: BLEU-1 to BLEU-4.
        cider: CIDEr-D, of which 1 is about what another person reaches.
    """

    split: str
    items: tuple[Described, ...]
    exact: Rate
    bleu: tuple[Rate, ...]
    rouge: Rate
    cider: Rate

    def rates(self) -> dict[str, Rate]:
        """Each score by its name."""
        rates = {"exact": self.exact}
        rates |= {f"BLEU-{order}": rate for order, rate in enumerate(self.bleu, start=1)}
        return rates | {"ROUGE-L": self.rouge, "CIDEr": self.cider}

    def table(self) -> dict[str, str]:
        """Each score by its name, times 100, with its 95 % interval."""
        return {
            name: f"{100 * rate.value:.1f} [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
            for name, rate in self.rates().items()
        }

    def summary(self) -> str:
        """For a terminal, with some of the sentences."""
        lines = [f"{self.split}: {counted(len(self.items), 'picture')}"]
        lines += [f"  {name:<8} {shown}" for name, shown in self.table().items()]
        for item in self.items[:: max(1, len(self.items) // 8)][:8]:
            lines += [f"  {item.name}: {item.hypothesis}", f"    ({item.references[0]})"]
        return "\n".join(lines)


def plain(text: str) -> str:
    """A sentence in lower case, without punctuation and signs."""
    return unmarked(text.lower())


def unmarked(text: str) -> str:
    """A sentence without punctuation and signs."""
    kept = (letter for letter in text if unicodedata.category(letter)[0] not in "PS")
    return " ".join("".join(kept).split())


def score(split: str, items: Iterable[Described]) -> CaptionScores:
    """Score the pictures of a split, of which there is at least one.

    Raises:
        DataError: an optional package that counts is not installed.
    """
    items = tuple(items)
    references = [[plain(text) for text in item.references] for item in items]
    hypotheses = [plain(item.hypothesis) for item in items]
    scores = bleu(references, hypotheses)
    return CaptionScores(
        split,
        items,
        mean([item.hypothesis in item.references for item in items]),
        scores,
        mean(_rouge(references, hypotheses)),
        mean(_cider(references, hypotheses)),
    )


def mean(values: Sequence[float]) -> Rate:
    """Of one value a picture, with its 95 % bootstrap interval."""
    return _bootstrapped(np.asarray(values, float), lambda drawn: drawn.mean(axis=0))


def bleu(
    references: Sequence[Sequence[str]], hypotheses: Sequence[str], resamples: int = RESAMPLES
) -> tuple[Rate, ...]:
    """Corpus BLEU-1 to BLEU-4 by sacrebleu, without smoothing, of sentences as they are split by spaces."""
    counted, _, _ = scorers()
    one = counted(tokenize="none", smooth_method="none", effective_order=True)
    parts = []
    for people, said in zip(references, hypotheses, strict=True):
        found = one.sentence_score(said, list(people))
        parts.append([*found.counts, *found.totals, found.sys_len, found.ref_len])

    def corpus(drawn: np.ndarray, order: int) -> float:
        sums = drawn.sum(axis=0).tolist()
        counts, totals = sums[:order], sums[ORDERS : ORDERS + order]
        facts = (counts, totals, sums[-2], sums[-1])
        return counted.compute_bleu(*facts, smooth_method="none", max_ngram_order=order).score / 100

    table = np.array(parts, dtype=int)
    return tuple(
        _bootstrapped(table, lambda drawn, order=order: corpus(drawn, order), resamples)
        for order in range(1, ORDERS + 1)
    )


def _bootstrapped(rows: np.ndarray, value: Callable[[np.ndarray], float], resamples: int = RESAMPLES) -> Rate:
    """A value of all rows; whole pictures are drawn with replacement for its interval."""
    rng, found = np.random.default_rng(0), float(value(rows))
    drawn = [value(rows[rng.integers(len(rows), size=len(rows))]) for _ in range(resamples)]
    low, high = np.quantile([*drawn, *([] if drawn else [found])], [0.025, 0.975])
    return Rate(found, float(low), float(high))


def _rouge(references: Sequence[Sequence[str]], hypotheses: Sequence[str]) -> list[float]:
    _, rouge, _ = scorers()
    pairs = zip(references, hypotheses, strict=True)
    return [float(rouge().calc_score([said], list(people))) for people, said in pairs]


def _cider(references: Sequence[Sequence[str]], hypotheses: Sequence[str]) -> Sequence[float]:
    """CIDEr-D (Vedantam et al. 2015); words weigh by how rare they are among these pictures."""
    _, _, cider = scorers()
    people = {index: list(texts) for index, texts in enumerate(references)}
    return cider().compute_score(people, {index: [said] for index, said in enumerate(hypotheses)})[1]


def scorers():
    """What counts: BLEU of sacrebleu, ROUGE-L and CIDEr-D of pycocoevalcap (without its Java).

    Raises:
        DataError: an optional package is not installed.
    """
    try:
        from pycocoevalcap.cider.cider import Cider
        from pycocoevalcap.rouge.rouge import Rouge
        from sacrebleu.metrics import BLEU
    except ImportError as error:
        cause = f"cannot be scored ({error})"
        raise DataError("captions", cause, "pip install sacrebleu pycocoevalcap") from error
    return BLEU, Rouge, Cider
