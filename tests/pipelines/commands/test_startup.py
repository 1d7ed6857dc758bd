"""What commands import: what takes seconds to load is not on their way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEAVY = {
    "librosa",
    "numba",
    "scipy",
    "torchvision",
    "matplotlib",
    "tensorboard",
    "lightning_fabric",
    "sympy",
}
SLOW = HEAVY | {"torch"}
INPUTS = {
    "transcribe": "examples/speech/digits.wav",
    "recognize": "examples/handwriting/lettre-fr.jpg",
    "caption": "examples/pictures/blue-heart.png",
}


def imported_by(*arguments: object) -> tuple[int, set[str]]:
    """Exit code of a command, and the packages that are imported at its end."""
    code = (
        "import json, sys\n"
        "from pipelines.commands.cli import main\n"
        "try:\n"
        "    code = main(sys.argv[1:])\n"
        "except SystemExit as error:\n"
        "    code = error.code\n"
        "print('\\n' + json.dumps([code, [name for name in sys.modules if '.' not in name]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    status, names = json.loads(done.stdout.splitlines()[-1])
    return status, set(names)


@pytest.mark.parametrize("name", INPUTS)
def test_nothing_compiled_is_imported_and_to_find_nothing_to_do_no_torch(name, tmp_path):
    plain = ["--language-model", "none"] if name != "caption" else []
    command = [name, INPUTS[name], "-o", tmp_path, *plain]
    status, names = imported_by(*command)
    assert status == 0 and names & HEAVY == set() and "torch" in names
    status, names = imported_by(*command, "--skip-existing")
    assert status == 0 and names & SLOW == set()


def test_actions_are_recognised_without_torchvision(tmp_path):
    status, names = imported_by("recognize", "examples/video/fall.mp4", "-o", tmp_path)
    assert status == 0 and names & HEAVY == set()


def test_a_language_model_needs_numba(tmp_path):
    """So that these tests would notice it."""
    status, names = imported_by("recognize", INPUTS["recognize"], "-o", tmp_path, "--layout", "line")
    assert status == 0 and "numba" in names


@pytest.mark.parametrize("name", INPUTS)
def test_a_missing_file_imports_no_torch(name, tmp_path):
    status, names = imported_by(name, tmp_path / "missing.wav", "-o", tmp_path)
    assert status == 1 and names & SLOW == set()


@pytest.mark.parametrize(
    "arguments", ["models", "transcribe --help", "train --help", "train asr --help", "train action --help"]
)
def test_listing_models_and_help_import_no_torch(arguments):
    status, names = imported_by(*arguments.split())
    assert status == 0 and names & SLOW == set()
