"""Layouts of signals with classes. See `layouts.py`.

The target of an item is its label. Where its file holds several signals, its index says which, from 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import DataError, MediaError
from pipelines.media.signal_tables import read_ts
from recipes.data.folders import SPLITS, head, shown, split_above, split_in, split_named, walk
from recipes.data.layouts import Found, Layout
from recipes.data.manifest import Item, Rejected
from recipes.data.tables import ENDINGS, Table

RECORDINGS = (".csv", ".tsv", ".csv.gz", ".edf", ".bdf", ".hea", ".wav", ".flac")
COLUMNS = {
    "path": ("file", "filename", "file_name", "record", "recording", "signal", "name", "id"),
    "label": ("class", "class_name", "rhythm", "category", "target"),
    "split": ("set", "subset", "partition", "fold"),
    "group": ("patient", "subject", "person", "device", "machine"),
}


# .ts: series with their labels


def is_ts(root: Path) -> bool:
    return bool(_ts_files(root))


def read_ts_files(root: Path) -> Found:
    """Read all `.ts` files of a folder; their names give splits."""
    for path in _ts_files(root):
        try:
            signals = read_ts(path)
        except (MediaError, DataError) as error:
            yield Rejected(shown(path, root), error.cause)
            continue
        for index, signal in enumerate(signals):
            if signal.label:
                yield Item(path, signal.label, split_in(path.stem), index=index)
            else:
                yield Rejected(f"{shown(path, root)}: signal {index + 1}", "no class")


def _ts_files(root: Path) -> list[Path]:
    paths = [root] if root.is_file() else sorted(root.iterdir()) if root.is_dir() else []
    return [path for path in paths if path.suffix.lower() == ".ts" and "@data" in head(path).lower()]


# labels.csv: file, label and perhaps split and group


def is_signal_table(root: Path) -> bool:
    return bool(_tables(root))


def read_signal_table(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    names: dict[str, Path] = {}
    for path in walk(folder):
        if path.name.lower().endswith(RECORDINGS):
            names.setdefault(path.name, path)
            names.setdefault(path.name.partition(".")[0], path)
    for table in _tables(root):
        for where, row in table.rows(folder):
            if isinstance(row, Rejected):
                yield row
                continue
            split, path = row.get("split"), table.path.parent / row["path"]
            if split and split_named(split) is None:
                yield Rejected(where, f"unknown split {split!r}")
                continue
            path = path if path.is_file() else names.get(path.name, path)
            split = split_named(split) or split_in(table.path.stem)
            yield Item(path, row["label"], split, row.get("group") or None)


def _tables(root: Path) -> list[Table]:
    paths = [root] if root.is_file() else sorted(each for end in ENDINGS for each in root.glob(f"*{end}"))
    tables = (Table(path, COLUMNS) for path in paths if path.suffix.lower() in ENDINGS)
    return [table for table in tables if table.has("path", "label")]


# A folder of recordings for each class


def is_signal_folders(root: Path) -> bool:
    return not _tables(root) and next(_classed(root), None) is not None


def read_signal_folders(root: Path) -> Found:
    for path in _classed(root):
        yield Item(path, path.parent.name, split_above(path, root))


def _classed(root: Path) -> Iterator[Path]:
    """Recordings below folders that are no split."""
    if not root.is_dir():
        return
    for path in walk(root):
        folder = path.parent
        if path.name.lower().endswith(RECORDINGS) and folder != root and folder.name.lower() not in SPLITS:
            yield path


SIGNALS = (
    Layout("ts", ".ts files of the UEA and UCR archives", is_ts, read_ts_files),
    Layout(
        "labels",
        "labels.csv with the columns file and label",
        is_signal_table,
        read_signal_table,
    ),
    Layout("folders", "a folder of recordings for each class", is_signal_folders, read_signal_folders),
)
