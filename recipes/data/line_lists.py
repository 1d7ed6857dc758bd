"""Lists without a header of images of lines, each with its text behind: those of IAM, PyLaia, PaddleOCR."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from recipes.data.folders import numbered_lines, shown, split_above, split_in, walk
from recipes.data.manifest import Item, Rejected

ENDINGS = (".txt", ".lst", ".tsv", ".gt")
PLACES = ("", "ascii/")  # folders in which there are lists
LOOKED_AT = 20  # lines of a list by which it is known
WORD = 3  # parts that names of IAM's lines have; those of words have one more
FEW = 0.5  # share of these that must name an image
_IAM = re.compile(r"(\S+) (ok|err) (?:-?\d+ ){4,8}(?:\S+ )?(\S+)")
_SYMBOL = r"(?:\S|<[^<> ]+>)"
_SYMBOLS = re.compile(rf"{_SYMBOL}(?: {_SYMBOL})*")

Found = Iterator[Item | Rejected]


class _Images:
    """The images below a folder by their paths, names and stems, as far as these name one alone."""

    def __init__(self, root: Path, endings: tuple[str, ...]):
        self.found: dict[str, Path | None] = {}
        for path in walk(root):
            if path.name.lower().endswith(endings):
                place = path.relative_to(root)
                for key in {place.as_posix(), place.with_suffix("").as_posix(), path.name, path.stem}:
                    self.found[key] = None if key in self.found else path

    def named(self, name: str) -> Path | None:
        plain = name.replace("\\", "/").removeprefix("./")
        return self.found.get(plain) or self.found.get(plain.rpartition("/")[2])


def is_listed(root: Path, endings: tuple[str, ...]) -> bool:
    """Whether a list in a folder names images below it."""
    return bool(_lists(root, endings)[0])


def read_listed(root: Path, endings: tuple[str, ...]) -> Found:
    lists, images = _lists(root, endings)
    root = root.parent if root.is_file() else root
    for path in lists:
        rows = list(_rows(path, root))
        parse = _parser([row for _, row in rows if isinstance(row, str)])
        for number, row in rows:
            where = f"{shown(path, root)}:{number}"
            if isinstance(row, Rejected):
                yield row
                continue
            name, text, group = parse(row)
            image = images.named(name)
            if text is None:
                yield Rejected(where, "the list says that it is cut out wrongly (err)")
            elif image is None:
                yield Rejected(where, f"no image of the name {name}, or several")
            else:
                yield Item(image, text, split_in(path.stem) or split_above(image, root), group)


def _lists(root: Path, endings: tuple[str, ...]) -> tuple[list[Path], _Images | None]:
    folder, paths = root, [root]
    if root.is_file():
        folder = root.parent
    else:
        paths = sorted(path for at in PLACES for end in ENDINGS for path in root.glob(f"{at}*{end}"))
    if not paths:
        return [], None
    images = _Images(folder, endings)
    return [path for path in paths if _names_images(path, folder, images)], images


def _names_images(path: Path, root: Path, images: _Images) -> bool:
    rows = [row for _, row in _rows(path, root, LOOKED_AT) if isinstance(row, str)]
    known = [row for row in rows if images.named(_parser(rows)(row)[0])]
    return len(known) > FEW * len(rows)


def _rows(path: Path, root: Path, most: int | None = None) -> Iterator[tuple[int, str | Rejected]]:
    """The lines of a list without comments and empty ones, with their numbers."""
    count = 0
    for number, line in numbered_lines(path, root):
        if isinstance(line, Rejected) or (line.strip() and not line.startswith("#")):
            yield number, line
            count += 1
            if count == most:
                return


def _parser(rows: list[str]) -> Callable[[str], tuple[str, str | None, str | None]]:
    """What gives the name, the text and the group of each line; no text where it is not to be used."""
    if rows and all(_IAM.fullmatch(row.strip()) for row in rows):
        return _iam
    if rows and all("\t" in row for row in rows):
        return _tabbed
    behind = [row.strip().partition(" ")[2].strip() for row in rows]
    said = [text for text in behind if text]
    if said and all(map(_SYMBOLS.fullmatch, said)) and any("<space>" in text for text in said):
        return _symbols
    return _plain


def _iam(row: str) -> tuple[str, str | None, str | None]:
    """Punctuation stands apart there, and not in the image; those of a form are of one writer.

    Of words, `err` says that they are cut out wrongly, of lines only that their words are.
    """
    name, state, text = _IAM.fullmatch(row.strip()).groups()
    parts = name.split("-")
    is_wrong = state == "err" and len(parts) > WORD
    said = None if is_wrong else re.sub(r" (?=[.,;:!?)])", "", text.replace("|", " "))
    return name, said, "-".join(parts[:2])


def _tabbed(row: str) -> tuple[str, str, None]:
    name, _, text = row.partition("\t")
    return name.strip(), text.strip(), None


def _symbols(row: str) -> tuple[str, str, None]:
    name, _, text = row.strip().partition(" ")
    return name, "".join(" " if each == "<space>" else each for each in text.split()), None


def _plain(row: str) -> tuple[str, str, None]:
    name, _, text = row.strip().partition(" ")
    return name, text.strip(), None
