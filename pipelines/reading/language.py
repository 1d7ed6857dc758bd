"""The language model that a model carries, and the texts and hotwords that a user gives."""

from __future__ import annotations

import os
import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import Alphabet
from decoders.language.arpa import SPACES, Arpa, is_arpa, tokens_of
from decoders.language.fusion import Fusion
from decoders.language.hotwords import Hotwords
from decoders.language.lexicon import Lexicon
from decoders.language.ngrams import LARGEST_KEY, LanguageModel, Mixture, NGrams
from pipelines.errors import DataError, ModelError
from pipelines.media.files import unzipped
from pipelines.media.text import read_text
from pipelines.reading.settings import AUTO, LEXICON_COST, NONE, OWN

if TYPE_CHECKING:
    from pipelines.model import SequenceModel

COST = 2.0  # nats of a word that a model does not carry, where that was not tried either
LARGEST_COST = 1000.0
WEIGHT = 0.3  # of a language model that was not tried on validation data
ORDER = 6  # characters: more gain nothing
LARGEST_TEXT = 50_000_000  # bytes; counting takes about 55 times as many


@dataclass(frozen=True)
class Language:
    """What a model knows of its language, as did best on validation data.

    Attributes:
        ngrams: of its labels.
        weight: theirs.
        words: that there are; empty where any other may be as well.
        cost: nats for each other word.
    """

    ngrams: NGrams
    weight: float = WEIGHT
    words: tuple[str, ...] = ()
    cost: float = 0.0

    @classmethod
    def of(
        cls, model: SequenceModel, texts: Sequence[str], order: int = ORDER, discreet: bool = False
    ) -> Language:
        """Counted in normalised texts, in the order in which the model meets their symbols.

        Args:
            discreet: so that the texts cannot be put together again.

        Raises:
            ValueError: they hold nothing that the model can write.
        """
        edge, known = _edge(model.alphabet), set(model.alphabet.symbols)
        before = [] if edge is None else [edge]
        fitted = (_fitted(text, model.alphabet) for text in texts)
        written = ("".join(symbol for symbol in text if symbol in known) for text in fitted)
        labels = ([*before, *model.encode(text)] for text in written if text.strip())
        ngrams = NGrams.of(labels, order, len(model.alphabet), discreet)
        return cls(ngrams, words=_usual(texts, model.alphabet), cost=COST)

    def to_file(self) -> tuple[dict, Tensor]:
        """Plain values, and (bytes,) uint8."""
        header = {"sizes": self.ngrams.sizes, "total": self.ngrams.total, "weight": self.weight}
        header |= {"words": " ".join(self.words), "cost": self.cost} if self.words else {}
        return header, torch.from_numpy(np.frombuffer(self.ngrams.packed(), np.uint8).copy())

    @classmethod
    def from_file(cls, header: dict, data: Tensor | None, alphabet: Alphabet) -> Language:
        """What `to_file` gave.

        Raises:
            LookupError, TypeError, ValueError: it did not.
        """
        sizes, total, weight = header["sizes"], header["total"], header["weight"]
        whole = all(type(number) is int and number < LARGEST_KEY for number in (*sizes, total))
        if not whole or len(sizes) > 64 or not 0 <= weight <= 2:
            raise ValueError("its sizes, its total and its weight must be numbers, none of them huge")
        if data is None or data.dtype != torch.uint8:
            raise ValueError("its n-grams are missing")
        words, cost = header.get("words", ""), header.get("cost", 0.0)
        if not isinstance(words, str) or not 0 <= cost <= LARGEST_COST:
            raise ValueError(f"its words must be text, and the cost of others from 0 to {LARGEST_COST}")
        ngrams = NGrams.unpacked(data.numpy().tobytes(), sizes, total, len(alphabet))
        return cls(ngrams, float(weight), tuple(words.split()), float(cost))


