"""Layouts of clips and of captions: what becomes an item, what is turned away and why."""

import os
from pathlib import Path

import pytest
from PIL import Image

from pipelines.errors import DataError
from recipes.data.caption_layouts import CAPTIONS
from recipes.data.clip_layouts import CLIPS
from recipes.data.datasets import read_clips
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


def test_mmaction_lists_of_any_name_and_folders_for_each_split(tmp_path):
    """A list whose name says nothing of frames; never the classes rawframes_train and rawframes_val."""
    for split in ("train", "val"):
        write(tmp_path / f"my_{split}_list.txt", "v 0 3 0\nv1 3 1\n")
        touch(tmp_path, *(f"rawframes_{split}/{clip}/img_1.jpg" for clip in ("v 0", "v1")))
    name, items, rejected = read(tmp_path)
    assert name == "mmaction" and not rejected
    assert items == [
        ("rawframes_train/v 0", "0", "train", None),
        ("rawframes_train/v1", "1", "train", None),
        ("rawframes_val/v 0", "0", "valid", None),
        ("rawframes_val/v1", "1", "valid", None),
    ]


def test_a_line_of_spaces_takes_no_time(tmp_path):
    write(tmp_path / "rawframe_list.txt", "a" + " " * 60_000 + "b\n")
    touch(tmp_path, "x/a.mp4", "y/b.mp4")
    assert read(tmp_path)[0] == "folders"


def test_hmdb51(tmp_path):
    write(tmp_path / "lists/fall floor_test_split1.txt", "a b.avi 1 \nlost.avi 2 \n")
    write(tmp_path / "lists/fall floor_test_split2.txt", "a b.avi 2\n")
    write(tmp_path / "lists/rise_test_split1.txt", "c.avi 0\nd.avi 2\nodd\n")
    touch(tmp_path, "videos/fall floor/a b.mp4", "videos/rise/c.avi", "videos/rise/d.avi")
    name, items, rejected = read(tmp_path)
    assert name == "hmdb51"
    assert items == [
        ("videos/fall floor/a b.mp4", "fall floor", "train", None),
        ("fall floor/lost.avi", "fall floor", "test", None),
        ("videos/rise/d.avi", "rise", "test", None),
    ]
    assert rejected == {
        "lists/rise_test_split1.txt:1": "in neither part of split 1",
        "lists/rise_test_split1.txt:3": "not a clip and 0, 1 or 2",
    }


def test_clips_that_were_converted_are_found(tmp_path):
    write(tmp_path / "classInd.txt", "1 Archery\n")
    write(tmp_path / "trainlist01.txt", "Archery/v_Archery_g01_c01.avi 1\n")
    touch(tmp_path, "UCF-101/Archery/v_Archery_g01_c01.mp4")
    assert read(tmp_path)[1][0][0] == "UCF-101/Archery/v_Archery_g01_c01.mp4"


@pytest.mark.parametrize("head", ["path;label;split", "File\tClass\tSubset", "video_path,action,set"])
def test_tables_as_spreadsheets_write_them(tmp_path, head):
    mark = next(mark for mark in ";\t," if mark in head)
    write(tmp_path / "my clips.csv", f"{head}\na b.mp4{mark}fall{mark}train\nc.mp4{mark}rise{mark}val\n")
    touch(tmp_path, "deep/er/a b.mp4", "c.mp4")
    assert read(tmp_path) == (
        "labels",
        [("deep/er/a b.mp4", "fall", "train", None), ("c.mp4", "rise", "valid", None)],
        {},
    )


def test_a_list_that_is_not_understood_is_named(tmp_path):
    write(tmp_path / "all.txt", "a.mp4 -> walk\n")
    write(tmp_path / "notes.txt", "recorded in May\n")
    touch(tmp_path, "walk/a.mp4", "run/b.mp4")
    name, items, rejected = read(tmp_path)
    assert name == "folders" and len(items) == 2
    assert list(rejected) == ["all.txt"] and "'a.mp4 -> walk'" in rejected["all.txt"]


def test_names_in_another_normal_form(tmp_path):
    """Tables spell names composed; files that were copied from a Mac have them decomposed."""
    write(tmp_path / "labels.csv", "path,label\nclips/d\u00e9j\u00e0.mp4,fall\n")
    touch(tmp_path, "clips/de\u0301ja\u0300.mp4")
    (item,) = read_clips(tmp_path).items
    assert item.path.exists()


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


def animated(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = [Image.new("RGB", (8, 8), (place, 0, 0)) for place in (0, 200)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)


def test_images_among_clips(tmp_path):
    """Animated images are clips; a still one beside clips is named, and its folder is no clip."""
    touch(tmp_path, "up/a.mp4", "up/still.jpg", "up/frames/1.jpg", "up/frames/2.jpg", "down/still.png")
    for name in ("up/b.gif", "up/c.webp", "down/d.png"):
        animated(tmp_path / name)
    name, items, rejected = read(tmp_path)
    assert sorted(items) == [
        ("down/d.png", "down", None, None),
        ("up/a.mp4", "up", None, None),
        ("up/b.gif", "up", None, None),
        ("up/c.webp", "up", None, None),
        ("up/frames", "up", None, None),
    ]
    assert rejected.keys() == {"up/still.jpg", "down/still.png"}
    assert all("a still image" in reason for reason in rejected.values())


def test_folders_of_still_images_are_told(tmp_path):
    touch(tmp_path, "cat/1.jpg", "cat/2.jpg", "dog/3.jpg")
    with pytest.raises(
        DataError, match="cat/1.jpg: a still image: clips are videos, or folders of frames in"
    ):
        read_clips(tmp_path)


def test_a_list_with_a_head_that_is_not_understood_is_named(tmp_path):
    touch(tmp_path, "up/a.mp4", "down/b.mp4")
    write(tmp_path / "labels.csv", "Datei;Klasse\nup/a.mp4;up\ndown/b.mp4;down\n")
    _, items, rejected = read(tmp_path)
    assert len(items) == 2 and "not understood" in rejected["labels.csv"]


@pytest.mark.parametrize("name", ["labels.csv", "labels.jsonl"])
def test_rows_that_name_no_file(tmp_path, name):
    touch(tmp_path, "up/a.mp4", "1.jpg")
    rows = {"labels.csv": "path,label\nup/a.mp4,up\n,down\n"}
    rows["labels.jsonl"] = '{"path": "up/a.mp4", "label": "up"}\n{"path": "", "label": "down"}\n'
    write(tmp_path / name, rows[name])
    _, items, rejected = read(tmp_path)
    assert [item[0] for item in items] == ["up/a.mp4"]
    (reason,) = rejected.values()
    assert reason == "names no file"
