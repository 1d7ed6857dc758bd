"""Checkpoints: another run's is refused, and what differs is named; a damaged one is one clear line."""

import dataclasses
import os
import re
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from pipelines.errors import DataError
from recipes.data.manifest import Item
from recipes.learning.fingerprint import FREE, Fingerprint, listed
from recipes.learning.options import RecipeOptions
from recipes.learning.training import train
from tests.data.line_task import EPOCHS, OPTIONS, Line, weights


def changed(**options):
    return dataclasses.replace(OPTIONS, **options)


def test_other_options_are_named(tmp_path):
    train(Line(), OPTIONS, tmp_path)
    free = {"threads": 1, "checkpoint_minutes": 7.0, "device": "cpu"}
    with pytest.raises(DataError) as error:
        train(Line(), changed(epochs=9, clip=1.0, **free), tmp_path)
    assert f"of another run: epochs {EPOCHS} -> 9, clip 5.0 -> 1.0; give another --out" in str(error.value)
    assert "--resume no" in str(error.value) and "\n" not in str(error.value)
    task = Line()
    train(task, changed(**free), tmp_path)
    assert task.steps == 0


@pytest.fixture
def data(tmp_path) -> list[Item]:
    items = []
    for number in range(4):
        path = tmp_path / "data" / f"{number}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(10))
        items.append(Item(path, f"text {number}", "train" if number else "valid"))
    return items


def told(before: Fingerprint, after: Fingerprint) -> str:
    return listed(after.differences(before.to_text()))


@pytest.mark.parametrize(
    ("place", "change", "words"),
    [
        (1, {"target": "another"}, "1 of 4 items differ, e.g. 1.wav has another target or place"),
        (1, {"group": "b"}, "1 of 4 items differ, e.g. 1.wav has another target or place"),
        (2, {"split": "valid"}, "1 of 4 items differ, e.g. 2.wav is in valid, was in train"),
        (3, {"start": 1.0}, "2 of 5 items differ, e.g. 3.wav from 1 s is new"),
    ],
)
def test_other_items_are_named(tmp_path, data, place, change, words):
    roots = [tmp_path / "data"]
    before = Fingerprint.of(OPTIONS, None, data, roots)
    assert told(before, Fingerprint.of(OPTIONS, None, data, roots)) == ""
    data[place] = dataclasses.replace(data[place], **change)
    assert told(before, Fingerprint.of(OPTIONS, None, data, roots)) == words


