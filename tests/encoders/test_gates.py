import pytest
import torch

from encoders.bilstm import BiLSTM
from encoders.gates import GRUGates, LSTMGates, look_inside


def ragged(batch=3, time=9, features=5):
    torch.manual_seed(1)
    return torch.randn(batch, time, features), torch.tensor([time, 4, 1])[:batch]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
def test_hidden_states_equal_the_fast_core(cell, bidirectional, layers):
    x, lengths = ragged()
    core = BiLSTM(5, 6, layers, cell=cell, bidirectional=bidirectional).eval()
    inside = look_inside(core, x, lengths)
    assert len(inside) == layers
    assert [list(layer) for layer in inside] == [["ahead", "back"] if bidirectional else ["ahead"]] * layers
    top = torch.cat([gates.hidden for gates in inside[-1].values()], dim=2)
    torch.testing.assert_close(top, core(x, lengths)[0], atol=1e-6, rtol=0)


def test_lstm_gates_obey_the_cell_equations_over_time():
    x, lengths = ragged()
    gates = look_inside(BiLSTM(5, 6, 1), x, lengths)[0]
    for direction, step in (("ahead", 1), ("back", -1)):
        g = gates[direction]
        assert isinstance(g, LSTMGates)
        before = torch.roll(g.memory, step, dims=1)
        before[:, 0 if step == 1 else -1] = 0
        torch.testing.assert_close(g.memory, g.forget * before + g.input * g.candidate)
        torch.testing.assert_close(g.hidden, g.output * torch.tanh(g.memory))


def test_gru_gates_obey_the_cell_equations_over_time():
    x, lengths = ragged()
    g = look_inside(BiLSTM(5, 6, 1, cell="gru", bidirectional=False), x, lengths)[0]["ahead"]
    assert isinstance(g, GRUGates)
    before = torch.roll(g.hidden, 1, dims=1)
    before[:, 0] = 0
    valid = (torch.arange(9) < lengths[:, None]).unsqueeze(2)
    torch.testing.assert_close(g.hidden, ((1 - g.update) * g.candidate + g.update * before) * valid)


def test_gates_stay_in_their_range_and_padding_is_zero():
    x, lengths = ragged()
    for layer in look_inside(BiLSTM(5, 6, 2), x, lengths):
        for g in layer.values():
            assert all(part.shape == (3, 9, 6) for part in g)
            assert all(part[1, 4:].abs().sum() == 0 and part[2, 1:].abs().sum() == 0 for part in g)
            for gate in (g.input, g.forget, g.output):
                assert gate[0].min() > 0 and gate[0].max() < 1


def test_a_neighbour_changes_nothing_and_the_core_keeps_its_dropout():
    x, lengths = ragged()
    core = BiLSTM(5, 6, 2, dropout=0.5).train()
    together = look_inside(core, x, lengths)[-1]["back"]
    alone = look_inside(core, x[1:2, :4], lengths[1:2])[-1]["back"]
    for part, own in zip(together, alone, strict=True):
        torch.testing.assert_close(part[1:2, :4], own)
    assert core.training
