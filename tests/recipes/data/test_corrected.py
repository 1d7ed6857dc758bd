"""Output folders as data: what was checked, cut from its source exactly as recognition has cut it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines import handwriting, load
from pipelines.batch.journal import Journal
from pipelines.batch.plan import Job
from pipelines.commands.cli import main
from pipelines.errors import DataError
from pipelines.layout.turning import turned
from pipelines.results import (
    Actions,
    ActionSegment,
    Caption,
    Check,
    Segment,
    Sentence,
    Transcript,
)
from recipes.data.datasets import read_corrected
from recipes.data.written_manifest import read_manifest, write_manifest
from recipes.handwriting.recipe import line_image
from tests.data.bar_reader import BarReader
from tests.data.named import named
from tests.data.pictures import bars
from tests.pipelines.layout.test_found import letter, paper

WHO = {"by": "Anna", "when": "2026-11-28T19:45:00+00:00"}


@pytest.fixture
def bar_model(monkeypatch):
    model = BarReader()
    named(monkeypatch, model)
    return model


def recognised(folder: Path, out: Path, *options: str, formats: str = "json,page,txt") -> Path:
    assert main(["recognize", str(folder), "-o", str(out), "-f", formats, "-m", "it", *options]) == 0
    return out


def check(path: Path, *places: int, text: str | None = None) -> None:
    """Mark units of a result as checked in its JSON, by their place."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if "regions" in content:
        units = [line for region in content["regions"] for line in region["lines"]]
    else:
        units = content.get("segments") or content["sentences"]
    for place in places or range(len(units)):
        units[place]["checked"] = WHO
        if text is not None:
            units[place]["text"] = text
    path.write_text(json.dumps(content), encoding="utf-8")


def page_with_bars(folder: Path, name: str, *texts: str) -> Path:
    """A page and its layout, in which each text is drawn as bars."""
    from tests.data.layouts import level_lines, page_xml

    page = np.full((300, 400), 230, np.uint8)
    lines = level_lines(*texts)
    for place, text in enumerate(texts):
        drawn = bars(text)
        top = 50 * place + 20
        page[top : top + 30, 40 : 40 + drawn.shape[1]] = np.array(
            Image.fromarray(drawn).resize((drawn.shape[1], 30))
        )
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(page).save(folder / f"{name}.png")
    (folder / f"{name}.xml").write_text(page_xml(lines, f"{name}.png"))
    return folder


