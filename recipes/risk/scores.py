"""Scores of risks: areas under the curves, calibration, and gradient boosting beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recipes.data.manifest import Item
from recipes.scoring.error_rates import Rate

RESAMPLES = 1000
BINS = 10  # of the calibration
HOURS = (1, 3, 6, 12, 18, 24, 36, 48)


def auroc(labels: np.ndarray, risks: np.ndarray) -> float:
    """Area under the receiver operating characteristic: the chance that an event has the higher risk."""
    from scipy.stats import rankdata

    events = int(labels.sum())
    others = len(labels) - events
    if not events or not others:
        return float("nan")
    return float((rankdata(risks)[labels == 1].sum() - events * (events + 1) / 2) / (events * others))


def auprc(labels: np.ndarray, risks: np.ndarray) -> float:
    """Area under the precision-recall curve, as average precision."""
    order = np.argsort(-risks, kind="stable")
    right = labels[order].cumsum()
    if not right[-1]:
        return float("nan")
    # Equal risks count together: the precision behind the last of them.
    last = np.append(np.diff(risks[order]) != 0, True)
    right, found = right[last], np.flatnonzero(last) + 1
    return float((np.diff(right, prepend=0) * right / found).sum() / right[-1])


@dataclass(frozen=True)
class RiskScores:
    """The risks of the stays of a split.

    Attributes:
        split: its name.
        items: its stays.
        curves: (stays, steps) risks, NaN behind the end of a stay.
        step: seconds of a step.
        boosted: (stays,) risks at the end by gradient boosting on summaries; None without it.
    """

    split: str
    items: tuple[Item, ...]
    curves: np.ndarray
    step: float
    boosted: np.ndarray | None = None

    @cached_property
    def labels(self) -> np.ndarray:
        """(stays,) 1 where the event came."""
        return np.array([int(item.target) for item in self.items])

    @cached_property
    def last(self) -> np.ndarray:
        """(stays,) risks at the end."""
        lengths = np.isfinite(self.curves).sum(1)
        return self.curves[np.arange(len(self.curves)), lengths - 1]

    @property
    def auroc(self) -> Rate:
        return self._rate(auroc, self.last)

    @property
    def auprc(self) -> Rate:
        return self._rate(auprc, self.last)

    @property
    def boosted_auroc(self) -> Rate:
        return self._rate(auroc, self.boosted)

    @property
    def boosted_auprc(self) -> Rate:
        return self._rate(auprc, self.boosted)

    @cached_property
    def gain(self) -> Rate:
        """By how much the AUROC is above that of gradient boosting, stay by stay."""
        values = [
            auroc(self.labels[rows], self.last[rows]) - auroc(self.labels[rows], self.boosted[rows])
            for rows in self._drawn
        ]
        low, high = np.nanquantile(values, [0.025, 0.975])
        value = auroc(self.labels, self.last) - auroc(self.labels, self.boosted)
        return Rate(value, float(low), float(high))

    @property
    def verdict(self) -> str:
        """Which does better."""
        if self.gain.low > 0:
            return "the model does better than gradient boosting"
        return "gradient boosting does better" if self.gain.high < 0 else "no difference is shown"

    @property
    def brier(self) -> float:
        """Mean squared difference of risk and outcome at the end."""
        return float(((self.last - self.labels) ** 2).mean())

    @cached_property
    def hours(self) -> list[tuple[float, float, int]]:
        """Hours from the beginning, AUROC by what was measured until then, and how many stays last."""
        rows = []
        for hours in HOURS:
            step = round(hours * 3600 / self.step) - 1
            if 0 <= step < self.curves.shape[1]:
                there = np.isfinite(self.curves[:, step])
                value = auroc(self.labels[there], self.curves[there, step])
                if np.isfinite(value):
                    rows.append((hours, value, int(there.sum())))
        return rows

    @cached_property
    def calibration(self) -> list[tuple[float, float, int]]:
        """Mean risk, share of events, and number, of stays in the order of their risk, in equal parts."""
        order = np.argsort(self.last, kind="stable")
        parts = [part for part in np.array_split(order, BINS) if len(part)]
        return [(float(self.last[part].mean()), float(self.labels[part].mean()), len(part)) for part in parts]

    @property
    def calibration_error(self) -> float:
        """Mean difference of risk and share of events over these parts."""
        rows = self.calibration
        return sum(abs(risk - share) * count for risk, share, count in rows) / len(self.items)

    @cached_property
    def _drawn(self) -> np.ndarray:
        rng = np.random.default_rng(0)
        return rng.integers(0, len(self.items), (RESAMPLES, len(self.items)))

    def _rate(self, score: Callable[[np.ndarray, np.ndarray], float], risks: np.ndarray) -> Rate:
        values = [score(self.labels[rows], risks[rows]) for rows in self._drawn]
        low, high = np.nanquantile(values, [0.025, 0.975])
        return Rate(score(self.labels, risks), float(low), float(high))

    def summary(self) -> str:
        """The scores as text for a terminal."""
        events = int(self.labels.sum())
        lines = [
            f"{self.split}: {len(self.items):,} stays, {events:,} events",
            f"  AUROC                {self.auroc}",
            f"  AUPRC                {self.auprc}",
        ]
        if self.boosted is not None:
            lines += [
                f"  gradient boosting    AUROC {self.boosted_auroc}, AUPRC {self.boosted_auprc}",
                f"  gain in AUROC        {self.gain}: {self.verdict}",
            ]
        lines.append(f"  calibration error    {100 * self.calibration_error:.2f} %, Brier {self.brier:.4f}")
        for hours, value, count in self.hours:
            lines.append(f"  after {hours:3} hours      {100 * value:.2f} %  of {count:,}")
        return "\n".join(lines)
