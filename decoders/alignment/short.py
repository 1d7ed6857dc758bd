"""Forced alignment of a known text to a recording by CTC segmentation.

Kürzinger et al. (2020, arXiv:2007.09127): the lines of the text follow each other, and anything may come
before, between and behind them. It is computed exactly, on the whole lattice. The paper's own implementation
(the package ctc-segmentation, against which the tests compare) restricts long recordings to a window, which
fails where either text or recording continues for minutes without the other, and needs gigabytes for an hour.
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

WINDOW = 10  # number of labels over which the confidence of a line is averaged
EARLY = 0.005  # nats: what omitting a label costs more before a line than behind all, so that of passages
# that are alike, the first is taken
SHORTEST_BLOCK = 512  # distance of the frames whose lattice columns are kept


@dataclass(frozen=True, slots=True)
class Placed:
    """One line of a text, aligned to the frames of a recording.

    Attributes:
        labels: the labels of the line with their frames.
        confidence: geometric mean probability of a label, with the gap behind it, over the worst `WINDOW`
            labels of the line. Kürzinger et al. average over frames instead, by which a text that was not
            spoken scores well as soon as it is spread over a pause.
    """

    labels: Labels
    confidence: float


def align(log_probs: Tensor, lines: list[list[int]], least: float = 0.0) -> list[Placed | None]:
    """Align consecutive lines, with anything before, between and behind them.

    The best path may omit lines, at the cost of `least` per label; frames outside all lines cost nothing. A
    line is therefore placed where the geometric mean probability of its labels, relative to the best label of
    each frame, exceeds `least`, and where its neighbours do not need the frames. Of passages of the text that
    are alike, the first is taken that leaves place for the others. Memory is O(labels x sqrt(frames)), time
    O(labels x frames): about half a minute for an hour of speech.

    Args:
        log_probs: (frames, labels) of a recording.
        lines: label ids of each line, without blanks, none empty.
        least: a probability; with 0 no line is omitted.

    Returns:
        The alignment of each line, None for omitted lines.

    Raises:
        ValueError: a line is empty; or no line may be omitted and they need more frames than there are.
    """
    if not all(lines):
        raise ValueError("a line has no labels")
    targets = [label for line in lines for label in line]
    needed = frames_needed(targets)
    if not least and needed > len(log_probs):
        raise ValueError(f"it needs {needed} frames and there are {len(log_probs)}")
    edges = np.cumsum([0, *map(len, lines)])
    # An extra frame at the end, where lines can be omitted too.
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
    """Choose the most probable of several label sequences, with anything before and behind it.

    Args:
        log_probs: (frames, labels).
        readings: label ids of each sequence.

    Returns:
        Index of the most probable sequence, summed over all alignments; the first if none fits.
    """
    # An extra label as probable as the best one in each frame, and a frame for it at each end.
    anything = log_probs.size(1)
    scores = torch.cat([log_probs, log_probs.amax(dim=1, keepdim=True)], dim=1)
    scores = F.pad(scores, (0, 0, 1, 1))
    targets = [[anything, *reading, anything] for reading in readings]
    fits = torch.tensor([frames_needed(target) <= len(scores) for target in targets])
    lengths = torch.full((len(targets),), len(scores))
    losses = ctc_loss(scores.expand(len(targets), -1, -1), lengths, targets)
    return int(losses.masked_fill(~fits, torch.inf).argmin())


class _Lattice:
    """The lattice of alignments of labels to frames; index 0 stands for "no label yet".

    At each frame the path is either in label i or in the gap behind it. A gap emits blanks; at the edges of
    lines it emits the best label of each frame, and from edge to edge lines can be omitted.

    Args:
        log_probs: (frames, labels).
        targets: (1 + count,) label ids.
        edges: indices behind which a line ends, and 0.
        least: probability that counts for each omitted label; with 0 nothing is omitted.
    """

    def __init__(self, log_probs: np.ndarray, targets: np.ndarray, edges: np.ndarray, least: float):
        self.log_probs = log_probs
        self.anything = log_probs.max(axis=1)
        self.targets = targets
        self.edges = edges
        # Cost of omitting all lines up to an edge, where others follow, and what it is less where none do.
        self.toll = edges * (EARLY - np.log(least)) if least else None
        self.refund = edges * EARLY
        # Between equal labels a gap is mandatory, elsewhere optional.
        equal = np.zeros(len(targets), bool)
        equal[1:] = targets[1:] == targets[:-1]
        self.bar = np.where(equal, -np.inf, 0.0).astype(np.float32)

    def best_path(self) -> tuple[np.ndarray, np.ndarray]:
        """The best path: for each frame, its index, and whether it is in the label or in the gap behind."""
        frames, count = len(self.log_probs), len(self.targets)
        size = max(SHORTEST_BLOCK, int((8 * frames) ** 0.5))
        label = np.full(count, -np.inf, np.float32)
        gap = label.copy()
        gap[0] = 0.0
        if self.toll is not None:
            gap[self.edges] = -self.toll
            gap[self.edges[-1]] += self.refund[-1]
        kept = [(label, gap)]
        bounds = [*range(0, frames, size), frames]
        for start, end in pairwise(bounds):
            kept.append(self._forward(*kept[-1], start, end, 0))
        path, spoken = np.empty(frames, np.int64), np.empty(frames, bool)
        index, inside = count - 1, bool(kept[-1][0][-1] >= kept[-1][1][-1])
        for start, end in reversed(list(pairwise(bounds))):
            known = kept.pop()[not inside][index]
            label, gap = kept[-1]
            # Backwards, the index falls by at most one per frame, unless lines were omitted.
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
        """Log-probability of each frame on a path, (frames,)."""
        said = self.log_probs[np.arange(len(path)), np.where(spoken, self.targets[path], BLANK)]
        return np.where(~spoken & np.isin(path, self.edges), self.anything, said)

    def _forward(self, label, gap, start: int, end: int, low: int, moves: list | None = None):
        """Scores of the best paths into labels and gaps from index `low` on, after frame `end` - 1.

        `moves` receives three arrays per frame: how a label was entered (0 stay, 1 from the gap before, 2
        from the label before), whether a gap was entered from its label, and from which gap lines were
        omitted to reach this one.
        """
        high = low + len(label)
        targets, bar = self.targets[low:high], self.bar[low + 1 : high]
        first, behind = np.searchsorted(self.edges, [low, high])
        edges = self.edges[first:behind] - low
        toll = None if self.toll is None else self.toll[first:behind]
        refund = self.refund[first:behind] if behind == len(self.edges) else None
        nothing = np.full(1, -np.inf, np.float32)
        for frame in range(start, end):
            row, before, after = self.log_probs[frame], gap[:-1], label[:-1] + bar
            free = np.maximum(gap[edges], label[edges]) + self.anything[frame]
            if toll is not None:
                reached = free + toll  # float64, so that `best - toll` gives `free` again
                best = highest = np.maximum.accumulate(reached)
                if refund is not None:
                    rest = reached - refund
                    last = int(rest.argmax())
                    best = highest.copy()
                    best[-1] = max(best[-1], rest[last] + refund[-1])
            if moves is not None:
                into_label = np.zeros(len(label), np.uint8)
                into_label[1:] = np.argmax([label[1:], before, after], axis=0)
                over = edges + low
                if toll is not None:
                    over = np.maximum.accumulate(np.where(reached == highest, over, 0))
                    if refund is not None and best[-1] > highest[-1]:
                        over[-1] = edges[last] + low
                moves.append((into_label, label >= gap, over))
            label_next = np.maximum(label, np.concatenate([nothing, np.maximum(before, after)]))
            label_next += row.take(targets)
            gap = np.maximum(gap, label)
            gap += row[BLANK]
            gap[edges] = free if toll is None else best - toll
            label = label_next
        return label, gap


def _worst(scores: np.ndarray, starts: np.ndarray) -> float:
    """Geometric mean probability in the worst window of labels, from (frames,) log-probabilities."""
    costs = np.add.reduceat(scores, starts, dtype=np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(costs, min(WINDOW, len(costs)))
    return float(np.exp(windows.mean(axis=1).min()))
