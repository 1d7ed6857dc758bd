"""Walks the folder of a data set and reads its tables; file names may give splits.

Hidden files and folders (with a leading dot) are ignored.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipelines.errors import DataError
from recipes.data.manifest import Rejected

SPLITS = {
    "train": "train", "training": "train", "trn": "train",
    "valid": "valid", "validation": "valid", "val": "valid", "dev": "valid",
    "test": "test", "testing": "test", "tst": "test", "eval": "test",
}  # fmt: skip
NO_FILE = "names no file"
OTHER_SPLITS = {"validate": "valid", "restval": "train"}  # Kinetics' and Karpathy's names


def split_named(name: object) -> str | None:
    """The split named by a cell of a table."""
    name = str(name or "").strip().lower()
    return SPLITS.get(name) or OTHER_SPLITS.get(name)


def split_in(name: str) -> str | None:
    """The split in the name of a file or folder: an4_train -> train, dev-clean -> valid, notes -> None."""
    parts = re.split(r"[^a-z]+", name.lower())
    return next((SPLITS[part] for part in parts if part in SPLITS), None)


def split_above(path: Path, root: Path) -> str | None:
    """The split named by one of the folders between a data set and a file in it."""
    folders = (folder.lower() for folder in path.relative_to(root).parent.parts)
    return next((SPLITS[folder] for folder in folders if folder in SPLITS), None)


def walk(root: Path) -> Iterator[Path]:
    """Files below `root` in a fixed order, following links to folders once; hidden ones are skipped."""
    seen = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        folders[:] = [] if real in seen else sorted(name for name in folders if not name.startswith("."))
        if real not in seen:
            yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))
        seen.add(real)


def numbered_lines(path: Path, root: Path) -> Iterator[tuple[int, str | Rejected]]:
    """Numbered lines of a UTF-8 table; a line that is not UTF-8 becomes a `Rejected`.

    Only line feeds end a line: sentences may contain U+2028 and the like, at which `splitlines` would split.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise OSError("neither a file nor a folder")
        raw = path.read_bytes()
    except OSError as error:  # a dangling link, a folder of this name, no permission
        yield 0, Rejected(shown(path, root), f"cannot be read ({error.strerror or error})")
        return
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
    """The first 64 KiB of a file, to detect its format; empty if there is no such file."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            found = file.read(65536)
        wide = found.startswith((b"\xff\xfe", b"\xfe\xff"))
        return found.decode("utf-16" if wide else "utf-8-sig", "replace")
    except OSError:  # reading it later reports the error
        return ""


def mentions(path: Path, *words: str) -> bool:
    """Whether a file holds all of these words, wherever: the order of keys in JSON means nothing."""
    missing, tail = {word.encode() for word in words}, b""
    longest = max(map(len, missing))
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            while missing and (block := file.read(1 << 20)):
                block = tail + block
                missing = {word for word in missing if word not in block}
                tail = block[-longest:]
    except OSError:
        return False
    return not missing


class Files:
    """Index of the files below a folder by name, for tables that give only names or outdated paths.

    Names are found in any Unicode normal form, and with another extension of the same type if media were
    converted.
    """

    def __init__(self, root: Path, endings: Iterable[str]):
        self.root, self.endings = root, tuple(endings)
        self.names: dict[str, Path] = {}
        self.stems: dict[str, Path] = {}
        for path in walk(root):
            if path.name.lower().endswith(self.endings):
                self.names.setdefault(_folded(path.name), path)
                self.stems.setdefault(_folded(path.stem), path)

    def __contains__(self, name: str) -> bool:
        return _folded(name) in self.names

    def place(self, name: str, *folders: Path) -> Path:
        """The file at a path given by a table, relative to some folders, or else any file of that name."""
        direct = [on_disk(folder / name) for folder in (*folders, self.root)]
        found = next(filter(os.path.isfile, direct), None) or self.names.get(_folded(direct[0].name))
        if not found and direct[0].suffix.lower() in self.endings:
            found = self.stems.get(_folded(direct[0].stem))
        return found or direct[0]

    def named(self, stem: str) -> Path | None:
        """The file with this name without its extension."""
        return self.stems.get(_folded(stem))


def on_disk(path: Path) -> Path:
    """The path in the Unicode normal form used on the disk (names copied from a Mac are decomposed).

    The path is returned unchanged if there is no such file.
    """
    if os.path.lexists(path) or str(path).isascii():
        return path
    parent = on_disk(path.parent)
    try:
        alike = (name for name in os.listdir(parent) if _folded(name) == _folded(path.name))
        return parent / next(alike, path.name)
    except OSError:
        return path


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def first_line(path: Path) -> str:
    return head(path).partition("\n")[0].rstrip("\r")


def shown(path: Path, root: Path) -> str:
    """A file for messages: its path in the data set; its name if it is the whole of it."""
    if path == root:
        return path.name
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def names_no_file(row: Mapping[str, object]) -> bool:
    """Whether the cell of a table's row that is to name a file is empty."""
    return any(name in row and not str(row[name]).strip() for name in ("path", "image"))


def tabbed(table: Path, columns: list[str], needed: int) -> Iterator[dict[str, str] | Rejected]:
    """Rows of a tab-separated table.

    Args:
        columns: names of the columns in order, unless the first line of the table names them.
        needed: number of leading columns that every row must have. A column named split, if not empty, must
            name one of `SPLITS`.
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
            if names_no_file(row):
                yield Rejected(where, NO_FILE)
                continue
            if len(cells) > len(columns) or not row.keys() >= wanted:
                yield Rejected(where, f"not {', '.join(columns)} (columns: {len(cells)})")
            elif split and split_named(split) is None:
                yield Rejected(where, f"unknown split {split!r}")
            else:
                yield row
