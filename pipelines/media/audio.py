"""Reads recordings from files and arrays as blocks of mono float32 samples.

A path, file object or array becomes an `Audio`, whose memory does not grow with the length of the recording.
The content decides how a file is read, never its name: libsndfile reads the formats that it identifies beyond
doubt, FFmpeg's libraries (through PyAV) everything else, including the audio tracks of videos.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, Union

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.ffmpeg import open_ffmpeg
from pipelines.media.files import GZIP, locate, readable
from pipelines.media.recording import PIECE, Audio, mono, resample, to_float
from pipelines.media.sndfile import OPENERS, behind_tag, open_sndfile
from pipelines.media.text import beginning

if TYPE_CHECKING:
    import torch

Source = Union[str, os.PathLike, BinaryIO, np.ndarray, "torch.Tensor"]

SLOWEST = 1000  # lowest plausible sample rate, Hz

OTHERS = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
    b"BM": "a BMP image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or office document",
    GZIP: "a gzip archive",
    b"\x7fELF": "a program",
    b"MZ": "a program",
}


def open_audio(source: Source, sample_rate: int | None = None, track: int | None = None) -> Audio:
    """Open a recording without reading it.

    Args:
        source: a path, a binary file object (read from its beginning), or samples: an array or
            tensor of shape (samples,), (channels, samples) or (samples, channels), the shorter
            axis being the channels; floats as they are, integers scaled to [-1, 1].
        sample_rate: of an array, Hz. For a file, it must agree with the file's own.
        track: which audio track of a file, from 1; None is the one that FFmpeg considers best, or if that is
            silent the first audible one.

    Raises:
        MediaError: the file does not exist, cannot be read, is not a recording, or has no audio track; or the
            array is empty, not finite, of another shape, or without a sample rate.
    """
    if isinstance(source, np.ndarray) or hasattr(source, "numpy"):
        return _open_array(source, sample_rate)
    name, opener = locate(source)
    with readable(name, opener) as file:
        head = file.read(4096)
        start = behind_tag(file, head)
    if not head:
        raise MediaError(name, "is empty (0 bytes)", "copy or record it again")
    several = track is not None and track > 1
    known = start > 0 or head.startswith(OPENERS)
    audio = open_sndfile(name, opener, start) if known and not several else None
    if audio is None:
        other = _other(head)
        if other:
            raise MediaError(
                name, f"is not a recording, it looks like {other}", "give an audio or video file"
            )
        audio = open_ffmpeg(name, opener, head, track)
    if audio.sample_rate < SLOWEST:
        cause = f"states a sample rate of {audio.sample_rate} Hz"
        raise MediaError(name, cause, "mend its header, or convert it again")
    if sample_rate not in (None, audio.sample_rate):
        raise MediaError(
            name,
            f"has a sample rate of {audio.sample_rate} Hz, not {sample_rate}",
            "leave sample_rate to the file",
        )
    return audio


def seconds_of(source: Source) -> float:
    """How long a recording says that it lasts, in seconds; 0 where it does not, or cannot be opened."""
    try:
        return open_audio(source).duration or 0.0
    except MediaError:
        return 0.0


def read_audio(
    source: Source, sample_rate: int, source_rate: int | None = None, strict: bool = True
) -> np.ndarray:
    """Read a whole recording, which must fit into memory.

    Args:
        source: as for `open_audio`.
        sample_rate: of the samples returned, Hz.
        source_rate: of a source that is an array, Hz.
        strict: as for `Audio.blocks`.

    Returns:
        (samples,) float32, mono.

    Raises:
        MediaError: as `open_audio` and `Audio.blocks` do.
    """
    audio = open_audio(source, source_rate)
    return resample(np.concatenate(list(audio.blocks(strict=strict))), audio.sample_rate, sample_rate)


def _other(head: bytes) -> str | None:
    """The type of a file that is not a recording, by its first bytes."""
    for magic, kind in OTHERS.items():
        if head.startswith(magic):
            return kind
    text = beginning(head)
    if text is None:
        return None
    return "a web page" if text.lower().startswith(("<!doctype html", "<html")) else "a text file"


def _open_array(source: np.ndarray | torch.Tensor, sample_rate: int | None) -> Audio:
    name = "<array>"
    if hasattr(source, "numpy"):
        source = source.detach().cpu()
        source = (source.float() if source.is_floating_point() else source).numpy()
    if sample_rate is None or sample_rate < 1:
        raise MediaError(
            name, "has no sample rate", "say how many samples a second it holds (sample_rate=16000)"
        )
    if source.ndim not in (1, 2):
        raise MediaError(
            name,
            f"has the shape {source.shape}",
            "give (samples,), (channels, samples) or (samples, channels)",
        )
    if not source.size:
        raise MediaError(name, "holds no samples", "check how it was cut or loaded")
    if source.dtype.kind not in "fiu" or (source.dtype.kind in "iu" and source.dtype.itemsize > 4):
        raise MediaError(
            name, f"holds {source.dtype} values, whose full scale is unknown", "convert it to float32"
        )
    samples = source if source.ndim == 1 or source.shape[0] > source.shape[1] else source.T
    samples = samples.reshape(len(samples), -1)  # (samples, channels)
    if not np.isfinite(samples).all():
        raise MediaError(
            name, "holds values that are not finite (NaN or infinity)", "find out where they come from"
        )

    def pieces(fault):
        for start in range(0, len(samples), PIECE):
            yield mono(to_float(samples[start : start + PIECE]))

    return Audio(name, int(sample_rate), len(samples) / sample_rate, pieces)
