"""Makes small media for the tests: signals, and files of every kind that holds them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soundfile


def tone(
    seconds: float = 1.0, sample_rate: int = 16000, frequency: float = 440.0, channels: int = 1
) -> np.ndarray:
    """A sine at half of full scale: (samples,), or (samples, channels) for several channels, float32."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    wave = (0.5 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)
    return wave if channels == 1 else np.repeat(wave[:, None], channels, axis=1)


def chirp(
    seconds: float = 1.0, sample_rate: int = 16000, low: float = 100.0, high: float = 3000.0
) -> np.ndarray:
    """A sine that rises from `low` to `high` Hz: (samples,) float32. No two of its moments are alike."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * (low * time + (high - low) / (2 * seconds) * time**2)
    return (0.5 * np.sin(phase)).astype(np.float32)


def noise(seconds: float = 1.0, sample_rate: int = 16000, seed: int = 0) -> np.ndarray:
    """White noise at about -20 dBFS: (samples,) float32."""
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * sample_rate)).astype(np.float32)


def write_audio(
    path: Path, samples: np.ndarray, sample_rate: int = 16000, subtype: str | None = None
) -> Path:
    """Write wav, flac, ogg, mp3, aiff, caf (libsndfile), or what FFmpeg writes, as the ending says."""
    if path.suffix in (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".caf"):
        soundfile.write(path, samples, sample_rate, subtype=subtype)
    else:
        write_container(path, samples, sample_rate)
    return path


def write_container(
    path: Path,
    samples: np.ndarray | None,
    sample_rate: int = 16000,
    video_seconds: float = 0.0,
    audio_start: float = 0.0,
    **options: str,
) -> Path:
    """Write a container of FFmpeg's, as the ending says, with an audio track, a video track or both.

    Args:
        path: its ending picks the container.
        samples: (samples,) or (samples, channels) float32, or None for no audio track.
        sample_rate: Hz of the samples.
        video_seconds: length of a video track of plain 32 x 32 frames, 10 a second; 0 for none.
        audio_start: seconds at which the audio track starts.
        options: what the container's writer takes, e.g. `movflags="faststart"`.
    """
    with av.open(path, "w", options=options) as container:
        video = container.add_stream("mpeg4", rate=10) if video_seconds else None
        if video:
            video.width = video.height = 32
            video.pix_fmt = "yuv420p"
        if samples is not None:
            channels = 1 if samples.ndim == 1 else samples.shape[1]
            codec = "libopus" if path.suffix == ".webm" else "aac"
            layout = "mono" if channels == 1 else "stereo"
            audio = container.add_stream(codec, rate=sample_rate, layout=layout, bit_rate=128000)
            interleaved = np.ascontiguousarray(samples, np.float32).reshape(1, -1)
            for start in range(0, interleaved.shape[1], 1024 * channels):
                piece = interleaved[:, start : start + 1024 * channels]
                frame = av.AudioFrame.from_ndarray(piece, format="flt", layout=layout)
                frame.sample_rate = sample_rate
                frame.pts = start // channels + round(audio_start * sample_rate)
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
        if video:
            for number in range(round(video_seconds * 10)):
                frame = av.VideoFrame.from_ndarray(
                    np.full((32, 32, 3), number % 256, np.uint8), format="rgb24"
                )
                frame.pts = number
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
    return path


def write_tracks(path: Path, *waves: np.ndarray) -> Path:
    """Write a container with an audio track for each wave: (samples,) float32 at 16 kHz."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("aac", rate=16000, layout="mono") for _ in waves]
        for stream, wave in zip(streams, waves, strict=True):
            frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            frame.sample_rate = 16000
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def cut(path: Path, share: float, name: str | None = None) -> Path:
    """A copy beside `path` of only the first `share` of its bytes."""
    content = path.read_bytes()
    copy = path.with_name(name or f"cut_{path.name}")
    copy.write_bytes(content[: int(len(content) * share)])
    return copy


def pitch(samples: np.ndarray, sample_rate: int) -> float:
    """Hz of the strongest frequency of (samples,)."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * sample_rate / len(samples)
