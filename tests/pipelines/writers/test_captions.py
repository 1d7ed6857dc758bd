"""Captions as files: text, JSON, COCO, subtitles, pictures of attention."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from pipelines.errors import MediaError
from pipelines.results import Caption, CaptionWord, Sentence
from pipelines.writers import save
from pipelines.writers.attention_map import BLUE
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
    content = json.loads(text(picture, tmp_path / "captions_train.coco-dataset.json"))
    assert content["images"] == [{"id": 139, "file_name": "000000000139.png"}]
    assert content["annotations"] == [{"id": 1, "image_id": 139, "caption": FIRST.text}]
    (tmp_path / "captions_train.coco-dataset.json").rename(tmp_path / "captions_train.json")
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


def test_attention_is_drawn_over_the_picture(picture, tmp_path):
    Image.fromarray(np.full((200, 200, 3), 255, np.uint8)).save(picture.source)
    drawn = np.array(Image.open(save(picture, tmp_path / "a.png")).convert("RGB")).astype(int)
    assert drawn.shape[1] == 3 * 210 + 10  # the picture and two words
    coloured = np.ptp(drawn, axis=2) > 40  # the picture itself is white, and so is the page
    word = slice(220, 420)
    assert coloured[:, :210].sum() == 0 < coloured[:, word].sum()
    rows, columns = np.nonzero(coloured[:, word])
    bright = drawn[:, word].sum(axis=2)  # dark to light is little to much attention
    middle = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
    light = np.argwhere(coloured[:, word] & (bright > np.percentile(bright[rows, columns], 90)))
    assert light[:, 1].mean() < middle[0] and light[:, 0].mean() < middle[1]  # the upper left has most


@pytest.mark.parametrize("size", [(60, 60), (400, 40), (30, 400), (1, 1)])
@pytest.mark.parametrize("count", [0, 1, 3, 12, 40])
def test_the_picture_of_a_caption_has_no_empty_half(tmp_path, size, count):
    Image.new("RGB", size, (200, 30, 30)).save(tmp_path / "x.png")
    words = tuple(CaptionWord("internationalization", 0.5, MAP) for _ in range(count))
    said = Sentence(" ".join(word.text for word in words), 0.5, words)
    result = Caption((said,), 0.0, "m", str(tmp_path / "x.png"))
    drawn = np.array(Image.open(save(result, tmp_path / "a.png")).convert("RGB"))
    inked = (drawn < 250).any(axis=2)
    assert drawn.shape[1] <= 1220 and not inked[:, -4:].any() and not inked[-4:].any()
    assert inked[:, drawn.shape[1] // 2 :].any() and inked[drawn.shape[0] // 2 :].any()
    if count:
        across = np.flatnonzero(inked.any(axis=0))
        assert across[-1] > 0.85 * drawn.shape[1]


def test_each_sentence_of_a_video_has_its_frame_and_bars(film, tmp_path):
    whole = Image.open(save(film, tmp_path / "b.png"))
    one = Image.open(save(dataclasses.replace(film, sentences=(SECOND,)), tmp_path / "c.png"))
    assert whole.height > 1.5 * one.height
    blue = (np.array(one.convert("RGB")) == BLUE).all(axis=2)
    assert blue.sum() > 1000  # both frames have half of the attention
    finer = Image.open(save(film, tmp_path / "d.png", dpi=200.0))
    assert finer.width == pytest.approx(2 * whole.width, abs=4)
    with pytest.raises(ValueError, match="dpi is 0"):
        save(film, tmp_path / "e.png", dpi=0)


def test_what_is_in_no_file_cannot_be_drawn(film, tmp_path):
    nowhere = Caption(film.sentences, 9.0, "m", None)
    with pytest.raises(MediaError, match="in no file that could be drawn"):
        save(nowhere, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
    (only,) = json.loads(text(nowhere, tmp_path / "a.coco.json"))
    assert only == {"image_id": 1, "caption": f"{FIRST.text} {SECOND.text}", "file_name": "image"}
    content = json.loads(text(nowhere, tmp_path / "a.coco-dataset.json"))
    assert content["images"] == [{"id": 1, "file_name": "image"}]
    with pytest.raises(ValueError, match="no format 'pdf'"):
        save(nowhere, tmp_path / "a.pdf")
