"""The linear model on random kernels: what is left out, and what the network may add."""

import torch

from recipes.signals.ridge import RIDGES, chosen_share, ridge


def table(items=14, features=40, outputs=2):
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(items, features, generator=generator).double()
    return x - x.mean(0), torch.randn(items, outputs, generator=generator).double()


def test_predictions_of_what_is_left_out_are_those_of_a_fit_without_it():
    x, y = table()
    weights, left_out = ridge(x, y)
    strength = next(
        each for each in RIDGES if torch.allclose(weights, _solved(x, y - y.mean(0), each), atol=1e-6)
    )
    for place in range(len(x)):
        rest = [other for other in range(len(x)) if other != place]
        centre, offset = x[rest].mean(0), y[rest].mean(0)
        fitted = _solved(x[rest] - centre, y[rest] - offset, strength)
        assert torch.allclose(left_out[place], (x[place] - centre) @ fitted + offset, atol=1e-6)


def _solved(x, y, strength):
    return torch.linalg.solve(x.T @ x + strength * torch.eye(x.size(1)).double(), x.T @ y)


def test_noise_has_no_linear_model():
    x, y = table(items=60)
    _, left_out = ridge(x, y)
    assert (left_out - y).square().mean() > 0.8 * y.var(0).mean()


def test_a_network_that_only_adds_noise_gets_no_share_and_one_that_helps_does():
    generator = torch.Generator().manual_seed(5)
    labels = torch.randint(3, (200,), generator=generator)
    right = torch.nn.functional.one_hot(labels, 3).float()
    alone = (right + torch.randn(200, 3, generator=generator)).softmax(1)
    noise = (alone.log() + 2 * torch.randn(200, 3, generator=generator)).softmax(1)
    better = (alone.log() + right + 0.1 * torch.randn(200, 3, generator=generator)).softmax(1)
    assert chosen_share(alone, noise, labels) == 0.0
    assert chosen_share(alone, better, labels) > 0.5
    assert chosen_share(alone[:1], better[:1], labels[:1]) == 0.0
