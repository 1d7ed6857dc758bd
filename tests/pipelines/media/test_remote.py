"""Files at addresses: found, told apart, read and remembered like files of this machine."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import fsspec
import pytest
from PIL import Image

from pipelines import transcribe
from pipelines.batch import run
from pipelines.batch.engines.prober import Prober
from pipelines.batch.engines.workers import Workers
from pipelines.batch.mixed import Batch
from pipelines.batch.rules import Rules
from pipelines.errors import MediaError
from pipelines.media.kind import kind_of
from pipelines.media.remote import address_of, as_path, found_at, is_remote, opened, shown

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def box(tmp_path) -> Path:
    """A folder of this machine: a recording, a document, a text, and what is hidden."""
    folder = tmp_path / "box"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(EXAMPLES / "speech/enter.wav", folder / "deep/enter.wav")
    page = Image.open(EXAMPLES / "handwriting/lettre-fr.jpg").convert("L")
    page.save(folder / "two.pdf", save_all=True, append_images=[page])
    (folder / "notes.txt").write_text("notes")
    (folder / ".hidden.wav").write_bytes(b"x")
    return folder


@pytest.fixture
def memory(box) -> str:
    """The same in the memory of this process."""
    system = fsspec.filesystem("memory")
    system.put(f"{box}/", "/bucket/box", recursive=True)
    yield "memory://bucket/box"
    system.rm("/bucket", recursive=True)


def told(out: Path) -> dict[str, tuple]:
    rows = map(json.loads, (out / "results.jsonl").read_text().splitlines())
    return {
        row["source"].rpartition("box/")[2] + str(row["part"] or ""): (row["status"], row["text"])
        for row in rows
    }


def test_addresses():
    path = as_path("s3://bucket/a b.wav")
    assert is_remote(path) and address_of(path) == shown(path) == "s3://bucket/a b.wav"
    assert as_path("file:///a/b.wav") == Path("/a/b.wav") and not is_remote(as_path("file:///a/b.wav"))
    assert not is_remote(Path("a/b.wav")) and not is_remote("C:/a.wav") and not is_remote(b"s3://")
    assert address_of(as_path("local:///a/b.wav")) == "local:///a/b.wav"


def test_a_run_over_addresses_is_one_over_files(box, memory, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    list(run(box, here))
    outcomes = list(run(memory, there))
    assert {outcome.status for outcome in outcomes} == {"done", "passed over"}
    assert told(there) == told(here) and len(told(here)) == 4
    assert {p.relative_to(there) for p in there.rglob("*.txt")} == {
        p.relative_to(here) for p in here.rglob("*.txt")
    }
    assert json.loads((there / "deep/enter.json").read_text())["source"] == f"{memory}/deep/enter.wav"
    assert all(outcome.earlier for outcome in run(memory, there) if outcome.task)
    fsspec.filesystem("memory").put(str(EXAMPLES / "speech/digits.wav"), "/bucket/box/deep/enter.wav")
    again = {outcome.path.name: outcome.earlier for outcome in run(memory, there) if outcome.task}
    assert again == {"enter.wav": False, "two.pdf": True}


def test_worker_processes_open_addresses(box, tmp_path):
    with closing(Prober()) as ask:
        batch = Batch([f"local://{box}"], tmp_path / "out", Rules(), engine=Workers(1), ask=ask)
        assert {outcome.status for outcome, _ in batch.outcomes()} == {"done", "passed over"}
    assert told(tmp_path / "out").keys() == {"deep/enter.wav", "notes.txt", "two.pdf1", "two.pdf2"}


def test_functions_read_addresses(memory):
    found = transcribe(f"{memory}/deep/enter.wav")
    assert found.text == "ENTER SIX TWO" and found.source == f"{memory}/deep/enter.wav"
    with pytest.raises(MediaError, match="memory://bucket/box/none.wav: does not exist"):
        transcribe(f"{memory}/none.wav")


def test_patterns_and_what_is_not_there(memory):
    assert [path.name for path in found_at(f"{memory}/*.txt")] == ["notes.txt"]
    assert [path.name for path in found_at(f"{memory}/notes.txt")] == ["notes.txt"]
    with pytest.raises(MediaError, match="memory://bucket/none: no such file or folder"):
        found_at("memory://bucket/none")
    with pytest.raises(MediaError, match="memory://bucket/none.wav: does not exist"):
        opened("memory://bucket/none.wav")
    with pytest.raises(MediaError, match="s4://bucket/a.wav: cannot be read"):
        kind_of("s4://bucket/a.wav")


def test_a_copy_is_read_like_a_file(memory):
    copy = opened(f"{memory}/notes.txt")
    assert copy.name == f"{memory}/notes.txt" and copy.seekable() and copy.read() == b"notes"
    assert opened("notes.txt") == "notes.txt"
