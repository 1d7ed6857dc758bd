"""Forecasting: tables of series in, a model file out.

    python -m recipes.forecast --data load.csv --horizon 24 --out exp/forecast

A linear model from the past to the future is fitted in closed form; segments of the past, and of the future
as far as it is known, go through the shared core, which adds what is not linear, and the uncertainty.
Nothing that comes
after a forecast takes part in it: series are scaled by their past, and the last steps of each are for
validation and test. The backtest stands beside the last season again and the linear model alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import Normalisation
from decoders.vocabulary import Classes
from encoders.history import History
from pipelines.errors import DataError, TriscribeError
from pipelines.forecasting import features_of
from pipelines.media.clock import CALENDAR
from pipelines.media.series import Columns, Series, SeriesTable, read_series
from pipelines.model import SequenceModel
from recipes.data.folders import walk
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.forecast.backtest import backtest, chosen_shares, stretches
from recipes.forecast.baselines import fit_linear
from recipes.forecast.options import LEVELS, ForecastRecipeOptions
from recipes.forecast.page import write_forecast_page
from recipes.forecast.scores import ForecastScores
from recipes.forecast.task import ForecastTask, Range, ranges_of, spread_over
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import changes, refuse
from recipes.scoring.data_report import Measure, rejections

FITTED, CHOSEN = 60_000, 4_000  # windows by which the linear model is fitted, and its ridge chosen
STRETCHED = 2000  # windows by which quantiles are corrected
LONGEST = 720  # steps of a window that is not given
TABLE = re.compile(r"\.(csv|tsv)(\.gz)?$", re.IGNORECASE)
STEPS = Measure(lambda item: item.duration, "", "steps", 1.0, densest=float("inf"))


class ForecastRecipe(Recipe):
    """The recipe for forecasts. An item is a series in a split."""

    task = ForecastRecipeOptions.task
    what = "series"
    measure = STEPS
    targets_are_classes = False
    even = True
    """Whether times must lie on an even grid."""
    options: ForecastRecipeOptions

    def read_data(self, folder: Path) -> Manifest:
        paths = [each for each in walk(folder) if TABLE.search(each.name)] if folder.is_dir() else [folder]
        if not paths:
            raise DataError(folder, "holds no table", "give a CSV file of series")
        items, rejected = [], []
        for path in paths:
            try:
                series = self.table(path).series
            except TriscribeError as error:
                if len(paths) == 1:
                    raise
                rejected.append(Rejected(str(path), error.cause))
                continue
            items += [
                Item(path, each.name, index=index, duration=float(len(each)))
                for index, each in enumerate(series)
            ]
        return Manifest(items, rejected, "series", folder)

    def table(self, path: Path) -> SeriesTable:
        """The series of a file."""
        if path not in self._tables:
            chosen = self.options.columns
            target, known, static = (
                tuple(name.strip() for name in (names or "").split(",") if name.strip())
                for names in (chosen.target, chosen.known, chosen.static)
            )
            columns = Columns(chosen.time, chosen.id, target, known, static, self.even)
            self._tables[path] = read_series(path, columns)
        return self._tables[path]

    @cached_property
    def _tables(self) -> dict[Path, SeriesTable]:
        return {}

    def series(self, item: Item) -> Series:
        """The series of an item."""
        return self.table(item.path).series[item.index]

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        return items, []

    def prepared(self, items: list[Item], normalisation: Normalisation) -> tuple[list[Item], list[Rejected]]:
        """All of them; names of series are not normalised."""
        return items, []

    def read_splits(self, manifests: list[Manifest], normalisation: Normalisation):
        """Every series in every split: these are parts of its time."""
        items = [item for manifest in manifests for item in manifest.items]
        splits = {name: [replace(item, split=name) for item in items] for name in ("train", "valid", "test")}
        return splits, [bad for manifest in manifests for bad in manifest.rejected]

    def described(self, splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected]) -> str:
        items = splits["train"]
        lengths = [len(self.series(item)) for item in items]
        missing = float(np.mean([np.isnan(self.series(item).values).mean() for item in items]))
        first = self.series(items[0])
        span = f"{first.time(0)} to {first.time(len(first) - 1)}"
        lines = [
            f"{len(items):,} series of {min(lengths):,} to {max(lengths):,} steps",
            f"{100 * missing:.1f} % of the values are missing",
            f"the first, {first.name!r}: {span}",
        ]
        paths = dict.fromkeys(item.path for item in items)
        notes = [note for path in paths for note in self.table(path).notes]
        return "\n".join([*lines, *notes[:8], *([rejections(rejected)] if rejected else [])])

    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the steps of the items, with its linear part fitted; or the loaded one."""
        items = [item for item in items if item.split == "train"]
        if base:
            refuse(base, changes(base, self.options.model))
            return base
        sizes, series = self.options.model.filled(), [self.series(item) for item in items]
        season = sizes.season or series[0].clock.season
        longest = max(map(len, series)) - sum(self.steps(max(series, key=len)))
        segment = sizes.segment or next(each for each in range(24, 0, -1) if sizes.horizon % each == 0)
        wanted = sizes.window or min(LONGEST, max(2 * sizes.horizon, 2 * season, 14 * segment), longest // 2)
        window = max(1, wanted // segment) * segment
        table = self.table(items[0].path)
        names = {"covariates": list(table.covariates), "statics": list(table.statics)}
        front_end = {
            "kind": "history",
            "window": window,
            "horizon": sizes.horizon,
            "segment": segment,
            "features": CALENDAR + sum(map(len, names.values())),
            **names,
            "season": season,
            "scaling": sizes.scaling,
            "output_size": sizes.input_size,
            "dropout": sizes.dropout,
        }
        decoder = {
            "kind": "quantiles",
            "segment": segment,
            "frames": sizes.horizon // segment,
            "levels": list(LEVELS),
            "dropout": sizes.dropout,
        }
        alphabet = Classes([f"{level:g}" for level in LEVELS])
        model = SequenceModel(
            self.task, front_end, sizes.core(), decoder, alphabet, normalisation, self.options.name
        )
        ranges = self.ranges(items, model.front_end)
        if not ranges["train"] or not ranges["valid"]:
            cause = f"has no series long enough to learn and check forecasts of {sizes.horizon} steps from"
            longest = max(map(len, series))
            raise DataError(items[0].path, f"{cause} (the longest has {longest} steps)", self.way_out)
        steps = [features_of(each, 0, len(each) - sum(self.steps(each)), model.front_end) for each in series]
        model.front_end.fit(torch.from_numpy(np.concatenate(steps)).float())
        train, valid = (
            spread_over(ranges[name], model.front_end, most)
            for name, most in (("train", FITTED), ("valid", CHOSEN))
        )
        fit_linear(model.front_end, train, valid)
        return model

    def steps(self, series: Series) -> tuple[int, int]:
        """Steps of a series for the test and for validation."""
        chosen, horizon = self.options.backtest, self.options.model.filled().horizon
        test = chosen.test_steps or max(horizon, len(series) // 5)
        return test, chosen.valid_steps or max(horizon, len(series) // 10)

    way_out = "give longer series, or smaller --horizon, --valid-steps and --test-steps"
    """What to do about series that are too short."""

    def ranges(self, items: Sequence[Item], front_end: History) -> dict[str, list[Range]]:
        """Where forecasts of each split begin."""
        series = [self.series(item) for item in items]
        test, valid = zip(*map(self.steps, series), strict=True)
        return ranges_of(series, front_end, test, valid)

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """Those that are long enough for their split."""
        kept, rejected = [], []
        for item in items:
            if self.ranges([item], model.front_end)[item.split or "test"]:
                kept.append(item)
            else:
                rejected.append(Rejected(f"{item.path}: {item.target}", f"too short for {item.split}"))
        return kept, rejected

    def scorable(self, items: list[Item], model: SequenceModel) -> list[Item]:
        return self.usable(items, model)[0]

    def source(self, item: Item) -> tuple:
        return str(item.path), item.index

    def settings(self, model: SequenceModel) -> dict:
        return {"window": model.front_end.window, "horizon": model.front_end.horizon}

    def features(self, item: Item, model: SequenceModel) -> Tensor:
        """(time, 1): the values."""
        return torch.from_numpy(self.series(item).values[:, None])

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> ForecastTask:
        parts = self.ranges(train, model.front_end)["train"], self.ranges(valid, model.front_end)["valid"]
        training = self.options.training
        windows = self.options.backtest.windows
        return ForecastTask(model, *parts, windows, training.batch_size, training.seed)

    def finish(self, model: SequenceModel, splits: Mapping[str, list[Item]]) -> None:
        """Keep of the network what is of use in the validation part. Correct the quantiles by it, and by as
        many forecasts from all of the training part: the last weeks alone may be of another season than
        those to come.
        """
        ranges = self.ranges(splits["valid"], model.front_end)
        mean, median = chosen_shares(model, spread_over(ranges["valid"], model.front_end, STRETCHED))
        model.decoder.lessen(mean, median)
        model.training_facts["share of the network"] = [mean, median]
        windows = [
            window
            for name in ("train", "valid")
            for window in spread_over(ranges[name], model.front_end, STRETCHED)
        ]
        model.decoder.stretch.mul_(stretches(model, windows).to(model.decoder.stretch.device))

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> ForecastScores:
        wanted = split if split in ("valid", "test") else "test"
        ranges = self.ranges(items, model.front_end)[wanted]
        return backtest(model, ranges, split, self.options.backtest.stride)

    def metrics(self, found: ForecastScores, manifests: list[Manifest]) -> dict[str, dict]:
        rates = {
            name: f"MSE {each.mse:.4f}, MAE {each.mae:.4f}, sMAPE {each.smape:.2f} %, MASE {each.mase:.3f}"
            for name, each in found.errors.items()
        }
        rates |= {
            f"in {100 * level:.0f} %": f"{100 * share:.1f} %" for level, share in found.coverage.items()
        }
        return {found.split: rates}

    def last_scores(self, row: Mapping[str, float]) -> dict:
        """In proportion to the linear model."""
        return {"of the linear model's error": f"{100 * row.get('averaged_error', row['error']):.2f} %"}

    def write_report(self, found: ForecastScores, history: list[dict], facts: dict) -> Path:
        return write_forecast_page(self.options.out / "report.html", found, history, facts)
