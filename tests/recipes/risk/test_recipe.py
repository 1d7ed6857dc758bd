"""The recipe for risks: that it learns who is at risk, does not know the future, what it says; and `risk`."""

import json

import numpy as np
import pytest
import torch

from pipelines import load, risk
from pipelines.commands import cli
from pipelines.errors import MediaError
from pipelines.media.stays import Stay, Stays
from recipes.data.datasets import read_outcomes
from recipes.data.stay_layouts import split_of
from recipes.risk.__main__ import main
from recipes.risk.scores import auprc, auroc

SMALL = ["--hidden-size", "8", "--input-size", "8", "--dropout", "0.1", "--learning-rate", "1e-2"]
COLUMNS = ("HR", "Temp")


def stay(name, label, rng, hours=12):
    """Of those with the event, the heart rate rises with the hours; some values are missing."""
    values = rng.normal(size=(hours, 2)) * (4, 0.3) + (75, 37)
    values[:, 0] += label * np.linspace(0, 30, hours)
    values[rng.random((hours, 2)) < 0.3] = np.nan
    return Stay(name, np.arange(hours) * 3600.0, values.astype(np.float32))


def write(folder, split, count, seed):
    folder.mkdir(parents=True, exist_ok=True)
    rng, rows, outcomes = np.random.default_rng(seed), ["id,hour,HR,Temp"], ["id,Age,death,Length_of_stay"]
    for number in range(count):
        name, label = f"{seed}{number:03}", number % 2
        one = stay(name, label, rng)
        cells = [["" if np.isnan(value) else f"{value:.2f}" for value in row] for row in one.values]
        rows += [f"{name},{hour},{','.join(row)}" for hour, row in enumerate(cells)]
        outcomes.append(f"{name},{60 + number},{label},{9 * label}")
    (folder / f"measured_{split}.csv").write_text("\n".join(rows))
    (folder / f"outcomes_{split}.csv").write_text("\n".join(outcomes))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("risk")
    write(folder / "data", "train", 120, 1)
    write(folder / "data", "test", 60, 2)
    arguments = ["--data", str(folder / "data"), "--out", str(folder / "out"), "--event", "death", *SMALL]
    assert main([*arguments, "--epochs", "8"]) == 0
    return folder


@pytest.mark.learns
def test_it_learns_who_is_at_risk(trained):
    model = load(trained / "out/model.safetensors")
    assert model.task == "risk" and model.alphabet.symbols == ("death",)
    assert float(model.metrics["test"]["AUROC"].split()[0]) > 85
    report = (trained / "out/report.html").read_text()
    assert "Not a medical device" in report and "Gradient boosting" in report and "Calibration" in report


def test_only_named_columns_are_known_besides_what_was_measured(trained):
    names = load(trained / "out/model.safetensors").front_end.names
    assert "Age" in names and "HR lowest" in names
    assert not any("Length" in name or "death" in name for name in names)


def test_a_risk_does_not_depend_on_what_comes_later(trained):
    model = load(trained / "out/model.safetensors")
    whole = stay("x", 1, np.random.default_rng(5))
    first = Stay("x", whole.times[:5], whole.values[:5])
    (long,), (short,) = (risk(Stays(COLUMNS, (each,)), model).curves for each in (whole, first))
    assert len(long.risks) == 12 and long.times[0] == 3600
    np.testing.assert_allclose(long.risks[:5], short.risks, atol=1e-5)


def test_stays_do_not_depend_on_each_other_and_columns_may_be_missing(trained):
    model = load(trained / "out/model.safetensors")
    rng = np.random.default_rng(6)
    stays = tuple(stay(str(number), number % 2, rng, hours=3 + number) for number in range(5))
    together = risk(Stays(COLUMNS, stays), model)
    for one, curve in zip(stays, together.curves, strict=True):
        (alone,) = risk(Stays(COLUMNS, (one,)), model).curves
        np.testing.assert_allclose(alone.risks, curve.risks, atol=1e-5)
    assert "Age" in together.notes[0]
    with pytest.raises(MediaError, match="none of the columns"):
        risk(Stays(("pH",), (Stay("1", np.zeros(1), np.zeros((1, 1), np.float32)),)), model)


def test_what_is_written(trained, tmp_path, capsys):
    model = str(trained / "out/model.safetensors")
    table, out = trained / "data/measured_test.csv", tmp_path / "out"
    static = str(trained / "data/outcomes_test.csv")
    arguments = [
        "risk",
        str(table),
        "-m",
        model,
        "-o",
        str(out),
        "-f",
        "txt,csv,json,png",
        "--static",
        static,
    ]
    assert cli.main(arguments) == 0
    content = json.loads((out / "measured_test.json").read_text())
    assert content["notice"] == "Not a medical device." and len(content["curves"]) == 60
    assert "Not a medical device" in (out / "measured_test.txt").read_text()
    assert "Not a medical device" in (out / "risks.csv").read_text().splitlines()[1]
    assert (out / "measured_test.png").stat().st_size > 10_000
    assert not content.get("notes")


def test_splits_of_the_challenge_and_outcomes_that_are_none(tmp_path):
    write(tmp_path, "train", 6, 1)
    text = (tmp_path / "outcomes_train.csv").read_text().replace("1000,60,0,0", "1000,60,2,0")
    (tmp_path / "outcomes_train.csv").write_text(text)
    found = read_outcomes(tmp_path)
    assert len(found.items) == 5 and "its outcome is 2" in found.rejected[0].reason
    assert split_of(tmp_path / "set-a/1.txt") == "train" and split_of(tmp_path / "labels_set_c.csv") == "test"


def test_areas_under_curves():
    from sklearn.metrics import average_precision_score, roc_auc_score

    rng = np.random.default_rng(0)
    labels, risks = rng.integers(0, 2, 200), rng.integers(0, 20, 200) / 20
    assert auroc(labels, risks) == pytest.approx(roc_auc_score(labels, risks))
    assert auprc(labels, risks) == pytest.approx(average_precision_score(labels, risks))
    assert np.isnan(auroc(np.zeros(3), risks[:3]))


def test_a_step_sees_nothing_of_its_neighbours_in_the_front_end(trained):
    front_end = load(trained / "out/model.safetensors").front_end
    x = torch.randn(1, 6, 1 + front_end.channels)
    changed = x.clone()
    changed[0, 4:] = 9.0
    lengths = torch.tensor([6])
    torch.testing.assert_close(front_end(x, lengths)[0][0, :4], front_end(changed, lengths)[0][0, :4])
