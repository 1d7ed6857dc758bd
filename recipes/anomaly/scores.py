"""Scores of a detector of anomalies: alarms, and where windows are known, the NAB score and F1."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.results import SeriesAnomalies
from pipelines.surprise import alarms_of
from recipes.scoring.nab import PROFILES, Judged, nab_score, overlap_f1


@dataclass(frozen=True)
class Searched:
    """A series with what was found in it.

    Attributes:
        group: folder of its file.
        windows: (first, last) steps of its anomalies, where they are known.
        plain: scores of the baseline, a moving Gaussian.
    """

    group: str
    found: SeriesAnomalies
    windows: tuple[tuple[int, int], ...] | None
    plain: np.ndarray

    def judged(self, scores: Sequence[float]) -> Judged:
        """Its scores beside its windows."""
        return Judged(np.asarray(scores), self.windows or ())


@dataclass(frozen=True)
class AnomalyScores:
    """What a detector found in all series of a split."""

    split: str
    series: Sequence[Searched]

    @property
    def labelled(self) -> bool:
        """Whether the windows of anomalies are known."""
        return any(each.windows is not None for each in self.series)

    @property
    def alarms(self) -> float:
        """Events in 1,000 steps."""
        steps = sum(len(each.found.scores) for each in self.series)
        return 1000 * sum(len(each.found.events) for each in self.series) / max(1, steps)

    def nab(self) -> dict[str, tuple[float, float]]:
        """NAB score of the model and of the moving Gaussian, by profile; each with its best threshold."""
        known = [each for each in self.series if each.windows is not None]
        own = [each.judged(alarms_of(each.found.scores)) for each in known]
        plain = [each.judged(each.plain) for each in known]
        return {
            profile.name: (nab_score(own, profile)[0], nab_score(plain, profile)[0]) for profile in PROFILES
        }

    def f1(self) -> Mapping[str, float]:
        """F1 of overlapping events with the thresholds that were chosen, by group with windows."""
        groups = defaultdict(list)
        for each in self.series:
            if each.windows is not None:
                begun = Judged(np.asarray(each.found.scores), each.windows).probation
                events = [(event.first, event.last) for event in each.found.events if event.last >= begun]
                groups[each.group].append((events, each.windows))
        return {
            name: overlap_f1(pairs) for name, pairs in groups.items() if any(windows for _, windows in pairs)
        }

    def summary(self) -> str:
        """The scores as text for a terminal."""
        lines = [f"{self.split}: {len(self.series)} series, {self.alarms:.2f} events in 1,000 steps"]
        if self.labelled:
            for name, (own, plain) in self.nab().items():
                lines.append(f"  NAB score, {name:<9} {own:6.1f}   moving Gaussian {plain:6.1f}")
            found = self.f1()
            for name, value in found.items():
                lines.append(f"  F1, {name:<24} {value:.3f}")
            if found:
                lines.append(f"  F1, mean {np.mean(list(found.values())):.3f}")
        return "\n".join(lines)


def moving_gaussian(values: np.ndarray, length: int = 500) -> np.ndarray:
    """The baseline: how far each value is from the mean of those before it, from 0 to 1."""
    scores = np.zeros(len(values))
    for place in range(20, len(values)):
        past = values[max(0, place - length) : place]
        past = past[np.isfinite(past)]
        if len(past) > 10 and np.isfinite(values[place]):
            spread = past.std() or 1e-9
            scores[place] = min(1.0, abs(values[place] - past.mean()) / spread / 10)
    return scores
