"""Spans in labels of the scheme BIO: B-city begins a span of the kind city, I-city goes on, O is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class TokenSpan(NamedTuple):
    """Tokens `first` to `last`, inclusive, that are of one kind."""

    kind: str
    first: int
    last: int


def spans_of(labels: Sequence[str]) -> list[TokenSpan]:
    """The spans in the labels of a sentence, in order.

    IOB1, where I- also begins a span, and BIOES (L- or E- for the last token, U- or S- for a single one) are
    read, too. A label that goes on with nothing begins a span, as in the CoNLL evaluation.
    """
    found: list[TokenSpan] = []
    open_kind = None
    for place, label in enumerate(labels):
        mark, _, kind = label.partition("-")
        if mark not in "BILESU" or len(mark) != 1 or not kind:
            open_kind = None
            continue
        if mark in "BSU" or kind != open_kind:
            found.append(TokenSpan(kind, place, place))
        else:
            found[-1] = found[-1]._replace(last=place)
        open_kind = None if mark in "ELSU" else kind
    return found


def has_spans(labels: Sequence[str]) -> bool:
    """Whether labels are of such a scheme: all of them O or marked, and at least one that begins a span."""
    marked = [label for label in labels if label != "O"]
    return bool(marked) and all(label[:2] in ("B-", "I-", "L-", "E-", "S-", "U-") for label in marked)
