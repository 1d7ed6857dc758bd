"""recipes.captioning on coloured shapes: it learns what to say, and its model file is used."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from decoders.alphabet import Alphabet, Normalisation
from decoders.vocabulary import Subwords, Words
from pipelines import caption, load
from pipelines.captioning import inputs_of
from pipelines.errors import DataError
from recipes.captioning.__main__ import main
from recipes.captioning.options import (
    CaptioningOptions,
    ModelOptions,
    TeachingOptions,
    VocabularyOptions,
)
from recipes.captioning.recipe import Captioning, frames_of
from recipes.captioning.task import moved
from recipes.data.datasets import read_captions
from recipes.learning.options import TrainingOptions
from tests.data.clips import write_video
from tests.data.shapes import write_shapes

for package in ("sacrebleu", "pycocoevalcap"):
    pytest.importorskip(package, reason=f"captions are scored by the optional package {package}")

ROOT = Path(__file__).parents[3]
SMALL = {"hidden_size": 16, "input_size": 32, "embedding_size": 24, "attention_size": 24}


def options_for(data: Path, out: Path, epochs: int = 1, **changes) -> CaptioningOptions:
    options = CaptioningOptions(
        (data,),
        out,
        select="exact",
        model=ModelOptions(network="small", side=48, dropout=0.1, **SMALL),
        vocabulary=VocabularyOptions(min_count=2),
        teaching=TeachingOptions(decoder_size=48, sampling=0.1, smoothing=0.05, doubly_stochastic=0.02),
        training=TrainingOptions(
            epochs=epochs, batch_size=12, learning_rate=0.005, threads=1, valid_every=10
        ),
    )
    return dataclasses.replace(options, **changes)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_shapes(tmp_path_factory.mktemp("data") / "shapes")


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """The scores on pictures never seen, and the folder of the run."""
    out = tmp_path_factory.mktemp("trained")
    return Captioning(options_for(data, out, epochs=40, licence="CC0")).run(), out


@pytest.mark.learns
def test_it_describes_pictures_it_never_saw(trained):
    found, _ = trained
    assert found.split == "test" and len(found.items) == 12
    assert found.exact.value > 0.7 and found.bleu[0].value > 0.85


def test_the_model_file_and_the_report(trained):
    found, out = trained
    model = load(out / "model.safetensors")
    assert isinstance(model.alphabet, Words) and "square" in model.alphabet and model.alphabet.unknown_id
    facts = model.training_facts
    assert facts["licence"] == "CC0" and facts["items"] == {"train": 216, "valid": 12, "test": 12}
    assert model.metrics["test"]["exact"] == found.table()["exact"] and "BLEU-4" in model.metrics["valid"]
    item = found.items[0]
    assert caption(item.media, model).text == item.hypothesis
    assert item.references == (" ".join(item.references[0].lower().replace(",", "").split()),)
    report = (out / "report.html").read_text(encoding="utf-8")
    assert report.count("data:image/webp") == 12 and item.hypothesis in report and "<svg" in report


def test_from_a_shell(trained, data, tmp_path):
    """A folder with a ruined picture: the others are described in every format, and can be trained on."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("red-triangle-left-0.png", "blue-square-right-0.png"):
        (folder / name).write_bytes((data / "images" / name).read_bytes())
    (folder / "ruined.png").write_bytes((folder / "red-triangle-left-0.png").read_bytes()[:60])
    (folder / "notes.txt").write_text("no picture")
    command = ["caption", folder, "-o", tmp_path / "out", "-f", "coco-dataset,json,srt,vtt,txt,png"]
    command += ["-m", trained[1] / "model.safetensors"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.commands.cli", *map(str, command)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 1, done.stderr
    assert "2 described (2 sentences" in done.stdout and "1 failed" in done.stdout
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines() if "failed:" in line] == [
        str(folder / "ruined.png")
    ]
    out = tmp_path / "out"
    said = (out / "red-triangle-left-0.txt").read_text(encoding="utf-8").strip()
    assert said == json.loads((out / "red-triangle-left-0.json").read_text(encoding="utf-8"))["text"]
    assert said in (out / "red-triangle-left-0.srt").read_text(encoding="utf-8")
    assert Image.open(out / "red-triangle-left-0.png").size[0] > 500
    (out / "captions.coco-dataset.json").rename(folder / "captions_train.json")
    found = {item.path: item for item in read_captions(folder).items}
    item = found.pop(folder / "red-triangle-left-0.png")
    assert list(found) == [folder / "blue-square-right-0.png"]
    assert item.target == said and item.split == "train"


