"""What all recipes share: options, data sets and their splits, the run from data to model file and report."""

from __future__ import annotations

import platform
import sys
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import Normalisation
from pipelines.errors import DataError
from pipelines.media.text import decoding
from pipelines.model import SequenceModel, load
from pipelines.output_folder import is_output_folder
from recipes.data.corrected import CORRECTED, UNITS
from recipes.data.datasets import read_corrected
from recipes.data.downloads import find_data
from recipes.data.holding_out import hold_out
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.data.written_manifest import NAME as MANIFEST
from recipes.data.written_manifest import write_manifest
from recipes.learning.cache import FeatureCache
from recipes.learning.checkpoint import NAME as CHECKPOINT
from recipes.learning.checkpoint import matching
from recipes.learning.fingerprint import Fingerprint
from recipes.learning.locking import locked
from recipes.learning.options import RecipeOptions
from recipes.learning.presets import kept_options
from recipes.learning.training import Task, checked_device, kept_settings, train
from recipes.scoring.data_report import Measure, describe


class Scores(Protocol):
    """How good a model is on a split."""

    split: str

    def summary(self) -> str:
        """For a terminal."""


class Recipe(ABC):
    """A recipe with its options. What differs by task is abstract."""

    task: str
    what: str
    """Of which data sets are made, for errors."""
    measure: Measure
    stored: type = np.float16
    """Kind of number in which features are kept."""
    targets_are_classes: bool | None = None
    """Whether validation is held out class by class; None decides by how often targets repeat."""
    roots: Sequence[Path] = ()
    """Folders of the data sets."""

    def __init__(self, options: RecipeOptions):
        self.options = options

    def manifests(self) -> list[Manifest]:
        """The data sets, one a folder."""
        folders = [find_data(folder, self.task) for folder in self.options.data] or [self.default_data()]
        return [self._read(folder) for folder in folders]

    def _read(self, folder: Path) -> Manifest:
        """The data set in a folder, which may be an output folder of triscribe."""
        if self.options.layout not in (None, CORRECTED) or not is_output_folder(folder):
            return self.read_data(folder)
        if self.task not in UNITS:
            cause = f"is an output folder, and {self.task} does not learn from corrected results"
            raise DataError(folder, cause, "give data, and its --layout if it lies in this folder")
        return read_corrected(folder, self.task)

    def normalisation(self, base: SequenceModel | None) -> Normalisation:
        """How texts are normalised for the loaded model, or a new one."""
        return self.options.normalisation(base.normalisation if base else None)

    def default_data(self) -> Path:
        """The folder that is meant where none is given."""
        raise DataError("--data", "names no folder", f"give the folder of your {self.what}")

    @abstractmethod
    def read_data(self, folder: Path) -> Manifest:
        """The data set in a folder."""

    @abstractmethod
    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        """Items whose media can be read, with their lengths: known before training, not in its midst."""

    @abstractmethod
    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the items, or the loaded one fitted to them."""

    @abstractmethod
    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """Items that the model can learn from."""

    @abstractmethod
    def source(self, item: Item) -> tuple:
        """What tells the item's features from others': its file, and its place in it."""

    @abstractmethod
    def settings(self, model: SequenceModel) -> dict:
        """Plain values that features depend on."""

    @abstractmethod
    def features(self, item: Item, model: SequenceModel) -> Tensor:
        """(length, features) of the item, to be kept as `stored`."""

    @abstractmethod
    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> Task:
        """What is trained.

        Args:
            base: the loaded model, if the model was made of one.
        """

    def finish(self, model: SequenceModel, splits: Mapping[str, list[Item]]) -> None:  # noqa: B027
        """What a trained model is given besides its weights."""

    @abstractmethod
    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> Scores:
        """How well the model does on items, by the public function.

        Args:
            split: the name of the items for the report.
        """

    def scores(self, split: str, model: SequenceModel, items: list[Item]) -> Scores:
        """How well the trained model does, and whatever the recipe compares it with."""
        return self.evaluated(split, model, items)

    def figures(self, split: str, model: SequenceModel, items: list[Item]) -> dict[str, str]:
        """The main scores of `evaluated`, to be compared before and after fine-tuning."""
        return self.metrics(self.evaluated(split, model, items), [])[split]

    @abstractmethod
    def metrics(self, found: Scores, manifests: list[Manifest]) -> dict[str, dict]:
        """Plain values for the model file: split -> metric -> value."""

    @abstractmethod
    def last_scores(self, row: Mapping[str, float]) -> dict:
        """The validation scores of an epoch as plain values for the model file."""

    @abstractmethod
    def write_report(self, found: Scores, history: list[dict], facts: dict) -> Path:
        """Write `report.html`; returns its path."""

    def run(self) -> Scores:
        """Train, save `<out>/<name>.safetensors`, evaluate once, and write `<out>/report.html`.

        The evaluation is on the test split, or on the validation split where the data has no test.

        The items with their splits are written to `<out>/manifest.jsonl`, which can be given as data.

        Raises:
            DataError: the data, or a checkpoint, does not fit; or another training is at work in `out`.
            ModelError: `load` names no usable model.
        """
        training = self.options.training
        device = checked_device(training)
        encoding = getattr(self.options, "encoding", "")
        with locked(self.options.out), kept_settings(training.threads, device), decoding(encoding):
            return self._run()

    def _run(self) -> Scores:
        options = self.options
        torch.manual_seed(options.training.seed)
        base = load(options.load) if options.load else None
        if base and base.task != self.task:
            cause = f"is a model for {base.task}, not for {self.task}"
            raise DataError(options.load, cause, f"give --load a model for {self.task}")
        normalisation = self.normalisation(base)
        manifests = self.manifests()
        self.roots = [manifest.root for manifest in manifests]
        splits, rejected = self.read_splits(manifests, normalisation)
        if not any(item.target for item in splits["train"]):
            _check_usable(splits, manifests[0].root)
        model = self.build(base, normalisation, splits["train"] + splits["valid"])
        model.normalisation = normalisation
        for line in self.told_unchecked(manifests):
            print(line, file=sys.stderr)
        for name in ("train", "valid"):
            splits[name], unusable = self.usable(splits[name], model)
            rejected += unusable
        for manifest in manifests:
            print(f"{manifest.root.name}: {manifest.layout} layout")
        training = options.training.for_items(len(splits["train"]))
        options = self.options = replace(options, training=training)
        shown = {name: items for name, items in splits.items() if items}
        print("\n" + self.described(shown, rejected))
        for line in self.advice_before(splits["train"], base is not None):
            print("\n" + line)
        _check_usable(splits, manifests[0].root)
        made_from = self.fingerprint(model, splits["train"] + splits["valid"])
        matching(options.out / CHECKPOINT, made_from, options.training.resume)  # before features take time
        held = {name: [replace(item, split=name) for item in items] for name, items in splits.items()}
        write_manifest(options.out / MANIFEST, [item for items in held.values() for item in items])
        task = self.training_task(model, splits["train"], splits["valid"], base)
        print(f"{model.parameters_count:,} parameters\n")
        before = {}
        if base:  # what it can do before it learns on
            scorable = {name: self.scorable(splits[name], base) for name in ("valid", "test")}
            compared = {name: items for name, items in scorable.items() if any(item.target for item in items)}
            before = {name: self.figures(name, base, items) for name, items in compared.items()}
        history = train(task, options.training, options.out, made_from)
        model.name = options.name
        model.training_facts = self.facts(manifests, splits, history)
        self.finish(model, splits)
        path = options.out / f"{options.name}.safetensors"
        model.save(path, self.options.bits)
        split = "test" if any(item.target for item in splits["test"]) else "valid"
        trained = load(path)
        found = self.scores(split, trained, splits[split])
        model.metrics = self.metrics(found, manifests)
        model.metrics.setdefault("valid", self.last_scores(history[-1]))
        print(found.summary())
        for name, figures in before.items():
            after = self.figures(name, trained, compared[name])
            told = ", ".join(f"{figure} {value} -> {after[figure]}" for figure, value in figures.items())
            print(f"{name}, before -> after fine-tuning: {told}")
            model.metrics[f"{name}, before fine-tuning"] = figures
        model.save(path, self.options.bits)
        for line in self.advice_after(found):
            print(line)
        for name, scores in model.metrics.items():
            print(f"{name}: " + ", ".join(f"{metric} {score}" for metric, score in scores.items()))
        shown = {"model": options.name, **model.training_facts, "parameters": f"{model.parameters_count:,}"}
        shown["size"] = f"{path.stat().st_size / 1e6:.1f} MB"
        shown["items"] = ", ".join(f"{count} {name}" for name, count in shown["items"].items())
        shown.pop("options")
        shown["before"] = before.get(found.split)
        report = self.write_report(found, history, shown)
        print(f"\nmodel:  {path}\nreport: {report}")
        return found

    def told_unchecked(self, manifests: list[Manifest]) -> list[str]:
        """What output folders hold that nobody has checked, and what becomes of it."""
        told = []
        for manifest in manifests:
            if manifest.layout == CORRECTED and manifest.unchecked:
                count, total = len(manifest.unchecked), len(manifest.unchecked) + len(manifest.items)
                one, many = UNITS[self.task]
                becomes = "left out; --unchecked keep"
                if self.options.unchecked == "keep":
                    becomes = "kept for training, not for validation"
                verb = "is" if count == 1 else "are"
                told.append(f"{count} of {total} {many if total != 1 else one} {verb} unchecked: {becomes}")
        return told

    def scorable(self, items: list[Item], model: SequenceModel) -> list[Item]:
        """Items whose target the model could give at all; others would only count as errors of the data."""
        return items

    def advice_before(self, items: list[Item], loaded: bool) -> list[str]:
        """What to tell somebody who is about to train a new model, or a loaded one, on these items."""
        return []

    def advice_after(self, found: Scores) -> list[str]:
        """What to tell somebody whose model has not learnt."""
        return []

    def prepared(self, items: list[Item], normalisation: Normalisation) -> tuple[list[Item], list[Rejected]]:
        """Items whose media can be read, with normalised texts, and those rejected."""
        kept, rejected = self.readable(items)
        items = []
        for item in kept:
            text = self.normalised(item.target, normalisation)
            control = [symbol for symbol in text if unicodedata.category(symbol) in ("Cc", "Cs")]
            if control:
                rejected.append(Rejected(str(item.path), f"control character {control[0]!r} in its text"))
            elif text or not item.target:
                items.append(replace(item, target=text))
            else:
                rejected.append(Rejected(str(item.path), "no text is left after normalisation"))
        return items, rejected

    def read_splits(self, manifests: list[Manifest], normalisation: Normalisation):
        """The items by split, with normalised texts, and those rejected."""
        items, rejected = self.prepared([item for each in manifests for item in each.items], normalisation)
        rejected = [bad for manifest in manifests for bad in manifest.rejected] + rejected
        splits = {name: [item for item in items if item.split == name] for name in ("train", "valid", "test")}
        splits["train"] += [item for item in items if item.split is None]
        if not splits["valid"]:
            if len(splits["train"]) < 2:
                reasons = "; ".join(f"{bad.path}: {bad.reason}" for bad in rejected[:3]) or "it has no others"
                cause = f"{len(splits['train'])} usable training items ({reasons})"
                raise DataError(manifests[0].root, cause, "give at least two")
            splits["train"], splits["valid"] = hold_out(
                splits["train"], self.options.valid, self.options.training.seed, self.targets_are_classes
            )
        if self.options.unchecked == "keep":
            read = [each for part in manifests for each in part.unchecked if each.target.strip()]
            kept, unusable = self.prepared(read, normalisation)
            splits["train"] += [replace(item, split="train") for item in kept]
            rejected += unusable
        return splits, rejected

    def described(self, splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected]) -> str:
        """What is about to be trained on, and what was left out."""
        return describe(splits, rejected, self.measure)

    def normalised(self, text: str, normalisation: Normalisation) -> str:
        """A text as the model is to write it."""
        return normalisation(text)

    def cached(
        self, items: Sequence[Item], model: SequenceModel, mirrors: Sequence[Item] = ()
    ) -> FeatureCache:
        """The features of the items, in their order, and behind them of those seen in a mirror too."""
        computed = {self.source(item): partial(self.features, item, model) for item in items}
        sources = [self.source(item) for item in items]
        for item in mirrors:
            sources.append((*self.source(item), "mirrored"))
            computed[sources[-1]] = partial(self.features, item, model, mirrored=True)
        folder = self.options.out / "cache"
        return FeatureCache(
            folder, sources, self.settings(model), lambda source: computed[source](), self.stored
        )

    def fingerprint(self, model: SequenceModel, items: Sequence[Item]) -> Fingerprint:
        """What training this model on these items depends on."""
        return Fingerprint.of(self.options, model, items, self.roots)

    def facts(self, manifests: list[Manifest], splits: dict[str, list[Item]], history: list[dict]) -> dict:
        """Plain values about the training, for the model file and the report."""
        total = sum(self.measure.of(item) or 0.0 for item in splits["train"])
        threads = torch.get_num_threads()
        computed = f"{threads} thread{'s' * (threads != 1)}", platform.machine(), f"torch {torch.__version__}"
        return {
            "data": ", ".join(manifest.root.name for manifest in manifests),
            "licence": self.options.licence,
            **({"unchecked": "; ".join(told)} if (told := self.told_unchecked(manifests)) else {}),
            "items": {name: len(items) for name, items in splits.items()},
            self.measure.total: round(total / self.measure.in_total, 2),
            "epochs": len(history),
            "minutes": round(sum(row["seconds"] for row in history) / 60, 1),
            "machine": ", ".join(computed),
            "base": Path(self.options.load).name if self.options.load else "none",
            "options": kept_options(self.options),
        }


def _check_usable(splits: Mapping[str, Sequence[Item]], root: Path) -> None:
    """Raises a DataError where there is nothing to train or to validate on."""
    for name in ("train", "valid"):
        if not any(item.target for item in splits[name]):
            if splits[name]:
                raise DataError(root, f"no {name} item with a text", "write down what some of them say")
            raise DataError(root, f"no usable {name} items", "see the reasons above")
