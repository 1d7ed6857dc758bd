"""Translation: pairs of texts in, a model file out.

    python -m recipes.translation --data train.en train.de valid.en valid.de --out exp/en-de

Subwords of each language, the shared core over those of the text, an attention decoder that writes those of
the translation (Bahdanau et al. 2015), and a beam search with length normalisation and coverage penalty (Wu
et al. 2016). Multi30k: see docs/text.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from torch import Tensor

from decoders.alphabet import Normalisation
from decoders.vocabulary import Subwords
from pipelines.errors import DataError, MediaError, TriscribeError
from pipelines.media.prose import Prose
from pipelines.model import SequenceModel
from pipelines.reading.settings import TranslationOptions
from pipelines.reading.tokens import WORD, plain
from pipelines.text import tokenizer_of
from pipelines.translation import read_prose
from recipes.data.datasets import find_data, read_pairs
from recipes.data.languages import Languages, folded, language_in
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.data.pair_layouts import TMX, is_pair_table, texts_in
from recipes.data.written_manifest import is_manifest
from recipes.learning.recipe import Recipe
from recipes.learning.resizing import changes, refuse
from recipes.scoring.data_report import Measure, rejections, sizes, warnings
from recipes.translation.options import TranslationRecipeOptions
from recipes.translation.page import write_translation_page
from recipes.translation.scores import Translation, TranslationScores, score, scorers
from recipes.translation.task import Pair, TranslationTask

LONGEST = 150  # words and signs of a text, or of a translation, that is learnt from
UNEVEN = 9.0  # times that one of a pair has more words and signs than the other
SHOWN = 3  # pairs in the data report

PAIRS = Measure(
    lambda item: item.duration, "", "words", 1.0, densest=float("inf"), least=5000, least_unit="pairs"
)


class TranslationRecipe(Recipe):
    """The recipe for translations."""

    task = TranslationRecipeOptions.task
    what = "texts and translations"
    measure = PAIRS
    targets_are_classes = False
    options: TranslationRecipeOptions

    def __init__(self, options: TranslationRecipeOptions):
        super().__init__(options)
        self.languages = Languages(options.source_language, options.target_language)
        self.direction = self.languages
        scorers()  # what is missing shows now, not after the first epoch

    def manifests(self) -> list[Manifest]:
        """The data sets: one a folder, a table or a memory, and one for two files of texts."""
        paths = [find_data(path, self.task) for path in self.options.data] or [self.default_data()]
        found, rest = [], iter(paths)
        for path in rest:
            if path.is_dir() or TMX.search(path.name) or is_manifest(path) or is_pair_table(path):
                found.append(self._read(path))
                continue
            partner = next(rest, None)
            if partner is None or partner.is_dir():
                way = "give two files, the texts and then the translations: train.en train.de"
                raise DataError(path, "is a file of texts without one of translations behind it", way)
            found.append(self._parallel(path, partner))
        return found

    def _parallel(self, source: Path, target: Path) -> Manifest:
        """Two files; the other way round where their names and the languages asked for say so."""
        names = [(language_in(path.name) or ("", ""))[1] for path in (source, target)]
        asked = [folded(name) if name else None for name in self.languages]
        if any(asked) and all(
            want in (None, name) for want, name in zip(asked, reversed(names), strict=True)
        ):
            source, target = target, source
        elif not any(asked) and all(names):
            self.direction = Languages(*names)
        return read_pairs(source, self.options.layout, self.languages, target)

    def read_data(self, folder: Path) -> Manifest:
        return read_pairs(folder, self.options.layout, self.languages)

    def text(self, item: Item) -> str:
        """The text of an item.

        Raises:
            DataError, MediaError: its file cannot be read, or has no such row.
        """
        texts = _texts(item.path, self.languages)
        if item.index is None or item.index >= len(texts):
            raise DataError(item.path, f"has no row {item.index}", "make the list of items again")
        return texts[item.index]

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        """Items with their number of words and signs as `duration`."""
        kept, rejected = [], []
        for item in items:
            try:
                count, written = (len(WORD.findall(text)) for text in (self.text(item), item.target))
            except (DataError, MediaError) as error:
                rejected.append(Rejected(named(item), error.cause))
                continue
            if item.split in ("valid", "test"):
                fault = None  # what is measured is not chosen
            elif max(count, written) > LONGEST:
                fault = f"has more than {LONGEST} words"
            elif max(count, written) > UNEVEN * max(1, min(count, written)) + UNEVEN:
                fault = "a text and its translation are of too different length"
            else:
                fault = None
            if fault or not count:
                rejected.append(Rejected(named(item), fault or "no word and no sign in its text"))
            else:
                kept.append(replace(item, duration=float(count)))
        return kept, rejected

    def described(self, splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected]) -> str:
        lines = ["For example"]
        for item in next(iter(splits.values()))[:SHOWN]:
            lines += [f"  {self.text(item)[:86]}", f"  -> {item.target[:83]}"]
        sections = [sizes(splits, PAIRS), "\n".join(lines), warnings(splits), rejections(rejected)]
        return "\n\n".join(section for section in sections if section)

    def build(
        self, base: SequenceModel | None, normalisation: Normalisation, items: list[Item]
    ) -> SequenceModel:
        """A new model for the subwords of the training pairs, or the loaded one."""
        options = self.options
        if base:
            refuse(base, changes(base, options.model))
            return base
        sizes = options.model.filled()
        taught = [item for item in items if item.split != "valid"]
        texts = [plain(self.text(item), sizes.lower) for item in taught]
        translations = [item.target for item in taught]
        try:
            if options.vocabulary.joint:
                alphabet = vocabulary = Subwords.of(texts + translations, options.vocabulary.pieces)
            else:
                vocabulary = Subwords.of(texts, options.vocabulary.pieces)
                alphabet = Subwords.of(translations, options.vocabulary.pieces)
        except ValueError as error:
            raise DataError("--pieces", str(error), "give more") from error
        except RuntimeError as error:
            raise DataError("translation", str(error), "install it") from error
        return SequenceModel(
            self.task,
            sizes.front_end(),
            sizes.core(),
            sizes.decoder(options.teaching.filled().decoder_size),
            alphabet,
            normalisation,
            options.name,
            vocabulary=vocabulary,
        )

    def usable(self, items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
        """All: what no subword covers is taken for unknown."""
        return items, []

    def source(self, item: Item) -> tuple:
        return str(item.path), item.index

    def settings(self, model: SequenceModel) -> dict:
        return {"lower": model.front_end.lower}

    def features(self, item: Item, model: SequenceModel) -> Tensor:
        """(time,) ids of the tokens."""
        tokenizer = tokenizer_of(model)
        return tokenizer.inputs(tokenizer(self.text(item)))

    def training_task(
        self, model: SequenceModel, train: list[Item], valid: list[Item], base: SequenceModel | None = None
    ) -> TranslationTask:
        parts = (
            [Pair(self.features(item, model), model.encode(item.target), item.target) for item in items]
            for items in (train, valid)
        )
        training = self.options.training
        sizes = training.epochs, training.batch_size, training.seed
        return TranslationTask(model, *parts, self.options.teaching, *sizes)

    def evaluated(self, split: str, model: SequenceModel, items: list[Item]) -> TranslationScores:
        texts = [self.text(item) for item in items]
        found = read_prose((Prose((text,)) for text in texts), model, TranslationOptions())
        judged = []
        for item, text, result in zip(items, texts, found, strict=True):
            if isinstance(result, TriscribeError):
                raise result
            judged.append(Translation(item, text, item.target, result.text, result.sentences))
        return score(split, judged)

    def facts(self, manifests: list[Manifest], splits: dict[str, list[Item]], history: list[dict]) -> dict:
        """With the languages, which an evaluation of a folder needs to know."""
        found = super().facts(manifests, splits, history)
        names = zip(("source_language", "target_language"), self.direction, strict=True)
        found["options"] |= {name: code for name, code in names if code}
        return found

    def metrics(self, found: TranslationScores, manifests: list[Manifest]) -> dict[str, dict]:
        return {found.split: found.table() | {"signature": found.signatures["BLEU"]}}

    def figures(self, split: str, model: SequenceModel, items: list[Item]) -> dict[str, str]:
        return self.evaluated(split, model, items).table()

    def last_scores(self, row: Mapping[str, float]) -> dict:
        missed = row.get("averaged_missed_bleu", row["missed_bleu"])
        return {"BLEU, greedy": f"{100 * (1 - missed):.1f}"}

    def write_report(self, found: TranslationScores, history: list[dict], facts: dict) -> Path:
        return write_translation_page(self.options.out / "report.html", found, history, facts)


def named(item: Item) -> str:
    """An item for messages: its file, and the number of its pair."""
    return f"{item.path}: pair {(item.index or 0) + 1}"


@cache
def _texts(path: Path, languages: Languages) -> list[str]:
    return texts_in(path, languages)
