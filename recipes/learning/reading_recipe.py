"""What all recipes that teach reading share: decoder and alphabet, training, error rates."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import torch

from decoders.alphabet import Alphabet, Normalisation
from decoders.ctc import frames_needed
from decoders.language import profile
from pipelines.errors import DataError
from pipelines.media.text import read_text
from pipelines.model import SequenceModel, load
from pipelines.reading.settings import NONE, OWN, SearchOptions
from recipes.data.downloads import find_data
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.learning.advice import not_learnt, too_little
from recipes.learning.carrying import carried, is_list
from recipes.learning.fitting import fitted
from recipes.learning.options import RecogniserOptions
from recipes.learning.reading_task import ReadingTask, Sample, Samples
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import redecoded, resized
from recipes.learning.teacher import Teacher
from recipes.scoring.error_rates import Evaluation, Scored, evaluate
from recipes.scoring.report_page import Attachment, write_page

AN4 = Path("an4")  # data that is found by its name
LENGTHS = torch.arange(100_000, 100_100)  # of inputs, by whose frames front ends are told apart


@dataclass(frozen=True)
class ReadingScores(Evaluation):
    """Error rates of a split without a language model.

    Attributes:
        decoding: how the text was searched for.
        helped: the same items with the language model that the model carries, if any.
    """

    decoding: str = "greedy"
    helped: Evaluation | None = None


class Recogniser(Recipe):
    """A recipe that teaches reading. What differs by modality is abstract."""

    options: RecogniserOptions
    training: type[ReadingTask]

    def __init__(self, options: RecogniserOptions):
        super().__init__(options)
        self.texts = [read_text(path) for path in options.texts]

    @abstractmethod
    def input_length(self, item: Item, model: SequenceModel) -> int:
        """How long the item is as the front end takes it."""

    @abstractmethod
    def recognised(self, model: SequenceModel, items: list[Item], **options) -> list[Scored]:
        """What the public function makes of the items."""

    @abstractmethod
    def attachment(self, item: Scored) -> Attachment:
        """What stands beside an item in the report."""

    def read_splits(self, manifests: list[Manifest], normalisation: Normalisation):
        """Besides, among those to learn from and to validate on, as many that the loaded model knows."""
        splits, rejected = super().read_splits(manifests, normalisation)
        chooser = random.Random(self.options.training.seed)
        known: dict[str, list[Item]] = {"train": [], "valid": []}
        for manifest in map(self._known, self.options.rehearse):
            theirs, _ = super().read_splits([manifest], normalisation)
            for name, items in known.items():
                items += theirs[name]
        for name, items in known.items():
            splits[name] += chooser.sample(items, min(len(items), len(splits[name])))
        return splits, rejected

    def _known(self, folder: Path) -> Manifest:
        return self._read(find_data(None if folder == AN4 else folder, AN4.name))

    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the items' alphabet, or the loaded one with its alphabet fitted to theirs."""
        alphabet = self.alphabet(items, base)
        model = self._loaded(base, alphabet, items) if base else self._new(normalisation, alphabet)
        if self.options.language_model and not model.decoder.by_frame:
            cause = "has nothing to weigh in an attention decoder, which learns the language itself"
            raise DataError("--language-model", cause, "leave it out, or take --decoder ctc or hybrid")
        return model

    def alphabet(self, items: list[Item], base: SequenceModel | None) -> Alphabet:
        """The alphabet of the items."""
        return Alphabet.of(item.target for item in items)

    def _loaded(self, base: SequenceModel, alphabet: Alphabet, items: list[Item]) -> SequenceModel:
        options = self.options
        model = fitted(resized(base, options.model, options.freeze), alphabet, items, options.alphabet)
        return redecoded(model, options.writing)

    def _new(self, normalisation: Normalisation, alphabet: Alphabet) -> SequenceModel:
        sizes = self.options.model.filled()
        front_end = {**sizes.front_end(), "output_size": sizes.input_size, "dropout": 0.1}
        decoder = {**self.options.writing.filled().sizes(), "dropout": sizes.dropout}
        return SequenceModel(
            self.task, front_end, sizes.core(), decoder, alphabet, normalisation, self.options.name
        )

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """Items that CTC can write: letters the alphabet has, and enough frames for them."""
        kept, rejected = [], []
        for item in items:
            unknown = model.alphabet.unknown(item.target)
            length = torch.tensor(self.input_length(item, model))
            if unknown:
                reason = f"characters outside the alphabet: {' '.join(map(repr, unknown))}"
                rejected.append(Rejected(str(item.path), reason))
            elif frames_needed(model.encode(item.target)) > model.front_end.output_lengths(length):
                rejected.append(Rejected(str(item.path), "too short for its text"))
            else:
                kept.append(item)
        return kept, rejected

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> ReadingTask:
        """The task with the features of all items in its cache."""
        reads = base is not None and _same_decoder(base, model)
        samples = self.samples(model, train, valid)
        return self.training(model, samples, self.options, self.teacher(model), reads)

    def samples(self, model: SequenceModel, train: list[Item], valid: list[Item]) -> Samples:
        """What the task works on, features being computed.

        Raises:
            DataError: the model cannot write a word of a further text.
        """
        further = tuple(model.normalisation(text) for text in self.texts)
        for path, text in zip(self.options.texts, further, strict=True):
            words = text.split() if " " in model.alphabet else text
            if all(map(model.alphabet.unknown, map(profile.fitted, words, repeat(model.alphabet)))):
                cause = "has no word in the characters of the training texts"
                raise DataError(path, cause, "give text in their script, or none")
        items = train + valid
        cache = self.cached(items, model)
        samples = [
            Sample(index, len(cache[index]), model.encode(item.target), item.group)
            for index, item in enumerate(items)
        ]
        texts = [item.target for item in valid]
        return Samples(samples[: len(train)], samples[len(train) :], texts, cache, further)

    def taken(self, model: SequenceModel) -> dict:
        """Plain values that tell what a front end takes."""
        return self.settings(model)

    def teacher(self, model: SequenceModel) -> Teacher | None:
        """Whom the model is to learn from.

        Raises:
            DataError: it takes other input, lacks characters, or does not read by CTC.
            ModelError: it cannot be used.
        """
        if not self.options.teacher:
            return None
        teacher = load(self.options.teacher)
        wrong = self._unlike(teacher, model)
        if wrong:
            cause, way = wrong
            raise DataError(self.options.teacher, f"cannot teach {self.options.name}: {cause}", way)
        return Teacher(teacher, model.alphabet.symbols, self.options.teaching)

    def _unlike(self, teacher: SequenceModel, model: SequenceModel) -> tuple[str, str] | None:
        """Why the one cannot teach the other, and the way out."""
        if teacher.task != model.task:
            return f"it is a model for {teacher.task}", f"name a model for {model.task}"
        if not (teacher.decoder.by_frame and model.decoder.by_frame):
            return "an attention decoder says nothing of frames", "take ctc or hybrid for both"
        if self.taken(teacher) != self.taken(model):
            return f"it takes {self.taken(teacher)}, not {self.taken(model)}", "make both alike"
        frames = [each.front_end.output_lengths(LENGTHS).tolist() for each in (teacher, model)]
        if frames[0] != frames[1]:
            return "it makes more or fewer frames of the same input", "make both alike"
        unknown = teacher.alphabet.unknown("".join(model.alphabet.symbols))
        if unknown:
            cause = f"it does not know {' '.join(map(repr, unknown))}"
            return cause, "teach it these characters first (--load, --alphabet union)"
        return None

    def finish(self, model: SequenceModel, splits: Mapping[str, list[Item]]) -> None:
        """Give the model its language model, if one is asked for."""
        model.language = None
        if self.options.language_model:
            texts = [item.target for item in splits["train"]]
            for path, text in zip(self.options.texts, self.texts, strict=True):
                if " " in model.alphabet and is_list(text):
                    print(f"{path}: is a list of words, which the language model does not count")
                else:
                    texts += map(model.normalisation, text.split("\n"))
            order, items = self.options.language_model, splits["valid"]

            def error() -> float:
                return evaluate("valid", self.recognised(model, items, language_model=OWN)).cer.value

            base = load(self.options.load) if self.options.load else None
            carried(model, texts, order, self.options.keep, error, base)

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> ReadingScores:
        """Error rates without a language model, and with the one that the model carries."""
        width = SearchOptions().width
        decoding = f"beam search, width {width}" if model.decoder.searches(width) else "greedy"
        helped = None
        if model.language:
            helped = evaluate(split, self.recognised(model, items, language_model=OWN))
        found = evaluate(split, self.recognised(model, items, language_model=NONE))
        return ReadingScores(found.split, found.items, found.wer, found.cer, decoding, helped)

    def facts(self, manifests: list[Manifest], splits: dict[str, list[Item]], history: list[dict]) -> dict:
        facts = super().facts(manifests, splits, history)
        names = [path.name for path in self.options.texts]
        return facts | ({"texts": ", ".join(names)} if names else {})

    def figures(self, split: str, model: SequenceModel, items: list[Item]) -> dict[str, str]:
        found = evaluate(split, self.recognised(model, items, language_model=NONE))
        return {"cer": str(found.cer), "wer": str(found.wer)}

    def metrics(self, found: ReadingScores, manifests: list[Manifest]) -> dict[str, dict]:
        """The rates of the split and of each data set alone, and those with the model's language model."""
        rates = self._by_data(found, manifests, found.decoding)
        if found.helped:
            helped = self._by_data(found.helped, manifests, "its own language model")
            rates |= {f"{name}, language model": rate for name, rate in helped.items()}
        return rates

    def _by_data(self, found: Evaluation, manifests: list[Manifest], decoding: str) -> dict[str, dict]:
        rates = {found.split: _rates(found, decoding)}
        for manifest in manifests if len(manifests) > 1 else ():
            items = [item for item in found.items if item.media and item.media.is_relative_to(manifest.root)]
            name = f"{found.split} {manifest.root.name}"
            if any(item.reference for item in items):
                rates[name] = _rates(evaluate(found.split, items), decoding)
            elif items:
                silent = sum(not item.hypothesis for item in items)
                rates[name] = {"nothing read": f"{silent} of {len(items)} without a text"}
        return rates

    def last_scores(self, row: Mapping[str, float]) -> dict:
        return {name: f"{100 * value:.2f} %" for name, value in row.items() if name.endswith(("wer", "cer"))}

    def advice_before(self, items: list[Item], loaded: bool) -> list[str]:
        return [] if loaded else too_little(items, self.measure)

    def advice_after(self, found: ReadingScores) -> list[str]:
        return not_learnt(found.cer.value, self.options)

    def write_report(self, found: Evaluation, history: list[dict], facts: dict) -> Path:
        return write_page(self.options.out / "report.html", found, history, facts, self.attachment)


def _same_decoder(*models: SequenceModel) -> bool:
    one, other = ({**model.sizes["decoder"], "dropout": None, "ctc_weight": None} for model in models)
    return one == other


def _rates(found: Evaluation, decoding: str) -> dict[str, str]:
    return {"cer": str(found.cer), "wer": str(found.wer), "decoding": decoding}
