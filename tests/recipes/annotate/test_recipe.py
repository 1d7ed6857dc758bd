"""The recipe for annotation: that it finds waves and beats, what it reads and writes; and `annotate`."""

import json

import numpy as np
import pytest

from pipelines import annotate, load
from pipelines.commands import cli
from pipelines.errors import MediaError
from pipelines.media.signals import Signal
from pipelines.media.wfdb_annotations import read_marks
from pipelines.results import Mark
from recipes.annotate.__main__ import main
from recipes.annotate.heartbeats import RATE, heartbeats
from recipes.annotate.options import AnnotationRecipeOptions
from recipes.annotate.recipe import AnnotationRecipe
from recipes.annotate.scores import counted, f1_of, matched
from recipes.data.datasets import read_marked
from recipes.data.manifest import Item
from recipes.data.mark_layouts import mark_text, marks_in
from tests.data.heartbeats import write_record, write_table

SMALL = [
    "--hidden-size",
    "16",
    "--input-size",
    "16",
    "--num-layers",
    "1",
    "--dropout",
    "0.05",
    "--stride",
    "2",
]
FAST = ["--epochs", "6", "--learning-rate", "1e-2", "--batch-size", "8", "--valid-every", "6", "--share", "6"]
TINY = ["--hidden-size", "4", "--input-size", "4", "--num-layers", "1", "--epochs", "1"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("waves")
    write_table(folder / "data", 24, 10.0, "train", 0)
    write_table(folder / "data", 6, 10.0, "test", 100)
    assert main(["--data", str(folder / "data"), "--out", str(folder / "out"), *SMALL, *FAST]) == 0
    return folder


@pytest.mark.learns
def test_it_finds_the_waves_of_new_recordings(trained):
    model = load(trained / "out/model.safetensors")
    assert model.task == "annotate" and model.alphabet.symbols == ("P", "QRS", "T")
    assert float(model.metrics["test"]["mean F1"].split()[0]) > 90
    report = (trained / "out/report.html").read_text()
    assert "Not a medical device" in report


@pytest.mark.learns
def test_other_rates_and_units_change_nothing(trained):
    model = load(trained / "out/model.safetensors")
    values, waves, _ = heartbeats(10, 500, rate=360.0)
    found = annotate(Signal(values[:, None] * 1000 + 5, ("II",), 360.0), model)
    table = counted(waves, found.marks, model.alphabet.symbols)
    assert f1_of(table)[1, 1] > 0.9 and found.duration == pytest.approx(10)


@pytest.mark.learns
def test_long_recordings_are_annotated_as_short_ones(trained):
    model = load(trained / "out/model.safetensors")
    values, waves, _ = heartbeats(200, 7)
    found = annotate(Signal(values[:, None], ("II",), RATE), model)
    peaks = [mark.peak for mark in found.marks if mark.label == "QRS"]
    true = [peak for _, peak, _, label in waves if label == "QRS"]
    assert len(matched(true, peaks, 0.05)) > 0.95 * len(peaks)
    assert min(np.diff(peaks)) > 0.3  # none twice at the borders of windows


def test_what_is_written(trained, tmp_path):
    model = load(trained / "out/model.safetensors")
    found = annotate(trained / "data/test0.csv", model, leads="II")
    assert found.leads == ("II",) and all(mark.lead == "II" for mark in found.marks)
    content = json.loads(found.save(tmp_path / "x.json").read_text())
    assert content["notice"] == "Not a medical device." and len(content["marks"]) == len(found.marks)
    rows = found.save(tmp_path / "x.csv").read_text().splitlines()
    assert len(rows) == 1 + len(found.marks) and rows[0].startswith("file,lead,start,peak,end,label")
    assert "Not a medical device" in found.save(tmp_path / "x.txt").read_text()
    marks, rate = read_marks(found.save(tmp_path / "x.atr"))
    assert rate == pytest.approx(RATE) and marks[0].text == "Not a medical device."
    assert sum(mark.symbol == ")" for mark in marks) == len(found.marks)
    assert found.save(tmp_path / "x.png").stat().st_size > 10_000


def test_leads_are_named_or_told(trained):
    model = load(trained / "out/model.safetensors")
    signal = Signal(np.zeros((300, 2), np.float32), ("I", "II"), RATE)
    assert annotate(signal, model).leads == ("I", "II")
    with pytest.raises(MediaError, match="no channel 'V9'"):
        annotate(signal, model, leads="V9")
    with pytest.raises(MediaError, match="no times and no sampling rate"):
        annotate(Signal(np.zeros((300, 1), np.float32), ("I",)), model)


def test_the_command(trained, tmp_path, capsys):
    model = str(trained / "out/model.safetensors")
    write_record(tmp_path / "in", "r1", 8, 3)
    (tmp_path / "in/bad.hea").write_text("bad 1 100 4\nmissing.dat 16 200 12 0\n")
    arguments = ["annotate", str(tmp_path / "in"), "-m", model, "-o", str(tmp_path / "out"), "-f", "csv,atr"]
    assert cli.main(arguments) == 1
    said = capsys.readouterr()
    assert (tmp_path / "out/r1.atr").exists() and "missing.dat" in said.err


def test_beats_of_wfdb_records_in_classes_of_aami(tmp_path):
    for number in range(6):
        write_record(tmp_path / "data" / ("test" if number > 3 else "train"), f"r{number}", 30, number, 0.2)
    found = read_marked(tmp_path / "data")
    assert found.layout == "wfdb" and len(found.split("test")) == 2
    assert {label for *_, label in marks_in(found.items[0].target)} == {"N", "V"}
    out = tmp_path / "out"
    assert main(["--data", str(tmp_path / "data"), "--out", str(out), *TINY, "--preset", "beats"]) == 0
    report = (out / "report.html").read_text()
    assert "found at the same time" in report and "data:image/png" in report
    # The list of items, with their marks, is data too.
    assert main(["--data", str(out / "manifest.jsonl"), "--out", str(tmp_path / "again"), *TINY]) == 0


def test_several_leads_are_read_together_and_may_be_missing(tmp_path):
    write_table(tmp_path / "data", 6, 5.0, "train", 0)
    arguments = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), *TINY, "--leads", "II,V1"]
    assert main(arguments) == 0
    model = load(tmp_path / "out/model.safetensors")
    assert model.front_end.names == ("II", "V1")
    found = annotate(tmp_path / "data/train0.csv", model)
    assert found.leads == ("II",) and found.notes == ("lead 'V1' is missing",)
    with pytest.raises(MediaError, match="none of the channels"):
        annotate(Signal(np.zeros((300, 1), np.float32), ("aVF",), RATE), model)


