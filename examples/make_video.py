"""Rebuilds examples/video: a clip of each movement that the bundled action model knows.

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
SEED = 20_001  # of no clip that the model was trained on


def main() -> None:
    rng = np.random.default_rng(SEED)
    for label in MOVEMENTS:
        frames = shapes_clip(label, rng, SIDE)
        with write_atomically(HERE / f"{label}.mp4", "wb") as file:
            write_video(file, ((place / RATE, frame) for place, frame in enumerate(frames)), label, crf=26)


if __name__ == "__main__":
    main()
