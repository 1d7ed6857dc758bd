"""What to correct first: what is uncertain, long, unlike, of all hands; no blots, nothing checked."""

import json
from pathlib import Path

import pytest

from pipelines.batch.journal import Journal
from pipelines.batch.plan import Job
from pipelines.commands.cli import main
from pipelines.errors import DataError
from pipelines.results import (
    Actions,
    ActionSegment,
    Caption,
    Character,
    Check,
    Glyph,
    Page,
    Segment,
    Sentence,
    TextLine,
    TextRegion,
    Transcript,
    Word,
    WrittenWord,
)
from pipelines.teaching_order import next_to_correct

DONE = Check("Anna", "")


def line(text: str, confidence: float, checked: Check | None = None, glyphs: bool = True) -> TextLine:
    words = tuple(
        WrittenWord(word, confidence, (), tuple(Glyph(sign, confidence) for sign in word) if glyphs else ())
        for word in text.split()
    )
    return TextLine(text, confidence, ((0, 0), (9, 0), (9, 9)), words=words, checked=checked)


def stored(root: Path, name: str, result, task: str = "handwriting") -> Path:
    """A source and its result in the output folder."""
    source = root / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(b"x")
    path = result.save(root / "out" / f"{name}.json")
    Journal(root / "out").add(Job(source, (path,)), "m", None, task=task)
    return root / "out"


def page(*lines: TextLine) -> Page:
    return Page((TextRegion(lines),), 100, 100, "m")


def texts(out: Path, n: int = 50, **options) -> list[str]:
    return [lesson.text for lesson in next_to_correct(out, n, **options)]


def test_most_expected_errors_come_first_and_what_was_checked_not_at_all(tmp_path):
    lines = [
        line("certain of this", 0.99),
        line("doubtful words here", 0.4),
        line("doubt", 0.4),
        line("was looked at already", 0.1, DONE),
        line("rather long and somewhat uncertain", 0.8),
    ]
    out = stored(tmp_path, "a.png", page(*lines))
    order = ["doubtful words here", "rather long and somewhat uncertain", "doubt", "certain of this"]
    assert texts(out) == order and texts(out, 2) == order[:2]
    lesson = next_to_correct(out, 1)[0]
    assert (lesson.source, lesson.unit, lesson.place) == (tmp_path / "a.png", "line", 1)
    assert (lesson.path, lesson.task, lesson.confidence) == (out / "a.png.json", "handwriting", 0.4)


def test_blots_come_last(tmp_path):
    out = stored(
        tmp_path, "a.png", page(line("...", 0.0), line("", 0.0), line("I l", 0.0), line("the end", 1.0))
    )
    assert texts(out, 1) == ["the end"]
    assert texts(out)[0] == "the end" and sorted(texts(out)[1:]) == ["", "...", "I l"]


def test_what_is_alike_is_named_once_before_others(tmp_path):
    same = [line("yours very truly indeed", 0.3) for _ in range(5)]
    out = stored(
        tmp_path, "a.png", page(*same, line("pack my box with jugs", 0.5), line("quick zephyrs blow", 0.5))
    )
    assert set(texts(out, 3)) == {"yours very truly indeed", "pack my box with jugs", "quick zephyrs blow"}


@pytest.mark.parametrize("single", [False, True])
def test_all_hands_get_their_turn(tmp_path, single):
    """Of documents, or where each line is a file, of folders."""
    words = ("alpha beta", "gamma delta", "epsilon zeta", "theta iota", "kappa lambda", "omikron sigma")
    for hand, confidence in (("clear", 0.6), ("hard", 0.4)):
        lines = [line(f"{word} {hand}", confidence) for word in words]
        for number, each in enumerate(lines if single else [page(*lines)]):
            out = stored(tmp_path, f"{hand}/{number}.png", page(each) if single else each)
    hands = [text.rpartition(" ")[2] for text in texts(out, 6)]
    assert hands[0] == "hard" and 2 <= hands.count("clear") <= 4


def test_every_kind_of_result_and_those_of_one_task(tmp_path):
    said = Word("hello", 0.0, 1.0, 0.3, tuple(Character(sign, 0.0, 0.1, 0.3) for sign in "hello"))
    segments = (Segment("hello", 0.0, 1.0, 0.3, (said,)), Segment("lost line", 0, 0, 0.0, found=False))
    stored(tmp_path, "a.wav", Transcript(segments, 2.0, "m"), "speech")
    stored(tmp_path, "a.png", page(line("written", 0.4, glyphs=False)))
    clip = ActionSegment("run", 0.0, 1.0, 0.5)
    stored(tmp_path, "a.mp4", Actions((("run", 0.5), ("go", 0.4)), (clip,), 1.0, "m"), "action")
    sentences = (Sentence("a red hat", 0.6), Sentence("a known hat", 0.1, checked=DONE))
    out = stored(tmp_path, "b.png", Caption(sentences, 0.0, "m"), "captioning")
    found = {(lesson.task, lesson.unit, lesson.text) for lesson in next_to_correct(out)}
    assert found == {
        ("speech", "segment", "hello"),
        ("handwriting", "line", "written"),
        ("action", "clip", "run"),
        ("captioning", "sentence", "a red hat"),
    }
    assert texts(out, task="speech") == ["hello"]


def test_what_cannot_be_corrected_is_not_named(tmp_path):
    stored(tmp_path, "a.png", page(line("gone away", 0.3)))
    stored(tmp_path, "b.png", page(line("no result", 0.3)))
    out = stored(tmp_path, "c.png", page(line("still there", 0.3)))
    (tmp_path / "a.png").unlink()
    (out / "b.png.json").write_text("{")
    assert texts(out) == ["still there"]
    with pytest.raises(DataError, match="is no output folder"):
        next_to_correct(tmp_path)
    with pytest.raises(ValueError, match="n must be above 0"):
        next_to_correct(out, 0)


def test_the_command_lists_them(tmp_path, capsys):
    out = stored(tmp_path, "a.png", page(line("one\x1b[31m line", 0.9), line("two lines of it", 0.5)))
    assert main(["next", str(out), "-n", "1"]) == 0
    assert capsys.readouterr().out == f"0.50  {out}/a.png.json line 2  two lines of it\n"
    assert main(["next", str(out), "--json", "--task", "handwriting"]) == 0
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [row["text"] for row in rows] == ["two lines of it", "one\x1b[31m line"]
    assert rows[0]["source"] == str(tmp_path / "a.png") and rows[0]["place"] == 1
    assert main(["next", str(out), "--task", "song"]) == 2 and main(["next", str(out), "-n", "0"]) == 2
    assert main(["next", str(tmp_path)]) == 1
    assert "is no output folder of triscribe" in capsys.readouterr().err
