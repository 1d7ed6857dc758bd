"""Layouts of plain texts, for language models. See `layouts.py`.

An item is a stretch of a file, the one that its index names, from 0; its target says where that begins.
"""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.errors import DataError, MediaError
from pipelines.media.books import read_book
from recipes.data.folders import shown, split_above, split_in, walk
from recipes.data.layouts import Found, Layout
from recipes.data.manifest import Item, Rejected

STRETCH = 2_000  # characters
ABOUT = re.compile(r"(read[ _-]?me|licen[cs]e|copying|changelog|notice|authors)\b", re.IGNORECASE)
PLAIN = re.compile(r"\.(txt|text|md|utf-?8)(\.gz)?$", re.IGNORECASE)


def is_prose(root: Path) -> bool:
    return any(path == root or not ABOUT.match(path.name) for path in _files(root))


def read_prose(root: Path) -> Found:
    for path in _files(root):
        if path != root and ABOUT.match(path.name):
            yield Rejected(
                shown(path, root), "is about the data by its name; to learn from it, give it by itself"
            )
            continue
        try:
            length = len(read_book(path))
        except (MediaError, DataError) as error:
            yield Rejected(shown(path, root), error.cause)
            continue
        split = split_in(path.name) or (split_above(path, root) if root.is_dir() else None)
        for index in range(-(-length // STRETCH)):
            size = min(STRETCH, length - index * STRETCH)
            yield Item(path, f"characters from {index * STRETCH:,}", split, duration=float(size), index=index)


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    return [path for path in walk(root) if PLAIN.search(path.name)] if root.is_dir() else []


PROSE = (Layout("prose", "text files (.txt, .md, also .gz)", is_prose, read_prose),)
