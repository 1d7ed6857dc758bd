"""The recipe for anomalies: it finds what stands out, looks back alone, streams; `detect` and its command."""

import csv
import json

import numpy as np
import pytest

from pipelines import detect, load
from pipelines.commands import cli
from pipelines.detection import Stream, scores_of
from pipelines.media.series import Columns, read_series
from pipelines.surprise import (
    FARTHEST,
    LONG,
    RISE,
    Surprise,
    Usual,
    alarms_of,
    chosen_threshold,
    events_of,
    limited,
)
from recipes.anomaly.__main__ import main

SMALL = ["--hidden-size", "8", "--input-size", "8", "--window", "48", "--horizon", "12", "--segment", "12"]
FAST = ["--epochs", "1", "--windows", "128", "--batch-size", "32"]
JUMP = 700  # step at which the level of the second series is another for a while


def written(path, seed=1, jump=True):
    rng = np.random.default_rng(seed)
    time = np.arange(1000)
    values = 10 * np.sin(2 * np.pi * time / 24) + rng.normal(0, 0.3, 1000)
    other = 50 + 5 * np.sin(2 * np.pi * time / 24) + rng.normal(0, 0.3, 1000)
    if jump:
        other[JUMP : JUMP + 20] += 30
    stamps = np.datetime64("2024-01-01T00:00:00") + time * np.timedelta64(300, "s")
    stamps[500:] += np.timedelta64(17, "s")  # on no even grid
    table = zip(stamps, values, other, strict=True)
    rows = [f"{str(stamp).replace('T', ' ')},{a:.3f},{b:.3f}" for stamp, a, b in table]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["timestamp,calm,jumps", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("anomaly")
    written(folder / "in/group/a.csv")
    window = {"group/a.csv": [["2024-01-03 10:00:00", "2024-01-03 12:30:00"]]}
    (folder / "in/labels").mkdir()
    (folder / "in/labels/combined_windows.json").write_text(json.dumps(window))
    options = ["--target", "jumps", "--out", str(folder / "out"), "--learn", "0.4", *SMALL, *FAST]
    assert main(["--data", str(folder / "in"), *options]) == 0
    return folder


def test_it_finds_what_stands_out_by_itself(trained):
    found = detect(trained / "in/group/a.csv", trained / "out/model.safetensors")
    calm, jumps = found.series
    best = max(jumps.events, key=lambda event: event.score)
    assert JUMP <= best.first <= JUMP + 20 and best.start.startswith("2024-01-03 1")
    assert all(event.score <= best.score for event in calm.events) and len(calm.events) <= 3
    metrics = load(trained / "out/model.safetensors").metrics["test"]
    assert float(metrics["NAB score, standard"]) > 50
    assert "moving Gaussian" in (trained / "out/report.html").read_text()


def test_no_score_depends_on_what_comes_after_it_and_streams_give_the_same(trained):
    model = load(trained / "out/model.safetensors")
    series = read_series(trained / "in/group/a.csv", Columns(target=("jumps",), even=False)).series[0]
    whole = scores_of(series, model)
    stream = Stream(model)
    assert [stream(value) for value in series.values[:300]] == pytest.approx(whole[:300], abs=1e-4)


def test_at_most_so_many_alarms(trained):
    path, model = trained / "in/group/a.csv", trained / "out/model.safetensors"
    for most in (0, 1):
        found = detect(path, model, max_alarms=most, threshold=0.05)
        assert all(len(series.events) <= most for series in found.series)
    assert any(series.events for series in found.series)
    with pytest.raises(ValueError, match="max_alarms"):
        detect(path, model, max_alarms=-1)


def test_formats_and_the_command(trained, tmp_path, capsys):
    model, out = str(trained / "out/model.safetensors"), tmp_path / "out"
    (tmp_path / "in").mkdir()
    written(tmp_path / "in/a.csv", 2)
    (tmp_path / "in/bad.csv").write_text("timestamp,y\n2024-01-01,1\nsoon,2\n")
    code = cli.main(["detect", str(tmp_path / "in"), "-m", model, "-o", str(out), "-f", "csv,json,txt,png"])
    seen = capsys.readouterr()
    assert code == 1 and "row 3, column 'timestamp': 'soon' is no time" in seen.err
    rows = list(csv.reader((out / "a.csv").open()))
    assert rows[0] == ["unique_id", "ds", "y", "score", "event"] and len(rows) == 2001
    assert json.loads((out / "a.json").read_text())["anomalies"][1]["events"]
    assert (out / "a.png").read_bytes().startswith(b"\x89PNG") and "jumps\t" in (out / "a.txt").read_text()


def test_missing_values_are_no_surprise_and_change_nothing():
    plain, gappy = Surprise(), Surprise()
    steps = np.abs(np.random.default_rng(1).normal(size=(200, 2))).tolist()
    wanted = [plain(*step) for step in steps]
    found = []
    for step in steps:
        assert gappy(float("nan"), float("nan")) == gappy.alarm == 0
        found.append(gappy(*step))
    assert found == wanted and max(wanted) < 0.7


def test_distances_are_those_from_the_last_two_thousand_numbers():
    numbers = np.random.default_rng(2).normal(1e6, 3.0, 6500)
    numbers[:500] = 7.0
    usual = Usual()
    found = [usual(number) for number in numbers.tolist()]
    for place in (40, 499, 1500, 2000, 2499, 3999, 4000, 6499):
        past = numbers[max(0, place - LONG) : place]
        spread = max(past.std(), 1e-6 * past.mean())
        assert found[place] == pytest.approx((numbers[place] - past.mean()) / spread, rel=1e-3, abs=1e-3)
    assert found[:500] == [0.0] * 500 and found[500] == FARTHEST


def test_what_stays_unusual_is_told_once():
    rng = np.random.default_rng(3)
    values = rng.normal(size=2000)
    values[1000:1400] += 30
    surprise, scores, alarms = Surprise(), [], []
    for value in values.tolist():
        scores.append(surprise(value, abs(value)))
        alarms.append(surprise.alarm)
    assert alarms == alarms_of(scores) and alarms[1000] == scores[1000] == max(scores) > 0.8
    assert not any(alarms[1001:1200]) and sum(score > 0.5 for score in scores[1000:1400]) > 10
    (event,) = events_of(scores, 0.5, 24)
    assert event.first == 1000 and 1010 < event.last < 1400


def test_events_are_joined_across_short_gaps_and_begin_at_a_rise():
    scores = [0, 0.9, 0, 0.8, 0, 0, 0, 0, 0, 0.7, 0, 0, 0, 0, 0.95]
    found = events_of(scores, 0.5, 3)
    assert [(event.first, event.last, event.score) for event in found] == [(1, 3, 0.9), (14, 14, 0.95)]
    for steps, count in ((RISE, 1), (RISE + 1, 2)):
        assert len(events_of([0.9] + [0.0] * (steps - 1) + [0.7], 0.5, 3)) == count
    assert limited(scores, 0.5, 3, 2) == 0.5 and 0.9 < limited(scores, 0.5, 3, 1) <= 0.95
    assert not events_of(scores, limited(scores, 0.5, 3, 0), 3)


def test_the_threshold_lies_at_five_deviations_or_leaves_a_share():
    rng = np.random.default_rng(1)
    scores = np.clip(rng.exponential(0.03, 4000), 0, 0.4)
    assert chosen_threshold(scores.tolist(), 0.0005, 24) == 0.5
    scores[300::300] = 0.6 + np.arange(13) / 100
    for share, most in ((0.0005, 3), (0.002, 8), (0.1, 13)):
        found = events_of(scores.tolist(), chosen_threshold(scores.tolist(), share, 24), 24)
        assert len(found) == most and max(event.score for event in found) == scores.max()
