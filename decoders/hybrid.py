"""Hybrid CTC/attention decoder (Watanabe et al. 2017): CTC keeps the attention monotonic.

In training both share the core. In the search, each hypothesis is also scored by the CTC probability that the
text begins with it, summed over all alignments.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from decoders.alphabet import BLANK, END
from decoders.attention import Attention
from decoders.contract import OBJECTIVE, SEARCH, Decoder, Hypothesis, Labels, Objective, Search
from decoders.ctc import CTC
from decoders.search.beam import best_labels

CTC_WEIGHT = 0.3  # weight of CTC in the score of a hypothesis
LEAST = -100.0  # nats; practically impossible, but finite, so that sums over time stay finite


class Hybrid(Decoder):
    """Hybrid of CTC and attention over the same states.

    Its frame log-probabilities are those of CTC, so that everything that needs them (alignment, language
    models, streaming) works with it too.

    Args:
        ctc_weight: weight of CTC in the loss, from 0 to 1.
        input_size, num_labels, dropout: see `CTC` and `Attention`.
        hidden_size, embedding_size, attention_size, location_filters, location_kernel, gated: see
            `Attention`.
    """

    by_frame = writes = learns_order = True
    label_rows = (
        *(f"ctc.{name}" for name in CTC.label_rows),
        *(f"attention.{name}" for name in Attention.label_rows),
    )

    def __init__(
        self,
        input_size: int,
        num_labels: int,
        ctc_weight: float = 0.3,
        *,
        hidden_size: int = 256,
        embedding_size: int = 128,
        attention_size: int = 128,
        location_filters: int = 10,
        location_kernel: int = 31,
        gated: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        if not 0 <= ctc_weight <= 1:
            raise ValueError(f"ctc_weight is a share from 0 to 1, not {ctc_weight}")
        self.num_labels = num_labels
        self.ctc_weight = ctc_weight
        self.ctc = CTC(input_size, num_labels, dropout)
        self.attention = Attention(
            input_size,
            num_labels,
            hidden_size=hidden_size,
            embedding_size=embedding_size,
            attention_size=attention_size,
            location_filters=location_filters,
            location_kernel=location_kernel,
            gated=gated,
            dropout=dropout,
        )

    def forward(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, input_size) -> `frame_log_probs`, and `lengths`."""
        return self.ctc(states, lengths)

    def frame_log_probs(self, states: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, num_labels) log-probabilities of CTC, in float32."""
        return self.ctc.frame_log_probs(states, lengths)

    def loss(
        self,
        states: Tensor,
        lengths: Tensor,
        targets: Sequence[Sequence[int]],
        objective: Objective = OBJECTIVE,
        log_probs: Tensor | None = None,
    ) -> Tensor:
        """Both losses, weighted; see `Decoder.loss`."""
        by_ctc = self.ctc.loss(states, lengths, targets, objective, log_probs)
        by_attention = self.attention.loss(states, lengths, targets, objective)
        return self.ctc_weight * by_ctc + (1 - self.ctc_weight) * by_attention

    @torch.no_grad()
    def read(self, states: Tensor, lengths: Tensor, search: Search = SEARCH) -> list[Labels]:
        """By joint beam search; with a width of 1, or a fusion, by CTC alone."""
        if search.fusion or not self.searches(search.width):
            return self.ctc.read(states, lengths, search)
        found = self.hypotheses(states, lengths, search)
        return [best_labels(each, search.alternatives) for each in found]

    def searches(self, width: int) -> bool:
        """Where the beam is wider than 1."""
        return width > 1

    def frame_probabilities(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, None]:
        """As CTC does."""
        return self.ctc.frame_probabilities(states, lengths)

    @torch.no_grad()
    def hypotheses(
        self, states: Tensor, lengths: Tensor, search: Search = SEARCH, ctc_weight: float = CTC_WEIGHT
    ) -> list[list[Hypothesis]]:
        """All hypotheses of the joint beam search for each sequence, the best first; see `beam`.

        Args:
            ctc_weight: weight of CTC in the score of a hypothesis, from 0 to 1.
        """
        if not 0 <= ctc_weight <= 1:
            raise ValueError(f"ctc_weight is a share from 0 to 1, not {ctc_weight}")
        if not ctc_weight:
            return self.attention.hypotheses(states, lengths, search)
        width = max(search.width, search.alternatives)
        prefixes = Prefixes(self.frame_log_probs(states, lengths), lengths, width, ctc_weight)
        return self.attention.hypotheses(states, lengths, search, prefixes)


class Prefixes:
    """CTC prefix scores of hypotheses in a beam search.

    The forward variables of Watanabe et al. (2017), algorithm 2. They are linear recurrences over time,
    computed at once as cumulative sums instead of frame by frame.

    Args:
        log_probs: (batch, time, num_labels).
        lengths: (batch,), the number of frames of each item.
        width: beam width.
        weight: weight in the score of a hypothesis.
    """

    def __init__(self, log_probs: Tensor, lengths: Tensor, width: int, weight: float):
        self.weight = weight
        time = torch.arange(log_probs.size(1), device=log_probs.device)
        padding = time >= lengths.to(log_probs.device).unsqueeze(1)  # (B, T)
        log_probs = log_probs.double().clamp(min=LEAST).masked_fill(padding.unsqueeze(2), LEAST)
        log_probs[:, :, BLANK].masked_fill_(padding, 0.0)  # so that all items end with the batch
        self.valid = ~padding.repeat_interleave(width, dim=0).unsqueeze(1)  # (N, 1, T)
        self.log_probs = log_probs.transpose(1, 2).repeat_interleave(width, dim=0)  # (N, V, T)
        self.last = torch.full((len(self.log_probs),), BLANK, device=log_probs.device)
        # Log-probabilities, after 0 and more frames, that just the hypothesis was written, and that
        # the frame before was its last label, or a blank.
        blank = self.log_probs[:, BLANK].cumsum(dim=1)
        self.blank = torch.cat([torch.zeros_like(blank[:, :1]), blank], dim=1)  # (N, 1 + T)
        self.label = torch.full_like(self.blank, -torch.inf)

    def scores(self, labels: Tensor) -> Tensor:
        """Log-probabilities that the text begins with each hypothesis followed by each label.

        Args:
            labels: (hypotheses, proposals); for `END`, that the text is the hypothesis.
        """
        emitted = self.log_probs.gather(1, labels.unsqueeze(2).expand(-1, -1, self.log_probs.size(2)))
        begun = (self._before(labels) + emitted).masked_fill(~self.valid, -torch.inf).logsumexp(dim=2)
        whole = torch.logaddexp(self.blank[:, -1], self.label[:, -1]).unsqueeze(1)
        return torch.where(labels == END, whole, begun).float()

    def keep(self, rows: Tensor, labels: Tensor) -> None:
        """Continue with the hypotheses of these rows, each extended by one label."""
        # Rows stay with their item, so its log-probabilities need not be reordered.
        self.last, self.label, self.blank = self.last[rows], self.label[rows], self.blank[rows]
        entered = self._before(labels.unsqueeze(1)).masked_fill(~self.valid, -torch.inf).squeeze(1)
        emitted = self.log_probs.gather(1, labels[:, None, None].expand(-1, 1, entered.size(1))).squeeze(1)
        self.label = _accumulated(entered, emitted)
        self.blank = _accumulated(self.label[:, :-1], self.log_probs[:, BLANK])
        self.last = labels

    def _before(self, labels: Tensor) -> Tensor:
        """Log-probabilities, (N, M, T), that each label can extend the hypothesis in the next frame."""
        blank, label = self.blank[:, None, :-1], self.label[:, None, :-1]
        repeats = (labels == self.last.unsqueeze(1)).unsqueeze(2)  # a repeated label needs a blank in between
        return torch.logaddexp(blank, label.masked_fill(repeats, -torch.inf))


def _accumulated(entered: Tensor, log_probs: Tensor) -> Tensor:
    """y[0] = log 0, y[t] = log_probs[t] + log(exp y[t - 1] + exp entered[t]) along the last dimension."""
    product = log_probs.cumsum(dim=1)
    y = product + torch.logcumsumexp(entered - (product - log_probs), dim=1)
    return torch.cat([torch.full_like(y[:, :1], -torch.inf), y], dim=1)
