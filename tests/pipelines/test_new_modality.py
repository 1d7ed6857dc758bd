"""The test of the house: a new modality is a row of the table and what that names, and no file changes."""

import pytest

from pipelines import load, recognize
from pipelines.commands import cli
from pipelines.errors import MediaError, ModelError
from pipelines.tasks import TASKS
from tests.data.bar_reader import BarReader
from tests.data.pulses import HEAD, ROW, Named, pulse_namer

TRAINS = ("1 2 3 -4", "5 -5 5", "0.5")


@pytest.fixture(autouse=True)
def row(monkeypatch):
    monkeypatch.setitem(TASKS, ROW.name, ROW)


@pytest.fixture
def model(tmp_path):
    return pulse_namer().save(tmp_path / "models/namer.safetensors", bits=32)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/deep/one.dat").write_text(f"{HEAD}\n{TRAINS[0]}\n")
    (tmp_path / "in/many.txt").write_text("\n".join([HEAD, *TRAINS]))
    (tmp_path / "in/bad.dat").write_text(f"{HEAD}\nhigh low\n")
    (tmp_path / "in/notes.txt").write_text("no pulses")
    return tmp_path / "in"


def test_it_is_loaded_read_and_saved(model, folder, tmp_path):
    network = load(model)
    assert network.task == "pulses" and type(network.front_end).__name__ == "Heights"
    one = recognize(folder / "deep/one.dat", network)
    assert isinstance(one, Named) and one.text and one.model == "namer"
    assert one.save(tmp_path / "one.letters").read_text() == one.text + "\n"
    with pytest.raises(ValueError, match="no format 'srt'; choose from letters, txt"):
        one.save(tmp_path / "one.srt")
    many = list(recognize(folder / "many.txt", model))
    assert many[0].text == one.text and len(many) == len(TRAINS)


def test_among_other_sources(model, folder):
    sources = [folder / "deep/one.dat", folder / "bad.dat", folder / "notes.txt", folder / "many.txt"]
    found = list(recognize(sources, model, errors="return"))
    kinds = [type(each).__name__ for each in found]
    assert kinds == ["Named", "MediaError", "MediaError", "Named", "Named", "Named"]
    assert "could not convert" in str(found[1]) and "a video nor pulses" in str(found[2])
    with pytest.raises(ModelError, match="is a model for handwriting; name a pulses model"):
        recognize(sources[0], BarReader())
    with pytest.raises(MediaError, match=r"bad\.dat"):
        list(recognize(sources, model))


def test_a_folder_by_the_command(model, folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["recognize", str(folder), "-m", str(model), "-o", str(out), "-f", "letters"]) == 1
    seen = capsys.readouterr()
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*.letters"))
    assert written == ["deep/one.letters", *(f"many/000{number}.letters" for number in (1, 2, 3))]
    assert "4 named" in seen.out and "letters a second" in seen.out and seen.err.count("failed: ") == 1
    assert cli.main(["recognize", str(folder), "-m", str(model), "-o", str(out), "-f", "srt"]) == 2
