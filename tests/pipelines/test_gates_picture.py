"""The picture of memory cells and gates."""

import matplotlib.pyplot as plt
import pytest
import torch

from decoders.alphabet import Alphabet
from pipelines import gates_picture
from pipelines.errors import MediaError
from pipelines.gates_picture import draw
from pipelines.model import SequenceModel
from tests.data.media import chirp


def model(**core) -> SequenceModel:
    torch.manual_seed(0)
    front_end = {"kind": "spectrogram", "sample_rate": 8000, "output_size": 8, "n_mels": 10, "channels": 2}
    core = {"kind": "bilstm", "hidden_size": 6, "num_layers": 2} | core
    network = SequenceModel("speech", front_end, core, {"kind": "ctc"}, Alphabet(" ab"))
    torch.nn.init.constant_(
        network.decoder.project.bias[:1], -99.0
    )  # never a blank: there are letters to draw
    return network.eval()


def panels(network, path, monkeypatch, **options) -> list:
    """The axes of the figure that was drawn, colour bars left out."""
    figures = []
    with monkeypatch.context() as patch:
        patch.setattr(plt, "close", figures.append)
        draw(chirp(0.5, 8000), path, network, **options)
    plt.close(figures[0])
    return [axis for axis in figures[0].axes if axis.get_label() != "<colorbar>"]


@pytest.fixture(autouse=True)
def arrays_have_a_rate(monkeypatch):
    """Samples stand in for files."""
    for name in ("open_audio", "read_audio"):
        whole = getattr(gates_picture, name)
        given = {"open_audio": (8000,), "read_audio": (8000, 8000)}[name]
        monkeypatch.setattr(
            gates_picture, name, lambda source, *_, whole=whole, given=given: whole(source, *given)
        )


@pytest.mark.parametrize("cell, gates", [("lstm", 4), ("gru", 3)])
@pytest.mark.parametrize("direction", ["ahead", "back"])
def test_a_panel_for_each_gate(tmp_path, monkeypatch, cell, gates, direction):
    found = panels(model(cell=cell), tmp_path / "g.png", monkeypatch, cells=4, direction=direction)
    maps = [axis for axis in found if axis.get_ylabel() == "cells"]
    assert len(maps) == gates
    for axis in maps:
        for image in axis.images:
            values = image.get_array()
            assert values.shape[0] == 4
            assert image.get_extent()[:2] == pytest.approx((0, 0.5), abs=0.0151)  # half a step of 0.03 s
    assert found[-1].get_xlim() == (0, 0.5)


def test_what_is_shown_is_what_the_core_does(tmp_path, monkeypatch):
    """Gates lie between 0 and 1; the memory is the only panel around 0."""
    found = panels(model(), tmp_path / "g.png", monkeypatch)
    assert "Hz" in found[0].get_ylabel() and "seconds" in found[-2].get_xlabel()
    for axis in found:
        low, high = axis.get_ylim()
        assert low < high and all(low <= tick <= high for tick in axis.get_yticks() if axis.images)
    for axis in (axis for axis in found[1:] if axis.images):
        image = axis.images[0]
        low, high = float(image.get_array().min()), float(image.get_array().max())
        if "memory" in axis.get_title(loc="left"):
            assert image.get_clim()[0] == -image.get_clim()[1] < 0 and low < 0
        else:
            assert image.get_clim() == (0, 1) and 0 <= low < high <= 1
        assert image.get_array().shape[0] == 6  # all cells, when fewer than asked for


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_formats(tmp_path, ending):
    out = draw(chirp(0.3, 8000), tmp_path / f"a/b/g.{ending}", model())
    head = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert out.read_bytes().startswith(head[ending])
    assert not plt.get_fignums()  # nothing stays open


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"layer": 0}, "layers 1 to 2"),
        ({"layer": 3}, "layers 1 to 2"),
        ({"cells": 0}, "at least 1"),
        ({"direction": "sideways"}, "ahead and back"),
    ],
)
def test_what_cannot_be_shown(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        draw(chirp(0.3, 8000), tmp_path / "g.png", model(), **wrong)
    assert not list(tmp_path.iterdir())


def test_a_core_that_reads_one_way(tmp_path):
    draw(chirp(0.3, 8000), tmp_path / "g.png", model(bidirectional=False))
    with pytest.raises(ValueError, match="runs ahead"):
        draw(chirp(0.3, 8000), tmp_path / "h.png", model(bidirectional=False), direction="back")


def test_too_long(tmp_path):
    with pytest.raises(MediaError, match="lasts 21 s; cut out at most 20 s"):
        draw(chirp(21.0, 8000), tmp_path / "g.png", model())
