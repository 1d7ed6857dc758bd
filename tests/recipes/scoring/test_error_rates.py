"""Evaluation: known error rates, intervals, confusions, and the page that reports them."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

from recipes.scoring import report_page as evaluation_page
from recipes.scoring.curves import learning_curves
from recipes.scoring.error_rates import Scored, counts, error_rate, evaluate, pairs, shown
from recipes.scoring.report_page import Attachment, write_page
from tests.data.media import tone, write_audio

VOID = {"meta", "link", "img", "br", "input", "path", "use"}
HISTORY = [
    {"epoch": 1, "loss": 3.0, "seconds": 2.0},
    {"epoch": 2, "loss": 1.5, "seconds": 2.0, "cer": 0.4, "wer": 0.9},
    {
        "epoch": 3,
        "loss": 1.0,
        "seconds": 2.0,
        "cer": 0.02,
        "wer": 0.08,
        "averaged_cer": 0.01,
        "averaged_wer": 0.05,
    },
]


class Page(HTMLParser):
    """Reads a page, checks that its elements are closed in order, and keeps what the tests look at."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


def written(folder, items, **options):
    path = write_page(folder / "report" / "page.html", evaluate("test", items), **options)
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//\w", re.sub(r"base64,[\w+/=]*", "", text))
    return Page(text), text


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
    with pytest.raises(ValueError, match=r"reference 1 .* blank"):
        error_rate(["a", " \n"], ["a", "b"], "word")
    with pytest.raises(ValueError, match="no items"):
        error_rate([], [], "word")
    with pytest.raises(ValueError):
        error_rate(["a", "b"], ["a"], "character")


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
    assert "2 items, 4 words, 50.0% of items without an error" in text
    assert "WER 50.00 %" in text
    assert "2 errors: 1 replaced, 1 left out, 0 added" in text
    assert "REF: one two three\n" in text
    assert max(map(len, text.splitlines())) <= 100
    assert "Worst" not in evaluate("test", scored(("four", "four"))).summary()


def test_characters_without_a_shape_are_named():
    assert [shown(text) for text in (" ", "a", "word")] == ["space", "a", "word"]
    assert [shown(text) for text in ("\u0301", "\u200b")] == ["◌\u0301", "U+200B"]


def test_page_shows_everything_and_escapes_it(tmp_path):
    hostile = "<script>alert(1)</script> three &amp;"
    items = scored(("one <two> three", hostile), ("a b", "a b"), ("שלום עולם", "שלום"))
    page, text = written(tmp_path, items, history=HISTORY, facts={"model <small>": "3 & 4", "epochs": 3})
    assert page.tags.count("script") == 0
    said = "".join(page.text)
    for part in (*hostile.split(), "<two>", "model <small>", "3 & 4", "שלום", "95 % interval"):
        assert part in said
    assert page.tags.count("svg") == 2
    assert page.tags.count("article") == 2
    assert len(set(page.all("id"))) == len(page.all("id"))
    assert "currentColor" in text


def test_page_of_a_perfect_model(tmp_path):
    page, _ = written(tmp_path, scored(("a b", "a b")))
    assert "Every word of every item is right." in "".join(page.text)
    assert "svg" not in page.tags


def test_page_plays_the_part_that_an_item_is(tmp_path):
    path = write_audio(tmp_path / "long.wav", tone(40.0, sample_rate=8000), 8000)
    item = Scored("part", "one two", "one", path, 31.0, 33.0, 2.0)
    page, _ = written(tmp_path, [item])
    assert page.all("src")[0].startswith("data:audio/mpeg;base64,")

    samples, rate = soundfile.read(io.BytesIO(evaluation_page.sound_of(item).content))
    assert rate == 16000
    assert len(samples) / rate == pytest.approx(2.0, abs=0.1)


def test_page_says_why_there_is_no_player(tmp_path, monkeypatch):
    path = write_audio(tmp_path / "short.wav", tone(0.5))
    monkeypatch.setattr(evaluation_page, "MEDIA_BYTES", 6000)
    items = [Scored(str(number), "one", "two", path, duration=0.5) for number in range(3)]
    page, _ = written(tmp_path, [*items, Scored("gone", "one", "two", tmp_path / "gone.wav")])
    assert 0 < page.tags.count("audio") < 3
    said = "".join(page.text)
    assert "left out to keep this page small" in said
    assert "gone.wav: does not exist" in said


def test_page_shows_pictures(tmp_path):
    item = Scored("line", "one", "two", tmp_path / "line.png")
    page, _ = written(tmp_path, [item], attach=lambda item: Attachment("image/png", b"picture"))
    assert "img" in page.tags
    assert "audio" not in page.tags


def test_curves():
    loss, rates = learning_curves(HISTORY)
    assert "Loss on the training data" in loss
    for part in ("CER, lowest 2.00 %", "WER with averaged weights, 5.00 %", "epoch"):
        assert part in rates
    assert learning_curves([]) == []
    assert len(learning_curves(HISTORY[:1])) == 1
