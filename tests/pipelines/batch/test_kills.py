"""Runs killed before an operation on a file, then run again, leave what an undisturbed run leaves."""

import os
import re
import signal
import sys

import pytest

from benchmarks.kills import compare, tree
from pipelines.batch import run
from pipelines.results import Segment, Transcript, Word
from tests.data.media import tone, write_audio

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forked to be killed")

OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir")
STEP = 11  # operations; with 1, which takes a minute, every one has been tried
TEMPORARY = re.compile(r".*\.tmp")


def engine(units):
    """Stands in for reading."""
    for unit in units:
        words = (Word(unit.source.stem, 0.0, 0.1, 0.5),)
        segment = Segment(unit.source.stem, 0.0, 0.1, 0.5, words)
        yield unit, unit.routes[0], Transcript((segment,), 0.1, "m", str(unit.source)), 0.1


def attempt(folder, out, last=None) -> int | None:
    """Run in a process that is killed before an operation; how many it did, or None if killed."""
    receiving, sending = os.pipe()
    process = os.fork()
    if not process:
        done = 0

        def count(event, arguments):
            nonlocal done
            if event in OPERATIONS and str(arguments[0]).startswith(str(out)):
                if done == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                done += 1

        try:
            sys.addaudithook(count)
            outcomes = list(run(folder, out, tasks=["speech"], formats="txt,srt", engine=engine))
            if all(outcome.status == "done" for outcome in outcomes):
                os.write(sending, str(done).encode())
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving) as told:
        text = told.read()
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return None
    assert text, "the run failed"
    return int(text)


def test_killed_before_any_operation(tmp_path):
    folder, reference = tmp_path / "in", tmp_path / "undisturbed/out"
    folder.mkdir()
    for name in ("a", "b"):
        write_audio(folder / f"{name}.wav", tone(0.05, 8000), 8000)
    operations = attempt(folder, reference)
    expected = tree(reference)
    assert operations > 30 and {"a.json", "b.srt", "results.csv", "index.html"} <= expected.keys()
    for last in range(0, operations, STEP):
        out = tmp_path / str(last) / "out"
        assert attempt(folder, out, last) is None
        assert attempt(folder, out) is not None
        assert compare(out, expected, reference) == []
        assert not [path for path in out.rglob("*") if TEMPORARY.fullmatch(path.name)]
