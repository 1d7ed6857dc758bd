"""What a correction writes, and what it must not write over."""

import json
import os
from pathlib import Path

import pytest

from pipelines.batch.journal import Journal
from pipelines.correcting.folder import LOG, Conflict, Folder
from pipelines.errors import DataError
from pipelines.results import Check
from pipelines.stored_results import read_result

PAGE, TALK, CLIP, FAILED = range(4)


@pytest.fixture
def folder(out):
    return Folder(out, "Ada")


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.*") if path.is_file()}


def test_a_correction_is_in_every_output_and_marked(folder, out):
    before = files(out)
    told = folder.save(PAGE, 1, "second line here", True)
    assert told["item"]["lines"][1]["k"][0] == "Ada" and told["kept"] == [] and "problems" not in told
    after = files(out)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"page.json", "page.txt", "page.xml", "page.alto.xml"}
    assert (out / "page.txt").read_text() == "first line here\nsecond line here\nthird line hear\n"
    result = read_result(out / "page.json")
    assert [line.checked is not None for line in result.lines] == [False, True, False]
    assert result.lines[1].checked.by == "Ada" and result.lines[1].checked.when[10] == "T"
    assert result.lines[1].words[1].box == (100, 60, 180, 100)
    assert "checked {by:Ada; when:" in (out / "page.xml").read_text()
    assert "line" in (out / "page.alto.xml").read_text() and "lime" not in (out / "page.alto.xml").read_text()


def test_recordings_and_clips(folder, out):
    folder.save(TALK, 0, "one two", True)
    assert "one two" in (out / "talk.srt").read_text()
    assert read_result(out / "talk.json").words[1].start == 0.6
    folder.save(CLIP, 0, "rise", True)
    assert read_result(out / "c.json").label == "rise" and "rise" in (out / "c.txt").read_text()
    table = (out / "actions.csv").read_text()
    assert "rise" in table and "fall" not in table


def test_a_run_afterwards_takes_them_for_edited(folder, out):
    folder.save(PAGE, 1, "second line here", True)
    folder.save(CLIP, 0, "rise", True)
    journal = Journal(out)
    assert all(journal.is_edited(out / f"page.{ending}") for ending in ("json", "txt", "xml", "alto.xml"))
    assert not journal.is_edited(out / "talk.json") and not journal.is_edited(out / "actions.csv")
    assert journal.records(out / "actions.csv")[0][0][3] == "rise"


def test_undo_goes_back_step_by_step_and_a_draft_is_part_of_its_correction(folder, out):
    first = read_result(out / "page.json")
    folder.save(PAGE, 1, "second line here", True)
    folder.save(PAGE, 2, "third line her", False)
    folder.save(PAGE, 2, "third line here", True)
    assert read_result(out / "page.json").text.endswith("third line here")
    told = folder.undo()
    assert (told["number"], told["place"]) == (PAGE, 2)
    assert [line.checked is None for line in read_result(out / "page.json").lines] == [True, False, True]
    assert folder.undo()["place"] == 1 and folder.undo() is None
    assert read_result(out / "page.json") == first
    assert (out / "page.txt").read_text().splitlines()[1] == "second lime here"


def test_what_is_looked_at_again_can_still_be_undone(folder, out):
    first = read_result(out / "page.json")
    folder.save(PAGE, 1, "secnd line of three", True)  # has places between pixels
    folder.read(TALK)
    assert folder.read(PAGE)["kept"] == []
    assert folder.undo()["place"] == 1 and read_result(out / "page.json") == first


def test_a_draft_is_not_checked(folder, out):
    folder.save(PAGE, 1, "second line here", False)
    assert read_result(out / "page.json").lines[1].checked is None
    assert (out / "page.txt").read_text().splitlines()[1] == "second line here"


def test_what_others_change_meanwhile_is_not_written_over(folder, out):
    folder.read(PAGE)
    theirs = read_result(out / "page.json").save(out / "page.json", glyphs=False).read_text() + "\n"
    (out / "page.json").write_text(theirs)
    with pytest.raises(Conflict, match="page.json was changed on disk"):
        folder.save(PAGE, 1, "second line here", True)
    assert (out / "page.json").read_text() == theirs and "lime" in (out / "page.txt").read_text()
    folder.read(PAGE)
    folder.save(PAGE, 1, "second line here", True)
    assert "lime" not in (out / "page.json").read_text()
    (out / "page.json").write_text(theirs)
    folder.save(PAGE, 1, "second line here", True, force=True)
    assert "lime" not in (out / "page.json").read_text()