def fusion(
    model: SequenceModel,
    source: str | os.PathLike | None,
    weight: float | None = None,
    hotwords: str | os.PathLike | Sequence[str] = (),
    hotword_weight: float = 1.0,
    lexicon: str | os.PathLike | Sequence[str] = (),
    lexicon_cost: float = LEXICON_COST,
) -> Fusion | None:
    """What a caller asked for.

    Args:
        source: "own", the language model that the model carries; "auto", the same if it carries one,
            otherwise none; "none" or None; or an ARPA file of characters, or a plain text to be counted,
            whose probabilities are averaged with those of the model's own. The words of a text are added
            to its own; with an ARPA file there is no penalty for words that the model does not know.
        weight: None for the one that did best on validation data; what other words cost goes along with it.
        hotwords: words, or such with commas between them, or a file with one in each line.
        hotword_weight: nats for each of their letters.
        lexicon: the words that there are, in one of the same ways.
        lexicon_cost: nats for each other word.

    Raises:
        ModelError: the model carries no language model, or cannot be read with one or with words.
        DataError: a file cannot be read, or holds what the model cannot write.
    """
    source = language_source(model, source)
    if source is None and not hotwords and not lexicon:
        return None
    if not model.decoder.by_frame:
        cause = "writes label after label, with what it has learnt of the language"
        way = "read without language model, hotwords and lexicon, or with a CTC model"
        raise ModelError(model.name, cause, way)
    used, own, words = None, model.language, ()
    if str(source) == OWN:
        if not own:
            way = "give a text file, or train with --language-model 6"
            raise ModelError(model.name, "carries no language model", way)
        used, words = own.ngrams, own.words
    elif source is not None:
        path = Path(source)
        given, theirs = _given(path, _changed(path), model)
        used = Mixture((own.ngrams, given)) if own else given
        words = own.words + theirs if theirs and own and own.words else ()
    chosen = weight if weight is not None else own.weight if own else WEIGHT
    favoured, named, listed = None, (), None
    if hotwords:
        favoured = _hotwords(model, hotwords, hotword_weight)
        named = tuple(_words(model, hotwords, "hotwords")[1])
    if lexicon:
        given = os.fspath(lexicon) if isinstance(lexicon, (str, os.PathLike)) else tuple(lexicon)
        listed = _lexicon(model, given, _changed(given), lexicon_cost, named)
    elif words:
        cost = own.cost * (chosen / own.weight) if own.weight else 0.0
        listed = _lexicon(model, words, 0.0, cost, named)
    return Fusion(used, chosen, _edge(model.alphabet), favoured, listed, bool(lexicon))


def language_source(model: SequenceModel, source: str | os.PathLike | None) -> str | os.PathLike | None:
    """The language model that a caller's choice stands for: "own", a file, or None."""
    if source is None or str(source) == NONE:
        return None
    if str(source) == AUTO:
        return OWN if model.language and model.decoder.by_frame else None
    return source


def _words(
    model: SequenceModel, given: str | os.PathLike | Sequence[str], name: str
) -> tuple[str, list[str]]:
    """Words that a caller gave, as the model writes them, and where they are from."""
    if isinstance(given, (str, os.PathLike)):
        if os.path.isfile(given):
            name, given = str(given), read_text(Path(given)).splitlines()
        else:
            given = str(given).split(",")
    words = [_fitted(word, model.alphabet) for word in map(model.normalisation, given) if word]
    if not words:
        raise DataError(name, "holds no word", "give some, or leave the option out")
    return name, words


def _usual(texts: Sequence[str], alphabet: Alphabet) -> tuple[str, ...]:
    """Words that come at least twice: neither slips nor what gives a text away. None without spaces."""
    letters = {alphabet.symbols[label - 1] for label in _letters(alphabet, "LM")}
    times: Counter[str] = Counter()
    for text in texts:
        fitted = _fitted(text, alphabet)
        times.update("".join(symbol if symbol in letters else " " for symbol in fitted).split())
    return tuple(sorted(word for word, count in times.items() if count > 1))


def _letters(alphabet: Alphabet, kinds: str) -> list[int]:
    """Labels of the symbols that words are made of; none in scripts without spaces."""
    symbols = alphabet.symbols if " " in alphabet else ""
    return [label for label, symbol in enumerate(symbols, 1) if unicodedata.category(symbol)[0] in kinds]


