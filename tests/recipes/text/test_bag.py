"""The linear model beside the core: fitted, and used as far as it helps."""

import pytest
import torch

from decoders.vocabulary import Classes, Words
from pipelines.model import SequenceModel, load
from recipes.text.bag import chosen_shares, fit_bag
from recipes.text.task import Sample, judged

WORDS = ["good", "bad", "film", "a", "not"]


def network(several=False) -> SequenceModel:
    torch.manual_seed(0)
    decoder = {"kind": "classifier", "bag": 512} | ({"several": True} if several else {})
    return SequenceModel(
        "text",
        {"kind": "tokens", "output_size": 8},
        {"kind": "bilstm", "hidden_size": 6, "num_layers": 1},
        decoder,
        Classes.of(["neg", "pos"]),
        vocabulary=Words(WORDS),
    ).eval()


def samples(several=False) -> list[Sample]:
    """Texts whose label follows from their pairs: good and not bad are positive."""
    rng, found = torch.Generator().manual_seed(1), []
    for _ in range(120):
        positive, turned = torch.randint(2, (2,), generator=rng).tolist()
        ids = [4, 5, 2 if positive else 1] if turned else [4, 1 if positive else 2, 3]
        label = 1 + positive
        found.append(Sample(torch.tensor([3, *ids]), (label,) if several else label))
    return found


@pytest.mark.parametrize("several", [False, True])
def test_an_untrained_core_leaves_the_word_to_the_bag(several, tmp_path):
    model, data = network(several), samples(several)
    fit_bag(model.decoder.bag, data, several)
    model.decoder.shares.copy_(chosen_shares(model, data))
    core, bag = model.decoder.shares.tolist()
    assert bag >= 0.5
    found = judged(model, data)
    for row, sample in zip(found, data, strict=True):
        label = sample.label[0] if several else sample.label
        assert row.argmax().item() == label - 1
    loaded = load(model.save(tmp_path / "m.safetensors", 32))
    assert torch.allclose(judged(loaded, data), found, atol=1e-5)


def test_a_bag_that_knows_nothing_gets_no_share():
    model, data = network(), samples()
    with torch.no_grad():
        model.decoder.bag.table.normal_(std=5.0)
        model.decoder.bag.rarity.fill_(1.0)
    core, bag = chosen_shares(model, data).tolist()
    assert bag == 0
