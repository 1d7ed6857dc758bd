"""Spans of labels in BIO and its relatives."""

import pytest

from pipelines.spans import has_spans, spans_of


@pytest.mark.parametrize(
    ("labels", "spans"),
    [
        ("O B-a I-a O B-b", [("a", 1, 2), ("b", 4, 4)]),
        ("B-a B-a I-a", [("a", 0, 0), ("a", 1, 2)]),
        ("I-a I-a O I-b", [("a", 0, 1), ("b", 3, 3)]),
        ("B-a I-b", [("a", 0, 0), ("b", 1, 1)]),
        ("S-a B-b I-b E-b S-b", [("a", 0, 0), ("b", 1, 3), ("b", 4, 4)]),
        ("B-a L-a I-a U-a", [("a", 0, 1), ("a", 2, 2), ("a", 3, 3)]),
        ("B-x-y I-x-y", [("x-y", 0, 1)]),
        ("NOUN VERB B", []),
        ("O O", []),
        ("", []),
    ],
)
def test_spans(labels, spans):
    assert spans_of(labels.split()) == spans


def test_labels_that_mark_spans():
    assert has_spans(["O", "B-a"]) and has_spans(["I-a"])
    assert (
        not has_spans(["O"])
        and not has_spans(["NOUN", "O"])
        and not has_spans(["B-a", "X"])
        and not has_spans([])
    )
