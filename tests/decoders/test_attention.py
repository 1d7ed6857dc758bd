"""decoders.attention and decoders.search.beam: exact on ragged batches, and the search adds up."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from decoders.alphabet import END
from decoders.attention import Attention
from decoders.contract import SEARCH, Objective, Search
from decoders.search.beam import beam, spans

KINDS = [{}, {"location_filters": 4, "location_kernel": 5}, {"gated": True}]
LENGTHS = torch.tensor([7, 1, 4, 7])
TARGETS = [[1, 2, 3, 3, 1], [], [4], [2, 2]]


def decoder(labels=5, size=6, seed=0, **sizes):
    torch.manual_seed(seed)
    small = Attention(size, labels, hidden_size=12, embedding_size=8, attention_size=10, **sizes).eval()
    with torch.no_grad():  # an untrained one is hardly decided
        small.bias.normal_()
        small.embed.weight *= 3
        small.energy.weight *= 10
    return small


def best(model, x, lengths, search=SEARCH):
    """The best label of every step."""
    return [found[0] for found in model.hypotheses(x, lengths, replace(search, width=1))]


def states(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def train(model, batch, steps, rate=0.01, **options):
    optimiser = torch.optim.Adam(model.parameters(), rate)
    for _ in range(steps):
        loss = model.train().loss(*batch(), Objective(**options)).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model.eval()


@pytest.mark.parametrize("sizes", KINDS)
def test_an_item_does_not_depend_on_its_batch_nor_on_padding(sizes):
    model, x = decoder(**sizes), states(4, 7, 6)
    objective = Objective(smoothing=0.1, doubly_stochastic=0.5)
    together = model.loss(x, LENGTHS, TARGETS, objective)
    found = beam(model, x, LENGTHS, Search(3, max_length=6))
    dirty = x.clone()
    for item, length in enumerate(LENGTHS.tolist()):
        dirty[item, length:] = torch.nan
    torch.testing.assert_close(model.loss(dirty, LENGTHS, TARGETS, objective), together)
    for item, length in enumerate(LENGTHS.tolist()):
        alone = x[item : item + 1, :length], LENGTHS[item : item + 1]
        torch.testing.assert_close(model.loss(*alone, [TARGETS[item]], objective)[0], together[item])
        (same,) = beam(model, *alone, Search(3, max_length=6))
        assert [each.labels.ids for each in same] == [each.labels.ids for each in found[item]]
        assert [each.score for each in same] == pytest.approx([each.score for each in found[item]], abs=1e-4)


def test_padding_has_no_gradient():
    model, x = decoder(location_filters=2), states(4, 7, 6).requires_grad_()
    model.loss(x, LENGTHS, TARGETS, Objective(doubly_stochastic=1.0)).sum().backward()
    inside = torch.arange(7) < LENGTHS[:, None]
    assert x.grad[~inside].abs().sum() == 0.0 < x.grad[inside].abs().sum(dim=1).min()


def test_the_loss_is_what_its_parts_are():
    model, x = decoder(), states(4, 7, 6)
    log_probs, weights = model(x, LENGTHS, TARGETS)
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(4, 6))
    plain = model.loss(x, LENGTHS, TARGETS)
    smooth = model.loss(x, LENGTHS, TARGETS, Objective(smoothing=0.2))
    doubly = model.loss(x, LENGTHS, TARGETS, Objective(doubly_stochastic=0.5))
    for item, target in enumerate(TARGETS):
        said = log_probs[item, range(len(target) + 1), [*target, END]]
        assert plain[item].item() == pytest.approx(-said.sum().item(), rel=1e-4)
        uniform = log_probs[item, : len(target) + 1].mean(dim=1)
        assert smooth[item].item() == pytest.approx(-(0.8 * said + 0.2 * uniform).sum().item(), rel=1e-4)
        given = weights[item, : len(target) + 1, : LENGTHS[item]].sum(dim=0)
        penalty = ((1 - given) ** 2).sum().item()
        assert (doubly - plain)[item].item() == pytest.approx(0.5 * penalty, rel=1e-3)


def test_scheduled_sampling_reads_its_own_labels():
    model, x = decoder(), states(4, 7, 6)
    torch.manual_seed(0)
    sampled, _ = model(x, LENGTHS, TARGETS, sampling=1.0)
    taught, _ = model(x, LENGTHS, TARGETS)
    torch.testing.assert_close(sampled[:, 0], taught[:, 0])  # the first step reads the start
    assert not torch.allclose(sampled[0], taught[0])


@pytest.mark.parametrize("lengths", [[0, 3], [3, 4], [3], [[3, 3]]])
def test_wrong_lengths_are_refused(lengths):
    with pytest.raises(ValueError, match="from 1 to 3"):
        decoder().loss(states(2, 3, 6), torch.tensor(lengths), [[1], [1]])


@pytest.mark.parametrize("target", [[0], [1, 5], [-1]])
def test_wrong_labels_are_refused(target):
    with pytest.raises(ValueError, match="from 1 to 4"):
        decoder().loss(states(1, 3, 6), torch.tensor([3]), [target])


@pytest.mark.parametrize("sizes", KINDS)
@pytest.mark.parametrize("width", [1, 2, 6])
def test_hypotheses_add_up(sizes, width):
    model, x = decoder(**sizes), states(4, 7, 6)
    results = beam(model, x, LENGTHS, Search(width, length_power=0.7))
    for item, (length, hypotheses) in enumerate(zip(LENGTHS.tolist(), results, strict=True)):
        assert 1 <= len(hypotheses) <= width
        assert len({tuple(each.labels.ids) for each in hypotheses}) == len(hypotheses)
        assert [each.score for each in hypotheses] == sorted((h.score for h in hypotheses), reverse=True)
        for each in hypotheses:
            alone = x[item : item + 1, :length], LENGTHS[item : item + 1], [each.labels.ids]
            assert each.log_prob == pytest.approx(-model.loss(*alone).item(), abs=1e-3)
            assert each.probability == pytest.approx(math.exp(each.log_prob))
            count = len(each.labels.ids)
            assert each.score == pytest.approx(each.log_prob / ((6 + count) / 6) ** 0.7)
            log_probs, weights = model(*alone)
            said = log_probs[0, range(count), each.labels.ids].exp()
            assert each.labels.confidences == pytest.approx(said.tolist(), abs=1e-4)
            torch.testing.assert_close(each.weights, weights[0, :count].detach())
            assert count <= length


def test_a_beam_of_one_is_a_plain_loop():
    model, x = decoder(seed=3), states(4, 7, 6)
    results = best(model, x, LENGTHS, Search(max_length=5))
    for item, length in enumerate(LENGTHS.tolist()):
        memory, state = model.start(x[item : item + 1, :length], LENGTHS[item : item + 1])
        ids, label = [], torch.tensor([END])
        while len(ids) < 5:
            state = model.step(memory, state, label)
            label = model.log_probs(state.hidden, state.context).argmax(dim=1)
            if label == END:
                break
            ids.append(label.item())
        assert results[item].labels.ids == ids


def test_a_wide_beam_finds_the_best_of_all_texts():
    model, x, lengths = decoder(labels=4), states(1, 3, 6), torch.tensor([3])
    texts = [list(ids) for count in range(3) for ids in itertools.product((1, 2, 3), repeat=count)]
    many = x.expand(len(texts), -1, -1), lengths.expand(len(texts))
    expected = sorted(zip((-model.loss(*many, texts)).tolist(), texts, strict=True), reverse=True)
    (found,) = beam(model, x, lengths, Search(width=20, max_length=2, length_power=0.0))
    assert [each.labels.ids for each in found] == [ids for _, ids in expected]  # 13 there are, and 13 found
    assert [each.score for each in found] == pytest.approx([score for score, _ in expected], abs=1e-4)


def test_limits_and_barred_labels():
    model, x = decoder(), states(4, 7, 6)
    with torch.no_grad():
        model.bias[END] = -20.0
    for limit, counts in ((None, LENGTHS.tolist()), (9, [9] * 4), (0, [0] * 4)):
        found = best(model, x, LENGTHS, Search(max_length=limit))
        assert [len(each.labels.ids) for each in found] == counts
    found = beam(model, x, LENGTHS, Search(4, max_length=6, barred=(1, 3)))
    written = {label for hypotheses in found for each in hypotheses for label in each.labels.ids}
    assert written <= {2, 4} and all(len(hypotheses) == 4 for hypotheses in found)
    assert beam(model, x[:0], LENGTHS[:0]) == []


def test_coverage_prefers_those_who_looked_everywhere():
    model, x = decoder(), states(4, 7, 6)
    by_coverage = beam(model, x, LENGTHS, Search(4, max_length=6, length_power=0.0, coverage=50.0))
    plain = beam(model, x, LENGTHS, Search(4, max_length=6, length_power=0.0))
    for item, length in enumerate(LENGTHS.tolist()):
        covered = []
        for each in (by_coverage[item][0], plain[item][0]):
            _, weights = model(x[item : item + 1, :length], LENGTHS[item : item + 1], [each.labels.ids])
            covered.append((weights[0].sum(dim=0) > 0.5).sum().item())
            if each is by_coverage[item][0]:
                assert each.score == pytest.approx(each.log_prob + 50.0 * covered[0], abs=1e-3)
        assert covered[0] >= covered[1]


@pytest.mark.parametrize("options", [{"width": 0}, {"max_length": -1}, {"barred": (0,)}])
def test_a_search_that_cannot_be_is_refused(options):
    with pytest.raises(ValueError):
        Search(**options)


def test_spans_follow_each_other():
    weights = torch.tensor(
        [
            [0.1, 0.8, 0.1, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.4, 0.6, 0.0, 0.0],
            [0.5, 0.0, 0.0, 0.0, 0.3, 0.2],  # looks back, but lies behind
        ]
    )
    assert spans(weights) == ([1, 2, 4], [2, 4, 6])
    assert spans(torch.ones(3, 1)) == ([0, 0, 0], [1, 1, 1])
    assert spans(torch.zeros(0, 4)) == ([], [])
    for seed in range(20):
        starts, ends = spans(states(9, 13, seed=seed).mul(3).softmax(dim=1))
        assert starts == sorted(starts) and ends == sorted(ends)
        assert all(0 <= start < end <= 13 for start, end in zip(starts, ends, strict=True))


def test_bfloat16_and_autocast():
    model, x = decoder(location_filters=2, gated=True), states(4, 7, 6)
    exact = model.loss(x, LENGTHS, TARGETS)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model.loss(x, LENGTHS, TARGETS, Objective(smoothing=0.0))
        beam(model, x, LENGTHS)
    torch.testing.assert_close(mixed, exact, rtol=0.1, atol=0.1)
    half = model.to(torch.bfloat16).loss(x.bfloat16(), LENGTHS, TARGETS)
    torch.testing.assert_close(half, exact, rtol=0.1, atol=0.1)


def test_it_learns_to_write_backwards():
    chooser = torch.Generator().manual_seed(0)
    vectors = states(7, 8)
    positions = states(4, 8, seed=2)

    def batch():
        counts = torch.randint(1, 5, (16,), generator=chooser)
        ids = torch.randint(1, 7, (16, 4), generator=chooser)
        targets = [row[:count].tolist()[::-1] for row, count in zip(ids, counts.tolist(), strict=True)]
        return vectors[ids] + positions, counts, targets

    torch.manual_seed(0)
    model = Attention(8, 7, hidden_size=48, embedding_size=24, attention_size=24)
    train(model, batch, 150, sampling=0.1, smoothing=0.05)
    x, lengths, targets = batch()
    right = [each.labels.ids == target for each, target in zip(best(model, x, lengths), targets, strict=True)]
    assert sum(right) >= 14


def test_a_location_aware_one_reads_long_lines_in_order():
    """Labels that repeat over many states: what is alike must be told apart by where it is."""
    chooser = torch.Generator().manual_seed(0)
    vectors = torch.eye(3, 6)

    def batch(size=8, symbols=12):
        ids = torch.randint(1, 3, (size, symbols), generator=chooser)
        written = torch.stack([ids, torch.zeros_like(ids)], dim=2).flatten(1).repeat_interleave(2, dim=1)
        x = vectors[written] + 0.1 * torch.randn(size, written.size(1), 6, generator=chooser)
        return x, torch.full((size,), written.size(1)), ids.tolist()

    torch.manual_seed(0)
    model = Attention(
        6,
        3,
        hidden_size=32,
        embedding_size=8,
        attention_size=24,
        location_filters=8,
        location_kernel=11,
    )
    train(model, batch, 150)
    x, lengths, targets = batch()
    found = best(model, x, lengths)
    assert sum(each.labels.ids == target for each, target in zip(found, targets, strict=True)) >= 7
    starts = torch.tensor(
        [each.labels.starts for each in found if len(each.labels.ids) == 12], dtype=torch.float
    )
    assert (starts - torch.arange(12) * 4).abs().mean() < 4  # and it knows where


def test_translations_may_be_longer_than_their_texts_and_what_was_left_out_counts():
    model, x = decoder(), states(4, 7, 6)
    with torch.no_grad():
        model.bias[END] = -1e4  # never ends by itself
    found = best(model, x, LENGTHS, Search(max_ratio=1.5, max_extra=2))
    assert [len(each.labels.ids) for each in found] == [12, 3, 8, 12]
    plain = decoder()
    search = Search(4, max_length=6, length_power=0.0)
    for before, after in zip(
        beam(plain, x, LENGTHS, search), beam(plain, x, LENGTHS, replace(search, omission=0.5)), strict=True
    ):
        scores = {tuple(each.labels.ids): each.score for each in before}
        for each in after:  # less, by what Wu et al. take off
            assert each.score <= scores[tuple(each.labels.ids)] + 1e-5
        assert [each.score for each in after] == sorted((each.score for each in after), reverse=True)
    with pytest.raises(ValueError, match="max_ratio must be above 0"):
        Search(max_ratio=0.0)
