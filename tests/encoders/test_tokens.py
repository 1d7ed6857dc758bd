"""The text front end: a vector a token, whatever else is in the batch; pairs; hidden tokens."""

import pytest
import torch

from encoders.tokens import Tokens

IDS = torch.tensor([[3, 1, 4, 1], [5, 2, 0, 0]])
LENGTHS = torch.tensor([4, 2])


def front_end(**sizes) -> Tokens:
    torch.manual_seed(1)
    tokens = Tokens(8, 6, **sizes)
    if tokens.neighbours is not None:
        torch.nn.init.normal_(tokens.neighbours.weight)
    return tokens.eval()


@pytest.mark.parametrize("pairs", [0, 64])
def test_results_do_not_depend_on_the_batch_or_the_padding(pairs):
    tokens = front_end(pairs=pairs)
    found, lengths = tokens(IDS, LENGTHS)
    assert found.shape == (2, 4, 6) and lengths is LENGTHS
    alone, _ = tokens(IDS[1:, :2], LENGTHS[1:])
    assert torch.equal(alone[0], found[1, :2])
    assert tokens.output_lengths(LENGTHS) is LENGTHS


def test_pairs_tell_the_same_token_behind_others_apart():
    plain, paired = front_end(), front_end(pairs=1009)
    for tokens, same in ((plain, True), (paired, False)):
        found, _ = tokens(IDS[:1], LENGTHS[:1])
        assert torch.equal(found[0, 1], found[0, 3]) is same


def test_tokens_are_hidden_in_training_alone():
    tokens = front_end(hidden=0.5)
    unknown = tokens.symbols.weight[0]
    x = torch.full((1, 400), 3)
    hidden = (tokens.train()(x, torch.tensor([400]))[0][0] == unknown).all(dim=1).float().mean()
    assert 0.3 < hidden < 0.7
    assert not (tokens.eval()(x, torch.tensor([400]))[0][0] == unknown).all(dim=1).any()


@pytest.mark.parametrize("sizes", [{"output_size": 0}, {"pairs": -1}, {"dropout": 1.0}, {"hidden": -0.1}])
def test_sizes_out_of_range(sizes):
    with pytest.raises(ValueError, match="must be at least|shares"):
        Tokens(8, **sizes)
