import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from encoders.bilstm import BiLSTM

LENGTHS = torch.tensor([5, 11, 1, 8])  # not sorted, one of a single frame
FEATURES, HIDDEN = 6, 7

every_cell = pytest.mark.parametrize("cell", ["lstm", "gru"])
every_direction = pytest.mark.parametrize("bidirectional", [True, False])
every_depth = pytest.mark.parametrize("layers", [1, 2, 4])


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def torch_rnn(cell="lstm", layers=2, bidirectional=True, dropout=0.0):
    kind = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
    return kind(FEATURES, HIDDEN, layers, batch_first=True, bidirectional=bidirectional, dropout=dropout)


def batch(dtype=torch.float32):
    return torch.randn(len(LENGTHS), int(LENGTHS.max()), FEATURES, dtype=dtype)


def packed(rnn, x, lengths):
    y, _ = rnn(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
    return pad_packed_sequence(y, batch_first=True, total_length=x.size(1))[0]


def torch_name(name):
    """ahead.2.weight_ih_l0 -> weight_ih_l2; back.2.weight_ih_l0 -> weight_ih_l2_reverse."""
    direction, layer, parameter = name.split(".")
    return parameter.replace("_l0", f"_l{layer}") + ("_reverse" if direction == "back" else "")


@every_cell
@every_direction
@every_depth
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_packed_sequence_in_outputs_and_gradients(cell, bidirectional, layers, dtype):
    rnn = torch_rnn(cell, layers, bidirectional).to(dtype)
    core = BiLSTM.from_torch(rnn).to(dtype)
    x = batch(dtype).requires_grad_()
    x_packed = x.detach().clone().requires_grad_()

    y, lengths = core(x, LENGTHS)
    expected = packed(rnn, x_packed, LENGTHS)
    assert y.shape == (len(LENGTHS), x.size(1), core.output_size)
    assert torch.equal(lengths, LENGTHS)
    tolerance = {"atol": 1e-5 if dtype == torch.float32 else 1e-12, "rtol": 0}
    torch.testing.assert_close(y, expected, **tolerance)

    weights = torch.randn_like(y)
    (y * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(x.grad, x_packed.grad, **tolerance)
    for name, parameter in core.named_parameters():
        torch.testing.assert_close(parameter.grad, getattr(rnn, torch_name(name)).grad, **tolerance, msg=name)


@every_cell
@every_direction
def test_longer_neighbours_and_order_change_nothing(cell, bidirectional):
    core = BiLSTM(FEATURES, HIDDEN, cell=cell, bidirectional=bidirectional).eval()
    x = batch()
    y, _ = core(x, LENGTHS)
    for item, length in enumerate(LENGTHS.tolist()):
        alone, _ = core(x[item : item + 1, :length], LENGTHS[item : item + 1])
        torch.testing.assert_close(y[item : item + 1, :length], alone, atol=1e-6, rtol=0)
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(core(x[order], LENGTHS[order])[0], y[order], atol=1e-6, rtol=0)


@every_cell
@every_direction
def test_padding_content_is_irrelevant_to_outputs_and_gradients(cell, bidirectional):
    core = BiLSTM(FEATURES, HIDDEN, cell=cell, bidirectional=bidirectional)
    x = batch()
    padding = (torch.arange(x.size(1)) >= LENGTHS[:, None]).unsqueeze(2)
    results = []
    for content in (0.0, 1e4):
        filled = x.masked_fill(padding, content).requires_grad_()
        y, _ = core(filled, LENGTHS)
        assert y.masked_select(padding).abs().sum() == 0
        results.append((y, *torch.autograd.grad(y.square().sum(), [filled, *core.parameters()])))
        assert results[-1][1].masked_select(padding).abs().sum() == 0
    for clean, dirty in zip(*results, strict=True):
        torch.testing.assert_close(clean, dirty, atol=1e-6, rtol=0)


@every_cell
def test_sequences_of_one_frame(cell):
    rnn = torch_rnn(cell)
    x, lengths = torch.randn(3, 1, FEATURES), torch.ones(3, dtype=torch.long)
    y, _ = BiLSTM.from_torch(rnn)(x, lengths)
    torch.testing.assert_close(y, packed(rnn, x, lengths), atol=1e-6, rtol=0)


@every_cell
@pytest.mark.parametrize("chunks", [[11], [1] * 11, [4, 1, 6]])
def test_streaming_in_chunks_equals_the_whole(cell, chunks):
    core = BiLSTM(FEATURES, HIDDEN, cell=cell, bidirectional=False).eval()
    x = torch.randn(2, 11, FEATURES)
    whole, _ = core(x, torch.tensor([11, 11]))
    state, parts = None, []
    for chunk in x.split(chunks, dim=1):
        y, state = core.stream(chunk, state)
        parts.append(y)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-6, rtol=0)


@every_cell
def test_inference_equals_the_training_path(cell):
    core = BiLSTM(FEATURES, HIDDEN, cell=cell)
    x = batch()
    trained, _ = core(x, LENGTHS)
    for mode in (torch.no_grad(), torch.inference_mode()):
        with mode:
            torch.testing.assert_close(core.eval()(x, LENGTHS)[0], trained, atol=1e-6, rtol=0)


def test_one_thread_gives_the_same_result():
    core = BiLSTM(FEATURES, HIDDEN).eval()
    x, threads = batch(), torch.get_num_threads()
    y, _ = core(x, LENGTHS)
    try:
        torch.set_num_threads(1)
        torch.testing.assert_close(core(x, LENGTHS)[0], y, atol=1e-6, rtol=0)
    finally:
        torch.set_num_threads(threads)


@every_cell
@every_direction
def test_bfloat16_autocast_is_close_and_trains(cell, bidirectional):
    core = BiLSTM(FEATURES, HIDDEN, cell=cell, bidirectional=bidirectional)
    x = batch()
    exact, _ = core(x, LENGTHS)
    with torch.autocast("cpu", torch.bfloat16):
        y, _ = core(x, LENGTHS)
    torch.testing.assert_close(y.float(), exact, atol=0.03, rtol=0)
    expected = torch.autograd.grad(exact.square().mean(), list(core.parameters()))
    for gradient, near in zip(
        torch.autograd.grad(y.float().square().mean(), list(core.parameters())), expected, strict=True
    ):
        assert gradient.dtype == torch.float32
        torch.testing.assert_close(gradient, near, atol=0.05 * near.abs().max().item() + 1e-5, rtol=0)


def test_dropout_acts_between_layers_in_training_only():
    core = BiLSTM(FEATURES, HIDDEN, num_layers=2, dropout=0.5)
    x = batch()
    outputs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outputs.append(core(x, LENGTHS)[0])
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
    core.eval()
    assert torch.equal(core(x, LENGTHS)[0], core(x, LENGTHS)[0])
    single = BiLSTM(FEATURES, HIDDEN, num_layers=1, dropout=0.5)
    assert torch.equal(single(x, LENGTHS)[0], single(x, LENGTHS)[0])


def test_checkpointed_core_has_the_same_gradients():
    core = BiLSTM(FEATURES, HIDDEN, dropout=0.3)
    x = batch()
    gradients = []
    for checkpointed in (False, True):
        torch.manual_seed(3)
        if checkpointed:
            y, _ = torch.utils.checkpoint.checkpoint(core, x, LENGTHS, use_reentrant=False)
        else:
            y, _ = core(x, LENGTHS)
        gradients.append(torch.autograd.grad(y.square().sum(), list(core.parameters())))
    for plain, again in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, again)


