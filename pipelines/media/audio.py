"""Reads recordings from files and arrays as blocks of mono float32 samples.

A path, file object or array becomes an `Audio`, whose memory does not grow with the length of the recording.
The content decides how a file is read, never its name: libsndfile reads the formats that it identifies beyond
doubt, FFmpeg's libraries (through PyAV) everything else, including the audio tracks of videos.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO, Union

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.files import GZIP, locate, readable
from pipelines.media.text import beginning

if TYPE_CHECKING:
    import torch

Source = Union[str, os.PathLike, BinaryIO, np.ndarray, "torch.Tensor"]

SILENCE = 1e-4  # peak below which a recording counts as silent (full scale is 1)
SLACK = 0.25  # tolerated difference of header and content in seconds, as encoders pad and prime
GAP = 0.1  # gaps in the time stamps of a track from this many seconds are filled with silence
FILLED = 600.0  # seconds of such silence in a recording, above which its time stamps are not believed
SLOWEST = 1000  # lowest plausible sample rate, Hz
CANCELLED = 0.01  # share of the channels' power below which their mean has lost what they hold
AUDIBLE_WITHIN = 60.0  # seconds in which the audible one of several tracks is looked for
CHUNKS = 1000  # of a WAV file that are looked at
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")  # what stands between MP3 files that were joined
ODD = 1000  # largest denominator of a rate ratio; torchaudio's filters would take gigabytes above
PIECE = 8192  # samples read at a time; at most this much is lost before a fault

OPENERS = (b"RIFF", b"RF64", b"RIFX", b"FORM", b"fLaC", b"OggS", b".snd", b"NIST_1A", b"caff", b"riff")
"""First bytes of the formats that libsndfile reads. MP3 is left to FFmpeg: without a Xing header, libsndfile
guesses the length from the first frames and silently drops what comes after it."""

RECORDING = re.compile(
    rb"(RIFF|RIFX|RF64)....(WAVE|AVI )|fLaC|OggS|ID3|\x1aE\xdf\xa3|....ftyp(M4[AB]|isom|mp4|qt|3gp)",
    re.DOTALL,
)
"""First bytes of recordings and videos, to tell damaged ones from files of other types."""

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

Pieces = Callable[[Callable[[str], None]], Iterator[np.ndarray]]


class DamagedMedia(MediaError):
    """A recording is truncated or damaged. `Audio.blocks(strict=False)` reads what is left."""

    def __init__(self, path: object, cause: str, way_out: str | None = None):
        super().__init__(
            path, cause, way_out or "get a whole copy of it, or accept its sound part (strict=False)"
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

        Channels are averaged. May be called again for another pass.

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

        total, peak = 0, 0.0
        pending, held = [], 0
        for piece in self._pieces(fault):
            loudest = float(np.abs(piece).max(initial=0.0))
            if not np.isfinite(loudest):
                fault(f"samples that are not numbers at {total / self.sample_rate:.1f} seconds")
                break
            total, peak = total + len(piece), max(peak, loudest)
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
    if not head:
        raise MediaError(name, "is empty (0 bytes)", "copy or record it again")
    several = track is not None and track > 1
    audio = _open_sndfile(name, opener) if head.startswith(OPENERS) and not several else None
    if audio is None:
        other = _other(head)
        if other:
            raise MediaError(
                name, f"is not a recording, it looks like {other}", "give an audio or video file"
            )
        audio = _open_ffmpeg(name, opener, head, track)
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


def _other(head: bytes) -> str | None:
    """The type of a file that is not a recording, by its first bytes."""
    for magic, kind in OTHERS.items():
        if head.startswith(magic):
            return kind
    text = beginning(head)
    if text is None:
        return None
    return "a web page" if text.lower().startswith(("<!doctype html", "<html")) else "a text file"


def _to_float(samples: np.ndarray) -> np.ndarray:
    """Convert samples of any type to float32; integers are scaled to [-1, 1]."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    offset = half if samples.dtype.kind == "u" else 0.0
    return ((samples.astype(np.float64) - offset) / half).astype(np.float32)


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
            yield _mono(_to_float(samples[start : start + PIECE]))

    return Audio(name, int(sample_rate), len(samples) / sample_rate, pieces)


