"""LSTM layers whose weights stay in the order that the CPU's kernels read them in.

oneDNN reorders an `nn.LSTM`'s weights at every call, which takes longer than a short sequence
itself. PyTorch can keep them reordered (its compiler does, when it freezes a model); these are the
same kernels, and the results are the same to the last bit.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

LSTM_MODE = 2  # of aten's rnn_layer: 0 and 1 are the plain RNNs, 3 is the GRU

_packed: WeakKeyDictionary[nn.LSTM, tuple] = WeakKeyDictionary()


def runs_prepacked(layer: nn.Module, x: Tensor) -> bool:
    """Whether `run` can stand in for calling the layer: inference of an LSTM in 32 bits on the CPU."""
    return (
        isinstance(layer, nn.LSTM)
        and not torch.is_grad_enabled()
        and not layer.training
        and x.device.type == "cpu"
        and x.dtype == layer.weight_hh_l0.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and torch.backends.mkldnn.is_available()
        and torch.backends.mkldnn.enabled
        and hasattr(torch.ops.mkldnn, "_reorder_mkldnn_rnn_layer_weight")
    )


def run(layer: nn.LSTM, x: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple]:
    """What `layer(x, state)` gives; (time, batch, features), one layer, one direction."""
    hidden, batch = layer.hidden_size, x.size(1)
    if state is None:
        nothing = x.new_zeros(1, batch, hidden)
        state = (nothing, nothing)
    weights = _reordered(layer)
    y, h, c = torch.mkldnn_rnn_layer(
        x,
        *weights,
        layer.bias_ih_l0,
        layer.bias_hh_l0,
        *(part[0] for part in state),
        reverse=False,
        batch_sizes=[],
        mode=LSTM_MODE,
        hidden_size=hidden,
        num_layers=1,
        has_biases=True,
        bidirectional=False,
        batch_first=False,
        train=False,
    )[:3]
    return y, (h.view(1, batch, hidden), c.view(1, batch, hidden))


def _reordered(layer: nn.LSTM) -> tuple[Tensor, Tensor]:
    """The layer's weights, reordered again when they were changed or replaced."""
    given = (layer.weight_ih_l0, layer.weight_hh_l0)
    seen = tuple((w.data_ptr(), None if w.is_inference() else w._version) for w in given)
    kept = _packed.get(layer)
    if kept is None or kept[0] != seen or any(w.is_inference() for w in given):
        reordered = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight(
            *(w.detach() for w in given), layer.hidden_size, False, True, False, [100, 1, layer.input_size]
        )
        kept = _packed[layer] = (seen, tuple(reordered))
    return kept[1]
