"""decoders.contract: every decoder behind every front end answers alike, whatever else is in the batch."""

import pytest
import torch

from decoders.alphabet import Alphabet
from decoders.contract import UNKNOWN, Decoder, Objective, Search, in_order
from decoders.vocabulary import Classes
from encoders.pen import NAMES
from pipelines.model import DECODERS, SequenceModel
from pipelines.tasks import front_ends

SMALL = {"hidden_size": 8, "embedding_size": 6, "attention_size": 7}
DECODER_SIZES = {
    "ctc": {},
    "attention": {**SMALL, "location_filters": 2, "gated": True},
    "hybrid": {**SMALL, "location_filters": 2},
    "classifier": {"heads": 2, "attention_size": 7},
    "timeline": {},
    "crf": {},
    "next_symbol": {},
}
FRONT_END_SIZES = {
    "spectrogram": {"n_mels": 16, "channels": 2, "output_size": 6},
    "line_image": {"height": 16, "channels": [4, 4], "pools": [[2, 2], [2, 2]], "output_size": 6},
    "strokes": {"output_size": 6},
    "tokens": {"output_size": 6, "pairs": 16},
    "frames": {"network": "none", "frozen": True, "motion": 2, "output_size": 6},
    "signals": {"channels": 3, "filters": [5, 6], "kernels": [3, 3], "strides": [1, 1]},
}
FORECASTING = {"history", "quantiles"}  # a front end and a decoder that only go together
READING = [kind for kind in DECODERS if kind not in FORECASTING]
LABELS = 5  # label 0 included

every_decoder = pytest.mark.parametrize("kind", READING)
every_pair = pytest.mark.parametrize("front_end,kind", [(x, y) for x in FRONT_END_SIZES for y in READING])


def model_of(front_end, kind):
    torch.manual_seed(0)
    core = {"kind": "bilstm", "hidden_size": 6, "num_layers": 1}
    sizes = [{"kind": front_end, **FRONT_END_SIZES[front_end]}, core, {"kind": kind, **DECODER_SIZES[kind]}]
    vocabulary = Alphabet("abcdefgh") if front_end == "tokens" else None
    model = SequenceModel("speech", *sizes, Alphabet("abcd"), vocabulary=vocabulary).eval()
    with torch.no_grad():  # an untrained one is hardly decided
        for name in model.decoder.label_rows:
            weight = model.decoder.get_parameter(name)
            weight.copy_(2 * torch.randn(weight.shape))
            if weight.dim() == 1:
                weight[0] = -9.0  # else there may be nothing to read
    return model


def inputs(front_end, model):
    """Three items, (time, ...) each, of different lengths."""
    generator = torch.Generator().manual_seed(1)
    if front_end == "spectrogram":
        return [0.1 * torch.randn(size, generator=generator) for size in (8000, 3200, 5600)]
    if front_end == "line_image":
        return [torch.randint(256, (n, 16), generator=generator, dtype=torch.uint8) for n in (64, 24, 44)]
    if front_end == "strokes":
        return [torch.randn(n, len(NAMES), generator=generator) for n in (40, 12, 25)]
    if front_end == "tokens":
        return [torch.randint(9, (n,), generator=generator) for n in (20, 6, 13)]
    if front_end == "signals":
        signals = [torch.randn(n, 4, generator=generator) for n in (20, 6, 13)]
        for signal in signals:
            signal[:, 0] = 1.0  # seconds
            signal[2:4, 1] = float("nan")
        return signals
    return [torch.randn(n, model.front_end.sequence.input_size, generator=generator) for n in (20, 6, 13)]


