"""Layouts of captions: what becomes an item, what is turned away and why."""

import json
from pathlib import Path

import pytest

from recipes.data.caption_layouts import CAPTIONS
from recipes.data.manifest import Item
from tests.recipes.data.test_clip_layouts import read, touch, write


def places(root: Path, layout: str) -> list:
    (chosen,) = [each for each in CAPTIONS if each.name == layout]
    return [item.index for item in chosen.read(root) if isinstance(item, Item)]


def test_captions_table(tmp_path):
    touch(tmp_path, "images/a.webp", "b.png")
    table = 'image\tcaption\tsplit\tgroup\na.webp\ta "dog" .\ttrain\nb.png\ttwo cats\tval\tpets\n'
    write(tmp_path / "captions.tsv", table + "a.webp\ta dog\ttrain\nb.png\nb.png\tx\tsome\n")
    name, items, rejected = read(tmp_path, CAPTIONS)
    assert name == "captions"
    assert items == [
        ("images/a.webp", 'a "dog" .', "train", "a"),
        ("b.png", "two cats", "valid", "pets"),
        ("images/a.webp", "a dog", "train", "a"),
    ]
    assert places(tmp_path, "captions") == [0, 0, 1]
    assert rejected == {
        "captions.tsv:5": "not image, caption, split, group (columns: 1)",
        "captions.tsv:6": "unknown split 'some'",
    }


def test_coco(tmp_path):
    images = [{"id": 7, "file_name": "7.jpg"}, {"id": 8, "file_name": "8.jpg"}, "odd", {"id": [1]}]
    notes = [(7, "one"), (8, "two"), (7, "one more"), (9, "none"), (8, None)]
    notes = [{"image_id": key, "caption": text} for key, text in notes]
    content = json.dumps({"images": images, "annotations": notes})
    write(tmp_path / "annotations/captions_train2017.json", content)
    write(tmp_path / "annotations/captions_val2017.json", content[:-9])
    write(tmp_path / "annotations/instances_train2017.json", json.dumps({"images": images}))
    touch(tmp_path, "train2017/7.jpg", "train2017/8.jpg")
    name, items, rejected = read(tmp_path, CAPTIONS)
    assert name == "coco"
    assert items == [
        ("train2017/7.jpg", "one", "train", "7"),
        ("train2017/8.jpg", "two", "train", "8"),
        ("train2017/7.jpg", "one more", "train", "7"),
    ]
    assert places(tmp_path, "coco") == [0, 0, 1]
    table = "annotations/captions_train2017.json: annotation"
    assert rejected.pop("annotations/captions_val2017.json").startswith("not JSON")
    assert rejected == {f"{table} 3": "of an image that is not listed", f"{table} 4": "no caption"}


def test_karpathy(tmp_path):
    sentences = [{"tokens": ["a"], "raw": "A dog."}, {"raw": "Some dog."}]
    entries = [
        {"filename": "a.jpg", "split": "restval", "sentences": sentences},
        {"filename": "b.jpg", "filepath": "val2014", "split": "val", "sentences": sentences[:1]},
        {"filename": "c.jpg", "split": "test", "sentences": []},
    ]
    write(tmp_path / "dataset_coco.json", json.dumps({"images": entries, "dataset": "coco"}))
    touch(tmp_path, "train2014/a.jpg", "val2014/b.jpg")
    name, items, rejected = read(tmp_path, CAPTIONS)
    assert name == "karpathy"
    assert items == [
        ("train2014/a.jpg", "A dog.", "train", "a"),
        ("train2014/a.jpg", "Some dog.", "train", "a"),
        ("val2014/b.jpg", "A dog.", "valid", "b"),
    ]
    assert list(rejected) == ["dataset_coco.json: image 2"]


def test_flickr8k(tmp_path):
    write(
        tmp_path / "text/Flickr8k.token.txt", "a.jpg#0\tA dog .\na.jpg#1\tIt runs .\nb.jpg#0\tA cat .\nbad\n"
    )
    for split, name in (("train", "a.jpg"), ("dev", "b.jpg"), ("test", "c.jpg")):
        write(tmp_path / f"text/Flickr_8k.{split}Images.txt", f"{name}\n")
    touch(tmp_path, "Flicker8k_Dataset/a.jpg", "Flicker8k_Dataset/b.jpg")
    name, items, rejected = read(tmp_path, CAPTIONS)
    assert name == "flickr8k"
    assert items == [
        ("Flicker8k_Dataset/a.jpg", "A dog .", "train", "a"),
        ("Flicker8k_Dataset/a.jpg", "It runs .", "train", "a"),
        ("Flicker8k_Dataset/b.jpg", "A cat .", "valid", "b"),
    ]
    assert rejected == {"text/Flickr8k.token.txt:4": "not image#number, a tab and a sentence"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("captions.txt", 'image,caption\na.png,A circle .\na.png,"A circle, blue ."\nb.png,A heart .\n'),
        ("captions.csv", "File_Name;Text\na.png;A circle .\na.png;A circle, blue .\nb.png;A heart .\n"),
        (
            "results.csv",
            "image_name| comment_number| comment\na.png| 0| A circle .\na.png| 1| A circle, blue .\n"
            "b.png| 0| A heart .\n",
        ),
    ],
    ids=["Kaggle's Flickr8k", "spreadsheet", "Flickr30k"],
)
def test_tables_that_name_their_columns(tmp_path, file, text):
    write(tmp_path / file, text)
    touch(tmp_path, "Images/a.png", "Images/b.png")
    name, items, rejected = read(tmp_path, CAPTIONS)
    assert name == "captions" and not rejected
    assert [(path, text) for path, text, _, _ in items] == [
        ("Images/a.png", "A circle ."),
        ("Images/a.png", "A circle, blue ."),
        ("Images/b.png", "A heart ."),
    ]


def test_coco_in_any_order_of_keys_and_kinds_of_ids(tmp_path):
    notes = [{"image_id": 1, "caption": f"sentence {n}", "id": n} for n in range(3000)]
    content = {"annotations": [*notes, {"image_id": "2", "caption": "b"}]}
    content["images"] = [{"id": "1", "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}]
    write(tmp_path / "mine.json", json.dumps(content))
    touch(tmp_path, "a.png", "b.png")
    name, items, rejected = read(tmp_path, CAPTIONS)
    assert name == "coco" and len(items) == 3001 and not rejected
    assert items[-1][:2] == ("b.png", "b")


def test_karpathy_with_tokens_only(tmp_path):
    image = {"filename": "a.png", "split": "train", "sentences": [{"tokens": ["a", "blue", "circle"]}]}
    write(tmp_path / "dataset_x.json", json.dumps({"images": [image]}))
    touch(tmp_path, "a.png")
    assert read(tmp_path, CAPTIONS)[1] == [("a.png", "a blue circle", "train", "a")]
