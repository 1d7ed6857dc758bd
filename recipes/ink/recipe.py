"""Ink recognition: pen strokes of text lines in, a model file out.

   python -m recipes.ink --data DIR --out exp/ink

imadocsen-en (greedy, no language model): see the results table in the README.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from torch import Tensor

from encoders.pen import level, trace
from pipelines import ink as reader
from pipelines.errors import TriscribeError
from pipelines.media.files import disk_errors
from pipelines.media.ink import Ink, read_ink
from pipelines.model import SequenceModel
from pipelines.reading.settings import SearchOptions
from recipes.data import datasets
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.ink.options import SPACING, InkOptions
from recipes.ink.task import InkTask, flat
from recipes.learning.progress import followed
from recipes.learning.reading_recipe import Recogniser
from recipes.scoring.data_report import Measure
from recipes.scoring.error_rates import Scored
from recipes.scoring.report_page import Attachment


class InkRecipe(Recogniser):
    """The recipe for pen strokes."""

    task = InkOptions.task
    what = "ink"
    training = InkTask
    stored = np.float32

    def __init__(self, options: InkOptions):
        super().__init__(options)
        self.points: dict[tuple, int] = {}
        self.measure = Measure(
            lambda item: self.points.get(self.source(item)),
            "points",
            "1000 points",
            1000.0,
            densest=0.5,
            least=500,
        )

    def read_data(self, folder: Path) -> Manifest:
        return datasets.read_ink(folder, self.options.layout)

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        kept, rejected = [], []
        for item in followed(items, "reading ink", "line"):
            try:
                with disk_errors(item.path):
                    strokes = level(piece_of(item).strokes)
                self.points[self.source(item)] = len(trace(strokes, SPACING).stroke)
                kept.append(item)
            except (TriscribeError, ValueError) as error:
                rejected.append(Rejected(named(item), getattr(error, "cause", str(error))))
        return kept, rejected

    def input_length(self, item: Item, model: SequenceModel) -> int:
        return max(1, round(self.measure.of(item) * SPACING / model.front_end.spacing))

    def source(self, item: Item) -> tuple:
        return str(item.path), item.index

    def settings(self, model: SequenceModel) -> dict:
        return {}

    def taken(self, model: SequenceModel) -> dict:
        return {"spacing": model.front_end.spacing}

    def features(self, item: Item, model: SequenceModel) -> Tensor:
        return flat(level(piece_of(item).strokes))

    def recognised(self, model: SequenceModel, items: list[Item], **options) -> list[Scored]:
        pages = reader.read_inks(map(piece_of, items), model, SearchOptions(**options))
        return [
            Scored(named(item), item.target, model.normalisation(page.text), item.path, item=item)
            for item, page in zip(items, pages, strict=True)
        ]

    def attachment(self, item: Scored) -> Attachment:
        return Attachment("image/svg+xml", picture(piece_of(item.item)).encode())


def piece_of(item: Item) -> Ink:
    """The item's piece of its file."""
    return _pieces(item.path)[item.index]


def picture(ink: Ink) -> str:
    """The ink as SVG."""
    points = np.concatenate([stroke[:, :2] for stroke in ink.strokes])
    pen = max(float(np.ptp(points[:, 1])) / 60, 1e-6)
    (left, top), (width, height) = points.min(axis=0) - 2 * pen, np.ptp(points, axis=0) + 4 * pen
    paths = " ".join(
        "M"
        + " ".join(f"{x:.6g} {y:.6g}" for x, y in np.repeat(stroke[:, :2], 1 + (len(stroke) == 1), axis=0))
        for stroke in ink.strokes
        if len(stroke)
    )
    box = f"{left:.6g} {top:.6g} {width:.6g} {height:.6g}"
    style = f'fill="none" stroke="#246" stroke-width="{pen:.6g}" stroke-linecap="round"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><path d="{paths}" {style}/></svg>'


@lru_cache(maxsize=4)
def _pieces(path: Path) -> list[Ink]:
    """The pieces of a file come one after the other: read it once."""
    return read_ink(path)


def named(item: Item) -> str:
    """How reports call an item."""
    name = f"{item.path.name.partition('.')[0]}:{item.index + 1}"
    return f"{item.group}/{name}" if item.group else name
