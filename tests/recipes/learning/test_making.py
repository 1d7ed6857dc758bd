"""Batches made ahead: the same in the same order, whoever makes them."""

from functools import partial

import pytest
import torch

from recipes.learning.making import made_ahead


def drawn(seed: int) -> tuple:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, generator=generator), [[seed, seed + 1], []], None


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_who_makes_them_changes_nothing(workers):
    with made_ahead([partial(drawn, seed) for seed in range(7)], False, workers) as made:
        found = list(made)
    assert len(found) == 7
    for seed, batch in enumerate(found):
        expected = drawn(seed)
        assert torch.equal(batch[0], expected[0]) and batch[1:] == expected[1:]


def test_an_error_reaches_who_asks():
    def fail():
        raise ValueError("cannot be made")

    with pytest.raises(ValueError, match="cannot be made"), made_ahead([fail], False, 1) as made:
        list(made)
