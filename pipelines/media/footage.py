"""Upright frames of an opened video with their times: all of them, or those displayed at given times."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.recording import DamagedMedia

ROUNDING = 0.001  # seconds; Matroska's times are whole milliseconds
SLACK = 0.5  # seconds, plus two frames, by which header and frames may differ
LEAP = 1.0  # seconds to the next wanted frame from which seeking is tried; grows if it does not pay
NAMED = 5  # pictures that could not be read, in a note
STEPS_BACK = (0.0, 2.0, 10.0)  # seconds before a wanted frame at which to search for key frames

Picture = Callable[["int | None"], np.ndarray]
Shot = tuple[float, Picture]


class Frame(NamedTuple):
    """One frame: its time in seconds, and upright RGB pixels, (height, width, 3) uint8."""

    time: float
    pixels: np.ndarray


class Track:
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


class Video:
    """One video, opened and not yet read. Made by `open_video`.

    Attributes:
        name: the path, a file object's name, or `<array>`.
        size: (width, height) of the upright frames, pixels.
        rotation: degrees clockwise by which frames were rotated to be upright: 0, 90, 180 or 270.
        rate: average frame rate per second, None if unknown.
        duration: seconds; None if the file does not state it, until sampling has found its end. Where the
            frames break off before it, that is its end after a pass with `strict=False`.
        damaged: number of frames or packets that the last pass had to skip.

    Args:
        cut: what is missing at the end of the file, as a clause; None if it is whole or nobody knows.
        lost: names of pictures that could not be read, as they are found.
    """

    def __init__(
        self,
        name: str,
        size: tuple[int, int],
        rotation: int,
        rate: float | None,
        duration: float | None,
        opened: Callable[[int], contextlib.AbstractContextManager[Track]],
        cut: str | None = None,
        lost: Collection[str] = (),
    ):
        self.name = name
        self.size = size
        self.rotation = rotation
        self.rate = rate
        self.duration = duration
        self.damaged = 0
        self._opened, self._cut, self._lost = opened, cut, lost
        self._broken: str | None = None

    def __repr__(self) -> str:
        return f"Video({self.name!r}, size={self.size}, rate={self.rate}, duration={self.duration})"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the last pass left out, one sentence for each kind."""
        found = [self._broken or self._cut]
        if self._lost:
            names = sorted(self._lost)
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            found.append(f"left out, since they cannot be read: {', '.join(names[:NAMED])}{more}")
        elif self.damaged and not found[0]:
            found.append(f"frames or packets that could not be decoded and were skipped: {self.damaged}")
        return tuple(filter(None, found))

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

    def break_off(self) -> tuple[float, str] | None:
        """Seconds from which on frames are missing, and what is to be said of that; None if it is whole.

        The whole file is read, but not decoded.
        """
        with self._opened(1) as track:
            if track.stated is not None:
                track.reached = track.find_end()
            broken = track.breaks_off(math.inf)
            if broken:
                return track.reached, self._broken_off(track)
        return (0.0, self._cut) if self._cut else None

    def _broken_off(self, track: Track) -> str:
        return f"breaks off after {track.reached:.1f} of {track.stated:.1f} seconds"

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
            if count or every:
                stop = min(stop, length)
            if count is not None:
                part = (stop - start) / count
                times = (start + (index + 0.5) * part for index in range(count))
                shots = ((time, track.shown_at(time)) for time in times)
            elif every is not None:
                steps = math.ceil((stop - start) / every - 1e-9)
                times = (start + step * every for step in range(max(1, steps)))
                shots = ((time, track.shown_at(time)) for time in times)
            else:
                shots = ((shot[0], shot) for shot in track.all(start, stop))
            for time, shot in shots:
                if self._breaks_off(track, stop, strict) and time >= track.reached > start:
                    break  # what was wanted after the end would be its last frame again and again
                yield Frame(shot[0], shot[1](shorter_side))
            if self._breaks_off(track, stop, strict):
                self.duration = min(length, max(track.reached, start))

    def _breaks_off(self, track: Track, stop: float, strict: bool) -> bool:
        """Whether frames are missing at the end, which is an error if `strict`."""
        self.damaged = track.damaged
        if not track.frames:
            raise MediaError(self.name, "holds no frame that can be decoded", "get a whole copy of it")
        broken = track.breaks_off(stop)
        if broken:
            self._broken = self._broken_off(track)
        if strict and (broken or self._cut):
            way_out = "get a whole copy of it, or accept what there is (--lenient, strict=False)"
            raise DamagedMedia(self.name, self._broken or self._cut, way_out)
        return broken


def reduced(size: tuple[int, int], side: int | None) -> tuple[int, int]:
    """(width, height) reduced to a shorter side of `side`, never enlarged."""
    share = 1.0 if side is None else min(1.0, side / min(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))
