"""Reads videos from files, folders of images and arrays as upright frames with their times.

FFmpeg's libraries (through PyAV) read the files. The content decides how a file is read, never its name. One
frame is decoded at a time, so that memory does not grow with the length of the video, and sparse sampling
seeks from key frame to key frame instead of decoding everything in between.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar, NamedTuple, Union

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.documents import multipage_tiff
from pipelines.media.files import Opener, locate, readable
from pipelines.media.images import is_animated, read_image
from pipelines.media.part import part_of
from pipelines.media.recording import RECORDING, DamagedMedia

if TYPE_CHECKING:
    import torch

Source = Union[str, os.PathLike, BinaryIO, np.ndarray, "torch.Tensor"]

FORMATS = (
    "mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "obu", "av1", "ivf",
    "flv", "asf", "ogg", "gif", "apng", "mjpeg", "mxf", "nut", "rm", "dv", "swf", "yuv4mpegpipe",
    "wav", "mp3", "flac", "aac",
)  # fmt: skip
"""The formats of FFmpeg that are allowed: videos, and audio for a clear message. Not among them are
playlists,
which would open other files and addresses, and single images and text."""

IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm")  # taken for frames in a folder
STATED = {"mov", "matroska", "avi", "asf", "flv"}  # containers whose stated length is reliable
UNSTATED = {"mpegvideo", "m4v", "h264", "hevc", "obu", "av1", "mjpeg"}  # formats whose length FFmpeg guesses
JOINED = {"mpegts", "mpeg"}  # formats whose files are joined by appending one to another
SLOWEST = 1 / 60  # frames a second
LONGEST_STILL = 3600.0  # seconds between two frames
SQUEEZED = 8.0  # largest ratio of the sides of a pixel that is believed
ROUNDING = 0.001  # seconds; Matroska's times are whole milliseconds
SLACK = 0.5  # seconds, plus two frames, by which header and frames may differ
LEAP = 1.0  # seconds to the next wanted frame from which seeking is tried; grows if it does not pay
BEFORE = 10.0  # seconds before the start to seek to, as MPEG streams may not begin with a key frame
STEPS_BACK = (0.0, 2.0, 10.0)  # seconds before a wanted frame at which to search for key frames

SHUT = ("is damaged or cut off, so that it cannot be opened", "get a whole copy of it, or repair it")
STILL = ("is a still image", "give a video, or a folder of images")
UNKNOWN = ("is not in a supported video format", "convert it to MP4 (H.264)")

Picture = Callable[["int | None"], np.ndarray]
Shot = tuple[float, Picture]


class Frame(NamedTuple):
    """One frame: its time in seconds, and upright RGB pixels, (height, width, 3) uint8."""

    time: float
    pixels: np.ndarray


@dataclass(frozen=True)
class Clip:
    """A video, or the stretch of it from `start` to `end` in seconds; not opened yet."""

    kind: ClassVar[str] = "video"

    source: Source
    start: float = 0.0
    end: float | None = None


class Video:
    """One video, opened and not yet read. Made by `open_video`.

    Attributes:
        name: the path, a file object's name, or `<array>`.
        size: (width, height) of the upright frames, pixels.
        rotation: degrees clockwise by which frames were rotated to be upright: 0, 90, 180 or 270.
        rate: average frame rate per second, None if unknown.
        duration: seconds; None if the file does not state it, until sampling has found its end.
        damaged: number of frames or packets that the last pass had to skip.
    """

    def __init__(
        self,
        name: str,
        size: tuple[int, int],
        rotation: int,
        rate: float | None,
        duration: float | None,
        opened: Callable[[int], contextlib.AbstractContextManager[_Track]],
    ):
        self.name = name
        self.size = size
        self.rotation = rotation
        self.rate = rate
        self.duration = duration
        self.damaged = 0
        self._opened = opened

    def __repr__(self) -> str:
        return f"Video({self.name!r}, size={self.size}, rate={self.rate}, duration={self.duration})"

    def frames(
        self,
        count: int | None = None,
        every: float | None = None,
        shorter_side: int | None = None,
        start: float = 0.0,
        end: float | None = None,
        strict: bool = True,
        threads: int = 1,
    ) -> Iterator[Frame]:
        """Yield frames in order of time: all frames, or those sampled by `count` or `every`.

        Times are those of the file, also at variable frame rates. Sampling yields the frame displayed at each
        time, possibly the same frame several times. Frames that cannot be decoded are skipped and counted in
        `damaged`. May be called again for another pass.

        Args:
            count: this many frames, from the middles of as many equal intervals.
            every: seconds between sampled times, the first of which is `start`.
            shorter_side: larger frames are reduced to this shorter side, pixels.
            start, end: the interval in seconds; None for the end of the video.
            strict: raise if the video is truncated; otherwise use what is left.
            threads: decoder threads; 0 for one per core.

        Raises:
            ValueError: both `count` and `every` are given, or an argument is out of range.
            DamagedMedia: the video is truncated (strict only).
            MediaError: no frame can be decoded, or the video ends before `start`.
        """
        if count is not None and every is not None:
            raise ValueError("give count or every, not both")
        if (count is not None and count < 1) or (every is not None and not 0 < every < math.inf):
            raise ValueError(f"count must be at least 1 and every above 0, not {count} and {every}")
        if shorter_side is not None and shorter_side < 1:
            raise ValueError(f"shorter_side must be at least 1 pixel, not {shorter_side}")
        if not 0 <= start < (math.inf if end is None else end):
            raise ValueError(f"start and end must be 0 <= start < end, not {start} and {end}")
        return self._frames(count, every, shorter_side, start, end, strict, threads)

    def _frames(self, count, every, shorter_side, start, end, strict, threads) -> Iterator[Frame]:
        self.damaged = 0
        if self.duration is None and (count or every):
            with self._opened(threads) as track:
                self.duration = track.find_end()
        length = self.duration or math.inf
        if start >= length:
            cause = f"is {length:g} seconds long"
            raise MediaError(self.name, cause, f"start before that, not at {start:g}")
        stop = math.inf if end is None else end
        with self._opened(threads) as track:
            shots = track.all(start, stop)
            if count or every:
                stop = min(stop, length)
            if count is not None:
                part = (stop - start) / count
                shots = (track.shown_at(start + (index + 0.5) * part) for index in range(count))
            elif every is not None:
                steps = math.ceil((stop - start) / every - 1e-9)
                shots = (track.shown_at(start + step * every) for step in range(max(1, steps)))
            for shot in shots:
                self._check(track, stop, strict)
                yield Frame(shot[0], shot[1](shorter_side))
            self._check(track, stop, strict)

    def _check(self, track: _Track, stop: float, strict: bool) -> None:
        self.damaged = track.damaged
        if not track.frames:
            raise MediaError(self.name, "holds no frame that can be decoded", "get a whole copy of it")
        if strict and track.breaks_off(stop):
            cause = f"breaks off after {track.reached:.1f} of {track.stated:.1f} seconds"
            way_out = "get a whole copy of it, or accept what there is (strict=False)"
            raise DamagedMedia(self.name, cause, way_out)


def open_clip(source: Source | Clip, kind: str = "video", options: object = None) -> list[Clip]:
    """The one clip that a video is; opener of the tasks for video.

    Raises:
        MediaError: a folder holds no images, or an array is none of frames.
    """
    if kind == "frames":
        open_video(source)
    return [source if isinstance(source, Clip) else Clip(source)]


def open_scene(source: Source | Clip, kind: str, options: object = None) -> list:
    """A video as a clip, an image as it is or each page of a TIFF; opener of the tasks for either."""
    if kind == "image of several pages":
        return multipage_tiff(source)
    return open_clip(source, kind) if kind in ("video", "frames") else [source]


def open_video(source: Source, fps: float = 25.0) -> Video:
    """Open a video and decode its first frame.

    Args:
        source: a path; a binary file object, which must stay open; a folder of images, in the order of the
            numbers in their names; an array or tensor of shape (frames, height, width, 3), uint8.
        fps: frame rate of a folder or an array, per second; files have their own times.

    Raises:
        MediaError: the file does not exist, is empty, damaged, of another type, or has no video track; the
            folder has no images; or the array has another shape or type.
    """
    if not 0 < fps < math.inf:
        raise ValueError(f"fps must be above 0, not {fps}")
    if isinstance(source, np.ndarray) or hasattr(source, "numpy"):
        return _open_array(source, fps)
    if isinstance(source, (str, os.PathLike)) and os.path.isdir(source):
        return _open_folder(Path(source), fps)
    name, open_it = locate(source)
    with readable(name, open_it) as file:
        head = file.read(4096)
    if not head:
        raise MediaError(name, "is empty (0 bytes)", "copy or record it again")
    return _open_file(name, open_it, head)


class _Track:
    """The frames of a video in order of display, with seeking.

    Args:
        decode: yields the frames from the last possible start at or before a time, None for a damaged one.
        find_end: returns the end of the last frame, seconds.
        step: approximate distance of frames, seconds.
        stated: end stated by the file in seconds, or None.
        leap: distance in seconds from which seeking is tried; infinite if impossible.

    Attributes:
        frames: number of frames decoded so far.
        damaged: number of frames or packets that could not be decoded.
        reached: seconds covered by the packets read so far.
    """

    def __init__(
        self,
        decode: Callable[[float], Iterator[Shot | None]],
        find_end: Callable[[], float],
        step: float,
        stated: float | None = None,
        leap: float = LEAP,
    ):
        self.frames = self.damaged = 0
        self.reached = 0.0
        self.find_end, self.stated = find_end, stated
        self._decode, self._step, self._leap = decode, step, leap
        self._shots: Iterator[Shot | None] | None = None
        self._now: Shot | None = None
        self._ahead: Shot | None = None
        self._whole = True

    def all(self, start: float, stop: float) -> Iterator[Shot]:
        """All frames with times in [start, stop)."""
        self._go(start)
        while self._ahead and self._ahead[0] < stop:
            if self._ahead[0] >= start:
                yield self._ahead
            self._ahead = self._next()

    def shown_at(self, time: float) -> Shot | None:
        """The frame displayed at a time; times must not decrease."""
        if self._shots is None:
            self._go(time)
        elif self._ahead and time - self._ahead[0] > self._leap:
            before = self._ahead[0]
            landed = self._go(time, before)
            if landed <= before:
                self._leap = max(2 * self._leap, time - landed)
        while self._ahead and self._ahead[0] <= time + ROUNDING:
            self._now, self._ahead = self._ahead, self._next()
        return self._now or self._ahead

    def breaks_off(self, stop: float) -> bool:
        """Whether the frames end well before `stop` and before the stated end of the file."""
        if self.stated is None or self._ahead:
            return False
        return min(stop, self.stated) - self.reached > SLACK + 2 * self._step

    def _go(self, time: float, known: float = 0.0) -> float:
        """Restart decoding at or before `time`, or at `known` if that fails; return where it landed."""
        places = [max(0.0, time - back) for back in STEPS_BACK]
        for place in [*places, known] if self._leap < math.inf else [0.0]:
            self._shots, self._whole = self._decode(place), place == 0
            self._ahead = self._next()
            if place == 0 or (self._ahead and self._ahead[0] <= time):
                break
        return self._ahead[0] if self._ahead else 0.0

    def _next(self) -> Shot | None:
        for shot in self._shots:
            if shot is not None:
                self._whole = True
                self.frames += 1
                self.reached = max(self.reached, shot[0])
                return shot
            self.damaged += self._whole  # after seeking, frames may lack their reference frames
        return None


# Files


def _open_file(name: str, open_it: Opener, head: bytes) -> Video:
    with readable(name, open_it) as file, _container(name, file, head, open_it) as container:
        stream = _stream(name, container)
        kinds = set(container.format.name.split(","))
        origin, duration = _times(container, stream)
        frames = filter(None, _decoded(container, stream))
        first = next(frames, None)
        if first is None:
            kind = DamagedMedia if RECORDING.match(head) else MediaError
            cause = f"holds no frame that can be decoded ({stream.codec_context.name})"
            raise kind(name, cause, "get a whole copy of it, or convert it to MP4 (H.264)")
        if kinds & {"gif", "apng"} and next(frames, None) is None:
            raise MediaError(name, *STILL)
        timed = _stamp(first) is not None
        rate = (stream.average_rate if timed else None) or stream.guessed_rate
        leap = LEAP if timed and _goes(container, stream, origin) else math.inf
        turn = _turn(first)
        size = _shown_size(first, stream)
        size = size if turn[0, 0] else size[::-1]
        joined = (
            _joined_seconds(container, stream, origin, 1 / (rate or 25)) if timed and kinds & JOINED else None
        )
    if joined:
        duration, leap = joined, math.inf
    rate = float(rate) if rate else None
    if rate and rate < SLOWEST:
        cause = f"claims to show a frame every {1 / rate:.0f} seconds"
        raise MediaError(name, cause, "give a video of at least one frame a minute")
    step = 1.0 / (rate or 25.0)
    if kinds & UNSTATED:
        duration = None

    @contextlib.contextmanager
    def opened(threads: int) -> Iterator[_Track]:
        with readable(name, open_it) as file, _container(name, file, head, open_it) as container:
            stream = _stream(name, container)
            if threads != 1:
                stream.codec_context.thread_type = "AUTO"
            stream.codec_context.thread_count = threads
            fresh = True

            def decode(place: float) -> Iterator[Shot | None]:
                nonlocal fresh
                if place:
                    _goes(container, stream, origin + place)
                elif not fresh:
                    _goes(container, stream, origin - BEFORE) or _goes(container, stream, origin)
                fresh = False
                seconds, shift = None, 0.0
                for frame in _decoded(container, stream, reach):
                    if frame is None:
                        yield None
                        continue
                    previous, stamp = seconds, _stamp(frame)
                    seconds = None if stamp is None else stamp - origin + shift
                    if previous is not None:
                        leaps = seconds is not None and seconds - previous > LONGEST_STILL
                        if seconds is None or seconds <= previous or (leaps and kinds & JOINED):
                            # no time stamps, or those of another recording appended
                            seconds = previous + step
                            if stamp is not None and kinds & JOINED:
                                shift = seconds - (stamp - origin)
                    if previous is not None and seconds - previous > LONGEST_STILL:
                        cause = f"claims that a frame stands for {seconds - previous:.0f} seconds"
                        raise DamagedMedia(name, cause, "get a whole copy of it, or convert it again")
                    seconds = seconds or 0.0
                    yield seconds, lambda side, frame=frame: _upright(frame, turn, size, side)

            def reach(seconds: float) -> None:
                track.reached = max(track.reached, seconds - origin)

            def find_end() -> float:
                if timed:
                    deque(_packets(container, reach), maxlen=0)
                    return max(track.reached, step)
                return max((shot[0] for shot in decode(0.0) if shot), default=0.0) + step

            track = _Track(decode, find_end, step, duration if kinds & STATED else None, leap)
            yield track

    return Video(name, size, _clockwise(turn), rate, duration, opened)


def _times(container, stream) -> tuple[float, float | None]:
    """Start of the track in the file's own time, and its duration, both in seconds."""
    import av

    origin = (container.start_time or 0) / av.time_base
    if stream.duration:
        end = float(((stream.start_time or 0) + stream.duration) * stream.time_base)
        return origin, end - origin if end > origin else None
    return origin, container.duration / av.time_base if container.duration else None


