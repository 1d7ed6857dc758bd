"""What a layout of data sets is: a test and a reader, which takes a folder and gives `Item`s and `Rejected`s.

A reader only reports what the data set claims. Whether files exist, texts are empty or paths repeat is
checked for all layouts in `datasets.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from recipes.data.folders import on_disk
from recipes.data.manifest import Item, Rejected

AUDIO = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".wma", ".mp4", ".webm")

Found = Iterator[Item | Rejected]


class Layout(NamedTuple):
    """A layout: its name, a description for users, its test and its reader."""

    name: str
    sign: str
    matches: Callable[[Path], bool]
    read: Callable[[Path], Found]


def find_media(path: Path, endings: tuple[str, ...] = AUDIO) -> Path:
    """The file at `path`, or at `path` with the first media extension that exists; otherwise `path`."""
    path = on_disk(path)
    if path.suffix.lower() in endings and os.path.isfile(path):
        return path
    candidates = (on_disk(Path(f"{path}{case}")) for end in endings for case in (end, end.upper()))
    return next(filter(os.path.isfile, candidates), path)
