"""Fits the linear model beside the core of a text classifier, and finds how far its scores help."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from decoders.bag import Bag
from pipelines.model import SequenceModel
from recipes.text.task import Sample, collated, judged_apart, labels_of

STEPS = 30  # of L-BFGS
STRENGTH = 10.0  # inverse of the L2 penalty, as usual for logistic regression on TF-IDF weights
AT_ONCE = 256  # texts
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)


def fit_bag(bag: Bag, samples: Sequence[Sample], several: bool) -> None:
    """Fit a bag by logistic regression with L-BFGS and an L2 penalty.

    Args:
        samples: to learn from.
        several: whether each label is judged by itself, as texts may have several.
    """
    device = bag.table.device
    found = [_places(bag, samples[start : start + AT_ONCE]) for start in range(0, len(samples), AT_ONCE)]
    rows = [row[row >= 0] for part in found for row in part]
    counts = torch.bincount(torch.cat(rows), minlength=bag.rows)
    bag.rarity.copy_(((1 + len(rows)) / (1 + counts)).log().add(1).where(counts > 0, 0.0))
    weights = torch.cat([F.normalize(bag.rarity[row].cpu(), dim=0) for row in rows])
    starts = torch.tensor([0, *map(len, rows[:-1])]).cumsum(0).to(device)
    places, weights = torch.cat(rows).to(device), weights.to(device)
    wanted = _indicators(samples, len(bag.bias)).to(device)
    table = bag.table.new_zeros(bag.rows, len(bag.bias)).requires_grad_()
    bias = torch.zeros_like(bag.bias).requires_grad_()
    optimiser = torch.optim.LBFGS(
        [table, bias], max_iter=STEPS, history_size=5, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        scores = F.embedding_bag(places, table, starts, per_sample_weights=weights, mode="sum") + bias
        if several:
            losses = F.binary_cross_entropy_with_logits(scores[:, 1:], wanted[:, 1:], reduction="sum")
        else:
            losses = -(wanted[:, 1:] * scores[:, 1:].log_softmax(dim=1)).sum()
        total = losses + table.square().sum() / (2 * STRENGTH)
        total.backward()
        return total

    with torch.enable_grad():
        optimiser.step(loss)
    bag.table.copy_(table.detach().T)
    bag.bias.copy_(bias.detach())


def chosen_shares(model: SequenceModel, samples: Sequence[Sample]) -> Tensor:
    """The shares of the core and of the bag in the scores with the least Brier score on samples."""
    core, bag = judged_apart(model, samples)
    wanted = _indicators(samples, core.shape[1])[:, 1:]

    def brier(shares: tuple[float, float]) -> float:
        scores = (shares[0] * core + shares[1] * bag)[:, 1:]
        chances = scores.sigmoid() if model.decoder.several else scores.softmax(dim=1)
        return (chances - wanted).square().mean().item()

    return torch.tensor(min(product(SHARES, repeat=2), key=brier))


def _places(bag: Bag, samples: Sequence[Sample]) -> Tensor:
    x, lengths, _ = collated(samples)
    return bag.places(x.to(bag.table.device), lengths.to(bag.table.device)).cpu()


def _indicators(samples: Sequence[Sample], num_labels: int) -> Tensor:
    """(samples, num_labels) 1 for each label that a sample has."""
    wanted = torch.zeros(len(samples), num_labels)
    for row, sample in enumerate(samples):
        wanted[row, labels_of(sample)] = 1.0
    return wanted
