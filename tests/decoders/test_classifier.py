"""decoders.classifier: pooling sees no padding, and its loss is cross-entropy where it should be."""

import pytest
import torch
from torch.nn import functional as F

from decoders.classifier import Classifier, Timeline, focal_loss
from decoders.contract import UNKNOWN, Objective, Search

LENGTHS = torch.tensor([6, 1, 4])
KINDS = [{}, {"heads": 3}, {"pooling": "mean"}]


def states(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("sizes", KINDS)
def test_an_item_does_not_depend_on_its_batch_nor_on_padding(sizes):
    torch.manual_seed(0)
    model, x = Classifier(5, 4, **sizes).eval(), states(3, 6, 5)
    logits, weights = model(x, LENGTHS)
    assert logits.shape == (3, 4) and weights.shape == (3, 6)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(3))
    for item, length in enumerate(LENGTHS.tolist()):
        alone, share = model(x[item : item + 1, :length], LENGTHS[item : item + 1])
        torch.testing.assert_close(alone[0], logits[item])
        torch.testing.assert_close(share[0], weights[item, :length])
        assert weights[item, length:].abs().sum() == 0
        x[item, length:] = torch.nan
    torch.testing.assert_close(model(x, LENGTHS)[0], logits)


def test_the_mean_is_the_mean_whatever_the_order():
    model, x = Classifier(5, 4, pooling="mean").eval(), states(2, 6, 5)
    logits, weights = model(x, torch.tensor([6, 6]))
    torch.testing.assert_close(logits, model.project(x.mean(dim=1)))
    torch.testing.assert_close(weights, torch.full((2, 6), 1 / 6))


def test_attention_finds_the_frame_that_matters():
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    model = Classifier(8, 3, attention_size=16)
    optimiser = torch.optim.Adam(model.parameters(), 0.02)

    def batch(size=32, time=20):
        x = torch.randn(size, time, 8, generator=generator)
        x[:, :, :4] = 0.0  # but for one frame, which says that it matters, and the class
        labels = torch.randint(0, 3, (size,), generator=generator)
        place = torch.randint(0, time, (size,), generator=generator)
        x[range(size), place, :4] = 3 * F.one_hot(torch.full_like(labels, 3), 4).float()
        x[range(size), place, labels] = 3.0
        return x, torch.full((size,), time), labels, place

    for _ in range(80):
        x, lengths, labels, _ = batch()
        loss = focal_loss(model(x, lengths)[0], labels).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    x, lengths, labels, place = batch()
    logits, weights = model.eval()(x, lengths)
    assert (logits.argmax(dim=1) == labels).float().mean() > 0.9
    assert (weights.argmax(dim=1) == place).float().mean() > 0.9


def test_logits_of_another_model_are_mixed_by_its_share():
    model, x = Classifier(5, 3, beside=True).eval(), states(3, 6, 5)
    own, _ = model(x, LENGTHS)
    given = torch.randn(3, 2)
    both = torch.cat([x, given[:, None].expand(-1, 6, -1)], dim=2)
    torch.testing.assert_close(model(both, LENGTHS)[0], own)
    model.share.fill_(0.25)
    torch.testing.assert_close(model(both, LENGTHS)[0][:, 1:], 0.25 * own[:, 1:] + 0.75 * given)
    torch.testing.assert_close(model(x, LENGTHS)[0], own)
    model.share.fill_(0.0)
    probabilities = model.frame_probabilities(both, LENGTHS)[0][:, 0, 1:]
    torch.testing.assert_close(probabilities, given.softmax(dim=1))


def test_focal_loss():
    logits, labels = 3 * states(7, 4), torch.tensor([0, 1, 2, 3, 0, 1, 2])
    plain = F.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(focal_loss(logits, labels, gamma=0.0), plain)
    torch.testing.assert_close(focal_loss(logits, labels, 1.5), (1 - (-plain).exp()) ** 1.5 * plain)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_of_what_is_certain_is_finite(gamma):
    logits = torch.tensor([[80.0, -80.0], [-80.0, 80.0]], requires_grad=True)
    losses = focal_loss(logits, torch.tensor([0, 0]), gamma)
    losses.sum().backward()
    assert losses.tolist() == pytest.approx([0.0, 160.0])
    assert logits.grad.isfinite().all()


def test_a_timeline_counts_labelled_frames_only():
    model, x = Timeline(5, 3).eval(), states(3, 6, 5)
    targets = [[0, 1, 2, UNKNOWN, UNKNOWN, 1], [2], [UNKNOWN] * 4]
    losses = model.loss(x, LENGTHS, targets)
    logits = model.project(x)
    plain = F.cross_entropy(logits[0, [0, 1, 2, 5]], torch.tensor([0, 1, 2, 1]), reduction="sum")
    torch.testing.assert_close(losses[0], plain)
    torch.testing.assert_close(losses[1], F.cross_entropy(logits[1, :1], torch.tensor([2])))
    assert losses[2] == 0.0
    focal = model.loss(x, LENGTHS, targets, Objective(focal=2.0))
    assert (focal[:2] < losses[:2]).all() and focal[2] == 0.0
    weighted = model.loss(x, LENGTHS, targets, Objective(weights=torch.full((3,), 2.0)))
    torch.testing.assert_close(weighted, 2 * losses)
    assert model.targets([[0, 1, 1], [2]]) == [[0, 1, 1], [2]]


def test_a_classifier_learns_one_label_of_a_sequence():
    model, x = Classifier(5, 4).eval(), states(3, 6, 5)
    targets = model.targets([[1, 1, 1], [3], [2, 2]])
    assert targets == [[1], [3], [2]]
    plain = F.cross_entropy(model(x, LENGTHS)[0], torch.tensor([1, 3, 2]), reduction="none")
    torch.testing.assert_close(model.loss(x, LENGTHS, targets), plain)


def test_a_classifier_reads_classes_in_order_of_their_probability():
    model, x = Classifier(5, 4).eval(), states(3, 6, 5)
    chances = model(x, LENGTHS)[0][:, 1:].softmax(dim=1)
    for row, found in zip(chances, model.read(x, LENGTHS, Search(alternatives=2)), strict=True):
        best, second = (row.topk(2).indices + 1).tolist()
        assert found.ids == [best] and [ids for ids, _ in found.alternatives] == [[best], [second]]
        assert found.confidences == pytest.approx([row.max().item()])


@pytest.mark.parametrize("lengths", [[0, 3], [3, 4], [3]])
def test_wrong_lengths_are_refused(lengths):
    with pytest.raises(ValueError, match="from 1 to 3"):
        Classifier(5, 4)(states(2, 3, 5), torch.tensor(lengths))


@pytest.mark.parametrize("sizes", [{"pooling": "max"}, {"heads": 0}])
def test_wrong_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="must be"):
        Classifier(5, 4, **sizes)
