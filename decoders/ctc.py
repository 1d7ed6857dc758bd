"""Connectionist temporal classification (CTC, Graves et al. 2006): a label or a blank for each frame."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from decoders.alphabet import BLANK
from decoders.contract import OBJECTIVE, SEARCH, Decoder, Labels, Objective, Search
from decoders.language.fusion import Fusion
from decoders.search.best_path import greedy
from decoders.search.prefix_beam import PrefixBeam

NEVER = -1e4  # log-probability of the blank where blanks are excluded
WIDER, WIDER_KNOWN, WIDER_CLOSED = 2, 4, 6  # multiples of the beam width: plain, with words, with words only


class CTC(Decoder):
    """CTC decoder: a linear layer from hidden states to log-probabilities of labels.

    Args:
        input_size: features per hidden state.
        num_labels: number of labels, including the blank.
        dropout: dropout on the hidden states.
    """

    by_frame = learns_order = is_linear = True

    def __init__(self, input_size: int, num_labels: int, dropout: float = 0.0):
        super().__init__()
        self.num_labels = num_labels
        self.dropout = dropout
        self.project = nn.Linear(input_size, num_labels)

    def forward(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, input_size) -> `frame_log_probs`, and `lengths`."""
        return self.frame_log_probs(states, lengths), lengths

    def frame_log_probs(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities: (batch, time, input_size) -> (batch, time, num_labels) in float32."""
        logits = self.project(F.dropout(states, self.dropout, self.training))
        return logits.float().log_softmax(dim=2)

    def loss(
        self,
        states: Tensor,
        lengths: Tensor,
        targets: Sequence[Sequence[int]],
        objective: Objective = OBJECTIVE,
        log_probs: Tensor | None = None,
    ) -> Tensor:
        """Negative log-likelihood of each target, summed over its alignments; see `Decoder.loss`.

        A target too long for its frames counts as 0, see `ctc_loss`.
        """
        if log_probs is None:
            log_probs = self.frame_log_probs(states, lengths)
        if not objective.blank:
            never = torch.full_like(log_probs[..., :1], NEVER)
            log_probs = torch.cat([never, log_probs[..., 1:].log_softmax(dim=2)], dim=2)
        return ctc_loss(log_probs, lengths, targets)

    @torch.no_grad()
    def read(self, states: Tensor, lengths: Tensor, search: Search = SEARCH) -> list[Labels]:
        """By the best label of each frame; with `fusion` or `alternatives` by prefix beam search."""
        log_probs, lengths = self.frame_log_probs(states, lengths).cpu(), lengths.cpu()
        if not search.fusion and not search.alternatives:
            return greedy(log_probs, lengths)
        fusion = search.fusion or Fusion()
        wider = WIDER_CLOSED if fusion.closed else WIDER_KNOWN if fusion.lexicon else WIDER
        width = max(search.width, search.alternatives) * wider
        return PrefixBeam(fusion, width, search.alternatives)(log_probs, lengths)

    def frame_probabilities(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, None]:
        """Probabilities of the labels in each frame, were there no blank; and None."""
        labels = self.frame_log_probs(states, lengths)[..., 1:].softmax(dim=2)
        return F.pad(labels, (1, 0)), None


def ctc_loss(log_probs: Tensor, lengths: Tensor, targets: Sequence[Sequence[int]]) -> Tensor:
    """CTC loss: negative log-likelihood of each target, (batch,), in nats.

    A target too long for its frames (each label needs one, each repeat one more) has loss 0 and no gradient;
    `frames_needed` finds such items beforehand.

    Args:
        log_probs: (batch, time, num_labels).
        lengths: (batch,) frames of each sequence.
        targets: label ids of each sequence, without blanks.
    """
    flat = torch.tensor([label for target in targets for label in target], dtype=torch.long)
    sizes = torch.tensor([len(target) for target in targets])
    return F.ctc_loss(
        log_probs.transpose(0, 1),
        flat.to(log_probs.device),
        lengths,
        sizes,
        BLANK,
        reduction="none",
        zero_infinity=True,
    )


def frames_needed(target: Sequence[int]) -> int:
    """The smallest number of frames in which CTC can produce the target."""
    return len(target) + sum(a == b for a, b in zip(target, target[1:], strict=False))
