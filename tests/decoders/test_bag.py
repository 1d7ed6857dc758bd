"""The bag of words beside the core of a classifier."""

import pytest
import torch

from decoders.bag import Bag
from decoders.classifier import Classifier


def filled(rows=64, labels=3) -> Bag:
    torch.manual_seed(0)
    bag = Bag(rows, labels)
    bag.table.normal_()
    bag.bias.normal_()
    bag.rarity.uniform_(1, 3)
    return bag


def test_scores_do_not_depend_on_the_batch_or_the_padding():
    bag = filled()
    texts = [torch.tensor([3, 7, 3, 9]), torch.tensor([5]), torch.tensor([2, 4])]
    alone = torch.cat([bag(text[None], torch.tensor([len(text)])) for text in texts])
    padded = torch.full((3, 6), 8)
    for row, text in zip(padded, texts, strict=True):
        row[: len(text)] = text
    assert torch.allclose(bag(padded, torch.tensor([4, 1, 2])), alone, atol=1e-6)


def test_unknown_tokens_do_not_count_and_repeated_ones_count_once():
    bag = filled()
    length = torch.tensor([4])

    def scores(*ids):
        return bag(torch.tensor([ids]), length)

    assert torch.allclose(scores(0, 0, 0, 0), bag.bias[None])
    assert torch.allclose(scores(3, 0, 0, 0), scores(0, 3, 0, 3))
    assert not torch.allclose(scores(3, 5, 0, 0), scores(5, 3, 0, 0))  # pairs have an order
    with pytest.raises(ValueError, match="at least 1"):
        Bag(0, 2)


def test_a_classifier_adds_its_scores_by_its_share():
    torch.manual_seed(0)
    decoder = Classifier(4, 3, bag=64).eval()
    decoder.bag.load_state_dict(filled().state_dict())
    states, lengths, ids = torch.randn(2, 5, 4), torch.tensor([5, 3]), torch.randint(1, 20, (2, 5))
    core, _ = decoder.frame_probabilities(states, lengths)
    assert torch.equal(decoder.frame_probabilities(states, lengths, ids)[0], core)  # a new one adds nothing
    decoder.shares.copy_(torch.tensor([0.5, 2.0]))
    expected = (0.5 * decoder(states, lengths)[0] + 2.0 * decoder.bag(ids, lengths))[:, 1:].softmax(dim=1)
    assert torch.allclose(decoder.frame_probabilities(states, lengths, ids)[0][:, 0, 1:], expected, atol=1e-6)
