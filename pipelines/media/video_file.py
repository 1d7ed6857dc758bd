"""Video files, read with FFmpeg's libraries through PyAV.

One frame is decoded at a time, so that memory does not grow with the length of the video, and sparse sampling
seeks from key frame to key frame instead of decoding everything in between.
"""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.animations import cut_of
from pipelines.media.files import Opener, readable
from pipelines.media.footage import LEAP, Shot, Track, Video, reduced
from pipelines.media.images import blended, is_animated
from pipelines.media.part import part_of
from pipelines.media.recording import RECORDING, DamagedMedia

FORMATS = (
    "mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "obu", "av1", "ivf",
    "flv", "asf", "ogg", "gif", "apng", "mjpeg", "mxf", "nut", "rm", "dv", "swf", "yuv4mpegpipe",
    "wav", "mp3", "flac", "aac",
)  # fmt: skip
"""The formats of FFmpeg that are allowed: videos, and audio for a clear message. Not among them are
playlists, which would open other files and addresses, and single images and text."""

STATED = {"mov", "matroska", "avi", "asf", "flv"}  # containers whose stated length is reliable
UNSTATED = {"mpegvideo", "m4v", "h264", "hevc", "obu", "av1", "mjpeg"}  # formats whose length FFmpeg guesses
JOINED = {"mpegts", "mpeg"}  # formats whose files are joined by appending one to another
SLOWEST = 1 / 60  # frames a second
LONGEST_STILL = 3600.0  # seconds between two frames
SQUEEZED = 8.0  # largest ratio of the sides of a pixel that is believed
BEFORE = 10.0  # seconds before the start to seek to, as MPEG streams may not begin with a key frame

SHUT = ("is damaged or cut off, so that it cannot be opened", "get a whole copy of it, or repair it")
STILL = ("is a still image", "give a video, or a folder of images")
UNKNOWN = ("is not in a supported video format", "convert it to MP4 (H.264)")


def open_file(name: str, open_it: Opener, head: bytes) -> Video:
    """Open a video file, given its first bytes, and decode its first frame."""
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
        if container.start_time is None:
            origin = _stamp(first) or 0.0
        rate = (stream.average_rate if timed else None) or stream.guessed_rate
        leap = LEAP if timed and _goes(container, stream, origin) else math.inf
        turn = _turn(first)
        size = _shown_size(first, stream)
        size = size if turn[0, 0] else size[::-1]
        joined = (
            _joined_seconds(container, stream, origin, 1 / (rate or 25)) if timed and kinds & JOINED else None
        )
    cut = None
    if kinds & {"gif", "apng"}:
        with readable(name, open_it) as file:
            cut = cut_of(file)
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
    def opened(threads: int) -> Iterator[Track]:
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

            track = Track(decode, find_end, step, duration if kinds & STATED else None, leap)
            yield track

    return Video(name, size, _clockwise(turn), rate, duration, opened, cut)


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
    width, height = reduced(size, side)
    across, down = (width, height) if turn[0, 0] else (height, width)
    smaller = {"interpolation": "AREA"} if across < frame.width else {}
    if frame.format.has_palette or any(component.is_alpha for component in frame.format.components):
        frame = _on_white(frame)
    pixels = frame.reformat(across, down, "rgb24", **smaller).to_ndarray()
    pixels = pixels if turn[0, 0] else pixels.transpose(1, 0, 2)
    flip_across, flip_down = turn.sum(axis=0) < 0
    return np.ascontiguousarray(pixels[:: -1 if flip_down else 1, :: -1 if flip_across else 1])


def _on_white(frame):
    """A frame that may be transparent, as still images are shown."""
    import av

    pixels = frame.reformat(format="rgba").to_ndarray()
    return av.VideoFrame.from_ndarray(blended(pixels[..., :3], pixels[..., 3]), "rgb24")
