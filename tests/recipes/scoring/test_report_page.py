"""The HTML report of an evaluation: what it shows, and that it is valid, escaped and self-contained."""

import datetime
import io

import pytest
import soundfile

from recipes.scoring import report_page
from recipes.scoring.error_rates import Rate, Scored, evaluate
from recipes.scoring.headings import heading
from recipes.scoring.report_page import Attachment, write_page
from tests.data.media import tone, write_audio
from tests.data.web import read_page

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


def written(folder, items, **options):
    return read_page(write_page(folder / "report" / "page.html", evaluate("test", items), **options))


def scored(*texts: tuple[str, str]) -> list[Scored]:
    return [Scored(f"item {number}", *pair) for number, pair in enumerate(texts)]


def test_page_shows_everything_and_escapes_it(tmp_path):
    hostile = "<script>alert(1)</script> three &amp;"
    items = scored(("one <two> three", hostile), ("a b", "a b"), ("שלום עולם", "שלום"))
    page = written(tmp_path, items, history=HISTORY, facts={"model <small>": "3 & 4", "epochs": 3})
    assert page.tags.count("script") == 0
    for part in (*hostile.split(), "<two>", "model <small>", "3 & 4", "שלום", "95 % interval"):
        assert part in page.said
    assert page.tags.count("svg") == 2
    assert page.tags.count("article") == 2


def test_page_of_a_perfect_model(tmp_path):
    page = written(tmp_path, scored(("a b", "a b")))
    assert "Every word of every item is right." in page.said
    assert "svg" not in page.tags


def test_page_plays_the_part_that_an_item_is(tmp_path):
    path = write_audio(tmp_path / "long.wav", tone(40.0, sample_rate=8000), 8000)
    item = Scored("part", "one two", "one", path, 31.0, 33.0, 2.0)
    page = written(tmp_path, [item])
    assert page.all("src")[0].startswith("data:audio/mpeg;base64,")

    samples, rate = soundfile.read(io.BytesIO(report_page.sound_of(item).content))
    assert rate == 16000
    assert len(samples) / rate == pytest.approx(2.0, abs=0.1)


def test_page_says_why_there_is_no_player(tmp_path, monkeypatch):
    path = write_audio(tmp_path / "short.wav", tone(0.5))
    monkeypatch.setattr(report_page, "MEDIA_BYTES", 6000)
    items = [Scored(str(number), "one", "two", path, duration=0.5) for number in range(3)]
    page = written(tmp_path, [*items, Scored("gone", "one", "two", tmp_path / "gone.wav")])
    assert 0 < page.tags.count("audio") < 3
    assert "left out to keep this page small" in page.said
    assert "gone.wav: does not exist" in page.said


def test_page_shows_pictures(tmp_path):
    item = Scored("line", "one", "two", tmp_path / "line.png")
    page = written(tmp_path, [item], attach=lambda item: Attachment("image/png", b"picture"))
    assert "img" in page.tags
    assert "audio" not in page.tags


def test_the_head_names_model_data_and_date(tmp_path):
    facts = {"model": "own", "data": "letters & notes", "before": {"cer": "31.00 %"}}
    page = written(tmp_path, scored(("a b", "a c")), facts=facts)
    assert "own on letters & notes" in page.said and "test split" in page.said
    assert "before fine-tuning 31.00 %" in page.said
    assert datetime.date.today().isoformat() in page.said
    bare = heading("5 folds", date=datetime.date(2026, 1, 2))
    assert (bare["title"], bare["split"], bare["date"]) == ("Evaluation", "5 folds", "2026-01-02")


def test_page_of_one_item_has_no_plurals(tmp_path):
    page = written(tmp_path, scored(("a", "b")))
    assert "1 item, 1 word," in page.said and "1 of 1 item with errors" in page.said


def test_no_rate_is_minus_zero():
    assert str(Rate(0.0, -1e-9, 1e-9)) == "0.00 % [0.00, 0.00]"
