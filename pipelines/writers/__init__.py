"""Results as files: one small class a format, found by the ending of a file's name."""

from __future__ import annotations

from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path

from pipelines.results import Transcript
from pipelines.writers.atomic import write_atomically
from pipelines.writers.phonetics import CTM, TextGrid
from pipelines.writers.subtitles import SRT, VTT
from pipelines.writers.tables import JSON, TSV, Text

__all__ = ["FORMATS", "save", "write_atomically", "writer"]

FORMATS: dict[str, type] = {
    "txt": Text,
    "json": JSON,
    "srt": SRT,
    "vtt": VTT,
    "tsv": TSV,
    "ctm": CTM,
    "textgrid": TextGrid,
}


def writer(name: str, /, **options):
    """A writer with its options set.

    Args:
        name: the ending of the format, in capitals or not, e.g. `srt`.
        options: fields of the format's class, e.g. `max_chars=37`.

    Raises:
        ValueError: for an unknown format or option, or a value that an option cannot have.
    """
    if name.lower() not in FORMATS:
        endings = {key: kind.extension for key, kind in FORMATS.items()}
        raise ValueError(
            f"no format {name!r}{_nearest(name.lower(), endings)}; choose from {', '.join(endings.values())}"
        )
    kind = FORMATS[name.lower()]
    known = {field.name: field.name for field in fields(kind)}
    for option in options:
        if option not in known:
            choices = f"its options are {', '.join(known)}" if known else "it has no options"
            raise ValueError(f"{kind.extension} has no option {option!r}{_nearest(option, known)}; {choices}")
    return kind(**options)


def save(result: Transcript, path: str | Path, /, **options) -> Path:
    """Write a result in the format that the path's ending names, atomically.

    Args:
        result: what to write.
        path: where, e.g. `talk.srt`; missing folders are made.
        options: of the format, as in `writer`.

    Returns:
        The path written.

    Raises:
        ValueError: for a missing or unknown ending, or an option that is wrong.
    """
    path = Path(path)
    if not path.suffix:
        endings = ", ".join(kind.extension for kind in FORMATS.values())
        raise ValueError(f"{path} has no ending to say its format; choose from {endings}")
    chosen = writer(path.suffix[1:], **options)
    with write_atomically(path) as file:
        chosen.write(result, file)
    return path


def _nearest(name: str, names: dict[str, str]) -> str:
    """The clause that offers the known name most like the given one, or nothing."""
    matches = get_close_matches(name, names, n=1)
    return f", did you mean {names[matches[0]]!r}?" if matches else ""
