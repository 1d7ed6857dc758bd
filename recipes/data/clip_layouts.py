"""Layouts of videos with classes. See `layouts.py`.

The target of an item is its label. A list of clips that is not understood is reported; its clips are not
silently taken from their folders instead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import MediaError
from pipelines.media.images import is_animated
from pipelines.media.picture_frames import IMAGES
from recipes.data.folders import (
    OTHER_SPLITS,
    SPLITS,
    Files,
    first_line,
    head,
    numbered_lines,
    on_disk,
    shown,
    split_above,
    split_in,
    split_named,
    walk,
)
from recipes.data.layouts import Found, Layout
from recipes.data.manifest import Item, Rejected
from recipes.data.tables import ENDINGS, Table, split_of, tables_in, times

VIDEOS = (
    ".mp4", ".avi", ".mkv", ".webm", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".wmv", ".ogv", ".3gp",
    ".gif",
)  # fmt: skip
STILL = "a still image: clips are videos, or folders of frames in the folder of their class"
LOOKED_AT = 5  # lines of a table that may name clips
PLACES = {"videos", "video", "clips", "rawframes", "frames", "data", "dataset", "jpg", "images"}
"""Names of folders that hold clips of all classes."""
COLUMNS = {
    "path": ("file", "filename", "file_name", "filepath", "file_path", "video", "video_path", "clip", "name"),
    "label": ("class", "class_name", "action", "category", "tag", "text"),
    "split": ("set", "subset", "partition", "fold"),
    "group": ("person", "subject", "actor", "source"),
    "start": ("start_time", "time_start", "begin"),
    "end": ("end_time", "time_end", "stop"),
}


# labels.csv: path, label and perhaps split, group, and start and end in seconds


def is_clip_table(root: Path) -> bool:
    return bool(_clip_tables(root))


def read_clip_table(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    files = Files(folder, VIDEOS)
    for table in _clip_tables(root):
        for where, row in table.rows(folder):
            if isinstance(row, Rejected):
                yield row
                continue
            split, span = row.get("split"), times(row.get("start"), row.get("end"))
            if split and split_named(split) is None:
                yield Rejected(where, f"unknown split {split!r}")
            elif span is None:
                yield Rejected(where, "start and end must be numbers of seconds")
            else:
                path = on_disk(table.path.parent / row["path"])  # a folder of frames, too
                path = path if path.exists() else files.place(row["path"], table.path.parent)
                split = split_of(row, table.path, path, folder)
                yield Item(path, row["label"], split, row.get("group") or None, *span)


def _clip_tables(root: Path) -> list[Table]:
    tables = tables_in(root, COLUMNS, "path", "label")
    return [table for table in tables if "youtube_id" not in table.columns]


# Kinetics: label,youtube_id,time_start,time_end,split; clips named <youtube_id>_<start>_<end> anywhere below


def is_kinetics(root: Path) -> bool:
    return bool(_kinetics_tables(root))


def read_kinetics(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    files = Files(folder, VIDEOS)
    for table in _kinetics_tables(root):
        name = table.path.stem
        for where, row in table.rows(folder):
            if isinstance(row, Rejected):
                yield row
                continue
            span = times(row["start"], row["end"])
            if not span or None in span or not row.get("label"):
                yield Rejected(where, "needs a label, and time_start and time_end in seconds")
                continue
            source = row["youtube_id"]
            split = split_named(row.get("split")) or split_named(name) or split_in(name)
            clip = f"{source}_{int(span[0]):06d}_{int(span[1]):06d}"
            if not files.named(clip) and files.named(source):  # the whole video
                yield Item(files.named(source), row["label"], split, source, *span)
            else:
                yield Item(files.named(clip) or folder / f"{clip}.mp4", row["label"], split, source)


def _kinetics_tables(root: Path) -> list[Table]:
    paths = [root] if root.is_file() else sorted([*root.glob("*.csv"), *root.glob("*/*.csv")])
    tables = (Table(path, COLUMNS) for path in paths)
    return [table for table in tables if table.has("youtube_id", "start", "end")]


# UCF101: classInd.txt, trainlist01.txt, testlist01.txt; clips in a folder for each class


def is_ucf101(root: Path) -> bool:
    return _ucf_lists(root) is not None


def read_ucf101(root: Path) -> Found:
    """Read the first of the three official splits that exists."""
    lists = _ucf_lists(root)
    classes = {}
    for number, line in numbered_lines(lists / "classInd.txt", root):
        if isinstance(line, Rejected):
            yield line
        elif line.strip():
            index, _, name = line.strip().partition(" ")
            if not name:
                yield Rejected(f"{shown(lists / 'classInd.txt', root)}:{number}", "not a number and a class")
            classes[index] = name
    files = Files(root, VIDEOS)
    for kind in ("train", "test"):
        for table in sorted(lists.glob(f"{kind}list*.txt"))[:1]:
            for number, line in numbered_lines(table, root):
                if isinstance(line, Rejected):
                    yield line
                elif line.strip():
                    name, _, index = line.strip().partition(" ")
                    label = classes.get(index.strip()) if index else Path(name).parent.name
                    if label not in classes.values():
                        where = f"{shown(table, root)}:{number}"
                        yield Rejected(where, "a class that is not in classInd.txt")
                        continue
                    group = re.match(r"(.+_g\d+)_c\d+", Path(name).stem)  # clips cut from one video
                    yield Item(files.place(name), label, kind, group[1] if group else None)


def _ucf_lists(root: Path) -> Path | None:
    """The folder with the lists, or None."""
    found = [path.parent for path in (root / "classInd.txt", *sorted(root.glob("*/classInd.txt")))]
    return next((path for path in found if any(path.glob("trainlist*.txt"))), None)


# HMDB51: <class>_test_split1.txt with "clip 1" for training, 2 for test, 0 for neither


def is_hmdb(root: Path) -> bool:
    return bool(_hmdb_lists(root))


def read_hmdb(root: Path) -> Found:
    """Read the first of the three official splits that exists."""
    files, tables = Files(root, VIDEOS), _hmdb_lists(root)
    first = min(number for _, _, number in tables)
    for table, label, number in tables:
        if number != first:
            continue
        for place, line in numbered_lines(table, root):
            where = f"{shown(table, root)}:{place}"
            if isinstance(line, Rejected):
                yield line
                continue
            name, _, part = line.strip().rpartition(" ")
            if not line.strip():
                continue
            if part == "0":
                yield Rejected(where, f"in neither part of split {first}")
            elif part not in ("1", "2") or not name.strip():
                yield Rejected(where, "not a clip and 0, 1 or 2")
            else:
                folders = (root / label, *root.glob(f"*/{label}"))
                split = "train" if part == "1" else "test"
                yield Item(files.place(name.strip(), *folders), label, split)


def _hmdb_lists(root: Path) -> list[tuple[Path, str, int]]:
    """All lists with their class and the number of their split."""
    found = []
    for path in sorted([*root.glob("*_test_split*.txt"), *root.glob("*/*_test_split*.txt")]):
        label, _, number = path.stem.rpartition("_test_split")
        if number.isdigit() and label:
            found.append((path, label, int(number)))
    return found


# mmaction: lists of "path label", or "path frames label" for folders of frames; labels are numbers of classes


def is_mmaction(root: Path) -> bool:
    return not is_ucf101(root) and not is_hmdb(root) and bool(_mmaction_lists(root))


def read_mmaction(root: Path) -> Found:
    """Read the first of several official splits; a list of classes beside it gives the names of labels."""
    folder = root.parent if root.is_file() else root
    tables = _mmaction_lists(root)
    first = min(map(_split_number, tables))
    for table in tables:
        if _split_number(table) != first:
            continue
        classes, places = _classes(table.parent), _places(table, folder)
        for number, line in numbered_lines(table, folder):
            where = f"{shown(table, folder)}:{number}"
            if isinstance(line, Rejected):
                yield line
            elif not line.strip():
                continue
            elif not (listed := _listed(line, places)):
                yield Rejected(where, "not a path and one label")
            elif listed[1].isdigit() and classes and int(listed[1]) >= len(classes):
                yield Rejected(where, f"label {listed[1]}, but there are {len(classes)} classes")
            else:
                name, label = listed
                label = classes[int(label)] if classes and label.isdigit() else label
                candidates = [on_disk(place / name) for place in places]
                path = next(filter(os.path.exists, candidates), candidates[0])
                yield Item(path, label, split_in(table.stem))


def _mmaction_lists(root: Path) -> list[Path]:
    folder = root.parent if root.is_file() else root
    tables = [root] if root.is_file() else sorted([*root.glob("*.txt"), *root.glob("annotations/*.txt")])
    return [path for path in tables if _listed(first_line(path), _places(path, folder))]


def _places(table: Path, folder: Path) -> list[Path]:
    """Folders to which the paths of a list may be relative, that of its own split first."""
    below = [place for place in sorted(folder.iterdir()) if place.is_dir() and is_place(place.name)]
    split = split_in(table.stem)
    below.sort(key=lambda place: split_in(place.name) != split)
    return [table.parent, folder, *below]


def _listed(line: str, places: list[Path]) -> tuple[str, str] | None:
    """Parse a line: path and label of a video, or of a folder of frames with their count in between."""
    parts = line.strip().rsplit(None, 1)
    if len(parts) == 2 and parts[0].lower().endswith(VIDEOS):
        return parts[0], parts[1]
    parts = line.strip().rsplit(None, 2)
    if len(parts) == 3 and parts[1].isdigit() and len(parts[1]) < 9:
        exists = any(os.path.isdir(on_disk(place / parts[0])) for place in places)
        return (parts[0], parts[2]) if exists else None
    return None


def _split_number(table: Path) -> int:
    match = re.search(r"split_?(\d{1,9})", table.stem)
    return int(match[1]) if match else 0


def _classes(folder: Path) -> list[str]:
    """Names of classes, one per line in the order of their numbers."""
    tables = sorted([*folder.glob("*label_map*.txt"), *folder.glob("*classes*.txt")])
    lines = (line for table in tables[:1] for _, line in numbered_lines(table, folder))
    return [line.strip() for line in lines if isinstance(line, str) and line.strip()]


# Folders: <class>/<clip>.mp4, or <class>/<clip>/<frame>.jpg; folders named train, dev, test ... are splits


def is_class_folders(root: Path) -> bool:
    others = (is_clip_table, is_kinetics, is_ucf101, is_hmdb, is_mmaction)
    return root.is_dir() and not any(other(root) for other in others) and any(_classed(root))


def read_class_folders(root: Path) -> Found:
    """Read clips in folders of classes; folders below that of the class are groups."""
    names = set()
    for place in _clips(root):
        if isinstance(place, Rejected):
            yield place
            continue
        names |= {place.name, place.stem}
        folders = _class_folders(place, root)
        if folders:
            split = split_above(place, root) or _split_of_places(place, root)
            yield Item(place, folders[0], split, "/".join(folders[1:]) or None)
        else:
            yield Rejected(shown(place, root), "in no folder of a class")
    for table in sorted(path for end in (*ENDINGS, ".json") for path in root.glob(f"*{end}")):
        line, lines = first_line(table), " ".join(head(table).split("\n")[:LOOKED_AT])
        if any(
            Path(word).name in names or Path(word).stem in names for word in re.split(r'[\s,;|"]+', lines)
        ):
            cause = f"a list that is not understood (its first line: {line[:60]!r}); classes are from folders"
            yield Rejected(shown(table, root), cause)


def is_place(name: str) -> bool:
    """Whether a folder is named after its content or split, such as rawframes_train, not after a class."""
    parts = [part for part in re.split(r"[^a-z]+", name.lower()) if part]
    known = PLACES | SPLITS.keys() | OTHER_SPLITS.keys()
    return bool(parts) and all(part in known for part in parts) and not PLACES.isdisjoint(parts)


def _split_of_places(place: Path, root: Path) -> str | None:
    folders = (name for name in place.relative_to(root).parent.parts if is_place(name))
    return next(filter(None, map(split_in, folders)), None)


def _classed(root: Path) -> Iterator[bool]:
    return (isinstance(place, Rejected) or bool(_class_folders(place, root)) for place in _clips(root))


def _class_folders(place: Path, root: Path) -> list[str]:
    folders = place.relative_to(root).parent.parts
    return [name for name in folders if name.lower() not in SPLITS and not is_place(name)]


def _clips(root: Path) -> Iterator[Path | Rejected]:
    """All video files, animated images and folders of frames; and still images in folders of a class.

    A folder of images is one of frames where it lies in the folder of a class and holds no other clips.
    """
    paths = [path for path in walk(root) if path.name.lower().endswith((*VIDEOS, *IMAGES))]
    holding = {folder for path in paths if path.name.lower().endswith(VIDEOS) for folder in path.parents}
    frames: set[Path] = set()
    given: set[Path] = set()
    for folder in sorted({path.parent for path in paths} - holding, key=lambda each: -len(each.parts)):
        if _class_folders(folder, root) and folder not in holding:
            frames.add(folder)
            holding.update(folder.parents)
    for path in paths:
        if path.name.lower().endswith(VIDEOS):
            yield path
        elif path.parent in frames:
            if path.parent not in given:
                given.add(path.parent)
                yield path.parent
        elif path.parent != root:
            yield path if _moves(path) else Rejected(shown(path, root), STILL)


def _moves(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_animated(file, str(path))
    except (MediaError, OSError):
        return False


CLIPS = (
    Layout("labels", "labels.csv with path, label and perhaps split, group", is_clip_table, read_clip_table),
    Layout("kinetics", "*.csv with label, youtube_id, time_start, time_end", is_kinetics, read_kinetics),
    Layout("ucf101", "classInd.txt with trainlist01.txt and testlist01.txt", is_ucf101, read_ucf101),
    Layout("hmdb51", "<class>_test_split1.txt with a clip and 0, 1 or 2 a line", is_hmdb, read_hmdb),
    Layout("mmaction", '*.txt with a clip\'s "path label" a line', is_mmaction, read_mmaction),
    Layout("folders", "a folder of clips for each class", is_class_folders, read_class_folders),
)
