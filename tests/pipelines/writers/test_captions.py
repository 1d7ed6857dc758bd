"""Captions as files: text, JSON, COCO, subtitles, pictures of attention."""

import json

import numpy as np
import pytest
from PIL import Image

from pipelines.errors import MediaError
from pipelines.results import Caption, CaptionWord, Sentence
from pipelines.writers import save
from recipes.data.datasets import read_captions
from tests.data.clips import write_video

MAP = ((0.7, 0.1), (0.1, 0.1))
WORDS = (CaptionWord("a", 0.9, MAP), CaptionWord("dog --> runs", 0.5, tuple(row[::-1] for row in MAP)))
FIRST = Sentence("a dog --> runs", 0.61234567, WORDS, (("a cat\nruns", 0.2),), 0.0, 3.5)
SECOND = Sentence("a <b> & c", 0.3, (CaptionWord("a", 0.3, ((0.5, 0.5),)),), (), 3.5, 9.0)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "000000000139.png"
    Image.fromarray(np.full((30, 60, 3), 200, np.uint8)).save(path)
    return Caption((Sentence(FIRST.text, FIRST.confidence, WORDS, FIRST.alternatives),), 0.0, "m", str(path))


@pytest.fixture
def film(tmp_path):
    path = write_video(tmp_path / "clip.mp4", times=90, rate=10)
    return Caption((FIRST, SECOND), 9.0, "m", str(path))


def text(caption, path) -> str:
    return save(caption, path).read_text(encoding="utf-8")


def test_text(film, tmp_path):
    assert text(film, tmp_path / "a.txt") == "a dog --> runs\na <b> & c\n"


def test_json(film, tmp_path):
    content = json.loads(text(film, tmp_path / "a.json"))
    assert content["text"] == film.text and content["duration"] == 9.0 and content["source"] == film.source
    first = content["sentences"][0]
    assert (first["start"], first["end"], first["confidence"]) == (0.0, 3.5, 0.6123)
    assert first["words"][0] == {"text": "a", "confidence": 0.9, "attention": [list(row) for row in MAP]}
    assert first["alternatives"] == [{"text": "a cat\nruns", "confidence": 0.2}]
    bare = json.loads(save(film, tmp_path / "b.json", attention=False).read_text(encoding="utf-8"))
    assert "attention" not in bare["sentences"][0]["words"][0]


def test_coco_can_be_read_again(picture, tmp_path):
    content = json.loads(text(picture, tmp_path / "captions_train.coco.json"))
    assert content["images"] == [{"id": 139, "file_name": "000000000139.png"}]
    assert content["annotations"] == [{"id": 1, "image_id": 139, "caption": FIRST.text}]
    (tmp_path / "captions_train.coco.json").rename(tmp_path / "captions_train.json")
    (item,) = read_captions(tmp_path).items
    assert item.target == FIRST.text and str(item.path) == picture.source


def test_subtitles_of_a_video(film, tmp_path):
    assert text(film, tmp_path / "a.srt") == (
        "1\n00:00:00,000 --> 00:00:03,500\na dog -> runs\n\n2\n00:00:03,500 --> 00:00:09,000\na <b> & c\n\n"
    )
    vtt = text(film, tmp_path / "a.vtt")
    assert (
        vtt.startswith("WEBVTT\n\n")
        and "a &lt;b&gt; &amp; c" in vtt
        and "00:00:03.500 --> 00:00:09.000" in vtt
    )


def test_a_picture_stays_a_while(picture, tmp_path):
    assert "00:00:00,000 --> 00:00:05,000" in text(picture, tmp_path / "a.srt")


def test_attention_is_drawn_over_the_picture(picture, film, tmp_path):
    Image.fromarray(np.full((200, 200, 3), 255, np.uint8)).save(picture.source)
    drawn = np.array(Image.open(save(picture, tmp_path / "a.png")).convert("RGB")).astype(int)
    assert drawn.shape[1] == 1200
    coloured = np.ptp(drawn, axis=2) > 40  # the picture itself is white, and so is the page
    assert coloured[:, :200].sum() == 0 < coloured[:, 200:400].sum()
    second = drawn[:, 200:400].sum(axis=2)  # dark to light is little to much attention
    rows, columns = np.nonzero(coloured[:, 200:400])
    middle = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
    light = np.argwhere(coloured[:, 200:400] & (second > np.percentile(second[rows, columns], 90)))
    assert light[:, 1].mean() < middle[0] and light[:, 0].mean() < middle[1]  # the upper left has most
    assert Image.open(save(film, tmp_path / "b.png")).size[0] == 1200


def test_what_is_in_no_file_cannot_be_drawn(film, tmp_path):
    nowhere = Caption(film.sentences, 9.0, "m", None)
    with pytest.raises(MediaError, match="in no file that could be drawn"):
        save(nowhere, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
    content = json.loads(text(nowhere, tmp_path / "a.coco.json"))
    assert content["images"] == [{"id": 1, "file_name": "image"}]
    with pytest.raises(ValueError, match="no format 'pdf'"):
        save(nowhere, tmp_path / "a.pdf")
