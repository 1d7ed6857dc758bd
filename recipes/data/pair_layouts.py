"""Layouts of texts with their translations. See `layouts.py`.

The target of an item is the translation. Its text is in the pair of its file that its index names, from 0;
of two parallel files, the item's is that of the source language.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipelines.errors import DataError, MediaError
from pipelines.media.passages import Rows, is_table, read_rows
from pipelines.media.text import read_lines
from recipes.data.folders import SPLITS, shown, split_above, split_in, split_named, walk
from recipes.data.languages import SOURCES, TARGETS, Languages, folded, is_code, language_in, matching
from recipes.data.layouts import Found, Layout
from recipes.data.manifest import Item, Rejected
from recipes.data.text_layouts import SPLIT_COLUMNS
from recipes.data.tmx import read_tmx

TMX = re.compile(r"\.tmx(\.gz)?$", re.IGNORECASE)
TABBED = 20  # lines of a text file that must have a tab each, if it is a table


def texts_in(path: Path, languages: Languages) -> list[str]:
    """The texts of the source language in a file, in the order of the indices of its items."""
    if TMX.search(path.name):
        return [unit.source for unit in read_tmx(path, languages)[1]]
    if is_pair_table(path):
        rows, source, _ = _columns(path, languages)
        return [cells[source] if len(cells) > source else "" for _, cells in rows.rows]
    return read_lines(path)


# Two parallel files: line by line the same text


def parallel(source: Path, target: Path, root: Path, split: str | None = None) -> Found:
    """The lines of two files that belong together.

    Raises:
        DataError: they have not as many lines as each other.
    """
    texts, translations = read_lines(source), read_lines(target)
    if len(texts) != len(translations):
        cause = f"has {len(texts):,} lines, and {target.name} {len(translations):,}"
        raise DataError(source, cause, "give two files that are the same text line by line")
    split = split or split_of(source, root)
    for index, (text, translation) in enumerate(zip(texts, translations, strict=True)):
        if text and translation:
            yield Item(source, translation, split, index=index)
        else:
            name = source if not text else target
            yield Rejected(
                f"{shown(name, root)}:{index + 1}", "empty line" + " in both files" * (text == translation)
            )


def split_of(path: Path, root: Path) -> str | None:
    """The split that the name of a file or of a folder above it begins or ends with: test2016, newsdev."""
    name = path.name.lower()
    found = split_in(name) or (split_above(path, root) if root.is_dir() else None)
    if found:
        return found
    for part in re.split(r"[^a-z]+", name):
        for known in ("train", "test", "valid", "dev"):
            if part.startswith(known) or part.endswith(known):
                return SPLITS[known]
    return None


def is_parallel(root: Path, languages: Languages) -> bool:
    return bool(_groups(root, languages)) if root.is_dir() else False


def read_parallel(root: Path, languages: Languages) -> Found:
    """All files of a folder that differ only by the language in their names."""
    groups = _groups(root, languages)
    names = sorted({name for files in groups.values() for name in files})
    chosen = languages.among(names)
    if not chosen:
        raise languages.refused(root, names)
    for files in groups.values():
        sides = [next(iter(matching([*files], code)), None) for code in chosen]
        if all(sides):
            yield from parallel(files[sides[0]], files[sides[1]], root)
        else:
            lone = next(iter(files.values()))
            yield Rejected(shown(lone, root), f"no file beside it for {chosen[sides.index(None)]}")


def _groups(root: Path, languages: Languages) -> dict[str, dict[str, Path]]:
    """Files by what their names have in common, and by language, where there are two at least."""
    groups: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in walk(root):
        if is_table(path.name) or TMX.search(path.name):
            continue
        above = path.relative_to(root).parent
        found = language_in(path.name, languages)
        if found:
            groups[str(above / found[0])].setdefault(found[1], path)
        elif above.name and is_code(above.name):  # en/train.txt
            groups[str(above.parent / path.name)].setdefault(above.name.lower(), path)
    return {name: files for name, files in groups.items() if len(files) > 1}


# Tables: CSV, TSV, JSON lines, or lines with a tab


def is_pair_table(path: Path) -> bool:
    """Whether a file is a table: by its name, or because there is a tab on each of its first lines."""
    if is_table(path.name):
        return True
    if TMX.search(path.name) or language_in(path.name):
        return False
    try:
        lines = [line for line in read_lines(path)[:TABBED] if line]
    except DataError:
        return False
    return bool(lines) and all("\t" in line for line in lines)


def has_pair_tables(root: Path) -> bool:
    return bool(_tables(root))


def read_pair_tables(root: Path, languages: Languages) -> Found:
    for path in _tables(root):
        rows, source, target = _columns(path, languages)
        split = next((rows.columns.index(name) for name in SPLIT_COLUMNS if name in rows.columns), None)
        yield from (Rejected(f"{shown(path, root)}:{number}", cause) for number, cause in rows.bad)
        for index, (number, cells) in enumerate(rows.rows):
            where = f"{shown(path, root)}:{number}"
            if len(cells) != len(rows.columns):
                yield Rejected(where, f"columns: {len(cells)} instead of {len(rows.columns)}")
            elif not cells[source].strip() or not cells[target].strip():
                yield Rejected(where, "empty text")
            elif split is not None and cells[split] and split_named(cells[split]) is None:
                yield Rejected(where, f"unknown split {cells[split]!r}")
            else:
                named = split_named(cells[split]) if split is not None else None
                yield Item(path, cells[target], named or split_of(path, root), index=index)


def _tables(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if is_pair_table(root) else []
    paths = sorted(root.iterdir()) if root.is_dir() else []
    return [path for path in paths if path.is_file() and is_table(path.name)]


def _columns(path: Path, languages: Languages) -> tuple[Rows, int, int]:
    """The rows of a table without its head, and the places of the columns of source and target.

    Raises:
        DataError: the columns cannot be told.
    """
    try:
        rows = _with_head(read_rows(path, "tsv" if not is_table(path.name) else None), languages)
    except MediaError as error:
        raise DataError(path, error.cause, error.way_out) from error
    names = [name for name in rows.columns if name not in (*SPLIT_COLUMNS, "id")]
    last = {name.rpartition(".")[2]: name for name in names}  # translation.en in nested JSON
    chosen = languages.among([*last])
    if not chosen and len(names) == 2 and (languages == Languages() or names == ["1", "2"]):
        return rows, *map(rows.columns.index, names)  # in the order in which they stand
    if not chosen and languages == Languages():
        cause = f"its columns {rows.listed} name no source and target"
        way = "call them source and target in its first line, or say --source-language and --target-language"
        raise DataError(path, cause, f"{way} with their names{', or numbers' * (names[:1] == ['1'])}")
    if not chosen:
        raise languages.refused(path, [*last])
    source, target = (last[matching([*last], code)[0]] for code in chosen)
    return rows, rows.columns.index(source), rows.columns.index(target)


def _with_head(rows: Rows, languages: Languages) -> Rows:
    """The rows, with names of languages in the first one taken for the head."""
    if rows.columns[:1] != ("1",):
        return rows
    first = [cell.lower() for cell in rows.rows[0][1]]
    asked = [folded(name) for name in languages if name]
    known = [cell for cell in first if is_code(cell) or cell in (*SOURCES, *TARGETS) or folded(cell) in asked]
    if len(known) < 2 or len(set(first)) < len(first) or len(rows.rows) < 2:
        return rows
    return replace(rows, columns=tuple(first), rows=rows.rows[1:])


# Translation memories


def has_tmx(root: Path) -> bool:
    return bool(_memories(root))


def read_memories(root: Path, languages: Languages) -> Found:
    for path in _memories(root):
        chosen, units = read_tmx(path, languages)
        for index, unit in enumerate(units):
            missing = [code for code, text in zip(chosen, unit[1:], strict=True) if not text]
            if missing:
                yield Rejected(f"{shown(path, root)}: unit {unit.number}", f"no {' and no '.join(missing)}")
            else:
                yield Item(path, unit.target, split_of(path, root), index=index)


def _memories(root: Path) -> list[Path]:
    paths: Iterator[Path] = iter([root]) if root.is_file() else walk(root)
    return [path for path in paths if TMX.search(path.name)]


def layouts(languages: Languages, partner: Path | None = None) -> tuple[Layout, ...]:
    """The layouts of a data set.

    Args:
        languages: which are wanted.
        partner: the file of translations, where the data set is a file of texts.
    """
    sign = "files such as train.en and train.de"
    if partner is not None:
        return (Layout("parallel", sign, Path.is_file, lambda root: parallel(root, partner, root)),)
    return (
        Layout(
            "parallel",
            sign,
            lambda root: is_parallel(root, languages),
            lambda root: read_parallel(root, languages),
        ),
        Layout(
            "table",
            "CSV, TSV or JSON lines with a text and its translation on each row",
            has_pair_tables,
            lambda root: read_pair_tables(root, languages),
        ),
        Layout("tmx", "translation memories (.tmx)", has_tmx, lambda root: read_memories(root, languages)),
    )
