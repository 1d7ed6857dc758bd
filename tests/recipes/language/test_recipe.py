"""The recipe for language models: what it learns, how it splits, and that figures are honest."""

import gzip
import json
import math
import random

import numpy as np
import pytest
import torch

from pipelines import generate, load, score
from pipelines.commands import cli
from pipelines.errors import DataError, ModelError
from recipes.language.__main__ import main
from recipes.language.options import LanguageRecipeOptions, StreamOptions
from recipes.language.recipe import LanguageRecipe
from recipes.language.task import LanguageTask
from recipes.learning.evaluation import evaluate

SMALL = ["--hidden-size", "32", "--input-size", "16", "--dropout", "0", "--precision", "fp32"]
FAST = ["--learning-rate", "2e-2", "--batch-size", "8", "--window", "40", "--checkpoint-minutes", "60"]
WORDS = ["the", "king", "and", "queen", "saw", "a", "night", "of", "stars", "over", "their", "old", "city"]


def sentences(count: int, seed: int) -> str:
    chooser = random.Random(seed)
    return "".join(" ".join(chooser.choices(WORDS, k=6)) + ".\n" for _ in range(count))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("books")
    (folder / "train.txt").write_text(sentences(800, 1))
    (folder / "valid.txt.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + sentences(120, 2).encode()))
    (folder / "test.txt").write_bytes(sentences(120, 3).replace("\n", "\r\n").encode())
    return folder


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    assert main(["--data", str(data), "--out", str(out), *SMALL, *FAST, "--epochs", "3"]) == 0
    return out


@pytest.fixture(scope="module")
def model(trained):
    return load(trained / "model.safetensors")


@pytest.mark.learns
def test_it_learns_words_and_line_breaks(trained, model):
    assert model.task == "language" and not model.core.bidirectional
    bits = float(model.metrics["test"]["bits a character"].split()[0])
    assert bits < 1.6  # words drawn at random have 0.9 a character
    page = (trained / "report.html").read_text()
    assert "Temperature 0.8" in page and "grams" in page and "Nats a symbol on the validation" in page
    text = generate("the ki", model, length=200, temperature=0.5).text
    known = [word for word in text.replace(".", " ").split()[1:-1] if word in WORDS]
    assert len(known) > 0.8 * len(text.replace(".", " ").split()[1:-1])


def test_probabilities_of_what_comes_next_sum_to_one(model):
    """Over the vocabulary and all of Unicode outside it."""
    known = model.vocabulary.symbols
    nats = [list(score("the k" + {"␤": "\n"}.get(each, each), model).tokens)[-1].nats for each in known]
    strange = list(score("the kß", model).tokens)[-1].nats
    others = math.exp(-strange) * (0x110000 - 0x800 - len(known))
    assert sum(math.exp(-each) for each in nats) + others == pytest.approx(1, abs=1e-3)


def test_a_long_text_is_scored_as_one_that_is_read_on_and_on(model):
    text = sentences(150, 5)
    found = score(text, model)
    assert len(text) > 2 * 2048 and "".join(token.text for token in found.tokens) == text
    ids = [model.alphabet.encode("␤")[0], *model.alphabet.encode(text.replace("\n", "␤"))]
    with torch.no_grad():
        states, _ = model.core.stream(model.front_end(torch.tensor([ids]), torch.tensor([len(ids)]))[0])
        whole = -model.decoder.next_log_probs(states)[0, :-1].gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
    assert found.nats == pytest.approx(float(whole.sum()), rel=2e-3)
    assert list(found.texts[0].surprisals)[:2048] == pytest.approx(whole[:2048].tolist(), abs=1e-3)


def test_figures_agree_with_the_tokens(model):
    (text,) = score("the king ßaw", model).texts
    tokens = list(text.tokens)
    assert text.nats == pytest.approx(sum(token.nats for token in tokens))
    assert text.bits_per_character == pytest.approx(text.nats / len(text.text) / math.log(2))
    assert [token.text for token in tokens if not token.known] == ["ß"] and text.unknown == (9,)
    assert score("the king ßaw", model).notes == ("1 of 12 characters are outside the vocabulary",)


def test_what_was_learnt_is_less_surprising(model):
    assert (
        score("the old king.\n", model).bits_per_character < score("kno dleh tigen", model).bits_per_character
    )


def test_texts_do_not_depend_on_each_other(model, tmp_path):
    texts = ["the king", sentences(30, 7), "q"]
    together = list(score(texts, model, batch_size=4))
    for text, found in zip(texts, together, strict=True):
        assert found.nats == pytest.approx(score(text, model).nats, rel=1e-4)
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfthe king\r\n\r\nthe  queen\r\n")
    (one,) = score(tmp_path / "a.txt", model).texts
    assert one.text == "the king\n\nthe  queen\n"
    lines = score(tmp_path / "a.txt", model, unit="line").texts
    assert [line.text for line in lines] == ["the king", "the  queen"]


def test_the_same_seed_writes_the_same(model):
    first = generate("the ", model, length=80, seed=3)
    assert first == generate("the ", model, length=80, seed=3)
    assert "".join(generate("the ", model, length=80, seed=3, stream=True)) == first.text
    assert str(first) == "the " + first.text and len(first.text) == 80
    assert generate("the ", model, length=80, seed=4).text != first.text
    greedy = generate("the ", model, length=40, temperature=0, seed=1).text
    assert greedy == generate("the ", model, length=40, top_p=1e-9, seed=9).text
    assert generate("thß", model, length=1).unknown == ("ß",)


@pytest.mark.parametrize(
    "options", [{"length": 0}, {"temperature": -1}, {"temperature": math.nan}, {"top_p": 0}, {"top_p": 1.1}]
)
def test_options_out_of_range(model, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        generate("a", model, **options)


def test_formats(model, tmp_path):
    found = score("the <b>\nking", model)
    assert found.save(tmp_path / "a.csv").read_text().splitlines()[8].endswith(",yes,\\n")
    page = found.save(tmp_path / "a.html").read_text()
    assert "&lt;" in page and "bits a character" in page
    assert json.loads(found.save(tmp_path / "a.jsonl").read_text())["characters"] == 12
    line = found.save(tmp_path / "a.txt").read_text().split("\t")
    assert line[2:] == ["12", "the <b> king\n"]


def test_the_commands(trained, data, tmp_path, capsys):
    model = str(trained / "model.safetensors")
    assert cli.main(["generate", "the king", "-m", model, "--length", "20"]) == 0
    assert capsys.readouterr().out.startswith("the king")
    assert cli.main(["score", "-m", model, "--text", "the king"]) == 0
    assert capsys.readouterr().out.endswith("\t8\tthe king\n")
    assert cli.main(["score", str(data), "-m", model, "-o", str(tmp_path), "-f", "json"]) == 0
    assert (tmp_path / "train.json").exists()
    assert cli.main(["generate", "a", "-m", model, "--top-p", "2"]) == 2
    assert cli.main(["generate", "a", "-m", "intents-en"]) == 1
    assert "is a model for text" in capsys.readouterr().err


def test_a_model_is_evaluated_on_any_text(model, data, capsys):
    found = evaluate(model, [data / "test.txt"], "all")
    expected = score(data / "test.txt", model)
    assert found.bits.value == pytest.approx(expected.bits_per_character, rel=1e-4)
    size = (data / "test.txt").stat().st_size
    assert found.nats_per_byte.value == pytest.approx(expected.nats / size, rel=1e-4)
    assert found.bits.low <= found.bits.value <= found.bits.high


def test_a_model_of_lines_is_scored_line_by_line(model, data, tmp_path):
    recipe = recipe_of(data / "test.txt", tmp_path, stream=StreamOptions(unit="line"))
    found = recipe.evaluated("test", model, recipe.manifests()[0].items)
    lines = [f"{line}\n" for line in (data / "test.txt").read_text().splitlines()]
    expected = [each.nats for each in score(lines, model)]
    assert sum(each.nats for each in found.stretches) == pytest.approx(sum(expected), rel=1e-4)
    assert "".join(each.text for each in found.stretches) == "".join(lines)


def recipe_of(data, out, **options):
    return LanguageRecipe(LanguageRecipeOptions(data=(data,), out=out, **options))


def test_one_file_is_split_by_position(tmp_path):
    text = "".join(chr(0x4E00 + place % 5000) for place in range(30_000))
    (tmp_path / "book.txt").write_text(text)
    recipe = recipe_of(tmp_path / "book.txt", tmp_path / "out", valid=0.1, test=0.2)
    splits, rejected = recipe.read_splits(recipe.manifests(), None)
    parts = {name: "".join(map(recipe.text, items)) for name, items in splits.items()}
    assert parts["train"] + parts["valid"] + parts["test"] == text and not rejected
    assert [len(parts[name]) for name in ("train", "valid", "test")] == [20_000, 4_000, 6_000]


def test_too_little_text_is_one_line(tmp_path):
    (tmp_path / "a.txt").write_text("short")
    with pytest.raises(DataError, match="give more text"):
        recipe_of(tmp_path / "a.txt", tmp_path / "out").run()
    assert main(["--out", str(tmp_path / "o")]) == 1


def task_of(text, model, **options):
    settings = {"lines": False, "window": 7, "batch_size": 3, "seed": 1} | options
    return LanguageTask(model, text, text, 1, **settings)


def test_every_symbol_is_learnt_from_once_an_epoch_behind_the_one_before(model):
    text = np.arange(100, dtype=np.int32) % 9
    task = task_of([text], model)
    steps = [make() for make in task.batches(0)]
    assert [step.begins for step in steps] == [True] + [False] * (len(steps) - 1)
    read = torch.cat([step.symbols for step in steps], 1)
    following = torch.cat([step.following for step in steps], 1)
    assert (read[:, 1:] == following[:, :-1]).all() and following.numel() >= 98
    assert not torch.equal(task.batches(1)[0]().symbols, steps[0].symbols)
    assert torch.equal(task.batches(0)[0]().symbols, steps[0].symbols)


def test_the_state_is_carried_on(model):
    """Windows give the loss of the whole stream."""
    text = np.arange(60, dtype=np.int32) % 9
    losses = {}
    for window in (7, 59):
        task = task_of([text], model, window=window, batch_size=1)
        steps = [make() for make in task.batches(0)]
        with torch.no_grad():
            losses[window] = sum(float(task(step)) * step.symbols.numel() for step in steps)
    assert losses[7] == pytest.approx(losses[59], rel=1e-4)


def test_the_state_is_kept_with_a_checkpoint(model):
    text = np.arange(60, dtype=np.int32) % 9
    task, other = task_of([text], model), task_of([text], model)
    first, second, *_ = (make() for make in task.batches(0))
    with torch.no_grad():
        task(first)
        other.load_state_dict(task.state_dict())
        assert float(other(second)) == float(task(second))


def test_lines_are_learnt_each_by_itself(model):
    lines = [np.array([2, 3], np.int32), np.array([4], np.int32)]
    (step,) = [make() for make in task_of(lines, model, lines=True).batches(0)]
    assert sorted(map(tuple, step.symbols.tolist())) == [(1, 2, 3), (1, 4, 0)]
    assert sorted(map(tuple, step.following.tolist())) == [(2, 3, 1), (4, 1, -1)]


@pytest.mark.parametrize("tokens", ["words", "subwords"])
def test_words_and_subwords_cost_about_as_many_bits_a_character(tokens, data, tmp_path, capsys):
    options = ["--tokens", tokens, "--vocabulary", "60", "--epochs", "3"]
    assert main(["--data", str(data), "--out", str(tmp_path), *SMALL, *FAST, *options]) == 0
    model = load(tmp_path / "model.safetensors")
    text = generate("the", model, length=60).text
    assert len(text) >= 60
    spelt = "the king  zß\n"
    found = score(spelt, model)
    assert "".join(token.text for token in found.tokens) == spelt and found.texts[0].unknown
    assert 0.7 < float(model.metrics["test"]["bits a character"].split()[0]) < 2.5


def test_a_model_that_reads_both_ways_is_refused(model, tmp_path):
    model.sizes["core"]["bidirectional"] = True
    try:
        path = model.save(tmp_path / "both.safetensors")
    finally:
        model.sizes["core"]["bidirectional"] = False
    with pytest.raises(ModelError, match="one direction only"):
        load(path)
