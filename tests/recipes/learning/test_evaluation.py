"""Any model is scored on any data of its task, as its own recipe would."""

import dataclasses

import pytest

from pipelines import load
from pipelines.commands import cli
from pipelines.errors import DataError
from pipelines.tasks import TASKS, resolve
from recipes.data.manifest import Item
from recipes.learning.evaluation import as_trained, chosen_split, evaluate
from tests.data import media


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Chirps with texts that nobody can hear in them: three to learn from, two to test."""
    root = tmp_path_factory.mktemp("recordings")
    for name, split in (("a", "train"), ("b", "train"), ("c", "train"), ("d", "test"), ("e", "test")):
        (root / split).mkdir(exist_ok=True)
        media.write_audio(root / split / f"{name}.wav", media.chirp(0.8, 16000), 16000)
        (root / split / f"{name}.txt").write_text("ONE TWO")
    return root


def test_it_scores_the_split_and_writes_the_report(recordings, tmp_path, capsys):
    assert (
        cli.main(["evaluate", "speech-en-an4", "--data", str(recordings), "-o", str(tmp_path / "out")]) == 0
    )
    out = capsys.readouterr().out
    assert "test: 2 items, 4 words" in out and "test: cer " in out and "decoding greedy" in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["manifest.jsonl", "report.html"]
    assert "speech-en-an4" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    again = evaluate("speech-en-an4", [tmp_path / "out" / "manifest.jsonl"], out=None)
    assert [item.reference for item in again.items] == ["ONE TWO"] * 2
    assert evaluate(load("speech-en-an4"), [recordings], split="all").items[:1] != ()


def test_another_split_stands_in_and_a_sentence_says_so(recordings, capsys):
    found = evaluate("speech-en-an4", [recordings], split="valid")
    assert found.split == "test" and "has no valid split; its test split is scored" in capsys.readouterr().out
    items = [Item(recordings / "train" / "a.wav", "A")]
    assert chosen_split(items, "test") == (items, "all")
    assert "no test split; all items are scored" in capsys.readouterr().out
    train = [dataclasses.replace(items[0], split="train")]
    assert chosen_split(train, "train") == (train, "train")
    with pytest.raises(ValueError, match="split must be one of test, valid, train, all"):
        chosen_split(items, "tests")


def test_characters_that_the_model_lacks_count_as_errors(recordings, tmp_path):
    for name in ("x", "y"):
        media.write_audio(tmp_path / f"{name}.wav", media.chirp(0.8, 16000), 16000)
        (tmp_path / f"{name}.txt").write_text("ÄÖÜ")
    assert evaluate("speech-en-an4", [tmp_path], split="all").cer.value >= 1.0


@pytest.mark.parametrize("name", ["captioning-emoji", "handwriting-en", "speech-en-an4", "action-shapes"])
def test_what_the_model_was_trained_with_counts(name):
    model = load(name)
    package = TASKS[model.task].recipe
    options = as_trained(resolve(f"{package}.__main__:OPTIONS")(), model)
    if name == "captioning-emoji":
        assert options.vocabulary.punctuation and options.vocabulary.min_count == 1
    if name == "handwriting-en":
        assert options.augmentation.masks == 8


def test_what_cannot_be_scored_is_one_line(recordings, tmp_path, capsys):
    assert cli.main(["evaluate", "nothing", "--data", str(recordings)]) == 1
    assert "no such model" in capsys.readouterr().err
    assert cli.main(["evaluate", "speech-en-an4", "--data", str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err
    with pytest.raises(DataError, match="names no folder"):
        evaluate("handwriting-fr")