def test_a_person_who_saw_another_text_is_asked(folder, out):
    folder.save(PAGE, 1, "second line here", True, before="second lime here")
    with pytest.raises(Conflict, match="This line was changed"):
        folder.save(PAGE, 1, "other", True, before="second lime here")
    with pytest.raises(Conflict, match="This line was changed"):
        folder.save(CLIP, 0, "rise", True, before="jump")
    folder.save(PAGE, 1, "other", True, before="second lime here", force=True)
    assert "other" in (out / "page.txt").read_text()


def test_an_output_that_others_edited_is_kept(out):
    (out / "page.txt").write_text("mine\n")
    folder = Folder(out, "Ada")
    assert folder.read(PAGE)["kept"] == ["page.txt"]
    (out / "page.xml").write_text("<theirs/>")
    assert folder.save(PAGE, 1, "second line here", True)["kept"] == ["page.txt", "page.xml"]
    assert (out / "page.txt").read_text() == "mine\n" and (out / "page.xml").read_text() == "<theirs/>"
    assert "lime" not in (out / "page.alto.xml").read_text()
    assert folder.save(PAGE, 1, "second line here", True, force=True)["kept"] == []
    assert "second line here" in (out / "page.txt").read_text()


def test_what_was_corrected_in_an_earlier_session_is_ours(out):
    Folder(out, "Ada").save(PAGE, 1, "second line here", True)
    later = Folder(out, "Bob")
    assert later.read(PAGE)["kept"] == []
    later.save(PAGE, 2, "third line here", True)
    assert "third line here" in (out / "page.txt").read_text()
    assert [line.checked and line.checked.by for line in read_result(out / "page.json").lines] == [
        None,
        "Ada",
        "Bob",
    ]
    log = [json.loads(line) for line in (out / ".triscribe" / LOG).read_text().splitlines()]
    assert [(entry["by"], entry["line"]) for entry in log] == [("Ada", 1), ("Bob", 2)]


def test_outputs_that_were_deleted_are_not_written_again(folder, out):
    (out / "page.txt").unlink()
    folder.save(PAGE, 1, "second line here", True)
    assert not (out / "page.txt").exists()
    (out / "page.json").unlink()
    with pytest.raises(DataError, match="its JSON is missing"):
        folder.save(PAGE, 1, "second line here", True)


def test_an_output_that_cannot_be_written_is_named_and_the_others_are_written(folder, out, tmp_path):
    target = tmp_path / "elsewhere.txt"
    target.write_text((out / "page.txt").read_text())
    (out / "page.txt").unlink()
    (out / "page.txt").symlink_to(target)
    told = folder.save(PAGE, 1, "second line here", True)
    assert told["problems"][0].startswith("page.txt was not written: ") and "lime" in target.read_text()
    assert "lime" not in (out / "page.xml").read_text()


@pytest.mark.parametrize("ending", ["pdf"])
def test_what_takes_long_is_written_when_another_result_is_corrected_or_at_the_end(out, ending):
    rows = (out / "results.jsonl").read_text().replace('"page.txt"', f'"page.txt", "page.{ending}"')
    (out / "results.jsonl").write_text(rows)
    read_result(out / "page.json").save(out / f"page.{ending}")
    folder, path = Folder(out, "Ada"), out / f"page.{ending}"
    first = path.read_bytes()
    folder.save(PAGE, 1, "second line here", True)
    assert path.read_bytes() == first
    folder.save(TALK, 0, "one two", True)
    second = path.read_bytes()
    assert second != first
    folder.save(PAGE, 2, "third line here", True)
    assert folder.finish() == [] and path.read_bytes() != second
    folder.save(PAGE, 2, "third line", True)
    path.write_bytes(b"theirs")
    assert folder.finish() == [] and path.read_bytes() == b"theirs"
    path.write_bytes(second)
    assert Folder(out, "Ada").read(PAGE)["kept"] == []
    assert not [name for name in os.listdir(out) if name.endswith(".tmp")]


def test_the_page_shows_it_at_the_end(folder, out):
    folder.save(TALK, 0, "one two", True)
    folder.finish()
    found = (out / "index.html").read_text()
    assert '"state":"checked"' in found and '["two",1.0,0.6,1.0]' in found


def test_a_page_of_somebody_else_is_left(folder, out):
    (out / "index.html").write_text("mine")
    assert folder.finish() == ["index.html was not made by triscribe, and is left as it is."]
    (out / "index.html").unlink()
    assert folder.finish() == folder.finish() == []


@pytest.mark.parametrize("number", [-1, 4])
def test_there_must_be_such_a_result(folder, number):
    with pytest.raises(ValueError, match=f"there is no result {number}"):
        folder.read(number)
    with pytest.raises(DataError, match="x: is empty"):
        folder.read(FAILED)


def test_the_user_is_named_who_corrects(out):
    assert Folder(out).by and Check(Folder(out).by, "2026-01-01T00:00:00+00:00")
