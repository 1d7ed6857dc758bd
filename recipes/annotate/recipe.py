"""Annotation: signals with marks over time in, a model file out.

    python -m recipes.annotate --data ludb/ --out exp/annotate

Convolutions over the channels, the shared core, a label for each frame. Not a medical device.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import torch

from decoders.alphabet import Normalisation
from decoders.vocabulary import Classes
from pipelines.annotating import read_annotations
from pipelines.errors import DataError, TriscribeError
from pipelines.media.files import disk_errors
from pipelines.media.signal_files import open_signal
from pipelines.media.signals import Signal, StoredSignal, chosen, evened
from pipelines.model import SequenceModel
from pipelines.reading.leads import MOST_STEPS, rate_for, resampled
from pipelines.reading.settings import AnnotationOptions
from recipes.annotate.options import AnnotationRecipeOptions
from recipes.annotate.page import write_annotation_page
from recipes.annotate.scores import MarkScores
from recipes.annotate.task import AnnotationTask, Sample, with_time
from recipes.data.datasets import read_marked
from recipes.data.holding_out import hold_out
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.data.mark_layouts import marks_in
from recipes.learning.progress import followed
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import changes, refuse
from recipes.scoring.data_report import Measure, bar, rejections, shown, sizes, warnings

FASTEST = 250.0  # hertz, of a new model that is not told its rate
HELD = 64  # signals that stay opened

SIGNALS = Measure(lambda item: item.duration, "s", "hours", 3600.0, densest=float("inf"))


class AnnotationRecipe(Recipe):
    """The recipe for marks over time."""

    task = AnnotationRecipeOptions.task
    what = "signals"
    measure = SIGNALS
    targets_are_classes = False
    options: AnnotationRecipeOptions

    def read_data(self, folder: Path) -> Manifest:
        """The data set, with a test part held out if that is wanted."""
        found = read_marked(folder, self.options.layout, self.options.beats == "aami")
        if self.options.test and not found.split("test"):
            train, test = hold_out(found, self.options.test, 0, False)
            kept = [replace(item, split=None) for item in train] + found.split("valid")
            found.items = kept + [replace(item, split="test") for item in test]
        return found

    def prepared(self, items: list[Item], normalisation: Normalisation) -> tuple[list[Item], list[Rejected]]:
        """Those that can be read; labels are kept as they are."""
        return self.readable(items)

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        kept, rejected = [], []
        for item in followed(items, "reading signals", "signal"):
            try:
                signal = _opened(item.path)
                rate = rate_for(signal)
                inside = [text for text in item.target if _is_within(text, len(signal) / rate)]
                outside = len(item.target) - len(inside)
                if outside:
                    cause = f"{outside} of {len(item.target)} marks outside of its {len(signal) / rate:.1f} s"
                    if outside >= len(inside):  # the unit may be another one
                        raise DataError(item.path, f"has {cause}", "mend the marks")
                    rejected.append(Rejected(str(item.path), f"{cause}, without which it is used"))
                    item = replace(item, target=tuple(inside))
                if item.index is not None and not 0 <= item.index < len(signal.channels):
                    raise DataError(item.path, f"has no channel {item.index + 1}", "mend the list of items")
                if self.options.lead_names:
                    self._leads(signal, item)
                kept.append(replace(item, duration=len(signal) / rate))
            except TriscribeError as error:
                rejected.append(Rejected(str(item.path), error.cause))
            except ValueError:
                rejected.append(Rejected(str(item.path), "its target holds no marks"))
        return self._once(kept), rejected

    def _once(self, items: list[Item]) -> list[Item]:
        """Models of several leads learn from each signal once, whose marks are those of its first lead."""
        if not self.options.lead_names:
            return items
        first: dict[Path, Item] = {}
        for item in items:
            first.setdefault(item.path, replace(item, index=None))
        return list(first.values())

    def _leads(self, signal: Signal | StoredSignal, item: Item) -> list[int | None]:
        places = {name.casefold(): place for place, name in enumerate(signal.channels)}
        found = [places.get(name.casefold()) for name in self.options.lead_names]
        if all(place is None for place in found):
            raise DataError(item.path, f"has no lead of {self.options.leads}", "name some that it has")
        return found

    def described(self, splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected]) -> str:
        sections = [sizes(splits, SIGNALS), _balance(splits), warnings(splits), rejections(rejected)]
        return "\n\n".join(section for section in sections if section)

    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the labels of the items, or the loaded one."""
        if base:
            refuse(base, changes(base, self.options.model))
            return base
        options = self.options.model.filled()
        rates = [rate_for(_opened(item.path)) for item in items]
        rate = options.sample_rate or min(FASTEST, statistics.median(rates))
        names = self.options.lead_names
        halvings = (options.stride - 1).bit_length()
        front_end = {
            "kind": "signals",
            "channels": max(1, len(names)),
            "filters": [options.input_size // 2] + [options.input_size] * max(1, halvings),
            "kernels": [options.kernel] + [5] * max(1, halvings),
            "strides": [1] + ([2] * halvings or [1]),
            "scaling": options.scaling,
            "gaps": len(names) > 1,
            "sample_rate": float(rate),
            "names": list(names),
            "dropout": options.dropout / 2,
        }
        classes = Classes.of(label for item in items for *_, label in marks_in(item.target))
        decoder = {"kind": "timeline", "dropout": options.dropout}
        model = SequenceModel(
            self.task, front_end, options.core(), decoder, classes, normalisation, self.options.name
        )
        model.front_end.fit([with_time(self.values(item, model), rate) for item in items])
        return model

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """All: marks whose label the model has not are not learnt from."""
        return items, []

    def source(self, item: Item) -> tuple:
        return str(item.path), item.index

    def settings(self, model: SequenceModel) -> dict:
        return {"rate": model.front_end.sample_rate, "leads": self.options.leads}

    def features(self, item: Item, model: SequenceModel) -> torch.Tensor:
        return self.values(item, model)

    def values(self, item: Item, model: SequenceModel) -> torch.Tensor:
        """(time, channels) of an item at the rate of the model; an item of all channels is its first one
        where the model reads one at a time.
        """
        signal = _opened(item.path)
        places: list[int | None] = [item.index or 0]
        if model.front_end.names:
            folded = {name.casefold(): place for place, name in enumerate(signal.channels)}
            places = [folded.get(name.casefold()) for name in model.front_end.names]
        ratio = Fraction(model.front_end.sample_rate / rate_for(signal)).limit_denominator(MOST_STEPS)
        values = torch.from_numpy(resampled(signal.read(0, len(signal)), ratio))
        missing = torch.full((len(values),), float("nan"))
        return torch.stack([missing if place is None else values[:, place] for place in places], dim=1)

    def samples(self, items: Sequence[Item], model: SequenceModel) -> list[Sample]:
        """Items as the network takes them."""
        return [Sample(self.values(item, model), tuple(marks_in(item.target))) for item in items]

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> AnnotationTask:
        parts = self.samples(train, model), self.samples(valid, model)
        return AnnotationTask(model, *parts, self.options, model.front_end.sample_rate)

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> MarkScores:
        """By the public reader, each signal once."""
        true = [tuple(marks_in(item.target)) for item in items]
        signals = (self._signal(item, model) for item in followed(items, "annotating", "signal"))
        found = []
        for each in read_annotations(signals, model, AnnotationOptions()):
            if isinstance(each, TriscribeError):
                raise each
            found.append(each.marks)
        points = all(start == end for marks in true for start, _, end, _ in marks)
        return MarkScores(split, model.alphabet.symbols, tuple(items), tuple(true), tuple(found), points)

    def _signal(self, item: Item, model: SequenceModel) -> Signal | StoredSignal:
        signal = _opened(item.path)
        if model.front_end.names:
            return signal
        return chosen(signal.whole(), [signal.channels[item.index or 0]])

    def metrics(self, found: MarkScores, manifests: list[Manifest]) -> dict[str, dict]:
        each = {
            f"F1 of {name}": str(found.mean(name))
            for name in dict.fromkeys(row.label for row in found.labels)
        }
        return {found.split: {"mean F1": str(found.mean()), **each}}

    def last_scores(self, row: Mapping[str, float]) -> dict:
        missed = row.get("averaged_missed_f1", row.get("missed_f1", 1.0))
        return {"mean F1": f"{100 * (1 - missed):.2f} %"}

    def write_report(self, found: MarkScores, history: list[dict], facts: dict) -> Path:
        return write_annotation_page(self.options.out / "report.html", found, history, facts)


def _is_within(text: str, seconds: float) -> bool:
    """Whether a mark of a target begins within a signal of this length, or within a second of it."""
    ((start, *_),) = marks_in([text])
    return -1 <= start <= seconds + 1


@lru_cache(maxsize=HELD)
def _opened(path: Path) -> Signal | StoredSignal:
    with disk_errors(path):
        return evened(open_signal(path))


def _balance(splits: Mapping[str, Sequence[Item]]) -> str:
    counts = {
        name: Counter(label for item in items for *_, label in marks_in(item.target))
        for name, items in splits.items()
    }
    total = sum(counts.values(), Counter())
    width, most = max([5, *(len(shown(label, 40)) for label in total)]), max(total.values(), default=1)
    lines = [f"{'Label':<{width}}" + "".join(f"{name:>9}" for name in splits)]
    for label, count in sorted(total.items(), key=lambda entry: (-entry[1], entry[0])):
        cells = "".join(f"{counts[name][label]:>9,}" for name in splits)
        lines.append(f"{shown(label, 40):<{width}}{cells}  {bar(count / most, 20)}")
    return "\n".join(lines)
