"""The picture of memory cells over a text."""

import numpy as np
import pytest
import torch

from decoders.alphabet import Alphabet
from decoders.vocabulary import Classes, Words
from pipelines.cells_picture import APART, draw_cells, followed, properties
from pipelines.commands import cli
from pipelines.errors import DataError, ModelError
from pipelines.model import SequenceModel

TEXT = 'He said: "I am (not) here."\nThen "Go 12!" 7 times.\nSHE left.\n'


def writer(**core) -> SequenceModel:
    torch.manual_seed(0)
    known = Alphabet(sorted(set(TEXT.replace("\n", "\u2424"))))
    front_end = {"kind": "tokens", "output_size": 8, "lower": False}
    core = {"kind": "bilstm", "hidden_size": 12, "num_layers": 2, "bidirectional": False} | core
    network = SequenceModel(
        "language", front_end, core, {"kind": "next_symbol"}, known, vocabulary=known, name="w"
    )
    return network.eval()


def test_properties_of_places():
    text = 'a "b" (c)\nDE 1.\n\n"f\n\ng'
    found = properties(text)

    def where(name):
        return "".join(symbol for symbol, value in zip(text, found[name], strict=True) if value)

    assert where("in quotation marks") == '"b"f\n'  # closed by the mark behind b, and by the paragraph's end
    assert where("in brackets") == "(c" and where("capitals") == "DE" and where("digits") == "1"
    assert found["far from the beginning of the line"][:11].tolist() == [*range(1, 10), 0, 1]
    assert found["far from the beginning of the word"][7:9].tolist() == [1, 0]
    for values in found.values():
        assert values.shape == (len(text),)


@pytest.mark.parametrize("length", [400, APART])
def test_the_cell_that_follows_a_property_is_found(length):
    rng = np.random.default_rng(1)
    text = "".join('ab "c d" e (f) ' for _ in range(length // 15 + 1))[:length]
    quoted = properties(text)["in quotation marks"]
    states = rng.normal(0, 0.3, (length, 20))
    states[:, 13] -= quoted
    found = {each.what: each for each in followed(list(text), states)}
    assert found["in quotation marks"].cell == 13 and found["in quotation marks"].correlation < -0.8
    assert "capitals" not in found  # there are none


@pytest.mark.parametrize("core", [{}, {"cell": "gru"}])
def test_a_text_is_drawn_for_each_cell(tmp_path, core):
    image = pytest.importorskip("PIL.Image")
    out = tmp_path / "new/c.png"
    found = draw_cells(TEXT, out, writer(**core), layer=2, cells=2)
    with image.open(out) as picture:
        assert picture.format == "PNG" and min(picture.size) > 300
    assert len(found) >= 2 and [each.what for each in found[-2:]] == ["", ""]
    assert all(-1 <= each.correlation <= 1 for each in found[:-2])


def test_words_of_other_models_are_drawn_too(tmp_path):
    torch.manual_seed(0)
    words = Words(["he", "said", "not", "here", "go"])
    network = SequenceModel(
        "text",
        {"kind": "tokens", "output_size": 8},
        {"kind": "bilstm", "hidden_size": 6, "num_layers": 1},
        {"kind": "classifier"},
        Classes.of(["x", "y"]),
        vocabulary=words,
    )
    found = draw_cells("He said: not here, go!", tmp_path / "w.svg", network.eval(), direction="back")
    assert found and (tmp_path / "w.svg").read_text().startswith("<?xml")


def test_what_cannot_be_drawn_is_named(tmp_path):
    out = tmp_path / "c.png"
    with pytest.raises(DataError, match="fewer than two symbols"):
        draw_cells("a", out, writer())
    with pytest.raises(ValueError, match="layers 1 to 2"):
        draw_cells(TEXT, out, writer(), layer=3)
    with pytest.raises(ValueError, match="this core runs ahead"):
        draw_cells(TEXT, out, writer(), direction="back")
    speech = SequenceModel(
        "speech",
        {"kind": "spectrogram", "sample_rate": 8000, "output_size": 8, "n_mels": 10, "channels": 2},
        {"kind": "bilstm", "hidden_size": 6, "num_layers": 1},
        {"kind": "ctc"},
        Alphabet("ab"),
    )
    with pytest.raises(ModelError, match="reads no text"):
        draw_cells(TEXT, out, speech)


def test_the_command_takes_a_text_or_a_file(tmp_path, capsys):
    path, out = writer().save(tmp_path / "w.safetensors"), tmp_path / "c.png"
    (tmp_path / "t.txt").write_text(TEXT)
    assert cli.main(["gates", "-m", str(path), "--text", TEXT, "-o", str(out)]) == 0
    told = capsys.readouterr().out
    assert told.endswith(f"{out}\n")
    assert cli.main(["gates", str(tmp_path / "t.txt"), "-m", str(path), "-o", str(out)]) == 0
    assert capsys.readouterr().out == told
    assert cli.main(["gates", "-m", str(path)]) == 2
    assert "--text" in capsys.readouterr().err