def _open_sndfile(name: str, opener: Callable) -> Audio | None:
    """Open a recording with libsndfile; None if FFmpeg has to read it."""
    import soundfile

    with opener() as file:
        size = file.seek(0, os.SEEK_END)
        share, behind = _share(file)
        rest, behind = _rest(file, behind, size) if behind and share == 1.0 else (None, size)
        try:
            with soundfile.SoundFile(Part(file, 0, behind if rest else size)) as sound:
                rate, frames, layout = sound.samplerate, sound.frames, sound.format
                raw = {"samplerate": rate, "channels": sound.channels, "subtype": sound.subtype}
                raw |= {"endian": sound.endian, "format": "RAW"}
        except (soundfile.LibsndfileError, TypeError):
            return None  # TypeError, as soundfile takes any file named *.raw for headerless
        if frames in (0, 2**63 - 1):
            return None  # written to a pipe, so the length in the header was never filled in
        promised = frames / rate
        cut = False
        if layout in ("WAV", "WAVEX", "RF64", "AIFF"):
            promised, cut = promised / share, promised / share - promised > SLACK
            if (size - behind) * frames <= SLACK * rate * behind:
                rest = None  # some bytes too many
        elif layout == "OGG":
            cut = _ogg_cut(file)

    def read(fault, sound, frames: float) -> Iterator[np.ndarray]:
        done = 0
        while done < frames:
            try:
                piece = sound.read(PIECE, dtype="float32", always_2d=True)  # (samples, channels)
            except soundfile.LibsndfileError:
                fault(f"damaged at {done / rate:.1f} of {frames / rate:.1f} seconds")
                return
            if not len(piece):
                break
            done += len(piece)
            yield _mono(piece)
        if frames != math.inf and (frames - done) / rate > SLACK:
            fault(f"ends after {done / rate:.1f} of {frames / rate:.1f} seconds")

    def pieces(fault):
        if cut and promised > frames / rate:
            fault(f"ends after {frames / rate:.1f} of {promised:.1f} seconds")
        elif cut:
            fault(f"breaks off within a packet after {frames / rate:.1f} seconds")
        with opener() as file, soundfile.SoundFile(Part(file, 0, behind if rest else size)) as sound:
            yield from read(fault, sound, frames)
        if rest == "samples":
            audio.notes.append(f"its header says {frames / rate:.1f} seconds; what follows was read too")
            with opener() as file, soundfile.SoundFile(Part(file, behind), **raw) as sound:
                yield from read(fault, sound, math.inf)
        elif rest == "recording":
            audio.notes.append(f"another recording follows at {frames / rate:.1f} seconds and was read too")
            with opener() as file:
                following = _open_sndfile(name, lambda: contextlib.nullcontext(Part(file, behind)))
                if following is None:
                    fault(f"the recording that follows at {frames / rate:.1f} seconds cannot be read")
                else:
                    for piece in following._pieces(fault):
                        yield resample(piece, following.sample_rate, rate)

    audio = Audio(name, rate, promised if not rest else None, pieces)
    return audio


class Part(io.RawIOBase):
    """A part of a file, between two positions, as a file of its own in which seeking never fails."""

    def __init__(self, file: BinaryIO, start: int = 0, end: int | None = None):
        self.file, self.start = file, start
        self.end = file.seek(0, os.SEEK_END) if end is None else end
        file.seek(start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self.file.read(max(0, min(len(buffer), self.end - self.file.tell())))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: self.start, os.SEEK_CUR: self.file.tell(), os.SEEK_END: self.end}[whence]
        if origin + offset >= self.start:  # a damaged header may ask for anything
            with contextlib.suppress(OSError, ValueError, OverflowError):
                self.file.seek(origin + offset)
        return self.tell()

    def tell(self) -> int:
        return self.file.tell() - self.start


