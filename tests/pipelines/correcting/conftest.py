"""A folder of results to correct: what is needed without a model."""

import json
from pathlib import Path

import pytest
from PIL import Image

from pipelines.batch.journal import Journal
from pipelines.batch.plan import Job
from pipelines.results import (
    Actions,
    ActionSegment,
    Page,
    Segment,
    TextLine,
    TextRegion,
    Transcript,
    Word,
    WrittenWord,
)
from tests.data.media import tone, write_audio
from tests.data.pictures import ramp

LINES = ("first line here", "second lime here", "third line hear")


def box(left, top, right, bottom):
    return (left, top), (right, top), (right, bottom), (left, bottom)


def line(text: str, top: int) -> TextLine:
    """A line of the page, whose words are 80 pixels wide; what is wrong in it is unsure."""
    words = tuple(
        WrittenWord(
            word, 0.4 if word in ("lime", "hear") else 0.95, box(100 * n, top, 100 * n + 80, top + 40)
        )
        for n, word in enumerate(text.split())
    )
    return TextLine(text, 0.8, box(0, top, 300, top + 40), ((0, top + 30), (300, top + 30)), words)


@pytest.fixture
def out(tmp_path) -> Path:
    """What a run over a page, a recording and a clip leaves; and `x.wav`, which failed."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    image, recording, clip = (
        folder / "page.png",
        write_audio(folder / "talk.wav", tone(2.0)),
        folder / "c.mp4",
    )
    Image.fromarray(ramp(200, 300)).save(image)
    clip.write_bytes(b"")
    regions = (TextRegion(tuple(line(text, 60 * number) for number, text in enumerate(LINES))),)
    words = (Word("one", 0.0, 0.5, 0.9), Word("too", 0.6, 1.0, 0.5))
    page = Page(regions, 300, 200, "m", source=str(image))
    talk = Transcript((Segment("one too", 0, 1, 0.7, words),), 2.0, "m", source=str(recording))
    falls = (ActionSegment("fall", 0, 2, 0.6),)
    watched = Actions((("fall", 0.6), ("rise", 0.4)), falls, 2.0, "action-shapes", source=str(clip))
    results = {
        "handwriting": (page, "json txt xml alto.xml"),
        "speech": (talk, "json txt srt"),
        "action": (watched, "json txt"),
    }
    journal, rows = Journal(out), []
    for task, (result, endings) in results.items():
        name = Path(result.source).stem
        outputs = tuple(result.save(out / f"{name}.{ending}") for ending in endings.split())
        records = {}
        if task == "action":
            result.save(out / "actions.csv")
            records = {
                out / "actions.csv": json.loads(
                    json.dumps([[result.source, "0.000", "2.000", "fall", "0.6000"]])
                )
            }
            journal.claim(out / "actions.csv", out / "actions.csv")
        journal.add(Job(Path(result.source), outputs), result.model, None, records, task)
        names = [path.name for path in outputs]
        rows.append({"source": result.source, "part": None, "task": task, "status": "done", "outputs": names})
    rows.append(
        {"source": str(folder / "x.wav"), "task": "speech", "status": "failed", "error": "x: is empty"}
    )
    (out / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return out
