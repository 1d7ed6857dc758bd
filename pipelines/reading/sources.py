"""Which task reads a source, and the units in it that are read one by one; importable without torch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from pipelines.errors import MediaError, TriscribeError
from pipelines.media.documents import PdfPage, TiffPage
from pipelines.media.files import disk_errors, name_of
from pipelines.media.kind import (
    ARCHIVE,
    IMAGE,
    INK,
    LAYOUT,
    OFFICE,
    PAGES,
    PDF,
    TEXT,
    UNKNOWN,
    VIDEO,
    Kind,
    kind_of,
    named_kind,
)
from pipelines.media.remote import opened
from pipelines.media.text import HEAD, decoding, is_other_text, strange_text
from pipelines.reading.settings import BatchOptions
from pipelines.tasks import TASKS, Task, resolve

PARQUET = "Parquet table"


@dataclass(frozen=True)
class Unit:
    """What gives one result: a recording, an image, a page of a PDF, a piece of ink.

    Attributes:
        task: the row of the table whose reader takes it.
        source: what the reader takes.
        number: of a page in its document, of a piece of ink in its file, of any part in its whole; from 1.
    """

    task: Task
    source: object
    number: int


def rows_of(command: str) -> list[Task]:
    """Rows of the table whose sources a command takes."""
    return [row for row in TASKS.values() if row.command == command]


def row_for(kind: Kind, rows: Iterable[Task], preferred: str | None = None) -> Task | None:
    """The row that reads a kind of source: the first, unless the one of a `preferred` task does too."""
    fitting = [row for row in rows if kind.name in row.kinds and (kind.sound or not row.sound)]
    chosen = [row for row in fitting if row.name == preferred]
    return next(iter(chosen + fitting), None)


def reason_to_pass(row: Task, path: Path, kind: Kind) -> str | None:
    """Why a file in a folder is nothing for a task that reads its kind; None if it may be something."""
    if row.passes and kind.name == TEXT and not kind.empty and os.path.isfile(path):
        return resolve(row.passes)(path)
    return None


def why_unread(kind: Kind, path: Path) -> str:
    """Why a file in a folder is not read, of a kind that is nothing for the tasks.

    Raises:
        MediaError: it could not be looked at, so that it may be something.
    """
    if kind.name == UNKNOWN and kind.fault:
        if path.is_symlink() and not path.exists():
            return "a link that leads nowhere"
        raise kind.fault
    if kind.empty:
        return "empty"
    if kind.name == LAYOUT:
        beside = [each for each in path.parent.glob(f"{escape(path.stem)}.*") if named_kind(each) == IMAGE]
        return f"page layout{' of ' + beside[0].name if beside else ', without its image'}"
    if is_undecoded(kind):
        return "text, but not in UTF-8"
    if kind.name == VIDEO and not kind.sound:
        return "video without sound"
    told = {UNKNOWN: "of no known kind", ARCHIVE: "archive, which is not unpacked"}
    return told.get(kind.name, kind.name)


def is_undecoded(kind: Kind) -> bool:
    """Whether a file looks like text in an encoding that nobody has named."""
    if kind.name != UNKNOWN or kind.fault or not os.path.isfile(kind.file):
        return False
    return is_other_text(_head(kind))


def _head(kind: Kind) -> bytes:
    with disk_errors(kind.file), open(kind.file, "rb") as file:
        return file.read(HEAD)


def units_of(
    source: object,
    rows: Iterable[Task],
    options: BatchOptions,
    preferred: str | None = None,
    kind: Kind | None = None,
) -> list[Unit]:
    """The pages of a PDF or TIFF, the pieces of ink in a file, or the one image, recording or video.

    Args:
        rows: of the table, one of which is to read it.
        options: for opening it, such as `pages`.
        preferred: task that reads it where several could, that of the model at hand.
        kind: of the source, where it has been looked at already.

    Raises:
        MediaError: none of the rows reads such a source, or it cannot be opened.
    """
    rows = list(rows)
    with decoding(getattr(options, "encoding", "")):
        kind = kind or kind_of(source)
    row = row_for(kind, rows, preferred)
    if row is None:
        raise _not_decoded(kind, rows, options) or _refused(kind, rows)
    given = opened(kind.source) if kind.name in (PDF, PAGES, INK) else kind.source  # to be counted
    found = parts_of(row.opener, given, kind.name, options) if row.opener else [given]
    return [Unit(row, each, getattr(each, "number", None) or place) for place, each in enumerate(found, 1)]


def parts_of(opener: str, source: object, kind: str, options: BatchOptions) -> list:
    """What the opener of a task finds in a source; text files in the encoding that the options say."""
    with decoding(getattr(options, "encoding", "")):
        return resolve(opener)(source, kind, options)


def all_units(
    sources: Iterable[object], rows: Iterable[Task], options: BatchOptions, preferred: str | None = None
) -> Iterator[Unit | TriscribeError]:
    """The units of many sources in order; for one that cannot be opened, what is wrong with it."""
    for source in sources:
        try:
            with disk_errors(name_of(source)):
                yield from units_of(opened(source), rows, options, preferred)
        except TriscribeError as error:
            yield error


def are_several(units: list[Unit | TriscribeError]) -> bool:
    """Whether a source gives several results: a document always, others where they hold several units."""
    return len(units) > 1 or isinstance(getattr(units[0], "source", None), (PdfPage, TiffPage))


def _not_decoded(kind: Kind, rows: list[Task], options: BatchOptions) -> MediaError | None:
    """What to say of a text in an encoding that nobody has named."""
    if not any(TEXT in row.kinds for row in rows):
        return None
    if not is_undecoded(kind):
        strange = strange_text(_head(kind)) if kind.name == UNKNOWN and os.path.isfile(kind.file) else None
        way = "remove them" if strange and "NUL" in strange else "save it as UTF-8"
        return strange and MediaError(kind.file, strange, way)
    way = "save it as UTF-8"
    if hasattr(options, "encoding"):
        way += ", or say its encoding, such as windows-1252 (--encoding)"
    return MediaError(kind.file, "is a text, but not in UTF-8", way)


def _refused(kind: Kind, rows: list[Task]) -> MediaError:
    if kind.fault:
        return kind.fault
    name = kind.file or f"<{type(kind.source).__name__}>"
    if kind.empty:
        return MediaError(name, "is empty (0 bytes)", "copy or make it again")
    *others, last = dict.fromkeys(taken for row in rows for taken in row.takes)
    known = f"neither {', '.join(others)} nor {last}" if others else f"not {last}"
    like = "" if kind.name == UNKNOWN else f"; it looks like {_article(kind.name)}"
    way = "give one of these" if others else f"give {last}"
    if kind.name == ARCHIVE:
        way = "unpack it"
    elif kind.name in (OFFICE, PARQUET):
        kinds = {each for row in rows for each in row.kinds}
        form = "CSV or plain text" if TEXT in kinds else "PDF" if PDF in kinds else ""
        way = f"save it as {form}" if form else way
    return MediaError(name, f"is {known}{like}", way)


def _article(kind: str) -> str:
    if kind in (TEXT, "ink", "frames"):
        return kind
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