@pytest.fixture
def lines(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, text in (("one", "ab ba"), ("two", "ba"), ("three", "aab")):
        Image.fromarray(bars(text)).save(folder / f"{name}.png")
    return folder


def test_only_what_was_checked_is_learnt_from(bar_model, lines, tmp_path):
    out = recognised(lines, tmp_path / "out")
    check(out / "one.json", text="ab bb")
    check(out / "three.json")
    found = read_corrected(out, "handwriting")
    assert [(item.path.name, item.target) for item in found.items] == [
        ("one.png", "ab bb"),
        ("three.png", "aab"),
    ]
    assert [(item.path.name, item.target) for item in found.unchecked] == [("two.png", "ba")]
    assert found.rejected == [] and found.layout == "corrected"
    assert np.array_equal(line_image(found.items[0]), np.array(Image.open(lines / "one.png")))


def test_lines_of_a_page_are_cut_as_they_were_read(bar_model, tmp_path, monkeypatch):
    folder = page_with_bars(tmp_path / "in", "page", "ab ba", "aab", "b")
    seen = []
    monkeypatch.setattr(
        handwriting, "cut_line", lambda *each, cut=handwriting.cut_line: seen.append(cut(*each)) or seen[-1]
    )
    out = recognised(folder, tmp_path / "out", formats="json")
    check(out / "page.json", 0, 2)
    found = read_corrected(out, "handwriting")
    assert len(found.items) == 2 and len(found.unchecked) == 1
    assert [item.shape.id for item in found.items] == ["l0", "l2"]
    for item, place in zip(found.items, (0, 2), strict=True):
        assert np.array_equal(line_image(item), seen[place].pixels)
    kept = [item for item in read_manifest(write_manifest(tmp_path / "manifest.jsonl", found.items))]
    assert kept == found.items


@pytest.fixture(scope="module")
def reader():
    return load("handwriting-en-small")


def as_it_is(page):
    return page


CASES = {
    "as it is": (as_it_is, []),
    "light on dark": (lambda page: 255 - page, []),
    "upside down": (lambda page: turned(page, 180), []),
    "upside down, and told": (lambda page: turned(page, 180), ["--rotate", "180"]),
    "on a side": (lambda page: turned(page, 90), []),
    "on the other side, and told": (lambda page: turned(page, 270), ["--rotate", "90"]),
}


@pytest.mark.parametrize("kind", ["png", "pdf"])
@pytest.mark.parametrize("case", CASES)
def test_found_lines_are_cut_as_they_were_read(reader, monkeypatch, tmp_path, case, kind):
    """Whatever way up the page lies, and dark or light; of images and of pages of documents."""
    change, options = CASES[case]
    named(monkeypatch, reader)
    image = Image.fromarray(change(letter(lines=4, page=paper(500, 900))[0]))
    (tmp_path / "in").mkdir()
    if kind == "pdf":
        blank = Image.fromarray(np.full((60, 60), 255, np.uint8))
        blank.save(tmp_path / "in/x.pdf", save_all=True, append_images=[image], resolution=100)
        options = [*options, "--pages", "2"]
    else:
        image.save(tmp_path / "in/x.png")
    seen = {}

    class Spy(handwriting._LineReading):
        def result(self):
            line = super().result()
            seen[line.text] = self.kept
            return line

        def pieces(self):
            self.kept = self.cut.pixels
            return super().pieces()

    monkeypatch.setattr(handwriting, "_LineReading", Spy)
    out = recognised(tmp_path / "in", tmp_path / "out", "--layout", "page", *options, formats="json")
    (path,) = out.rglob("*.json")
    check(path)
    found = read_corrected(out, "handwriting")
    assert len(found.items) >= 3 and found.rejected == []
    for item in found.items:
        cut, was = line_image(item), seen[item.target]
        assert (
            cut.shape == was.shape or max(abs(a - b) for a, b in zip(cut.shape, was.shape, strict=True)) <= 2
        )
        height, width = (min(sides) for sides in zip(cut.shape, was.shape, strict=True))
        apart = np.abs(cut[:height, :width].astype(float) - was[:height, :width])
        assert np.mean(apart > 40) < 0.02  # places are rounded


def test_inputs_that_moved_with_the_folder_are_found(bar_model, lines, tmp_path):
    out = recognised(lines, tmp_path / "work" / "out")
    for name in ("one", "two", "three"):
        check(out / f"{name}.json")
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / "work", tmp_path / "elsewhere")
    shutil.move(lines, tmp_path / "elsewhere" / "in")
    (tmp_path / "elsewhere" / "in" / "two.png").unlink()
    shutil.copy(tmp_path / "elsewhere" / "in" / "one.png", tmp_path / "elsewhere" / "work" / "two.png")
    out = tmp_path / "elsewhere" / "work" / "out"
    found = read_corrected(out, "handwriting")
    assert [item.path for item in found.items] == [
        tmp_path / "elsewhere/in" / f"{name}.png" for name in ("one", "three")
    ]
    ((path, reason),) = [(bad.path, bad.reason) for bad in found.rejected]
    assert path == str(lines / "two.png") and "no such file" in reason


def test_what_is_no_json_or_layout_says_nothing_of_places(bar_model, lines, tmp_path):
    out = recognised(lines, tmp_path / "out", formats="txt")
    with pytest.raises(DataError, match="no usable line that was checked.*holds no places or times"):
        read_corrected(out, "handwriting")


def test_lines_that_were_changed_in_a_text_file_are_learnt_from(bar_model, lines, tmp_path):
    out = recognised(lines, tmp_path / "out")
    (out / "two.txt").write_text("corrected\r\n", encoding="utf-8-sig")
    (out / "three.txt").write_text((out / "three.txt").read_text() + "\n")  # saved, and not changed
    found = read_corrected(out, "handwriting")
    assert [(item.path.name, item.target) for item in found.items] == [("two.png", "corrected")]
    assert not found.rejected and len(found.unchecked) == 2
    recognised(lines, out)
    assert (out / "two.txt").read_text(encoding="utf-8-sig") == "corrected\n"
    assert [item.target for item in read_corrected(out, "handwriting").items] == ["corrected"]


