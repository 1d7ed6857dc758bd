"""Prepacked weights are an implementation detail: nobody may see a difference, come what may to a layer."""

import copy

import pytest
import torch
from torch import nn

from encoders import prepacked
from encoders.bilstm import BiLSTM
from encoders.precision import runs_lstm_in_bf16

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this build of torch has no oneDNN"
)


def layer_and_input(batch=3, time=7):
    torch.manual_seed(1)
    return nn.LSTM(5, 4).eval(), torch.randn(time, batch, 5)


@pytest.mark.parametrize("batch, time", [(1, 1), (1, 200), (3, 7), (33, 2)])
@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_same_as_the_layer(batch, time, with_state, mode):
    layer, x = layer_and_input(batch, time)
    state = (torch.randn(1, batch, 4), torch.randn(1, batch, 4)) if with_state else None
    with mode():
        assert prepacked.runs_prepacked(layer, x)
        y, (h, c) = prepacked.run(layer, x, state)
        wanted, (wanted_h, wanted_c) = layer(x, state)
    for found, expected in ((y, wanted), (h, wanted_h), (c, wanted_c)):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


@pytest.mark.skipif(not runs_lstm_in_bf16(), reason="oneDNN has no bf16 LSTM for this CPU")
@torch.no_grad()
def test_the_same_in_16_bits():
    layer, x = layer_and_input(3, 40)
    prepacked.run(layer, x, None)  # in 32 bits before
    with torch.autocast("cpu", torch.bfloat16):
        assert prepacked.runs_prepacked(layer, x) and prepacked.runs_prepacked(layer, x.bfloat16())
        y, (h, c) = prepacked.run(layer, x, None)
        wanted, (wanted_h, wanted_c) = layer(x)
    assert [part.dtype for part in (y, h, c)] == [part.dtype for part in (wanted, wanted_h, wanted_c)]
    for found, expected in ((y, wanted), (h, wanted_h), (c, wanted_c)):
        torch.testing.assert_close(found, expected, atol=2e-2, rtol=2e-2)
    torch.testing.assert_close(prepacked.run(layer, x, None)[0], layer(x)[0])


@torch.no_grad()
def test_changed_and_replaced_weights_are_seen():
    layer, x = layer_and_input()
    prepacked.run(layer, x, None)
    layer.weight_hh_l0.mul_(-1.0)
    torch.testing.assert_close(prepacked.run(layer, x, None)[0], layer(x)[0])
    layer.weight_ih_l0.copy_(torch.randn(16, 5))
    torch.testing.assert_close(prepacked.run(layer, x, None)[0], layer(x)[0])
    other, _ = layer_and_input()
    layer.load_state_dict({name: w * 2 for name, w in other.state_dict().items()}, assign=True)
    torch.testing.assert_close(prepacked.run(layer, x, None)[0], layer(x)[0])


def test_layers_made_in_inference_mode():
    with torch.inference_mode():
        layer, x = layer_and_input()
        prepacked.run(layer, x, None)
        layer.weight_hh_l0.mul_(2.0)  # such tensors do not count their changes
        torch.testing.assert_close(prepacked.run(layer, x, None)[0], layer(x)[0])


def test_only_where_it_is_the_same():
    layer, x = layer_and_input()
    assert not prepacked.runs_prepacked(layer, x), "gradients are wanted"
    with torch.no_grad():
        assert not prepacked.runs_prepacked(layer.train(), x)
        assert not prepacked.runs_prepacked(nn.GRU(5, 4).eval(), x)
        assert not prepacked.runs_prepacked(layer.eval(), x.double())
        with torch.autocast("cpu", torch.float16):
            assert not prepacked.runs_prepacked(layer, x)
        with torch.backends.mkldnn.flags(enabled=False):
            assert not prepacked.runs_prepacked(layer, x)


@torch.no_grad()
def test_a_core_that_was_run_can_be_copied_and_saved(tmp_path):
    core = BiLSTM(5, 4, num_layers=2).eval()
    x, lengths = torch.randn(2, 6, 5), torch.tensor([6, 3])
    y, _ = core(x, lengths)
    torch.testing.assert_close(copy.deepcopy(core)(x, lengths)[0], y)
    assert core.state_dict().keys() == BiLSTM(5, 4, num_layers=2).state_dict().keys()
