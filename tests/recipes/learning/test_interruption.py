"""Ctrl-C and SIGTERM: what is finished is kept, and the next run ends as an undisturbed one does."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from recipes.learning.cache import FeatureCache
from recipes.learning.training import train
from tests.data.line_task import EPOCHS, OPTIONS, STEPS, Line, weights

ROOT = Path(__file__).parents[3]
LONGEST = 120  # seconds that a process may take

TRAINING = """
import sys, time
from pathlib import Path
import torch
from recipes.learning.interruption import Interrupted
from recipes.learning.training import train
from tests.data.line_task import OPTIONS, Line

out, place = Path(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)

def pause(where):
    if where == place:
        (out / "paused").touch()
        while not (out / "signalled").exists():
            time.sleep(0.01)

task = Line(pause=pause)
try:
    train(task, OPTIONS, out)
except Interrupted as stop:
    print(stop)
    sys.exit(stop.code)
"""

FEATURES = """
import sys, time
from pathlib import Path
from tests.recipes.learning.test_interruption import features

def compute(number):
    if number == 3:
        Path(sys.argv[1], "paused").touch()
        time.sleep(600)

features(Path(sys.argv[1]), compute)
"""


def features(out: Path, noted: Callable[[int], None]) -> FeatureCache:
    def compute(source: tuple) -> torch.Tensor:
        noted(source[1])
        return torch.full((2 + source[1], 3), float(source[1]))

    return FeatureCache(out / "cache", [(out / "source", number) for number in range(5)], {}, compute)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    task = Line()
    train(task, OPTIONS, tmp_path_factory.mktemp("whole"))
    return weights(task)


def started(code: str, out: Path, place: object) -> subprocess.Popen:
    out.mkdir(exist_ok=True)
    arguments = [sys.executable, "-c", code, str(out), str(place)]
    return subprocess.Popen(
        arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )


def paused(process: subprocess.Popen, out: Path) -> None:
    end = time.monotonic() + LONGEST
    while not (out / "paused").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("place", "number", "finished"),
    [
        ("step 1", signal.SIGINT, 1),
        ("step 8", signal.SIGTERM, 8),
        ("batch 12", signal.SIGINT, 12),
        ("validation", signal.SIGINT, 5),
    ],
)
def test_a_run_that_is_interrupted_ends_with_the_very_same_weights(
    tmp_path, capsys, undisturbed, place, number, finished
):
    process = started(TRAINING, tmp_path, place)
    paused(process, tmp_path)
    process.send_signal(number)
    if place.startswith("step"):
        assert "once more to stop at once" in process.stderr.readline() + process.stderr.readline()
    (tmp_path / "signalled").touch()
    said, error = process.communicate(timeout=LONGEST)
    assert process.returncode == 128 + number, error
    assert said.splitlines()[-1].startswith("interrupted in epoch ")
    assert said.strip().endswith(f"goes on from {tmp_path / 'checkpoint.pt'}")
    task = Line()
    train(task, OPTIONS, tmp_path)
    assert "going on from" in capsys.readouterr().out
    assert task.steps == EPOCHS * STEPS - finished
    assert torch.equal(weights(task), undisturbed)


def test_a_second_signal_ends_it_at_once(tmp_path):
    process = started(TRAINING, tmp_path, "step 8")
    paused(process, tmp_path)
    process.send_signal(signal.SIGINT)
    assert "once more to stop at once" in process.stderr.readline() + process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LONGEST)  # though the step never ends
    assert process.returncode == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_features_that_were_computed_are_kept(tmp_path, number):
    (tmp_path / "source").write_bytes(b"1")
    process = started(FEATURES, tmp_path, 3)
    paused(process, tmp_path)
    process.send_signal(number)
    process.communicate(timeout=LONGEST)
    assert process.returncode != 0
    computed: list[int] = []
    cache = features(tmp_path, computed.append)
    assert computed == [3, 4]
    assert [cache[number].mean().item() for number in range(5)] == [0, 1, 2, 3, 4]
    assert cache.lengths == [2, 3, 4, 5, 6]
    features(tmp_path, computed.append)
    assert computed == [3, 4]