def test_other_files_are_named(tmp_path, data):
    roots = [tmp_path / "data"]
    before = Fingerprint.of(OPTIONS, None, data, roots)
    facts = data[2].path.stat()
    os.utime(data[2].path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1000))
    found = told(before, Fingerprint.of(OPTIONS, None, data, roots))
    assert found == "1 of 4 items differ, e.g. 2.wav is another file, or was written anew"
    assert told(before, Fingerprint.of(OPTIONS, None, data[:2] + data[3:], roots)).endswith("2.wav is gone")
    data[2:] = data[:1:-1]
    os.utime(data[3].path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert told(before, Fingerprint.of(OPTIONS, None, data, roots)) == "the items are in another order"


def test_other_options_of_a_recipe_and_other_models_are_named(tmp_path):
    base = tmp_path / "base.safetensors"
    base.write_bytes(b"one")
    options = RecipeOptions(load=str(base), training=OPTIONS)
    before = Fingerprint.of(options)
    moved = dataclasses.replace(options, out=Path("elsewhere"), data=(Path("there"),), name="new", bits=8)
    assert told(before, Fingerprint.of(moved)) == ""
    other = dataclasses.replace(options, licence="CC0", training=changed(seed=2))
    assert told(before, Fingerprint.of(other)) == "licence not stated -> CC0, seed 1 -> 2"
    base.write_bytes(b"two")
    assert re.fullmatch(
        r"load base.safetensors \(\w+\) -> base.safetensors \(\w+\)", told(before, Fingerprint.of(options))
    )


def test_another_alphabet_is_named():
    before = Fingerprint({}, {}, symbols=["a", "b", "c"])
    after = dataclasses.replace(before, symbols=["a", "b", "d"])
    assert told(before, after) == "another alphabet: without 'c', with the new 'd'"
    after = dataclasses.replace(before, symbols=["a", "c", "b"])
    assert told(before, after) == "another alphabet: the same symbols in another order"


def test_a_checkpoint_from_before_an_option_was_added_goes_on():
    before = Fingerprint.of(OPTIONS)
    del before.options["blend"]
    assert told(before, Fingerprint.of(OPTIONS)) == ""
    assert told(before, Fingerprint.of(changed(blend=0.5))) == "blend 0.0 -> 0.5"


def test_many_differences_are_counted():
    assert listed([f"{number}" for number in range(9)]) == "0, 1, 2, 3, 4, 5, and 3 more"


def test_all_free_options_exist():
    known = {field.name for kind in (RecipeOptions, type(OPTIONS)) for field in dataclasses.fields(kind)}
    assert {"out", "data", "threads", "device", "resume"} <= FREE & known
    assert "licence" not in FREE and "valid_every" not in FREE


def spoilt(path: Path, how: str) -> None:
    whole = torch.load(path, weights_only=True)
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("a checkpoint")
    elif how == "flipped":
        middle = len(content) // 3
        path.write_bytes(content[:middle] + bytes(200) + content[middle + 200 :])
    elif how == "zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.txt", "a")
    elif how == "folder":
        path.unlink()
        path.mkdir()
    else:
        {
            "list": lambda: whole.clear(),
            "no state": lambda: whole.pop("state"),
            "no epoch": lambda: whole["state"].pop("epoch"),
            "odd epoch": lambda: whole["state"].update(epoch="3"),
            "no weight": lambda: whole["task"].pop("model.0.weight"),
            "odd weight": lambda: whole["task"].update({"model.0.weight": torch.zeros(3, 3)}),
            "odd best": lambda: whole["state"].update(best={"0.weight": torch.zeros(3, 3)}),
            "odd optimiser": lambda: whole["optimiser"]["state"][0].update(exp_avg=torch.zeros(3, 3)),
            "no optimiser": lambda: whole.update(optimiser={}),
            "odd generator": lambda: whole.update(generator=torch.zeros(3)),
            "odd origin": lambda: whole.update(made_from="[]"),
        }[how]()
        torch.save(whole, path)


@pytest.mark.parametrize(
    "how",
    [
        *("cut", "empty", "text", "flipped", "zip", "folder", "list", "no state", "no epoch", "odd epoch"),
        *("no weight", "odd weight", "odd best", "odd optimiser", "no optimiser", "odd generator"),
        "odd origin",
    ],
)
def test_a_damaged_or_foreign_one_is_one_line(tmp_path, how):
    train(Line(), changed(epochs=1), tmp_path)
    spoilt(tmp_path / "checkpoint.pt", how)
    with pytest.raises(DataError) as error:
        train(Line(), changed(epochs=1), tmp_path)
    line = str(error.value)
    assert line.startswith(f"{tmp_path / 'checkpoint.pt'}: ") and "\n" not in line and len(line) < 400
    assert line.endswith("; give another --out, or --resume no to start afresh")


def test_one_of_an_earlier_version_is_refused(tmp_path):
    old = {"options": {}, "task": {}, "optimiser": {}, "state": {}}
    torch.save(old, tmp_path / "checkpoint.pt")
    with pytest.raises(DataError, match="of an earlier version, which did not note what"):
        train(Line(), OPTIONS, tmp_path)


def test_a_model_of_other_sizes_does_not_fit(tmp_path):
    train(Line(), OPTIONS, tmp_path)
    task = Line()
    task.model[3] = nn.Linear(8, 2)
    with pytest.raises(DataError, match="do not fit the model.*--resume no"):
        train(task, OPTIONS, tmp_path)


def test_a_finished_run_says_so(tmp_path, capsys):
    train(Line(), OPTIONS, tmp_path)
    capsys.readouterr()
    task = Line()
    train(task, OPTIONS, tmp_path)
    assert "this run is finished (6 epochs); nothing to train" in capsys.readouterr().out
    assert task.steps == 0 and weights(task).isfinite().all()
