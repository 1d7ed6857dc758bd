"""Greedy and beam search for attention decoders, with all hypotheses of all items in one batch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import END
from decoders.contract import SEARCH, Hypothesis, Labels, Search

COVERED = 0.5  # total attention from which a state counts as covered


class Writer(Protocol):
    """The interface of an autoregressive decoder, such as `Attention`."""

    num_labels: int

    def start(self, states: Tensor, lengths: Tensor) -> tuple:
        """The memory that all steps share, and the initial state."""

    def step(self, memory: tuple, state: tuple, labels: Tensor) -> tuple:
        """The next state, from the (hypotheses,) last labels."""

    def log_probs(self, hidden: Tensor, context: Tensor) -> Tensor:
        """Log-probabilities of the next label, (hypotheses, num_labels)."""


class Scorer(Protocol):
    """The interface of a second scorer of hypotheses."""

    weight: float
    """Weight in the score, from 0 to 1."""

    def scores(self, labels: Tensor) -> Tensor:
        """Log-probabilities of hypotheses extended by each of (hypotheses, proposals) labels."""

    def keep(self, rows: Tensor, labels: Tensor) -> None:
        """Continue with the hypotheses of these rows, each extended by one label."""


@torch.no_grad()
def beam(
    decoder: Writer, x: Tensor, lengths: Tensor, search: Search = SEARCH, scorer: Scorer | None = None
) -> list[list[Hypothesis]]:
    """Beam search.

    A hypothesis that ends leaves the beam, which is narrower by one from then on (Sutskever et al. 2014). So
    there are `width` hypotheses at the end, or fewer if there are no more texts.

    Args:
        decoder: in evaluation mode.
        x: (batch, time, input_size) encoder states, padded at the end with any values.
        lengths: (batch,), the number of valid states of each item, at least 1.
        search: beam width and other options of the search.
        scorer: a second scorer of hypotheses.

    Returns:
        The hypotheses of each item, the best first, all different.
    """
    batch, width = len(x), max(search.width, search.alternatives)
    if not batch:
        return []
    memory, state = decoder.start(x, lengths)
    rows = torch.arange(batch, device=x.device).repeat_interleave(width)
    memory, state = memory.rows(rows), state.rows(rows)
    limits = (lengths.to(x.device) * search.max_ratio).long() + search.max_extra
    if search.max_length is not None:
        limits = torch.full_like(limits, search.max_length)
    labels = torch.zeros(batch * width, dtype=torch.long, device=x.device)
    log_probs = torch.full((batch, width), -torch.inf, device=x.device)
    log_probs[:, 0] = 0.0
    open_ = torch.full((batch, 1), width, device=x.device)
    trellis = _Trellis(search.length_power)
    # The second scorer may change the order of labels, so it gets more of them.
    proposals = min(decoder.num_labels, width if scorer is None else max(16, 2 * width))
    for step in range(int(limits.max()) + 1):
        state = decoder.step(memory, state, labels)
        said = decoder.log_probs(state.hidden, state.context).view(batch, width, -1)
        said[:, :, list(search.barred)] = -torch.inf
        said[limits <= step, :, END + 1 :] = -torch.inf
        proposed = said.topk(proposals).indices  # (B, K, M)
        if scorer is not None:  # keep a way out where it finds everything impossible
            no_end = (proposed != END).all(dim=2, keepdim=True)
            proposed[:, :, -1:] = proposed[:, :, -1:].masked_fill(no_end, END)
        said = said.gather(2, proposed)
        scores = joint = log_probs.unsqueeze(2) + said
        if scorer is not None:
            second = scorer.scores(proposed.flatten(0, 1)).view_as(joint)
            scores = ((1 - scorer.weight) * joint + scorer.weight * second).where(joint.isfinite(), joint)
        bonus = search.coverage * (state.total > COVERED).sum(dim=1).view(batch, width, 1)
        best, place = (scores + bonus).flatten(1).topk(width)  # (B, K)
        parents = place // proposals
        scores, said, log_probs, label = (
            part.flatten(1).gather(1, place) for part in (scores, said, joint, proposed)
        )
        alive = (torch.arange(width, device=x.device) < open_) & best.isfinite()
        ending = alive & (label == END)
        rows = (torch.arange(batch, device=x.device).unsqueeze(1) * width + parents).flatten()
        state, labels = state.rows(rows), label.flatten()
        trellis.add(parents, label, said, state.weights.view(batch, width, -1))
        whole = best - scores
        if search.omission:
            whole = whole - search.omission * _omitted(memory, state, batch)
        trellis.end(ending, scores, log_probs, whole)
        open_ = open_ - ending.sum(dim=1, keepdim=True)
        log_probs = log_probs.masked_fill(ending | ~alive, -torch.inf)
        if not log_probs.isfinite().any():
            break
        if scorer is not None:
            scorer.keep(rows, labels)
    return list(trellis.hypotheses(lengths.tolist()))


def _omitted(memory: tuple, state: tuple, batch: int) -> Tensor:
    """Nats by which the states of each hypothesis were attended to less than once, (batch, width)."""
    least = torch.finfo(torch.float32).tiny
    missing = -state.total.float().clamp(least, 1.0).log()
    return missing.masked_fill(~memory.valid, 0.0).sum(dim=1).view(batch, -1)


def best_labels(found: list[Hypothesis], alternatives: int) -> Labels:
    """The best of ranked hypotheses, with the given number of them as alternatives."""
    whole = sum(each.probability for each in found) or 1.0
    others = tuple((each.labels.ids, each.probability / whole) for each in found[:alternatives])
    return replace(found[0].labels, alternatives=others)


class _Trellis:
    """Back-pointers of the hypotheses of all steps, and the hypotheses that ended."""

    def __init__(self, length_power: float):
        self.length_power = length_power
        self.columns: list[tuple] = []  # per step: parents, labels, log-probabilities, weights
        self.ended: dict[int, list[tuple]] = {}  # per item: score, log-probability, step, slot

    def add(self, parents: Tensor, labels: Tensor, log_probs: Tensor, weights: Tensor) -> None:
        self.columns.append((parents.tolist(), labels.tolist(), log_probs.tolist(), weights.cpu()))

    def end(self, ending: Tensor, scores: Tensor, log_probs: Tensor, bonus: Tensor) -> None:
        step = len(self.columns) - 1
        scores = (
            scores / ((6 + step) / 6) ** self.length_power + bonus
        )  # with the end there are step + 1 labels
        for item, slot in ending.nonzero().tolist():
            found = (scores[item, slot].item(), log_probs[item, slot].item(), step, slot)
            self.ended.setdefault(item, []).append(found)

    def hypotheses(self, lengths: list[int]) -> Iterator[list[Hypothesis]]:
        for item, length in enumerate(lengths):
            ranked = sorted(self.ended[item], reverse=True)
            yield [self._hypothesis(item, length, *ended) for ended in ranked]

    def _hypothesis(
        self, item: int, length: int, score: float, log_prob: float, step: int, slot: int
    ) -> Hypothesis:
        ids, confidences, weights = [], [], torch.zeros(step, length)
        for place in range(step - 1, -1, -1):
            slot = self.columns[place + 1][0][item][slot]
            _, labels, log_probs, looked = self.columns[place]
            ids.append(labels[item][slot])
            confidences.append(math.exp(log_probs[item][slot]))
            weights[place] = looked[item, slot, :length]
        return Hypothesis(Labels(ids[::-1], *spans(weights), confidences[::-1]), score, log_prob, weights)


def spans(weights: Tensor) -> tuple[list[int], list[int]]:
    """Positions of labels along the encoder states, from their attention.

    Each label has a centre. The centres are monotonic and maximise the total attention. A label extends
    around its centre as far as the attention is at least half as large, and at most half-way to its
    neighbours.

    Args:
        weights: (labels, time), attention weights.

    Returns:
        First state and one past the last state of each label.
    """
    looked = weights.double().numpy()
    if not len(looked):
        return [], []
    best, reached = [], np.zeros(looked.shape[1])
    for row in looked:
        best.append(reached + row)
        reached = np.maximum.accumulate(best[-1])
    centres, behind = [], looked.shape[1]
    for row in reversed(best):
        centres.append(int(row[:behind].argmax()))
        behind = centres[-1] + 1
    centres.reverse()
    borders = [0, *((a + b + 1) // 2 for a, b in pairwise(centres)), looked.shape[1]]
    starts, ends = [], []
    for row, centre, (left, right) in zip(looked, centres, pairwise(borders), strict=True):
        start, end = centre, centre + 1
        while start > left and row[start - 1] * 2 >= row[centre]:
            start -= 1
        while end < right and row[end] * 2 >= row[centre]:
            end += 1
        starts.append(start)
        ends.append(end)
    return starts, ends
