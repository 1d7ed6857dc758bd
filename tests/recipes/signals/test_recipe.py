"""The recipe for signals: that it learns what happens when, what it reads, what it says; and `classify`."""

import json

import numpy as np
import pytest
import torch

from pipelines import classify, load
from pipelines.commands import cli
from pipelines.errors import MediaError, ModelError
from pipelines.media.signals import Signal, StoredSignal
from pipelines.writers.classes import FORMATS
from recipes.data.datasets import read_signals
from recipes.signals.__main__ import main
from recipes.signals.options import Augmentation, ModelOptions
from recipes.signals.recipe import front_end_sizes
from tests.data.waves_of_classes import CLASSES, wave, write_csv, write_ts

SMALL = ["--hidden-size", "12", "--input-size", "12", "--dropout", "0.05", "--heads", "1", "--mixup", "0"]
FAST = ["--epochs", "16", "--learning-rate", "1e-2", "--batch-size", "16", "--valid-every", "4"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signals")
    write_ts(folder / "data/waves_TRAIN.ts", 48, 1, gaps=0.05)
    write_ts(folder / "data/waves_TEST.ts", 60, 2, gaps=0.05)
    assert main(["--data", str(folder / "data"), "--out", str(folder / "out"), *SMALL, *FAST]) == 0
    return folder


@pytest.mark.learns
def test_it_learns_in_which_order_things_happen(trained):
    model = load(trained / "out/model.safetensors")
    assert model.task == "signals" and model.alphabet.symbols == ("a", "b")
    accuracy = float(model.metrics["test"]["accuracy"].split()[0])
    assert accuracy > 90 and "random kernels" in model.metrics["test"]
    report = (trained / "out/report.html").read_text()
    assert "Random kernels alone" in report and "60 signals, 2 classes" in report


def test_the_linear_model_is_kept_where_new_signals_are_like_the_old_ones(trained, tmp_path):
    old = load(trained / "out/model.safetensors")
    options = ["--data", str(trained / "data"), "--load", str(trained / "out/model.safetensors")]
    assert main([*options, "--out", str(tmp_path / "out"), "--epochs", "1"]) == 0
    new = load(tmp_path / "out/model.safetensors")
    assert torch.equal(new.front_end.beside.taps, old.front_end.beside.taps)
    assert torch.equal(new.front_end.beside.readout.weight, old.front_end.beside.readout.weight)


def test_the_network_can_be_had_alone(trained, tmp_path):
    options = ["--data", str(trained / "data"), "--out", str(tmp_path / "out"), "--random-kernels", "0"]
    assert main([*options, *SMALL, "--epochs", "1"]) == 0
    model = load(tmp_path / "out/model.safetensors")
    assert model.front_end.beside is None and "random kernels" not in model.metrics["test"]
    assert "Random kernels alone" not in (tmp_path / "out/report.html").read_text()
    with pytest.raises(ValueError, match="even number"):
        ModelOptions(random_kernels=3)


def test_means_of_the_training_data_are_kept_to_32_bits(trained):
    centre = load(trained / "out/model.safetensors").front_end.centre
    assert centre[1].item() != centre.half().float()[1].item()
    assert centre.tolist() == pytest.approx([20, 1000], rel=0.05)


def test_a_file_of_series_is_classified_as_each_of_its_signals(trained):
    model = load(trained / "out/model.safetensors")
    found = classify(trained / "data/waves_TEST.ts", model)
    assert len(found.texts) == 60 and found.texts[2].text == "waves_TEST.ts, 3"
    rng = np.random.default_rng(2)
    signals = [Signal(wave(CLASSES[place % 2], rng), ("1", "2")) for place in range(3)]
    for alone in classify(signals, model):
        assert sum(score for _, score in alone.top) == pytest.approx(1, abs=1e-5)


def test_classes_in_folders_or_a_table_and_columns_in_any_order(tmp_path):
    for place in range(12):
        write_csv(tmp_path / f"in/{CLASSES[place % 2]}/{place}.csv", CLASSES[place % 2], place)
    assert (
        main(["--data", str(tmp_path / "in"), "--out", str(tmp_path / "out"), *SMALL, "--epochs", "1"]) == 0
    )
    model = load(tmp_path / "out/model.safetensors")
    assert model.front_end.names == ("level", "noise") and model.alphabet.symbols == CLASSES
    assert model.front_end.step.item() == pytest.approx(0.1)
    plain = classify(write_csv(tmp_path / "a.csv", CLASSES[0], 50), model)
    other = classify(write_csv(tmp_path / "b.csv", CLASSES[0], 50, extra=True), model)
    assert plain.top == other.top
    assert not plain.notes and "not known to the model and left out" in other.notes[0]
    (tmp_path / "in/labels.csv").write_text("file,label\n" + "".join(f"{n}.csv,{n % 2}\n" for n in range(12)))
    found = read_signals(tmp_path / "in")
    assert found.layout == "labels" and [item.target for item in found.items] == ["0", "1"] * 6


def test_of_medical_recordings_every_output_says_that_this_is_no_device(trained, tmp_path):
    values = wave(CLASSES[0], np.random.default_rng(2))
    stored = StoredSignal(lambda first, last: values[first:last], len(values), ("1", "2"), 1.0, medical=True)
    model = trained / "out/model.safetensors"
    found, plain = classify(stored, model), classify(Signal(values, ("1", "2")), model)
    assert "Not a medical device." in found.notes and not plain.notes
    for ending in FORMATS:
        assert "Not a medical device." in found.save(tmp_path / f"a.{ending}").read_text(), ending
        assert "medical" not in plain.save(tmp_path / f"b.{ending}").read_text(), ending


def test_the_command(trained, tmp_path, capsys):
    model = str(trained / "out/model.safetensors")
    write_csv(tmp_path / "in/a.csv", CLASSES[0], 1)
    write_ts(tmp_path / "in/b.ts", 3, 2)
    (tmp_path / "in/bad.csv").write_text("time,level,noise\n0,1,2\n1,high,3\n")
    out = tmp_path / "out"
    code = cli.main(["classify", str(tmp_path / "in"), "-m", model, "-o", str(out), "-f", "txt,json"])
    seen = capsys.readouterr()
    assert code == 1 and "row 3, column 'level'" in seen.err
    assert json.loads((out / "b.json").read_text())["texts"][1]["text"] == "b.ts, 2"


def test_what_does_not_fit_is_one_clear_line(trained, tmp_path):
    model = load(trained / "out/model.safetensors")
    (tmp_path / "a.csv").write_text("x,y,z\n" + "1,2,3\n" * 9)
    with pytest.raises(MediaError, match="has 3 channels .*the model reads 2"):
        classify(tmp_path / "a.csv", model)
    with pytest.raises(ModelError):
        classify(Signal(np.zeros((9, 2), np.float32), ("1", "2")), "intents-en")


def test_one_class_is_refused(tmp_path, capsys):
    for place in range(4):
        write_csv(tmp_path / f"in/same/{place}.csv", CLASSES[0], place)
    assert main(["--data", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 1
    assert "all signals are of one class" in capsys.readouterr().err


def test_strides_of_long_recordings():
    sizes = front_end_sizes(ModelOptions(stride=16).filled(), ("one",))
    assert sizes["strides"] == [2, 2, 2, 2] and len(sizes["kernels"]) == len(sizes["filters"]) == 4
    for wrong in ({"stride": 3}, {"kernel": 4}, {"scaling": "minmax"}):
        with pytest.raises(ValueError):
            ModelOptions(**wrong)
    with pytest.raises(ValueError, match="crop"):
        Augmentation(crop=0.5)


def test_channels_without_values_are_told(trained):
    model = load(trained / "out/model.safetensors")
    values = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    values[:, 0] = np.nan
    assert classify(Signal(values, ("1", "2")), model).notes == ("channel '1': without a value",)
    with pytest.raises(MediaError, match="holds no values in the channels that the model reads"):
        classify(Signal(np.full_like(values, np.nan), ("1", "2")), model)
