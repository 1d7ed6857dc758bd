"""Error rates, their intervals, and what is confused with what."""

import numpy as np
import pytest

from recipes.scoring.error_rates import Scored, counts, error_rate, evaluate, pairs, shown


def scored(*texts: tuple[str, str]) -> list[Scored]:
    return [Scored(f"item {number}", *pair) for number, pair in enumerate(texts)]


def test_known_rates():
    rate = error_rate(["a b c d", "e f"], ["a x c", "e f g"], "word")
    assert rate.value == 3 / 6
    assert error_rate(["abc"], ["axcd"], "character").value == 2 / 3
    assert error_rate(["a b"], [""], "word").value == 1.0
    assert error_rate(["a"], ["b c d"], "word").value == 3.0
    perfect = error_rate(["a b"], [" a \n b "], "character")
    assert (perfect.value, perfect.low, perfect.high) == (0.0, 0.0, 0.0)
    assert counts(["a b c", "d"], ["a c", "d"], "word").tolist() == [[1, 3], [0, 1]]


def test_interval_holds_the_rate_shrinks_with_the_data_and_repeats():
    rng = np.random.default_rng(5)
    references = ["a b c d e"] * 400
    hypotheses = [" ".join(word for word in "abcde" if rng.random() > 0.2) for _ in references]
    small, large = (error_rate(references[:size], hypotheses[:size], "word") for size in (40, 400))
    assert small.low < small.value < small.high
    assert large.low < large.value < large.high
    assert large.high - large.low < 0.5 * (small.high - small.low)
    # five independent words with p = 0.2 in each of 400 items
    assert large.high - large.low == pytest.approx(2 * 1.96 * (0.2 * 0.8 / 2000) ** 0.5, rel=0.25)
    assert large == error_rate(references, hypotheses, "word")


def test_chunks_of_draws_do_not_change_the_interval(monkeypatch):
    references, hypotheses = ["a b", "c d", "e f"], ["a b", "c", "x f"]
    whole = error_rate(references, hypotheses, "word")
    monkeypatch.setattr("recipes.scoring.error_rates.DRAWS", 7)
    assert error_rate(references, hypotheses, "word") == whole


def test_what_cannot_be_scored_is_refused():
    for references in ([], [" \n", ""]):
        with pytest.raises(ValueError, match="no items"):
            error_rate(references, ["a"] * len(references), "word")
    with pytest.raises(ValueError):
        error_rate(["a", "b"], ["a"], "character")


def test_what_is_read_where_nothing_is_said_counts():
    rate = error_rate(["a b", "", " "], ["a b", "x y z", ""], "word")
    assert rate.value == 3 / 2 and rate.low == 0.0
    evaluation = evaluate("test", scored(("a b", "a"), ("", "x"), ("", "")))
    assert [item.hypothesis for item in evaluation.worst(3)] == ["x", "a"]
    assert evaluation.cer.value == 3 / 3 and "1 added" in evaluation.summary()


def test_confusions():
    texts = ("cat sat", "cut sat"), ("bat", "but"), ("ab", "b"), ("go", "good"), ("x", "")
    evaluation = evaluate("test", scored(*texts))
    expected = {("a", "u"): 2, ("a", ""): 1, ("", "o"): 1, ("", "d"): 1, ("x", ""): 1}
    assert evaluation.confusions() == expected
    assert evaluation.most_confused(2) == [(("a", "u"), 2), (("", "d"), 1)]
    assert evaluation.confusions("word")["bat", "but"] == 1
    assert evaluation.confusions("word").total() == evaluation.word_counts[:, 0].sum() == 5


def test_pairs_hold_both_texts():
    found = pairs("one two three four", "one too three and four")
    assert found == [("one", "one"), ("two", "too"), ("three", "three"), ("", "and"), ("four", "four")]
    assert pairs("one", "") == [("one", "")]


def test_worst_items_come_first():
    texts = ("a b", "a b"), ("a b", "a c"), ("a b c d", "x x x x"), ("a", "x"), ("a", "b c")
    evaluation = evaluate("test", scored(*texts))
    assert [item.name for item in evaluation.worst(10)] == ["item 4", "item 2", "item 3", "item 1"]
    assert len(evaluation.worst(2)) == 2


def test_summary():
    text = evaluate("test", scored(("one two three", "one tow"), ("four", "four"))).summary()
    assert "2 items, 4 words, 50.0 % of items without an error" in text
    assert "WER 50.00 %" in text
    assert "2 errors: 1 replaced, 1 left out, 0 added" in text
    assert "REF: one two three\n" in text
    assert max(map(len, text.splitlines())) <= 100
    assert "Worst" not in evaluate("test", scored(("four", "four"))).summary()


def test_characters_without_a_shape_are_named():
    assert [shown(text) for text in (" ", "a", "word")] == ["space", "a", "word"]
    assert [shown(text) for text in ("\u0301", "\u200b")] == ["◌\u0301", "U+200B"]
