"""What a caller says about the language: a language model, hotwords and a lexicon -> a `Fusion`."""

from __future__ import annotations

import os
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TypeVar
from weakref import WeakKeyDictionary

from decoders.language.arpa import SPACES, Arpa, is_arpa, tokens_of
from decoders.language.fusion import Fusion
from decoders.language.hotwords import Hotwords
from decoders.language.lexicon import Lexicon
from decoders.language.ngrams import LanguageModel, Mixture
from decoders.language.profile import WEIGHT, Language, fitted, letters_of, space_of
from decoders.language.recurrent import Recurrent
from pipelines.errors import DataError, ModelError
from pipelines.media.files import unzipped
from pipelines.media.text import read_text
from pipelines.model import SequenceModel, load
from pipelines.reading.inference import for_inference
from pipelines.reading.settings import AUTO, NONE, OWN, SearchOptions
from pipelines.reading.verbatim import Verbatim

LARGEST_TEXT = 50_000_000  # bytes; counting takes about 55 times as many
LARGEST_LEXICON = 10_000_000  # bytes: a million words
LARGEST_HOTWORDS = 1_000_000  # bytes; their prefix tree takes about 300 times as many
ARPA_WEIGHT = 0.7  # of the n-grams of an ARPA file, best or nearly so on the validation lines of hooker-en
KEPT = 4  # language models and lexicons of each model that are kept for the next call

Made = TypeVar("Made")

_made: WeakKeyDictionary[SequenceModel, OrderedDict] = WeakKeyDictionary()


def fusion(model: SequenceModel, options: SearchOptions) -> Fusion | None:
    """What the options say about the language; None where they say nothing.

    The probabilities of a language model that is read from a file are averaged with those of the model's
    own, if it carries one, and the words of a text are added to its own; with an ARPA file or an LSTM there
    is no penalty for unknown words. With another weight than the model's own, the penalty changes along.

    Raises:
        ModelError: the model carries no language model, or cannot be read with one or with words.
        DataError: a file cannot be read, or holds what the model cannot write.
    """
    source = language_source(model, options.language_model)
    if source is None and not options.hotwords and not options.lexicon:
        return None
    if not model.decoder.by_frame:
        cause = "writes label after label, with what it has learnt of the language"
        way = "read without language model, hotwords and lexicon, or with a CTC model"
        raise ModelError(model.name, cause, way)
    used, read, own, words = None, None, model.language, ()
    if str(source) == OWN:
        if not own:
            way = "give a text file, or train with --language-model 6"
            raise ModelError(model.name, "carries no language model", way)
        used, words = own.ngrams, own.words
    elif source is not None:
        read, theirs = _kept(model, _read_language, Path(source))
        used = Mixture((own.ngrams, read)) if own else read
        words = own.words + theirs if theirs and own and own.words else ()
    weight = options.language_weight
    if weight is None:
        weight = ARPA_WEIGHT if isinstance(read, Arpa) else own.weight if own else WEIGHT
    hotwords, favoured, lexicon = None, (), None
    if options.hotwords:
        hotwords = _hotwords(model, options.hotwords, options.hotword_weight)
        favoured = tuple(_words(model, options.hotwords, "hotwords", LARGEST_HOTWORDS)[1])
    if options.lexicon:
        given = options.lexicon
        given = os.fspath(given) if isinstance(given, (str, os.PathLike)) else tuple(given)
        lexicon = _kept(model, _lexicon, given, options.lexicon_cost, favoured)
    elif words:
        cost = own.cost * (weight / own.weight) if own.weight else 0.0
        lexicon = _kept(model, _lexicon, words, cost, favoured)
    return Fusion(used, weight, space_of(model.alphabet), hotwords, lexicon, bool(options.lexicon))


def language_source(model: SequenceModel, source: str | os.PathLike | None) -> str | os.PathLike | None:
    """The language model that a caller's choice stands for: "own", a file, or None."""
    if source is None or str(source) == NONE:
        return None
    if str(source) == AUTO:
        return OWN if model.language and model.decoder.by_frame else None
    return source


def _words(
    model: SequenceModel, given: str | os.PathLike | Sequence[str], name: str, largest: int
) -> tuple[str, list[str]]:
    """The name of what a caller gave for errors, and its words as the model writes them."""
    if isinstance(given, (str, os.PathLike)):
        if os.path.isfile(given):
            name, given = str(given), dict.fromkeys(read_text(Path(given), largest).splitlines())
        else:
            given = str(given).split(",")
    words = [fitted(word, model.alphabet) for word in map(model.normalisation, given) if word]
    if not words:
        raise DataError(name, "holds no word", "give some, or leave the option out")
    return name, words


