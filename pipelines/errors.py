"""The three ways in which a user's input can be wrong. Each names file, cause and way out."""

from __future__ import annotations

import unicodedata

TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # of the direction of writing


def printable(text: object) -> str:
    """A text for a terminal: control characters, which may be commands to it, are written as escapes."""
    return "".join(
        repr(each)[1:-1]
        if each in TURNS or (each != "\n" and unicodedata.category(each) in ("Cc", "Cs"))
        else each
        for each in str(text)
    )


class TriscribeError(Exception):
    """Something about a file, with its cause and the way out, on one line.

    Args:
        path: the file at fault, or a name for what was handed over.
        cause: what is wrong, as a short clause.
        way_out: what the user can do about it.
    """

    def __init__(self, path: object, cause: str, way_out: str):
        super().__init__(printable(f"{path}: {cause}; {way_out}".replace("\n", " ")))
        self.path, self.cause, self.way_out = str(path), cause, way_out

    def __reduce__(self):
        return type(self), (self.path, self.cause, self.way_out)


class MediaError(TriscribeError):
    """A recording, image or video that cannot be read."""


class ModelError(TriscribeError):
    """A model file that is missing, damaged or not ours."""


class DataError(TriscribeError):
    """A data set that cannot be understood, or an item in it that cannot be used."""
