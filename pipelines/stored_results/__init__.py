"""Reads results back from their JSON format."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from pipelines.errors import DataError
from pipelines.results import Result
from pipelines.stored_results.entry import Entry
from pipelines.stored_results.measurements import annotated, anomalies, forecast, risks
from pipelines.stored_results.media import actions, caption, page, transcript
from pipelines.stored_results.texts import likelihood, texts, translated

READERS: dict[str, Callable[[Entry], Result]] = {
    "regions": page,
    "sentences": caption,
    "top": actions,  # which has segments too
    "segments": transcript,
    "texts": texts,
    "translations": translated,
    "scored": likelihood,
    "forecasts": forecast,
    "anomalies": anomalies,
    "marks": annotated,
    "curves": risks,
}
"""The reader of a type of results, by a field that it alone of those that follow has."""


def read_result(source: str | os.PathLike | Mapping) -> Result:
    """Read a result from its JSON, which is complete: only roundings are lost.

    Args:
        source: a file that the format `json` made of a result of any type, or the object that it holds.
            What options leave out (characters, glyphs, attention) is empty.

    Raises:
        DataError: the file cannot be read, or it holds no result; the message names the field at fault.
    """
    name = "the result" if isinstance(source, Mapping) else os.fspath(source)
    content = source if isinstance(source, Mapping) else _opened(Path(source))
    entry = Entry(content, name)
    for field, read in READERS.items():
        if field in content:
            return read(entry)
    raise entry.fault(f"holds no result: none of {', '.join(READERS)}")


def _opened(path: Path) -> Mapping:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})", "check its name") from error
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"is not JSON ({error})", "write it again with --overwrite") from error
    if not isinstance(content, dict):
        raise DataError(path, "holds no result", "give a file that the format json made of one")
    return content
