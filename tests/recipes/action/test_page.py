"""The report of an action recogniser: confusions of any number of classes of any name, clips to play."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest

from pipelines.media.video import open_video
from recipes.action import page
from recipes.action.page import write_action_page
from recipes.action.scores import ActionScores
from recipes.data.manifest import Item
from recipes.scoring import class_scores
from tests.data.clips import write_video
from tests.data.web import read_page

LONG = [f"{word}_a_long_class_name" for word in ("op", "cl", "wi", "cu")]
ATTENTION = ((0.0, 0.25), (0.5, 0.75))


def scores(names, paths=(Path("clip.mp4"),), wrong=1, **times) -> ActionScores:
    """Two clips a class, the first of which is taken for the next class in the first classes."""
    items, found = [], []
    for place, name in enumerate(names):
        for copy in range(2):
            taken = (place + 1) % len(names) if place < wrong and not copy else place
            items.append(Item(paths[len(items) % len(paths)], name, duration=1.0, **times))
            found.append(np.eye(len(names))[taken] * 0.5 + 0.5 / len(names))
    runs = np.array([found])
    return ActionScores("test", tuple(names), tuple(items), runs, runs, (ATTENTION,) * len(items))


def report(folder, found, **options):
    return read_page(write_action_page(folder / "report.html", found, **options))


def test_names_of_twenty_letters_are_turned_and_told_in_full(tmp_path):
    found = report(tmp_path, scores(LONG))
    assert min(map(len, LONG)) == 20 and found.all("class").count("turned") == len(LONG)
    titles = found.all("title")
    assert all(titles.count(name) == 2 for name in LONG)  # the head of its row, and of its column
    assert f"{LONG[0]} taken for {LONG[1]}: 1 (50 %)" in titles
    assert found.tags.count("td") == 1 + len(LONG) ** 2 + 2  # a corner, cells, one confusion in the list


def test_of_many_classes_those_with_errors_are_shown(tmp_path):
    names = [f"class {number}" for number in range(101)]
    found = report(tmp_path, scores(names, wrong=3))
    assert found.all("class").count("turned") == class_scores.CLASSES
    assert {"class 0", "class 3"} <= set(found.all("title"))
    assert f"These are the {class_scores.CLASSES} of 101 classes" in found.said
    assert found.all("class").count("recall") == 101


def test_everything_right_and_hostile_names(tmp_path):
    names = ['<b>"x" & y</b>', "قفز", "a" * 90]
    found = report(tmp_path, scores(names, wrong=0), facts={"model": "<i>", "data": "</style>"})
    assert "b" not in found.tags and "i" not in found.tags and names[0] in found.all("title")
    assert "All clips are recognised in every run." in found.said
    assert "<i> on </style>" in found.said


def test_clips_are_shown_only_if_asked_for_and_play(tmp_path):
    film = write_video(tmp_path / "film.mp4", times=30, rate=10)
    found = scores(LONG, (film, tmp_path / "gone.mp4"), start=0.5, end=2.0)
    assert "video" not in report(tmp_path, found).tags
    shown = report(tmp_path, found, shown=2)
    assert shown.tags.count("article") == 2 and shown.tags.count("video") == 1
    assert "gone.mp4" in shown.said and f"taken for {LONG[1]}" in shown.said  # the misjudged one is first
    (content,) = re.findall("data:video/mp4;base64,(.*)", shown.all("src")[0])
    played = open_video(io.BytesIO(base64.b64decode(content)))
    frames = list(played.frames())
    assert frames[-1].time == pytest.approx(1.5, abs=2 / page.RATE)
    assert shown.all("points")[0] == "0.0,13.7 100.0,1.0"


def test_clips_keep_the_page_small(tmp_path, monkeypatch):
    film = write_video(tmp_path / "film.mp4", times=30, rate=10)
    size = len(page._film(film, 0.0, None)) * 4 // 3 + 100
    monkeypatch.setattr(page, "MEDIA_BYTES", int(2.5 * size))
    shown = report(tmp_path, scores(LONG, (film,)), shown=5)
    assert shown.tags.count("video") == 2 and shown.said.count("left out to keep this page small") == 3
