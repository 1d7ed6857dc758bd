"""Classes of signals: labelled recordings in, a model file out.

    python -m recipes.signals --data gestures/ --out exp/signals

A linear model on random convolution kernels is fitted in closed form, which on small sets is hard to beat.
Beside it learn convolutions over the scaled channels, the shared core and attention pooling. Logits of both
are mixed, those of the network as far as the validation signals show that to be of use. The report has both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from decoders.alphabet import Normalisation
from decoders.vocabulary import Classes
from pipelines.errors import DataError, TriscribeError
from pipelines.media.files import disk_errors
from pipelines.media.kind import kind_of
from pipelines.media.signal_files import open_signals
from pipelines.media.signals import Signal
from pipelines.model import SequenceModel
from pipelines.reading.channels import inputs_of
from pipelines.signal_model import SignalModel
from pipelines.signals import LONGEST, parts_of
from recipes.data.datasets import read_signals
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.learning.progress import followed
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import changes, refuse
from recipes.scoring.data_report import Measure, class_balance, rejections, sizes, warnings
from recipes.signals.options import ModelOptions, SignalRecipeOptions
from recipes.signals.page import write_signal_page
from recipes.signals.ridge import chosen_share, fit_kernels, kernels_alone
from recipes.signals.scores import SignalScores
from recipes.signals.task import SignalTask
from recipes.text.task import Sample, judged

SIGNALS = Measure(
    lambda item: item.duration, "", "samples", 1.0, densest=float("inf"), least=100, least_unit="signals"
)


class SignalRecipe(Recipe):
    """The recipe for classes of signals."""

    task = SignalRecipeOptions.task
    what = "signals"
    measure = SIGNALS
    targets_are_classes = True
    options: SignalRecipeOptions

    def read_data(self, folder: Path) -> Manifest:
        return read_signals(folder, self.options.layout)

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        """Items with their number of samples as `duration`."""
        kept, rejected = [], []
        for item in followed(items, "reading signals", "signal"):
            try:
                with disk_errors(item.path):
                    signal = signal_of(item)
            except TriscribeError as error:
                rejected.append(Rejected(named(item), error.cause))
                continue
            kept.append(replace(item, duration=float(len(signal))))
        return kept, rejected

    def described(self, splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected]) -> str:
        sections = [sizes(splits, SIGNALS), class_balance(splits), warnings(splits), rejections(rejected)]
        return "\n\n".join(section for section in sections if section)

    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the channels and the labels of the items, or the loaded one."""
        if base:
            refuse(base, changes(base, self.options.model))
            return base
        classes = Classes.of(item.target for item in items)
        if len(classes.symbols) < 2:
            cause = f"all signals are of one class, {classes.symbols[0]!r}"
            raise DataError(self.roots[0] if self.roots else "--data", cause, "give signals of others, too")
        first = signal_of(items[0])
        sizes = self.options.model.filled()
        front_end = front_end_sizes(sizes, first.channels)
        decoder = {"kind": "classifier", "heads": sizes.heads, "dropout": sizes.dropout}
        if sizes.random_kernels:
            lengths = sorted(min(LONGEST, int(item.duration)) for item in items)
            ratio = sizes.sample_rate / first.rate if sizes.sample_rate and first.rate else 1.0
            usual = max(1, round(ratio * lengths[len(lengths) // 2]))
            front_end |= {
                "random_kernels": sizes.random_kernels,
                "usual": usual,
                "labels": len(classes.symbols),
            }
            decoder["beside"] = True
        model = SignalModel(
            self.task, front_end, sizes.core(), decoder, classes, normalisation, self.options.name
        )
        train = self.usable([item for item in items if item.split != "valid"] or items, model)[0]
        model.front_end.fit([self.features(item, model) for item in train])
        if model.front_end.beside:
            model.front_end.beside.draw(torch.Generator().manual_seed(self.options.training.seed))
        return model

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """Those whose label the model has, and whose channels it reads."""
        kept, rejected = [], []
        for item in items:
            try:
                if item.target in model.alphabet:
                    self.features(item, model)
                    kept.append(item)
                else:
                    rejected.append(Rejected(named(item), f"the model has no class {item.target!r}"))
            except TriscribeError as error:
                rejected.append(Rejected(named(item), error.cause))
        return kept, rejected

    def scorable(self, items: list[Item], model: SequenceModel) -> list[Item]:
        return self.usable(items, model)[0]

    def source(self, item: Item) -> tuple:
        return str(item.path), item.index

    def settings(self, model: SequenceModel) -> dict:
        return {"sample_rate": model.front_end.sample_rate, "names": list(model.front_end.names)}

    def features(self, item: Item, model: SequenceModel) -> Tensor:
        """(time, 1 + channels) as the front end takes it; of a long signal its first part."""
        return parts_of(inputs_of(signal_of(item), model.front_end))[0]

    def samples(self, items: Sequence[Item], model: SequenceModel) -> list[Sample]:
        """Items as the network takes them."""
        return [Sample(self.features(item, model), model.alphabet.encode(item.target)[0]) for item in items]

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> SignalTask:
        parts = self.samples(train, model), self.samples(valid, model)
        options, training = self.options, self.options.training
        return SignalTask(model, *parts, options, batch_size=training.batch_size, seed=training.seed)

    def finish(self, model: SignalModel, splits: Mapping[str, list[Item]]) -> None:
        """Fit the linear model, and choose the share of the network; where there is a test, fit it again to
        all other signals.
        """
        if not model.front_end.beside:
            return
        loaded = self.options.load is not None
        train, valid = (self.samples(splits[name], model) for name in ("train", "valid"))
        fit_kernels(model, train, loaded)
        labels = torch.tensor([sample.label - 1 for sample in valid])
        model.decoder.share.fill_(1.0)
        share = chosen_share(kernels_alone(model, valid), judged(model, valid), labels)
        model.decoder.share.fill_(share)
        model.training_facts["share of the network"] = share
        if splits["test"] and not loaded:
            fit_kernels(model, train + valid)

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> SignalScores:
        found = judged(model, self.samples(items, model)).numpy()
        names = tuple(map(named, items))
        return SignalScores(split, model.alphabet.symbols, tuple(items), found[None], names)

    def scores(self, split: str, model: SignalModel, items: list[Item]) -> SignalScores:
        """Of the model, and of its linear model alone."""
        found = self.evaluated(split, model, items)
        if not model.front_end.beside:
            return found
        return replace(found, kernels=kernels_alone(model, self.samples(items, model)).numpy())

    def metrics(self, found: SignalScores, manifests: list[Manifest]) -> dict[str, dict]:
        rates = {"accuracy": str(found.accuracy), "macro-F1": f"{100 * found.macro_f1:.2f} %"}
        if found.kernels is not None:
            rates["random kernels"] = str(found.kernel_accuracy)
        return {found.split: rates}

    def last_scores(self, row: Mapping[str, float]) -> dict:
        error = row.get("averaged_error", row["error"])
        return {"accuracy": f"{100 * (1 - error):.2f} %"}

    def write_report(self, found: SignalScores, history: list[dict], facts: dict) -> Path:
        return write_signal_page(self.options.out / "report.html", found, history, facts)


def front_end_sizes(sizes: ModelOptions, channels: Sequence[str]) -> dict:
    """Kind and sizes of the front end: two convolutions, or more where the stride needs them."""
    halvings = sizes.stride.bit_length() - 1
    count = max(2, halvings)
    return {
        "kind": "signals",
        "channels": len(channels),
        "names": list(channels) if len(channels) <= 64 else [],
        "filters": [sizes.input_size] * count,
        "kernels": [sizes.kernel] + [min(5, sizes.kernel)] * (count - 1),
        "strides": [2 if place < halvings else 1 for place in range(count)],
        "scaling": sizes.scaling,
        "differences": sizes.differences,
        "sample_rate": float(sizes.sample_rate),
        "dropout": sizes.dropout,
    }


def signal_of(item: Item) -> Signal:
    """The signal of an item in memory.

    Raises:
        TriscribeError: its file cannot be read, or has no such signal.
    """
    found = _opened(item.path)
    if item.index is None and len(found) > 1:
        raise DataError(item.path, f"holds {len(found)} signals", "give a file of one")
    if (item.index or 0) >= len(found):
        raise DataError(item.path, f"has no signal {item.index + 1}", "make the list of items again")
    return found[item.index or 0]


def named(item: Item) -> str:
    """An item for messages: its file, and the number of its signal."""
    return str(item.path) if item.index is None else f"{item.path}: signal {item.index + 1}"


@lru_cache(20_000)
def _opened(path: Path) -> tuple[Signal, ...]:
    kind = kind_of(path)
    return tuple(each.whole() for each in open_signals(kind.source, kind.name))
