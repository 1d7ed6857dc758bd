"""Tagging: sentences with a label for each token in, a model file out.

    python -m recipes.tagging --data train.conllu dev.conllu --out exp/tagging

Words with their beginnings and ends, the shared core, a conditional random field. All scores are for the
tokens of the data; on plain text, where `tag` finds the tokens itself, some more are wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from torch import Tensor

from decoders.alphabet import Normalisation
from decoders.vocabulary import Classes, Words
from pipelines.errors import DataError
from pipelines.media.sentences import Sentence, read_sentences
from pipelines.model import SequenceModel
from pipelines.reading.tokens import plain
from pipelines.text import tokenizer_of
from recipes.data.datasets import read_tags
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import changes, refuse
from recipes.scoring.data_report import Measure, bar, rejections, shown, sizes, warnings
from recipes.tagging.options import TaggingRecipeOptions
from recipes.tagging.page import write_tagging_page
from recipes.tagging.scores import TaggingScores
from recipes.tagging.task import Sample, TaggingTask, tagged

LONGEST = 400  # tokens of a sentence that is learnt from
CLASSES = 40  # in the data report

SENTENCES = Measure(lambda item: len(item.target), "", "tokens", 1.0, densest=float("inf"))


class TaggingRecipe(Recipe):
    """The recipe for labels of tokens."""

    task = TaggingRecipeOptions.task
    what = "sentences"
    measure = SENTENCES
    targets_are_classes = False
    options: TaggingRecipeOptions

    def read_data(self, folder: Path) -> Manifest:
        return read_tags(folder, self.options.layout, self.options.column)

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        kept, rejected = [], []
        for item in items:
            if len(item.target) <= LONGEST:
                kept.append(item)
            else:
                rejected.append(Rejected(named(item), f"has more than {LONGEST} tokens"))
        return kept, rejected

    def prepared(self, items: list[Item], normalisation: Normalisation) -> tuple[list[Item], list[Rejected]]:
        """Those that are not too long; labels are kept as they are."""
        return self.readable(items)

    def words(self, item: Item) -> tuple[str, ...]:
        """The tokens of an item.

        Raises:
            DataError: its file has no such sentence.
        """
        sentences = _sentences(item.path, self.options.column)
        if item.index is None or item.index >= len(sentences):
            raise DataError(item.path, f"has no sentence {item.index}", "make the list of items again")
        return sentences[item.index].words

    def described(self, splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected]) -> str:
        sections = [sizes(splits, SENTENCES), _balance(splits), warnings(splits), rejections(rejected)]
        return "\n\n".join(section for section in sections if section)

    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the words and the labels of the items, or the loaded one."""
        if base:
            refuse(base, changes(base, self.options.model))
            return base
        classes = Classes.of(label for item in items for label in item.target)
        if len(classes.symbols) < 2:
            cause = f"all tokens have the label {classes.symbols[0]!r}"
            raise DataError(self.roots[0] if self.roots else "--data", cause, "give some with others, too")
        sizes = self.options.model.filled()
        front_end = {
            "kind": "tokens",
            "output_size": sizes.input_size,
            "pairs": sizes.pairs,
            "affixes": sizes.affixes,
            "dropout": sizes.dropout,
            "hidden": sizes.hidden,
            "lower": sizes.lower,
        }
        counts = Counter(plain(word, sizes.lower) for item in items for word in self.words(item))
        words = [word for word in counts if word.split() == [word]]
        return SequenceModel(
            self.task,
            front_end,
            sizes.core(),
            {"kind": sizes.decoder, "dropout": sizes.dropout},
            classes,
            normalisation,
            self.options.name,
            vocabulary=Words(sorted(words, key=lambda word: (-counts[word], word))[: sizes.vocabulary]),
        )

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """Those all of whose labels the model has."""
        kept, rejected = [], []
        for item in items:
            unknown = [label for label in item.target if label not in model.alphabet]
            if unknown:
                rejected.append(Rejected(named(item), f"the model has no label {unknown[0]!r}"))
            else:
                kept.append(item)
        return kept, rejected

    def source(self, item: Item) -> tuple:
        return str(item.path), item.index

    def settings(self, model: SequenceModel) -> dict:
        return {"lower": model.front_end.lower, "affixes": model.front_end.affixes}

    def features(self, item: Item, model: SequenceModel) -> Tensor:
        """(time, ...) what the front end takes of the tokens."""
        tokenizer = tokenizer_of(model)
        return tokenizer.inputs(tokenizer.words(self.words(item)))

    def samples(self, items: Sequence[Item], model: SequenceModel) -> list[Sample]:
        """Items as the network takes them; labels that it does not have are left out of account."""
        return [
            Sample(
                self.features(item, model),
                [model.alphabet.encode(label)[0] if label in model.alphabet else 0 for label in item.target],
            )
            for item in items
        ]

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> TaggingTask:
        parts = self.samples(train, model), self.samples(valid, model)
        return TaggingTask(model, *parts, self.options.training.batch_size, self.options.training.seed)

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> TaggingScores:
        names = model.alphabet.symbols
        found = tagged(model, self.samples(items, model))
        labels = tuple(tuple(names[id - 1] for id in ids) for ids in found)
        return TaggingScores(split, tuple(items), tuple(map(self.words, items)), labels)

    def metrics(self, found: TaggingScores, manifests: list[Manifest]) -> dict[str, dict]:
        spans = {"span F1": str(found.f1)} if found.marks_spans else {}
        return {found.split: spans | {"accuracy": str(found.accuracy)}}

    def last_scores(self, row: Mapping[str, float]) -> dict:
        error = row.get("averaged_error", row["error"])
        return {"accuracy": f"{100 * (1 - error):.2f} %"}

    def write_report(self, found: TaggingScores, history: list[dict], facts: dict) -> Path:
        return write_tagging_page(self.options.out / "report.html", found, history, facts)


def named(item: Item) -> str:
    """An item for messages: its file, and the number of its sentence."""
    return f"{item.path}: sentence {(item.index or 0) + 1}"


@cache
def _sentences(path: Path, column: str | None) -> list[Sentence]:
    return read_sentences(path, column)


def _balance(splits: Mapping[str, Sequence[Item]]) -> str:
    counts = {
        name: Counter(label for item in items for label in item.target) for name, items in splits.items()
    }
    total = sum(counts.values(), Counter())
    width, most = max(len(shown(label, 40)) for label in total), max(total.values())
    lines = [f"{'Label':<{width}}" + "".join(f"{name:>9}" for name in splits)]
    for label, count in sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))[:CLASSES]:
        cells = "".join(f"{counts[name][label]:>9,}" for name in splits)
        lines.append(f"{shown(label, 40):<{width}}{cells}  {bar(count / most, 20)}")
    return "\n".join(lines + ([f"and {len(total) - CLASSES:,} more labels"] if len(total) > CLASSES else []))
