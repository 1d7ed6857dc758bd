"""A Ray cluster: machines may vanish, and what is written is the same."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.kills import compare, tree
from pipelines.batch import run
from pipelines.batch.engines import cluster
from pipelines.batch.engines.choosing import engine_for
from pipelines.batch.units import Route, Unit
from pipelines.errors import ModelError
from pipelines.reading.precision import VARIABLE
from pipelines.reading.settings import SpeechOptions
from tests.data.media import chirp, write_audio

ROOT = Path(__file__).parents[4]
LIMIT = 110.0  # seconds; the program ends itself earlier


def test_a_machine_that_is_killed_costs_nothing(tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.setenv(VARIABLE, "fp32")
    folder, scratch = tmp_path / "in", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    for number in range(24):
        write_audio(folder / f"{number:02}.wav", chirp(0.2 + 0.05 * (number % 5), 8000), 8000)
    out, reference = tmp_path / "a/out", tmp_path / "b/out"
    command = [sys.executable, "-m", "tests.data.two_machines", folder, out, scratch]
    environment = {**os.environ, cluster.USAGE: "0", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {"statuses": ["done"] * 24, "killed": True}
    assert all(outcome.status == "done" for outcome in run(folder, reference, formats="txt,srt"))
    assert compare(out, tree(reference), reference) == []


def test_an_address_where_nothing_answers(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed")
    with socket.socket() as bound:  # nobody listens
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        engine = engine_for(name="ray", address=address)
        unit = Unit(tmp_path / "a.wav", "recording", None, (Route("speech", None, SpeechOptions()),))
        with pytest.raises(ModelError, match=f"{address}: no Ray cluster answers there"):
            list(engine([unit]))


def test_options(monkeypatch):
    with pytest.raises(ValueError, match="give --engine ray as well"):
        engine_for(address="127.0.0.1:6379")
    monkeypatch.setattr(cluster, "find_spec", lambda name: object())
    engine = engine_for(3, 2, name="ray", address="127.0.0.1:6379")
    assert (engine.count, engine.threads, engine.address) == (3, 2, "127.0.0.1:6379")
    with pytest.raises(ValueError, match="HOST:PORT"):
        engine_for(name="ray", address="ray://127.0.0.1:10001")
    with pytest.raises(ValueError, match="workers must be"):
        engine_for(-1, name="ray")
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'triscribe\[ray\]'"):
        engine_for(name="ray")
