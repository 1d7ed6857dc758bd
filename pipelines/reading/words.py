"""Decoded labels as symbols, words and alternative readings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from decoders.alphabet import Alphabet
from decoders.contract import Labels
from pipelines.model import SequenceModel
from pipelines.results import Readings


@dataclass(frozen=True, slots=True)
class Symbol:
    """One decoded symbol and the frames that it spans."""

    text: str
    start: float
    end: float
    confidence: float


def readings_of(labels: Labels, model: SequenceModel) -> Readings:
    """The alternatives of decoded labels as texts, no two alike."""
    readings: dict[str, float] = {}
    for ids, probability in labels.alternatives:
        text = " ".join(model.decode(ids).split())
        readings[text] = readings.get(text, 0.0) + probability
    return tuple(readings.items())


def joined(readings: Iterable[Readings]) -> Readings:
    """Readings of parts that follow each other as readings of the whole, as many as of the part with most."""
    whole: Readings = (("", 1.0),)
    for part in readings:
        count = max(len(whole), len(part))
        both = [
            (" ".join(filter(None, (text, more))), probability * share)
            for text, probability in whole
            for more, share in part
        ]
        whole = tuple(sorted(both, key=itemgetter(1), reverse=True)[:count])
    return whole


def symbols_of(labels: Labels, alphabet: Alphabet) -> list[Symbol]:
    """Labels as text, spaces too."""
    return [
        Symbol(alphabet.decode([label]), start, end, min(confidence, 1.0))
        for label, start, end, confidence in zip(
            labels.ids, labels.starts, labels.ends, labels.confidences, strict=True
        )
    ]


def split(symbols: Iterable[Symbol]) -> list[list[Symbol]]:
    """The symbols of each word between spaces."""
    words: list[list[Symbol]] = [[]]
    for symbol in symbols:
        if symbol.text == " ":
            words.append([])
        else:
            words[-1].append(symbol)
    return [word for word in words if word]


def words_of(labels: Labels, alphabet: Alphabet) -> list[list[Symbol]]:
    """The symbols of each word of decoded labels."""
    return split(symbols_of(labels, alphabet))
