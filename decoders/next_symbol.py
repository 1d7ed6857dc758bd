"""Which symbol comes next: the decoder of language models."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from decoders.contract import OBJECTIVE, SEARCH, UNKNOWN, Decoder, Labels, Objective, Search, valid_frames


class NextSymbol(Decoder):
    """A softmax over the vocabulary after each state (Mikolov et al. 2010, "Recurrent neural network based
    language model"). Behind a core that reads forwards only, it is a language model.

    Label 0 stands for all that the vocabulary does not hold. It has a probability like any other, but is
    never read.

    Args:
        input_size: features of the core.
        num_labels: size of the vocabulary, label 0 included.
        dropout: dropout on the states.
    """

    predicts = is_linear = True

    def __init__(self, input_size: int, num_labels: int, dropout: float = 0.0):
        super().__init__()
        self.dropout = dropout
        self.project = nn.Linear(input_size, num_labels)
        nn.init.uniform_(self.project.weight, -0.05, 0.05)
        nn.init.zeros_(self.project.bias)

    def forward(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, num_labels) log-probabilities of what comes next, and the lengths."""
        return self.next_log_probs(states), lengths

    def next_log_probs(self, states: Tensor) -> Tensor:
        return self._logits(states).log_softmax(-1)

    def loss(
        self,
        states: Tensor,
        lengths: Tensor,
        targets: Sequence[Sequence[int]],
        objective: Objective = OBJECTIVE,
        log_probs: Tensor | None = None,
    ) -> Tensor:
        """Nats of all symbols of each sequence, of those whose label is not `UNKNOWN`.

        Targets give the symbol behind each state.
        """
        wanted = torch.full(states.shape[:2], UNKNOWN)
        for row, target, length in zip(wanted, targets, lengths.tolist(), strict=True):
            if len(target) != length:
                raise ValueError(f"{len(target)} labels for {length} states")
            row[:length] = torch.as_tensor(target)
        return self.nats(states, wanted.to(states.device)).sum(1)

    def nats(self, states: Tensor, wanted: Tensor) -> Tensor:
        """What each symbol costs: its negative log-probability.

        Args:
            states: (batch, time, features).
            wanted: (batch, time), the label behind each state; `UNKNOWN` costs nothing.

        Returns:
            (batch, time) in float32.
        """
        flat = F.cross_entropy(
            self._logits(states).flatten(0, 1), wanted.flatten(), ignore_index=UNKNOWN, reduction="none"
        )
        return flat.view(wanted.shape)

    @torch.no_grad()
    def read(self, states: Tensor, lengths: Tensor, search: Search = SEARCH) -> list[Labels]:
        """The most probable symbol behind each state."""
        valid_frames(states, lengths)
        best, ids = self.next_log_probs(states)[..., 1:].max(-1)
        rows = zip((ids + 1).tolist(), best.exp().tolist(), lengths.tolist(), strict=True)
        return [
            Labels(
                found[:length],
                list(range(length)),
                list(range(1, length + 1)),
                [*map(float, chances[:length])],
            )
            for found, chances, length in rows
        ]

    def targets(self, frames: Sequence[Sequence[int]]) -> list[list[int]]:
        """The labels of all frames as they are."""
        return [[int(label) for label in labels] for labels in frames]

    def _logits(self, states: Tensor) -> Tensor:
        return self.project(F.dropout(states, self.dropout, self.training)).float()
