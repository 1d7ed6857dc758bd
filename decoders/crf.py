"""Linear-chain conditional random field: a label for each token, chosen together with its neighbours'.

Lafferty et al. 2001; behind a bidirectional LSTM as in Huang et al. 2015, "Bidirectional LSTM-CRF models for
sequence tagging".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from decoders.contract import OBJECTIVE, SEARCH, UNKNOWN, Decoder, Labels, Objective, Search, valid_frames

NEVER = -1e4  # score of what cannot be, finite so that gradients are


class CRF(Decoder):
    """Labels of a sequence, one for each frame, with scores of the labels that follow each other.

    Args:
        input_size: features per hidden state.
        num_labels: number of labels, including label 0, which no frame has.
        dropout: dropout on the hidden states.
    """

    by_frame = True
    label_rows = ("project.weight", "project.bias", "transitions", "first", "last")

    def __init__(self, input_size: int, num_labels: int, dropout: float = 0.0):
        super().__init__()
        self.num_labels = num_labels
        self.dropout = dropout
        self.project = nn.Linear(input_size, num_labels)
        self.transitions = nn.Parameter(torch.zeros(num_labels, num_labels))
        self.first = nn.Parameter(torch.zeros(num_labels))
        self.last = nn.Parameter(torch.zeros(num_labels))

    def forward(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, input_size) -> `frame_log_probs`, and `lengths`."""
        return self.frame_log_probs(states, lengths), lengths

    def loss(
        self,
        states: Tensor,
        lengths: Tensor,
        targets: Sequence[Sequence[int]],
        objective: Objective = OBJECTIVE,
        log_probs: Tensor | None = None,
    ) -> Tensor:
        """Negative log-likelihood of the labels of all frames; those of `UNKNOWN` frames are summed over."""
        scores = self._scores(states)
        rows = [torch.tensor(labels, dtype=torch.long) for labels in targets]
        labels = pad_sequence(rows, batch_first=True, padding_value=UNKNOWN).to(states.device)
        labels = F.pad(labels, (0, states.size(1) - labels.size(1)), value=UNKNOWN)
        known = (labels != UNKNOWN).unsqueeze(2)
        allowed = F.one_hot(labels.clamp(min=0), self.num_labels).bool() | ~known
        constrained = scores.masked_fill(~allowed, NEVER)
        both = self._forward(torch.cat([scores, constrained]), torch.cat([lengths, lengths]))[1]
        free, fixed = both.chunk(2)
        return free - fixed

    @torch.no_grad()
    def read(self, states: Tensor, lengths: Tensor, search: Search = SEARCH) -> list[Labels]:
        """The most probable labels of all frames together (Viterbi 1967), each with its own probability."""
        scores = self._scores(states)
        marginals = self.frame_log_probs(states, lengths).exp().cpu()
        best = scores[:, 0] + self.first
        behind = []
        for place in range(1, scores.size(1)):
            reached = best.unsqueeze(2) + self.transitions
            most, origin = reached.max(dim=1)
            here = (place < lengths).to(best.device).unsqueeze(1)
            best = torch.where(here, most + scores[:, place], best)
            behind.append(origin)
        ends = (best + self.last).argmax(dim=1).tolist()
        origins = torch.stack(behind, dim=1).cpu() if behind else None
        found = []
        for row, (length, label) in enumerate(zip(lengths.tolist(), ends, strict=True)):
            path = [label]
            for place in range(length - 2, -1, -1):
                path.append(int(origins[row, place, path[-1]]))
            path.reverse()
            chances = [marginals[row, place, label].item() for place, label in enumerate(path)]
            found.append(Labels(path, list(range(length)), list(range(1, length + 1)), chances))
        return found

    def frame_log_probs(self, states: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, num_labels) logarithms of the probability that a frame has a label, in float32."""
        scores = self._scores(states)
        ahead, _ = self._forward(scores, lengths)
        return (ahead + self._backward(scores, lengths)).log_softmax(dim=2)

    def frame_probabilities(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, None]:
        """Probabilities of the labels in each frame; and None."""
        return self.frame_log_probs(states, lengths).exp(), None

    def targets(self, frames: Sequence[Sequence[int]]) -> list[list[int]]:
        """The labels of all frames, as they are."""
        return [[int(label) for label in labels] for labels in frames]

    def _scores(self, states: Tensor) -> Tensor:
        """(batch, time, num_labels) scores of the labels by themselves, in float32."""
        scores = self.project(F.dropout(states, self.dropout, self.training)).float()
        return torch.cat([torch.full_like(scores[..., :1], NEVER), scores[..., 1:]], dim=2)

    def _forward(self, scores: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, labels) log-sums over all labels before, and (batch,) over whole sequences."""
        valid_frames(scores, lengths)
        sums = [scores[:, 0] + self.first]
        for place in range(1, scores.size(1)):
            reached = torch.logsumexp(sums[-1].unsqueeze(2) + self.transitions, dim=1) + scores[:, place]
            here = (place < lengths).to(scores.device).unsqueeze(1)
            sums.append(torch.where(here, reached, sums[-1]))
        return torch.stack(sums, dim=1), torch.logsumexp(sums[-1] + self.last, dim=1)

    def _backward(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, labels) log-sums over all labels behind."""
        sums = [self.last.expand_as(scores[:, 0])]
        for place in range(scores.size(1) - 1, 0, -1):
            reached = torch.logsumexp(self.transitions + (sums[-1] + scores[:, place]).unsqueeze(1), dim=2)
            here = (place < lengths).to(scores.device).unsqueeze(1)
            sums.append(torch.where(here, reached, self.last))
        return torch.stack(sums[::-1], dim=1)
