"""Layouts of pictures and videos with sentences about them. See `layouts.py`.

There is one item per sentence. Sentences about one picture share its path, are numbered from 0 by `index`,
and form one group, so that they stay in one split.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from recipes.data.clip_layouts import VIDEOS
from recipes.data.folders import (
    Files,
    first_line,
    mentions,
    numbered_lines,
    shown,
    split_in,
    split_named,
    tabbed,
)
from recipes.data.layouts import Found, Layout
from recipes.data.manifest import Item, Rejected
from recipes.data.tables import Table, split_of, tables_in
from recipes.data.written_layouts import PLAIN_IMAGES

MEDIA = (*PLAIN_IMAGES, *VIDEOS)
COLUMNS = {
    "image": ("image_name", "image_path", "filename", "file_name", "file", "path", "video", "name"),
    "caption": ("comment", "sentence", "text", "description", "title", "captions", "sentences"),
    "split": ("set", "subset", "partition"),
    "group": (),
}


# captions.tsv: image, caption and perhaps split, group; a line for each sentence


def is_caption_table(root: Path) -> bool:
    return "\t" in first_line(_caption_table(root)) or bool(_named_tables(root))


def read_caption_table(root: Path) -> Found:
    """Read captions.tsv, with or without column names, or any table whose first line names the columns."""
    folder = root.parent if root.is_file() else root
    files, sentences = Files(folder, MEDIA), Counter()
    plain = _caption_table(root)
    if "\t" in first_line(plain):
        for row in tabbed(plain, ["image", "caption", "split", "group"], needed=2):
            yield row if isinstance(row, Rejected) else _row(row, plain, files, sentences)
        return
    for table in _named_tables(root):
        for where, row in table.rows(folder):
            if isinstance(row, Rejected):
                yield row
            elif row.get("split") and split_named(row["split"]) is None:
                yield Rejected(where, f"unknown split {row['split']!r}")
            else:
                yield _row(row, table.path, files, sentences)


def _row(row: dict[str, str], table: Path, files: Files, sentences: Counter[Path]) -> Item:
    path = files.place(row["image"], table.parent)
    split = split_of(row, table, path, files.root)
    return _sentence(path, row["caption"], split, sentences, row.get("group"))


def _caption_table(root: Path) -> Path:
    return root if root.suffix == ".tsv" else root / "captions.tsv"


def _named_tables(root: Path) -> list[Table]:
    """Tables with column names, such as Kaggle's of Flickr8k (captions.txt) and Flickr30k (results.csv)."""
    return tables_in(root, COLUMNS, "image", "caption")


# COCO: annotations/captions_<split>.json with "images" and "annotations"


def is_coco(root: Path) -> bool:
    return bool(_coco_tables(root))


def read_coco(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    files, sentences = Files(folder, MEDIA), Counter()
    for table in _coco_tables(root):
        try:
            content = _json(table)
        except ValueError as error:
            yield Rejected(shown(table, folder), str(error))
            continue
        names = {_key(image.get("id")): image.get("file_name") for image in _objects(content.get("images"))}
        for number, entry in enumerate(_objects(content.get("annotations"))):
            name, text = names.get(_key(entry.get("image_id"))), entry.get("caption")
            if isinstance(name, str) and isinstance(text, str):
                yield _sentence(files.place(name), text, split_in(table.stem), sentences)
            else:
                reason = "no caption" if isinstance(name, str) else "of an image that is not listed"
                yield Rejected(f"{shown(table, folder)}: annotation {number}", reason)


def _coco_tables(root: Path) -> list[Path]:
    return [
        path
        for path in _json_files(root)
        if mentions(path, '"file_name"') and ("caption" in path.stem or mentions(path, '"caption"'))
    ]


def _key(value: object) -> str | None:
    """The id of an image, which some tools write as a number and others as a string."""
    return str(value) if isinstance(value, (int, str)) else None


# Karpathy: dataset_<name>.json with "images", each with its "sentences" and "split"


def is_karpathy(root: Path) -> bool:
    return bool(_karpathy_tables(root))


def read_karpathy(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    files, sentences = Files(folder, MEDIA), Counter()
    for table in _karpathy_tables(root):
        try:
            content = _json(table)
        except ValueError as error:
            yield Rejected(shown(table, folder), str(error))
            continue
        for number, image in enumerate(_objects(content.get("images"))):
            name = image.get("filename")
            texts = [_said(sentence) for sentence in _objects(image.get("sentences"))]
            if not isinstance(name, str) or not texts or None in texts:
                where = f"{shown(table, folder)}: image {number}"
                yield Rejected(
                    where, 'needs a "filename" and "sentences", each with its "raw" text or "tokens"'
                )
                continue
            path = files.place(f"{image.get('filepath') or ''}/{name}".lstrip("/"))
            for text in texts:
                yield _sentence(path, text, split_named(image.get("split")), sentences)


def _said(sentence: dict) -> str | None:
    raw, tokens = sentence.get("raw"), sentence.get("tokens")
    if isinstance(raw, str):
        return raw
    if isinstance(tokens, list) and tokens and all(isinstance(token, str) for token in tokens):
        return " ".join(tokens)
    return None


def _karpathy_tables(root: Path) -> list[Path]:
    return [path for path in _json_files(root) if mentions(path, '"sentences"', '"filename"')]


# Flickr8k: <name>.token.txt with "<image>#<number>\t<sentence>", and lists such as Flickr_8k.trainImages.txt


def is_flickr(root: Path) -> bool:
    return bool(_token_files(root))


def read_flickr(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    files, sentences = Files(folder, MEDIA), Counter()
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
            elif match := _token_line(line):
                yield _sentence(files.place(match[0]), match[1], splits.get(match[0]), sentences)
            elif line.strip():
                yield Rejected(f"{shown(table, folder)}:{number}", "not image#number, a tab and a sentence")


def _token_line(line: str) -> tuple[str, str] | None:
    key, tab, text = line.partition("\t")
    image, mark, number = key.rpartition("#")
    return (image, text) if tab and mark and image and number.isdigit() else None


def _token_files(root: Path) -> list[Path]:
    patterns = ("*.token", "*.token.txt", "*/*.token", "*/*.token.txt")
    files = [root] if root.is_file() else sorted(path for pattern in patterns for path in root.glob(pattern))
    return [path for path in files if _token_line(first_line(path))]


CAPTIONS = (
    Layout(
        "captions",
        "captions.tsv or captions.csv with image, caption and perhaps split, group",
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
    """The item of the next sentence about a picture."""
    sentences[path] += 1
    return Item(path, text, split, group or path.stem, index=sentences[path] - 1)


def _json_files(root: Path) -> list[Path]:
    return [root] if root.is_file() else sorted([*root.glob("*.json"), *root.glob("annotations/*.json")])


def _json(table: Path) -> dict:
    """The object that a JSON file holds.

    Raises:
        ValueError: it cannot be read, or holds anything else.
    """
    try:
        content = json.loads(table.read_bytes())
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON ({error})") from error
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return content


def _objects(value: object) -> Iterator[dict]:
    return (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else iter(())
