"""N-grams that learn from the same symbols as a language model, to compare it with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from decoders.language.kneser_ney import KneserNey

ORDERS = (3, 5, 7, 9)  # tried on validation data
TRIED = 20_000  # symbols
MOST = 400_000  # symbols that are scored
LEAST = 1e-4


def best_ngrams(
    train: Sequence[np.ndarray], valid: Sequence[np.ndarray], first: int, num_labels: int
) -> KneserNey:
    """N-grams with modified Kneser-Ney smoothing, of the order that does best on validation data.

    Args:
        train, valid: (n,) symbols of texts.
        first: the symbol that a text is thought to follow on.
        num_labels: of the vocabulary.
    """
    tried, best, least = np.concatenate(valid)[:TRIED], None, np.inf
    for order in ORDERS:
        ngrams = KneserNey.of(([first, *text.tolist()] for text in train), order, num_labels)
        nats = float(nats_of(ngrams, tried, [first]).mean())
        if nats < least:
            best, least = ngrams, nats
        if nats > least or ngrams.order < order:
            break
    return best


def nats_of(ngrams: KneserNey, text: np.ndarray, before: Sequence[int]) -> np.ndarray:
    """(n,) surprisal of each symbol of a text, `before` being those that precede it.

    A share of `LEAST` goes to all symbols alike, as discounts of few counts may leave nothing to some.
    """
    behind = [*before, *text.tolist()]
    reach, found = ngrams.order - 1, np.empty(len(text))
    for place, id in enumerate(text.tolist()):
        end = len(before) + place
        with np.errstate(divide="ignore"):
            found[place] = ngrams.log_probs(tuple(behind[max(0, end - reach) : end]))[id]
    return -np.logaddexp(found + math.log(1 - LEAST), math.log(LEAST / ngrams.num_labels))
