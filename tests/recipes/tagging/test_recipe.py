"""The recipe for tagging: spans that need their neighbours, unknown words by their ends; and `tag`."""

import json
import random
from pathlib import Path

import pytest

from pipelines import load, tag
from pipelines.commands import cli
from pipelines.errors import DataError
from recipes.tagging.__main__ import main
from recipes.tagging.options import TaggingRecipeOptions
from recipes.tagging.recipe import TaggingRecipe

SMALL = ["--hidden-size", "24", "--input-size", "24", "--dropout", "0.1", "--affixes", "500"]
FAST = ["--epochs", "15", "--learning-rate", "1e-2", "--batch-size", "16"]
CITIES = ["rome", "new york", "lima", "san marino"]


def trips(count: int, seed: int) -> list[list[tuple[str, str]]]:
    """Sentences in which the first city is left and the second one reached; the words alone do not tell."""
    chooser, found = random.Random(seed), []
    for _ in range(count):
        sentence = [("go", "O")] * chooser.randint(0, 1)
        for marker, kind in (("from", "start"), ("to", "goal")):
            words = chooser.choice(CITIES).split()
            sentence += [(marker, "O"), (words[0], f"B-{kind}"), *((word, f"I-{kind}") for word in words[1:])]
        found.append(sentence)
    return found


def endings(count: int, seed: int) -> list[list[tuple[str, str]]]:
    """Made-up words that are told by their ends alone, no two sentences of the same."""
    chooser, found = random.Random(seed), []
    for _ in range(count):
        stems = ("".join(chooser.choices("bdfgklmnprt", k=3)) for _ in range(4))
        found.append([chooser.choice([(f"{stem}ly", "adverb"), (f"{stem}ness", "noun")]) for stem in stems])
    return found


def write_conll(path: Path, sentences) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = ("".join(f"{word}\t{label}\n" for word, label in sentence) for sentence in sentences)
    path.write_text("\n".join(blocks))


def train(folder: Path, make, *options) -> int:
    for name, count, seed in (("train", 120, 1), ("valid", 30, 2), ("test", 60, 3)):
        write_conll(folder / "data" / f"{name}.conll", make(count, seed))
    return main(["--data", str(folder / "data"), "--out", str(folder / "out"), *SMALL, *FAST, *options])


def percent(model, metric: str) -> float:
    return float(model.metrics["test"][metric].split()[0])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tagging")
    assert train(folder, trips) == 0
    return folder


@pytest.mark.learns
def test_it_learns_spans(trained):
    model = load(trained / "out/model.safetensors")
    assert model.task == "tagging" and percent(model, "span F1") > 90
    report = (trained / "out/report.html").read_text()
    assert "F1 of spans" in report and "60 sentences" in report and "goal" in report


@pytest.mark.learns
def test_unknown_words_are_judged_by_their_ends(tmp_path):
    assert train(tmp_path, endings) == 0
    assert percent(load(tmp_path / "out/model.safetensors"), "accuracy") > 90


@pytest.mark.learns
def test_a_text_and_its_spans(trained):
    model = load(trained / "out/model.safetensors")
    text = "Go from New York  to Lima!"
    found = tag(text, model)
    assert [token.text for token in found.tokens] == ["Go", "from", "New", "York", "to", "Lima", "!"]
    assert all(text[token.start : token.end] == token.text for token in found.tokens)
    spans = {(span.label, span.text) for span in found.spans}
    assert {("start", "New York"), ("goal", "Lima")} <= spans
    assert all(0 < token.confidence <= 1.0001 for token in found.tokens)


def test_files_keep_their_tokens_and_texts_find_theirs(trained, tmp_path):
    model = load(trained / "out/model.safetensors")
    write_conll(tmp_path / "a.conll", trips(5, 7))
    of_file = tag(tmp_path / "a.conll", model)
    texts = [" ".join(word for word, _ in sentence) for sentence in trips(5, 7)]
    assert [each.text for each in of_file.texts] == texts
    for text, found, alone in zip(texts, of_file.texts, tag(texts, model), strict=True):
        assert alone.texts[0].labels == found.labels == tag(text, model).texts[0].labels


