"""Layouts of signals with marks over time. See `layouts.py`.

The target of an item is its marks, each as text: start, peak, end in seconds and label, with spaces between
them (`mark_text`). Its index is the number of the channel that they are of, from 0; without one, they are of
all channels.
"""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.errors import DataError, MediaError
from pipelines.media.signal_files import open_signal
from pipelines.media.text import read_text
from pipelines.media.wfdb_annotations import Mark, read_marks
from recipes.data.folders import shown, split_above, split_in, split_named, walk
from recipes.data.layouts import Found, Layout
from recipes.data.manifest import Item, Rejected
from recipes.data.tables import ENDINGS, Table, cells_of

Times = tuple[float, float, float, str]
"""Start, peak and end of a mark in seconds, and its label."""

SIGNALS = (".hea", ".edf", ".bdf", ".csv", ".tsv", ".wav", ".flac")
ATR = (".atr", ".ecg", ".ann", ".qrs", ".pu", ".man", ".q1c", ".pu0", ".pu1")
LEADS = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")
"""Endings of annotation files that are of one lead, as in LUDB and QTDB."""
AAMI = {
    **dict.fromkeys("NLRejBn", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
"""Classes of ANSI/AAMI EC57: normal, supraventricular, ventricular, fusion, unknown or paced."""
WAVES = {"p": "P", "N": "QRS", "t": "T", "u": "U"}
DS1 = (
    *(101, 106, 108, 109, 112, 114, 115, 116, 118, 119, 122),
    *(124, 201, 203, 205, 207, 208, 209, 215, 220, 223, 230),
)
DS2 = (
    *(100, 103, 105, 111, 113, 117, 121, 123, 200, 202, 210),
    *(212, 213, 214, 219, 221, 222, 228, 231, 232, 233, 234),
)
"""The split of MIT-BIH by patients (de Chazal et al. 2004)."""
PACED = (102, 104, 107, 217)  # which AAMI EC57 leaves out
COLUMNS = {
    "path": ("file", "filename", "file_name", "record", "recording", "signal", "source"),
    "start": ("onset", "begin", "time", "start_s"),
    "end": ("offset", "stop", "end_s"),
    "label": ("wave", "class", "event", "symbol", "annotation"),
    "peak": (),
    "lead": ("channel",),
    "split": ("set", "subset", "partition"),
    "group": ("patient", "subject", "person"),
}
SAMPLES = re.compile(r"(.+?)_(\d+)_?hz")


def mark_text(mark: Times) -> str:
    """A mark as it stands in targets."""
    start, peak, end, label = mark
    return f"{start:.4f} {peak:.4f} {end:.4f} {label}"


def marks_in(target: Sequence[str]) -> list[Times]:
    """The marks of a target, in order of time.

    Raises:
        ValueError: they are none.
    """
    found = []
    for text in target:
        start, peak, end, label = text.split(" ", 3)
        found.append((float(start), float(peak), float(end), label))
    return sorted(found)


# WFDB records with annotation files


def is_wfdb(root: Path) -> bool:
    return any(_annotations(path) for path in _headers(root))


def read_wfdb(root: Path, aami: bool = True) -> Found:
    """Read records and their annotations: beats as points; waves where they have an onset and an end."""
    headers = _headers(root)
    names = {path.stem for path in headers}
    mitbih = len(names & {str(number) for number in (*DS1, *DS2)}) >= 40
    for path in headers:
        annotations = _annotations(path)
        if not annotations or (mitbih and path.stem in map(str, PACED)):
            reason = "no annotation file" if not annotations else "paced: left out, as AAMI EC57 says"
            yield Rejected(shown(path, root), reason)
            continue
        split = split_above(path, root) if root.is_dir() else None
        if mitbih and path.stem.isdigit():
            split = "train" if int(path.stem) in DS1 else "test"
        try:
            signal = open_signal(path)
            for index, annotation in annotations:
                marks, rate = read_marks(annotation)
                found = _marks(marks, rate or signal.rate, aami)
                place = None if index is None else _place(signal.channels, index)
                if index is not None and place is None:
                    yield Rejected(shown(annotation, root), f"the record has no lead {index!r}")
                elif not found:
                    yield Rejected(shown(annotation, root), "no beats and no waves")
                else:
                    yield Item(path, tuple(map(mark_text, found)), split, path.stem, index=place)
        except (MediaError, DataError) as error:
            yield Rejected(shown(path, root), error.cause)


def _headers(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if root.suffix == ".hea" else []
    return [path for path in walk(root) if path.suffix == ".hea"] if root.is_dir() else []


def _annotations(header: Path) -> list[tuple[str | None, Path]]:
    """The annotation files of a record: one of all leads, or else those of each lead with its name."""
    whole = [header.with_suffix(ending) for ending in ATR if header.with_suffix(ending).is_file()]
    if whole:
        return [(None, whole[0])]
    each = [(lead, header.with_suffix(f".{lead}")) for lead in LEADS]
    return [(lead, path) for lead, path in each if path.is_file()]


def _place(channels: Sequence[str], name: str) -> int | None:
    folded = [channel.casefold() for channel in channels]
    return folded.index(name.casefold()) if name.casefold() in folded else None


def _marks(marks: Sequence[Mark], rate: float, aami: bool) -> list[Times]:
    """Marks of annotations: waves from `(` to `)`, and beats by themselves."""
    found: list[Times] = []
    opened: int | None = None
    held: Mark | None = None
    waves = any(mark.symbol == "(" for mark in marks)
    for mark in marks:
        if mark.symbol == "(":
            opened, held = mark.sample, None
        elif mark.symbol == ")":
            if opened is not None and held is not None:
                times = opened / rate, held.sample / rate, mark.sample / rate
                found.append((*times, WAVES.get(held.symbol, held.symbol)))
            opened = held = None
        elif opened is not None:
            held = mark
        elif not waves and mark.symbol in AAMI:
            time = mark.sample / rate
            found.append((time, time, time, AAMI[mark.symbol] if aami else mark.symbol))
    return found


# A table of marks beside the signals


def is_mark_table(root: Path) -> bool:
    return bool(_tables(root))


def read_mark_table(root: Path) -> Found:
    """Read a table with a mark on each row: file, start, end, label, and perhaps peak, lead, split, group.

    Times are seconds; in columns named like `onset_500hz`, numbers of samples at that rate.
    """
    folder = root.parent if root.is_file() else root
    names: dict[str, Path] = {}
    for path in walk(folder):
        if path.suffix.lower() in SIGNALS:
            names.setdefault(path.name, path)
            names.setdefault(path.stem, path)
    for table in _tables(root):
        found: dict[tuple, list[Times]] = defaultdict(list)
        for where, row in _rows(table, folder):
            if isinstance(row, Rejected):
                yield row
                continue
            path = names.get(Path(row["path"]).name)
            split = row.get("split")
            try:
                known = row.get("peak") or ""  # LUDB has waves of which one end is not marked
                start = float(row["start"] or known)
                end = float(row.get("end") or known or start)
                peak = float(known or (start + end) / 2)
            except ValueError:
                yield Rejected(where, "start, end or peak is no number")
                continue
            if path is None or end < start or not row["label"] or (split and not split_named(split)):
                reason = (
                    "no such signal" if path is None else "unknown split" if split else "no label or extent"
                )
                yield Rejected(where, reason)
                continue
            key = path, row.get("lead") or None, split_named(split) if split else None, row.get("group")
            found[key].append((start, peak, end, row["label"]))
        for (path, lead, split, group), marks in found.items():
            yield _item(path, root, lead, split or split_in(table.path.stem), group, marks)


def _item(
    path: Path, root: Path, lead: str | None, split: str | None, group: str | None, marks: list[Times]
) -> Item | Rejected:
    place = None
    if lead is not None:
        try:
            place = _place(open_signal(path).channels, lead)
        except (MediaError, DataError) as error:
            return Rejected(shown(path, root), error.cause)
        if place is None:
            return Rejected(shown(path, root), f"it has no lead {lead!r}")
    return Item(path, tuple(map(mark_text, sorted(marks))), split, group or path.stem, index=place)


class _Zipped(Table):
    """A table that is compressed."""

    def __init__(self, path: Path, names):
        self.path, self.text = path, read_text(path).split("\n")
        self.delimiter = ","
        known = {alias: name for name, aliases in names.items() for alias in (name, *aliases)}
        self.columns = [known.get(cell, cell) for cell in map(str.lower, cells_of(self.text[0]))]

    def rows(self, root: Path) -> Iterator[tuple[str, dict[str, str] | Rejected]]:
        for number, line in enumerate(self.text[1:], start=2):
            where, cells = f"{shown(self.path, root)}:{number}", cells_of(line)
            if len(cells) == len(self.columns):
                yield where, dict(zip(self.columns, cells, strict=True))
            elif line.strip():
                yield where, Rejected(where, f"columns: {len(cells)} instead of {len(self.columns)}")


def _rows(table: Table, root: Path) -> Iterator[tuple[str, dict[str, str] | Rejected]]:
    """The rows, with times in seconds under their names."""
    known = {alias: name for name, aliases in COLUMNS.items() for alias in (name, *aliases)}
    sampled = {}
    for column in table.columns:
        match = SAMPLES.fullmatch(column)
        if match and known.get(match[1]) in ("start", "peak", "end"):
            sampled[column] = known[match[1]], float(match[2])
    for where, row in table.rows(root):
        if not isinstance(row, Rejected):
            for column, (name, rate) in sampled.items():
                try:
                    row[name] = str(float(row[column]) / rate) if row[column] else ""
                except ValueError:
                    row[name] = row[column]
        yield where, row


def _tables(root: Path) -> list[Table]:
    endings = (*ENDINGS, ".csv.gz", ".tsv.gz")
    paths = [root] if root.is_file() else sorted(root.iterdir()) if root.is_dir() else []
    paths = [path for path in paths if path.name.lower().endswith(endings) and path.is_file()]
    tables = []
    for path in paths:
        try:
            tables.append(_Zipped(path, COLUMNS) if path.suffix == ".gz" else Table(path, COLUMNS))
        except (DataError, gzip.BadGzipFile):
            continue
    return [table for table in tables if table.has("path", "label") and _timed(table)]


def _timed(table: Table) -> bool:
    return table.has("start") or any(
        SAMPLES.fullmatch(column) and SAMPLES.fullmatch(column)[1] in ("start", *COLUMNS["start"])
        for column in table.columns
    )


# EDF+ with annotations


def is_edf(root: Path) -> bool:
    return next(_edf_files(root), None) is not None


def read_edf(root: Path) -> Found:
    for path in _edf_files(root):
        try:
            signal = open_signal(path)
        except (MediaError, DataError) as error:
            yield Rejected(shown(path, root), error.cause)
            continue
        marks = [(start, start + length / 2, start + length, text) for start, length, text in signal.labels]
        if marks:
            split = split_above(path, root) if root.is_dir() else None
            yield Item(path, tuple(map(mark_text, marks)), split, path.stem)
        else:
            yield Rejected(shown(path, root), "no annotations")


def _edf_files(root: Path) -> Iterator[Path]:
    paths = [root] if root.is_file() else walk(root) if root.is_dir() else []
    return (path for path in paths if path.suffix.lower() in (".edf", ".bdf"))


def layouts(aami: bool = True) -> tuple[Layout, ...]:
    """The layouts; with the classes of AAMI for beats, or their symbols."""
    table = "a table with the columns file, start, end and label beside the signals"
    wfdb = "WFDB records (.hea) with annotation files (.atr, or .i, .ii, ... for each lead)"
    return (
        Layout("marks", table, is_mark_table, read_mark_table),
        Layout("wfdb", wfdb, is_wfdb, lambda root: read_wfdb(root, aami)),
        Layout("edf", "EDF+ or BDF files with annotations", is_edf, read_edf),
    )
