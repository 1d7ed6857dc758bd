"""Attention decoder: an LSTM that generates label after label, attending to encoder states.

Additive attention (Bahdanau et al. 2015). With `location_filters` it is location-aware (Chorowski et al.
2015), as text that runs along the states needs; without, the states may be an unordered grid, as in Show,
Attend and Tell (Xu et al. 2015). Label 0, the blank of CTC, marks both ends of a sequence here: it is the
input of the first step and the output of the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from decoders.alphabet import END
from decoders.contract import (
    OBJECTIVE,
    SEARCH,
    Decoder,
    Hypothesis,
    Labels,
    Objective,
    Search,
    valid_frames,
)
from decoders.search.beam import Scorer, beam, best_labels


class Memory(NamedTuple):
    """Encoder states, prepared for attention.

    Attributes:
        values: (batch, time, input_size), zero in the padding.
        keys: (batch, time, attention_size), the projected states.
        valid: (batch, time), False in the padding.
    """

    values: Tensor
    keys: Tensor
    valid: Tensor

    def rows(self, index: Tensor) -> Memory:
        """Select items by index, in this order."""
        return Memory(*(part[index] for part in self))


class State(NamedTuple):
    """State of the decoder after a step.

    Attributes:
        hidden, cell: (batch, hidden_size), state of the LSTM.
        context: (batch, input_size), the states averaged with the attention weights.
        weights: (batch, time), the attention weights.
        total: (batch, time), the sum of `weights` over all steps.
    """

    hidden: Tensor
    cell: Tensor
    context: Tensor
    weights: Tensor
    total: Tensor

    def rows(self, index: Tensor) -> State:
        """Select items by index, in this order."""
        return State(*(part[index] for part in self))


class Attention(Decoder):
    """Hidden states -> labels, each conditioned on the labels before it.

    A step reads the last label and context (input feeding, Luong et al. 2015), computes the attention, and
    predicts a label. Input and output embeddings are tied (Press & Wolf 2017).

    Args:
        input_size: features per encoder state.
        num_labels: number of labels, including label 0.
        hidden_size: hidden units of the LSTM.
        embedding_size: size of the label embedding.
        attention_size: size of the space in which states and decoder are compared.
        location_filters: convolutions over the previous attention weights; 0 for unordered states.
        location_kernel: width of these convolutions, in states.
        gated: multiply each feature of the context by a gate (beta in Xu et al. 2015, here per feature).
        dropout: dropout on the embedded input and before the output.

    Raises:
        ValueError: for a size below 1.
    """

    writes = learns_order = True
    label_rows = ("embed.weight", "bias")

    def __init__(
        self,
        input_size: int,
        num_labels: int,
        *,
        hidden_size: int = 256,
        embedding_size: int = 128,
        attention_size: int = 128,
        location_filters: int = 0,
        location_kernel: int = 31,
        gated: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        if min(input_size, num_labels, hidden_size, embedding_size, attention_size, location_kernel) < 1:
            raise ValueError("sizes of an attention decoder must be at least 1")
        self.num_labels = num_labels
        self.dropout = dropout
        self.key = nn.Linear(input_size, attention_size)
        self.query = nn.Linear(hidden_size, attention_size, bias=False)
        self.energy = nn.Linear(attention_size, 1, bias=False)
        self.begin = nn.Linear(input_size, 2 * hidden_size)
        self.embed = nn.Embedding(num_labels, embedding_size)
        self.lstm = nn.LSTMCell(embedding_size + input_size, hidden_size)
        self.gate = nn.Linear(hidden_size, input_size) if gated else None
        self.readout = nn.Linear(hidden_size + input_size, embedding_size)
        self.bias = nn.Parameter(torch.zeros(num_labels))
        self.locate = self.location = None
        if location_filters:
            # An even kernel would move everything by half a state.
            kernel = location_kernel + 1 - location_kernel % 2
            self.locate = nn.Conv1d(2, location_filters, kernel, padding=kernel // 2, bias=False)
            self.location = nn.Linear(location_filters, attention_size, bias=False)
        self._initialise()

    @torch.no_grad()
    def _initialise(self) -> None:
        """Initialise as the core does; embeddings have unit length, which suits input and output."""
        for weight, initialise in (
            (self.lstm.weight_ih, nn.init.xavier_uniform_),
            (self.lstm.weight_hh, nn.init.orthogonal_),
        ):
            for gate in weight.chunk(4):
                initialise(gate)
        for bias in (self.lstm.bias_ih, self.lstm.bias_hh):
            bias.zero_()
        self.lstm.bias_ih.chunk(4)[1].fill_(1.0)
        nn.init.normal_(self.embed.weight, std=self.embed.embedding_dim**-0.5)

    def start(self, x: Tensor, lengths: Tensor) -> tuple[Memory, State]:
        """The memory that all steps share, and the initial state.

        Args:
            x: (batch, time, input_size), padded at the end with any values.
            lengths: (batch,), the number of valid states of each item, at least 1.
        """
        valid = valid_frames(x, lengths)
        lengths = lengths.to(x.device).unsqueeze(1)
        values = x.masked_fill(~valid.unsqueeze(2), 0.0)
        mean = values.sum(dim=1) / lengths
        hidden, cell = self.begin(mean).chunk(2, dim=1)
        weights = total = values.new_zeros(valid.shape)
        if self.locate is not None:  # start at the first state: otherwise it takes long to learn that
            weights = weights.index_fill(1, lengths.new_zeros(1), 1.0)
        state = State(hidden.tanh(), cell, mean, weights, total)
        return Memory(values, self.key(values), valid), state

    def step(self, memory: Memory, state: State, labels: Tensor) -> State:
        """Read the (batch,) last labels and compute the next state."""
        read = self.embed(labels) * self.embed.embedding_dim**0.5
        read = F.dropout(read, self.dropout, self.training)
        hidden, cell = self.lstm(torch.cat([read, state.context], dim=1), (state.hidden, state.cell))
        weights = self._weights(memory, state, hidden)
        context = torch.bmm(weights.unsqueeze(1), memory.values).squeeze(1)
        if self.gate is not None:
            context = self.gate(hidden).sigmoid() * context
        return State(hidden, cell, context, weights, state.total + weights)

    def log_probs(self, hidden: Tensor, context: Tensor) -> Tensor:
        """Log-probabilities of labels: (..., hidden_size), (..., input_size) -> (..., num_labels) float32."""
        written = self.readout(torch.cat([hidden, context], dim=-1)).tanh()
        written = F.dropout(written, self.dropout, self.training)
        return F.linear(written, self.embed.weight, self.bias).float().log_softmax(dim=-1)

    def forward(
        self, x: Tensor, lengths: Tensor, targets: Sequence[Sequence[int]], sampling: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Predict each label of known targets from those before it (teacher forcing).

        Args:
            x: (batch, time, input_size), padded at the end with any values.
            lengths: (batch,), the number of valid states of each item, at least 1.
            targets: label ids of each item, without ends.
            sampling: share of labels that are sampled from the decoder's own output instead of taken from the
                targets (scheduled sampling, Bengio et al. 2015).

        Returns:
            (batch, steps, num_labels) log-probabilities in float32 and (batch, steps, time) attention
            weights; steps is the length of the longest target plus one for its end.
        """
        memory, state = self.start(x, lengths)
        labels = F.pad(_padded(targets, self.num_labels, x.device), (1, 0), value=END)  # (B, steps)
        states: list[State] = []
        for step, read in enumerate(labels.unbind(dim=1)):
            if sampling and step:
                read = torch.where(
                    torch.rand_like(read, dtype=torch.float) < sampling, self._said(state), read
                )
            state = self.step(memory, state, read)
            states.append(state)
        hidden, context, weights = (
            torch.stack([getattr(state, name) for state in states], dim=1)
            for name in ("hidden", "context", "weights")
        )
        return self.log_probs(hidden, context), weights

    def loss(
        self,
        states: Tensor,
        lengths: Tensor,
        targets: Sequence[Sequence[int]],
        objective: Objective = OBJECTIVE,
        log_probs: Tensor | None = None,
    ) -> Tensor:
        """Negative log-likelihood of each target with its end; see `Decoder.loss`."""
        step_log_probs, weights = self(states, lengths, targets, objective.sampling)
        wanted = F.pad(_padded(targets, self.num_labels, states.device), (0, 1), value=END)
        sizes = torch.tensor([len(target) for target in targets], device=states.device).unsqueeze(1)
        inside = torch.arange(wanted.size(1), device=states.device) <= sizes  # (B, steps)
        likelihood = step_log_probs.gather(2, wanted.unsqueeze(2)).squeeze(2)
        if objective.smoothing:
            smooth = objective.smoothing
            likelihood = (1 - smooth) * likelihood + smooth * step_log_probs.mean(dim=2)
        loss = -(likelihood * inside).sum(dim=1)
        if objective.doubly_stochastic:
            given = (weights * inside.unsqueeze(2)).sum(dim=1)
            squares = (1 - given).square() * valid_frames(states, lengths)
            loss = loss + objective.doubly_stochastic * squares.sum(dim=1)
        return loss

    @torch.no_grad()
    def read(self, states: Tensor, lengths: Tensor, search: Search = SEARCH) -> list[Labels]:
        """By beam search; raises ValueError for a fusion, which needs probabilities for each frame."""
        if search.fusion:
            raise ValueError("an attention decoder reads without language model, hotwords and lexicon")
        found = self.hypotheses(states, lengths, search)
        return [best_labels(each, search.alternatives) for each in found]

    def searches(self, width: int) -> bool:
        """Always: with a width of 1, by the best label of each step."""
        return True

    def hypotheses(
        self, states: Tensor, lengths: Tensor, search: Search = SEARCH, scorer: Scorer | None = None
    ) -> list[list[Hypothesis]]:
        """All hypotheses of the beam search for each sequence, the best first; see `beam`."""
        return beam(self, states, lengths, search, scorer)

    def _weights(self, memory: Memory, state: State, hidden: Tensor) -> Tensor:
        """Attention weights, (batch, time); exactly 0 in the padding."""
        compared = memory.keys + self.query(hidden).unsqueeze(1)
        if self.locate is not None:
            before = torch.stack([state.weights, state.total], dim=1)  # (B, 2, T)
            compared = compared + self.location(self.locate(before).transpose(1, 2))
        energies = self.energy(compared.tanh()).squeeze(2).float()
        return energies.masked_fill(~memory.valid, -torch.inf).softmax(dim=1).to(memory.values.dtype)

    @torch.no_grad()
    def _said(self, state: State) -> Tensor:
        """Labels sampled from the output of a state, (batch,); an end sampled too early stays an end."""
        return self.log_probs(state.hidden, state.context).exp().multinomial(1).squeeze(1)


def _padded(targets: Sequence[Sequence[int]], num_labels: int, device: torch.device) -> Tensor:
    """Label ids as a tensor, (batch, longest), padded with ends."""
    for target in targets:
        if target and not 0 < min(target) <= max(target) < num_labels:
            raise ValueError(f"labels must be from 1 to {num_labels - 1}, not {target}")
    rows = [torch.tensor(target, dtype=torch.long, device=device) for target in targets]
    return pad_sequence(rows, batch_first=True, padding_value=END)
