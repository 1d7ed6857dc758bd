"""A model gets a new language model, and its network stays bit by bit what it was."""

import pytest
import torch

from pipelines import load
from pipelines.errors import DataError
from recipes.asr import recipe
from recipes.learning import recounting
from recipes.learning.carrying import carried
from tests.data import media


@pytest.fixture
def recordings(tmp_path):
    for name, split in (("a", "train"), ("b", "valid"), ("c", "test")):
        (tmp_path / split).mkdir()
        media.write_audio(tmp_path / split / f"{name}.wav", media.chirp(0.5, 16000), 16000)
        (tmp_path / split / f"{name}.txt").write_text("ONE TWO ONE TWO")
    return tmp_path


def test_only_the_language_model_changes(recordings, tmp_path, capsys):
    out = tmp_path / "new.safetensors"
    arguments = ["speech-en-an4", "--data", str(recordings), "--out", str(out), "--order", "3"]
    assert recounting.main(arguments) == 0
    before, after = load("speech-en-an4"), load(out)
    assert after.language.ngrams.order == 3
    assert after.language.ngrams.total == len(" ONE TWO ONE TWO")
    weights = after.state_dict()
    assert all(torch.equal(weights[name], weight) for name, weight in before.state_dict().items())
    assert (after.min_confidence, after.training_facts) == (before.min_confidence, before.training_facts)
    assert "test, language model" in after.metrics and "model: " in capsys.readouterr().out


def test_further_texts_are_counted_and_lists_of_words_are_not(recordings, tmp_path, capsys):
    book, words, out = tmp_path / "book.txt", tmp_path / "words.txt", tmp_path / "new.safetensors"
    book.write_text("Three, four.\nThree and four!\n", encoding="utf-8")
    words.write_text("five\nsix\n", encoding="utf-8")
    texts = ["--texts", str(book), str(words)]
    arguments = ["speech-en-an4", "--data", str(recordings), "--out", str(out), "--order", "3", *texts]
    assert recounting.main(arguments) == 0
    counted = " ONE TWO ONE TWO" + " THREE FOUR" + " THREE AND FOUR"
    assert load(out).language.ngrams.total == len(counted)
    assert f"{words}: is a list of words, which the language model does not count" in capsys.readouterr().out


def test_limits_of_speech_are_set_anew(recordings, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "least_of_speech", lambda model, items: (0.25, 0.125))
    out = tmp_path / "new.safetensors"
    arguments = ["speech-en-an4", "--data", str(recordings), "--out", str(out), "--order", "3", "--limits"]
    assert recounting.main(arguments) == 0
    after = load(out)
    assert (after.min_confidence, after.min_clear) == (0.25, 0.125)
    assert after.training_facts == load("speech-en-an4").training_facts


def test_models_that_read_without_language_models(recordings, tmp_path, capsys):
    with pytest.raises(DataError, match="does not read by frames with a language model"):
        recounting.recounted("action-shapes", [recordings])
    assert recounting.main(["action-shapes", "--data", str(recordings), "--out", str(tmp_path / "x")]) == 1
    assert "triscribe: " in capsys.readouterr().err


def test_what_a_loaded_model_knows_of_its_language_is_kept_where_it_helps(recordings, tmp_path):
    out = tmp_path / "base.safetensors"
    assert (
        recounting.main(["speech-en-an4", "--data", str(recordings), "--out", str(out), "--order", "3"]) == 0
    )
    base, model = load(out), load("speech-en-an4")
    totals = []

    def error() -> float:
        totals.append(model.language.ngrams.total)
        return 1 / totals[-1]

    language = carried(model, ["SIX SEVEN"], 3, "twice", error, base)
    assert set(totals) == {len(" SIX SEVEN"), len(" SIX SEVEN" + " ONE TWO ONE TWO")}
    assert language.ngrams.total == max(totals)
    assert (
        carried(model, ["SIX SEVEN"], 3, "twice", lambda: model.language.ngrams.total, base).ngrams.total
        == 10
    )
