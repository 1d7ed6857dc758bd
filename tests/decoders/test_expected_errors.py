"""The expected errors of CTC, against all paths counted one by one."""

from itertools import product

import pytest
import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from decoders.expected_errors import expected_errors
from decoders.search.best_path import greedy

FRAMES, LABELS = 5, 3


def written(path: tuple[int, ...]) -> list[int]:
    frames = torch.nn.functional.one_hot(torch.tensor(path), LABELS)
    return greedy(frames[None], torch.tensor([len(path)]))[0].ids


def counted(log_probs: Tensor, target: list[int]) -> Tensor:
    total = log_probs.new_zeros(())
    for path in product(range(LABELS), repeat=len(log_probs)):
        chance = log_probs[range(len(path)), path].sum().exp()
        total = total + chance * Levenshtein.distance(written(path), target)
    return total


@pytest.mark.parametrize("target", [[1, 2, 1], [1, 1], [2], [], [1, 2, 1, 2, 1, 2, 1]])
def test_its_gradient_is_that_of_the_expected_edit_distance(target):
    torch.manual_seed(1)
    logits = torch.randn(2, FRAMES, LABELS, dtype=torch.float64, requires_grad=True)
    log_probs = logits.log_softmax(2)
    lengths = torch.tensor([FRAMES, FRAMES - 2])
    exact = sum(counted(item[:size], target) for item, size in zip(log_probs, lengths.tolist(), strict=True))
    estimated = expected_errors(log_probs, lengths, [target, target], 20_000).sum()
    expected, found = (torch.autograd.grad(y, logits, retain_graph=True)[0] for y in (exact, estimated))
    torch.testing.assert_close(found, expected, atol=0.01, rtol=0)
    assert (found[1, FRAMES - 2 :] == 0).all(), "what lies behind a sequence has no part in it"
    if target != []:
        assert expected.abs().max() > 0.05


def test_descending_it_leaves_no_errors():
    torch.manual_seed(2)
    logits = torch.randn(1, 12, 4, requires_grad=True)
    optimiser, target, lengths = torch.optim.Adam([logits], 0.1), [3, 1, 1, 2], torch.tensor([12])
    assert greedy(logits, lengths)[0].ids != target
    for _ in range(200):
        optimiser.zero_grad()
        expected_errors(logits.log_softmax(2), lengths, [target], 4).sum().backward()
        optimiser.step()
    assert greedy(logits, lengths)[0].ids == target