def test_a_text_file_of_an_earlier_reading_is_not_taken_for_corrections(bar_model, lines, tmp_path):
    """Its other lines are those of another model, and may hold its errors."""
    out = recognised(lines, tmp_path / "out")
    check(out / "one.json")
    (out / "two.txt").write_text("corrected\n")
    content = json.loads((out / "two.json").read_text())
    content["regions"][0]["lines"][0]["text"] += " of another model"
    (out / "two.json").write_text(json.dumps(content))
    journal = Journal(out)
    job = Job(lines / "two.png", (out / "two.json",))
    journal.add(job, "another", None, task="handwriting")
    found = read_corrected(out, "handwriting")
    assert [item.path.name for item in found.items] == ["one.png"]
    assert "its JSON no longer says what it said before" in found.rejected[0].reason


def test_edited_texts_of_which_it_is_not_known_what_they_say_are_named(bar_model, lines, tmp_path):
    out = recognised(lines, tmp_path / "out")
    check(out / "one.json")
    (out / "one.txt").write_text("written beside the JSON\n")
    (out / "two.txt").write_text("of several\nlines\n")
    found = read_corrected(out, "handwriting")
    assert [item.path.name for item in found.items] == ["one.png"] and "beside" not in found.items[0].target
    assert [bad.path for bad in found.rejected] == [str(out / "two.txt")]
    assert "was edited, and has 2 lines of text where 1 were read" in found.rejected[0].reason


def test_nothing_is_checked(bar_model, lines, tmp_path):
    out = recognised(lines, tmp_path / "out")
    with pytest.raises(DataError, match="none of its 3 lines is checked.*triscribe correct"):
        read_corrected(out, "handwriting")
    with pytest.raises(DataError, match="holds no segments"):
        read_corrected(out, "speech")
    with pytest.raises(DataError, match="is no output folder"):
        read_corrected(lines, "handwriting")


def test_a_result_that_is_no_longer_one_costs_that_result(bar_model, lines, tmp_path):
    out = recognised(lines, tmp_path / "out", formats="json")
    check(out / "one.json")
    check(out / "three.json")
    (out / "three.json").write_text('{"regions": 5}')
    found = read_corrected(out, "handwriting")
    assert [item.path.name for item in found.items] == ["one.png"]
    assert [bad.path for bad in found.rejected] == [str(out / "three.json")]


def test_a_line_without_text_is_no_line(bar_model, lines, tmp_path):
    """Somebody looked at a blot and deleted what the model had read there."""
    out = recognised(lines, tmp_path / "out", formats="json")
    check(out / "one.json", text="")
    check(out / "two.json")
    found = read_corrected(out, "handwriting")
    assert [item.path.name for item in found.items] == ["two.png"]
    assert [bad.reason for bad in found.rejected] == ["empty text"]


def made(out: Path, source: Path, result, task: str, options: dict | None = None) -> None:
    """An output folder with a result, as a run leaves it."""
    path = result.save(out / f"{source.stem}.json")
    Journal(out).add(Job(source, (path,)), "m", None, task=task, facts={"options": options or {}})


def test_checked_segments_are_parts_of_their_recording(tmp_path):
    source, who = tmp_path / "talk.wav", Check("Anna", "")
    source.write_bytes(b"RIFF")
    segments = (
        Segment("one two", 0.5, 1.75, 0.5, checked=who),
        Segment("free", 2.0, 2.5, 0.5),
        Segment("", 3.0, 4.0, 0.5, checked=who),  # nobody speaks
        Segment("", 4.0, 5.0, 0.5),
        Segment("not in the audio", 0.0, 0.0, 0.0, found=False, checked=who),
    )
    made(tmp_path / "out", source, Transcript(segments, 5.0, "m", str(source)), "speech")
    found = read_corrected(tmp_path / "out", "speech")
    times = [(item.path, item.target, item.start, item.end) for item in found.items]
    assert times == [(source, "one two", 0.5, 1.75), (source, "", 3.0, 4.0)]
    assert [item.target for item in found.unchecked] == ["free", ""]