def _shown_size(frame, stream) -> tuple[int, int]:
    """(width, height) of a frame whose pixels need not be square, before it is turned."""
    aspect = float(stream.sample_aspect_ratio or 1)
    if not 1 / SQUEEZED <= aspect <= SQUEEZED:
        aspect = 1.0
    return max(1, round(frame.width * aspect)), frame.height


def _joined_seconds(container, stream, origin: float, step: float) -> float | None:
    """How long files are together of which one was appended to the other, so that time stamps begin again or
    leap ahead; None for a single one. Afterwards, the file is at its start.
    """
    total, first, last, joined = 0.0, None, None, False
    _goes(container, stream, origin - BEFORE) or _goes(container, stream, origin)
    for packet in _packets(container, lambda seconds: None):
        if packet.stream.index != stream.index or packet.dts is None:
            continue
        begin = float(packet.dts * packet.time_base)
        if last is not None and not 0 <= begin - last[0] <= LONGEST_STILL:
            total, first, joined = total + last[1] - first, None, True
        first = begin if first is None else first
        last = begin, begin + (float(packet.duration * packet.time_base) if packet.duration else step)
    return total + last[1] - first if joined else None


@contextlib.contextmanager
def _container(name: str, file: BinaryIO, head: bytes, open_it: Opener) -> Iterator:
    import av

    options = {"protocol_whitelist": "none", "format_whitelist": ",".join(FORMATS)}
    with part_of(file) as part:
        try:
            container = av.open(part, metadata_errors="ignore", options=options)
        except (av.FFmpegError, EOFError) as error:
            if RECORDING.match(head):
                raise DamagedMedia(name, *SHUT) from error
            with open_it() as again:
                known = STILL if _is_image(again, name) else UNKNOWN
            raise MediaError(name, *known) from error
        with container:
            yield container


