"""Looking at files in another process: what hangs or crashes it costs only itself, and is remembered."""

import os
import shutil
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines.batch.engines import prober
from pipelines.batch.engines.limits import PAGE, Limits
from pipelines.batch.engines.prober import Prober, directly
from pipelines.batch.engines.serving import media_of
from pipelines.batch.mixed import Batch
from pipelines.batch.rules import Rules
from pipelines.batch.units import Route, Unit, read
from pipelines.errors import MediaError
from pipelines.media.kind import kind_or_name
from pipelines.reading.settings import SpeechOptions
from tests.data.poison import Poison, is_gone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no descriptors are passed on")

ROOT = Path(__file__).parents[4]
ENTER = ROOT / "examples/speech/enter.wav"


@pytest.fixture
def asked():
    with closing(Prober()) as made:
        yield made


def put(folder: Path, name: str) -> Path:
    return Path(shutil.copy(ENTER, folder / name))


def poisoned(folder: Path, effect: str) -> Poison:
    return Poison(put(folder, f"{effect}.wav"), effect)


def test_answers_are_those_of_this_process(asked):
    assert asked(kind_or_name, ENTER) == kind_or_name(ENTER)
    with pytest.raises(ValueError, match="invalid literal"):
        asked(int_of, ENTER)
    with pytest.raises(MediaError, match=r"enter.wav: its reader failed \(ZeroDivisionError: "):
        asked(divide, ENTER)


def int_of(path):
    return int("x")


def divide(path):
    return 1 / 0


def process_of(path):
    return os.getpid()


def test_what_is_no_file_is_looked_at_here(asked, tmp_path):
    assert asked(process_of, tmp_path) == os.getpid() != asked(process_of, ENTER)


@pytest.mark.parametrize(
    ("effect", "cause"),
    [("crash", "its reader was killed by signal 11 (SIGSEGV)"), ("leave", "its reader ended its process")],
)
def test_what_ends_the_process_costs_only_itself(asked, tmp_path, effect, cause):
    bad = poisoned(tmp_path, effect)
    with pytest.raises(MediaError) as raised:
        asked(os.fspath, bad)
    assert (raised.value.path, raised.value.cause) == (str(bad), cause)
    assert len(bad.openings()) == 2
    assert asked(kind_or_name, ENTER).name == "recording"


def test_what_hangs(asked, tmp_path, monkeypatch):
    bad = poisoned(tmp_path, "hang")
    ticks = [0.0]

    def monotonic() -> float:
        ticks[0] += 100.0 * bool(bad.openings())
        return ticks[0]

    monkeypatch.setattr(prober, "time", SimpleNamespace(monotonic=monotonic))
    with pytest.raises(MediaError, match="took longer than 120 s; give a higher --time-limit"):
        asked(os.fspath, bad)
    (process,) = bad.openings()
    assert is_gone(process)


def test_what_needs_too_much_memory(tmp_path):
    with closing(Prober(Limits(memory=0.5))) as asked, pytest.raises(MediaError, match="more than 0.5 GB"):
        asked(os.fspath, poisoned(tmp_path, "fill"))


def test_no_process_is_left():
    made = Prober()
    process = made(process_of, ENTER)
    made.close()
    assert is_gone(process)


def test_a_run_goes_on_and_remembers(asked, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    bad = poisoned(folder, "crash")
    os.rename(bad.path, folder / "crash.xyz")  # no name promises anything
    bad = Poison(folder / "crash.xyz", "crash")
    put(folder, "good.wav")

    def ask(function, path, *more):
        return asked(function, bad if path == bad.path else path, *more)

    def outcomes(**options) -> dict:
        batch = Batch([folder], out, Rules(), engine=read, ask=ask, **options)
        return {outcome.path.name: outcome for outcome, _ in batch.outcomes()}

    first = outcomes()
    assert first["good.wav"].status == "done" and first["crash.xyz"].status == "failed"
    assert "SIGSEGV" in str(first["crash.xyz"].error) and len(bad.openings()) == 2
    again = outcomes()
    assert again["crash.xyz"].earlier and "SIGSEGV" in str(again["crash.xyz"].error)
    assert len(bad.openings()) == 2
    assert not outcomes(retry_failed=True)["crash.xyz"].earlier and len(bad.openings()) == 4
    shutil.copy(ROOT / "examples/speech/digits.wav", bad.path)  # mended
    mended = {each.path.name: each for each, _ in Batch([folder], out, Rules(), ask=directly).outcomes()}
    assert mended["crash.xyz"].status == "done"


def test_a_pipe_in_a_folder_is_passed_over_and_never_waited_for(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    os.mkfifo(folder / "pipe.wav")
    (folder / "zero.wav").touch()
    batch = Batch([folder], tmp_path / "out", Rules(), engine=read)
    outcomes = {outcome.path.name: outcome for outcome, _ in batch.outcomes()}
    assert outcomes["pipe.wav"].reason == "a pipe, socket or device"
    named = Unit(folder / "pipe.wav", "recording", None, (Route("speech", None, SpeechOptions()),))
    assert media_of(named) == PAGE
