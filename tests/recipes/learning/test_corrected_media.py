"""Corrected clips and pictures: recipes learn from an output folder, by the model behind it."""

import json
import shutil
from pathlib import Path

import pytest

from pipelines import load
from pipelines.batch.journal import Journal
from pipelines.batch.plan import Job
from pipelines.commands.cli import main
from pipelines.results import Actions, ActionSegment, Caption, Check, Sentence

EXAMPLES = Path(__file__).parents[3] / "examples"
ADA = Check("Ada", "2026-11-28T19:45:00+00:00")
TOTAL, CHECKED = 10, 8


def watched(source: str, text: str, check: Check | None) -> Actions:
    falls = (ActionSegment(text, 0.0, 1.5, 0.6),)
    return Actions(((text, 0.6),), falls, 1.5, "action-shapes", source, checked=check)


def seen(source: str, text: str, check: Check | None) -> Caption:
    return Caption((Sentence(text, 0.6, checked=check),), 0.0, "captioning-emoji", source)


MADE = {
    "action": (
        "action",
        watched,
        [(EXAMPLES / f"video/{name}.mp4", name) for name in ("rise", "fall", "approach", "bounce", "rotate")],
    ),
    "captioning": (
        "captioning",
        seen,
        [(path, path.stem.replace("-", " ")) for path in sorted((EXAMPLES / "pictures").glob("*.png"))],
    ),
}


@pytest.mark.parametrize("recipe", MADE)
def test_a_recipe_learns_from_what_was_checked(recipe, tmp_path, capsys):
    task, result, sources = MADE[recipe]
    folder, out, trained = tmp_path / "in", tmp_path / "out", tmp_path / "exp"
    folder.mkdir()
    out.mkdir()
    journal = Journal(out)
    for number in range(TOTAL):
        path, text = sources[number % len(sources)]
        source = Path(shutil.copy(path, folder / f"{number:02}{path.suffix}"))
        made = result(str(source), text, ADA if number < CHECKED else None)
        output = made.save(out / f"{number:02}.json")
        journal.add(Job(source, (output,)), made.model, None, {}, task, facts={"model_file": made.model})
    arguments = ["--data", out, "--out", trained, "--epochs", 1, "--threads", 1, "--valid", 0.25]
    assert main(["train", recipe, *map(str, arguments)]) == 0
    said = capsys.readouterr()
    assert f"learning on from corrected results: --load {made.model} --preset adapt" in said.err
    assert f"{TOTAL - CHECKED} of {TOTAL} " in said.err and "are unchecked: left out" in said.err
    assert "valid, before -> after fine-tuning: " in said.out
    used = [json.loads(line) for line in (trained / "manifest.jsonl").read_text().splitlines()]
    assert sorted(int(Path(row["path"]).stem) for row in used) == list(range(CHECKED))
    model = load(trained / "model.safetensors")
    assert model.task == task and model.training_facts["base"] == made.model
