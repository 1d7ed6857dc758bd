"""What all recipes that teach reading share: options, splits, alphabet, training, evaluation, report."""

from __future__ import annotations

import platform
import sys
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import tyro
from torch import Tensor
from tyro.conf import OmitArgPrefixes

from decoders.alphabet import Alphabet, Normalisation
from decoders.ctc import frames_needed
from pipelines.errors import DataError, TriscribeError
from pipelines.model import SequenceModel, load
from recipes.cache import FeatureCache
from recipes.ctc_task import CTCTask, Sample
from recipes.downloads import find_data
from recipes.evaluation import Evaluation, Scored, evaluate
from recipes.evaluation_page import Attachment, write_page
from recipes.manifest import Item, Manifest, Rejected, hold_out
from recipes.report import Measure, describe
from recipes.training import TrainingOptions, train


@dataclass(frozen=True)
class CoreOptions:
    """Sizes of a new model; ignored with --load."""

    hidden_size: int = 224
    """Memory cells of each layer and direction."""
    num_layers: int = 3
    """Layers of the core."""
    cell: Literal["lstm", "gru"] = "lstm"
    """Kind of cell."""
    bidirectional: bool = True
    """Read each item both ways; a model that reads one way can stream."""
    bptt_window: int | None = None
    """Frames of truncated back-propagation through time, for one-directional cores."""
    dropout: float = 0.35
    """Between layers and before the output."""
    input_size: int = 256
    """Features that the core reads."""

    def __post_init__(self):
        for name in ("hidden_size", "num_layers", "input_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is a share from 0 to below 1, not {self.dropout}")
        if self.bptt_window is not None and (self.bidirectional or self.bptt_window < 1):
            raise ValueError("bptt_window needs --no-bidirectional and at least 1 frame")


@dataclass(frozen=True)
class RecogniserOptions:
    """What every recipe that teaches reading can be told."""

    data: tuple[Path, ...] = ()
    """Folders of media and texts."""
    out: Path = Path("exp")
    """Folder for the model, checkpoint, log and report."""
    layout: str | None = None
    """Force a layout instead of finding it out."""
    name: str = "model"
    """Name of the model file."""
    licence: str = "not stated"
    """Licence of the data, kept in the model file."""
    load: str | None = None
    """Fine-tune this model: a file or a bundled name."""
    alphabet: Literal["fail", "union", "new"] = "fail"
    """When the data's characters differ from those of --load: fail says which; union adds the new
    ones; new keeps only the data's."""
    case: Literal["keep", "upper", "lower"] = "keep"
    """Case of the texts."""
    form: Literal["NFC", "NFD", "NFKC", "NFKD"] = "NFC"
    """Unicode normal form of the texts."""
    valid: float = 0.06
    """Share of the training items, by group, held out for validation where the data has none."""
    consistency: float = 0.2
    """Weight that draws two masked views of an item towards each other (CR-CTC); 0 turns it off."""
    shortcut: float = 0.0
    """Weight of a second CTC loss, on what the front end alone reads; 0 turns it off."""
    training: TrainingOptions = field(default_factory=TrainingOptions)

    def __post_init__(self):
        if not 0 < self.valid < 1:
            raise ValueError(f"valid is a share between 0 and 1, not {self.valid}")
        for name in ("consistency", "shortcut"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")


class Recogniser(ABC):
    """A recipe with its options. What differs by modality is abstract."""

    task: str
    what: str
    """Of which data sets are made, for errors."""
    measure: Measure
    training: type[CTCTask]
    stored: type = np.float16
    """Kind of number in which features are kept."""

    def __init__(self, options: RecogniserOptions):
        self.options = options

    def manifests(self) -> list[Manifest]:
        """The data sets, one a folder."""
        folders = [find_data(folder, self.task) for folder in self.options.data] or [self.default_data()]
        return [self.read_data(folder) for folder in folders]

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
    def front_end(self) -> dict:
        """Kind and sizes of a new model's front end."""

    @abstractmethod
    def input_length(self, item: Item, model: SequenceModel) -> int:
        """How long the item is as the front end takes it."""

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
    def recognised(self, model: SequenceModel, items: list[Item]) -> list[Scored]:
        """What the public function makes of the items."""

    @abstractmethod
    def attachment(self, item: Scored) -> Attachment:
        """What stands beside an item in the report."""

    def run(self) -> Evaluation:
        """Train, save `<out>/<name>.safetensors`, evaluate once, and write `<out>/report.html`.

        The evaluation is on the test split, or on the validation split where the data has no test.

        Raises:
            DataError: the data, or a checkpoint, does not fit.
            ModelError: `load` names no usable model.
        """
        options = self.options
        torch.manual_seed(options.training.seed)
        base = load(options.load) if options.load else None
        normalisation = base.normalisation if base else Normalisation(options.form, options.case)
        manifests = self.manifests()
        splits, rejected = self.read_splits(manifests, normalisation)
        model = self.build(base, normalisation, splits["train"] + splits["valid"])
        for name in ("train", "valid"):
            splits[name], unusable = self.usable(splits[name], model)
            rejected += unusable
        for manifest in manifests:
            print(f"{manifest.root.name}: {manifest.layout} layout")
        shown = {name: items for name, items in splits.items() if items}
        print("\n" + describe(shown, rejected, self.measure))
        for name in ("train", "valid"):
            if not splits[name]:
                raise DataError(manifests[0].root, f"no usable {name} items", "see the reasons above")
        task = self.training_task(model, splits["train"], splits["valid"])
        print(f"{model.parameters_count:,} parameters\n")
        if base:
            task.evaluate()  # a model that reads well already need not be eased in
        history = train(task, options.training, options.out)
        model.cpu()
        model.name = options.name
        model.training_facts = self.facts(manifests, splits, history)
        path = options.out / f"{options.name}.safetensors"
        model.save(path)
        split = "test" if splits["test"] else "valid"
        found = evaluate(split, self.recognised(load(path), splits[split]))
        model.metrics = {split: _rates(found)}
        if len(manifests) > 1:
            model.metrics |= _by_set(found, manifests)
        model.metrics["valid"] = model.metrics.get("valid") or dict(_last_scores(history))
        model.save(path)
        print(found.summary())
        for name, scores in model.metrics.items():
            print(f"{name}: " + ", ".join(f"{metric} {score}" for metric, score in scores.items()))
        shown = {**model.training_facts, "parameters": f"{model.parameters_count:,}"}
        shown["size"] = f"{path.stat().st_size / 1e6:.1f} MB"
        shown["items"] = ", ".join(f"{count} {name}" for name, count in shown["items"].items())
        shown.pop("options")
        report = write_page(options.out / "report.html", found, history, shown, self.attachment)
        print(f"\nmodel:  {path}\nreport: {report}")
        return found

    def read_splits(self, manifests: list[Manifest], normalisation: Normalisation):
        """The items by split, with normalised texts, and those rejected."""
        kept, unreadable = self.readable([item for manifest in manifests for item in manifest.items])
        rejected = [bad for manifest in manifests for bad in manifest.rejected] + unreadable
        items = []
        for item in kept:
            text = normalisation(item.text)
            control = [symbol for symbol in text if unicodedata.category(symbol) in ("Cc", "Cs")]
            if control:
                rejected.append(Rejected(str(item.path), f"control character {control[0]!r} in its text"))
            elif text:
                items.append(replace(item, text=text))
            else:
                rejected.append(Rejected(str(item.path), "no text is left after normalisation"))
        splits = {name: [item for item in items if item.split == name] for name in ("train", "valid", "test")}
        splits["train"] += [item for item in items if item.split is None]
        if not splits["valid"]:
            if len(splits["train"]) < 2:
                reasons = "; ".join(f"{bad.path}: {bad.reason}" for bad in rejected[:3]) or "it has no others"
                cause = f"{len(splits['train'])} usable training items ({reasons})"
                raise DataError(manifests[0].root, cause, "give at least two")
            splits["train"], splits["valid"] = hold_out(
                splits["train"], self.options.valid, self.options.training.seed
            )
        return splits, rejected

    def build(self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]):
        """A new model for the items' alphabet, or the loaded one with its alphabet fitted to theirs."""
        alphabet = Alphabet.of(item.text for item in items)
        if base:
            return fitted(base, alphabet, items, self.options.alphabet)
        sizes = self.options.model
        front_end = {**self.front_end(), "output_size": sizes.input_size, "dropout": 0.1}
        core = {
            "kind": "bilstm",
            "hidden_size": sizes.hidden_size,
            "num_layers": sizes.num_layers,
            "dropout": sizes.dropout,
            "cell": sizes.cell,
            "bidirectional": sizes.bidirectional,
            "bptt_window": sizes.bptt_window,
        }
        decoder = {"kind": "ctc", "dropout": sizes.dropout}
        return SequenceModel(self.task, front_end, core, decoder, alphabet, normalisation, self.options.name)

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """Items that CTC can write: letters the alphabet has, and enough frames for them."""
        kept, rejected = [], []
        for item in items:
            unknown = model.alphabet.unknown(item.text)
            length = torch.tensor(self.input_length(item, model))
            if unknown:
                reason = f"characters outside the alphabet: {' '.join(map(repr, unknown))}"
                rejected.append(Rejected(str(item.path), reason))
            elif frames_needed(model.encode(item.text)) > model.front_end.output_lengths(length):
                rejected.append(Rejected(str(item.path), "too short for its text"))
            else:
                kept.append(item)
        return kept, rejected

    def training_task(self, model: SequenceModel, train: list[Item], valid: list[Item]) -> CTCTask:
        """The task with the features of all items in its cache."""
        options, items = self.options, train + valid
        sources = [self.source(item) for item in items]
        by_source = dict(zip(sources, items, strict=True))
        cache = FeatureCache(
            options.out / "cache",
            sources,
            self.settings(model),
            lambda source: self.features(by_source[source], model),
            self.stored,
        )
        samples = [
            Sample(index, len(cache[index]), model.encode(item.text), item.group)
            for index, item in enumerate(items)
        ]
        return self.training(
            model,
            samples[: len(train)],
            samples[len(train) :],
            [item.text for item in valid],
            cache,
            options.augmentation,
            options.consistency,
            options.shortcut,
            options.training.batch_size,
            options.training.seed,
        )

    def facts(self, manifests: list[Manifest], splits: dict[str, list[Item]], history: list[dict]) -> dict:
        """Plain values about the training, for the model file and the report."""
        varied = {"training", "augmentation", "consistency", "shortcut"}
        options = {name: value for name, value in asdict(self.options).items() if name in varied}
        total = sum(self.measure.of(item) or 0.0 for item in splits["train"])
        return {
            "data": ", ".join(manifest.root.name for manifest in manifests),
            "licence": self.options.licence,
            "items": {name: len(items) for name, items in splits.items()},
            self.measure.total: round(total / self.measure.in_total, 2),
            "epochs": len(history),
            "minutes": round(sum(row["seconds"] for row in history) / 60, 1),
            "machine": f"{torch.get_num_threads()} threads, {platform.machine()}, torch {torch.__version__}",
            "base": self.options.load or "none",
            "options": options,
        }


