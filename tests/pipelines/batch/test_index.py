"""The page over everything that a folder of outputs holds."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html
from PIL import Image

from pipelines.batch import index as module
from pipelines.batch.index import write_index
from pipelines.batch.journal import Journal
from pipelines.batch.plan import Job
from pipelines.errors import DataError
from pipelines.results import Page, Segment, TextLine, TextRegion, Transcript, Word
from tests.data.media import tone, write_audio
from tests.data.pictures import ramp


@pytest.fixture
def out(tmp_path):
    """A folder of outputs: a recording, a line, a file that failed, one that was passed over."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    recording = write_audio(folder / "a.wav", tone(0.2))
    image = folder / "b.png"
    Image.fromarray(ramp(40, 300)).save(image)
    words = (Word("one", 0.0, 0.1, 0.9), Word("two", 0.1, 0.2, 0.5))
    said = Transcript((Segment("one two", 0.0, 0.2, 0.7, words),), 0.2, "m", source=str(recording))
    line = TextLine("three", 0.8, ((0, 0), (300, 0), (300, 40), (0, 40)))
    said.save(out / "a.json")
    Page((TextRegion((line,)),), 300, 40, "m", source=str(image)).save(out / "b.json")
    rows = [
        {"source": str(recording), "part": None, "task": "speech", "status": "done", "outputs": ["a.json"]},
        {"source": str(folder / "c.wav"), "task": "speech", "status": "failed", "error": "c: is empty"},
        {"source": str(image), "task": "handwriting", "status": "done", "outputs": ["b.json"]},
        {"source": str(folder / "d.doc"), "status": "passed over", "error": "no task reads it"},
    ]
    (out / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"half a li')
    return out


def items(out: Path, **options) -> list[dict]:
    tree = html.fromstring(write_index(out, **options).read_text(encoding="utf-8"))
    return json.loads(tree.xpath("//script[@id='data']")[0].text)["items"]


def test_the_index_shows_everything(out):
    found = items(out)
    assert [(item["name"], item["task"], item["state"]) for item in found] == [
        ("a.wav", "speech", "done"), ("b.png", "handwriting", "done"),
        ("c.wav", "speech", "failed"), ("d.doc", "", "passed over"),
    ]  # fmt: skip
    assert found[0]["media"] == "../in/a.wav" and found[1]["image"] == "../in/b.png"
    assert found[0]["lines"][0]["w"][1] == ["two", 0.5, 0.1, 0.2]
    assert items(out, embed=True)[0]["media"].startswith("data:audio/wav")


def test_only_what_has_changed_is_read_again(out, monkeypatch):
    first, read, read_result = items(out), [], module.read_result

    def noted(path):
        read.append(path.name)
        return read_result(path)

    monkeypatch.setattr(module, "read_result", noted)
    assert items(out) == first and read == []
    result = read_result(out / "b.json")
    replace(result, model="m2").save(out / "b.json")
    assert items(out)[1]["model"] == "m2" and read == ["b.json"]
    kept = out / ".triscribe" / "items.jsonl"
    kept.write_text('{"source": "x"}\n{"source": "hal')
    assert items(out)[0] == first[0]


def test_a_result_that_cannot_be_read_is_named(out):
    (out / "a.json").write_text("{")
    (out / "b.json").unlink()
    found = {item["name"]: item for item in items(out)}
    assert found["a.wav"]["state"] == "failed" and "is not JSON" in found["a.wav"]["error"]
    assert found["b.png"]["error"] == "its JSON is missing: write it again with batch"


def test_without_a_table_the_journal_tells(out, tmp_path):
    table = (out / "results.jsonl").read_text()
    (out / "results.jsonl").unlink()
    with pytest.raises(DataError, match="holds neither results.jsonl nor a journal"):
        write_index(out)
    journal = Journal(out)
    source = Path(json.loads(table.splitlines()[0])["source"])
    journal.add(Job(source, ()), "m", "is empty", task="speech")
    journal.add(Job(source, (out / "a.json",)), "m", None, task="speech")
    journal.add(Job(tmp_path / "in" / "c.wav", ()), "m", "c: is empty", task="speech")
    assert [(item["name"], item["state"]) for item in items(out)] == [("a.wav", "done"), ("c.wav", "failed")]
