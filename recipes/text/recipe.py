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

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import Alphabet, Normalisation
from decoders.vocabulary import Classes, Subwords, Words
from pipelines.errors import DataError, MediaError
from pipelines.media.passages import is_table, read_rows
from pipelines.media.text import read_text
from pipelines.model import SequenceModel
from pipelines.reading.tokens import WORD, Vocabulary, plain
from pipelines.text import tokenizer_of
from recipes.data.datasets import read_texts
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.data.text_layouts import LABELLED, Columns, table_rows, text_and_label
from recipes.learning.progress import followed
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import changes, refuse
from recipes.scoring.data_report import Measure, class_balance, rejections, sizes, warnings
from recipes.text.bag import chosen_shares, fit_bag
from recipes.text.linear import linear_probabilities, linear_probabilities_of_each
from recipes.text.options import TextRecipeOptions
from recipes.text.page import write_several_page, write_text_page
from recipes.text.rejecting import chosen_threshold
from recipes.text.scores import TextScores
from recipes.text.several import SeveralScores, indicators, tuned
from recipes.text.task import Sample, TextTask, judged

LARGEST_BAG = 4_000_000  # numbers
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
    several = False
    """Whether texts may have several labels."""

    def __init__(self, options: TextRecipeOptions):
        super().__init__(options)
        self.columns = Columns(options.text_column, options.label_column, options.separator)

    def manifests(self) -> list[Manifest]:
        """The data sets; where texts of one have several labels, all have sequences of labels."""
        found = super().manifests()
        if any(isinstance(item.target, tuple) for manifest in found for item in manifest.items):
            for manifest in found:
                manifest.items = [replace(item, target=targets_of(item)) for item in manifest.items]
        return found

    def prepared(self, items: list[Item], normalisation: Normalisation) -> tuple[list[Item], list[Rejected]]:
        """Those that can be read; where texts have several labels, labels are kept as they are."""
        self.several = any(isinstance(item.target, tuple) for item in items)
        if self.several:
            return self.readable(items)
        return super().prepared(items, normalisation)

    def read_data(self, folder: Path) -> Manifest:
        return read_texts(folder, self.options.layout, self.columns)

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
        texts = _texts(item.path, self.columns)
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
        several = any(isinstance(item.target, tuple) for item in items)
        names = {label for item in items for label in targets_of(item)}
        root, reject = self.roots[0] if self.roots else "--data", self.options.reject
        if len(names) < (1 if several else 2):
            cause = f"all texts are of one class, {min(names)!r}" if names else "no text has a label"
            raise DataError(root, cause, "give texts of others, too")
        if reject is not None and (several or reject not in names):
            cause = "is for texts with one label each" if several else f"has no texts of the label {reject!r}"
            raise DataError("--reject" if several else root, cause, "leave out --reject")
        classes = Classes.of(names)
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
        if sizes.bag:
            decoder["bag"] = min(sizes.bag, LARGEST_BAG // (len(classes) or 1))
        if several:
            decoder["several"] = True
        if reject is not None:
            decoder["reject"] = classes.encode(reject)[0]
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
        """Those all of whose labels the model has, one each unless it gives several."""
        kept, rejected = [], []
        for item in items:
            unknown = [label for label in targets_of(item) if label not in model.alphabet]
            if unknown:
                rejected.append(Rejected(named(item), f"the model has no class {unknown[0]!r}"))
            elif len(targets_of(item)) != 1 and not model.decoder.several:
                rejected.append(Rejected(named(item), "the model gives one label, no fewer and no more"))
            else:
                kept.append(item)
        return kept, rejected

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
        several, found = model.decoder.several, []
        for item in items:
            labels = tuple(model.alphabet.encode(label)[0] for label in targets_of(item))
            found.append(Sample(self.features(item, model), labels if several else labels[0]))
        return found

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> TextTask:
        parts = self.samples(train, model), self.samples(valid, model)
        training = self.options.training
        return TextTask(model, *parts, self.options.loss, training.batch_size, training.seed)

    def finish(self, model: SequenceModel, splits: Mapping[str, list[Item]]) -> None:
        """The linear model beside the core; and thresholds, chosen on the validation texts."""
        items = splits["valid"]
        if model.decoder.bag is not None:
            train, valid = (self.samples(splits[name], model) for name in ("train", "valid"))
            fit_bag(model.decoder.bag, train, model.decoder.several)
            model.decoder.shares.copy_(chosen_shares(model, valid))
        if model.decoder.several:
            found = judged(model, self.samples(items, model)).numpy()
            true = indicators([item.target for item in items], model.alphabet.symbols)
            model.decoder.thresholds[1:] = torch.from_numpy(tuned(found, true)).float()
        elif model.decoder.reject:
            found = judged(model, self.samples(items, model)).numpy()
            labels = np.array([model.alphabet.encode(item.target)[0] - 1 for item in items])
            model.min_confidence = chosen_threshold(found, labels, model.decoder.reject - 1)

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> TextScores | SeveralScores:
        found, names = judged(model, self.samples(items, model)).numpy(), model.alphabet.symbols
        texts = tuple(map(self.text, items))
        if model.decoder.several:
            items = [replace(item, target=targets_of(item)) for item in items]
            thresholds = model.decoder.thresholds[1:].cpu().numpy()
            return SeveralScores(split, names, tuple(items), texts, found, thresholds)
        reject = names[model.decoder.reject - 1] if model.decoder.reject else None
        items = [replace(item, target=targets_of(item)[0]) for item in items]
        about = {"reject": reject, "threshold": model.min_confidence}
        return TextScores(split, names, tuple(items), found[None], texts, **about)

    def scores(self, split: str, model: SequenceModel, items: list[Item]) -> TextScores | SeveralScores:
        """Of the model, and of a linear model that learnt from the same texts."""
        found = self.evaluated(split, model, items)
        train, valid = (self.usable(self.splits[name], model)[0] for name in ("train", "valid"))
        texts, judging = list(map(self.text, train)), list(found.texts)
        if not model.decoder.several:
            labels = [targets_of(item)[0] for item in train]
            return replace(found, linear=linear_probabilities(texts, labels, judging, found.classes))
        true, true_of_valid = (
            indicators([targets_of(item) for item in part], found.classes) for part in (train, valid)
        )
        linear = linear_probabilities_of_each(texts, true, [*map(self.text, valid), *judging])
        if linear is None:
            return found
        return replace(found, linear=linear[len(valid) :] >= tuned(linear[: len(valid)], true_of_valid))

    def metrics(self, found: TextScores | SeveralScores, manifests: list[Manifest]) -> dict[str, dict]:
        return {found.split: {name: str(rate) for name, rate in found.rates().items()}}

    def last_scores(self, row: Mapping[str, float]) -> dict:
        error = row.get("averaged_error", row["error"])
        return {"micro-F1 at 0.5" if self.several else "accuracy": f"{100 * (1 - error):.2f} %"}

    def write_report(self, found: TextScores | SeveralScores, history: list[dict], facts: dict) -> Path:
        write = write_several_page if isinstance(found, SeveralScores) else write_text_page
        return write(self.options.out / "report.html", found, history, facts)


def vocabulary_of(texts: Sequence[str], tokens: str, size: int) -> Vocabulary:
    """The most frequent words, subwords, or all characters of texts; at most `size` of the former."""
    if tokens == "characters":
        return Alphabet.of(texts)
    if tokens == "subwords":
        return Subwords.of(texts, size)
    counts = Counter(word for text in texts for word in WORD.findall(text))
    return Words(sorted(counts, key=lambda word: (-counts[word], word))[:size])


def targets_of(item: Item) -> tuple[str, ...]:
    """The labels of an item; of one that has a single label, that one."""
    return item.target if isinstance(item.target, tuple) else (item.target,)


def named(item: Item) -> str:
    """An item for messages: its file, and the number of its row."""
    return str(item.path) if item.index is None else f"{item.path}: row {item.index + 1}"


@cache
def _whole(path: Path) -> str:
    return read_text(path)


@cache
def _texts(path: Path, columns: Columns) -> tuple[str, ...]:
    """The texts of all rows of a table, or of lines that begin with labels."""
    if not is_table(path.name):
        lines = [cells[0] for _, cells in read_rows(path).rows]
        if LABELLED.match(lines[0]):
            found = [(LABELLED.match(line), line) for line in lines]
            return tuple(match[2].strip() if match else line for match, line in found)
    rows = table_rows(path, columns)
    place, _ = text_and_label(rows, columns)
    return tuple(cells[place] if len(cells) > place else "" for _, cells in rows.rows)
