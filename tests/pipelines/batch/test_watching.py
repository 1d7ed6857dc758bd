"""`--watch`: files are taken when they are whole, and once."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from pipelines.batch import watching
from pipelines.batch.watching import Watcher
from tests.pipelines.batch.test_mixed import EXAMPLES, ROOT, put, rows


@pytest.fixture
def clock(monkeypatch):
    now = {"time": 0.0}
    monkeypatch.setattr(watching.time, "monotonic", lambda: now["time"])
    return now


def test_a_file_is_taken_when_it_has_not_changed_for_a_while_and_once(tmp_path, clock):
    watcher = Watcher([tmp_path], settled=5)
    path = tmp_path / "a.wav"

    def look(seconds: float) -> list[str]:
        clock["time"] += seconds
        return [each.name for each in watcher.look()]

    assert look(0) == []
    path.write_bytes(b"RIFF")
    assert look(1) == [] and look(4) == []
    path.write_bytes(b"RIFF and more")  # still being written
    assert look(1) == [] and look(4.5) == []
    assert look(0.5) == ["a.wav"]
    assert look(9) == [] and look(9) == []
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert look(1) == [] and look(5) == ["a.wav"]
    path.unlink()
    assert look(9) == []


def test_empty_hidden_and_unfinished_files_are_left(tmp_path, clock):
    for name, content in (("a.wav", b""), ("b.wav.part", b"x"), (".c.wav", b"x"), ("deep/d.TMP", b"x")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    watcher = Watcher([tmp_path, tmp_path / "not there yet"], settled=1)
    assert [watcher.look() for clock["time"] in (0.0, 2.0, 4.0)] == [[], [], []]
    (tmp_path / "not there yet").mkdir()
    (tmp_path / "not there yet/e.wav").write_bytes(b"x")
    (tmp_path / "b.wav.part").rename(tmp_path / "b.wav")
    found = [[each.name for each in watcher.look()] for clock["time"] in (5.0, 7.0)]
    assert found == [[], ["b.wav", "e.wav"]]
    with pytest.raises(ValueError, match="settle must be 0"):
        Watcher([], -1)


def wait(until, seconds: float = 120.0):
    """Until something is true; the time only bounds a test that fails."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal")
def test_a_drop_folder(tmp_path):
    """Files that come are read, one that changes again; their names stay; Ctrl-C ends with a summary."""
    drop, out, progress = tmp_path / "drop", tmp_path / "out", tmp_path / "progress.jsonl"
    put(drop / "in/a.mp4", EXAMPLES / "video/rise.mp4")
    command = [sys.executable, "-m", "pipelines.commands.cli", "batch", str(drop), "-o", str(out)]
    command += ["--watch", "--settle", "0.2", "--progress", str(progress)]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def events() -> list[dict]:
        text = progress.read_text() if progress.exists() else ""
        return [json.loads(line) for line in text.splitlines(True) if line.endswith("\n")]

    def results() -> list[str]:
        return [each["source"].rpartition("/")[2] for each in events() if each["event"] == "result"]

    try:
        wait(lambda: results() == ["a.mp4"])
        put(drop / "b.mp4", EXAMPLES / "video/fall.mp4")
        wait(lambda: results() == ["a.mp4", "b.mp4"])
        put(drop / "b.mp4", EXAMPLES / "video/rotate.mp4")
        wait(lambda: results() == ["a.mp4", "b.mp4", "b.mp4"])
        wait(lambda: (out / "results.jsonl").exists() and rows(out)["b.mp4"]["text"] == "rotate")
        time.sleep(2 * watching.PAUSE)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 0 and "3 watched" in said
    assert rows(out)["a.mp4"]["outputs"] == ["in/a.json", "in/a.txt"]
    assert events()[-1]["event"] == "end" and not [*out.rglob("*.tmp")]
