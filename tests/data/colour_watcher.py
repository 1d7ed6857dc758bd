"""An action model that needs no training: it tells red from blue, so its answers are known beforehand."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from decoders.vocabulary import Classes
from pipelines.model import DECODERS, SequenceModel

COLOURS = {"red": (230, 20, 20), "blue": (20, 20, 230), "black": (0, 0, 0)}


class ColourWatcher(SequenceModel):
    """Knows two classes, `blue` and `red`; with a timeline, black is none of them.

    Args:
        decoder: "classifier", "timeline" or "ctc".
    """

    def __init__(self, decoder: str = "classifier", rate: float = 5.0, window: float = 4.0):
        front_end = {"kind": "frames", "frozen": True, "output_size": 4, "rate": rate, "window": window}
        core = {"kind": "bilstm", "hidden_size": 4, "num_layers": 1}
        super().__init__(
            "action", front_end, core, {"kind": decoder}, Classes(["blue", "red"]), name="colours"
        )
        self.front_end.see = self.see
        self.decoder = DECODERS[decoder](3, 3, **({"pooling": "mean"} if decoder == "classifier" else {}))
        with torch.no_grad():
            self.decoder.project.weight.copy_(torch.eye(3) * (4 if decoder == "classifier" else 9))
            self.decoder.project.bias.zero_()
        self.lengths: list[int] = []
        """Frames that it judged at once, each time."""

    def see(
        self, looked: list[tuple[np.ndarray, Tensor]], batch_size: int = 16, precision: object = None
    ) -> Tensor:
        """(frames, 2): how blue and how red each frame is, from 0 to 1."""
        means = [frame.reshape(-1, 3).mean(axis=0) / 255 for frame, _ in looked]
        return torch.tensor(np.array([[mean[2] > 0.5, mean[0] > 0.5] for mean in means]), dtype=torch.float32)

    def states(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        self.lengths += lengths.tolist()
        return torch.cat([1 - x.sum(dim=2, keepdim=True), x], dim=2), lengths


def colours(*runs: tuple[str, int], height: int = 32, width: int = 48) -> np.ndarray:
    """(frames, height, width, 3) uint8: so many frames of each colour."""
    frames = [np.full((count, height, width, 3), COLOURS[name], np.uint8) for name, count in runs]
    return np.concatenate(frames)
