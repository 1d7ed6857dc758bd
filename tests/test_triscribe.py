"""triscribe: the public names, and the command, from one small module."""

import subprocess
import sys
from pathlib import Path

import pytest

import pipelines
import triscribe

ROOT = Path(__file__).parents[1]


def test_it_has_the_names_of_pipelines():
    assert {"transcribe", "recognize", "caption", "align", "load", "MediaError"} <= set(triscribe.__all__)
    for name in pipelines.__all__:
        assert getattr(triscribe, name) is getattr(pipelines, name) and name in dir(triscribe)
    with pytest.raises(AttributeError, match="module 'triscribe' has no attribute 'nothing'"):
        triscribe.nothing  # noqa: B018


def test_importing_it_imports_no_torch():
    code = "import sys, triscribe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "triscribe", "recognise"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and "did you mean recognize?" in done.stderr
