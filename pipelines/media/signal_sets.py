"""All signals of a source as one, such as the series of a `.ts` file; importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pipelines.media.files import name_of
from pipelines.media.signal_files import open_signals
from pipelines.media.signals import Signal, StoredSignal


@dataclass(frozen=True)
class SignalSet:
    """The signals of a source, at least one, and its path; None if they come from no file."""

    signals: tuple[Signal | StoredSignal, ...]
    source: str | None = None
    kind: ClassVar[str] = "signal"


def open_signal_set(source: object, kind: str, options: object = None) -> list[SignalSet]:
    """What `classify` reads as one: a signal that is given, or those of a file.

    Raises:
        MediaError: it cannot be read, or holds no signal.
    """
    if isinstance(source, SignalSet):
        return [source]
    found = open_signals(source, kind, options)
    given = isinstance(source, (Signal, StoredSignal))
    return [SignalSet(tuple(found), found[0].source if given else name_of(source))]
