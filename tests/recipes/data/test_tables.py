"""Tables of JSON lines, and the metadata of Hugging Face's folders, for the recipes that read tables."""

import json
from pathlib import Path

import pytest

from recipes.data.caption_layouts import CAPTIONS
from recipes.data.clip_layouts import CLIPS
from recipes.data.manifest import Rejected
from recipes.data.speech_layouts import SPEECH
from recipes.data.written_layouts import HANDWRITING

FAMILIES = [
    (SPEECH, "wav", "transcription"),
    (HANDWRITING, "png", "text"),
    (CLIPS, "mp4", "label"),
    (CAPTIONS, "jpg", "text"),
]
every_family = pytest.mark.parametrize("layouts, ending, key", FAMILIES)


def written(path: Path, *rows: dict | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in rows))


def found(layouts, root: Path) -> tuple[list[tuple], dict[str, str]]:
    layout = next(each for each in layouts if each.matches(root))
    every = list(layout.read(root))
    rejected = {each.path: each.reason for each in every if isinstance(each, Rejected)}
    items = [each for each in every if not isinstance(each, Rejected)]
    return [(each.path.relative_to(root).as_posix(), each.target, each.split) for each in items], rejected


@every_family
def test_metadata_in_the_folders_of_the_splits(layouts, ending, key, tmp_path):
    for split, name in (("train", "a"), ("test", "b"), ("validation", "c")):
        written(tmp_path / split / "metadata.jsonl", {"file_name": f"{name}.{ending}", key: f"the {name}"})
        (tmp_path / split / f"{name}.{ending}").touch()
    items, rejected = found(layouts, tmp_path)
    assert not rejected and sorted(items) == [
        (f"test/b.{ending}", "the b", "test"),
        (f"train/a.{ending}", "the a", "train"),
        (f"validation/c.{ending}", "the c", "valid"),
    ]


@every_family
def test_a_line_that_is_wrong_costs_itself(layouts, ending, key, tmp_path):
    row = {"file_name": f"train/a.{ending}", key: "one", "size": [3, 4], "extra": None}
    written(tmp_path / "metadata.jsonl", row, "{", "", [1], {"file_name": "x"}, row | {key: "two"})
    (tmp_path / "train").mkdir()
    (tmp_path / f"train/a.{ending}").touch()
    items, rejected = found(layouts, tmp_path)
    assert items == [(f"train/a.{ending}", text, "train") for text in ("one", "two")]
    assert list(rejected) == [f"metadata.jsonl:{line}" for line in (2, 4, 5)]
    assert all(key in why or "text" in why or "caption" in why for why in rejected.values())


def test_several_captions_of_an_image_and_the_text_of_donut(tmp_path):
    written(tmp_path / "metadata.jsonl", {"file_name": "a.png", "captions": ["a dog", "a cat"]})
    (tmp_path / "a.png").touch()
    assert [text for _, text, _ in found(CAPTIONS, tmp_path)[0]] == ["a dog", "a cat"]
    truth = json.dumps({"gt_parse": {"text_sequence": "read me"}})
    written(tmp_path / "metadata.jsonl", {"file_name": "a.png", "ground_truth": truth})
    assert found(HANDWRITING, tmp_path)[0] == [("a.png", "read me", None)]