def _lexicon(
    model: SequenceModel, given: str | tuple[str, ...], cost: float, hotwords: tuple[str, ...]
) -> Lexicon:
    """The words given, and the hotwords, which are known words too."""
    name, lines = _words(model, given, "lexicon", LARGEST_LEXICON)
    words = {word for line in (*lines, *hotwords) for word in line.split()}
    words |= {capital for word in words for capital in (word[:1].upper() + word[1:], word.upper())}
    writable = set(model.alphabet.symbols)
    known = [model.encode(word) for word in words if writable.issuperset(word)]
    if not known:
        way = "give words in the script that it reads"
        raise DataError(name, f"holds no word that {model.name} can write", way)
    return Lexicon(known, letters_of(model.alphabet, "LM"), cost, len(model.alphabet))


def _hotwords(model: SequenceModel, given: str | os.PathLike | Sequence[str], weight: float) -> Hotwords:
    name, words = _words(model, given, "hotwords", LARGEST_HOTWORDS)
    strange = ((word, [symbol for symbol in word if symbol not in model.alphabet]) for word in words)
    unknown = [f"{symbols[0]!r} of {word!r}" for word, symbols in strange if symbols]
    if unknown:
        some = ", ".join(unknown[:5])
        cause = f"{model.name} cannot write {some}" + (", and others" if len(unknown) > 5 else "")
        raise DataError(name, cause, "leave these words out or write them in the letters that it knows")
    return Hotwords(map(model.encode, words), letters_of(model.alphabet, "LMN"), weight, len(model.alphabet))


def _changed(given: object) -> float:
    """When a file was last changed; 0 for anything else."""
    return os.path.getmtime(given) if isinstance(given, (str, os.PathLike)) and os.path.isfile(given) else 0.0


def _kept(model: SequenceModel, make: Callable[..., Made], *given: Hashable) -> Made:
    """`make(model, *given)`, made once while the files among what is given stay as they are.

    Each model has its last few; they go when it goes.
    """
    made = _made.setdefault(model, OrderedDict())
    key = (make, given, tuple(map(_changed, given)))
    found = made.get(key)
    if found is None:
        found = made[key] = make(model, *given)
        while len(made) > KEPT:
            made.popitem(last=False)
    return found


def _read_language(model: SequenceModel, path: Path) -> tuple[LanguageModel, tuple[str, ...]]:
    """The language model of a file, and if it is a text, the words that come twice in it."""
    if path.suffix.lower() == ".safetensors":
        return _recurrent(path, model), ()
    try:
        with open(path, "rb") as file:
            if is_arpa(unzipped(file)):
                return _back_off(path, model), ()
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(path, f"cannot be read ({error})", "check the path and the file") from error
    counted = _counted(path, model)
    return counted.ngrams, counted.words


def _recurrent(path: Path, model: SequenceModel) -> Recurrent:
    """The language model of a model file, made by `triscribe train language`."""
    network, alphabet = load(path), model.alphabet
    if network.task != "language":
        cause = f"is a model for {network.task}"
        raise ModelError(path, cause, "give one that triscribe train language made, a text, or an ARPA file")
    verbatim = Verbatim(network.vocabulary)
    if verbatim.unit != "character":
        cause = f"tells {verbatim.unit}s, and {model.name} writes characters"
        raise ModelError(path, cause, "train it with --tokens characters")
    known = network.vocabulary
    fitting = {label: fitted(symbol, known) for label, symbol in enumerate(alphabet.symbols, start=1)}
    symbols = {label: known.encode(symbol)[0] for label, symbol in fitting.items() if symbol in known}
    letters = set(letters_of(alphabet, "LM")) or set(fitting)
    if not letters & symbols.keys():
        way = "give one of the language and script that it reads"
        raise ModelError(path, f"knows no letter that {model.name} writes", way)
    ready = for_inference(network, "cpu")
    parts = ready.front_end, ready.core, ready.decoder
    return Recurrent(*parts, symbols, space_of(alphabet), verbatim.first, len(alphabet))


def _back_off(path: Path, model: SequenceModel) -> Arpa:
    """The language model of an ARPA file of characters."""
    alphabet = model.alphabet
    try:
        with open(path, "rb") as file:
            tokens = set(tokens_of(unzipped(file)))
        space = next((each for each in SPACES if each in tokens and each not in alphabet), None)
        labels = {}
        for token in tokens - {space}:
            symbol = fitted(token, alphabet)
            if symbol in alphabet and (symbol == token or symbol not in tokens):
                labels[token] = alphabet.encode(symbol)[0]
        edge = space_of(alphabet)
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
    """The language model of a text."""
    texts = [model.normalisation(line) for line in read_text(path, LARGEST_TEXT).splitlines()]
    try:
        return Language.of(model.alphabet, model.encode, texts)
    except ValueError as error:
        way = "give text in the language and script that it reads"
        raise DataError(path, f"holds nothing that {model.name} can write", way) from error
