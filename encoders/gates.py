"""LSTM and GRU cells written out step by step, for looking inside a trained core.

The fast core (`bilstm.py`) hands whole sequences to fused kernels that return only the hidden state. Here the
same weights run frame by frame and the activations of all gates are kept. The results agree with the core's.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from encoders.bilstm import BiLSTM


class LSTMGates(NamedTuple):
    """Activations of an LSTM: (batch, hidden) for one frame, (batch, time, hidden) for sequences."""

    input: Tensor
    """i, in (0, 1): how much of the candidate is written into the memory cell."""
    forget: Tensor
    """f, in (0, 1): how much of the memory cell is kept (1 keeps everything)."""
    output: Tensor
    """o, in (0, 1): how much of the memory cell is output."""
    candidate: Tensor
    """g, in (-1, 1): the candidate values to be written."""
    memory: Tensor
    """c, unbounded: the memory cell after this frame."""
    hidden: Tensor
    """h, in (-1, 1): the layer's output."""


class GRUGates(NamedTuple):
    """Activations of a GRU: (batch, hidden) for one frame, (batch, time, hidden) for sequences."""

    reset: Tensor
    """r, in (0, 1): how much of the past the candidate may use."""
    update: Tensor
    """z, in (0, 1): how much of the past is kept (1 keeps everything)."""
    candidate: Tensor
    """n, in (-1, 1): the candidate state."""
    hidden: Tensor
    """h, in (-1, 1): the layer's output, which is also its memory."""


def lstm_cell(layer: nn.LSTM, x: Tensor, hidden: Tensor, memory: Tensor) -> LSTMGates:
    """One frame of an LSTM (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

    Args:
        layer: its weights are stacked in the order input, forget, candidate, output.
        x: (batch, input_size), the frame.
        hidden: (batch, hidden_size), the previous output.
        memory: (batch, hidden_size), the previous memory cell.
    """
    from_x = x @ layer.weight_ih_l0.T + layer.bias_ih_l0  # (batch, 4 * hidden)
    from_h = hidden @ layer.weight_hh_l0.T + layer.bias_hh_l0
    i, f, g, o = (from_x + from_h).chunk(4, dim=1)  # (batch, hidden) each
    i, f, o = torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o)
    g = torch.tanh(g)
    memory = f * memory + i * g
    return LSTMGates(i, f, o, g, memory, hidden=o * torch.tanh(memory))


def gru_cell(layer: nn.GRU, x: Tensor, hidden: Tensor) -> GRUGates:
    """One frame of a GRU (Cho et al. 2014, with the reset gate after the matrix product).

    Args:
        layer: its weights are stacked in the order reset, update, candidate.
        x: (batch, input_size), the frame.
        hidden: (batch, hidden_size), the previous output.
    """
    r_x, z_x, n_x = (x @ layer.weight_ih_l0.T + layer.bias_ih_l0).chunk(3, dim=1)  # (batch, hidden) each
    r_h, z_h, n_h = (hidden @ layer.weight_hh_l0.T + layer.bias_hh_l0).chunk(3, dim=1)
    r, z = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
    n = torch.tanh(n_x + r * n_h)
    return GRUGates(r, z, n, hidden=(1 - z) * n + z * hidden)


@torch.no_grad()
def look_inside(core: BiLSTM, x: Tensor, lengths: Tensor) -> list[dict[str, LSTMGates | GRUGates]]:
    """Run a whole core in evaluation mode (no dropout) and return all gate activations over time.

    Args:
        core: a trained core.
        x: (batch, time, input_size), padded at the end.
        lengths: (batch,) valid frames of each sequence.

    Returns:
        One entry per layer, from the input upwards: the gates of direction "ahead" and, for a bidirectional
        core, "back". Each tensor is (batch, time, hidden_size), zero in the padding; index t belongs to input
        frame t in both directions.
    """
    layers = []
    for index in range(core.num_layers):
        gates = {"ahead": _run(core.ahead[index], x, lengths, range(x.size(1)))}
        if core.bidirectional:
            gates["back"] = _run(core.back[index], x, lengths, reversed(range(x.size(1))))
        x = torch.cat([direction.hidden for direction in gates.values()], dim=2)
        layers.append(gates)
    return layers


def _run(layer: nn.LSTM | nn.GRU, x: Tensor, lengths: Tensor, order) -> LSTMGates | GRUGates:
    """Visit the frames in `order`; the state of a sequence stays zero until its own first frame."""
    cell, kind = (lstm_cell, LSTMGates) if isinstance(layer, nn.LSTM) else (gru_cell, GRUGates)
    zero = x.new_zeros(x.size(0), layer.hidden_size)
    state = {"hidden": zero, "memory": zero} if kind is LSTMGates else {"hidden": zero}
    frames = [None] * x.size(1)
    for t in order:
        valid = (t < lengths.to(x.device)).unsqueeze(1)  # (batch, 1)
        step = cell(layer, x[:, t], **state)
        frames[t] = kind(*(torch.where(valid, part, zero) for part in step))
        state = {name: getattr(frames[t], name) for name in state}
    return kind(*(torch.stack(part, dim=1) for part in zip(*frames, strict=True)))
