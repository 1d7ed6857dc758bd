"""Layouts of stays with an outcome. See `layouts.py`.

The target of an item is "1" if the event came, else "0". Its index is the number of the stay in its table,
from 0, and its group the name of the stay.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from pipelines.errors import DataError, MediaError
from pipelines.media.stays import Stays, Table, joined, read_stays, read_table
from recipes.data.folders import shown, split_in, split_named, walk
from recipes.data.layouts import Found, Layout
from recipes.data.manifest import Item, Rejected

LABELS = (
    *("in-hospital_death", "hospital_expire_flag", "death", "died", "mortality", "outcome", "label"),
    *("event", "target", "class"),
)
ENDINGS = (".csv", ".tsv", ".csv.gz", ".parquet", ".txt")
SETS = re.compile(r"(?:set|outcomes)[-_]([abc])\b", re.IGNORECASE)
"""Names of the PhysioNet challenge of 2012: set a is for training, b and c are for tests."""


def is_stays(root: Path) -> bool:
    return bool(outcome_tables(root))


def read_stay_tables(root: Path, label: str | None = None) -> Found:
    """Read tables of measurements whose stays are in a table of outcomes."""
    outcomes: dict[str, tuple[str, str | None]] = {}
    tables = outcome_tables(root, label)
    for path in tables:
        table = read_table(path)
        column = _label(table, label)
        split = split_of(path)
        for name, value in zip(table.names, table.values[:, column].tolist(), strict=True):
            if value in (0.0, 1.0):
                outcomes[name] = str(int(value)), split
            else:
                yield Rejected(f"{shown(path, root)}: {name}", f"its outcome is {value:g}, not 0 or 1")
    for path in _files(root):
        if path in tables:
            continue
        try:
            found = stays_of(path)
        except (MediaError, DataError) as error:
            yield Rejected(shown(path, root), error.cause)
            continue
        for index, stay in enumerate(found.stays):
            if stay.name in outcomes:
                target, split = outcomes[stay.name]
                yield Item(path, target, split or split_of(path), stay.name, index=index)
            else:
                yield Rejected(f"{shown(path, root)}: {stay.name}", "no outcome")


def split_of(path: Path) -> str | None:
    """The split that the name of a file or its folder says."""
    for name in (path.name.partition(".")[0], path.parent.name):
        match = SETS.search(name)
        if match:
            return "train" if match[1].lower() == "a" else "test"
        if split_named(name) or split_in(name):
            return split_named(name) or split_in(name)
    return None


def outcome_tables(root: Path, label: str | None = None) -> list[Path]:
    """Tables with a row a person and a column of outcomes."""
    found = []
    for path in _files(root):
        if path.suffix.lower() in (".parquet", ".txt") and not path.name.lower().startswith("outcomes"):
            continue
        try:
            table = read_table(path)
        except (MediaError, DataError):
            continue
        if table.names and table.times is None and _label(table, label) is not None:
            found.append(path)
    return found


@lru_cache(maxsize=4)
def stays_of(path: Path) -> Stays:
    """The stays of a table; the table stays in memory."""
    return read_stays(path)


def with_static(stays: Stays, folder: Path, names: tuple[str, ...], label: str | None = None) -> Stays:
    """Stays with these columns of the tables of outcomes in a folder."""
    folded = {name.casefold() for name in names}
    rows: dict[str, np.ndarray] = {}
    columns: tuple[str, ...] = ()
    for path in outcome_tables(folder, label):
        table = read_table(path)
        places = [place for place, name in enumerate(table.columns) if name.casefold() in folded]
        columns = columns or tuple(table.columns[place] for place in places)
        if len(places) == len(columns):
            rows |= dict(zip(table.names, table.values[:, places], strict=True))
    if not columns:
        return stays
    table = Table(folder, tuple(rows), None, columns, np.stack(list(rows.values())))
    return joined(stays, table)


def _label(table: Table, label: str | None) -> int | None:
    lower = [name.lower() for name in table.columns]
    wanted = (label.lower(),) if label else LABELS
    return next((lower.index(name) for name in wanted if name in lower), None)


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    return [path for path in walk(root) if path.name.lower().endswith(ENDINGS)] if root.is_dir() else []


def layouts(label: str | None = None) -> tuple[Layout, ...]:
    """The layouts, with the column that holds the outcome."""
    sign = "tables of measurements, and one of outcomes with a row a person"
    return (Layout("stays", sign, is_stays, lambda root: read_stay_tables(root, label)),)
