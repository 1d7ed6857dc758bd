"""Error rates with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import jiwer
import numpy as np


@dataclass(frozen=True)
class Rate:
    """An error rate (errors / reference units) and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.2f} % [{100 * self.low:.2f}, {100 * self.high:.2f}]"


def counts(references: list[str], hypotheses: list[str], unit: str) -> np.ndarray:
    """(items, 2) errors and reference units of each item; unit is "word" or "character"."""
    process = jiwer.process_words if unit == "word" else jiwer.process_characters
    rows = []
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        found = process(reference, hypothesis)
        errors = found.substitutions + found.deletions + found.insertions
        rows.append((errors, found.hits + found.substitutions + found.deletions))
    return np.array(rows)


def error_rate(references: list[str], hypotheses: list[str], unit: str, resamples: int = 2000) -> Rate:
    """WER or CER; whole items are drawn with replacement for the interval (Bisani & Ney 2004)."""
    table = counts(references, hypotheses, unit)
    draws = np.random.default_rng(0).integers(0, len(table), (resamples, len(table)))
    sums = table[draws].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    return Rate(table[:, 0].sum() / table[:, 1].sum(), low, high)
