"""Vocabularies of words, subwords or classes, with the interface of an alphabet.

Label 0 is reserved for the decoders: the blank of CTC, the end in an attention decoder.
"""

from __future__ import annotations

import base64
import binascii
import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

from decoders.alphabet import BLANK, Alphabet

UNKNOWN = "<unknown>"
SPACE = "\u2581"  # marks the beginning of a word in sentencepiece


class Words:
    """An ordered set of words, validated on construction.

    Args:
        symbols: words without white space; their order gives the ids, from 1. `UNKNOWN`, if among them,
            stands for every other word; without it, a text with another word cannot be encoded.

    Raises:
        ValueError: a word, which is named, is empty, repeated, or has white space or control characters.
    """

    def __init__(self, symbols: Sequence[str]):
        if not symbols:
            raise ValueError("a vocabulary needs at least one word")
        for symbol, count in Counter(symbols).items():
            if not isinstance(symbol, str) or symbol.split() != [symbol]:
                raise ValueError(f"{symbol!r} is not one word")
            if any(unicodedata.category(character) in ("Cc", "Cs") for character in symbol):
                raise ValueError(f"word {symbol!r} has a control character")
            if count > 1:
                raise ValueError(f"word {symbol!r} appears {count} times")
        self.symbols = tuple(symbols)
        self._ids = {symbol: index for index, symbol in enumerate(self.symbols, start=1)}

    @classmethod
    def of(cls, texts: Iterable[str], min_count: int = 1) -> Words:
        """`UNKNOWN` and all words that occur at least `min_count` times, the most frequent first."""
        counts = Counter(word for text in texts for word in text.split())
        counts.pop(UNKNOWN, None)
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return cls([UNKNOWN, *(word for word in ranked if counts[word] >= min_count)])

    def __len__(self) -> int:
        """Number of labels, including label 0."""
        return len(self.symbols) + 1

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Words) and self.symbols == other.symbols

    def __hash__(self) -> int:
        return hash(self.symbols)

    def __repr__(self) -> str:
        return f"Words({len(self.symbols)} words: {' '.join(self.symbols[:5])} ...)"

    @property
    def unknown_id(self) -> int | None:
        """The label of all words outside the vocabulary."""
        return self._ids.get(UNKNOWN)

    def encode(self, text: str) -> list[int]:
        """Label ids of a text; without `UNKNOWN`, raises ValueError naming those outside it."""
        unknown = self.unknown(text)
        if unknown and self.unknown_id is None:
            raise ValueError(f"{text!r} has words outside the vocabulary: {' '.join(map(repr, unknown))}")
        return [self._ids.get(word, self.unknown_id) for word in text.split()]

    def decode(self, ids: Iterable[int]) -> str:
        """The words of label ids, joined by spaces; label 0 is skipped."""
        return " ".join(self.symbols[index - 1] for index in ids if index != BLANK)

    def unknown(self, text: str) -> list[str]:
        """Words of the text outside the vocabulary, sorted."""
        return sorted(set(text.split()) - (self._ids.keys() - {UNKNOWN}))


class Subwords:
    """Subwords of a sentencepiece model (Kudo & Richardson 2018).

    Args:
        model: a serialised sentencepiece model whose piece 0 is padding, as made by `of`.

    Raises:
        ValueError: the model is not of this kind.
        RuntimeError: the optional package sentencepiece is not installed.
    """

    def __init__(self, model: bytes):
        package = _sentencepiece()
        self.model = bytes(model)
        try:
            self._pieces = package.SentencePieceProcessor(model_proto=self.model)
        except RuntimeError as error:
            raise ValueError(f"not a sentencepiece model ({error})") from error
        if len(self._pieces) < 2 or self._pieces.pad_id() != BLANK:
            raise ValueError(f"a sentencepiece model whose piece {BLANK} is not for padding")

    @classmethod
    def of(
        cls, texts: Iterable[str], size: int = 500, kind: str = "unigram", verbatim: bool = False
    ) -> Subwords:
        """Train subwords on texts; every character is covered.

        Args:
            texts: already normalised; sentencepiece leaves them as they are.
            size: number of labels, including label 0 and the unknown label; fewer if the texts have fewer.
            kind: "unigram" (Kudo 2018) or "bpe" (Sennrich et al. 2016).
            verbatim: keep white space as it is, instead of adding or removing some at both ends.
        """
        if kind not in ("unigram", "bpe"):
            raise ValueError(f"kind must be unigram or bpe, not {kind!r}")
        package, model = _sentencepiece(), io.BytesIO()
        try:
            package.SentencePieceTrainer.train(
                sentence_iterator=iter(texts),
                model_writer=model,
                vocab_size=size,
                hard_vocab_limit=False,
                model_type=kind,
                character_coverage=1.0,
                normalization_rule_name="identity",
                pad_id=BLANK,
                unk_id=1,
                bos_id=-1,
                eos_id=-1,
                pad_piece="<end>",
                unk_piece=UNKNOWN,
                unk_surface=UNKNOWN,
                add_dummy_prefix=not verbatim,
                remove_extra_whitespaces=not verbatim,
                num_threads=1,
                minloglevel=2,
            )
        except RuntimeError as error:
            raise ValueError(f"sentencepiece cannot make {size} pieces of these texts ({error})") from error
        return cls(model.getvalue())

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The pieces in the order of their ids, from 1; `SPACE` marks the beginning of a word."""
        return tuple(self._pieces.id_to_piece(index) for index in range(1, len(self)))

    def __len__(self) -> int:
        """Number of labels, including label 0."""
        return len(self._pieces)

    def __contains__(self, symbol: str) -> bool:
        return symbol in self.symbols

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subwords) and self.model == other.model

    def __hash__(self) -> int:
        return hash(self.model)

    def __repr__(self) -> str:
        return f"Subwords({len(self.symbols)} pieces: {' '.join(self.symbols[:5])} ...)"

    @property
    def unknown_id(self) -> int:
        """The label of characters that no piece covers."""
        return self._pieces.unk_id()

    def encode(self, text: str) -> list[int]:
        """Label ids of a text; characters that no piece covers become the unknown label."""
        return self._pieces.encode(text)

    def pieces(self, text: str) -> list[str]:
        """The pieces of a text, one for each of its label ids; what no piece covers as it stands there."""
        return self._pieces.encode(text, out_type=str)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of label ids; label 0 is skipped."""
        return self._pieces.decode([int(index) for index in ids if index != BLANK])

    def unknown(self, text: str) -> list[str]:
        """Characters of the text that no piece covers, sorted."""
        return sorted(set("".join(text.split())) - self._characters)

    @cached_property
    def _characters(self) -> set[str]:
        return set().union(*self.symbols[1:])


