"""Text classification: labelled texts in, a model file out.

    python -m recipes.text --data reviews.tsv --out exp/text

Tokens, the shared core, attention pooling. Beside every model a linear one is trained on the same texts,
TF-IDF of words and their pairs: on short texts it is hard to beat, and the report says which did better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from torch import Tensor

from decoders.alphabet import Alphabet, Normalisation
from decoders.vocabulary import Classes, Subwords, Words
from pipelines.errors import DataError, MediaError
from pipelines.media.passages import read_rows
from pipelines.media.text import read_text
from pipelines.model import SequenceModel
from pipelines.reading.tokens import WORD, Vocabulary, plain
from pipelines.text import tokenizer_of
from recipes.data.datasets import read_texts
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.data.text_layouts import text_and_label
from recipes.learning.progress import followed
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import changes, refuse
from recipes.scoring.data_report import Measure, class_balance, rejections, sizes, warnings
from recipes.text.linear import linear_probabilities
from recipes.text.options import TextRecipeOptions
from recipes.text.page import write_text_page
from recipes.text.scores import TextScores
from recipes.text.task import Sample, TextTask, judged

LONGEST = 1000  # tokens of a text that are learnt from

TEXTS = Measure(
    lambda item: item.duration, "", "words", 1.0, densest=float("inf"), least=500, least_unit="texts"
)


class TextRecipe(Recipe):
    """The recipe for classes of texts."""

    task = TextRecipeOptions.task
    what = "texts"
    measure = TEXTS
    targets_are_classes = True
    options: TextRecipeOptions
    splits: dict[str, list[Item]]

    def read_data(self, folder: Path) -> Manifest:
        return read_texts(folder, self.options.layout)

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        """Items with their number of words and signs as `duration`."""
        kept, rejected = [], []
        for item in followed(items, "reading texts", "text"):
            try:
                words = len(WORD.findall(self.text(item)))
            except (DataError, MediaError) as error:
                rejected.append(Rejected(named(item), error.cause))
                continue
            if words:
                kept.append(replace(item, duration=float(words)))
            else:
                rejected.append(Rejected(named(item), "no word and no sign in its text"))
        return kept, rejected

    def read_splits(self, manifests: list[Manifest], normalisation: Normalisation):
        self.splits, rejected = super().read_splits(manifests, normalisation)
        return self.splits, rejected

    def text(self, item: Item) -> str:
        """The text of an item.

        Raises:
            DataError, MediaError: its file cannot be read, or has no such row.
        """
        if item.index is None:
            return _whole(item.path)
        texts = _texts(item.path)
        if item.index >= len(texts):
            raise DataError(item.path, f"has no row {item.index}", "make the list of items again")
        return texts[item.index]

    def described(self, splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected]) -> str:
        sections = [sizes(splits, TEXTS), class_balance(splits), warnings(splits), rejections(rejected)]
        return "\n\n".join(section for section in sections if section)

    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the words and the labels of the items, or the loaded one."""
        if base:
            refuse(base, changes(base, self.options.model))
            return base
        classes = Classes.of(item.target for item in items)
        if len(classes.symbols) < 2:
            cause = f"all texts are of one class, {classes.symbols[0]!r}"
            raise DataError(self.roots[0] if self.roots else "--data", cause, "give texts of others, too")
        sizes = self.options.model.filled()
        front_end = {
            "kind": "tokens",
            "output_size": sizes.input_size,
            "pairs": sizes.pairs,
            "dropout": sizes.dropout,
            "hidden": sizes.hidden,
            "lower": sizes.lower,
        }
        decoder = {"kind": "classifier", "heads": sizes.heads, "dropout": sizes.dropout}
        texts = [plain(self.text(item), sizes.lower) for item in items]
        return SequenceModel(
            self.task,
            front_end,
            sizes.core(),
            decoder,
            classes,
            normalisation,
            self.options.name,
            vocabulary=vocabulary_of(texts, sizes.tokens, sizes.vocabulary),
        )

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """Those whose label the model has."""
        kept = [item for item in items if item.target in model.alphabet]
        unknown = [item for item in items if item.target not in model.alphabet]
        return kept, [Rejected(named(item), f"the model has no class {item.target!r}") for item in unknown]

    def scorable(self, items: list[Item], model: SequenceModel) -> list[Item]:
        return self.usable(items, model)[0]

    def source(self, item: Item) -> tuple:
        return str(item.path), item.index

    def settings(self, model: SequenceModel) -> dict:
        return {"lower": model.front_end.lower}

    def features(self, item: Item, model: SequenceModel) -> Tensor:
        """(time,) ids of the tokens."""
        tokenizer = tokenizer_of(model)
        return tokenizer.inputs(tokenizer(self.text(item))[:LONGEST])

    def samples(self, items: Sequence[Item], model: SequenceModel) -> list[Sample]:
        """Items as the network takes them."""
        return [Sample(self.features(item, model), model.alphabet.encode(item.target)[0]) for item in items]

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> TextTask:
        parts = self.samples(train, model), self.samples(valid, model)
        training = self.options.training
        return TextTask(model, *parts, self.options.loss, training.batch_size, training.seed)

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> TextScores:
        found = judged(model, self.samples(items, model)).numpy()
        texts = tuple(map(self.text, items))
        return TextScores(split, model.alphabet.symbols, tuple(items), found[None], texts)

    def scores(self, split: str, model: SequenceModel, items: list[Item]) -> TextScores:
        """Of the model, and of a linear model that learnt from the same texts."""
        found = self.evaluated(split, model, items)
        train = self.usable(self.splits["train"], model)[0]
        labels = [item.target for item in train]
        linear = linear_probabilities(list(map(self.text, train)), labels, list(found.texts), found.classes)
        return replace(found, linear=linear)

    def metrics(self, found: TextScores, manifests: list[Manifest]) -> dict[str, dict]:
        rates = {"accuracy": str(found.accuracy)}
        if found.linear is not None:
            rates["linear model"] = str(found.linear_accuracy)
        return {found.split: rates}

    def last_scores(self, row: Mapping[str, float]) -> dict:
        error = row.get("averaged_error", row["error"])
        return {"accuracy": f"{100 * (1 - error):.2f} %"}

    def write_report(self, found: TextScores, history: list[dict], facts: dict) -> Path:
        return write_text_page(self.options.out / "report.html", found, history, facts)


def vocabulary_of(texts: Sequence[str], tokens: str, size: int) -> Vocabulary:
    """The most frequent words, subwords, or all characters of texts; at most `size` of the former."""
    if tokens == "characters":
        return Alphabet.of(texts)
    if tokens == "subwords":
        return Subwords.of(texts, size)
    counts = Counter(word for text in texts for word in WORD.findall(text))
    return Words(sorted(counts, key=lambda word: (-counts[word], word))[:size])


def named(item: Item) -> str:
    """An item for messages: its file, and the number of its row."""
    return str(item.path) if item.index is None else f"{item.path}: row {item.index + 1}"


@cache
def _whole(path: Path) -> str:
    return read_text(path)


@cache
def _texts(path: Path) -> tuple[str, ...]:
    """The texts of all rows of a table, or of lines that begin with a label."""
    rows = read_rows(path)
    if rows.columns == ("text",):
        return tuple(
            cells[0].partition(" ")[2] if cells[0].startswith("__label__") else cells[0]
            for _, cells in rows.rows
        )
    place, _ = text_and_label(rows)
    return tuple(cells[place] if len(cells) > place else "" for _, cells in rows.rows)
