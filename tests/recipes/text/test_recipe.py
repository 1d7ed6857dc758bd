"""The recipe for texts: what it learns, that it uses the order of words, what it says; and `classify`."""

import json

import pytest
import torch

from pipelines import classify, load
from pipelines.commands import cli
from pipelines.errors import DataError, MediaError, ModelError
from recipes.text.__main__ import main
from recipes.text.options import ModelOptions, TextRecipeOptions
from recipes.text.recipe import TextRecipe
from tests.data.notices import notices, orders, write_table

SMALL = ["--hidden-size", "24", "--input-size", "24", "--dropout", "0.1", "--hidden", "0.05", "--heads", "1"]
FAST = ["--epochs", "12", "--learning-rate", "1e-2", "--batch-size", "16"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    for name, count, seed in (("train", 160, 1), ("valid", 40, 2), ("test", 80, 3)):
        write_table(folder / "data" / f"{name}.tsv", notices(count, seed))
    assert main(["--data", str(folder / "data"), "--out", str(folder / "out"), *SMALL, *FAST]) == 0
    return folder


@pytest.mark.learns
def test_it_learns_words(trained):
    model = load(trained / "out/model.safetensors")
    assert model.task == "text" and model.alphabet.symbols == ("food", "weather")
    accuracy = float(model.metrics["test"]["accuracy"].split()[0])
    assert accuracy > 95 and "linear model" in model.metrics["test"]
    report = (trained / "out/report.html").read_text()
    assert "Linear model" in report and "80 texts, 2 classes" in report


@pytest.mark.learns
def test_it_learns_their_order_which_a_bag_of_words_cannot(tmp_path):
    for name, count, seed in (("train", 300, 1), ("valid", 60, 2), ("test", 100, 3)):
        write_table(tmp_path / "data" / f"{name}.tsv", orders(count, seed))
    assert main(["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), *SMALL, *FAST]) == 0
    assert float(load(tmp_path / "out/model.safetensors").metrics["test"]["accuracy"].split()[0]) > 90


def test_texts_lists_and_files_are_classified_alike(trained, tmp_path):
    model = load(trained / "out/model.safetensors")
    texts = [text for text, _ in notices(6, 4)]
    path = tmp_path / "a.txt"
    path.write_text("\n".join(texts))
    of_file = classify(path, model)
    assert of_file.source == str(path) and [each.text for each in of_file.texts] == texts
    for text, found, alone in zip(texts, of_file.texts, classify(texts, model), strict=True):
        assert alone.label == found.label and alone.score == pytest.approx(found.score, abs=1e-5)
        assert sum(chance for _, chance in found.top) == pytest.approx(1, abs=1e-5)
        assert "".join(token for token, _ in found.attention) == text.replace(" ", "")
        assert sum(share for _, share in found.attention) == pytest.approx(1, abs=1e-5)
    assert classify("Some SUN today", model).label == "weather"


def test_a_long_text_is_read_in_parts(trained):
    model = load(trained / "out/model.safetensors")
    found = classify("soup and bread " * 900, model)
    total = sum(share for _, share in found.texts[0].attention)
    assert found.label == "food" and total == pytest.approx(1, abs=1e-4)


def test_texts_of_which_no_word_is_known_are_told(trained):
    path = trained / "out/model.safetensors"
    assert classify("天気はどうですか", path).notes == ("1 of 1 texts: the model knows none of their words",)
    assert classify("soup is суп", path).notes == ()


def test_what_is_below_the_threshold_is_rejected(trained):
    found = classify("we had the more", trained / "out/model.safetensors", threshold=1.0)
    assert found.label == "" and not found.texts[0].accepted and found.top[0][0]


def test_formats(trained, tmp_path):
    found = classify("<b>soup</b> & \u202etea", trained / "out/model.safetensors")
    assert found.save(tmp_path / "a.txt").read_text().startswith("food\t")
    assert json.loads(found.save(tmp_path / "a.json").read_text())["texts"][0]["label"] == "food"
    assert json.loads(found.save(tmp_path / "a.jsonl").read_text())["label"] == "food"
    assert (
        found.save(tmp_path / "a.csv").read_text().splitlines()[0] == "source,number,label,score,text,notes"
    )
    page = found.save(tmp_path / "a.html").read_text()
    assert "<b>" not in page and "&lt;" in page


def test_a_text_in_another_encoding_is_named_among_others(trained, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("wind\n")
    (tmp_path / "in/b.txt").write_text("stürmisch\n", encoding="latin-1")
    (tmp_path / "in/c").write_bytes(bytes(range(256)))
    model = str(trained / "out/model.safetensors")
    command = ["classify", str(tmp_path / "in"), "-m", model, "-o", str(tmp_path / "out"), "-f", "txt"]
    assert cli.main(command) == 1
    told = capsys.readouterr()
    assert "b.txt: is a text, but not in UTF-8; save it as UTF-8, or say its encoding" in told.err
    assert "passed over 1: 1 of no known kind" in told.out and (tmp_path / "out/a.txt").exists()
    assert cli.main([*command, "--encoding", "latin-1"]) == 0


def test_the_command(trained, tmp_path, capsys):
    model = str(trained / "out/model.safetensors")
    assert cli.main(["classify", "-m", model, "--text", "wind and storm"]) == 0
    assert capsys.readouterr().out.startswith("weather\t")
    write_table(tmp_path / "in/a.tsv", notices(4, 5))
    (tmp_path / "in/b.txt").write_text("soup\n")
    (tmp_path / "in/empty.txt").write_text("")
    out = tmp_path / "out"
    code = cli.main(["classify", str(tmp_path / "in"), "-m", model, "-o", str(out), "-f", "txt,csv"])
    seen = capsys.readouterr()
    assert code in (0, 1) and "2 classified (5 texts" in seen.out
    assert len((out / "classes.csv").read_text().splitlines()) == 6
    assert cli.main(["classify", "-m", model, "--text", "x", "y.txt"]) == 2
    assert cli.main(["classify", "--text", "x"]) == 1
    assert "without a model for text" in capsys.readouterr().err


def test_errors_are_one_line(trained, tmp_path):
    model = load(trained / "out/model.safetensors")
    with pytest.raises(MediaError, match="is empty"):
        classify("  ", model)
    with pytest.raises(MediaError, match="does not exist"):
        classify(tmp_path / "none.txt", model)
    with pytest.raises(ModelError, match="is a model for"):
        classify("x", "action-shapes")
    with pytest.raises(ValueError, match="threshold from 0 to 1"):
        classify("x", model, threshold=2)


def test_further_training_keeps_the_vocabulary(trained, tmp_path):
    path = trained / "out/model.safetensors"
    options = ["--load", str(path), "--epochs", "1", "--out", str(tmp_path)]
    assert main(["--data", str(trained / "data"), *options]) == 0
    assert load(tmp_path / "model.safetensors").vocabulary == load(path).vocabulary


@pytest.mark.parametrize("tokens", ["words", "characters", "subwords"])
def test_a_model_of_each_kind_of_token_is_saved_and_loaded(tmp_path, tokens):
    if tokens == "subwords":
        pytest.importorskip("sentencepiece")
    write_table(tmp_path / "data/train.tsv", notices(40, 1))
    sizes = ModelOptions(tokens=tokens, vocabulary=60, hidden_size=4, input_size=4, pairs=16)
    recipe = TextRecipe(TextRecipeOptions(data=(tmp_path / "data",), out=tmp_path / "out", model=sizes))
    items, rejected = recipe.readable(recipe.manifests()[0].items)
    assert not rejected
    model = recipe.build(None, recipe.options.normalisation(None), items).eval()
    again = load(model.save(tmp_path / "x.safetensors", bits=32))
    for text in ("some soup", "Regen \u20ac"):
        before, after = classify(text, model), classify(text, again)
        assert before.texts == after.texts


def test_class_weights_count_classes_alike(tmp_path):
    rows = [("rain", "weather")] * 9 + [("soup", "food")] * 3
    write_table(tmp_path / "train.tsv", rows)
    recipe = TextRecipe(TextRecipeOptions(data=(tmp_path,), out=tmp_path / "out"))
    items, _ = recipe.readable(recipe.manifests()[0].items)
    model = recipe.build(None, recipe.options.normalisation(None), items)
    task = recipe.training_task(model, items, items)
    assert torch.equal(task.class_weights, torch.ones(3))
    even = type(recipe.options.loss)(balance=1.0)
    task = type(task)(model, task.train_items, task.valid_items, even, 4, 1)
    assert task.class_weights.tolist() == pytest.approx([1, 2, 2 / 3])


def test_one_class_or_no_data_is_one_line(tmp_path, capsys):
    assert main(["--out", str(tmp_path / "out")]) == 1
    assert "give the folder of your texts" in capsys.readouterr().err
    with pytest.raises(DataError, match="no such file or folder"):
        TextRecipe(TextRecipeOptions(data=(tmp_path / "none",), out=tmp_path)).run()
    table = write_table(tmp_path / "one.tsv", [("rain", "weather"), ("sun", "weather"), ("snow", "weather")])
    with pytest.raises(DataError, match="all texts are of one class, 'weather'"):
        TextRecipe(TextRecipeOptions(data=(table,), out=tmp_path / "x")).run()
    table.write_text("text\nrain\n")
    with pytest.raises(DataError, match="one.tsv: its columns 'text' name no text and label"):
        TextRecipe(TextRecipeOptions(data=(table,), out=tmp_path / "x")).run()
