"""The recipe for forecasts: nothing leaks, intervals hold, covariates count; `forecast` and its command."""

import csv
import json

import numpy as np
import pytest
import torch

from decoders.quantiles import Quantiles
from encoders.history import History
from pipelines import forecast, load
from pipelines.commands import cli
from pipelines.errors import MediaError
from pipelines.forecasting import Window, scale_of
from pipelines.media.clock import Clock
from pipelines.media.series import Series, read_series
from pipelines.media.table_check import why_no_table
from recipes.forecast import baselines
from recipes.forecast.__main__ import main
from recipes.forecast.backtest import SHARES, _shown
from recipes.forecast.baselines import fit_linear, seasonal_naive
from recipes.forecast.task import ranges_of
from tests.data.loads import write_long, write_wide

SMALL = ["--hidden-size", "12", "--input-size", "12", "--horizon", "12", "--window", "48", "--segment", "12"]
FAST = ["--epochs", "2", "--windows", "256", "--batch-size", "32"]


def front_end(**sizes):
    return History(
        **({"window": 8, "horizon": 4, "segment": 4, "season": 4, "output_size": 6} | sizes)
    ).eval()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecast")
    write_wide(folder / "load.csv", 900)
    assert main(["--data", str(folder / "load.csv"), "--out", str(folder / "out"), *SMALL, *FAST]) == 0
    return folder


def test_it_forecasts_with_intervals_that_hold(trained):
    model = load(trained / "out/model.safetensors")
    assert model.task == "forecast" and model.front_end.season == 24
    held = float(model.metrics["test"]["in 80 %"].split()[0])
    assert 65 < held < 92
    report = (trained / "out/report.html").read_text()
    assert "seasonal naive" in report and "ridge" in report and "data:image/png" in report


def test_what_the_network_adds_is_kept_where_it_is_shown_to_be_of_use():
    errors = np.tile(np.random.default_rng(1).random(40) + 1, (5, 1))
    assert _shown(errors) == _shown(errors[:, :1]) == 0.0
    errors[3] -= 0.2
    assert _shown(errors) == SHARES[3] and _shown(errors[:, :1]) == 0.0
    errors[3] = errors[0] + np.random.default_rng(2).normal(-0.01, 1, 40)
    assert _shown(errors) == 0.0


def test_the_linear_model_is_that_of_least_squares_however_many_windows_are_taken_at_once(monkeypatch):
    rng = np.random.default_rng(3)
    model = front_end()
    series = Series("a", np.cumsum(rng.normal(size=300)), Clock(), np.empty((0, 0)))
    windows = [Window(series, origin, model, 1.0) for origin in range(8, 290)]
    fit_linear(model, windows[:200], windows[200:])
    whole = model.linear.weight.clone()
    monkeypatch.setattr(baselines, "AT_ONCE", 7)
    fit_linear(model, windows[:200], windows[200:])
    torch.testing.assert_close(model.linear.weight, whole, atol=1e-4, rtol=1e-4)
    x = np.stack([window.inputs()[:8, 0] for window in windows[:200]])
    y = np.stack([window.targets() for window in windows[:200]])
    plain = np.linalg.lstsq(np.c_[x, np.ones(200)], y, rcond=None)[0]
    missed = y - model.linear(torch.from_numpy(x).float()).detach().numpy()
    assert (missed**2).mean() < 1.1 * ((y - np.c_[x, np.ones(200)] @ plain) ** 2).mean()


def test_a_decoder_is_lessened_in_its_mean_and_median_alone():
    decoder, x, lengths = Quantiles(6, 4, 2, 2).eval(), torch.randn(3, 5, 6), torch.tensor([5, 5, 5])
    torch.nn.init.normal_(decoder.project.weight)
    before, _ = decoder(x, lengths)
    decoder.lessen(0.5, 0.0)
    after, _ = decoder(x, lengths)
    torch.testing.assert_close(after[..., 0], before[..., 0] / 2)
    torch.testing.assert_close(after[..., 2], torch.zeros_like(after[..., 2]))
    torch.testing.assert_close(after[..., 3] - after[..., 2], before[..., 3] - before[..., 2])


def test_a_file_is_forecast_and_written(trained, tmp_path):
    found = forecast(trained / "load.csv", trained / "out/model.safetensors", 20)
    assert [each.name for each in found.series] == ["Last A", "Last B"]
    one = found.series[1]
    low, high = one.interval()
    assert len(one.times) == 20 and one.times[0] == "07.04.2021 12:00"
    assert all(a <= b <= c for a, b, c in zip(low, one.median, high, strict=True))
    assert 500 < np.mean(one.median) < 1500 and "from the median" in found.notes[0]
    rows = list(csv.reader(found.save(tmp_path / "a.csv").open()))
    assert rows[0][:4] == ["unique_id", "ds", "mean", "q10"] and len(rows) == 41
    assert json.loads(found.save(tmp_path / "a.json").read_text())["forecasts"][0]["times"][0] == one.times[0]
    assert found.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert found.save(tmp_path / "a.txt").read_text().count("\n") == 40
    with pytest.raises(ValueError, match="level must be one of"):
        forecast(trained / "load.csv", trained / "out/model.safetensors", level=0.77)


