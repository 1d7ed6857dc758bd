"""LSTM inference with weights kept in the memory layout of the CPU's kernels.

oneDNN reorders the weights of an `nn.LSTM` at every call, which takes longer than a short sequence itself.
PyTorch can keep them reordered, as its compiler does when it freezes a model. These are the same kernels, and
the results are bit-identical.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from encoders.precision import runs_lstm_in_bf16

LSTM_MODE = 2  # mode of aten's rnn_layer; 0 and 1 are plain RNNs, 3 is the GRU

_packed = WeakTensorKeyDictionary()  # by a layer's own weight, which copies of the layer may share


def runs_prepacked(layer: nn.Module, x: Tensor) -> bool:
    """Whether `run` can replace a call of the layer: inference of an LSTM on the CPU, in fp32 or bf16."""
    return (
        isinstance(layer, nn.LSTM)
        and not torch.is_grad_enabled()
        and not layer.training
        and x.device.type == "cpu"
        and layer.weight_hh_l0.dtype == torch.float32
        and x.dtype in (torch.float32, _precision())
        and (_precision() == torch.float32 or (_precision() == torch.bfloat16 and runs_lstm_in_bf16()))
        and torch.backends.mkldnn.is_available()
        and torch.backends.mkldnn.enabled
        and hasattr(torch.ops.mkldnn, "_reorder_mkldnn_rnn_layer_weight")
    )


def run(layer: nn.LSTM, x: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple]:
    """The result of `layer(x, state)` for one layer and direction; x is (time, batch, features)."""
    hidden, batch, precision = layer.hidden_size, x.size(1), _precision()
    if state is None:
        nothing = x.new_zeros(1, batch, hidden)
        state = (nothing, nothing)
    y, h, c = torch.mkldnn_rnn_layer(
        x.to(precision),
        *_reordered(layer, precision),
        *(part[0].to(precision) for part in state),
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


def _precision() -> torch.dtype:
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32


def _reordered(layer: nn.LSTM, precision: torch.dtype) -> tuple[Tensor, ...]:
    """The layer's reordered weights and biases, computed again after they were changed or replaced."""
    given = (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
    counted = not any(weight.is_inference() for weight in given)  # inference tensors have no version counter
    seen = (precision, *((weight.data_ptr(), weight._version) for weight in given)) if counted else None
    kept = _packed.get(layer.weight_hh_l0)
    if not counted or kept is None or kept[0] != seen:
        cast = [weight.detach().to(precision) for weight in given]
        matrices = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight(
            *cast[:2], layer.hidden_size, False, True, False, [100, 1, layer.input_size]
        )
        kept = _packed[layer.weight_hh_l0] = (seen, (*matrices, *cast[2:]))
    return kept[1]
