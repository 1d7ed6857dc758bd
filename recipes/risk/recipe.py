"""Risk over time: measurements of persons with an outcome in, a model file out.

    python -m recipes.risk --data icu/ --event "death in hospital" --out exp/risk

What was measured, what is missing and for how long; the shared core, forwards only; a risk for each step.
Beside every model, gradient boosting learns from summaries of the same stays. Not a medical device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from torch import Tensor

from decoders.alphabet import Normalisation
from decoders.vocabulary import Classes
from pipelines.assessing import SUMMARIES, columns_of, inputs_of, read_risks
from pipelines.errors import DataError, TriscribeError
from pipelines.media.stays import Stay, Stays
from pipelines.model import SequenceModel
from pipelines.reading.settings import RiskOptions
from recipes.data.datasets import read_outcomes
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.data.stay_layouts import stays_of, with_static
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import changes, refuse
from recipes.risk.boosting import boosted_risks
from recipes.risk.options import RiskRecipeOptions
from recipes.risk.page import write_risk_page
from recipes.risk.scores import RiskScores
from recipes.risk.task import RiskTask, Sample
from recipes.scoring.data_report import Measure, class_balance, rejections, sizes

STAYS = Measure(lambda item: item.duration, "h", "days", 24.0, densest=float("inf"))
OUTCOMES = ("0", "1")


class RiskRecipe(Recipe):
    """The recipe for risks over time."""

    task = RiskRecipeOptions.task
    what = "stays"
    measure = STAYS
    targets_are_classes = True
    options: RiskRecipeOptions

    def read_data(self, folder: Path) -> Manifest:
        return read_outcomes(folder, self.options.layout, self.options.label)

    def prepared(self, items: list[Item], normalisation: Normalisation) -> tuple[list[Item], list[Rejected]]:
        """Those that can be read; outcomes are kept as they are."""
        return self.readable(items)

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        kept, rejected = [], []
        for item in items:
            try:
                stay = self.stay(item)
                if item.target not in OUTCOMES:
                    raise DataError(item.path, f"its outcome is {item.target!r}", "write 0 or 1")
                kept.append(replace(item, duration=float(stay.times[-1]) / 3600))
            except TriscribeError as error:
                rejected.append(Rejected(f"{item.path}: {item.group}", error.cause))
        return kept, rejected

    def stays(self, path: Path) -> Stays:
        """The stays of a table, with what does not change."""
        return _with_static(path, self.options.static_names, self.options.label)

    def stay(self, item: Item) -> Stay:
        """The stay of an item.

        Raises:
            DataError: its table has no such stay.
        """
        stays = self.stays(item.path).stays
        if item.index is None or not 0 <= item.index < len(stays):
            raise DataError(item.path, f"has no stay {item.index}", "make the list of items again")
        return stays[item.index]

    def described(self, splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected]) -> str:
        sections = [sizes(splits, STAYS), class_balance(splits), rejections(rejected)]
        return "\n\n".join(section for section in sections if section)

    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the columns of the tables, or the loaded one."""
        if base:
            refuse(base, changes(base, self.options.model))
            return base
        outcomes = {item.target for item in items}
        if len(outcomes) < 2:
            cause = f"all stays have the outcome {outcomes.pop()}"
            raise DataError(self.roots[0] if self.roots else "--data", cause, "give some with the other, too")
        options = self.options.model.filled()
        paths = dict.fromkeys(item.path for item in items)
        columns = list(dict.fromkeys(name for path in paths for name in self.stays(path).columns))
        fixed = {name.casefold() for name in self.options.static_names}
        measured = [name for name in columns if name.casefold() not in fixed]
        names = columns + [f"{name} {kind}" for name in measured if options.summaries for kind in SUMMARIES]
        front_end = {
            "kind": "signals",
            "channels": len(names),
            "filters": [options.input_size],
            "kernels": [1],  # a step must not see the next one
            "strides": [1],
            "scaling": "data",
            "differences": False,
            "sample_rate": 1 / options.step,
            "names": names,
            "dropout": options.dropout / 2,
        }
        model = SequenceModel(
            self.task,
            front_end,
            options.core(),
            {"kind": "timeline", "dropout": options.dropout},
            Classes((self.options.event,)),
            normalisation,
            self.options.name,
        )
        model.front_end.fit([self.features(item, model) for item in items])
        return model

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """All."""
        return items, []

    def source(self, item: Item) -> tuple:
        return str(item.path), item.index

    def settings(self, model: SequenceModel) -> dict:
        return {"names": list(model.front_end.names), "rate": model.front_end.sample_rate}

    def features(self, item: Item, model: SequenceModel) -> Tensor:
        """(steps, 1 + channels) what the front end takes of a stay."""
        columns = columns_of(self.stays(item.path), model.front_end)
        return inputs_of(self.stay(item), columns, model.front_end)

    def samples(self, items: Sequence[Item], model: SequenceModel) -> list[Sample]:
        """Items as the network takes them."""
        return [Sample(self.features(item, model), int(item.target)) for item in items]

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> RiskTask:
        self.learnt = train + valid
        return RiskTask(model, self.samples(train, model), self.samples(valid, model), self.options)

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> RiskScores:
        """By the public reader."""
        given = []
        for path in dict.fromkeys(item.path for item in items):
            stays = tuple(self.stay(item) for item in items if item.path == path)
            given.append(Stays(self.stays(path).columns, stays, str(path)))
        curves: dict[tuple[str, str], tuple[float, ...]] = {}
        for stays, found in zip(given, read_risks(given, model, RiskOptions(batch_size=128)), strict=True):
            if isinstance(found, TriscribeError):
                raise found
            curves |= {(stays.source, curve.name): curve.risks for curve in found.curves}
        risks = [curves[str(item.path), self.stay(item).name] for item in items]
        table = np.full((len(items), max(map(len, risks))), np.nan)
        for row, curve in zip(table, risks, strict=True):
            row[: len(curve)] = curve
        return RiskScores(split, tuple(items), table, 1 / model.front_end.sample_rate)

    def scores(self, split: str, model: SequenceModel, items: list[Item]) -> RiskScores:
        """Of the model, and of gradient boosting that learnt from the same stays."""
        found = self.evaluated(split, model, items)
        judged = {self.source(item) for item in items}
        learnt = [item for item in self.learnt if self.source(item) not in judged] or self.learnt
        columns = self.stays(learnt[0].path).columns
        if any(self.stays(item.path).columns != columns for item in (*learnt, *items)):
            return found
        labels = [int(item.target) for item in learnt]
        boosted = boosted_risks(list(map(self.stay, learnt)), labels, list(map(self.stay, items)))
        return replace(found, boosted=boosted)

    def metrics(self, found: RiskScores, manifests: list[Manifest]) -> dict[str, dict]:
        boosted = {"gradient boosting": str(found.boosted_auroc)} if found.boosted is not None else {}
        return {found.split: {"AUROC": str(found.auroc), "AUPRC": str(found.auprc), **boosted}}

    def last_scores(self, row: Mapping[str, float]) -> dict:
        missed = row.get("averaged_missed_auroc", row.get("missed_auroc", 1.0))
        return {"AUROC": f"{100 * (1 - missed):.2f} %"}

    def write_report(self, found: RiskScores, history: list[dict], facts: dict) -> Path:
        return write_risk_page(self.options.out / "report.html", found, self.options.event, history, facts)


@lru_cache(maxsize=4)
def _with_static(path: Path, names: tuple[str, ...], label: str | None) -> Stays:
    return with_static(stays_of(path), path.parent, names, label)
