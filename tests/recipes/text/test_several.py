"""Texts with several labels, and texts that are none of the classes: what is learnt, chosen and told."""

import json

import numpy as np
import pytest

from pipelines import classify, load
from pipelines.stored_results import read_result
from recipes.data.datasets import read_texts
from recipes.data.text_layouts import Columns
from recipes.text.__main__ import main
from recipes.text.rejecting import chosen_threshold, rejected
from recipes.text.several import SeveralScores, indicators, tuned
from tests.data.notices import notices

SMALL = ["--hidden-size", "24", "--input-size", "24", "--dropout", "0.1", "--hidden", "0.05", "--heads", "1"]
FAST = ["--epochs", "8", "--learning-rate", "1e-2", "--batch-size", "16"]


def mixtures(count: int, seed: int) -> list[tuple[str, tuple[str, ...]]]:
    """Texts of one kind, of two kinds in one text, and of none."""
    one, other = notices(count, seed), notices(count + 1, seed + 50)[1:]  # which alternate
    found = []
    for place, ((text, label), (second, another)) in enumerate(zip(one, other, strict=True)):
        kind = place % 4
        if kind == 0:
            found.append(("nothing of the kind", ()))
        elif kind == 1:
            found.append((f"{text} {second}", tuple(sorted({label, another}))))
        else:
            found.append((text, (label,)))
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    (folder / "data").mkdir()
    for name, count, seed in (("train", 160, 1), ("valid", 40, 2), ("test", 60, 3)):
        rows = (json.dumps({"text": text, "tags": list(labels)}) for text, labels in mixtures(count, seed))
        (folder / "data" / f"{name}.jsonl").write_text("\n".join(rows))
    assert main(["--data", str(folder / "data"), "--out", str(folder / "out"), *SMALL, *FAST]) == 0
    return folder


@pytest.mark.learns
def test_texts_have_several_labels_one_or_none(trained):
    model = load(trained / "out/model.safetensors")
    assert model.decoder.several and model.alphabet.symbols == ("food", "weather")
    assert float(model.metrics["test"]["micro-F1"].split()[0]) > 90
    assert "linear model, micro-F1" in model.metrics["test"]
    both = classify("soup and bread, wind and storm", model).texts[0]
    assert set(both.labels) == {"food", "weather"} and both.accepted
    none = classify("nothing of the kind", model).texts[0]
    assert none.labels == () and not none.accepted and none.label == ""
    report = (trained / "out/report.html").read_text()
    assert "Micro-F1" in report and "threshold" in report


def test_several_labels_in_files(trained, tmp_path):
    found = classify("soup and bread, wind and storm", trained / "out/model.safetensors", threshold=0.0)
    assert len(found.texts[0].labels) == 2
    assert found.save(tmp_path / "a.txt").read_text().split("\t")[0] == found.label
    assert read_result(found.save(tmp_path / "a.json")).texts[0].labels == found.texts[0].labels
    none = classify("soup", trained / "out/model.safetensors", threshold=1.0)
    assert read_result(none.save(tmp_path / "b.json")).texts[0].labels == ()


@pytest.mark.learns
def test_what_is_none_of_the_classes_is_rejected(tmp_path, capsys):
    odd = [
        (f"{word} of {other}", "oos") for word in ("stone", "iron", "coal") for other in ("sea", "sky", "ice")
    ]
    (tmp_path / "data").mkdir()
    for name, count, seed in (("train", 100, 1), ("valid", 40, 2), ("test", 60, 3)):
        rows = [*notices(count, seed), *odd]
        text = "".join(f"{text}\t{label}\n" for text, label in rows)
        (tmp_path / "data" / f"{name}.tsv").write_text(text)
    given = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), *SMALL, *FAST]
    assert main([*given, "--reject", "oos"]) == 0
    model = load(tmp_path / "out/model.safetensors")
    assert model.metrics["test"].keys() >= {"in scope", "out of scope"}
    assert float(model.metrics["test"]["out of scope"].split()[0]) > 80
    assert classify("iron of sky", model).label == ""
    assert classify("soup and bread", model).label == "food"
    assert "in scope" in capsys.readouterr().out
    assert main([*given, "--reject", "nowhere"]) == 1
    assert "has no texts of the label 'nowhere'; leave out --reject" in capsys.readouterr().err


def test_thresholds_are_those_with_the_highest_f1():
    true = np.array([[1, 0], [1, 1], [0, 1], [0, 0], [1, 0], [1, 1], [0, 1], [1, 0], [0, 1], [1, 1]], bool)
    found = np.where(true, 0.3, 0.1)
    found[:, 1] = np.where(true[:, 1], 0.9, 0.75)
    thresholds = tuned(found, true)
    assert 0.1 < thresholds[0] <= 0.3 and 0.75 < thresholds[1] <= 0.9
    rare = tuned(np.array([[0.3, 0.9], [0.1, 0.2]]), np.array([[True, False], [False, False]]))
    assert rare[0] == rare[1]


def test_scores_of_several_labels():
    class Text:
        def __init__(self, *target):
            self.target = target

    items = (Text("a"), Text("a", "b"), Text(), Text("b"))
    found = np.array([[0.9, 0.8], [0.9, 0.1], [0.1, 0.1], [0.2, 0.7]])
    scores = SeveralScores("test", ("a", "b"), items, ("1", "2", "3", "4"), found, np.array([0.5, 0.5]))
    assert indicators([("a", "c")], ("a", "b")).tolist() == [[True, False]]
    assert scores.micro.value == pytest.approx(2 * 3 / (4 + 4))
    assert scores.macro.value == pytest.approx((1 + 0.5) / 2) and scores.exact.value == 0.5
    assert scores.micro.low <= scores.micro.value <= scores.micro.high
    assert scores.worst(5) == [("1", [], ["b"]), ("2", ["b"], [])]


def test_the_threshold_of_rejection():
    found = np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.4, 0.3, 0.3], [0.3, 0.2, 0.5]])
    labels = np.array([0, 1, 2, 2])
    threshold = chosen_threshold(found, labels, 2)
    assert rejected(found, 2, threshold).tolist() == [False, False, True, True]
    assert chosen_threshold(found[:2], labels[:2], 2) == 0.0


@pytest.mark.parametrize(
    ("name", "content", "separator"),
    [
        ("a.csv", 'text,label\nx,"a, b"\ny,\nz,b\n', ","),
        ("a.tsv", "text\tlabels\nx\ta|b\ny\t\nz\tb|b\n", "|"),
        (
            "a.jsonl",
            '{"text":"x","label":["a","b"]}\n{"text":"y","label":[]}\n{"text":"z","label":["b"]}\n',
            None,
        ),
        ("a.csv", 'text,label\nx,"[""a"", ""b""]"\ny,[]\nz,"[""b""]"\n', None),
    ],
)
def test_ways_to_write_several_labels(tmp_path, name, content, separator):
    (tmp_path / name).write_text(content)
    items = read_texts(tmp_path, None, Columns(separator=separator)).items
    assert [item.target for item in items] == [("a", "b"), (), ("b",)]


def test_several_labels_as_fasttext_has_them(tmp_path):
    (tmp_path / "a.txt").write_text("__label__a __label__b x y\n__label__b z\n")
    assert [item.target for item in read_texts(tmp_path).items] == [("a", "b"), ("b",)]
