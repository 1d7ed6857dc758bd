"""Mean confidences of results of each type, and what is said of those that are low."""

import pytest

from pipelines.confidence import LOW, UNSURE, Confidences, mean_confidence
from pipelines.results import (
    Actions,
    Caption,
    Page,
    Segment,
    Sentence,
    TextLine,
    TextRegion,
    Transcript,
    Word,
)
from pipelines.writers.page_items import Entry, item_of


def heard(*confidences: float, found: bool = True) -> Transcript:
    words = tuple(Word("go", 0.0, 0.1, each) for each in confidences)
    return Transcript((Segment("go", 0.0, 1.0, 0.25, words, found),), 1.0, "m")


@pytest.mark.parametrize(
    ("result", "mean"),
    [
        (heard(0.5, 0.9), 0.7),
        (heard(), 0.25),
        (heard(found=False), None),
        (Page((TextRegion((TextLine("abc", 0.2), TextLine("a", 1.0), TextLine("", 0.0))),), 9, 9, "m"), 0.4),
        (Page((), 9, 9, "m"), None),
        (Actions((("run", 0.3),), (), 1.0, "m"), 0.3),
        (Caption((Sentence("a dog", 0.4, ()), Sentence("a cat", 0.6, ())), 0.0, "m"), 0.5),
    ],
)
def test_it_is_the_mean_of_what_was_found(result, mean):
    assert mean_confidence(result) == (None if mean is None else pytest.approx(mean))


def test_the_page_says_so_of_a_result_below_the_limit_only(tmp_path):
    for confidence in (LOW - 0.01, LOW):
        item = item_of(Entry(tmp_path / "x.wav", heard(confidence), None))
        assert item["confidence"] == confidence
        assert item.get("doubt") == (UNSURE if confidence < LOW else None)


def test_the_summary_counts_by_model():
    counted = Confidences()
    for model, confidence in (("a", 0.59), ("a", 0.6), ("a", None), ("b", 0.1), ("c", 0.9)):
        counted.add("speech", model, confidence)
    first, second = counted.doubts(lambda task: f"train {task}")
    assert first == (
        "1 of 3 results of a has a mean confidence below 0.6: another model for speech may fit (train speech)"
    )
    assert second.startswith("1 of 1 results of b has")
