"""A manifest as a file: one JSON object a line, which every recipe reads as a layout of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from pipelines.layout.lines import LineShape
from pipelines.writers.atomic import write_atomically
from recipes.data.folders import head, numbered_lines, split_named
from recipes.data.manifest import Item, PageView, Rejected

NAME = "manifest.jsonl"
TURNS = 0, 90, 180, 270


def write_manifest(path: Path, items: Sequence[Item]) -> Path:
    """Write items with their splits, in the order given.

    Each line has `path` and `target`, and what else is known of `split`, `group`, `start`, `end` and
    `duration` (seconds), `index`, `shape` (`baseline` and `polygon` in pixels, `id`, `upside_down`),
    `line_distance` (pixels) and `view` (see `PageView`). Paths are relative to the file's folder where both
    lie below one folder other than the root.
    """
    folder = Path(os.path.abspath(path.parent))
    with write_atomically(path) as file:
        for item in items:
            row = {"path": _from(folder, item.path), "target": item.target}
            for name in ("split", "group", "start", "end", "duration", "index", "line_distance"):
                if getattr(item, name) is not None:
                    row[name] = getattr(item, name)
            if item.shape is not None:
                row["shape"] = {field.name: getattr(item.shape, field.name) for field in fields(LineShape)}
            if item.view is not None:
                row["view"] = asdict(item.view)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def _from(folder: Path, path: Path) -> str:
    path = Path(os.path.abspath(path))
    shared = path.drive == folder.drive and path.parts[:2] == folder.parts[:2]
    return Path(os.path.relpath(path, folder)).as_posix() if shared else str(path)


def is_manifest(root: Path) -> bool:
    """Whether this is such a file, or a folder that holds one as `manifest.jsonl`."""
    first = head(_file(root)).partition("\n")[0]
    return '"path"' in first and '"target"' in first


def _file(root: Path) -> Path:
    return root if root.is_file() else root / NAME


def read_manifest(root: Path) -> Iterator[Item | Rejected]:
    """The items of such a file; a line that is not understood is rejected."""
    path = _file(root)
    for number, line in numbered_lines(path, path.parent):
        if isinstance(line, Rejected):
            yield line
        elif line.strip():
            try:
                yield _item(json.loads(line), path.parent)
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                yield Rejected(f"{path.name}:{number}", f"not a line of a manifest ({error})")


def _item(row: dict, folder: Path) -> Item:
    target = row["target"]
    if isinstance(target, list):
        target = tuple(target)
    elif not isinstance(target, str):
        raise TypeError("target must be a string or a list")
    split = row.get("split")
    if split is not None and split_named(split) is None:
        raise ValueError(f"unknown split {split!r}")
    numbers = {name: _number(row, name) for name in ("start", "end", "duration", "line_distance")}
    index = row.get("index")
    if index is not None and type(index) is not int:
        raise TypeError("index must be a whole number")
    group = None if row.get("group") is None else str(row["group"])
    shape = None if row.get("shape") is None else _shape(row["shape"])
    view = None if row.get("view") is None else _view(row["view"])
    about = {"index": index, "shape": shape, "view": view}
    return Item(folder / row["path"], target, split_named(split), group, **about, **numbers)


def _number(row: dict, name: str) -> float | None:
    value = row.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise TypeError(f"{name} must be a number")
    return None if value is None else float(value)


def _shape(row: dict) -> LineShape:
    lines = [tuple((float(x), float(y)) for x, y in row[name]) for name in ("baseline", "polygon")]
    return LineShape(*lines, id=str(row["id"]), upside_down=row.get("upside_down") is True)


def _view(row: dict) -> PageView:
    (width, height), number, turn = row["size"], row["number"], row["turn"]
    if any(type(each) is not int for each in (width, height, turn, number or 0)) or turn not in TURNS:
        raise TypeError("view must have whole numbers, and a turn of 0, 90, 180 or 270")
    return PageView((width, height), number, turn, bool(row["found"]), _number(row, "dpi"))
