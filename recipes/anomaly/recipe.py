"""Anomaly detection: tables of series in, a model file out.

    python -m recipes.anomaly --data servers/ --out exp/anomaly

A forecaster learns from the beginning of each series what is usual; no label is learnt from. What it did not
foresee, in proportion to its own uncertainty and to how much it usually errs, stands out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipelines.detection import quiet_of, scores_of
from pipelines.errors import DataError
from pipelines.media.series import Series
from pipelines.model import SequenceModel
from pipelines.reading.settings import DetectOptions
from pipelines.results import AnomalyEvent, SeriesAnomalies
from pipelines.surprise import chosen_threshold, events_of
from recipes.anomaly.options import AnomalyRecipeOptions
from recipes.anomaly.page import write_anomaly_page
from recipes.anomaly.scores import AnomalyScores, Searched, moving_gaussian
from recipes.data.manifest import Item, Manifest
from recipes.forecast.recipe import ForecastRecipe

WINDOWS = Path("labels/combined_windows.json")


class AnomalyRecipe(ForecastRecipe):
    """The recipe for anomalies: that for forecasts, with another evaluation."""

    task = AnomalyRecipeOptions.task
    even = False
    options: AnomalyRecipeOptions
    way_out = "give longer series, a larger --learn, or smaller --horizon and --segment"

    def steps(self, series: Series) -> tuple[int, int]:
        """All that is not learnt from is for the test; a third of what is, for validation."""
        learning, chosen = self.options.learning, self.options.backtest
        learnt = min(int(learning.learn * len(series)), learning.most)
        valid = chosen.valid_steps or max(self.options.model.filled().horizon, learnt // 3)
        return chosen.test_steps or len(series) - learnt, valid

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> AnomalyScores:
        return AnomalyScores(split, [self._searched(item, model) for item in items])

    def _searched(self, item: Item, model: SequenceModel) -> Searched:
        series, quiet = self.series(item), quiet_of(model)
        scores = scores_of(series, model)
        threshold = chosen_threshold(scores, DetectOptions().share, quiet)
        events = tuple(
            AnomalyEvent(series.time(each.first), series.time(each.last), each.first, each.last, each.score)
            for each in events_of(scores, threshold, quiet)
        )
        times = tuple(map(series.time, range(len(series))))
        name = f"{item.path.stem} {series.name}"
        found = SeriesAnomalies(name, times, tuple(series.values.tolist()), tuple(scores), threshold, events)
        return Searched(
            item.path.parent.name, found, self._windows(item, series), moving_gaussian(series.values)
        )

    def _windows(self, item: Item, series: Series) -> tuple[tuple[int, int], ...] | None:
        """Steps of the known anomalies of an item."""
        root = next((each for each in self.roots or self.options.data if (each / WINDOWS).is_file()), None)
        if root is None:
            return None
        try:
            known = json.loads((root / WINDOWS).read_text(encoding="utf-8"))
            wanted = known.get(item.path.relative_to(root).as_posix(), ())
            spans = [(_seconds(start), _seconds(end)) for start, end in wanted]
        except (AttributeError, TypeError, ValueError) as error:
            cause = f"is not understood ({error})"
            raise DataError(root / WINDOWS, cause, "mend it, or take it away") from error
        times = np.array([_seconds(series.time(place)) for place in range(len(series))])
        found = []
        for start, end in spans:
            inside = np.flatnonzero((times >= start) & (times <= end))
            if len(inside):
                found.append((int(inside[0]), int(inside[-1])))
        return tuple(found)

    def metrics(self, found: AnomalyScores, manifests: list[Manifest]) -> dict[str, dict]:
        rates = {"events in 1,000 steps": f"{found.alarms:.2f}"}
        if found.labelled:
            rates |= {f"NAB score, {name}": f"{own:.1f}" for name, (own, _) in found.nab().items()}
            f1 = found.f1()
            if f1:
                rates["F1 of overlapping events"] = f"{np.mean(list(f1.values())):.3f}"
        return {found.split: rates}

    def write_report(self, found: AnomalyScores, history: list[dict], facts: Mapping) -> Path:
        return write_anomaly_page(self.options.out / "report.html", found, history, facts)


def _seconds(text: str) -> float:
    moment = np.datetime64(text.strip().replace(" ", "T"))
    return moment.astype("datetime64[us]").astype(np.int64) / 1e6
