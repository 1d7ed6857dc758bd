"""Opens sound files as signals, with all their channels."""

from __future__ import annotations

import os

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.files import locate, readable
from pipelines.media.signals import StoredSignal


def open_waves(source: object) -> StoredSignal:
    """Open a WAV, FLAC, AIFF or Ogg file; samples are in [-1, 1], at the rate of the file.

    Raises:
        MediaError: libsndfile cannot read it, or it holds no sound.
    """
    import soundfile

    if hasattr(source, "ndim"):
        raise MediaError("<array>", "has no sampling rate", "give a Signal with its rate")
    name, open_it = locate(source)
    with readable(name, open_it) as file:
        try:
            with soundfile.SoundFile(file) as sound:
                rate, length, count = sound.samplerate, sound.frames, sound.channels
        except (soundfile.LibsndfileError, TypeError) as error:
            raise MediaError(name, "cannot be read as a signal", "convert it to WAV or FLAC") from error
    if not 0 < length < 1 << 62:
        raise MediaError(name, "holds no samples, or does not say how many", "convert it to WAV or FLAC")

    def read(first: int, last: int) -> np.ndarray:
        with readable(name, open_it) as file:
            try:
                with soundfile.SoundFile(file) as sound:
                    sound.seek(first)
                    found = sound.read(last - first, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise MediaError(name, f"is damaged at {first / rate:.1f} s", "copy it again") from error
        if len(found) < last - first:
            raise MediaError(name, f"ends after {(first + len(found)) / rate:.1f} s", "copy it again")
        return found

    path = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
    return StoredSignal(
        read, length, tuple(str(place) for place in range(1, count + 1)), float(rate), source=path
    )