def targets_of(decoder, lengths):
    """One target of each kind that the decoder learns from."""
    frames = [[1 + (place * 3 // length) for place in range(length)] for length in lengths.tolist()]
    return decoder.targets(frames)


def batch_of(items):
    lengths = torch.tensor([len(item) for item in items])
    return torch.nn.utils.rnn.pad_sequence(items, batch_first=True), lengths


def assert_same(found, expected):
    assert (found.ids, found.starts, found.ends) == (expected.ids, expected.starts, expected.ends)
    assert found.confidences == pytest.approx(expected.confidences, abs=1e-3)
    assert [ids for ids, _ in found.alternatives] == [ids for ids, _ in expected.alternatives]


def test_every_part_is_tried():
    assert {*DECODER_SIZES, *FRONT_END_SIZES, *FORECASTING} == {*DECODERS, *front_ends()}
    assert all(issubclass(kind, Decoder) for kind in DECODERS.values())


@every_pair
def test_the_loss_is_finite_and_teaches_every_weight(front_end, kind):
    model = model_of(front_end, kind)
    states, lengths = model.states(*batch_of(inputs(front_end, model)))
    losses = model.decoder.loss(states, lengths, targets_of(model.decoder, lengths))
    assert losses.shape == (3,) and losses.isfinite().all() and (losses > 0).all()
    losses.sum().backward()
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            assert weight.grad is not None and weight.grad.isfinite().all(), name
            assert weight.grad.any(), f"nothing reaches {name}"


@every_pair
@pytest.mark.parametrize("search", [Search(), Search(width=1), Search(3, alternatives=2)])
def test_an_item_is_read_and_learnt_as_if_it_were_alone(front_end, kind, search):
    model = model_of(front_end, kind)
    items = inputs(front_end, model)
    with torch.no_grad():
        states, lengths = model.states(*batch_of(items))
        targets = targets_of(model.decoder, lengths)
        losses = model.decoder.loss(states, lengths, targets)
        together = model.decoder.read(states, lengths, search)
        assert len(together) == 3 and any(found.ids for found in together)
        for place, item in enumerate(items):
            alone = model.states(*batch_of([item]))
            assert alone[1].item() == lengths[place]
            loss = model.decoder.loss(*alone, [targets[place]])
            torch.testing.assert_close(loss[0], losses[place], rtol=1e-3, atol=1e-3)
            (found,) = model.decoder.read(*alone, search)
            assert_same(found, together[place])
            length = int(lengths[place])
            assert all(
                0 <= start < end <= length for start, end in zip(found.starts, found.ends, strict=True)
            )
            assert len(found.alternatives) <= search.alternatives


@every_decoder
def test_padding_changes_nothing(kind):
    decoder = model_of("strokes", kind).decoder
    states = torch.randn(2, 9, 12, generator=torch.Generator().manual_seed(2))
    lengths = torch.tensor([9, 5])
    states[1, 5:] = 0.0
    longer = torch.cat([states, torch.zeros(2, 7, 12)], dim=1)
    targets = targets_of(decoder, lengths)
    torch.testing.assert_close(decoder.loss(longer, lengths, targets), decoder.loss(states, lengths, targets))
    pairs = zip(decoder.read(longer, lengths), decoder.read(states, lengths), strict=True)
    for found, expected in pairs:
        assert_same(found, expected)
    if decoder.by_frame or decoder.pools:
        (more, _), (fewer, _) = (
            decoder.frame_probabilities(longer, lengths),
            decoder.frame_probabilities(states, lengths),
        )
        torch.testing.assert_close(more[0, :9], fewer[0])
        torch.testing.assert_close(more[1, :5], fewer[1, :5])


@every_decoder
def test_what_a_decoder_says_of_itself_is_so(kind):
    decoder = model_of("strokes", kind).decoder
    states, lengths = torch.randn(2, 9, 12), torch.tensor([9, 5])
    weights = dict(decoder.named_parameters())
    rows = {name for name, weight in weights.items() if len(weight) == LABELS}
    assert set(decoder.label_rows) == rows
    assert decoder.is_linear == (weights.keys() == {"project.weight", "project.bias"})
    if decoder.by_frame:
        log_probs = decoder.frame_log_probs(states, lengths)
        assert log_probs.shape == (2, 9, LABELS)
        torch.testing.assert_close(log_probs.logsumexp(dim=2), torch.zeros(2, 9))
        targets = targets_of(decoder, lengths)
        torch.testing.assert_close(
            decoder.loss(states, lengths, targets, log_probs=log_probs),
            decoder.loss(states, lengths, targets),
        )
    else:
        with pytest.raises(TypeError, match="has no probabilities for each frame"):
            decoder.frame_log_probs(states, lengths)
    if decoder.by_frame or decoder.pools:
        probabilities, shares = decoder.frame_probabilities(states, lengths)
        torch.testing.assert_close(probabilities.sum(dim=2), torch.ones(2, 9))
        assert (shares is not None) == decoder.pools
        if decoder.pools:
            assert (probabilities == probabilities[:, :1]).all()
            torch.testing.assert_close(shares.sum(dim=1), torch.ones(2))
    else:
        with pytest.raises(TypeError, match="has no probabilities for each frame"):
            decoder.frame_probabilities(states, lengths)
    if decoder.writes:
        for found, best in zip(
            decoder.hypotheses(states, lengths), decoder.read(states, lengths), strict=True
        ):
            assert found[0].labels == best
    else:
        with pytest.raises(TypeError, match="writes no hypotheses"):
            decoder.hypotheses(states, lengths)
    if decoder.learns_order:
        assert decoder.targets([[0, 2, 2, 0, 2, 1, 1, UNKNOWN]]) == [[2, 2, 1]]
    assert not decoder.pools or all(len(found.ids) == 1 for found in decoder.read(states, lengths))


def test_labels_in_order():
    assert in_order([0, 2, 2, 0, 2, 1, 1, UNKNOWN]) == [2, 2, 1]
    assert in_order([]) == []


def test_a_blank_that_is_not_allowed_is_not_paid_for():
    """Without one, CTC's probability is shared by the labels alone, as `frame_probabilities` says them."""
    decoder = model_of("strokes", "ctc").decoder
    states, lengths = torch.randn(1, 2, 12), torch.tensor([2])
    first, second = decoder.frame_probabilities(states, lengths)[0][0]
    expected = -(first[1] * second[2]).log()  # two frames, two labels: there is one way
    found = decoder.loss(states, lengths, [[1, 2]], Objective(blank=False))
    torch.testing.assert_close(found[0], expected)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"alternatives": -1}, {"max_length": -1}, {"switch": -1.0}])
def test_wrong_searches_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Search(**wrong)


def test_classes_are_an_alphabet_like_any_other():
    model = SequenceModel(
        "action",
        {"kind": "frames", **FRONT_END_SIZES["frames"]},
        {"kind": "bilstm", "hidden_size": 6, "num_layers": 1},
        {"kind": "classifier"},
        Classes(["jump", "run"]),
    ).eval()
    x, lengths = batch_of(inputs("frames", model))
    assert all(
        model.alphabet.decode(found.ids) in ("jump", "run")
        for found in model.decoder.read(*model.states(x, lengths))
    )