class Classes:
    """The names of classes, which may contain spaces.

    Args:
        symbols: the names; their order gives the ids, from 1. Label 0 is none of them: the blank of CTC over
            ordered actions, and on a timeline the background between actions.

    Raises:
        ValueError: a name, which is given, is empty, padded with spaces, repeated, or has control characters.
    """

    def __init__(self, symbols: Sequence[str]):
        if not symbols:
            raise ValueError("there must be at least one class")
        for symbol, count in Counter(symbols).items():
            if not isinstance(symbol, str) or not symbol or symbol != symbol.strip():
                raise ValueError(f"{symbol!r} is no name of a class")
            if any(unicodedata.category(character) in ("Cc", "Cs") for character in symbol):
                raise ValueError(f"class {symbol!r} has a control character")
            if count > 1:
                raise ValueError(f"class {symbol!r} appears {count} times")
        self.symbols = tuple(symbols)
        self._ids = {symbol: index for index, symbol in enumerate(self.symbols, start=1)}

    @classmethod
    def of(cls, names: Iterable[str]) -> Classes:
        """All names that occur, sorted."""
        return cls(sorted(set(names)))

    def __len__(self) -> int:
        """Number of labels, including label 0."""
        return len(self.symbols) + 1

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Classes) and self.symbols == other.symbols

    def __hash__(self) -> int:
        return hash(self.symbols)

    def __repr__(self) -> str:
        return f"Classes({', '.join(self.symbols)})"

    def encode(self, text: str) -> list[int]:
        """The label of one name, as a list; raises ValueError if there is no such class."""
        if text not in self._ids:
            raise ValueError(f"{text!r} is none of the classes: {', '.join(self.symbols)}")
        return [self._ids[text]]

    def decode(self, ids: Iterable[int]) -> str:
        """The names of label ids, joined by commas; label 0 is skipped."""
        return ", ".join(self.symbols[index - 1] for index in ids if index != BLANK)

    def unknown(self, text: str) -> list[str]:
        """The text itself if it is not a class."""
        return [] if text in self._ids else [text]


def to_plain(alphabet: Alphabet | Words | Subwords | Classes) -> list | dict:
    """The vocabulary as plain values for the header of a model file."""
    if isinstance(alphabet, Subwords):
        return {"kind": "subwords", "model": base64.b64encode(alphabet.model).decode()}
    if isinstance(alphabet, Words):
        return {"kind": "words", "symbols": list(alphabet.symbols)}
    if isinstance(alphabet, Classes):
        return {"kind": "classes", "symbols": list(alphabet.symbols)}
    return list(alphabet.symbols)


def from_plain(value: object) -> Alphabet | Words | Subwords | Classes:
    """Rebuild what `to_plain` returned; raises ValueError for anything else."""
    match value:
        case list():
            return Alphabet(value)
        case {"kind": "words", "symbols": list(symbols)}:
            return Words(symbols)
        case {"kind": "classes", "symbols": list(symbols)}:
            return Classes(symbols)
        case {"kind": "subwords", "model": str(model)}:
            try:
                return Subwords(base64.b64decode(model, validate=True))
            except binascii.Error as error:
                raise ValueError(f"its subwords are not base64 ({error})") from error
    raise ValueError(
        "'alphabet' must be a list of characters, or an object of kind words, subwords or classes"
    )


def _sentencepiece():
    try:
        import sentencepiece
    except ImportError as error:
        raise RuntimeError("subwords need the package: pip install sentencepiece") from error
    return sentencepiece
