"""Recordings as WAV, which every browser plays."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path


class Recordings:
    """Makes WAV of recordings that a browser does not play, once each; they go with this object."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="triscribe-", ignore_cleanup_errors=True)
        self._made: dict[Path, Path] = {}
        self._lock = threading.Lock()

    def as_wav(self, source: Path) -> Path:
        """The recording, or the sound of a video, as a WAV file: 16 bits, mono.

        Raises:
            MediaError: it cannot be read.
        """
        import soundfile

        from pipelines.media.audio import open_audio

        with self._lock:
            if source not in self._made:
                audio = open_audio(source)
                path = Path(self._folder.name) / f"{len(self._made)}.wav"
                with soundfile.SoundFile(path, "w", audio.sample_rate, 1, "PCM_16") as file:
                    for block in audio.blocks(strict=False):
                        file.write(block)
                self._made[source] = path
            return self._made[source]

    def close(self) -> None:
        """Remove what was made."""
        self._folder.cleanup()
