"""Makes small videos for the tests: frames that carry their own number, and files that hold them."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS = 8
CELL = 8  # pixels of the squares that write a frame's number, enough to survive any codec


def numbered(number: int, height: int = 48, width: int = 80) -> np.ndarray:
    """(height, width, 3) uint8: `number` in binary squares along the top, red left, blue below."""
    pixels = np.full((height, width, 3), 60, np.uint8)
    for bit in range(BITS):
        pixels[:CELL, bit * CELL : (bit + 1) * CELL] = 220 if number >> bit & 1 else 20
    pixels[2 * CELL :, : width // 4] = (200, 30, 30)
    pixels[-CELL:, width // 4 :] = (30, 30, 200)
    return pixels


def number_of(pixels: np.ndarray) -> int:
    """What `numbered` wrote, in a frame of any size."""
    height, width = pixels.shape[:2]
    row, step = round(height * CELL / 48 / 2), width * CELL / 80
    return sum(int(pixels[row, round((bit + 0.5) * step)].mean() > 120) << bit for bit in range(BITS))


def write_video(
    path: Path,
    times: list[float] | int = 20,
    rate: int = 10,
    codec: str = "libx264",
    sound: float = 0.0,
    **options: str,
) -> Path:
    """A video of `numbered` frames, its container picked by the path's ending.

    Args:
        times: seconds of each frame, or how many there are at `rate`.
        rate: frames a second of the codec.
        sound: seconds of a silent audio track.
        options: of the codec, e.g. `g="12"` frames from key frame to key frame; `movflags` goes to the
            container.
    """
    container_options = {"movflags": options.pop("movflags")} if "movflags" in options else {}
    times = [index / rate for index in range(times)] if isinstance(times, int) else times
    with av.open(path, "w", options=container_options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = 80, 48
        stream.pix_fmt = {"gif": "rgb8", "apng": "rgb24"}.get(codec, "yuv420p")
        stream.options = options
        audio = container.add_stream("aac", rate=16000, layout="mono") if sound else None
        fine = Fraction(1, 1000)
        if codec not in ("gif", "apng", "mpeg4"):
            stream.time_base = stream.codec_context.time_base = fine
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            if codec in ("gif", "apng", "mpeg4"):
                frame.pts = number
            else:
                frame.pts, frame.time_base = round(time * 1000), fine
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for start in range(0, round(sound * 16000), 1024) if audio else ():
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "flt", "mono")
            silence.sample_rate, silence.pts = 16000, start
            container.mux(audio.encode(silence))
        if audio:
            container.mux(audio.encode(None))
    return path


def turn(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Set the display matrix of an MP4 file: phones write 0, 1, -1, 0 for a quarter turn clockwise."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40  # behind the header's times, number, layer and volume
    matrix = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    content[place : place + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(content)
    return path


def spoil(path: Path, packets: range) -> Path:
    """Overwrite the middles of these packets of a video's first track, counted in the file's order."""
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        found = [packet for packet in container.demux(video=0) if packet.size]
        places = [(packet.pos, packet.size) for packet in found]
    noise = np.random.default_rng(0).integers(0, 256, len(content), dtype=np.uint8).tobytes()
    for index in packets:
        position, size = places[index]
        content[position + 8 : position + size] = noise[: size - 8]
    path.write_bytes(content)
    return path


def moving_square(
    steps: int, across: int, down: int, size: int = 96, square: int = 32, texture: int = 0
) -> np.ndarray:
    """(steps, size, size, 3) uint8: a textured square on black that moves so many pixels a frame."""
    import cv2

    grain = np.random.default_rng(texture).integers(80, 256, (square, square), dtype=np.uint8)
    grain = cv2.GaussianBlur(grain, (0, 0), 1.5)
    frames = np.zeros((steps, size, size, 3), np.uint8)
    left = (size - square - across * (steps - 1)) // 2
    top = (size - square - down * (steps - 1)) // 2
    for step in range(steps):
        x, y = left + step * across, top + step * down
        frames[step, y : y + square, x : x + square] = grain[..., None]
    return frames
