"""Rebuilds examples/video: one clip of each movement that the bundled action model knows.

python examples/make_video.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipelines.writers import write_atomically
from pipelines.writers.videos import write_video
from recipes.action.shapes import MOVEMENTS, RATE, shapes_clip

HERE = Path(__file__).parent / "video"
SIDE = 128  # pixels
SEED = 20_001  # no clip of the model's training was made with it


def main() -> None:
    rng = np.random.default_rng(SEED)
    for label in MOVEMENTS:
        frames = shapes_clip(label, rng, SIDE)
        with write_atomically(HERE / f"{label}.mp4", "wb") as file:
            write_video(file, ((place / RATE, frame) for place, frame in enumerate(frames)), label, crf=26)
        (HERE / f"{label}.txt").write_text(f"{label}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
