"""recipes.ink: from JSON lines of strokes to a model that reads them and says which points made what."""

import dataclasses
import gzip
import json
import os
import random
from pathlib import Path

import pytest

from decoders.alphabet import Normalisation
from pipelines import load, recognize
from pipelines.errors import DataError
from recipes.ink.options import InkOptions, ModelOptions
from recipes.ink.recipe import InkRecipe
from recipes.learning.fitting import remade
from recipes.learning.options import TrainingOptions
from tests.data.ink import write
from tests.data.teachers import knowing_more, losses_of, sure_of_another


def write_lines(path: Path, seed: int, count: int) -> None:
    chooser = random.Random(seed)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for number in range(count):
            text = " ".join("".join(chooser.choices("ailnt", k=3)) for _ in range(2))
            written = write(text, late=number % 2 == 0)
            strokes = [[[float(x), float(y)] for x, y in stroke] for stroke in written.strokes]
            print(json.dumps({"strokes": strokes, "label": text, "writer": f"w{number % 4}"}), file=file)


def options_for(*data: Path, out: Path, epochs: int = 18) -> InkOptions:
    return InkOptions(
        data,
        out,
        model=ModelOptions(hidden_size=32, num_layers=1, dropout=0.0, input_size=24, channels=16),
        training=TrainingOptions(epochs=epochs, batch_size=8, learning_rate=0.02, threads=1, valid_every=5),
    )


@pytest.mark.learns
def test_it_learns_and_the_report_shows_the_ink(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    write_lines(data / "lines-train.jsonl.gz", 1, 80)
    write_lines(data / "lines-valid.jsonl.gz", 2, 10)
    write_lines(data / "lines-test.jsonl.gz", 3, 12)
    found = InkRecipe(options_for(data, out=tmp_path / "out", epochs=26)).run()
    assert found.split == "test" and len(found.items) == 12
    assert found.cer.value < 0.4  # untrained, it is 1
    model = load(tmp_path / "out" / "model.safetensors")
    pages = list(recognize(data / "lines-test.jsonl.gz", model))
    assert [page.text for page in pages] == [item.hypothesis for item in found.items]
    assert all(glyph.strokes for page in pages for word in page.words for glyph in word.glyphs)
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert not any(item.reference != item.hypothesis for item in found.items) or "image/svg+xml" in report


@pytest.mark.parametrize("name", ["imadocsen-en", "omniglot"])
def test_a_step_on_real_ink(tmp_path, name):
    data = Path(os.environ.get("TRISCRIBE_DATA", ""), "ink", name)
    if "TRISCRIBE_DATA" not in os.environ or not data.is_dir():
        pytest.skip(f"TRISCRIBE_DATA names no folder that holds ink/{name}")
    recipe = InkRecipe(options_for(*sorted(data.glob("*-test.jsonl.gz"))[:1], out=tmp_path))
    (manifest,) = recipe.manifests()
    items, rejected = recipe.readable(manifest.items[:4])
    assert len(items) == 4 and not rejected
    model = recipe.build(None, Normalisation(), items)
    assert recipe.usable(items, model)[0] == items
    task = recipe.training_task(model, items, items[:1])
    loss = task(task.batches(0)[0]())
    assert 0 < loss.item() < 1000


@pytest.mark.learns
def test_a_model_has_nothing_to_learn_from_one_that_says_the_same(tmp_path):
    write_lines(tmp_path / "lines-train.jsonl.gz", 1, 8)
    recipe = InkRecipe(options_for(tmp_path, out=tmp_path / "out"))
    items, _ = recipe.readable(recipe.manifests()[0].items)
    model = recipe.build(None, Normalisation(), items)
    task = recipe.training_task(model, items, items[:2])
    other = sure_of_another(model, hidden_size=48)
    alone, by_itself, by_another = losses_of(task, None, knowing_more(model, "XY"), other)
    assert by_itself == pytest.approx(alone, rel=1e-5) and by_another > alone + 0.1
    path = remade(model, front_end={**model.sizes["front_end"], "spacing": 0.2}).save(tmp_path / "wide")
    recipe = InkRecipe(dataclasses.replace(recipe.options, teacher=str(path)))
    with pytest.raises(DataError, match="cannot teach model: it takes .*0.2"):
        recipe.training_task(model, items, items[:2])
