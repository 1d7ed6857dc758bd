"""Draws docs/overview.png: what the bundled models make of four of the examples.

python examples/make_overview.py
"""

from __future__ import annotations

from pathlib import Path

import av
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Polygon
from PIL import Image

from pipelines.media.audio import read_audio
from triscribe import caption, recognize, transcribe

HERE = Path(__file__).parent
OUT = HERE.parent / "docs" / "overview.png"
SPOKEN, WRITTEN = HERE / "speech" / "digits.wav", HERE / "handwriting" / "voyage-fr.jpg"
FILMED, DRAWN = HERE / "video" / "bounce.mp4", HERE / "pictures" / "purple-heart.png"
CONFIDENCE = LinearSegmentedColormap.from_list("confidence", ["#c0392b", "#e6b800", "#2e8b57"])
RATE = 16_000
SHOTS = 6  # frames of the video that are shown


def colour(confidence: float) -> tuple:
    return CONFIDENCE((confidence - 0.5) / 0.5)


def heading(axis, text: str) -> None:
    axis.set_title(text, loc="left", fontsize=8.5, color="#5b6b7a", pad=3)


def draw_speech(axis) -> None:
    """The waveform, with each word where it is spoken."""
    samples, result = read_audio(SPOKEN, RATE), transcribe(SPOKEN)
    axis.plot(np.arange(len(samples)) / RATE, samples / np.abs(samples).max(), color="#5b6b7a", linewidth=0.5)
    for word in result.words:
        axis.axvspan(word.start, word.end, color=colour(word.confidence), alpha=0.22, linewidth=0)
        middle = (word.start + word.end) / 2
        axis.text(middle, 1.32, word.text, ha="center", va="center", fontsize=11, weight="bold")
        axis.text(middle, -1.3, f"{word.start:.2f}-{word.end:.2f} s", ha="center", va="center", fontsize=7.5)
    axis.set(xlim=(0, result.words[-1].end + 0.35), ylim=(-1.55, 1.65))
    heading(axis, "speech: words, times (colour: confidence)")
    axis.axis("off")


def draw_handwriting(axis) -> None:
    """The line, with each word as it is read and how sure the model is of it."""
    with Image.open(WRITTEN) as image:
        axis.imshow(image)
        height = image.height
    for word in recognize(WRITTEN).words:
        left, _, right, _ = word.box
        axis.add_patch(Polygon(word.polygon, color=colour(word.confidence), alpha=0.22, linewidth=0))
        middle = (left + right) / 2
        axis.text(middle, height + 18, word.text, ha="center", va="center", fontsize=11, weight="bold")
        axis.text(middle, height + 48, f"{word.confidence:.0%}", ha="center", va="center", fontsize=8)
    axis.set_ylim(height + 62, 0)
    heading(axis, "handwriting: words, confidences")
    axis.axis("off")


def draw_video(axis) -> None:
    """Frames in order of time, and the label."""
    with av.open(str(FILMED)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    shown = [frames[round(place)] for place in np.linspace(0, len(frames) - 1, SHOTS)]
    height, width = shown[0].shape[:2]
    gap = np.full((height, 6, 3), 255, np.uint8)
    axis.imshow(np.concatenate([part for frame in shown for part in (frame, gap)], axis=1))
    result = recognize(FILMED)
    (segment,) = result.segments
    middle = SHOTS * (width + 6) / 2
    axis.text(middle, height + 16, result.label, ha="center", va="center", fontsize=11, weight="bold")
    said = f"{segment.start:.2f}-{segment.end:.2f} s, {result.score:.0%}"
    axis.text(middle, height + 37, said, ha="center", va="center", fontsize=8)
    axis.set_ylim(height + 46, 0)
    heading(axis, "video: actions")
    axis.axis("off")


def draw_caption(axis) -> None:
    """The picture and its sentence."""
    with Image.open(DRAWN) as image:
        axis.imshow(image)
        width, height = image.size
    (sentence,) = caption(DRAWN).sentences
    axis.text(width / 2, height + 16, sentence.text, ha="center", va="center", fontsize=11, weight="bold")
    sure = ", ".join(f"{word.confidence:.0%}" for word in sentence.words)
    axis.text(width / 2, height + 37, sure, ha="center", va="center", fontsize=8)
    axis.set_ylim(height + 46, 0)
    heading(axis, "picture: a caption")
    axis.axis("off")


def main() -> None:
    figure = plt.figure(figsize=(8.4, 5.0), facecolor="white")
    draw_speech(figure.add_axes((0.02, 0.69, 0.96, 0.27)))
    draw_handwriting(figure.add_axes((0.02, 0.37, 0.96, 0.27)))
    draw_video(figure.add_axes((0.02, 0.0, 0.72, 0.31)))
    draw_caption(figure.add_axes((0.79, 0.0, 0.16, 0.31)))
    OUT.parent.mkdir(exist_ok=True)
    figure.savefig(OUT, dpi=140)
    with Image.open(OUT) as drawn:
        drawn.convert("RGB").quantize(192).save(OUT, optimize=True)


if __name__ == "__main__":
    main()
