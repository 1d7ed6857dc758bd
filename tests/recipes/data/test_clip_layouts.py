"""Layouts of clips and of captions: what becomes an item, what is turned away and why."""

import json
import os
from pathlib import Path

import pytest

from recipes.data.clip_layouts import CAPTIONS, CLIPS
from recipes.data.manifest import Item

needs_data = pytest.mark.skipif("TRISCRIBE_DATA" not in os.environ, reason="TRISCRIBE_DATA is not set")


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def read(root: Path, layouts=CLIPS):
    """The one layout that fits, the items as (path, text, split, group), and what was rejected."""
    (layout,) = [layout for layout in layouts if layout.matches(root)]
    folder = root.parent if root.is_file() else root
    found = list(layout.read(root))
    items = [
        (str(item.path.relative_to(folder)), item.target, item.split, item.group)
        for item in found
        if isinstance(item, Item)
    ]
    return layout.name, items, {bad.path: bad.reason for bad in found if not isinstance(bad, Item)}


def test_folders(tmp_path):
    touch(
        tmp_path, "train/walk/a.mp4", "val/walk/b.AVI", "test/run fast/p1/c.webm", "test/run fast/notes.txt"
    )
    touch(tmp_path, "train/run fast/d/1.jpg", "train/run fast/d/2.jpg", "stray.mp4", ".git/x/y.mp4")
    name, items, rejected = read(tmp_path)
    assert name == "folders"
    assert items == [
        ("test/run fast/p1/c.webm", "run fast", "test", "p1"),
        ("train/run fast/d", "run fast", "train", None),
        ("train/walk/a.mp4", "walk", "train", None),
        ("val/walk/b.AVI", "walk", "valid", None),
    ]
    assert rejected == {"stray.mp4": "in no folder of a class"}


def test_labels(tmp_path):
    table = 'Path,Label,Split,Group,Start,End,url\r\nw/a.mp4,"walk, slowly",val,s1,,,u\r\n\r\n'
    table += "w/b.mp4,walk,train,,1.5,4,u\nw/c.mp4,walk\nw/d.mp4,walk,some,,,,u\nw/e.mp4,walk,train,,x,,u\n"
    table += 'w/f.mp4,"walk,train,,,,u\n'
    write(tmp_path / "labels.csv", table.encode() + b"w/g.mp4,\xff,train,,,,u\n")
    touch(tmp_path, "w/a.mp4", "w/b.mp4")
    name, items, rejected = read(tmp_path)
    assert name == "labels"
    assert items == [("w/a.mp4", "walk, slowly", "valid", "s1"), ("w/b.mp4", "walk", "train", None)]
    assert rejected == {
        "labels.csv:5": "columns: 2 instead of 7",
        "labels.csv:6": "unknown split 'some'",
        "labels.csv:7": "start and end must be numbers of seconds",
        "labels.csv:8": "columns: 0 instead of 7",
        "labels.csv:9": "not UTF-8 (byte 8 of the line)",
    }
    parts = [(item.start, item.end) for item in CLIPS[0].read(tmp_path) if isinstance(item, Item)]
    assert parts == [(None, None), (1.5, 4.0)]
    assert read(tmp_path / "labels.csv")[1] == items


def test_kinetics(tmp_path):
    head = '"label","youtube_id","time_start","time_end","split"\n'
    rows = '"massaging person\'s head","-abc_1",12,22,"train"\n"x","lost",0,10,"train"\n'
    rows += '"y","whole",3,13,"train"\n'
    write(tmp_path / "annotations/train.csv", head + rows + '"z","bad",a,10,"train"\n')
    write(tmp_path / "annotations/validate.csv", head + '"y","v",5,15,"validate"\n')
    write(tmp_path / "annotations/test.csv", "youtube_id,time_start,time_end,split\nt,1,11,test\n")
    touch(tmp_path, "train/massaging/-abc_1_000012_000022.mp4", "val/v_000005_000015.mp4", "raw/whole.webm")
    name, items, rejected = read(tmp_path)
    assert name == "kinetics"
    assert items == [
        ("train/massaging/-abc_1_000012_000022.mp4", "massaging person's head", "train", "-abc_1"),
        ("lost_000000_000010.mp4", "x", "train", "lost"),
        ("raw/whole.webm", "y", "train", "whole"),
        ("val/v_000005_000015.mp4", "y", "valid", "v"),
    ]
    needs = "needs a label, and time_start and time_end in seconds"
    assert rejected == {"annotations/train.csv:5": needs, "annotations/test.csv:2": needs}
    spans = {
        item.target: (item.start, item.end) for item in CLIPS[1].read(tmp_path) if isinstance(item, Item)
    }
    assert spans["x"] == (None, None) and spans["y"] == (None, None)
    whole = next(item for item in CLIPS[1].read(tmp_path) if isinstance(item, Item) and item.group == "whole")
    assert (whole.start, whole.end) == (3.0, 13.0)


