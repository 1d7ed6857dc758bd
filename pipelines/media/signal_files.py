"""Opens signals: tables, medical recordings and sound.

CSV and UEA `.ts` are read whole (`signal_tables`); EDF, BDF, WFDB and WAV stay in their files and are read in
stretches (`edf`, `wfdb`, `waves`), so that a day's recording takes no more memory than a minute's.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from pipelines.errors import MediaError
from pipelines.media.edf import open_edf
from pipelines.media.files import locate, readable
from pipelines.media.kind import RECORDING, SIGNAL, kind_of, named_kind
from pipelines.media.signal_tables import read_table, read_ts
from pipelines.media.signals import Signal, StoredSignal, format_of
from pipelines.media.text import beginning
from pipelines.media.waves import open_waves
from pipelines.media.wfdb import open_wfdb


def open_signals(source: object, kind: str, options: object = None) -> list[Signal | StoredSignal]:
    """The signals of a source: one, or those of a `.ts` file.

    Args:
        source: a path, a binary file object, or a signal that is opened already.
        kind: of the source, as `pipelines.media.kind` names it: "signal", "recording", or "text" for tables.
        options: of the task; of these count, where it has them, `strict`, whether damaged files are refused,
            and for tables `time` and `rate`, the name of the column of times, and steps a second.

    Raises:
        MediaError: it cannot be read, or holds no signal.
    """
    if isinstance(source, (Signal, StoredSignal)):
        return [source]
    strict = getattr(options, "strict", True)
    if kind == RECORDING:
        return [open_waves(source)]
    name, open_it = locate(source)
    with readable(name, open_it) as file:
        head = file.read(4096)
    found = format_of(head, beginning(head))
    if found == "edf":
        return [open_edf(name, strict)]
    if found == "wfdb":
        return [open_wfdb(name, strict)]
    if found == "ts":
        return read_ts(name)
    if named_kind(name) == SIGNAL:  # whose content is no such thing
        cause = "is empty (0 bytes)" if not head else "is damaged or not of the format that its name says"
        raise MediaError(name, cause, "get a whole copy of it, or rename it")
    return [read_table(name, getattr(options, "time", None), getattr(options, "rate", None))]


def open_signal(source: str | os.PathLike | BinaryIO | Signal | StoredSignal) -> Signal | StoredSignal:
    """The one signal of a source, whatever its format.

    Raises:
        MediaError: it cannot be read, or holds none or several.
    """
    kind = kind_of(source)
    found = open_signals(kind.source, kind.name)
    if len(found) > 1:
        raise MediaError(kind.file, f"holds {len(found)} signals", "give a file of one")
    return found[0]
