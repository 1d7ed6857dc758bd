"""What `auto` means: what the environment says, or what was measured on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from encoders.precision import BF16, FP32, Precision
from pipelines.reading import precision
from pipelines.reading.precision import VARIABLE, cache_folder, meant, precision_for
from pipelines.reading.settings import BatchOptions
from recipes.learning.options import TrainingOptions

MIXED = Precision(True, False)


@pytest.fixture
def measurements(monkeypatch, tmp_path):
    """A machine with bf16 on which nothing was measured yet; the measurements made on it."""
    made = []
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("encoders.precision.has_bf16", lambda device: True)
    monkeypatch.setattr("encoders.measurement.fastest_precision", lambda use: made.append(use) or MIXED)
    monkeypatch.setattr(precision, "_known", {})
    return made


def restarted(monkeypatch):
    monkeypatch.setattr(precision, "_known", {})


def test_what_is_named_is_taken(measurements):
    for training in (True, False):
        assert precision_for("fp32", "cpu", training, measure=True) == FP32
        assert precision_for("bf16", "cpu", training, measure=True) == BF16
    assert not measurements


def test_auto_is_what_the_environment_says(measurements, monkeypatch):
    for name, expected in (("fp32", FP32), ("bf16", BF16)):
        monkeypatch.setenv(VARIABLE, name)
        assert precision_for("auto", "cpu", measure=True) == expected
        assert precision_for("fp32", "cpu") == FP32 and meant("auto") == name
    assert not measurements
    monkeypatch.setenv(VARIABLE, "auto")
    assert precision_for("auto", "cpu", measure=True) == MIXED


@pytest.mark.parametrize("options", [BatchOptions, TrainingOptions])
def test_what_is_no_precision_is_refused(options, monkeypatch):
    with pytest.raises(ValueError, match="precision must be .*auto, bf16.*fp32, not 'fp16'"):
        options(precision="fp16")
    options(precision="bf16")  # also where no hardware computes it
    monkeypatch.setenv(VARIABLE, "half")
    with pytest.raises(ValueError, match="TRISCRIBE_PRECISION must be auto, bf16 or fp32, not 'half'"):
        options(precision="auto")
    options(precision="fp32")


def test_little_work_does_not_measure(measurements):
    assert precision_for("auto", "cpu") == FP32 and not measurements
    assert precision_for("auto", "cpu", measure=True) == MIXED
    assert precision_for("auto", "cpu") == MIXED and measurements == [False]


def test_a_measurement_is_kept_for_later_runs(measurements, monkeypatch):
    for training in (True, False):
        assert precision_for("auto", "cpu", training, measure=True) == MIXED
    restarted(monkeypatch)
    for training in (True, False):
        assert precision_for("auto", "cpu", training, measure=True) == MIXED
    assert measurements == [True, False]
    restarted(monkeypatch)
    monkeypatch.setattr(precision, "_processor", lambda: "another one")
    assert precision_for("auto", "cpu") == FP32
    assert [path.name for path in cache_folder().iterdir()] == ["precision.json"]


@pytest.mark.parametrize(
    "damaged", ["", "[]", "{", '{"%s": {}}', '{"%s": {"front_end_bf16": 1, "core_bf16": 0}}']
)
def test_a_damaged_file_costs_a_measurement(measurements, damaged):
    cache_folder().mkdir(parents=True)
    (cache_folder() / "precision.json").write_text(damaged.replace("%s", precision._key(False)))
    assert precision_for("auto", "cpu", measure=True) == MIXED and measurements == [False]


def test_a_folder_that_cannot_be_written_costs_a_measurement(measurements, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    for _ in range(2):
        restarted(monkeypatch)
        assert precision_for("auto", "cpu", measure=True) == MIXED
    assert measurements == [False] * 2


def test_a_gpu_is_not_measured(measurements):
    assert precision_for("auto", "cuda", measure=True) == BF16 and not measurements


def test_a_wrong_variable_is_one_line_of_a_command():
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.commands.cli", "transcribe", "examples/speech/stop.wav"],
        cwd=root,
        env={**os.environ, VARIABLE: "half", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and len(done.stderr.splitlines()) == 1
    assert "TRISCRIBE_PRECISION must be auto, bf16 or fp32, not 'half'" in done.stderr
