"""The table of tasks: its rows name things that exist, and nothing is imported before it is needed."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from pipelines.results import Result
from pipelines.tasks import TASKS, formats, front_ends, recipes, resolve

ROOT = Path(__file__).parents[2]

every_row = pytest.mark.parametrize("row", TASKS.values(), ids=list(TASKS))


@every_row
def test_what_a_row_names_exists(row):
    for field in fields(row):
        value = getattr(row, field.name)
        for path in value if isinstance(value, tuple) else [value]:
            if isinstance(path, str) and ":" in path:
                assert resolve(path) is not None
    assert issubclass(resolve(row.result), Result)
    assert row.recipe is None or resolve(f"{row.recipe}.__main__:main")
    assert row.default is None or (ROOT / f"pipelines/models/{row.default}.safetensors").is_file()


@every_row
def test_formats_are_found_by_the_type_of_a_result(row):
    found = formats(resolve(row.result))
    assert {"txt", "json"} <= set(found)
    assert {writer.extension.lower() for writer in found.values()} <= set(found)
    assert all(name == name.lower() for name in found)


def test_what_is_no_result_has_no_formats():
    with pytest.raises(TypeError, match="no formats for dict; there are some for Transcript, Page, Actions"):
        formats(dict)


def test_every_recipe_and_front_end_is_in_the_table():
    packages = {path.parent.name for path in (ROOT / "recipes").glob("*/__main__.py")}
    assert set(recipes()) == packages
    for_signals = {"signals", "history"}
    assert set(front_ends()) == {"spectrogram", "line_image", "strokes", "frames", "tokens"} | for_signals


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import pipelines; pipelines.load('speech-en-an4')", ("torchvision", "encoders.frames")),
        (
            "from pipelines.results import Transcript; Transcript((), 1.0, 'm').save('/dev/null/../x.srt')",
            ("torch", "pipelines.writers.captions", "pipelines.writers.videos", "matplotlib", "av"),
        ),
    ],
    ids=["load", "save"],
)
def test_only_what_is_needed_is_imported(code, unwanted, tmp_path):
    code = code.replace("/dev/null/../x.srt", str(tmp_path / "x.srt"))
    code = f"import sys; {code}; print(*(name for name in {unwanted} if name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr
