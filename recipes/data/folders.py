"""Looking through a data set's folder: its files, its tables, and what their names say.

Hidden files and folders (a leading dot) are no part of a data set.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import DataError
from recipes.data.manifest import Rejected

SPLITS = {
    "train": "train", "training": "train", "trn": "train",
    "valid": "valid", "validation": "valid", "val": "valid", "dev": "valid",
    "test": "test", "testing": "test", "tst": "test", "eval": "test",
}  # fmt: skip
OTHER_SPLITS = {"validate": "valid", "restval": "train"}  # Kinetics' and Karpathy's names


def split_named(name: object) -> str | None:
    """The split that a cell of a table names."""
    name = str(name or "").strip().lower()
    return SPLITS.get(name) or OTHER_SPLITS.get(name)


def split_in(name: str) -> str | None:
    """The split that a file or folder name names: an4_train -> train, dev-clean -> valid, notes -> None."""
    parts = re.split(r"[^a-z]+", name.lower())
    return next((SPLITS[part] for part in parts if part in SPLITS), None)


def split_above(path: Path, root: Path) -> str | None:
    """The split that one of the folders between a data set's and a file is named after."""
    folders = (folder.lower() for folder in path.relative_to(root).parent.parts)
    return next((SPLITS[folder] for folder in folders if folder in SPLITS), None)


def walk(root: Path) -> Iterator[Path]:
    """Files below `root` in a fixed order, through linked folders (once each), hidden ones left out."""
    seen = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        folders[:] = [] if real in seen else sorted(name for name in folders if not name.startswith("."))
        if real not in seen:
            yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))
        seen.add(real)


def numbered_lines(path: Path, root: Path) -> Iterator[tuple[int, str | Rejected]]:
    """Numbered lines of a UTF-8 table; a line that is not UTF-8 comes as a `Rejected`.

    Only line feeds end a line: sentences may hold U+2028 and the like, which `splitlines` cuts at.
    """
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(path, "UTF-16 text", "save it as UTF-8")
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            yield number, line.decode("utf-8").removesuffix("\r")
        except UnicodeDecodeError as error:
            where = f"{shown(path, root)}:{number}"
            yield number, Rejected(where, f"not UTF-8 (byte {error.start} of the line)")


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in numbered_lines(path, path.parent) if isinstance(line, str))


def head(path: Path) -> str:
    """The first 64 KiB of a file, for recognising it; empty when there is no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(65536).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def first_line(path: Path) -> str:
    return head(path).partition("\n")[0].rstrip("\r")


def shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def tabbed(table: Path, columns: list[str], needed: int) -> Iterator[dict[str, str] | Rejected]:
    """Rows of a table with tabs.

    Args:
        columns: their names in order, unless a first line that holds the needed ones names them.
        needed: how many of them, from the first, every row must have. A column named split, if not
            empty, must name one of `SPLITS`.
    """
    wanted = set(columns[:needed])
    for number, line in numbered_lines(table, table.parent):
        where = f"{table.name}:{number}"
        if isinstance(line, Rejected):
            yield line
            continue
        cells = line.split("\t")
        if number == 1 and wanted <= set(map(str.lower, cells)):
            columns = [cell.lower() for cell in cells]
        elif line.strip():
            row = dict(zip(columns, cells, strict=False))
            split = row.get("split", "").strip()
            if len(cells) > len(columns) or not row.keys() >= wanted:
                yield Rejected(where, f"not {', '.join(columns)} (columns: {len(cells)})")
            elif split and split_named(split) is None:
                yield Rejected(where, f"unknown split {split!r}")
            else:
                yield row
