"""What a recording is once it has been opened: mono float32 blocks at its own rate.

Memory does not grow with the length of a recording. See `audio.open_audio` for how files are opened.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator

import numpy as np

from pipelines.errors import MediaError

SILENCE = 1e-4  # peak below which a recording counts as silent (full scale is 1)
SLACK = 0.25  # tolerated difference of header and content in seconds, as encoders pad and prime
CANCELLED = 0.01  # share of the channels' power below which their mean has lost what they hold
ODD = 1000  # largest denominator of a rate ratio; torchaudio's filters would take gigabytes above
OFFSET = 0.02  # share of the sound's amplitude from where on a constant beneath it is taken away
MEASURED = 10.0  # seconds of sound in which that is measured
MOMENT = 0.1  # seconds of one of its moments
SURELY = 4.0  # times that it exceeds by how much the means of these differ
DIGITAL = 16  # zeros in a row that are silence which was put there, without that constant
PIECE = 8192  # samples read at a time; at most this much is lost before a fault
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")  # what stands between MP3 files that were joined

RECORDING = re.compile(
    rb"(RIFF|RIFX|RF64)....(WAVE|AVI )|fLaC|OggS|ID3|\x1aE\xdf\xa3|....ftyp(M4[AB]|isom|mp4|qt|3gp)",
    re.DOTALL,
)
"""First bytes of recordings and videos, to tell damaged ones from files of other types."""

Pieces = Callable[[Callable[[str], None]], Iterator[np.ndarray]]


class DamagedMedia(MediaError):
    """A recording is truncated or damaged. `Audio.blocks(strict=False)` reads what is left."""

    def __init__(self, path: object, cause: str, way_out: str | None = None):
        super().__init__(
            path,
            cause,
            way_out or "get a whole copy of it, or accept its sound part (--lenient, strict=False)",
        )


class Audio:
    """One recording that has been opened but not read, from `open_audio`.

    Attributes:
        name: the path, the name of the file object, or `<array>`.
        sample_rate: native sample rate, Hz.
        duration: seconds as stated by the container, None if it does not; exact once `blocks` has finished.
        damage: what the last pass with `strict=False` left out, or None.
        notes: what the last pass found odd, although nothing is missing.
    """

    def __init__(self, name: str, sample_rate: int, duration: float | None, pieces: Pieces):
        self.name = name
        self.sample_rate = sample_rate
        self.duration = duration
        self.damage: str | None = None
        self.notes: list[str] = []
        self._pieces = pieces

    def __repr__(self) -> str:
        return f"Audio({self.name!r}, sample_rate={self.sample_rate}, duration={self.duration})"

    def blocks(self, seconds: float = 30.0, strict: bool = True) -> Iterator[np.ndarray]:
        """Yield the recording from its start, block by block, at its native rate.

        Channels are averaged. A constant beneath the sound (DC offset) is taken away, the same in all blocks.
        May be called again for another pass.

        Args:
            seconds: length of the blocks; the last may be shorter.
            strict: raise at a fault. Otherwise damaged packets are skipped, reading stops where it cannot go
                on, `damage` says what is missing, and silence is not an error.

        Yields:
            (samples,) float32 in [-1, 1]; float files may exceed it.

        Raises:
            DamagedMedia: the recording is truncated or damaged (strict only).
            MediaError: it holds no samples, or only silence (strict only).
        """
        size = round(seconds * self.sample_rate)
        if size < 1:
            raise ValueError(f"a block must be at least one sample long, not {seconds} seconds")
        self.damage = None
        self.notes.clear()

        def fault(cause: str) -> None:
            if strict:
                raise DamagedMedia(self.name, cause)
            self.damage = f"{self.damage}, {cause}" if self.damage else cause

        def sound() -> Iterator[np.ndarray]:
            done = 0
            for piece in self._pieces(fault):
                if not np.isfinite(np.abs(piece).max(initial=0.0)):
                    fault(f"samples that are not numbers at {done / self.sample_rate:.1f} seconds")
                    return
                done += len(piece)
                yield piece

        total, peak = 0, 0.0
        pending, held = [], 0
        for piece in centred(sound(), self.sample_rate):
            total, peak = total + len(piece), max(peak, float(np.abs(piece).max(initial=0.0)))
            pending.append(piece)
            held += len(piece)
            if held >= size:
                joined = np.concatenate(pending)
                held %= size
                for start in range(0, len(joined) - held, size):
                    yield joined[start : start + size]
                pending = [joined[len(joined) - held :]]
        if held:
            yield np.concatenate(pending)
        if not total:
            raise MediaError(self.name, "holds no samples", "check that something was recorded")
        self.duration = total / self.sample_rate
        if strict and peak < SILENCE:
            raise MediaError(
                self.name,
                f"is silent for all of its {self.duration:.1f} seconds (peak {peak:.0e} of full scale)",
                "check the microphone, or name another track if the file has several",
            )


def resample(samples: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """(samples,) float32 at `from_rate` Hz -> (ceil(samples * to_rate / from_rate),) at `to_rate` Hz."""
    if from_rate == to_rate or not len(samples):
        return samples
    if max(from_rate, to_rate) // math.gcd(from_rate, to_rate) > ODD:
        import soxr

        converted = soxr.resample(samples, from_rate, to_rate, quality="HQ")
        length = -(-len(samples) * to_rate // from_rate)
        return np.pad(converted[:length], (0, max(0, length - len(converted))))
    import torch
    from torchaudio.functional import resample as convert

    return convert(torch.from_numpy(np.ascontiguousarray(samples)), from_rate, to_rate).numpy()


def to_float(samples: np.ndarray) -> np.ndarray:
    """Convert samples of any type to float32; integers are scaled to [-1, 1]."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    offset = half if samples.dtype.kind == "u" else 0.0
    return ((samples.astype(np.float64) - offset) / half).astype(np.float32)