def gradients_with_window(cell, window, dropout=0.0, time=12):
    torch.manual_seed(4)
    core = BiLSTM(FEATURES, HIDDEN, 2, dropout, cell=cell, bidirectional=False, bptt_window=window)
    x, lengths = torch.randn(2, time, FEATURES), torch.tensor([time, time - 5])
    torch.manual_seed(5)
    y, _ = core(x, lengths)
    return y.detach(), torch.autograd.grad(y.square().sum(), list(core.parameters()))


@every_cell
@pytest.mark.parametrize("window", [12, 100])
def test_a_window_over_everything_is_full_back_propagation(cell, window):
    y, gradients = gradients_with_window(cell, window)
    full_y, full_gradients = gradients_with_window(cell, None)
    torch.testing.assert_close(y, full_y)
    for truncated, full in zip(gradients, full_gradients, strict=True):
        torch.testing.assert_close(truncated, full)


@every_cell
@pytest.mark.parametrize("window", [1, 4, 5])
def test_a_short_window_keeps_the_values_and_cuts_the_gradients(cell, window):
    y, gradients = gradients_with_window(cell, window)
    full_y, full_gradients = gradients_with_window(cell, None)
    torch.testing.assert_close(y, full_y, atol=1e-6, rtol=0)
    assert any(
        not torch.allclose(truncated, full, rtol=1e-3)
        for truncated, full in zip(gradients, full_gradients, strict=True)
    )


