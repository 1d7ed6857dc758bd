"""Handwriting recognition: images of text lines, or pages with their layout, in; a model file out.

    python -m recipes.handwriting --data DIR --out exp/handwriting [--decoder attention|hybrid]

hooker-en, peraire-fr and copiste-fr (greedy, no language model): see the results table in the README.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from torch import Tensor

from pipelines import handwriting
from pipelines.errors import MediaError, TriscribeError
from pipelines.layout.fitting import fitted
from pipelines.layout.lines import cut_line
from pipelines.layout.page_layout import LayoutLine, LayoutRegion, PageLayout
from pipelines.layout.turning import turned
from pipelines.media.documents import page_of
from pipelines.media.files import disk_errors
from pipelines.media.images import read_image
from pipelines.model import SequenceModel
from pipelines.upright import turned_shape
from recipes.data.datasets import Item, Rejected, read_handwriting
from recipes.data.manifest import Manifest
from recipes.handwriting.kept_lines import KeptLines, read_views
from recipes.handwriting.options import HandwritingOptions
from recipes.handwriting.task import LineTask
from recipes.learning.progress import followed
from recipes.learning.reading_recipe import Recogniser
from recipes.learning.reading_task import Samples
from recipes.scoring.data_report import Measure
from recipes.scoring.error_rates import Scored
from recipes.scoring.report_page import Attachment

FEW = 1000  # lines
EXPECTED = (
    "Few lines of a hand unlike those that the model has learnt take it only so far: 50 took the character "
    "error rate from 56 to 39 %, 200 to 30 %, 1,000 to 17 %; with a book in the language (--texts) to 35, 26 "
    "and 16 % (docs/adapt.md)."
)
SHOWN = 1400, 140  # pixels that a line in the report has at most


class Handwriting(Recogniser):
    """The recipe for images of text lines."""

    task = HandwritingOptions.task
    what = "line images or pages"
    training = LineTask
    stored = np.uint8

    def __init__(self, options: HandwritingOptions):
        super().__init__(options)
        if options.views:
            self.training = KeptLines
        self.aspects: dict[tuple, float] = {}
        self.measure = Measure(
            lambda item: self.aspects.get(self.source(item)),
            "x height",
            "1000 x height",
            1000.0,
            densest=8.0,
            least=500,
        )

    def read_data(self, folder: Path) -> Manifest:
        return read_handwriting(folder, self.options.layout)

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        kept, rejected = [], []
        for item in followed(items, "reading lines", "line"):
            try:
                with disk_errors(item.path):
                    height, width = line_image(item).shape
                self.aspects[self.source(item)] = width / height
                kept.append(item)
            except (TriscribeError, ValueError) as error:
                rejected.append(Rejected(str(item.path), getattr(error, "cause", str(error))))
        return kept, rejected

    def samples(self, model: SequenceModel, train: list[Item], valid: list[Item]) -> Samples:
        options = self.options
        samples = super().samples(model, train, valid)
        if not options.views:
            return samples
        sources = [self.source(item) for item in train + valid]
        return read_views(samples, sources, model.front_end, options, options.out / "views")

    def advice_before(self, items: list[Item], loaded: bool) -> list[str]:
        few = loaded and len(items) < FEW
        return [EXPECTED] if few else super().advice_before(items, loaded)

    def input_length(self, item: Item, model: SequenceModel) -> int:
        columns = max(1, round(self.measure.of(item) * model.front_end.height))
        scarce = columns < 2 * model.front_end.stride * len(item.target)
        return len(self.features(item, model)) if scarce else columns  # evening may widen it

    def source(self, item: Item) -> tuple:
        view = () if item.view is None else (repr(item.view),)
        return str(item.path), repr(item.shape), item.line_distance, *view

    def settings(self, model: SequenceModel) -> dict:
        front_end = model.front_end
        return {name: getattr(front_end, name) for name in ("height", "right_to_left", "upright")}

    def features(self, item: Item, model: SequenceModel) -> Tensor:
        return model.front_end.prepare(line_image(item))

    def recognised(self, model: SequenceModel, items: list[Item], **options) -> list[Scored]:
        images = (line_image(item) for item in items)
        lines = handwriting.read_lines(model, images, handwriting.HandwritingOptions(**options))
        scored = []
        for item, line in zip(items, lines, strict=True):
            hypothesis = "" if isinstance(line, TriscribeError) else model.normalisation(line.text)
            scored.append(Scored(named(item), item.target, hypothesis, item.path, item=item))
        return scored

    def attachment(self, item: Scored) -> Attachment:
        from PIL import Image

        line, file = Image.fromarray(line_image(item.item)), io.BytesIO()
        line.thumbnail(SHOWN)
        line.save(file, "WEBP", quality=60)
        return Attachment("image/webp", file.getvalue())


def line_image(item: Item) -> np.ndarray:
    """The item's line, (height, width) uint8 grey.

    Raises:
        MediaError: its image cannot be read.
        ValueError: its shape lies off the page.
    """
    if item.view is not None:
        return _as_seen(item)
    if item.shape is None:
        return read_image(item.path).pixels
    return cut_line(_page(item.path), item.shape, item.line_distance).pixels


def _as_seen(item: Item) -> np.ndarray:
    """The line as recognition has cut it out."""
    view, page = item.view, _page(item.path, item.view.number, item.view.dpi)
    if item.shape is None:
        return turned(page, view.turn) if view.turn else page
    size = height, width = page.shape
    try:
        layout = PageLayout("", *view.size, (LayoutRegion((LayoutLine(item.shape, ""),)),))
        (line,) = fitted(layout, (width, height)).lines
    except ValueError as error:
        raise MediaError(item.path, f"the page {error}", "read it again, it is another image") from error
    if view.found and _is_negative(item.path, view.number, view.dpi):
        page = 255 - page
    shape = turned_shape(line.shape, view.turn, size)
    distance = item.line_distance and item.line_distance * height / view.size[1]
    return cut_line(turned(page, view.turn) if view.turn else page, shape, distance).pixels


@lru_cache(maxsize=1)
def _page(path: Path, number: int | None = None, dpi: float | None = None) -> np.ndarray:
    """The lines of a page come one after the other: open it once."""
    return read_image(path if number is None else page_of(path, number, dpi)).pixels


@lru_cache(maxsize=64)
def _is_negative(path: Path, number: int | None, dpi: float | None) -> bool:
    return handwriting.is_negative(_page(path, number, dpi))


def named(item: Item) -> str:
    """How reports call an item."""
    name = item.path.stem if item.shape is None else f"{item.path.stem} {item.shape.id}"
    return f"{item.group}/{name}" if item.group and item.group != item.path.stem else name