def _is_image(file: BinaryIO, name: str) -> bool:
    try:
        return is_animated(file, name) is not None
    except MediaError:
        return False


def _stream(name: str, container):
    """The first video track that is not cover art."""
    from av.stream import Disposition

    if not container.streams:
        raise DamagedMedia(name, *SHUT)
    tracks = [track for track in container.streams.video if not track.disposition & Disposition.attached_pic]
    if not tracks:
        raise MediaError(name, "has no video track", "give a video")
    if tracks[0].codec_context is None:
        raise MediaError(name, "has a video track of an unknown codec", "convert it to MP4 (H.264)")
    return tracks[0]


def _goes(container, stream, seconds: float) -> bool:
    """Seek to the last key frame at or before a time in the file's own time; return whether it worked."""
    import av

    try:
        container.seek(math.floor(seconds / stream.time_base), stream=stream)
    except av.FFmpegError:
        return False
    return True


def _packets(container, reach: Callable[[float], None]) -> Iterator:
    """All packets of a file, reporting up to which time they reach: a video may continue after its sound."""
    import av

    with contextlib.suppress(av.FFmpegError):
        for packet in container.demux():
            if packet.pts is not None:
                reach(float((packet.pts + (packet.duration or 0)) * packet.time_base))
            yield packet


def _decoded(container, stream, reach: Callable[[float], None] = lambda seconds: None) -> Iterator:
    """The following frames in order of display, None for a damaged frame or packet."""
    import av

    for packet in _packets(container, reach):
        if packet.stream.index != stream.index:
            continue
        try:
            frames = packet.decode()
        except av.FFmpegError:
            yield None
            continue
        yield from (None if frame.is_corrupt else frame for frame in frames)


