"""Language models: plain texts in, a model file out that writes, scores, and helps recognisers.

    python -m recipes.language --data book.txt --out exp/language

Tokens, the shared core in one direction, a softmax over the vocabulary. Texts are read on and on with
truncated back-propagation through time. Beside every model, n-grams learn from the same texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from torch import Tensor

from decoders.alphabet import Normalisation
from decoders.language.kneser_ney import KneserNey
from pipelines.errors import DataError
from pipelines.generation import generate
from pipelines.likelihood import read_books
from pipelines.media.books import read_book, size_of
from pipelines.media.passages import Passages
from pipelines.model import SequenceModel
from pipelines.reading.settings import LanguageOptions
from pipelines.reading.verbatim import LINE, Verbatim, characters_of, cleaned, subwords_of, words_of
from pipelines.results import ScoredText
from recipes.data.datasets import read_prose
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.data.prose_layouts import STRETCH
from recipes.language.ngrams import MOST, best_ngrams, nats_of
from recipes.language.options import LanguageRecipeOptions
from recipes.language.page import write_language_page
from recipes.language.scores import LanguageScores, Stretch, told
from recipes.language.task import LanguageTask
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import changes, refuse
from recipes.scoring.data_report import Measure, rejections, sizes

TEMPERATURES = (0.5, 0.8, 1.0)
SAMPLE = 500  # characters

STRETCHES = Measure(
    lambda item: item.duration,
    "",
    "characters",
    1.0,
    densest=float("inf"),
    least=500_000,
    least_unit="characters",
)


class LanguageRecipe(Recipe):
    """The recipe for language models."""

    task = LanguageRecipeOptions.task
    what = "texts"
    measure = STRETCHES
    options: LanguageRecipeOptions
    splits: dict[str, list[Item]]

    def read_data(self, folder: Path) -> Manifest:
        return read_prose(folder, self.options.layout)

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        """Those of which their files have as many as they say."""
        kept, rejected = [], []
        for item in items:
            text = self.text(item)
            if text:
                kept.append(replace(item, duration=float(len(text))))
            else:
                rejected.append(Rejected(str(item.path), f"has no stretch {item.index}"))
        return kept, rejected

    def prepared(self, items: list[Item], normalisation: Normalisation) -> tuple[list[Item], list[Rejected]]:
        return self.readable(items)

    def read_splits(self, manifests: list[Manifest], normalisation: Normalisation):
        """The stretches by split; where the data says nothing of splits, the last ones are held out."""
        items, rejected = self.prepared([item for each in manifests for item in each.items], normalisation)
        rejected = [bad for manifest in manifests for bad in manifest.rejected] + rejected
        named = {name: [item for item in items if item.split == name] for name in ("train", "valid", "test")}
        rest = named["train"] + [item for item in items if item.split is None]
        count = len(rest)
        if not named["valid"] and not named["test"]:
            held = round(count * self.options.test)
            rest, named["test"] = rest[: count - held], rest[count - held :]
        if not named["valid"]:
            if len(rest) < 2:
                cause = f"holds no more than {count * STRETCH:,} characters to learn from"
                raise DataError(manifests[0].root, cause, "give more text")
            held = max(1, round(count * self.options.valid))
            rest, named["valid"] = rest[: len(rest) - held], rest[len(rest) - held :]
        self.splits = {**named, "train": rest}
        return self.splits, rejected

    def text(self, item: Item) -> str:
        """The characters of a stretch as they are; "" where the file has no such stretch.

        Raises:
            DataError: its file cannot be read.
        """
        return _whole(item.path)[(item.index or 0) * STRETCH :][:STRETCH]

    def texts(self, items: Sequence[Item], normalisation: Normalisation) -> list[list[str]]:
        """The stretches that follow each other, in the form that a model reads, as texts of their own."""
        found: list[list[str]] = []
        last: Item | None = None
        for item in items:
            if last is None or (item.path, item.index) != (last.path, (last.index or 0) + 1):
                found.append([])
            found[-1].append(cleaned(self.text(item), normalisation))
            last = item
        return found

    def described(self, splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected]) -> str:
        return "\n\n".join(part for part in (sizes(splits, STRETCHES), rejections(rejected)) if part)

    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the symbols of the training texts, or the loaded one."""
        if base:
            refuse(base, changes(base, self.options.model))
            return base
        sizes = self.options.model.filled()
        texts = ["".join(text) for text in self.texts(self.splits["train"], normalisation)]
        make = {"characters": characters_of, "subwords": subwords_of, "words": words_of}[sizes.tokens]
        try:
            vocabulary = make(texts, sizes.vocabulary)
        except (RuntimeError, ValueError) as error:
            where = self.roots[0] if self.roots else "--data"
            raise DataError(where, str(error), "give more text, or --tokens characters") from error
        return SequenceModel(
            self.task,
            {
                "kind": "tokens",
                "output_size": sizes.input_size,
                "dropout": sizes.embedding_dropout,
                "lower": False,
            },
            sizes.core(),
            {"kind": "next_symbol", "dropout": sizes.dropout},
            vocabulary,
            normalisation,
            self.options.name,
            vocabulary=vocabulary,
        )

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        return items, []

    def source(self, item: Item) -> tuple:
        return str(item.path), item.index

    def settings(self, model: SequenceModel) -> dict:
        return {}

    def features(self, item: Item, model: SequenceModel) -> Tensor:
        raise TypeError("texts are read on and on, not stretch by stretch")

    def symbols(self, items: Sequence[Item], model: SequenceModel, lines: bool = False) -> list[np.ndarray]:
        """The symbols of the texts that stretches make up, or of their lines."""
        verbatim = Verbatim(model.vocabulary)
        texts = ["".join(text) for text in self.texts(items, model.normalisation)]
        if lines:
            texts = [line for text in texts for line in text.split("\n") if line.strip()]
        return [verbatim(text).ids for text in texts]

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> LanguageTask:
        stream, training = self.options.stream, self.options.training
        lines = stream.unit == "line"
        return LanguageTask(
            model,
            self.symbols(train, model, lines),
            self.symbols(valid, model, lines),
            Verbatim(model.vocabulary).first,
            lines=lines,
            window=stream.window,
            batch_size=training.batch_size,
            seed=training.seed,
        )

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> LanguageScores:
        texts = self.texts(items, model.normalisation)
        by_line = self.options.stream.unit == "line"
        parts = [LINE.findall("".join(text)) if by_line else ["".join(text)] for text in texts]
        passages = Passages(tuple(part for text in parts for part in text))
        (found,) = read_books([passages], model, LanguageOptions())
        scored, sizes = iter(found.texts), iter([self.size(item) for item in items])
        stretches = []
        for text, count in zip(texts, map(len, parts), strict=True):
            starts, nats, strange = _joined([next(scored) for _ in range(count)])
            ends = np.cumsum([len(each) for each in text])
            places = np.searchsorted(starts, [0, *ends])
            unknown = np.searchsorted(strange, places)
            for number, each in enumerate(text):
                first, last = places[number : number + 2]
                stretches.append(
                    Stretch(
                        each,
                        float(nats[first:last].sum(dtype=np.float64)),
                        int(last - first),
                        len(each.split()),
                        next(sizes),
                        int(unknown[number + 1] - unknown[number]),
                    )
                )
        return LanguageScores(split, Verbatim(model.vocabulary).unit, tuple(stretches))

    def size(self, item: Item) -> float:
        """The bytes of a file that are a stretch's share."""
        text = _whole(item.path)
        return _size(item.path) * len(self.text(item)) / len(text)

    def scores(self, split: str, model: SequenceModel, items: list[Item]) -> LanguageScores:
        """Of the model, and of n-grams that learnt from the same texts; with what the model writes."""
        found = self.evaluated(split, model, items)
        ngrams = best_ngrams(
            self.symbols(self.splits["train"], model),
            self.symbols(self.splits["valid"], model),
            Verbatim(model.vocabulary).first,
            len(model.alphabet),
        )
        prompt = found.stretches[0].text[:40].rpartition(" ")[0]
        samples = tuple(
            (temperature, str(generate(prompt, model, length=SAMPLE, temperature=temperature)))
            for temperature in TEMPERATURES
        )
        compared = list(self._with_ngrams(found.stretches, model, ngrams))
        stretches = (*compared, *found.stretches[len(compared) :])
        return replace(found, stretches=stretches, order=ngrams.order, samples=samples)

    def _with_ngrams(
        self, stretches: Sequence[Stretch], model: SequenceModel, ngrams: KneserNey
    ) -> Iterator[Stretch]:
        """Stretches with their surprisal by n-grams, as far as that is asked for."""
        verbatim = Verbatim(model.vocabulary)
        before, asked = [verbatim.first], 0
        for each in stretches:
            if asked >= MOST:
                return
            symbols = verbatim(each.text)
            nats = nats_of(ngrams, symbols.ids, before) + verbatim.spelling(each.text, symbols)
            before, asked = [*before, *symbols.ids.tolist()][-ngrams.order :], asked + len(symbols.ids)
            yield replace(each, ngrams=float(nats.sum()))

    def metrics(self, found: LanguageScores, manifests: list[Manifest]) -> dict[str, dict]:
        values = {"bits a character": told(found.bits), "nats a character": told(found.nats)}
        values["nats a byte"] = told(found.nats_per_byte)
        values[f"perplexity of a {found.unit}"] = f"{found.perplexity:.2f}"
        if found.ngram_bits:
            values[f"bits a character by {found.order}-grams"] = told(found.ngram_bits)
        return {found.split: values}

    def last_scores(self, row: Mapping[str, float]) -> dict:
        return {"nats a symbol": f"{row.get('averaged_nats', row['nats']):.4f}"}

    def write_report(self, found: LanguageScores, history: list[dict], facts: dict) -> Path:
        return write_language_page(self.options.out / "report.html", found, history, facts)


def _joined(texts: Sequence[ScoredText]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Starts and nats of the symbols of texts that follow each other, and which of them are unknown."""
    characters = np.cumsum([0, *(len(text.text) for text in texts)])
    symbols = np.cumsum([0, *(len(text.surprisals) for text in texts)])
    return (
        np.concatenate([np.array(text.starts) + at for text, at in zip(texts, characters, strict=False)]),
        np.concatenate([np.array(text.surprisals) for text in texts]),
        np.concatenate([np.array(text.unknown, int) + at for text, at in zip(texts, symbols, strict=False)]),
    )


@cache
def _whole(path: Path) -> str:
    return read_book(path)


@cache
def _size(path: Path) -> int:
    return size_of(path)
