"""The shared core: a deep LSTM or GRU, exact on batches of sequences of different lengths.

A `PackedSequence` does not run on the CPU's fused kernels. Here each direction runs on the padded batch
instead: the forward direction sees no padding before its last frame, and the backward direction reads every
sequence reversed *within its own length*, so that padding again comes last. The result equals `nn.LSTM` on
packed sequences.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from encoders import prepacked
from encoders.precision import core_autocast

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}

State = list  # one entry a layer: (h, c) for an LSTM, h for a GRU, each (1, batch, hidden_size)


class BiLSTM(nn.Module):
    """Stacked LSTM or GRU (Graves & Schmidhuber 2005; Cho et al. 2014).

    Args:
        input_size: features per input frame.
        hidden_size: hidden units per layer and direction.
        num_layers: number of layers; each reads both directions of the one below.
        dropout: dropout between layers.
        cell: "lstm" or "gru".
        bidirectional: read sequences in both directions; a streaming core reads forwards only.
        bptt_window: truncated back-propagation through time for very long sequences: in training, gradients
            stop every `bptt_window` frames while the state is carried on, and the activations of only one
            window are held in memory. Unidirectional cores only.

    Raises:
        ValueError: for an unknown cell, or a window on a bidirectional core.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 3,
        dropout: float = 0.0,
        cell: str = "lstm",
        bidirectional: bool = True,
        bptt_window: int | None = None,
    ):
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"cell must be one of {sorted(CELLS)}, not {cell!r}")
        if min(input_size, hidden_size, num_layers) < 1:
            raise ValueError("input_size, hidden_size and num_layers must be at least 1")
        if bptt_window is not None and (bidirectional or bptt_window < 1):
            raise ValueError("bptt_window needs a one-directional core and at least 1 frame")
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dropout = dropout
        self.cell = cell
        self.bidirectional = bidirectional
        self.bptt_window = bptt_window
        self.output_size = hidden_size * (2 if bidirectional else 1)

        def direction() -> nn.ModuleList:
            sizes = [input_size] + [self.output_size] * (num_layers - 1)
            return nn.ModuleList(CELLS[cell](size, hidden_size) for size in sizes)

        self.ahead = direction()
        self.back = direction() if bidirectional else None
        self._initialise()

    @torch.no_grad()
    def _initialise(self) -> None:
        """Initialise: Glorot input weights, orthogonal recurrent weights, open forget gates.

        (Glorot & Bengio 2010; Saxe et al. 2014; Jozefowicz et al. 2015.)
        """
        for name, parameter in self.named_parameters():
            if "bias" in name:
                parameter.zero_()
                if self.cell == "lstm" and "bias_ih" in name:
                    parameter[self.hidden_size : 2 * self.hidden_size] = 1.0
            else:
                for gate in parameter.split(self.hidden_size):
                    (nn.init.orthogonal_ if "_hh_" in name else nn.init.xavier_uniform_)(gate)

    @classmethod
    def from_torch(cls, rnn: nn.LSTM | nn.GRU) -> BiLSTM:
        """The same network with copies of the weights of an `nn.LSTM` or `nn.GRU`."""
        core = cls(
            rnn.input_size,
            rnn.hidden_size,
            rnn.num_layers,
            dropout=rnn.dropout,
            cell="lstm" if isinstance(rnn, nn.LSTM) else "gru",
            bidirectional=rnn.bidirectional,
        )
        with torch.no_grad():
            for direction, suffix in ((core.ahead, ""), (core.back or [], "_reverse")):
                for index, layer in enumerate(direction):
                    for name, parameter in layer.named_parameters():
                        source = name.replace("_l0", f"_l{index}{suffix}")
                        parameter.copy_(getattr(rnn, source))
        return core

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Run whole sequences.

        Args:
            x: (batch, time, input_size), padded at the end with any finite values.
            lengths: (batch,), the number of valid frames of each sequence, at least 1.

        Returns:
            (batch, time, directions * hidden_size), zero in the padding; and `lengths`.
        """
        if x.dim() != 3 or x.size(2) != self.input_size:
            raise ValueError(f"the core reads (batch, time, {self.input_size}), not {tuple(x.shape)}")
        if lengths.shape != x.shape[:1] or (lengths > x.size(1)).any():
            raise ValueError(
                f"lengths must be {x.size(0)} numbers up to {x.size(1)} frames, not {lengths.tolist()}"
            )
        with core_autocast(x) as x:
            return self._whole(x, lengths), lengths

    def stream(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Run the next chunk of sequences that arrive in chunks.

        Args:
            x: (batch, time, input_size), all frames valid.
            state: the state returned for the previous chunk; None at the start.

        Returns:
            (batch, time, hidden_size) and the state for the next chunk.

        Raises:
            ValueError: the core is bidirectional.
        """
        if self.bidirectional:
            raise ValueError("a bidirectional core needs the whole sequence; stream with bidirectional=False")
        with core_autocast(x) as x:
            y, state = self._one_direction(x.transpose(0, 1).contiguous(), state)
        return y.transpose(0, 1), state

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """The lengths unchanged: one output frame per input frame."""
        return lengths

    def _whole(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, input_size) -> (batch, time, directions * hidden_size), zero in the padding."""
        time = torch.arange(x.size(1), device=x.device).unsqueeze(1)  # (T, 1)
        valid = time < lengths.to(x.device)  # (T, B)
        x = x.transpose(0, 1).contiguous()  # (T, B, input)
        if self.bidirectional:
            y = self._both_directions(x, lengths.to(x.device), valid, time)
        elif self.training and self.bptt_window and x.size(0) > self.bptt_window:
            y = self._truncated(x)
        else:
            y, _ = self._one_direction(x, None)
        return (y * valid.unsqueeze(2)).transpose(0, 1)

    def _both_directions(self, x: Tensor, lengths: Tensor, valid: Tensor, time: Tensor) -> Tensor:
        batch = x.size(1)
        mirrored = torch.where(valid, lengths - 1 - time, time)  # (T, B)
        order = (mirrored * batch + torch.arange(batch, device=x.device)).flatten()
        for index in range(self.num_layers):
            if index:
                x = F.dropout(x, self.dropout, self.training)
            ahead, _ = _run(self.ahead[index], x)
            back, _ = _run(self.back[index], _Permute.apply(x, order))
            x = torch.cat([ahead, _Permute.apply(back, order)], dim=2)
        return x

    def _one_direction(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        carried = []
        for index, layer in enumerate(self.ahead):
            if index:
                x = F.dropout(x, self.dropout, self.training)
            x, final = _run(layer, x, state[index] if state else None)
            carried.append(final)
        return x, carried

    def _truncated(self, x: Tensor) -> Tensor:
        """Run window after window, with the state detached in between; recomputed in the backward pass."""
        outputs, state = [], None
        for window in x.split(self.bptt_window):
            y, state = checkpoint(self._one_direction, window, state, use_reentrant=False)
            state = [
                tuple(part.detach() for part in layer) if self.cell == "lstm" else layer.detach()
                for layer in state
            ]
            outputs.append(y)
        return torch.cat(outputs)


def _run(layer: nn.Module, x: Tensor, state: tuple | Tensor | None = None) -> tuple[Tensor, tuple | Tensor]:
    if prepacked.runs_prepacked(layer, x):
        return prepacked.run(layer, x, state)
    return layer(x, state)


class _Permute(torch.autograd.Function):
    """Reorder the frames of (time, batch, features) by an order that is its own inverse.

    Indexing would send gradients through an accumulating scatter, many times slower on a CPU.
    """

    @staticmethod
    def forward(ctx, x: Tensor, order: Tensor) -> Tensor:
        ctx.save_for_backward(order)
        return x.flatten(0, 1).index_select(0, order).view_as(x)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (order,) = ctx.saved_tensors
        return gradient.flatten(0, 1).index_select(0, order).view_as(gradient), None