def _stamp(frame) -> float | None:
    """Time stamp of a frame in the file's own time, seconds."""
    stamp = frame.dts if frame.pts is None else frame.pts
    return None if stamp is None else float(stamp * frame.time_base)


def _turn(frame) -> np.ndarray:
    """The display matrix of a frame, (2, 2) of 0, 1 and -1, to be multiplied with (x, y)."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return np.eye(2, dtype=int)
    turn = np.frombuffer(bytes(matrix), np.int32).reshape(3, 3)[:2, :2].astype(float)
    straight = np.abs(turn[[0, 1], [0, 1]]).sum() >= np.abs(turn[[0, 1], [1, 0]]).sum()
    return np.where(np.eye(2, dtype=bool) == straight, np.where(turn < 0, -1, 1), 0)


def _clockwise(turn: np.ndarray) -> int:
    """Rotation of a frame in degrees, mirrored or not."""
    return round(math.degrees(math.atan2(-turn[1, 0], turn[1, 1]))) % 360


def _upright(frame, turn: np.ndarray, size: tuple[int, int], side: int | None) -> np.ndarray:
    width, height = _reduced(size, side)
    across, down = (width, height) if turn[0, 0] else (height, width)
    smaller = {"interpolation": "AREA"} if across < frame.width else {}
    pixels = frame.reformat(across, down, "rgb24", **smaller).to_ndarray()
    pixels = pixels if turn[0, 0] else pixels.transpose(1, 0, 2)
    flip_across, flip_down = turn.sum(axis=0) < 0
    return np.ascontiguousarray(pixels[:: -1 if flip_down else 1, :: -1 if flip_across else 1])


def _reduced(size: tuple[int, int], side: int | None) -> tuple[int, int]:
    """(width, height) reduced to a shorter side of `side`, never enlarged."""
    share = 1.0 if side is None else min(1.0, side / min(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


# Images as frames


def _open_folder(folder: Path, fps: float) -> Video:
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.name.lower().endswith(IMAGES)]
    except OSError as error:
        raise MediaError(folder, f"cannot be read ({error.strerror})", "check its permissions") from error
    paths = [folder / name for name in sorted(names, key=_numbers_in) if not name.startswith(".")]

    def read(index: int) -> np.ndarray | None:
        try:
            return read_image(paths[index], colour=True).pixels
        except MediaError:
            return None

    first = next((pixels for pixels in map(read, range(len(paths))) if pixels is not None), None)
    if first is None:
        raise MediaError(folder, "is a folder without images that can be read", "give a video or frames")
    return _open_pictures(str(folder), read, len(paths), first.shape, fps)


def _open_array(source: np.ndarray | torch.Tensor, fps: float) -> Video:
    pixels = source if isinstance(source, np.ndarray) else source.detach().cpu().numpy()
    if pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        cause = f"has the shape {pixels.shape} and holds {pixels.dtype} values"
        raise MediaError("<array>", cause, "give (frames, height, width, 3) of uint8")
    return _open_pictures("<array>", pixels.__getitem__, len(pixels), pixels.shape[1:], fps)


def _open_pictures(
    name: str, read: Callable[[int], np.ndarray | None], count: int, shape: tuple[int, ...], fps: float
) -> Video:
    size = (shape[1], shape[0])

    def decode(place: float) -> Iterator[Shot | None]:
        for index in range(min(count - 1, math.floor(place * fps + 1e-6)), count):
            pixels = read(index)
            yield None if pixels is None else (index / fps, lambda side, pixels=pixels: resized(pixels, side))

    def resized(pixels: np.ndarray, side: int | None) -> np.ndarray:
        wanted = _reduced(size, side)
        if wanted == pixels.shape[1::-1]:
            return pixels.copy()
        import cv2

        return cv2.resize(pixels, wanted, interpolation=cv2.INTER_AREA)

    @contextlib.contextmanager
    def opened(threads: int) -> Iterator[_Track]:
        yield _Track(decode, lambda: count / fps, 1 / fps, leap=2 / fps)

    return Video(name, size, 0, fps, count / fps, opened)


def _numbers_in(name: str) -> list[tuple[int, str]]:
    """A sort key by which frame2 comes before frame10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name.lower())]