@pytest.mark.parametrize("ending", ["srt", "vtt", "tsv"])
def test_segments_that_were_changed_in_subtitles_or_a_table_are_learnt_from(tmp_path, ending):
    source, out = tmp_path / "talk.wav", tmp_path / "out"
    source.write_bytes(b"RIFF")
    long = " ".join(["word"] * 30)
    segments = [
        Segment("one two", 0.5, 1.75, 0.5),
        Segment(long, 2.0, 12.0, 0.5),
        Segment("end", 13.0, 14.0, 0.5),
    ]
    result = Transcript(tuple(segments), 15.0, "m", str(source))
    paths = (result.save(out / "talk.json"), result.save(out / f"talk.{ending}"))
    Journal(out).add(Job(source, paths), "m", None, task="speech", facts={"options": {}})

    def edited(text: str) -> list[tuple]:
        paths[1].write_text(text, encoding="utf-8-sig", newline="\r\n")
        return [(item.target, item.start, item.end) for item in read_corrected(out, "speech").items]

    said = paths[1].read_text()
    assert edited(said.replace("one two", "one three")) == [("one three", 0.5, 1.75)]
    both = said.replace("one two", "one three").replace("word", "bird", 1)
    assert edited(both)[1] == (long.replace("word", "bird", 1), 2.0, 12.0)
    for other, cause in (
        (both.replace("14.0", "14.5").replace("14,0", "14,5"), "other times than were written"),
        ("nothing of it is left", "other times than were written"),
    ):
        with pytest.raises(DataError, match=cause):
            edited(other)


def test_recordings_that_were_read_from_another_track_are_named(tmp_path):
    source = tmp_path / "talk.mkv"
    source.write_bytes(b"x")
    talk = Transcript((Segment("one", 0.0, 1.0, 0.5, checked=Check("Anna", "")),), 5.0, "m", str(source))
    made(tmp_path / "out", source, talk, "speech", {"track": 2})
    with pytest.raises(DataError, match="was not read from its first track"):
        read_corrected(tmp_path / "out", "speech")


def test_a_checked_label_is_that_of_the_clip_or_of_its_segments(tmp_path):
    for name, count, who in (
        ("short", 1, Check("Anna", "")),
        ("long", 2, Check("Anna", "")),
        ("other", 1, None),
    ):
        source = tmp_path / f"{name}.mp4"
        source.write_bytes(b"x")
        segments = tuple(
            ActionSegment("jump" if place else "run", place, place + 1.0, 0.5) for place in range(count)
        )
        top = (("run", 0.6), ("jump", 0.4))
        made(tmp_path / "out", source, Actions(top, segments, 2.0, "m", str(source), checked=who), "action")
    found = read_corrected(tmp_path / "out", "action")
    labels = [(item.path.name, item.target, item.start, item.end) for item in found.items]
    assert labels == [
        ("long.mp4", "run", 0, 1.0),
        ("long.mp4", "jump", 1, 2.0),
        ("short.mp4", "run", None, None),
    ]
    assert [item.path.name for item in found.unchecked] == ["other.mp4"]


def test_a_checked_sentence_is_about_the_whole_picture(tmp_path):
    who = Check("Anna", "")
    for name, sentences in (
        ("a.png", (Sentence("a red house", 0.5, checked=who),)),
        ("b.png", (Sentence("a blue hat", 0.5),)),
        ("c.mp4", (Sentence("a man", 0.5, end=1.0, checked=who), Sentence("a dog", 0.5, start=1.0, end=2.0))),
    ):
        (tmp_path / name).write_bytes(b"x")
        made(tmp_path / "out", tmp_path / name, Caption(sentences, 0.0, "m", name), "captioning")
    found = read_corrected(tmp_path / "out", "captioning")
    assert [(item.path.name, item.target) for item in found.items] == [("a.png", "a red house")]
    assert [item.target for item in found.unchecked] == ["a blue hat"]
    assert ["parts of a video" in bad.reason for bad in found.rejected] == [True]
