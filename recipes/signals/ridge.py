"""The linear model on random kernels, fitted in closed form: ridge regression on the classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from pipelines.signal_model import SignalModel
from recipes.text.task import Sample

RIDGES = tuple(10.0**power for power in range(-1, 7))
SHARPNESS = tuple(1.5**power for power in range(-2, 12))  # by which scores are multiplied to be logits
SHARES = (0.25, 0.5, 0.75, 1.0)
SURE = 1.645  # standard errors by which a gain must be above 0
LEAST = 1e-6  # standard deviation of a feature
AT_ONCE = 64  # signals


@torch.no_grad()
def fit_kernels(model: SignalModel, samples: Sequence[Sample], loaded: bool = False) -> None:
    """Fit the linear model of a classifier to signals; how strong the ridge is, and how sure its scores are,
    is chosen by signals that are left out one by one.

    Args:
        loaded: whether it has learnt from others already, and stays as it is if it knows these as well as
            a new one.
    """
    beside, classes = model.front_end.beside, len(model.alphabet.symbols)
    x = features(model, samples)
    labels = torch.tensor([sample.label - 1 for sample in samples])
    centre, spread = x.mean(0), x.std(0, correction=0) + LEAST
    targets = 2 * F.one_hot(labels, classes).double() - 1
    weights, left_out = ridge(((x - centre) / spread).double(), targets)
    losses = {each: F.cross_entropy(each * left_out, labels).item() for each in SHARPNESS}
    sharpness = min(losses, key=losses.get)
    if loaded and F.cross_entropy(_logits(model, x), labels).item() <= losses[sharpness]:
        return
    beside.centre.copy_(centre)
    beside.spread.copy_(spread)
    beside.readout.weight.copy_((sharpness * weights).T)
    beside.readout.bias.copy_(sharpness * targets.mean(0))


@torch.no_grad()
def kernels_alone(model: SignalModel, samples: Sequence[Sample]) -> Tensor:
    """(signals, classes) probabilities that the linear model gives without the network."""
    return _logits(model, features(model, samples)).softmax(dim=1)


def _logits(model: SignalModel, x: Tensor) -> Tensor:
    """(signals, classes) logits that the linear model gives for these responses."""
    beside = model.front_end.beside
    return beside.judge(x.to(beside.centre.device)).cpu()


def chosen_share(alone: Tensor, network: Tensor, labels: Tensor) -> float:
    """The share of the network in the mixture of logits that is of most use: 0 if that is not shown.

    Args:
        alone, network: (signals, classes) probabilities by the linear model, and by the network.
        labels: (signals,) of these signals, from which neither has learnt.
    """
    alone, network = alone.clamp(min=1e-9).log(), network.clamp(min=1e-9).log()

    def losses(share: float) -> Tensor:
        return F.cross_entropy((1 - share) * alone + share * network, labels, reduction="none")

    share = min(SHARES, key=lambda each: losses(each).mean().item())
    gains = losses(0.0) - losses(share)
    shown = len(labels) > 1 and gains.mean() > SURE * gains.std() / len(labels) ** 0.5
    return share if shown else 0.0


def features(model: SignalModel, samples: Sequence[Sample]) -> Tensor:
    """(signals, features) responses of the kernels."""
    front_end = model.front_end
    order = sorted(range(len(samples)), key=lambda place: len(samples[place].ids))
    found = torch.zeros(len(samples), len(front_end.beside.centre))
    for start in range(0, len(order), AT_ONCE):
        places = order[start : start + AT_ONCE]
        lengths = torch.tensor([len(samples[place].ids) for place in places])
        x = pad_sequence([samples[place].ids for place in places], batch_first=True)
        x = front_end.plain(x.to(front_end.beside.centre.device), lengths)
        found[places] = front_end.beside.features(x, lengths).cpu()
    return found


def ridge(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Ridge regression with the ridge that errs least on items that are left out.

    Args:
        x: (items, features), each of mean 0.
        y: (items, outputs); the offset is their mean, and not penalised.

    Returns:
        (features, outputs) weights, and (items, outputs) predictions of each item by all others, in closed
        form (Rifkin & Lippert 2007), offset included.
    """
    offset = y.mean(0)
    values, vectors = torch.linalg.eigh(x @ x.T)
    rotated = vectors.T @ (y - offset)
    best = None
    for strength in RIDGES:
        inverse = vectors / (values.clamp(min=0) + strength)
        dual = inverse @ rotated
        # The constant lies in the null space of centred features; an offset without penalty takes it out.
        diagonal = (inverse * vectors).sum(1, keepdim=True) - 1 / (strength * len(x))
        missed = dual / diagonal.clamp(min=1e-12)
        error = missed.square().mean().item()
        if best is None or error < best[0]:
            best = error, dual, y - missed
    return x.T @ best[1], best[2]