def test_tables_of_marks_in_samples_at_a_rate(tmp_path):
    write_table(tmp_path, 1, 5.0, "train", 0)
    (tmp_path / "marks.csv").write_text(
        "record,wave,onset_500hz,peak_500hz,offset_500hz\ntrain0,QRS,250,260,275\n"
    )
    (item,) = read_marked(tmp_path).items
    assert marks_in(item.target) == [(0.5, 0.52, 0.55, "QRS")]


def test_marks_are_matched_once_and_only_between_the_first_and_the_last(tmp_path):
    true = [(1.0, 1.05, 1.1, "P"), (2.0, 2.05, 2.1, "P")]
    times = (0.1, 0.2, 0.15), (0.9, 1.0, 0.95), (1.1, 1.2, 1.15), (2.3, 2.5, 2.4)
    found = [Mark("P", *each, 1.0) for each in times]
    assert counted(true, found, ["P"])[0].tolist() == [[1, 1, 1]] * 3
    assert counted(true, [Mark("QRS", 1.0, 1.1, 1.05, 1.0)], ["P", "QRS"])[:, 0].tolist() == [
        [0, 0, 2],
        [0, 1, 0],
    ]


def test_marks_outside_of_a_signal_cost_themselves(tmp_path):
    rows = "\n".join(f"{place / 100},{place % 7}" for place in range(500))
    (tmp_path / "a.csv").write_text(f"time,II\n{rows}\n")
    inside = tuple(mark_text((float(start), start + 0.1, start + 0.2, "QRS")) for start in range(4))
    beyond = mark_text((50.0, 50.1, 50.2, "QRS"))
    recipe = AnnotationRecipe(AnnotationRecipeOptions())
    kept, rejected = recipe.readable([Item(tmp_path / "a.csv", (*inside, beyond))])
    assert kept[0].target == inside
    assert "1 of 5 marks outside of its 5.0 s, without which it is used" in rejected[0].reason
    kept, rejected = recipe.readable([Item(tmp_path / "a.csv", (inside[0], beyond, beyond))])
    assert not kept and "has 2 of 3 marks outside" in rejected[0].reason


def test_flat_and_empty_leads_and_gaps_in_the_times_are_told():
    values = np.stack([np.sin(np.arange(2000) / 9)] * 3, 1)
    values = values.astype(np.float32)
    values[:, 1], values[:, 2] = 5.0, np.nan
    found = annotate(Signal(values, ("II", "V1", "V2"), 250.0), "ecg-waves")
    assert found.notes == ("lead 'V2' holds no values", "lead 'V1' is flat: nothing but 5")
    with pytest.raises(MediaError, match="holds no values in the channels that are read"):
        annotate(Signal(values, ("II", "V1", "V2"), 250.0), "ecg-waves", leads="V2")
    times = np.arange(2000) / 250
    kept = (times < 2) | (times > 3)
    gap = Signal(values[kept], ("II", "V1", "V2"), None, times[kept])
    found = annotate(gap, "ecg-waves", leads="II")
    assert found.notes == ("1 gap in its times, 1 s in all, read as missing values",)
    assert found.duration == pytest.approx(8.0)
    uneven = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.5, 2000))
    with pytest.raises(MediaError, match="uneven time steps; resample it"):
        annotate(Signal(values, ("II", "V1", "V2"), None, uneven), "ecg-waves", leads="II")
