"""Writers: one small class per file format, chosen by the file name extension.

Each module declares its formats in a dictionary at its end; `pipelines.tasks` lists them for each type of
result. This module imports none of them: writers are imported when a result of their type is saved.
"""

from __future__ import annotations

from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path

from pipelines.tasks import formats
from pipelines.writers.atomic import write_atomically

__all__ = ["formats", "mode", "save", "write_atomically", "writer"]


def writer(name: str, kind: type, /, **options):
    """Create a writer.

    Args:
        name: of the format, e.g. `srt`; case is ignored.
        kind: type of the results to write.
        options: fields of the format's class, e.g. `max_chars=37`.

    Raises:
        TypeError: the type has no formats.
        ValueError: the format or an option is unknown, or an option is out of range.
    """
    known = formats(kind)
    if name.lower() not in known:
        names = {key: _shown(key, known) for key in known}
        raise ValueError(
            f"no format {name!r}{_nearest(name.lower(), names)}; choose from {', '.join(names.values())}"
        )
    chosen = known[name.lower()]
    choices = {field.name: field.name for field in fields(chosen)}
    for option in options:
        if option not in choices:
            listed = f"its options are {', '.join(choices)}" if choices else "it has no options"
            shown = _shown(name.lower(), known)
            raise ValueError(f"{shown} has no option {option!r}{_nearest(option, choices)}; {listed}")
    return chosen(**options)


def mode(chosen: object) -> str:
    """Mode in which a writer's file is opened: "w" for text, "wb" for bytes."""
    return getattr(chosen, "mode", "w")


def save(result: object, path: str | Path, /, **options) -> Path:
    """Write a result atomically, in the format given by the file name extension.

    Args:
        result: an instance of a type that `pipelines.tasks` lists.
        path: output file, e.g. `talk.srt` or `letter.alto.xml`; missing folders are created.
        options: options of the format, as in `writer`.

    Returns:
        The path written.

    Raises:
        ValueError: the extension is missing or unknown, or an option is unknown or out of range.
    """
    path = Path(path)
    known = formats(type(result))
    if not path.suffix:
        endings = ", ".join(_shown(key, known) for key in known)
        raise ValueError(f"{path} has no ending to say its format; choose from {endings}")
    double = "".join(path.suffixes[-2:])[1:]
    name = double if double.lower() in known else path.suffix[1:]
    chosen = writer(name, type(result), **options)
    with write_atomically(path, mode(chosen)) as file:
        chosen.write(result, file)
    return path


def _shown(name: str, known: dict[str, type]) -> str:
    """The name of a format as its files have it: `TextGrid`."""
    extension = known[name].extension
    return extension if extension.lower() == name else name


def _nearest(name: str, names: dict[str, str]) -> str:
    """The clause that offers the known name most like the given one, or nothing."""
    matches = get_close_matches(name, names, n=1)
    return f", did you mean {names[matches[0]]!r}?" if matches else ""
