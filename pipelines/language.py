"""The language model that a model carries, and those that a user gives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import Alphabet
from decoders.attention import Attention
from decoders.language_model import LARGEST_KEY, Mixture, NGrams
from decoders.prefix_beam import Fusion
from pipelines.errors import DataError, ModelError
from pipelines.media.text import read_text

if TYPE_CHECKING:
    from pipelines.model import SequenceModel

OWN = "own"
WEIGHT = 0.3  # of a language model that was not tried on validation data
ORDER = 6  # characters: more gain nothing
LARGEST_TEXT = 50_000_000  # bytes; counting takes about 55 times as many


@dataclass(frozen=True)
class Language:
    """N-grams of the labels of a model, and the weight that did best on validation data."""

    ngrams: NGrams
    weight: float = WEIGHT

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
        written = ("".join(symbol for symbol in text if symbol in known) for text in texts)
        labels = ([*before, *model.encode(text)] for text in written if text.strip())
        return cls(NGrams.of(labels, order, len(model.alphabet), discreet))

    def to_file(self) -> tuple[dict, Tensor]:
        """Plain values, and (bytes,) uint8."""
        header = {"sizes": self.ngrams.sizes, "total": self.ngrams.total, "weight": self.weight}
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
        return cls(NGrams.unpacked(data.numpy().tobytes(), sizes, total, len(alphabet)), float(weight))


def fusion(
    model: SequenceModel, source: str | os.PathLike | None, weight: float | None = None
) -> Fusion | None:
    """What a caller asked for.

    Args:
        source: "own", for the language model that the model carries; a file of plain text, to be counted,
            whose probabilities are averaged with those of its own where it carries one; None for none.
        weight: None for the one that did best on validation data.

    Raises:
        ModelError: the model carries none, or cannot be read with one.
        DataError: the file cannot be read, or holds nothing that the model can write.
    """
    if source is None:
        return None
    if isinstance(model.decoder, Attention):
        cause = "writes label after label, with what it has learnt of the language"
        raise ModelError(model.name, cause, "read without another language model, or with a CTC model")
    own = model.language
    if str(source) == OWN:
        if not own:
            way = "give a text file, or train with --language-model 6"
            raise ModelError(model.name, "carries no language model", way)
        used = own.ngrams
    else:
        path = Path(source)
        given = _counted(path, path.stat().st_mtime if path.exists() else 0.0, model)
        used = Mixture((own.ngrams, given)) if own else given
    chosen = weight if weight is not None else own.weight if own else WEIGHT
    return Fusion(used, chosen, _edge(model.alphabet))


@lru_cache(2)
def _counted(path: Path, _changed: float, model: SequenceModel) -> NGrams:
    size = path.stat().st_size if path.exists() else 0
    if size > LARGEST_TEXT:
        cause = f"is {size / 1e6:.0f} MB, too much to count"
        raise DataError(path, cause, f"give a part of it, of at most {LARGEST_TEXT / 1e6:.0f} MB")
    texts = [model.normalisation(line) for line in read_text(path).splitlines()]
    try:
        return Language.of(model, texts).ngrams
    except ValueError as error:
        way = "give text in the language and script that it reads"
        raise DataError(path, f"holds nothing that {model.name} can write", way) from error


def _edge(alphabet: Alphabet) -> int | None:
    """The label of a space."""
    return alphabet.encode(" ")[0] if " " in alphabet else None
