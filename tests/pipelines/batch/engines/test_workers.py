"""Worker processes: the results of one process, each once; whatever a file does, others are read."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines.batch.engines import pool, workers
from pipelines.batch.engines.limits import Limits, machine_memory, memory_of
from pipelines.batch.engines.serving import BEGUN
from pipelines.batch.engines.workers import Workers, cores
from pipelines.batch.units import Route, Unit, read
from pipelines.errors import MediaError, ModelError
from pipelines.reading.settings import RecognitionOptions, SpeechOptions
from tests.data.media import chirp, write_audio
from tests.data.poison import Poison, is_gone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="worker processes are forked")

ROOT = Path(__file__).parents[4]
HEARD = (Route("speech", None, SpeechOptions()),)
WRITTEN = (Route("handwriting", None, RecognitionOptions()),)


@pytest.fixture
def recordings(tmp_path):
    return [
        Unit(
            write_audio(tmp_path / f"{number}.wav", chirp(0.3 + 0.2 * number, 8000), 8000),
            "recording",
            None,
            HEARD,
        )
        for number in range(6)
    ]


def poisoned(folder, effect, size=None) -> Unit:
    path = write_audio(folder / f"{effect}.wav", chirp(0.2, 8000), 8000)
    if size:
        os.truncate(path, size)
    return Unit(Poison(path, effect), "recording", None, HEARD)


def told(answers) -> list[tuple]:
    """Confidences are left out: their last digits differ with what else is in a batch."""
    return sorted(
        (str(unit.source), str(unit.part), route.task, getattr(result, "text", repr(result)))
        for unit, route, result, _ in answers
    )


def errors(answers) -> dict[str, str]:
    """Causes, by the names of the files."""
    return {Path(str(u.source)).stem: str(r) for u, _, r, _ in answers if isinstance(r, MediaError)}


def test_results_are_those_of_one_process(tmp_path, recordings):
    lines = sorted((ROOT / "examples/handwriting").glob("*-fr.jpg"))[:2]
    units = [*recordings, Unit(tmp_path / "missing.wav", "recording", None, HEARD)]
    units += [Unit(path, "image", None, WRITTEN) for path in lines]
    found = list(Workers(2)(units))
    assert {id(unit) for unit, *_ in found} == set(map(id, units)) and len(found) == len(units)
    assert told(found) == told(read(units))
    assert "missing" in errors(found)


def test_what_ends_a_worker_costs_only_itself(tmp_path, recordings):
    bad = {name: poisoned(tmp_path, name) for name in ("crash", "leave", "fail")}
    units = [*recordings[:3], *bad.values(), *recordings[3:]]
    found = list(Workers(2)(units))
    assert len(found) == len(units)
    assert told(each for each in found if each[0] not in bad.values()) == told(read(recordings))
    said = errors(found)
    assert said.keys() == bad.keys()
    assert "its reader was killed by signal 11 (SIGSEGV); " in said["crash"]
    assert "its reader ended its process; " in said["leave"]
    assert "its reader failed (ZeroDivisionError: by chance); " in said["fail"]
    assert all(len(unit.source.openings()) in (1, 2) for unit in bad.values())


def test_a_file_that_needs_too_much_memory(tmp_path, recordings):
    units = [*recordings, poisoned(tmp_path, "fill")]
    found = list(Workers(1, limits=Limits(memory=1.5))(units))
    assert len(found) == len(units)
    assert errors(found).keys() == {"fill"}
    assert "needed more than 1.5 GB of memory; give a higher --memory-limit" in errors(found)["fill"]


def test_a_file_that_hangs(tmp_path, recordings, monkeypatch):
    """The clock runs while a worker has the file open and its length is known, so that no outcome depends on
    a busy machine.
    """
    units = [*recordings, poisoned(tmp_path, "hang")]
    hanging = units[-1].source
    ticks, length_known, take = [0.0], [True], pool.Pool._take

    def monotonic() -> float:
        is_open = any(not is_gone(process) for process in hanging.openings())
        ticks[0] += 100.0 * (is_open and length_known[0])
        return ticks[0]

    def taken(self, reader, message):
        length_known[0] = message[0] != BEGUN or message[2] > 0
        return take(self, reader, message)

    clock = SimpleNamespace(monotonic=monotonic)
    monkeypatch.setattr(pool, "time", clock)
    monkeypatch.setattr(pool.Pool, "_take", taken)
    found = list(Workers(1)(units))
    assert len(found) == len(units) and len(hanging.openings()) == 2  # with the others, then alone
    assert told(each for each in found if each[0] in recordings) == told(read(recordings))
    assert errors(found) == {
        "hang": f"{hanging}: took longer than 120 s; give a higher --time-limit or leave it out"
    }


def test_a_run_that_ends_early_leaves_no_process(tmp_path, recordings):
    hanging = poisoned(tmp_path, "hang", size=5_000_000)  # alone in its group
    running = Workers(2)([hanging, *recordings])
    assert next(running)[0] in recordings
    while not hanging.source.openings():
        time.sleep(0.05)
    running.close()
    (process,) = hanging.source.openings()
    while not is_gone(process):
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_killed_leaves_no_process(tmp_path, number):
    program = """if True:
        import sys
        from pathlib import Path
        from tests.pipelines.batch.engines.test_workers import Workers, poisoned
        list(Workers(1)([poisoned(Path(sys.argv[1]), "hang")]))
    """
    running = subprocess.Popen([sys.executable, "-c", program, tmp_path], cwd=ROOT)
    while not (opened := list(tmp_path.glob("*.opened"))):
        assert running.poll() is None
        time.sleep(0.05)
    worker = int(opened[0].suffixes[-2][1:])
    assert not is_gone(worker)
    running.send_signal(number)
    assert running.wait() == -number
    while not is_gone(worker):
        time.sleep(0.05)


def test_workers_that_cannot_begin_end_the_run(tmp_path, recordings, monkeypatch):
    monkeypatch.setattr(workers, "Nursery", lambda threads: Stillborn())
    with pytest.raises(ModelError, match="cannot start worker processes .*--workers 0"):
        list(Workers(1)(recordings))


class Stillborn:
    def bear(self, many):
        raise ConnectionResetError("it has ended")

    def close(self):
        pass


def test_what_was_begun_early_is_used_or_ended(recordings):
    engine = Workers(1)
    engine.warm()
    nursery = engine._nursery
    engine.warm()
    assert engine._nursery is nursery
    assert told(engine(recordings)) == told(read(recordings)) and engine._nursery is None
    assert nursery._process.returncode is not None
    engine.warm()
    idle = engine._nursery._process.pid
    engine.cool()
    assert is_gone(idle)
    engine.cool()


def test_numbers_out_of_range():
    for wrong in ({"count": -1}, {"threads": 0}):
        with pytest.raises(ValueError, match="must be"):
            Workers(**wrong)
    for wrong in ({"time": 0.0}, {"memory": -1.0}):
        with pytest.raises(ValueError, match="limit must be"):
            Limits(**wrong)
    assert Workers().count == cores() and Workers(threads=10_000).count == 1


def test_limits():
    assert Limits().seconds(3600.0) == 60 + 2 * 3600
    assert Limits(memory=3.0).gigabytes(4) == 3.0
    assert Limits().gigabytes(4) == pytest.approx(0.8 * machine_memory() / 4 / 1e9)
    assert memory_of(os.getpid()) > 0.01
