"""Recordings, and the sound of videos, as FFmpeg's libraries read them (through PyAV)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.part import part_of
from pipelines.media.recording import (
    PIECE,
    RECORDING,
    SILENCE,
    SLACK,
    TAGS,
    Audio,
    DamagedMedia,
    mono,
    resample,
    to_float,
)

GAP = 0.1  # gaps in the time stamps of a track from this many seconds are filled with silence
PLANES = 8  # channels that a frame holds in planes of its own, as FFmpeg has it
FILLED = 600.0  # seconds of such silence in a recording, above which its time stamps are not believed
AUDIBLE_WITHIN = 60.0  # seconds in which the audible one of several tracks is looked for


def open_ffmpeg(name: str, opener: Callable, head: bytes, number: int | None = None) -> Audio:
    """Open an audio track by its number, or the audible one that FFmpeg considers best."""
    import av

    def opened(part):
        # FFmpeg would follow playlists to other files and addresses.
        return av.open(part, metadata_errors="ignore", options={"protocol_whitelist": "none"})

    with opener() as file, part_of(file) as part:
        try:
            container = opened(part)
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
        with opener() as file, part_of(file) as part, opened(part) as container:
            index = _audible(container, index)
    with opener() as file, part_of(file) as part, opened(part) as container:
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
        if "caf" in layouts and track.frames:  # samples: its time stamps have no end
            duration = track.frames / rate
        stated = duration and layouts & {"mov", "matroska", "avi", "asf", "flac", "mp3", "caf"}
        end = duration or float("inf")
        # Matroska states when it ends, and not how long it is.
        late = origin if "matroska" in layouts else 0.0

    def pieces(fault):
        done, skipped, filled = 0, 0, 0.0
        with opener() as file, part_of(file) as part, opened(part) as container:
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
                try:
                    samples = _downmix(frame)
                except av.FFmpegError:  # more channels than FFmpeg itself can handle
                    samples = np.zeros(frame.samples, np.float32)
                    if not skipped:
                        fault(f"damaged at {done / rate:.1f} seconds")
                    skipped += 1
                piece = resample(samples, frame.sample_rate, rate)
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
    crowded = frame.format.is_planar and frame.layout.nb_channels > PLANES
    if crowded or frame.format.name.startswith("s64"):  # of which PyAV gives no array, or a wrong one
        import av

        (frame,) = av.AudioResampler(format="flt").resample(frame)
    samples = to_float(frame.to_ndarray())
    channels = samples.T if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels)
    return mono(channels)