def test_formats(trained, tmp_path):
    found = tag("from <b> to lima", trained / "out/model.safetensors")
    lines = found.save(tmp_path / "a.conll").read_text().splitlines()
    assert lines[0].split("\t")[0] == "from" and lines[-1] == ""
    row = found.save(tmp_path / "a.conllu").read_text().splitlines()[2].split("\t")
    assert len(row) == 10 and row[:2] == ["1", "from"]
    content = json.loads(found.save(tmp_path / "a.json").read_text())["texts"][0]
    assert len(content["tokens"]) == len(found.tokens)
    assert json.loads(found.save(tmp_path / "a.jsonl").read_text())["text"] == "from <b> to lima"
    head = "source,number,start,end,label,confidence,text"
    assert found.save(tmp_path / "a.csv").read_text().splitlines()[0] == head
    page = found.save(tmp_path / "a.html").read_text().split("<h1>")[1]
    assert "&lt;" in page and page.count("<b>") == page.count('class="tag"')


def test_what_it_wrote_can_be_learnt_from(trained, tmp_path):
    write_conll(tmp_path / "a.conll", trips(12, 9))
    tag(tmp_path / "a.conll", trained / "out/model.safetensors").save(tmp_path / "again/a.conll")
    recipe = TaggingRecipe(TaggingRecipeOptions(data=(tmp_path / "again",), out=tmp_path / "out"))
    assert len(recipe.manifests()[0].items) == 12


def test_a_folder_by_the_command(trained, tmp_path, capsys):
    write_conll(tmp_path / "in/a.conll", trips(12, 9))
    (tmp_path / "in/b.txt").write_text("from rome to lima\n")
    model, out = str(trained / "out/model.safetensors"), tmp_path / "out"
    assert cli.main(["tag", str(tmp_path / "in"), "-m", model, "-o", str(out), "-f", "conll,csv"]) == 0
    assert "2 tagged (13 texts" in capsys.readouterr().out
    assert (out / "b.conll").exists() and (out / "tags.csv").exists()


def test_the_command(trained, capsys):
    model = str(trained / "out/model.safetensors")
    assert cli.main(["tag", "-m", model, "--text", "go from rome to lima"]) == 0
    assert capsys.readouterr().out.startswith("go\t")
    assert cli.main(["tag", "--text", "x", "-m", model, "-f", "srt"]) == 2


def test_an_unknown_label_is_left_out_and_named(trained, tmp_path):
    sentences = [*trips(3, 1), [("rome", "B-elsewhere")]]
    write_conll(tmp_path / "train.conll", sentences)
    recipe = TaggingRecipe(TaggingRecipeOptions(data=(tmp_path,), out=tmp_path / "out"))
    model = load(trained / "out/model.safetensors")
    kept, rejected = recipe.usable(recipe.manifests()[0].items, model)
    assert len(kept) == 3 and rejected[0].reason == "the model has no label 'B-elsewhere'"


def test_no_data_is_one_line(tmp_path, capsys):
    assert main(["--out", str(tmp_path / "out")]) == 1
    assert "give the folder of your sentences" in capsys.readouterr().err
    (tmp_path / "a.conll").write_text("rome\nlima\n")
    (tmp_path / "b.conll").write_text("rome O\n\nlima O\n\noslo O\n")
    with pytest.raises(DataError, match="all tokens have the label 'O'"):
        TaggingRecipe(TaggingRecipeOptions(data=(tmp_path / "b.conll",), out=tmp_path)).run()
    with pytest.raises(DataError, match="tokens without a label"):
        TaggingRecipe(TaggingRecipeOptions(data=(tmp_path / "a.conll",), out=tmp_path)).run()
