"""The recipe for translation: words in another order are learnt; `translate`, its lines and formats."""

import json
import random
from pathlib import Path

import pytest
from PIL import Image

from pipelines import load, translate
from pipelines.commands import cli
from pipelines.errors import DataError, MediaError, ModelError
from pipelines.stored_results import read_result
from recipes.translation.__main__ import main
from recipes.translation.options import TranslationRecipeOptions
from recipes.translation.recipe import TranslationRecipe
from recipes.translation.scores import tokenisation

WORDS = {"ba": "Haus", "ko": "Baum", "mi": "Hund", "tu": "Katze", "re": "Mann", "so": "Frau", "la": "Kind"}
SIZES = ("hidden_size", "input_size", "embedding_size", "attention_size", "decoder_size")
SMALL = [each for name in SIZES for each in (f"--{name.replace('_', '-')}", "24")]
SMALL += ["--pieces", "40", "--dropout", "0", "--hidden", "0", "--smoothing", "0.05", "--precision", "fp32"]
FAST = ["--epochs", "5", "--learning-rate", "1e-2", "--batch-size", "10"]


def pairs(count: int, seed: int) -> list[tuple[str, str]]:
    """Words of one language, and those of another in the opposite order."""
    chooser, found = random.Random(seed), []
    for _ in range(count):
        words = chooser.choices([*WORDS], k=chooser.randint(2, 4))
        found.append((" ".join(words), " ".join(WORDS[word] for word in reversed(words))))
    return found


def write_pairs(folder: Path, name: str, found) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for language, texts in zip(("nl", "de"), zip(*found, strict=True), strict=True):
        (folder / f"{name}.{language}").write_text("".join(f"{text}\n" for text in texts))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translation")
    for name, count, seed in (("train", 300, 1), ("valid", 20, 2), ("test", 30, 3)):
        write_pairs(folder / "data", name, pairs(count, seed))
    files = [str(folder / f"data/{name}") for name in ("train.nl", "train.de", "valid.nl", "valid.de")]
    files += [str(folder / "data/test.nl"), str(folder / "data/test.de")]
    assert main(["--data", *files, "--out", str(folder / "out"), *SMALL, *FAST]) == 0
    return folder


@pytest.fixture
def model(trained):
    return load(trained / "out/model.safetensors")


@pytest.mark.learns
def test_it_learns_words_in_another_order(trained, model):
    assert model.task == "translation" and float(model.metrics["test"]["BLEU"].split()[0]) > 80
    assert "tok:13a" in model.metrics["test"]["signature"]
    report = (trained / "out/report.html").read_text()
    assert "chrF" in report and "30 translations" in report and 'class="alignment"' in report


@pytest.mark.learns
def test_words_are_aligned_with_those_that_they_translate(model):
    (found,) = translate("ba tu mi", model).sentences
    assert found.text == "Hund Katze Haus" and found.source_tokens == ("ba", "tu", "mi")
    assert [token.text for token in found.tokens] == ["Hund", "Katze", "Haus"]
    assert [token.aligned for token in found.tokens] == [2, 1, 0]
    for token in found.tokens:
        assert sum(token.attention) == pytest.approx(1, abs=1e-3) and 0 < token.confidence <= 1


def test_lines_are_kept_and_sentences_translated_one_by_one(model, tmp_path):
    text = "ba ko. Mi tu\n\nre so"
    found = translate(text, model)
    assert [(each.line, each.source) for each in found.sentences] == [
        (1, "ba ko."),
        (1, "Mi tu"),
        (3, "re so"),
    ]
    assert found.lines == 3 and found.text.split("\n")[1] == "" and len(found.by_line) == 3
    (tmp_path / "a.txt").write_text(f"\ufeff{text}\n")
    assert translate(tmp_path / "a.txt", model).text == found.text
    assert [each.text for each in translate(["ba ko", "re so"], model)] == [
        translate(each, model).text for each in ("ba ko", "re so")
    ]
    (tmp_path / "a.csv").write_text('id,text\n1,"ba ko"\n2,\n3,re so\n')
    assert translate(tmp_path / "a.csv", model).lines == 3


def test_unknown_characters_and_endless_sentences_are_noted(model):
    found = translate("ba \u6f22 ko", model)
    assert found.notes == ("the model does not know these characters: '\u6f22'",)
    assert found.sentences[0].source_tokens == ("ba", "\u6f22", "ko")
    endless = translate("ba " * 300, model)
    assert "1 sentence of more than 250 tokens: translated in parts" in endless.notes
    assert " ".join(each.source for each in endless.sentences) == "ba " * 299 + "ba"


