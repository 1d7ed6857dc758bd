"""A recipe run again in the same folder: the same run goes on, another one is refused at once."""

import dataclasses
import gzip
import json
import os
from pathlib import Path

import pytest
import torch

from pipelines import load
from pipelines.errors import DataError
from recipes.data.datasets import read_ink
from recipes.ink.options import InkOptions, ModelOptions
from recipes.ink.recipe import InkRecipe
from recipes.learning.options import TrainingOptions
from tests.data.ink import write


def write_data(folder: Path, texts: list[str]) -> Path:
    folder.mkdir()
    with gzip.open(folder / "lines.jsonl.gz", "wt", encoding="utf-8") as file:
        for text in texts:
            strokes = [[[float(x), float(y)] for x, y in stroke] for stroke in write(text, False).strokes]
            print(json.dumps({"strokes": strokes, "label": text}), file=file)
    return folder


def options_for(data: Path, out: Path) -> InkOptions:
    sizes = ModelOptions(hidden_size=8, num_layers=1, dropout=0.0, input_size=8, channels=4)
    return InkOptions((data,), out, model=sizes, training=TrainingOptions(epochs=2, batch_size=4, threads=1))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "log" not in path.parts
    }


def weights(out: Path) -> torch.Tensor:
    return torch.cat([weight.flatten() for weight in load(out / "model.safetensors").parameters()])


def test_another_run_is_refused_and_changes_nothing(tmp_path, capsys):
    out = tmp_path / "out"
    first = write_data(tmp_path / "first", ["ail", "lia", "tin", "nit", "ant", "tan", "lit", "nal"])
    second = write_data(tmp_path / "second", ["oil", "lio", "tin", "nit", "ont", "ton", "lit", "nol"])
    before = os.environ.get("ONEDNN_PRIMITIVE_CACHE_CAPACITY"), torch.get_num_threads()
    generator = torch.get_rng_state()
    InkRecipe(options_for(first, out)).run()
    assert (os.environ.get("ONEDNN_PRIMITIVE_CACHE_CAPACITY"), torch.get_num_threads()) == before
    assert torch.equal(torch.get_rng_state(), generator)
    known, learnt = contents(out), weights(out)

    options = dataclasses.replace(options_for(second, out), shortcut=0.5, licence="CC0")
    with pytest.raises(DataError) as error:
        InkRecipe(options).run()
    message = str(error.value)
    assert "is of another run: 8 of 8 items differ, e.g. lines.jsonl.gz 1 has another target" in message
    assert "another alphabet: without 'a', with the new 'o'" in message
    assert "licence not stated -> CC0" in message and "shortcut 0.0 -> 0.5" in message
    assert message.endswith("give another --out, or --resume no to start afresh")
    assert contents(out) == known

    capsys.readouterr()
    InkRecipe(options_for(first, out)).run()
    assert "this run is finished (2 epochs); nothing to train" in capsys.readouterr().out
    assert torch.equal(weights(out), learnt)


def test_the_manifest_is_written_with_its_split_and_can_be_given_as_data(tmp_path):
    out = tmp_path / "out"
    texts = ["ail", "lia", "tin", "nit", "ant", "tan", "lit", "nal"]
    data = write_data(tmp_path / "data", texts)
    InkRecipe(options_for(data, out)).run()
    found = read_ink(out / "manifest.jsonl")
    assert sorted(item.target for item in found.items) == sorted(texts)
    assert len(found.split("valid")) >= 1 and len(found.split("train")) + len(found.split("valid")) == 8
    InkRecipe(options_for(out / "manifest.jsonl", tmp_path / "again")).run()
    assert torch.equal(weights(tmp_path / "again"), weights(out))
