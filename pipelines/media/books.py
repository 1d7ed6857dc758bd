"""Opens texts whose every character counts: whole files, or their lines."""

from __future__ import annotations

from pathlib import Path

from pipelines.media.files import locate, unzipped
from pipelines.media.passages import Passages, is_table, read_rows
from pipelines.media.text import read_text


def open_book(source: object, kind: str, options: object) -> list[Passages]:
    """What `score` reads as one: a text that is given, or that of a file, with its white space as it is.

    Raises:
        DataError: the file cannot be read or holds no text.
    """
    notes: tuple[str, ...] = ()
    if isinstance(source, Passages):
        texts, name = source.texts, source.source
    else:
        name = str(locate(source)[0])
        texts = (read_book(Path(name)),)
        if is_table(name):
            _, notes = read_rows(Path(name)).texts()
    if getattr(options, "unit", "file") == "line":
        texts = tuple(line for text in texts for line in text.split("\n") if line.strip())
    return [Passages(tuple(texts), name, notes)]


def read_book(path: Path) -> str:
    """The text of a file, or of a table the texts of its rows, each with a line break behind it.

    Raises:
        DataError, MediaError: the file cannot be read, or holds no text.
    """
    if not is_table(path.name):
        return read_text(path)
    rows = read_rows(path)
    place = rows.text_column()
    return "".join(
        f"{cells[place]}\n" for _, cells in rows.rows if len(cells) > place and cells[place].strip()
    )


def size_of(path: Path) -> int:
    """Bytes of a file that `read_text` has read, decompressed."""
    with locate(path)[1]() as file:
        plain, size = unzipped(file), 0
        while block := plain.read(1 << 20):
            size += len(block)
    return size