def test_formats(model, tmp_path):
    found = translate("ba <b>. Ko mi", model, alternatives=2)
    assert found.save(tmp_path / "a.txt").read_text() == found.text + "\n"
    assert read_result(found.save(tmp_path / "a.json")).text == found.text
    again = read_result(tmp_path / "a.json").sentences[0]
    assert again.tokens[0].aligned == found.sentences[0].tokens[0].aligned
    assert len(again.alternatives) == len(found.sentences[0].alternatives) <= 2
    rows = found.save(tmp_path / "a.jsonl").read_text().splitlines()
    assert [json.loads(row)["source"] for row in rows] == ["ba <b>.", "Ko mi"]
    head = "file,line,confidence,source,translation"
    assert found.save(tmp_path / "a.csv").read_text().splitlines()[0] == head
    page = found.save(tmp_path / "a.html").read_text()
    assert "ba &lt;b&gt;." in page and page.count('<table class="alignment">') == 2
    assert Image.open(found.save(tmp_path / "a.png")).width >= 500
    assert "attention" not in found.save(tmp_path / "b.json", attention=False).read_text()


def test_the_command(trained, tmp_path, capsys):
    name = str(trained / "out/model.safetensors")
    assert cli.main(["translate", "-m", name, "--text", "ba ko"]) == 0
    assert capsys.readouterr().out.count("\n") == 1
    assert cli.main(["translate", "-m", name, "--text", "ba ko", "-f", "png"]) == 2
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("ba ko\n\nmi. Tu\n")
    (tmp_path / "in/b.tsv").write_text("text\tremark\n\tx\n")
    out = tmp_path / "out"
    assert cli.main(["translate", str(tmp_path / "in"), "-m", name, "-o", str(out), "-f", "txt,csv"]) == 1
    seen = capsys.readouterr()
    assert "1 translated (3 sentences" in seen.out and "b.tsv" in seen.err
    assert len((out / "a.txt").read_text().split("\n")) == 4 and (out / "translations.csv").exists()


def test_a_narrower_and_a_wider_beam_and_what_is_out_of_range(model):
    for options in ({"width": 1}, {"width": 8, "length_power": 0.0, "coverage": 0.0}):
        assert translate("ba ko mi", model, **options).text
    for wrong in ({"width": 0}, {"coverage": -1.0}, {"alternatives": -1}, {"length_power": float("nan")}):
        with pytest.raises(ValueError):
            translate("ba", model, **wrong)
    with pytest.raises(MediaError, match="<text>: is empty"):
        translate(" \n", model)
    with pytest.raises(ModelError, match="comes without a model for translation"):
        translate("ba")


def test_it_learns_on_from_a_loaded_model(trained, tmp_path, capsys):
    write_pairs(tmp_path / "more", "train", pairs(40, 9))
    given = ["--data", str(tmp_path / "more"), "--out", str(tmp_path / "out"), "--source-language", "nl"]
    name = str(trained / "out/model.safetensors")
    assert main([*given, "--load", name, "--epochs", "1", "--learning-rate", "1e-4"]) == 0
    assert "before -> after fine-tuning: BLEU" in capsys.readouterr().out
    assert main([*given, "--load", name, "--hidden-size", "99"]) == 1


def test_a_folder_is_evaluated_in_the_direction_that_was_learnt(trained, tmp_path, capsys):
    write_pairs(tmp_path / "in", "test", pairs(10, 4))
    name = str(trained / "out/model.safetensors")
    assert cli.main(["evaluate", name, "--data", str(tmp_path / "in")]) == 0
    assert "test: 10 translations" in capsys.readouterr().out
    (tmp_path / "a.csv").write_text("source,target\nba ko,Baum Haus\n")
    assert cli.main(["evaluate", name, "--data", str(tmp_path / "a.csv")]) == 0
    assert "all: 1 translations" in capsys.readouterr().out


def test_what_cannot_be_used_is_one_line(tmp_path):
    write_pairs(tmp_path, "train", pairs(5, 1))
    (tmp_path / "b.de").write_text("ein Haus\n")

    def run(*names, **options):
        data = tuple(tmp_path / name for name in names)
        TranslationRecipe(TranslationRecipeOptions(data=data, out=tmp_path / "out", **options)).run()

    with pytest.raises(DataError, match=r"train.nl: has 5 lines, and b.de 1; give two files"):
        run("train.nl", "b.de")
    with pytest.raises(DataError, match="train.nl: is a file of texts without one of translations"):
        run("train.nl")
    with pytest.raises(DataError, match="holds de, nl, and nobody says which is the source; say --source"):
        run(".")
    with pytest.raises(DataError, match="has no fr, only de, nl"):
        run(".", source_language="fr")


def test_chinese_is_scored_by_characters():
    assert tokenisation(["\u4e00\u4e8c\u4e09"]) == "char" and tokenisation(["Ein Haus"]) == "13a"