def _share(file: BinaryIO) -> tuple[float, int | None]:
    """Compare the size of the sample data that a WAV or AIFF file states with what it contains.

    libsndfile silently shortens a recording to what is there, and silently ignores what follows.

    Returns:
        The share of the sample data that the file contains, 1.0 for a complete one; and the position after
        it, None if the size was never filled in.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    order = ">" if head.startswith((b"RIFX", b"FORM")) else "<"
    if not head.startswith((b"RIFF", b"RIFX", b"RF64", b"FORM")):
        return 1.0, None
    position, long_size = 12, None
    for _ in range(CHUNKS):
        if position + 8 > end:
            break
        file.seek(position)
        kind, size = struct.unpack(order + "4sI", file.read(8))
        position += 8
        if kind == b"ds64":
            long_size = struct.unpack("<QQ", file.read(16))[1]
        elif kind in (b"data", b"SSND"):
            if head.startswith(b"RF64") and size == 0xFFFFFFFF and long_size:
                size = long_size
            # Written to a pipe, where the size cannot be filled in afterwards.
            elif not size or 0x7FFFF000 <= size <= 0x80000000 or size >= 0xFFFFF000:
                return 1.0, None
            behind = position + size + size % 2 if kind == b"data" else None
            return min(1.0, (end - position) / size), behind
        position += size + size % 2
    return 1.0, None


def _rest(file: BinaryIO, position: int, end: int) -> tuple[str | None, int]:
    """What lies behind the sample data and the other chunks of a WAV file: samples, a recording, or nothing.

    Returns:
        That, and its position.
    """
    for _ in range(CHUNKS):
        if position + 12 > end:
            break
        file.seek(position)
        head = file.read(12)
        if re.match(rb"(RIFF|RF64)....WAVE", head, re.DOTALL):
            return "recording", position
        size = int.from_bytes(head[4:8], "little")
        if head.startswith(TAGS):
            break
        if not re.fullmatch(rb"[A-Za-z0-9 _-]{4}", head[:4]) or position + 8 + size > end + 1:
            return "samples", position
        position += 8 + size + size % 2
    return None, position


def _ogg_cut(file: BinaryIO) -> bool:
    """Whether an Ogg file ends within a page, which libsndfile silently ignores."""
    end = file.seek(0, os.SEEK_END)
    start = max(0, end - 2 * 65307)  # twice the longest possible page
    file.seek(start)
    tail = file.read()
    page = tail.rfind(b"OggS")
    if page < 0:
        return False
    segments = tail[page + 26] if page + 26 < len(tail) else 255
    sizes = tail[page + 27 : page + 27 + segments]
    return len(sizes) < segments or page + 27 + segments + sum(sizes) > len(tail)


def _open_ffmpeg(name: str, opener: Callable, head: bytes, number: int | None = None) -> Audio:
    """Open an audio track by its number, or the audible one that FFmpeg considers best."""
    import av

    def opened(file):
        # FFmpeg would follow playlists to other files and addresses.
        return av.open(file, metadata_errors="ignore", options={"protocol_whitelist": "none"})

    with opener() as file:
        try:
            container = opened(file)
        except (av.FFmpegError, EOFError) as error:
            if RECORDING.match(head):
                cause = "is damaged or cut off, so that it cannot be opened"
                raise DamagedMedia(name, cause, "get a whole copy of it, or repair it") from error
            raise MediaError(
                name, "is not in a supported audio or video format", "convert it to WAV or FLAC"
            ) from error
        with container:
            track = container.streams.best("audio")
            if track is None:
                raise MediaError(name, "has no audio track", "give a recording, or a video with sound")
            tracks = container.streams.audio
            if number is not None and not 1 <= number <= len(tracks):
                cause = f"has {len(tracks)} audio tracks, none of them number {number}"
                raise MediaError(name, cause, f"name a track from 1 to {len(tracks)}")
            index = tracks.index(track) if number is None else number - 1
    if number is None and len(tracks) > 1:
        with opener() as file, opened(file) as container:
            index = _audible(container, index)
    with opener() as file, opened(file) as container:
        track = container.streams.audio[index]
        if track.codec_context is None:
            raise MediaError(name, "has an audio track of an unknown codec", "convert it to WAV or FLAC")
        frame = next((frame for frame in _Frames(container, track) if frame is not None), None)
        if frame is None:
            kind = DamagedMedia if RECORDING.match(head) else MediaError
            cause = f"holds no samples that can be decoded ({track.codec_context.name})"
            raise kind(name, cause, "get a whole copy of it, or record it again")
        # Some codecs (HE-AAC) decode to another rate than stated in their header.
        rate = frame.sample_rate
        origin = (container.start_time or 0) / av.time_base
        duration = container.duration / av.time_base if container.duration else None
        layouts = set(container.format.name.split(","))
        # Raw streams state no length and FFmpeg guesses it from the bit rate. MP3 states it in a Xing
        # header, which FFmpeg does not believe where the file has another size.
        if layouts & {"aac", "loas", "ac3", "eac3", "dts", "amr"} and not origin:
            duration = None
        if "mp3" in layouts:
            duration = _xing_seconds(file)
        stated = duration and layouts & {"mov", "matroska", "avi", "asf", "flac", "mp3"}
        end = duration or float("inf")
        # Matroska states when it ends, and not how long it is.
        late = origin if "matroska" in layouts else 0.0

    def pieces(fault):
        done, skipped, filled = 0, 0, 0.0
        with opener() as file, opened(file) as container:
            frames = _Frames(container, container.streams.audio[index])
            for frame in frames:
                if frame is None:
                    if not skipped:
                        of = f" of {duration:.1f}" if stated else ""
                        fault(f"damaged at {done / rate:.1f}{of} seconds")
                    skipped += 1
                    continue
                gap = _gap(frame, origin + done / rate, origin + end)
                if filled + gap > FILLED:
                    if filled <= FILLED:
                        audio.notes.append(f"its time stamps leap by {gap:.0f} s at {done / rate:.1f} s")
                    filled, gap = math.inf, 0.0
                filled += gap
                for silence in _zeros(gap, rate):
                    done += len(silence)
                    yield silence
                piece = resample(_downmix(frame), frame.sample_rate, rate)
                done += len(piece)
                yield piece
        if skipped > 1:
            fault(f"{skipped} damaged packets skipped")
        if stated and duration - late - (frames.reached - origin) > SLACK:
            fault(f"ends after {done / rate:.1f} of {duration - late:.1f} seconds")

    audio = Audio(name, rate, duration and duration - late, pieces)
    return audio


def _xing_seconds(file: BinaryIO) -> float | None:
    """Seconds that the Xing header of an MP3 file states, None without one."""
    file.seek(0)
    head = file.read(10)
    tag = 0
    if head.startswith(b"ID3") and len(head) == 10:
        tag = 10 + sum(byte << 7 * place for place, byte in enumerate(reversed(head[6:])))
    file.seek(tag)
    frame = file.read(4096)
    start = frame.find(b"\xff")
    place = max(frame.find(b"Xing", 0, start + 200), frame.find(b"Info", 0, start + 200))
    if start < 0 or place < 0 or len(frame) < place + 12 or not frame[place + 7] & 1:
        return None
    version, index = frame[start + 1] >> 3 & 3, frame[start + 2] >> 2 & 3
    if index == 3 or version == 1:
        return None
    rate = (44100, 48000, 32000)[index] // {3: 1, 2: 2, 0: 4}[version]
    frames = int.from_bytes(frame[place + 8 : place + 12], "big")
    return frames * (1152 if version == 3 else 576) / rate


def _audible(container, best: int) -> int:
    """The index of the first audio track that can be heard, the given one before others."""
    import av

    peaks = dict.fromkeys(range(len(container.streams.audio)), 0.0)
    places = {track.index: place for place, track in enumerate(container.streams.audio)}
    try:
        for packet in container.demux(*container.streams.audio):
            if packet.pts is not None and packet.pts * packet.time_base > AUDIBLE_WITHIN:
                break
            place = places[packet.stream.index]
            try:
                for frame in packet.decode():
                    peaks[place] = max(peaks[place], float(np.abs(_downmix(frame)).max(initial=0.0)))
            except av.FFmpegError:
                continue
            if peaks[best] >= SILENCE:
                return best
    except av.FFmpegError:
        pass
    return next((place for place, peak in peaks.items() if peak >= SILENCE), best)


class _Frames:
    """Iterates over the frames of an audio track, with None for a packet that cannot be decoded.

    Attributes:
        reached: seconds covered by the packets of all tracks, as a video may continue after its sound.
    """

    def __init__(self, container, track):
        self.container, self.track = container, track
        self.reached = 0.0

    def __iter__(self) -> Iterator:
        import av

        try:
            for packet in self.container.demux():
                if packet.pts is not None:
                    end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    self.reached = max(self.reached, end)
                if packet.stream.index != self.track.index:
                    continue
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    frames = [] if bytes(packet).startswith(TAGS) else [None]
                yield from frames
        except av.FFmpegError:
            yield None


def _gap(frame, now: float, end: float) -> float:
    """Seconds without audio before a frame, by its time stamp: tracks that start late, recorders that pause.

    Without them, all later times would be shifted. Time stamps beyond `end` are ignored.
    """
    if frame.pts is None:
        return 0.0
    start = float(frame.pts * frame.time_base)
    return start - now if start - now > GAP and start <= end + SLACK else 0.0


def _zeros(seconds: float, rate: int) -> Iterator[np.ndarray]:
    samples = round(seconds * rate)
    for start in range(0, samples, PIECE):
        yield np.zeros(min(PIECE, samples - start), np.float32)


def _downmix(frame) -> np.ndarray:
    """PyAV audio frame -> (samples,): planar ones are (channels, samples), packed ones interleaved."""
    if frame.format.name.startswith("s64"):  # which PyAV gives no array of
        import av

        (frame,) = av.AudioResampler(format="fltp").resample(frame)
    samples = _to_float(frame.to_ndarray())
    channels = samples.T if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels)
    return _mono(channels)


def _mono(samples: np.ndarray) -> np.ndarray:
    """(samples, channels) -> (samples,): their mean, or the loudest one where they cancel each other out."""
    mean = samples.mean(axis=1)
    if samples.shape[1] > 1:
        power = np.square(samples).mean(axis=0)
        if np.square(mean).mean() < CANCELLED * power.mean():
            return samples[:, power.argmax()]
    return mean
