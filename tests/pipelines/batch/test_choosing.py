"""The choice among several models for a task: by folder, or by file where those of a folder differ."""

from pathlib import Path

import pytest

from pipelines.batch import choosing, run
from pipelines.batch.choosing import Chooser
from pipelines.batch.mixed import Batch
from pipelines.batch.rules import Rules
from pipelines.batch.units import Route
from pipelines.reading.settings import RecognitionOptions, SpeechOptions
from tests.data.media import tone, write_audio
from tests.pipelines.batch.test_mixed import EXAMPLES, put, rows

ROUTES = [Route("handwriting", model, RecognitionOptions()) for model in ("one", "two")]


class Confidences(dict):
    """How sure models are of files, and what was asked."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.asked = []

    def __call__(self, path, route):
        self.asked.append((route.model, path.name))
        return self.get((route.model, path.name), 0.5 if route.model == "one" else 0.4)


@pytest.fixture
def sure(monkeypatch):
    confidences = Confidences()
    monkeypatch.setattr(choosing, "confidence", confidences)
    return confidences


def chooser(*names: str) -> Chooser:
    return Chooser(lambda task, path: [path.parent / name for name in names])


def test_a_few_files_speak_for_their_folder(sure):
    names = [f"{number:02}.png" for number in range(12)]
    chosen, told = chooser(*names), []
    chosen.tell = told.append
    assert {chosen(ROUTES, Path("a") / name).model for name in names} == {"one"}
    assert sure.asked == [(model, name) for name in names[::3] for model in ("one", "two")]
    assert [str(each) for each in told] == ["one for a (mean confidence 0.50; two 0.40)"]


def test_where_the_files_of_a_folder_differ_each_is_asked(sure):
    sure["two", "b.png"] = 0.9
    chosen = chooser("a.png", "b.png", "c.png")
    found = {name: chosen(ROUTES, Path(f"x/{name}.png")).model for name in "abcd"}
    assert found == {"a": "one", "b": "two", "c": "one", "d": "one"}
    assert len(sure.asked) == 8  # each file once with each model


def test_what_no_model_reads_is_left_to_the_first(sure):
    sure |= {("one", "a.png"): None, ("two", "a.png"): None}
    assert chooser("a.png")(ROUTES, Path("a.png")).model == "one"


def test_only_the_beginning_of_a_recording_is_read(tmp_path):
    route = Route("speech", None, SpeechOptions())
    long = write_audio(tmp_path / "a.wav", tone(30, 8000), 8000)
    short = write_audio(tmp_path / "b.wav", tone(1, 8000), 8000)
    assert choosing._beginning(short, route) == short
    from pipelines.media.audio import seconds_of

    assert seconds_of(choosing._beginning(long, route)) == choosing.BEGINNING


def test_the_model_that_reads_it_is_found_and_stays(tmp_path):
    put(tmp_path / "in/a.jpg", EXAMPLES / "handwriting/lettre-fr.jpg")
    models = ("handwriting-en", "handwriting-fr")
    (first,) = run(tmp_path / "in", tmp_path / "out", model=models)
    assert first.model.split(",")[0] == "handwriting-fr" and "votre lettre" in first.result.text
    batch = Batch([tmp_path / "in"], tmp_path / "out", Rules(models=models[::-1]))
    batch.chooser.tell = pytest.fail  # what was read is not asked again
    ((again, row),) = batch.outcomes()
    assert again.earlier and row["model"] == first.model == rows(tmp_path / "out")["a.jpg"]["model"]