def test_frozen_features_are_computed_once(data, tmp_path, monkeypatch):
    frozen = ModelOptions(network="squeezenet1_0", weights="none", side=64, **SMALL)
    options = options_for(data, tmp_path, model=frozen)
    Captioning(options).run()
    model = load(tmp_path / "model.safetensors")
    assert model.front_end.network.frozen and model.front_end.network.grid
    before = model.front_end.network.state_dict()
    monkeypatch.setattr("recipes.captioning.recipe.inputs_of", None)  # would be called for a missing feature
    again = Captioning(dataclasses.replace(options, training=dataclasses.replace(options.training, epochs=1)))
    again.run()
    after = load(tmp_path / "model.safetensors").front_end.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("labels, kind", [("characters", Alphabet), ("subwords", Subwords)])
def test_one_interface_for_all_alphabets(data, tmp_path, labels, kind):
    if labels == "subwords":
        pytest.importorskip("sentencepiece", reason="subwords need the optional package sentencepiece")
    vocabulary = VocabularyOptions(labels=labels, pieces=40)
    recipe = Captioning(options_for(data, tmp_path, vocabulary=vocabulary))
    splits, _ = recipe.read_splits(recipe.manifests(), Normalisation(case="lower"))
    model = recipe.build(None, Normalisation(case="lower"), splits["train"])
    assert isinstance(model.alphabet, kind)
    task = recipe.training_task(model, splits["train"][:20], splits["valid"][:2])
    loss = task(task.batches(0)[0]())
    loss.backward()
    assert 0 < loss.item() < 100 and task.evaluate().keys() == {"wrong", "missed_bleu4"}
    found = caption(splits["valid"][0].path, model, longest=12)
    assert [word.text for word in found.sentences[0].words] == found.text.split()


def test_the_loss_does_not_depend_on_who_shares_a_batch(data, tmp_path, monkeypatch):
    """Sentences of several pictures, in parts of like length, against each alone."""
    recipe = Captioning(options_for(data, tmp_path))
    splits, _ = recipe.read_splits(recipe.manifests(), Normalisation(case="lower"))
    torch.manual_seed(0)
    model = recipe.build(None, Normalisation(case="lower"), splits["train"])
    task = recipe.training_task(model, splits["train"][:12], splits["valid"][:2]).eval()
    monkeypatch.setattr("recipes.captioning.task.AT_ONCE", 3)
    monkeypatch.setattr("recipes.captioning.task.moved", lambda pictures, *_: pictures)
    together = task(task._batch(task.train_items, 0))
    alone = [task(task._batch([picture], 0)) for picture in task.train_items]
    assert all(len(picture.targets) == 2 for picture in task.train_items)
    torch.testing.assert_close(together, torch.stack(alone).mean(), rtol=1e-4, atol=1e-5)


def test_videos_are_one_sentence_each(tmp_path):
    """Their frames in time, as many as they have; and the same of the public function."""
    rows = ["image\tcaption\tsplit"]
    for number, split in enumerate(["train", "train", "valid", "test"]):
        write_video(tmp_path / f"{number}.mp4", times=10 + 10 * number)
        rows.append(f"{number}.mp4\ta number grows\t{split}")
    (tmp_path / "captions.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    sizes = ModelOptions(network="small", side=48, grid=False, rate=4.0, window=0.5, **SMALL)
    options = options_for(tmp_path, tmp_path / "out", model=sizes)
    found = Captioning(options).run()
    assert len(found.items) == 1 and found.items[0].references == ("a number grows",)
    lengths = json.loads((tmp_path / "out" / "cache" / "features.json").read_text())["lengths"]
    assert lengths == [4, 8, 12]  # 4 frames a second
    model = load(tmp_path / "out" / "model.safetensors")
    assert len(caption(tmp_path / "3.mp4", model, change=0.0).sentences) == 8


def test_pictures_move_and_stay_whole():
    pictures = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (3, 1, 20, 20, 3), np.uint8))
    varied = moved(pictures, 0.1, torch.Generator().manual_seed(1))
    assert varied.shape == pictures.shape and varied.dtype == torch.uint8
    assert not torch.equal(varied, pictures)
    inner = varied[:, :, 4:16, 4:16]
    for before, after in zip(pictures, inner, strict=True):
        places = [
            (y, x)
            for y in range(9)
            for x in range(9)
            if torch.equal(before[:, y : y + 12, x : x + 12], after)
        ]
        assert len(places) == 1
    assert torch.equal(moved(pictures, 0.0, torch.Generator()), pictures)