def test_a_gradient_never_crosses_a_window():
    core = BiLSTM(FEATURES, HIDDEN, 2, bidirectional=False, bptt_window=4)
    x = torch.randn(1, 12, FEATURES, requires_grad=True)
    y, _ = core(x, torch.tensor([12]))
    y[0, 6].sum().backward()
    reached = x.grad[0].abs().sum(dim=1) > 0
    assert reached.tolist() == [False] * 4 + [True] * 3 + [False] * 5


def test_truncation_with_dropout_is_reproducible():
    first, second = (gradients_with_window("lstm", 4, dropout=0.5) for _ in range(2))
    assert torch.equal(first[0], second[0])
    for one, two in zip(first[1], second[1], strict=True):
        assert torch.equal(one, two)


@every_cell
@every_direction
def test_state_dict_round_trip(cell, bidirectional):
    core = BiLSTM(FEATURES, HIDDEN, cell=cell, bidirectional=bidirectional)
    other = BiLSTM(FEATURES, HIDDEN, cell=cell, bidirectional=bidirectional)
    x = batch()
    assert not torch.equal(core(x, LENGTHS)[0], other(x, LENGTHS)[0])
    other.load_state_dict(core.state_dict())
    assert torch.equal(core(x, LENGTHS)[0], other(x, LENGTHS)[0])
    directions = {name.split(".")[0] for name in core.state_dict()}
    assert directions == ({"ahead", "back"} if bidirectional else {"ahead"})


def test_weights_copied_from_torch_are_its_own():
    rnn = torch_rnn(dropout=0.25)
    core = BiLSTM.from_torch(rnn)
    assert (core.input_size, core.hidden_size, core.num_layers, core.dropout) == (FEATURES, HIDDEN, 2, 0.25)
    assert core.output_size == 2 * HIDDEN
    x = batch()
    before, _ = core.eval()(x, LENGTHS)
    with torch.no_grad():
        for parameter in rnn.parameters():
            parameter.zero_()
    assert torch.equal(core(x, LENGTHS)[0], before)


def test_a_new_lstm_starts_with_open_forget_gates():
    core = BiLSTM(FEATURES, HIDDEN, 2)
    for layer in (*core.ahead, *core.back):
        bias = layer.bias_ih_l0.detach()
        assert bias[HIDDEN : 2 * HIDDEN].mean() > bias[:HIDDEN].mean() + 0.5


def test_output_lengths_are_the_input_lengths():
    assert torch.equal(BiLSTM(FEATURES, HIDDEN).output_lengths(LENGTHS), LENGTHS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": "rnn"}, "cell must be one of"),
        ({"hidden_size": 0}, "at least 1"),
        ({"num_layers": 0}, "at least 1"),
        ({"bptt_window": 10}, "one-directional"),
        ({"bptt_window": 0, "bidirectional": False}, "at least 1 frame"),
    ],
)
def test_wrong_sizes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        BiLSTM(**{"input_size": FEATURES, "hidden_size": HIDDEN, **arguments})


@pytest.mark.parametrize("shape", [(4, 11), (4, 11, FEATURES + 1)])
def test_a_wrong_input_is_refused(shape):
    with pytest.raises(ValueError, match=f"the core reads .batch, time, {FEATURES}."):
        BiLSTM(FEATURES, HIDDEN)(torch.randn(shape), LENGTHS)


@pytest.mark.parametrize(
    "lengths", [torch.tensor([11]), torch.tensor([[11] * 4]), torch.tensor([11, 11, 12, 11])]
)
def test_lengths_that_do_not_fit_are_refused(lengths):
    with pytest.raises(ValueError, match="lengths"):
        BiLSTM(FEATURES, HIDDEN)(batch(), lengths)


def test_a_bidirectional_core_does_not_stream():
    with pytest.raises(ValueError, match="whole sequence"):
        BiLSTM(FEATURES, HIDDEN).stream(batch())
