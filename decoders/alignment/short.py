"""Where the symbols of a known text lie in a recording, however long.

CTC segmentation (Kürzinger et al. 2020, arXiv:2007.09127): the text's lines follow each other,
and what lies before, between and behind them is free. It is computed exactly, on the whole
lattice. The paper's own implementation (the package ctc-segmentation, against which the tests
compare) looks at long recordings through a window, which loses its way where one of text and
recording goes on for minutes without the other, and needs gigabytes for an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from decoders.alphabet import BLANK
from decoders.contract import Labels
from decoders.ctc import ctc_loss, frames_needed

WINDOW = 10  # labels over which a line's confidence is averaged
SHORTEST_BLOCK = 512  # frames from one to the next whose lattice is kept


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


def align(log_probs: Tensor, lines: list[list[int]], least: float = 0.0) -> list[Placed | None]:
    """Place lines that follow each other, with anything before, between and behind them.

    The best path may leave lines out: that costs `least` for each of their labels, while frames
    that belong to no line cost nothing. So a line is placed where its labels are, on geometric
    mean and measured by what else the model hears there, more probable than `least`, and where
    its neighbours do not need the frames. Memory grows with labels x sqrt(frames), time with
    labels x frames: about half a minute for an hour of speech.

    Args:
        log_probs: (frames, labels) of a recording.
        lines: label ids of each, without blanks, none empty.
        least: a probability; with 0 every line is placed.

    Returns:
        Each line's place, None for those left out.

    Raises:
        ValueError: a line is empty; or none may be left out and they need more frames than there are.
    """
    if not all(lines):
        raise ValueError("a line has no labels")
    targets = [label for line in lines for label in line]
    needed = frames_needed(targets)
    if not least and needed > len(log_probs):
        raise ValueError(f"it needs {needed} frames and there are {len(log_probs)}")
    edges = np.cumsum([0, *map(len, lines)])
    # A frame behind the last, so that lines can be left out there.
    scores = F.pad(log_probs.float(), (0, 0, 0, 1), value=-torch.inf)
    scores[-1, BLANK] = 0.0
    lattice = _Lattice(scores.numpy(), np.array([BLANK, *targets]), edges, least)
    path, spoken = lattice.best_path()
    scores = lattice.scores(path, spoken)
    frames = np.flatnonzero(spoken)
    order = np.arange(1, len(targets) + 1)
    left, right = (np.searchsorted(path[frames], order, side=side) for side in ("left", "right"))
    placed: list[Placed | None] = []
    for line, first, behind in zip(lines, edges[:-1], edges[1:], strict=True):
        if left[first] == right[first]:
            placed.append(None)
            continue
        starts, ends = frames[left[first:behind]], frames[right[first:behind] - 1] + 1
        spans = np.stack([starts, ends], axis=1).ravel()
        best = np.exp(np.maximum.reduceat(scores[: ends[-1] + 1], spans)[::2])
        found = Labels(list(line), starts.tolist(), ends.tolist(), best.tolist())
        placed.append(Placed(found, _worst(scores[: ends[-1]], starts)))
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
    losses = ctc_loss(scores.expand(len(targets), -1, -1), lengths, targets)
    return int(losses.masked_fill(~fits, torch.inf).argmin())


class _Lattice:
    """The ways to write labels in frames; index 0 stands for "no label yet".

    At each frame the path is either in label i (spoken) or in the gap behind it. A gap says
    blank; at the edges of lines it says whatever the frame says best, and from edge to edge
    lines can be left out.

    Args:
        log_probs: (frames, labels).
        targets: (1 + count,) label ids.
        edges: indices behind which a line ends, with 0.
        least: probability that counts for each label left out; 0 leaves out nothing.
    """

    def __init__(self, log_probs: np.ndarray, targets: np.ndarray, edges: np.ndarray, least: float):
        self.log_probs = log_probs
        self.anything = log_probs.max(axis=1)
        self.targets = targets
        self.edges = edges
        self.toll = edges * -np.log(least) if least else None  # of leaving out all lines up to an edge
        # Between equal labels there must be a gap; elsewhere it may be left out.
        equal = np.zeros(len(targets), bool)
        equal[1:] = targets[1:] == targets[:-1]
        self.bar = np.where(equal, -np.inf, 0.0).astype(np.float32)

    def best_path(self) -> tuple[np.ndarray, np.ndarray]:
        """For each frame, the index it is at, and whether it is in the label or in the gap behind."""
        frames, count = len(self.log_probs), len(self.targets)
        size = max(SHORTEST_BLOCK, int((8 * frames) ** 0.5))
        label = np.full(count, -np.inf, np.float32)
        gap = label.copy()
        gap[0] = 0.0
        if self.toll is not None:
            gap[self.edges] = -self.toll
        kept = [(label, gap)]
        bounds = [*range(0, frames, size), frames]
        for start, end in pairwise(bounds):
            kept.append(self._forward(*kept[-1], start, end, 0))
        path, spoken = np.empty(frames, np.int64), np.empty(frames, bool)
        index, inside = count - 1, bool(kept[-1][0][-1] >= kept[-1][1][-1])
        for start, end in reversed(list(pairwise(bounds))):
            known = kept.pop()[not inside][index]
            label, gap = kept[-1]
            # Going back, an index falls by one a frame at most, unless lines were left out.
            width, low, total = end - start, index + 1, -np.inf
            while low > 0 and total < known:
                low = max(0, index - width)
                moves: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
                totals = self._forward(label[low : index + 1], gap[low : index + 1], start, end, low, moves)
                total = totals[not inside][-1]
                width *= 4
            first = np.searchsorted(self.edges, low)
            for frame in range(end - 1, start - 1, -1):
                into_label, into_gap, over = moves[frame - start]
                edge = np.searchsorted(self.edges, index)
                if not inside and self.edges[edge] == index:
                    index = int(over[edge - first])
                path[frame], spoken[frame] = index, inside
                if not inside:
                    inside = bool(into_gap[index - low])
                elif into_label[index - low]:
                    inside = bool(into_label[index - low] == 2)
                    index -= 1
        return path, spoken

    def scores(self, path: np.ndarray, spoken: np.ndarray) -> np.ndarray:
        """(frames,) log-probability of each frame on a path."""
        said = self.log_probs[np.arange(len(path)), np.where(spoken, self.targets[path], BLANK)]
        return np.where(~spoken & np.isin(path, self.edges), self.anything, said)

    def _forward(self, label, gap, start: int, end: int, low: int, moves: list | None = None):
        """Totals of the best paths into labels and gaps from index `low` on, after frame `end` - 1.

        `moves` receives three arrays for each frame: how a label was entered (0 stay, 1 from the
        gap before, 2 from the label before), whether a gap was entered from its label, and from
        which gap lines were left out to come to this one.
        """
        high = low + len(label)
        targets, bar = self.targets[low:high], self.bar[low + 1 : high]
        first, behind = np.searchsorted(self.edges, [low, high])
        edges = self.edges[first:behind] - low
        toll = None if self.toll is None else self.toll[first:behind]
        nothing = np.full(1, -np.inf, np.float32)
        for frame in range(start, end):
            row, before, after = self.log_probs[frame], gap[:-1], label[:-1] + bar
            free = np.maximum(gap[edges], label[edges]) + self.anything[frame]
            if toll is not None:
                reached = free + toll  # 64 bit, from which `free` comes back unchanged
                best = np.maximum.accumulate(reached)
            if moves is not None:
                into_label = np.zeros(len(label), np.uint8)
                into_label[1:] = np.argmax([label[1:], before, after], axis=0)
                over = edges + low
                if toll is not None:
                    over = np.maximum.accumulate(np.where(reached == best, over, 0))
                moves.append((into_label, label >= gap, over))
            label_next = np.maximum(label, np.concatenate([nothing, np.maximum(before, after)]))
            label_next += row.take(targets)
            gap = np.maximum(gap, label)
            gap += row[BLANK]
            gap[edges] = free if toll is None else best - toll
            label = label_next
        return label, gap


def _worst(scores: np.ndarray, starts: np.ndarray) -> float:
    """(frames,) log-probabilities and where labels begin -> geometric mean in the worst window of labels."""
    costs = np.add.reduceat(scores, starts, dtype=np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(costs, min(WINDOW, len(costs)))
    return float(np.exp(windows.mean(axis=1).min()))
