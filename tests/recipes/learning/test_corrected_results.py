"""From corrected results to a better model: recognise, correct, train on the output folder."""

import json
import random
from pathlib import Path

import pytest
import torch
from PIL import Image

from decoders.alphabet import Alphabet
from pipelines import load
from pipelines.commands.cli import main
from pipelines.errors import DataError
from pipelines.model import SequenceModel
from recipes.handwriting.options import HandwritingOptions
from recipes.learning.arguments import parse
from recipes.learning.origins import assumed
from tests.data.bar_reader import SIZES
from tests.data.pictures import bars

WHO = {"by": "Anna", "when": "2026-11-28T19:45:00+00:00"}
QUICK = ["--epochs", "2", "--batch-size", "4", "--threads", "1", "--language-model", "0", "--splice", "0"]
QUICK += ["--precision", "fp32", "--consistency", "0"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that cannot read, line images, and what it made of them; 12 of 20 are corrected."""
    root, chance = tmp_path_factory.mktemp("loop"), random.Random(1)
    front_end, core, decoder = SIZES
    torch.manual_seed(1)
    SequenceModel("handwriting", front_end, core, decoder, Alphabet(" ab"), name="mine").save(
        root / "mine.safetensors"
    )
    (root / "in").mkdir()
    texts = [" ".join("".join(chance.choices("ab", k=3)) for _ in range(2)) for _ in range(20)]
    for number, text in enumerate(texts):
        Image.fromarray(bars(text)).save(root / "in" / f"{number:02}.png")
    model = str(root / "mine.safetensors")
    assert main(["recognize", str(root / "in"), "-o", str(root / "out"), "-f", "json,page", "-m", model]) == 0
    for number, text in enumerate(texts[:12]):
        path = root / "out" / f"{number:02}.json"
        content = json.loads(path.read_text())
        (line,) = content["regions"][0]["lines"]
        line |= {"text": text, "checked": WHO}
        path.write_text(json.dumps(content))
    return root


def test_corrections_make_a_better_model(folder, tmp_path, capsys):
    """Only what was checked is learnt from, by the model that read it, and the report says what it gained."""
    out = tmp_path / "exp"
    assert (
        main(
            [
                "train",
                "handwriting",
                "--data",
                str(folder / "out"),
                "--out",
                str(out),
                "--valid",
                "0.25",
                *QUICK,
            ]
        )
        == 0
    )
    said = capsys.readouterr()
    assert (
        f"learning on from corrected results: --load {folder / 'mine.safetensors'} --preset adapt" in said.err
    )
    assert "8 of 20 lines are unchecked: left out; --unchecked keep" in said.err
    assert "valid, before -> after fine-tuning: cer " in said.out
    used = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert sorted(Path(row["path"]).name for row in used) == [f"{number:02}.png" for number in range(12)]
    assert {row["split"] for row in used} == {"train", "valid"}
    trained = load(out / "model.safetensors")
    assert trained.training_facts["unchecked"] == "8 of 20 lines are unchecked: left out; --unchecked keep"
    assert trained.training_facts["base"] == "mine.safetensors"
    report = (out / "report.html").read_text()
    assert (
        "8 of 20 lines are unchecked" in report
        and trained.metrics["valid, before fine-tuning"]["cer"] in report
    )
    options = trained.training_facts["options"]
    assert options["alphabet"] == "union"  # of the preset
    before, after = (model.core.state_dict() for model in (load(folder / "mine.safetensors"), trained))
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_unchecked_lines_are_kept_on_request_but_not_validated_on(folder, tmp_path, capsys):
    out = tmp_path / "exp"
    keep = ["--unchecked", "keep", "--valid", "0.25"]
    assert main(
        ["train", "handwriting", "--data", str(folder / "out"), "--out", str(out), *keep, *QUICK]
    ) in (0, 1)
    used = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    names = {
        split: {Path(row["path"]).stem for row in used if row["split"] == split}
        for split in ("train", "valid")
    }
    assert names["valid"] and all(int(name) < 12 for name in names["valid"])
    assert "unchecked: kept for training, not for validation" in capsys.readouterr().err


def options(folder: Path, *arguments: str) -> HandwritingOptions:
    return parse(HandwritingOptions, "handwriting", ["--data", str(folder), *arguments])


def test_what_is_given_is_not_assumed(folder, capsys):
    out = folder / "out"
    own = str(folder / "mine.safetensors")
    assert options(out).load == own and options(out).training.epochs != HandwritingOptions().training.epochs
    assert options(out, "--load", "handwriting-en-small").load == "handwriting-en-small"
    assert options(out, "--load", "none").load is None
    assert options(out, "--load=none").training.epochs == HandwritingOptions().training.epochs
    assert options(out, "--preset", "default").load == own
    assert options(out, "--layout", "images").load is None
    assert options(folder / "in").load is None
    assert options(folder / "in", "--load", "none").load is None


def test_a_model_that_is_gone_is_asked_for(folder, tmp_path):
    journal = (folder / "out" / ".triscribe.jsonl").read_text()
    (tmp_path / ".triscribe.jsonl").write_text(journal.replace("mine.safetensors", "lost.safetensors"))
    with pytest.raises(DataError, match="holds no results of handwriting"):
        assumed(["--data", str(tmp_path)], "handwriting")
    for path in (folder / "out").glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(
        DataError, match="lost.safetensors' that made its results is not found; give it with --load"
    ):
        assumed(["--data", str(tmp_path)], "handwriting")
    assert assumed(["--data", str(tmp_path), "--load", "x"], "handwriting") == {"preset": "adapt"}


def test_ink_does_not_learn_from_corrections_yet(folder, tmp_path, capsys):
    assert (
        main(["train", "ink", "--data", str(folder / "out"), "--load", "none", "--out", str(tmp_path)]) == 1
    )
    assert "ink does not learn from corrected results" in capsys.readouterr().err