def centred(pieces: Iterator[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """(samples,) float32 pieces without the constant beneath them (DC offset), if they have one.

    It is measured in the first `MEASURED` seconds that hold anything, whatever is read later. Digital silence
    is left as it is, and so is sound without such a constant.
    """
    ahead: list[np.ndarray] = []
    seen = 0
    for piece in pieces:
        count = np.count_nonzero(piece)
        if not count and not seen:  # nothing to measure yet
            yield piece
            continue
        ahead.append(piece)
        seen += count
        if seen >= MEASURED * rate:
            break
    offset = _offset(np.concatenate(ahead), round(MOMENT * rate)) if ahead else 0.0
    for piece in itertools.chain(ahead, pieces):
        yield np.where(_digital_silence(piece), piece, piece - offset) if offset else piece


def _offset(samples: np.ndarray, moment: int) -> np.float32:
    """The constant beneath samples, 0 where it is no more than chance or rounding makes it.

    It is the median of the means of the quietest third of its moments: pauses show it best. Means that differ
    much more than it is large are those of low sounds. Silence too faint to hold it does not count.
    """
    moments = samples[: len(samples) // moment * moment].reshape(-1, moment).astype(np.float64)
    levels = np.sqrt(np.square(moments).mean(axis=1))
    moments = moments[levels >= max(OFFSET * levels.max(initial=0.0), SILENCE / 10)]
    if not len(moments):
        return np.float32(0.0)
    means, sounds = moments.mean(axis=1), moments.std(axis=1)
    offset = np.median(means[sounds <= np.quantile(sounds, 1 / 3)])
    chance = max(1.0, math.sqrt(1 / (len(moments) * MOMENT)))  # means of short noise are larger
    least = OFFSET * chance * math.sqrt(np.square(sounds).mean())
    least = max(least, SURELY * np.median(np.abs(means - offset)), SILENCE / 10)
    return np.float32(offset if abs(offset) > least else 0.0)


def _digital_silence(samples: np.ndarray) -> np.ndarray:
    """(samples,) whether each lies in a run of at least `DIGITAL` zeros."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], samples == 0, [False]]))).reshape(-1, 2)
    silent = np.zeros(len(samples), bool)
    for start, end in edges[np.diff(edges, axis=1)[:, 0] >= DIGITAL]:
        silent[start:end] = True
    return silent


def mono(samples: np.ndarray) -> np.ndarray:
    """(samples, channels) -> (samples,): their mean, or the loudest one where they cancel each other out."""
    mean = samples.mean(axis=1)
    if samples.shape[1] > 1:
        power = samples.var(axis=0)  # a constant is no sound
        if mean.var() < CANCELLED * power.mean():
            return samples[:, power.argmax()]
    return mean
