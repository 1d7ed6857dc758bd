"""Layouts of videos with classes, and of pictures with sentences about them. See `layouts.py`.

Of a clip, an item's text is its label. Of a picture there is an item for each sentence: they share its
path, `index` counts them from 0, and they are one group, so that no cut parts them.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from recipes.data.folders import (
    SPLITS,
    first_line,
    head,
    numbered_lines,
    shown,
    split_above,
    split_in,
    split_named,
    tabbed,
    walk,
)
from recipes.data.manifest import Item, Rejected
from recipes.data.speech_layouts import Found, Layout
from recipes.data.written_layouts import PLAIN_IMAGES

VIDEOS = (
    ".mp4", ".avi", ".mkv", ".webm", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".wmv", ".ogv", ".3gp",
    ".gif",
)  # fmt: skip
PLACES = ("videos", "rawframes")  # how folders of clips begin in mmaction's data sets
ENDING = "|".join(re.escape(ending) for ending in VIDEOS)


# labels.csv: path, label and perhaps split, group, and start and end in seconds


def is_clip_table(root: Path) -> bool:
    return {"path", "label"} <= _columns(_clip_table(root))


def read_clip_table(root: Path) -> Found:
    table = _clip_table(root)
    for where, row in _rows(table, table.parent):
        if isinstance(row, Rejected):
            yield row
            continue
        split, times = row.get("split"), _times(row.get("start"), row.get("end"))
        if split and split_named(split) is None:
            yield Rejected(where, f"unknown split {split!r}")
        elif times is None:
            yield Rejected(where, "start and end must be numbers of seconds")
        else:
            path = table.parent / row["path"]
            yield Item(path, row["label"], split_named(split), row.get("group") or None, *times)


def _clip_table(root: Path) -> Path:
    return root if root.suffix == ".csv" else root / "labels.csv"


# Kinetics: label,youtube_id,time_start,time_end,split; clips named <youtube_id>_<start>_<end> anywhere below


def is_kinetics(root: Path) -> bool:
    return bool(_kinetics_tables(root))


def read_kinetics(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    files = {path.stem: path for path in walk(folder) if path.name.lower().endswith(VIDEOS)}
    for table in _kinetics_tables(root):
        for where, row in _rows(table, folder):
            if isinstance(row, Rejected):
                yield row
                continue
            times = _times(row["time_start"], row["time_end"])
            if not times or None in times or not row.get("label"):
                yield Rejected(where, "needs a label, and time_start and time_end in seconds")
                continue
            source = row["youtube_id"]
            split = split_named(row.get("split")) or split_named(table.stem) or split_in(table.stem)
            name = f"{source}_{int(times[0]):06d}_{int(times[1]):06d}"
            if name not in files and source in files:  # the whole video
                yield Item(files[source], row["label"], split, source, *times)
            else:
                yield Item(files.get(name, folder / f"{name}.mp4"), row["label"], split, source)


def _kinetics_tables(root: Path) -> list[Path]:
    tables = [root] if root.is_file() else sorted([*root.glob("*.csv"), *root.glob("*/*.csv")])
    return [path for path in tables if {"youtube_id", "time_start", "time_end"} <= _columns(path)]


# UCF101: classInd.txt, trainlist01.txt, testlist01.txt; clips in a folder for each class


def is_ucf101(root: Path) -> bool:
    return _ucf_lists(root) is not None


def read_ucf101(root: Path) -> Found:
    """Of the three official splits the first one that is there."""
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
    files = _by_name(root, VIDEOS)
    for kind in ("train", "test"):
        for table in sorted(lists.glob(f"{kind}list*.txt"))[:1]:
            for number, line in numbered_lines(table, root):
                if isinstance(line, Rejected):
                    yield line
                elif line.strip():
                    name, _, index = line.strip().partition(" ")
                    label = classes.get(index.strip()) if index else Path(name).parent.name
                    if label not in classes.values():
                        yield Rejected(
                            f"{shown(table, root)}:{number}", "a class that is not in classInd.txt"
                        )
                        continue
                    group = re.match(r"(.+_g\d+)_c\d+", Path(name).stem)  # clips cut from one video
                    yield Item(_placed(name, root, files), label, kind, group[1] if group else None)


def _ucf_lists(root: Path) -> Path | None:
    """The folder of the lists."""
    found = [path.parent for path in (root / "classInd.txt", *sorted(root.glob("*/classInd.txt")))]
    return next((path for path in found if any(path.glob("trainlist*.txt"))), None)


# mmaction: lists of "path label", or "path frames label" for folders of frames; labels are numbers of classes


def is_mmaction(root: Path) -> bool:
    return not is_ucf101(root) and bool(_mmaction_lists(root))


def read_mmaction(root: Path) -> Found:
    """Of several official splits the first one; labels get names where a list of classes lies beside."""
    folder = root.parent if root.is_file() else root
    tables = _mmaction_lists(root)
    first = min(map(_split_number, tables))
    for table in tables:
        if _split_number(table) != first:
            continue
        classes = _classes(table.parent)
        below = [place for place in sorted(folder.iterdir()) if place.name.startswith(PLACES)]
        for number, line in numbered_lines(table, folder):
            where = f"{shown(table, folder)}:{number}"
            if isinstance(line, Rejected):
                yield line
            elif not line.strip():
                continue
            elif not (match := _listed(line, table)):
                yield Rejected(where, "not a path and one label")
            elif match["label"].isdigit() and classes and int(match["label"]) >= len(classes):
                yield Rejected(where, f"label {match['label']}, but there are {len(classes)} classes")
            else:
                label = match["label"]
                label = classes[int(label)] if classes and label.isdigit() else label
                candidates = [place / match["path"] for place in (table.parent, folder, *below)]
                path = next(filter(os.path.exists, candidates), candidates[0])
                yield Item(path, label, split_in(table.stem))


def _mmaction_lists(root: Path) -> list[Path]:
    tables = [root] if root.is_file() else sorted([*root.glob("*.txt"), *root.glob("annotations/*.txt")])
    return [path for path in tables if _listed(first_line(path), path)]


def _listed(line: str, table: Path) -> re.Match | None:
    if "rawframe" in table.name:
        return re.fullmatch(r"\s*(?P<path>\S.*?)\s+\d+\s+(?P<label>\S+)\s*", line)
    return re.fullmatch(rf"\s*(?P<path>\S.*?(?i:{ENDING}))\s+(?P<label>\S+)\s*", line)


def _split_number(table: Path) -> int:
    match = re.search(r"split_?(\d+)", table.stem)
    return int(match[1]) if match else 0


def _classes(folder: Path) -> list[str]:
    """Names of classes, one a line in the order of their numbers."""
    tables = sorted([*folder.glob("*label_map*.txt"), *folder.glob("*classes*.txt")])
    lines = (line for table in tables[:1] for _, line in numbered_lines(table, folder))
    return [line.strip() for line in lines if isinstance(line, str) and line.strip()]


# Folders: <class>/<clip>.mp4, or <class>/<clip>/<frame>.jpg; folders named train, dev, test ... are splits


def is_class_folders(root: Path) -> bool:
    others = (is_clip_table, is_kinetics, is_ucf101, is_mmaction)
    return root.is_dir() and not any(other(root) for other in others) and any(_classed(root))


def read_class_folders(root: Path) -> Found:
    """Folders below that of the class are groups."""
    for place in _clips(root):
        folders = _class_folders(place, root)
        if folders:
            yield Item(place, folders[0], split_above(place, root), "/".join(folders[1:]) or None)
        else:
            yield Rejected(shown(place, root), "in no folder of a class")


def _classed(root: Path) -> Iterator[bool]:
    return (bool(_class_folders(place, root)) for place in _clips(root))


def _class_folders(place: Path, root: Path) -> list[str]:
    return [name for name in place.relative_to(root).parent.parts if name.lower() not in SPLITS]


def _clips(root: Path) -> Iterator[Path]:
    """Video files, and folders of images."""
    folders = {root}
    for path in walk(root):
        if path.name.lower().endswith(VIDEOS):
            yield path
        elif path.name.lower().endswith(PLAIN_IMAGES) and path.parent not in folders:
            folders.add(path.parent)
            yield path.parent


CLIPS = (
    Layout("labels", "labels.csv with path, label and perhaps split, group", is_clip_table, read_clip_table),
    Layout("kinetics", "*.csv with label, youtube_id, time_start, time_end", is_kinetics, read_kinetics),
    Layout("ucf101", "classInd.txt with trainlist01.txt and testlist01.txt", is_ucf101, read_ucf101),
    Layout("mmaction", '*.txt with a clip\'s "path label" a line', is_mmaction, read_mmaction),
    Layout("folders", "a folder of clips for each class", is_class_folders, read_class_folders),
)


# captions.tsv: image, caption and perhaps split, group; a line for each sentence


def is_caption_table(root: Path) -> bool:
    return "\t" in first_line(_caption_table(root))


def read_caption_table(root: Path) -> Found:
    table = _caption_table(root)
    files, sentences = _by_name(table.parent, PLAIN_IMAGES), Counter()
    for row in tabbed(table, ["image", "caption", "split", "group"], needed=2):
        if isinstance(row, Rejected):
            yield row
        else:
            path, split = _placed(row["image"], table.parent, files), split_named(row.get("split"))
            yield _sentence(path, row["caption"], split, sentences, row.get("group"))


def _caption_table(root: Path) -> Path:
    return root if root.suffix == ".tsv" else root / "captions.tsv"


# COCO: annotations/captions_<split>.json with "images" and "annotations"


def is_coco(root: Path) -> bool:
    return bool(_coco_tables(root))


def read_coco(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    files, sentences = _by_name(folder, PLAIN_IMAGES), Counter()
    for table in _coco_tables(root):
        content = _json(table, folder)
        if isinstance(content, Rejected):
            yield content
            continue
        images = _objects(content.get("images"))
        names = {image.get("id"): image.get("file_name") for image in images if _plain(image.get("id"))}
        for number, entry in enumerate(_objects(content.get("annotations"))):
            key, text = entry.get("image_id"), entry.get("caption")
            name = names.get(key) if _plain(key) else None
            if isinstance(name, str) and isinstance(text, str):
                yield _sentence(_placed(name, folder, files), text, split_in(table.stem), sentences)
            else:
                reason = "no caption" if isinstance(name, str) else "of an image that is not listed"
                yield Rejected(f"{shown(table, folder)}: annotation {number}", reason)


def _coco_tables(root: Path) -> list[Path]:
    return [
        path
        for path in _json_files(root)
        if '"file_name"' in head(path) and ("caption" in path.stem or '"caption"' in head(path))
    ]


# Karpathy: dataset_<name>.json with "images", each with its "sentences" and "split"


def is_karpathy(root: Path) -> bool:
    return bool(_karpathy_tables(root))


def read_karpathy(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    files, sentences = _by_name(folder, PLAIN_IMAGES), Counter()
    for table in _karpathy_tables(root):
        content = _json(table, folder)
        if isinstance(content, Rejected):
            yield content
            continue
        for number, image in enumerate(_objects(content.get("images"))):
            name = image.get("filename")
            texts = [sentence.get("raw") for sentence in _objects(image.get("sentences"))]
            if not isinstance(name, str) or not texts or not all(isinstance(text, str) for text in texts):
                where = f"{shown(table, folder)}: image {number}"
                yield Rejected(where, 'needs a "filename" and "sentences", each with its "raw" text')
                continue
            path = _placed(f"{image.get('filepath') or ''}/{name}".lstrip("/"), folder, files)
            for text in texts:
                yield _sentence(path, text, split_named(image.get("split")), sentences)


def _karpathy_tables(root: Path) -> list[Path]:
    return [path for path in _json_files(root) if {'"sentences"', '"filename"'} <= _keys(path)]


# Flickr8k: <name>.token.txt with "<image>#<number>\t<sentence>", and lists such as Flickr_8k.trainImages.txt


def is_flickr(root: Path) -> bool:
    return bool(_token_files(root))


def read_flickr(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    files, sentences = _by_name(folder, PLAIN_IMAGES), Counter()
    for table in _token_files(root):
        splits = {}
        for listing in sorted(table.parent.glob("*[_.]*Images.txt")):
            split = split_named(re.split(r"[._]", listing.stem)[-1].removesuffix("Images"))
            for _, line in numbered_lines(listing, folder):
                if isinstance(line, Rejected):
                    yield line
                elif line.strip():
                    splits[line.strip()] = split
        for number, line in numbered_lines(table, folder):
            if isinstance(line, Rejected):
                yield line
            elif match := re.fullmatch(r"(.+)#\d+\t(.*)", line):
                yield _sentence(_placed(match[1], folder, files), match[2], splits.get(match[1]), sentences)
            elif line.strip():
                yield Rejected(f"{shown(table, folder)}:{number}", "not image#number, a tab and a sentence")


def _token_files(root: Path) -> list[Path]:
    patterns = ("*.token", "*.token.txt", "*/*.token", "*/*.token.txt")
    files = [root] if root.is_file() else sorted(path for pattern in patterns for path in root.glob(pattern))
    return [path for path in files if re.match(r".+#\d+\t", first_line(path))]


CAPTIONS = (
    Layout(
        "captions",
        "captions.tsv with image, caption and perhaps split, group",
        is_caption_table,
        read_caption_table,
    ),
    Layout("coco", 'captions_*.json with "images" and "annotations", and the images', is_coco, read_coco),
    Layout(
        "karpathy", '*.json with "images" that hold "sentences", and the images', is_karpathy, read_karpathy
    ),
    Layout("flickr8k", "*.token.txt with image#number and sentence, and the images", is_flickr, read_flickr),
)


def _sentence(
    path: Path, text: str, split: str | None, sentences: Counter[Path], group: str | None = None
) -> Item:
    """The next sentence about a picture."""
    sentences[path] += 1
    return Item(path, text, split, group or path.stem, index=sentences[path] - 1)


def _times(start: str | None, end: str | None) -> tuple[float | None, float | None] | None:
    """Finite seconds, None where nothing is written; None for both where anything else is."""
    try:
        times = [float(time) if time else None for time in (start, end)]
    except ValueError:
        return None
    return tuple(times) if all(time is None or math.isfinite(time) for time in times) else None


def _columns(table: Path) -> set[str]:
    """Names in the first line of a table of comma-separated values."""
    return {name.lower() for name in _cells(first_line(table))}


def _cells(line: str) -> list[str]:
    """Of a line of comma-separated values; none where its quotes or line ends are out of order."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], strict=True), [])]
    except csv.Error:
        return []


