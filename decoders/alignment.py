"""Where the symbols of a known text lie in a recording, however long.

CTC segmentation (Kürzinger et al. 2020, arXiv:2007.09127): the text's lines follow each other,
and what lies before, between and behind them is free. It is computed exactly, on the whole
lattice. The paper's own implementation (the package ctc-segmentation, against which the tests
compare) looks at long recordings through a window, which loses its way where one of text and
recording goes on for minutes without the other, and needs gigabytes for an hour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from decoders.alphabet import BLANK
from decoders.ctc import CTC, Labels, frames_needed

WINDOW = 10  # labels over which a line's confidence is averaged
BLOCKS = 128  # parts of a long recording between which the lattice is kept
SHORTEST_BLOCK = 1024  # frames


@dataclass(frozen=True, slots=True)
class Placed:
    """One line of a text within the frames of a recording.

    Attributes:
        labels: the line's labels with their frames.
        confidence: the geometric mean probability of a label, with the gap behind it, in the worst
            `WINDOW` labels of the line. Kürzinger et al. take the mean over frames instead, in
            which a text that was not said looks well as soon as it is spread over a pause.
    """

    labels: Labels
    confidence: float


def align(log_probs: Tensor, lines: list[list[int]]) -> list[Placed]:
    """Place lines that follow each other, with anything before, between and behind them.

    Memory grows with frames plus labels, time with frames x labels (1 hour of speech: seconds).

    Args:
        log_probs: (frames, labels) of a recording.
        lines: label ids of each, without blanks, none empty. A line that was not said is placed
            all the same, with low confidence; place the others without it to have them exact.

    Raises:
        ValueError: a line is empty, or all of them need more frames than there are.
    """
    if not all(lines):
        raise ValueError("a line has no labels")
    targets = [label for line in lines for label in line]
    needed = frames_needed(targets)
    if needed > len(log_probs):
        raise ValueError(f"it needs {needed} frames and there are {len(log_probs)}")
    edges = np.cumsum([0, *map(len, lines)])
    lattice = _Lattice(log_probs.float().numpy(), np.array([BLANK, *targets]), edges)
    path, spoken = lattice.best_path()
    frames = np.flatnonzero(spoken)
    labels = path[frames]  # rising: the order of the text
    scores = lattice.scores(path, spoken)
    order = np.arange(1, len(targets) + 1)
    starts = frames[np.searchsorted(labels, order, side="left")]
    ends = frames[np.searchsorted(labels, order, side="right") - 1] + 1
    spans = np.stack([starts, ends], axis=1).ravel()
    best = np.exp(np.maximum.reduceat(np.append(scores, -np.inf), spans)[::2])
    placed = []
    for first, behind in zip(edges[:-1], edges[1:], strict=True):
        columns = (starts[first:behind], ends[first:behind], best[first:behind])
        found = Labels(targets[first:behind], *(column.tolist() for column in columns))
        placed.append(Placed(found, _worst(scores[: found.ends[-1]], found.starts)))
    return placed


def best_reading(log_probs: Tensor, readings: list[list[int]]) -> int:
    """Which of several label sequences these frames say, with anything before and behind it.

    Args:
        log_probs: (frames, labels).
        readings: label ids of each.

    Returns:
        Index of the most probable one (the sum over all its alignments); the first if none fits.
    """
    # One more label, which each frame says as well as its best one, and at each end a frame for it.
    anything = log_probs.size(1)
    scores = torch.cat([log_probs, log_probs.amax(dim=1, keepdim=True)], dim=1)
    scores = F.pad(scores, (0, 0, 1, 1))
    targets = [[anything, *reading, anything] for reading in readings]
    fits = torch.tensor([frames_needed(target) <= len(scores) for target in targets])
    lengths = torch.full((len(targets),), len(scores))
    losses = CTC.loss(scores.expand(len(targets), -1, -1), lengths, targets)
    return int(losses.masked_fill(~fits, torch.inf).argmin())


class _Lattice:
    """The ways to write labels in frames; index 0 stands for "no label yet".

    At each frame the path is either in label i (spoken) or in the gap behind it. A gap says
    blank; at the edges of lines it says whatever the frame says best.

    Args:
        log_probs: (frames, labels).
        targets: (1 + count,) label ids.
        edges: indices behind which a line ends, with 0.
    """

    def __init__(self, log_probs: np.ndarray, targets: np.ndarray, edges: np.ndarray):
        self.log_probs = log_probs
        self.anything = log_probs.max(axis=1)
        self.targets = targets
        self.is_edge = np.isin(np.arange(len(targets)), edges)
        # Between equal labels there must be a gap; elsewhere it may be left out.
        equal = np.zeros(len(targets), bool)
        equal[1:] = targets[1:] == targets[:-1]
        self.bar = np.where(equal, -np.inf, 0.0).astype(np.float32)

    def best_path(self) -> tuple[np.ndarray, np.ndarray]:
        """For each frame, the index it is at, and whether it is in the label or in the gap behind."""
        frames, count = len(self.log_probs), len(self.targets)
        size = max(SHORTEST_BLOCK, -(-frames // BLOCKS))
        starts = range(0, frames, size)
        label = np.full(count, -np.inf, np.float32)
        gap = label.copy()
        gap[0] = 0.0
        kept = []
        for start in starts:
            kept.append((label, gap))
            label, gap = self._forward(label, gap, start, min(start + size, frames), 0, count)
        path, spoken = np.empty(frames, np.int64), np.empty(frames, bool)
        index, inside = count - 1, bool(label[-1] >= gap[-1])
        for start, (label, gap) in zip(reversed(starts), reversed(kept), strict=True):
            # Going back, an index falls by at most one a frame: only these can be on the path.
            end = min(start + size, frames)
            low = max(0, index - (end - start))
            moves: list[tuple[np.ndarray, np.ndarray]] = []
            self._forward(label[low : index + 1], gap[low : index + 1], start, end, low, index + 1, moves)
            for frame in range(end - 1, start - 1, -1):
                path[frame], spoken[frame] = index, inside
                into_label, into_gap = moves[frame - start]
                if not inside:
                    inside = bool(into_gap[index - low])
                elif into_label[index - low]:
                    inside = into_label[index - low] == 2
                    index -= 1
        return path, spoken

    def scores(self, path: np.ndarray, spoken: np.ndarray) -> np.ndarray:
        """(frames,) log-probability of each frame on a path."""
        said = self.log_probs[np.arange(len(path)), np.where(spoken, self.targets[path], BLANK)]
        return np.where(~spoken & self.is_edge[path], self.anything, said)

    def _forward(self, label, gap, start: int, end: int, low: int, high: int, moves: list | None = None):
        """Totals of the best paths into each label and gap from `low` to `high`, after frame `end` - 1.

        `moves` receives, for each frame, how each label was entered (0 stay, 1 from the gap
        before, 2 from the label before) and whether each gap was entered from its label.
        """
        targets, bar, edges = self.targets[low:high], self.bar[low:high][1:], self.is_edge[low:high]
        edges = np.flatnonzero(edges)
        for frame in range(start, end):
            row = self.log_probs[frame]
            from_gap, from_label = gap[:-1], label[:-1] + bar
            if moves is not None:
                into_label = np.zeros(len(label), np.uint8)
                into_label[1:] = np.argmax([label[1:], from_gap, from_label], axis=0)
                moves.append((into_label, label >= gap))
            gap = np.maximum(gap, label)
            gap += row[BLANK]
            gap[edges] += self.anything[frame] - row[BLANK]
            entered = np.maximum(from_gap, from_label)
            label = np.maximum(label, np.concatenate([[-np.inf], entered], dtype=np.float32))
            label += row.take(targets)
        return label, gap


def _worst(scores: np.ndarray, starts: list[int]) -> float:
    """(frames,) log-probabilities and where labels begin -> geometric mean in the worst window of labels."""
    costs = np.add.reduceat(scores, starts, dtype=np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(costs, min(WINDOW, len(costs)))
    return float(np.exp(windows.mean(axis=1).min()))