def test_the_command(trained, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    write_wide(tmp_path / "in/a.csv", 100, 3)
    (tmp_path / "in/bad.csv").write_text("ds,y\n1,2\n2,high\n")
    model, out = str(trained / "out/model.safetensors"), tmp_path / "out"
    code = cli.main(["forecast", str(tmp_path / "in"), "-m", model, "-o", str(out), "-f", "csv,png"])
    seen = capsys.readouterr()
    assert code == 1 and "row 3, column 'y'" in seen.err
    assert (out / "a.csv").exists() and (out / "a.png").exists()


@pytest.mark.parametrize("command", ["forecast", "batch"])
def test_notes_beside_tables_are_passed_over_and_told_if_they_are_named(trained, tmp_path, capsys, command):
    (tmp_path / "in").mkdir()
    write_wide(tmp_path / "in/a.csv", 100, 3)
    (tmp_path / "in/notes.txt").write_text("Meter B, was changed\non 3 May, by the grid\n")
    model, out = str(trained / "out/model.safetensors"), tmp_path / "out"
    assert cli.main([command, str(tmp_path / "in"), "-m", model, "-o", str(out), "-f", "csv"]) == 0
    told = capsys.readouterr()
    why = "text without rows of numbers" if command == "forecast" else ""  # others read texts, with a model
    assert f"passed over 1: 1 {why}" in told.out and (out / "a.csv").exists()
    notes = str(tmp_path / "in/notes.txt")
    assert cli.main(["forecast", notes, "-m", model, "-o", str(tmp_path / "other"), "-f", "csv"]) == 1
    assert "has no column of numbers" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text, numbers",
    [
        ("a;b\n1,5;x\n?;y\n", True),
        ("ds,y\n2021-01-01,NaN\n2021-01-02,3\n", True),
        ("# exported\n\n7\n8\n9\n", True),
        ("@problemName x\n@data\n1,2:a\n", True),
        ("Dear Ann,\nthank you, for\n30 eggs.\n", False),
        ("name,town\nAnn,Rome\nBob,Bonn\n", False),
        ("\ufeffone word", False),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_which_texts_may_be_tables(tmp_path, text, numbers, encoding):
    (tmp_path / "x.txt").write_text(text, encoding=encoding)
    assert (why_no_table(tmp_path / "x.txt") is None) is numbers


def test_known_and_static_columns_are_learnt_and_asked_for(tmp_path):
    data = write_long(tmp_path / "long.csv", 400)
    options = ["--known", "holiday", "--static", "size", "--out", str(tmp_path / "out")]
    assert main(["--data", str(data), *options, *SMALL, *FAST, "--epochs", "1"]) == 0
    model = load(tmp_path / "out/model.safetensors")
    assert (model.front_end.covariates, model.front_end.statics) == (("holiday",), ("size",))
    found = forecast(write_long(tmp_path / "next.csv", 200, ahead=12), model)
    assert found.series[0].times[0] == "2021-03-08 20:00:00"
    with pytest.raises(MediaError, match="has no column 'holiday'"):
        forecast(write_wide(tmp_path / "wide.csv", 60), model)


def test_what_comes_after_a_step_changes_nothing_that_is_known_there(tmp_path):
    series = read_series(write_wide(tmp_path / "a.csv", 80)).series[0]
    network = front_end()
    before = Window(series, 40, network)
    changed = series.values.copy()
    changed[40:] *= 1000
    object.__setattr__(series, "values", changed)
    after = Window(series, 40, network)
    assert np.array_equal(before.inputs(), after.inputs()) and before.scale == after.scale
    assert np.array_equal(seasonal_naive(before, 24), seasonal_naive(after, 24))


def test_splits_follow_each_other_in_time(tmp_path):
    series = read_series(write_wide(tmp_path / "a.csv", 80)).series
    found = ranges_of(series, front_end(), [20, 20], [10, 10])
    train, valid, test = (found[name][0] for name in ("train", "valid", "test"))
    assert train.last + 4 - 1 == valid.first == 50 and valid.last + 4 - 1 == test.first == 60
    assert test.last + 4 - 1 == 80
    assert train.scale == valid.scale == test.scale == scale_of(series[0].values[:50], front_end())


@pytest.mark.parametrize("scaling", ["spread", "season", "ratio"])
def test_scales_are_positive_whatever_the_past(scaling):
    network = front_end(scaling=scaling)
    for past in ([], [np.nan] * 9, [5.0] * 9, [1e9] * 3, [1, np.nan, 2, 3, np.nan, 9.0]):
        assert 0 < scale_of(np.array(past, dtype=float), network) < np.inf


def test_a_linear_model_is_what_an_untrained_decoder_adds_nothing_to():
    torch.manual_seed(1)
    decoder = Quantiles(6, 4, segment=4, frames=1)
    found, steps = decoder(torch.randn(3, 3, 6), torch.tensor([3, 3, 3]))
    assert found.shape == (3, 4, 4) and steps.tolist() == [4, 4, 4]
    assert not found[..., 0].any() and not found[..., 2].any()
    assert (found[..., 1] < 0).all() and (found[..., 3] > 0).all()


def test_missing_targets_cost_nothing():
    decoder, states = Quantiles(6, 4, segment=4), torch.randn(2, 1, 6)
    targets = torch.randn(2, 4)
    targets[0, 2:], targets[1] = float("nan"), float("nan")
    losses = decoder.loss(states, torch.tensor([1, 1]), targets)
    assert losses[0] > 0 and losses[1] == 0


@pytest.mark.parametrize("sizes", [{"segment": 3}, {"horizon": 0}, {"scaling": "max"}])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError):
        front_end(**sizes)
    with pytest.raises(ValueError, match="levels must rise"):
        Quantiles(6, 4, levels=(0.1, 0.9, 0.5))


def test_series_that_are_too_short_are_refused(tmp_path, capsys):
    path = write_wide(tmp_path / "a.csv", 20)
    assert main(["--data", str(path), "--out", str(tmp_path / "out"), "--horizon", "24"]) == 1
    assert "no series long enough" in capsys.readouterr().err