def _rows(table: Path, root: Path) -> Iterator[tuple[str, dict[str, str] | Rejected]]:
    """`file:number` and cells by the lower-case name of their column, or why there are none."""
    columns: list[str] = []
    for number, line in numbered_lines(table, root):
        where = f"{shown(table, root)}:{number}"
        if isinstance(line, Rejected):
            yield where, line
        elif line.strip():
            cells = _cells(line)
            if not columns:
                columns = [cell.lower() for cell in cells]
            elif len(cells) != len(columns):
                yield where, Rejected(where, f"columns: {len(cells)} instead of {len(columns)}")
            else:
                yield where, dict(zip(columns, cells, strict=True))


def _by_name(root: Path, endings: tuple[str, ...]) -> dict[str, Path]:
    """Files below a folder by their names, the first of each."""
    files: dict[str, Path] = {}
    for path in walk(root):
        if path.name.lower().endswith(endings):
            files.setdefault(path.name, path)
    return files


def _placed(name: str, root: Path, files: dict[str, Path]) -> Path:
    """Where a table says that a file is, or else wherever one of its name is."""
    direct = root / name
    return direct if os.path.isfile(direct) else files.get(direct.name, direct)


def _json_files(root: Path) -> list[Path]:
    return [root] if root.is_file() else sorted([*root.glob("*.json"), *root.glob("annotations/*.json")])


def _json(table: Path, root: Path) -> dict | Rejected:
    try:
        content = json.loads(table.read_bytes())
    except (ValueError, RecursionError) as error:
        return Rejected(shown(table, root), f"not JSON ({error})")
    return content if isinstance(content, dict) else Rejected(shown(table, root), "not a JSON object")


def _objects(value: object) -> Iterator[dict]:
    return (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else iter(())


def _plain(value: object) -> bool:
    return isinstance(value, (int, str))


def _keys(path: Path) -> set[str]:
    """Names that JSON in the first part of a file uses."""
    return set(re.findall(r'"\w+"', head(path)))
