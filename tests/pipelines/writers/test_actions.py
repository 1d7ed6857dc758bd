"""Writers of actions: what is read back is what was found."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from pipelines.media.video import open_video
from pipelines.results import Actions, ActionSegment
from pipelines.writers.lettering import cut, font, wrap
from pipelines.writers.videos import BLUE, GAP, NARROWEST, PAPER, _band, write_video
from tests.data.clips import number_of, numbered

HEAD = 80  # rows of pixels, behind which the head of a contact sheet ends
LABEL = 'jump, "high" ü'


@pytest.fixture
def actions(tmp_path):
    with open(tmp_path / "clip.mp4", "wb") as file:
        times = [index / 10 + (0.5 if index > 10 else 0.0) for index in range(20)]  # frames of unequal length
        write_video(file, ((time, numbered(index)) for index, time in enumerate(times)))
    segments = (ActionSegment(LABEL, 0.0, 1.0, 0.87654), ActionSegment("rest", 1.25, 2.5, 0.5))
    attention = tuple((index / 8, 0.05) for index in range(20))
    source = str(tmp_path / "clip.mp4")
    return Actions((("rest", 0.6), (LABEL, 0.4)), segments, 2.5, "small", source, attention, damaged=1)


def test_json(actions, tmp_path):
    content = json.loads(actions.save(tmp_path / "x.json").read_text(encoding="utf-8"))
    assert content["label"] == "rest" and content["top"][1] == {"label": LABEL, "score": 0.4}
    assert content["segments"][0] == {"label": LABEL, "start": 0.0, "end": 1.0, "score": 0.8765}
    assert content["duration"] == 2.5 and content["damaged"] == 1 and len(content["attention"]) == 20
    assert "attention" not in json.loads(actions.save(tmp_path / "y.json", attention=False).read_text())


def test_csv_and_text(actions, tmp_path):
    with open(actions.save(tmp_path / "x.csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == [LABEL, "rest"]
    assert (rows[1]["start"], rows[1]["end"], rows[1]["score"]) == ("1.250", "2.500", "0.5000")
    lines = actions.save(tmp_path / "x.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"0.00 - 1.00  0.88  {LABEL}" and len(lines) == 2


def test_activitynet(actions, tmp_path):
    content = json.loads(actions.save(tmp_path / "x.activitynet.json").read_text(encoding="utf-8"))
    found = content["results"]["clip"]
    assert found[1] == {"label": "rest", "score": 0.5, "segment": [1.25, 2.5]}


def test_annotated_video(actions, tmp_path):
    source, drawn = open_video(actions.source), open_video(actions.save(tmp_path / "x.mp4"))
    before, after = list(source.frames()), list(drawn.frames())
    assert [frame.time for frame in after] == pytest.approx([frame.time for frame in before], abs=0.002)
    width, height = source.size
    assert drawn.size[0] == NARROWEST and drawn.size[1] > height
    margin = (NARROWEST - width) // 2
    shown = [frame.pixels[:height, margin : margin + width] for frame in after]
    assert list(map(number_of, shown)) == list(range(20))
    bands = {frame.time: frame.pixels[source.size[1] + 4 :].max() for frame in after}
    assert bands[after[2].time] > 180 and bands[after[10].time] < 90  # between the segments nothing is said


def test_contact_sheet(actions, tmp_path):
    sheet = np.asarray(Image.open(actions.save(tmp_path / "x.png", frames=6, columns=3, width=80)))
    assert sheet.shape[1] == 3 * (80 + GAP) + GAP and sheet.shape[2] == 3
    assert sum((sheet == BLUE).all(axis=2).any(axis=1)) >= 6  # a bar below each row


@pytest.mark.parametrize("width", [40, 60, 80, 240])
@pytest.mark.parametrize(
    "label", ["x" * 60, "a_class_of_many_words_" * 5, "باب الثلاجة يفتح الآن", "tab\tline\nend"]
)
def test_labels_of_a_contact_sheet_stay_below_their_frames(actions, tmp_path, width, label):
    segments = (ActionSegment(label, 0.0, 2.5, 1.0),)
    told = dataclasses.replace(actions, segments=segments, top=((label, 1.0),))
    sheet = np.asarray(Image.open(told.save(tmp_path / "x.png", frames=5, columns=3, width=width)))
    paper = (sheet == PAPER).all(axis=2)
    margins = [slice(place * (width + GAP), place * (width + GAP) + GAP) for place in range(4)]
    assert all(paper[:, margins[side]].all() for side in (0, 3))
    assert all(paper[HEAD:, margin].all() for margin in margins)
    assert paper[-GAP // 2 :].all() and not paper.all()


def test_text_is_wrapped_and_cut():
    letters = font(12)
    for text in ("opening_the_refrigerator", "opening the refrigerator slowly", "x" * 50, "", " ", "_" * 9):
        for width in (10, 40, 80, 300):
            lines = wrap(text, letters, width, 2)
            assert 1 <= len(lines) <= 2 and all(letters.getlength(line) <= width for line in lines)
    assert wrap("opening_the_door", letters, 70, 2) == ["opening_", "the_door"]
    assert cut("short", letters, 300) == "short" and cut("x" * 50, letters, 60).endswith("…")
    assert cut("x", letters, 1) == ""


@pytest.mark.parametrize("label", ["sit", "x" * 300])
def test_the_band_holds_label_and_score_of_any_length(label):
    band = _band(label, "87 %", 320, 24).astype(int)
    lit = np.flatnonzero((band.max(axis=2) > 120).any(axis=0))
    assert lit[0] > 0 and lit[-1] < 320 - 4
    score = np.flatnonzero((_band("", "87 %", 320, 24).max(axis=2) > 120).any(axis=0))
    gaps = np.diff(lit)
    assert gaps.max() >= 6  # between label and score
    assert score[-1] <= lit[-1]


def test_an_array_has_no_frames_to_draw_on(tmp_path):
    actions = Actions((("rest", 1.0),), (), 1.0, "small")
    for name in ("x.mp4", "x.png"):
        with pytest.raises(ValueError, match="of an array"):
            actions.save(tmp_path / name)
        assert not (tmp_path / name).exists()
    with pytest.raises(ValueError, match="there are no frames"), open(tmp_path / "y.mp4", "wb") as file:
        write_video(file, [])
    with pytest.raises(ValueError, match="choose from txt, json, csv, activitynet"):
        actions.save(tmp_path / "x.srt")


def test_a_video_of_one_frame_lasts_a_frame(tmp_path):
    with open(tmp_path / "one.mp4", "wb") as file:
        write_video(file, [(0.0, numbered(1))])
    assert open_video(tmp_path / "one.mp4").duration == pytest.approx(0.04, abs=0.001)
    actions = Actions((("rest", 0.6),), (), 0.04, "small", str(tmp_path / "one.mp4"))
    for name in ("x.mp4", "x.png", "x.json", "x.csv"):
        assert actions.save(tmp_path / name).stat().st_size