@pytest.mark.parametrize("frozen", [True, False])
def test_training_also_sees_pictures_in_a_mirror(data, tmp_path, frozen):
    """Frozen features of the picture turned around, or its pixels turned; validation sees it as it is."""
    network = {"network": "squeezenet1_0", "weights": "none", "side": 64} if frozen else {"network": "small"}
    teaching = TeachingOptions(decoder_size=48, shift=0.0, mirror=True)
    recipe = Captioning(
        options_for(data, tmp_path, model=ModelOptions(**network, **SMALL), teaching=teaching)
    )
    splits, _ = recipe.read_splits(recipe.manifests(), Normalisation(case="lower"))
    model = recipe.build(None, Normalisation(case="lower"), splits["train"])
    task = recipe.training_task(model, splits["train"], splits["valid"])
    item, picture = splits["train"][0], task.train_items[0]
    pixels = frames_of(item, model)[0]
    plain, turned = (
        inputs_of(model.front_end, [np.ascontiguousarray(shown)]) for shown in (pixels, pixels[:, ::-1])
    )
    seen = [task._batch([picture], seed)[0] for seed in range(20)]
    found = [[torch.allclose(x[0], each, atol=0.01) for each in (plain, turned)] for x in seen]
    assert sorted(map(tuple, {tuple(pair) for pair in found})) == [(False, True), (True, False)]
    assert len(task.cache) == len(task.valid_items) + len(task.train_items) * (2 if frozen else 1)
    torch.testing.assert_close(task.read([picture])[0][0].float(), plain.float(), atol=0.01, rtol=0)


def test_sentences_of_unknown_words_are_left_out(data, tmp_path):
    recipe = Captioning(options_for(data, tmp_path))
    splits, _ = recipe.read_splits(recipe.manifests(), Normalisation(case="lower"))
    model = recipe.build(None, Normalisation(case="lower"), splits["train"])
    good = splits["train"][0]
    bad = dataclasses.replace(good, target="zebra")
    kept, rejected = recipe.usable([good, bad], model)
    assert kept == [good] and rejected[0].reason == "not one of its words is known"


def test_no_folder_is_one_line(tmp_path, capsys):
    assert main(["--out", str(tmp_path)]) == 1
    assert "give the folder of your pictures and sentences" in capsys.readouterr().err
    with pytest.raises(DataError, match="no such file or folder"):
        Captioning(options_for(tmp_path / "none", tmp_path)).run()


@pytest.mark.parametrize("name", ["flickr8k", "noto_emoji"])
def test_a_step_on_real_pictures(tmp_path, name):
    folder = Path(os.environ.get("TRISCRIBE_DATA", ""), "captions", name)
    if "TRISCRIBE_DATA" not in os.environ or not folder.is_dir():
        pytest.skip(f"TRISCRIBE_DATA names no folder that holds captions/{name}")
    recipe = Captioning(options_for(folder, tmp_path))
    (manifest,) = recipe.manifests()
    items, rejected = recipe.readable(manifest.split("train")[:10])
    assert len(items) == 10 and not rejected
    items = [
        dataclasses.replace(item, target=recipe.normalised(item.target, Normalisation())) for item in items
    ]
    model = recipe.build(None, Normalisation(), items)
    task = recipe.training_task(model, items, items[:1])
    assert 0 < task(task.batches(0)[0]()).item() < 100