@lru_cache(2)
def _lexicon(
    model: SequenceModel,
    given: str | tuple[str, ...],
    _changed: float,
    cost: float,
    hotwords: tuple[str, ...],
) -> Lexicon:
    """The words given, and those to be found, which there are, too."""
    name, lines = _words(model, given, "lexicon")
    words = {word for line in (*lines, *hotwords) for word in line.split()}
    words |= {capital for word in words for capital in (word[:1].upper() + word[1:], word.upper())}
    writable = set(model.alphabet.symbols)
    known = [model.encode(word) for word in words if writable.issuperset(word)]
    if not known:
        way = "give words in the script that it reads"
        raise DataError(name, f"holds no word that {model.name} can write", way)
    return Lexicon(known, _letters(model.alphabet, "LM"), cost, len(model.alphabet))


def _hotwords(model: SequenceModel, given: str | os.PathLike | Sequence[str], weight: float) -> Hotwords:
    name, words = _words(model, given, "hotwords")
    strange = ((word, [symbol for symbol in word if symbol not in model.alphabet]) for word in words)
    unknown = [f"{symbols[0]!r} of {word!r}" for word, symbols in strange if symbols]
    if unknown:
        some = ", ".join(unknown[:5])
        cause = f"{model.name} cannot write {some}" + (", and others" if len(unknown) > 5 else "")
        raise DataError(name, cause, "leave these words out or write them in the letters that it knows")
    return Hotwords(map(model.encode, words), _letters(model.alphabet, "LMN"), weight, len(model.alphabet))


def _fitted(text: str, alphabet: Alphabet) -> str:
    """Letters that the alphabet lacks become those of the other case, if it has these."""

    others = {}
    for symbol in set(text):
        if symbol not in alphabet:
            cases = (case for case in (symbol.upper(), symbol.lower()) if case in alphabet)
            others[symbol] = next(cases, symbol)
    return text.translate(str.maketrans(others))


def _changed(given: object) -> float:
    """When a file was, so that what was made of it can be kept; 0 for what is none."""
    return os.path.getmtime(given) if isinstance(given, (str, os.PathLike)) and os.path.isfile(given) else 0.0


@lru_cache(2)
def _given(path: Path, _changed: float, model: SequenceModel) -> tuple[LanguageModel, tuple[str, ...]]:
    """The language model of a file, and the words that come twice in it, if it is a text."""
    try:
        with open(path, "rb") as file:
            if is_arpa(unzipped(file)):
                return _back_off(path, model), ()
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(path, f"cannot be read ({error})", "check the path and the file") from error
    counted = _counted(path, model)
    return counted.ngrams, counted.words


def _back_off(path: Path, model: SequenceModel) -> Arpa:
    """Of an ARPA file."""
    alphabet = model.alphabet
    try:
        with open(path, "rb") as file:
            tokens = set(tokens_of(unzipped(file)))
        space = next((each for each in SPACES if each in tokens and each not in alphabet), None)
        labels = {}
        for token in tokens - {space}:
            symbol = _fitted(token, alphabet)
            if symbol in alphabet and (symbol == token or symbol not in tokens):
                labels[token] = alphabet.encode(symbol)[0]
        edge = _edge(alphabet)
        if space and edge:
            labels[space] = edge
        if not labels:
            long = next((each for each in sorted(tokens) if len(each) > 1 and each[0] != "<"), None)
            cause = f"counts {long!r} and other words" if long else f"knows no character of {model.name}"
            way = f"count characters, all of them apart, and {SPACES[0]} for spaces; or give the plain text"
            raise DataError(path, cause, way)
        with open(path, "rb") as file:
            return Arpa(unzipped(file), labels, [edge] if edge else [], len(alphabet))
    except ValueError as error:
        raise DataError(path, f"is a damaged ARPA file: {error}", "make it again") from error


def _counted(path: Path, model: SequenceModel) -> Language:
    texts = [model.normalisation(line) for line in read_text(path, LARGEST_TEXT).splitlines()]
    try:
        return Language.of(model, texts)
    except ValueError as error:
        way = "give text in the language and script that it reads"
        raise DataError(path, f"holds nothing that {model.name} can write", way) from error


def _edge(alphabet: Alphabet) -> int | None:
    """The label of a space."""
    return alphabet.encode(" ")[0] if " " in alphabet else None