def command(recipe: type[Recogniser], options: type, name: str, arguments: Sequence[str] | None) -> int:
    """Run a recipe as a command; returns its exit code."""
    chosen = tyro.cli(OmitArgPrefixes[options], prog=f"triscribe train {name}", args=arguments)
    try:
        recipe(chosen).run()
    except TriscribeError as error:
        print(f"triscribe: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130
    return 0


def fitted(base: SequenceModel, alphabet: Alphabet, items: list[Item], rule: str) -> SequenceModel:
    """The base with an alphabet for new data; outputs of shared symbols keep their weights."""
    merge = base.alphabet.merge(alphabet)
    for symbol in merge.added:
        holders = [item for item in items if symbol in item.text]
        print(f"only in the data:  {symbol!r}  in {len(holders)} items, e.g. {holders[0].path}")
    if merge.unused:
        print(f"only in the model: {' '.join(map(repr, merge.unused))}")
    if not merge.added and rule != "new":
        return base
    if rule == "fail":
        raise DataError(
            items[0].path.parent,
            f"has characters that {base.name} cannot write: {' '.join(map(repr, merge.added))}",
            "add --alphabet union to teach them, or --alphabet new to keep only the data's characters",
        )
    chosen = merge.alphabet if rule == "union" else alphabet
    model = SequenceModel(base.task, **base.sizes, alphabet=chosen, normalisation=base.normalisation)
    weights = base.state_dict()
    for name in ("decoder.project.weight", "decoder.project.bias"):
        fresh = model.state_dict()[name].clone()
        fresh[0] = weights[name][0]
        for index, symbol in enumerate(chosen.symbols, start=1):
            if symbol in base.alphabet:
                fresh[index] = weights[name][base.alphabet.encode(symbol)[0]]
        weights[name] = fresh
    model.load_state_dict(weights)
    return model


def _rates(found: Evaluation) -> dict[str, str]:
    return {"cer": str(found.cer), "wer": str(found.wer), "decoding": "greedy"}


def _by_set(found: Evaluation, manifests: list[Manifest]) -> dict[str, dict]:
    """The rates of each data set alone."""
    rates = {}
    for manifest in manifests:
        items = [item for item in found.items if item.media and item.media.is_relative_to(manifest.root)]
        if items:
            rates[f"{found.split} {manifest.root.name}"] = _rates(evaluate(found.split, items))
    return rates


def _last_scores(history: list[dict]):
    for name, value in history[-1].items():
        if name.endswith(("wer", "cer")):
            yield name, f"{100 * value:.2f} %"