def test_ucf101(tmp_path):
    write(tmp_path / "lists/classInd.txt", "1 Archery\r\n2 Biking\r\n")
    for number in "12":
        write(
            tmp_path / f"lists/trainlist0{number}.txt", f"Archery/v_Archery_g0{number}_c01.avi 1\nX/v.avi 7\n"
        )
        write(tmp_path / f"lists/testlist0{number}.txt", f"Biking/v_Biking_g0{number}_c03.avi\nY/v.avi\n")
    touch(tmp_path, "UCF-101/Archery/v_Archery_g01_c01.avi", "UCF-101/Biking/v_Biking_g01_c03.avi")
    name, items, rejected = read(tmp_path)
    assert name == "ucf101"
    assert items == [
        ("UCF-101/Archery/v_Archery_g01_c01.avi", "Archery", "train", "v_Archery_g01"),
        ("UCF-101/Biking/v_Biking_g01_c03.avi", "Biking", "test", "v_Biking_g01"),
    ]
    unknown = "a class that is not in classInd.txt"
    assert rejected == {"lists/trainlist01.txt:2": unknown, "lists/testlist01.txt:2": unknown}


def test_mmaction(tmp_path):
    lists = {
        "train_split_1_videos": "a b/x 1.MP4 0\ny.mp4 2\nz.mp4 5\nw.mp4 0 1\n",
        "val_split_1_videos": "v.avi 1\n",
    }
    for stem, text in lists.items():
        write(tmp_path / f"annotations/set_{stem}.txt", text)
    write(tmp_path / "annotations/set_train_split_2_videos.txt", "v.avi 1\n")
    write(tmp_path / "annotations/label_map.txt", "walk\nrun\njump high\n")
    touch(tmp_path, "videos/a b/x 1.MP4", "videos/y.mp4", "videos/v.avi")
    name, items, rejected = read(tmp_path)
    assert name == "mmaction"
    assert items == [
        ("videos/a b/x 1.MP4", "walk", "train", None),
        ("videos/y.mp4", "jump high", "train", None),
        ("videos/v.avi", "run", "valid", None),
    ]
    assert rejected == {
        "annotations/set_train_split_1_videos.txt:3": "label 5, but there are 3 classes",
        "annotations/set_train_split_1_videos.txt:4": "not a path and one label",
    }


def test_mmaction_folders_of_frames(tmp_path):
    write(tmp_path / "train_rawframes.txt", "clip 1 30 4\n")
    touch(tmp_path, "rawframes/clip 1/img_00001.jpg", "rawframes/clip 1/img_00002.jpg")
    assert read(tmp_path) == ("mmaction", [("rawframes/clip 1", "4", "train", None)], {})


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


def test_what_is_none_of_these(tmp_path):
    touch(tmp_path, "a.mp4", "b.jpg", "x/notes.txt", "labels.csv", "captions.tsv", "x.json")
    write(tmp_path / "broken.csv", 'a\r"b\n')
    assert not [layout for layout in (*CLIPS, *CAPTIONS) if layout.matches(tmp_path)]


@needs_data
def test_real_clips_and_captions():
    data = Path(os.environ["TRISCRIBE_DATA"])
    name, items, rejected = read(data / "video/yoga_phases")
    assert (name, len(items), rejected) == ("labels", 166, {})
    assert [sum(item[2] == split for item in items) for split in ("train", "valid", "test")] == [108, 20, 38]
    name, items, rejected = read(data / "captions/noto_emoji", CAPTIONS)
    assert (name, len(items), rejected) == ("captions", 3414, {})
    assert all((data / "captions/noto_emoji" / item[0]).is_file() for item in items[::500])
