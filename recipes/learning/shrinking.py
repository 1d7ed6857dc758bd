"""Shrinking a trained model: a smaller one that begins with what mattered most in it.

Whole channels and hidden units are removed, so that what is left is as fast as any network of its size:
those with the least effect on what reads them (Li et al. 2017, "Pruning filters for efficient ConvNets";
Molchanov et al. 2017, "Pruning convolutional neural networks for resource efficient inference"). It reads
badly at first, and has much less to learn than a new one; best of all from the model that it was made of
(`--teacher`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from pipelines.errors import DataError
from pipelines.model import SequenceModel
from recipes.learning.fitting import remade

WAY = "leave out the size, or train a new model without --load"


def shrunk(
    base: SequenceModel, channels: Sequence[int] | None = None, hidden_size: int | None = None
) -> SequenceModel:
    """The base with smaller sizes; None leaves a size as it is.

    Args:
        base: a model with a CTC decoder; for `channels` one for handwriting.
        channels: of each convolution.
        hidden_size: of the core.

    Raises:
        DataError: one of them is larger than the base has, or the base has another decoder than CTC.
    """
    front_end, core = base.sizes["front_end"], base.sizes["core"]
    units = hidden_size or base.core.hidden_size
    try:
        if channels is not None:
            had = front_end["channels"]
            if len(channels) != len(had) or any(map(int.__gt__, channels, had)) or min(channels) < 1:
                raise ValueError(f"channels {list(channels)} are not at most {had} each")
            front_end = {**front_end, "channels": list(channels)}
        if units > base.core.hidden_size:
            raise ValueError(f"hidden size {units} is above {base.core.hidden_size}")
        if not base.decoder.is_linear:
            raise ValueError("the hidden size can change only in front of a CTC decoder")
        model = remade(base, front_end=front_end, core={**core, "hidden_size": units})
    except ValueError as error:
        raise DataError(base.name, f"cannot shrink: {error}", WAY) from error
    if channels is None:
        model.front_end.load_state_dict(base.front_end.state_dict())
    else:
        _shrink_front_end(base.front_end, model.front_end, channels)
    _shrink_core(base, model, units)
    return model


@torch.no_grad()
def _shrink_front_end(base: nn.Module, model: nn.Module, channels: Sequence[int]) -> None:
    read = torch.arange(base.fold**2)
    project = base.project.weight.unflatten(1, (-1, base.convolutions[-1].out_channels))
    readers = [*(each.weight for each in base.convolutions[1:]), project.transpose(1, 2)]
    for place, (count, reader) in enumerate(zip(channels, readers, strict=True)):
        residuals = base.residuals[place]
        loudness = _loudness(base.norms[place]) * reader.square().transpose(0, 1).flatten(1).sum(1)
        kept = _most(loudness, count)
        convolution = base.convolutions[place].weight[kept][:, read]
        model.convolutions[place].weight.copy_(convolution)
        _take(base.norms[place], model.norms[place], kept)
        for had, has in zip(residuals, model.residuals[place], strict=True):
            has.convolution.weight.copy_(had.convolution.weight[kept][:, kept])
            _take(had.norm, has.norm, kept)
        read = kept
    model.project.weight.copy_(project[:, :, read].flatten(1))
    model.project.bias.copy_(base.project.bias)
    model.norm.load_state_dict(base.norm.state_dict())


@torch.no_grad()
def _shrink_core(base: SequenceModel, model: SequenceModel, cells: int) -> None:
    """And the decoder, which reads it."""
    had, directions = base.core.hidden_size, [(base.core.ahead, model.core.ahead)]
    if base.core.back is not None:
        directions.append((base.core.back, model.core.back))
    read = torch.arange(base.core.ahead[0].input_size)
    for place in range(base.core.num_layers):
        last = place + 1 == base.core.num_layers
        readers = (
            [base.decoder.project.weight]
            if last
            else [whole[place + 1].weight_ih_l0 for whole, _ in directions]
        )
        loudness = torch.cat([reader.square() for reader in readers]).sum(0)
        outputs = []
        for number, (whole, part) in enumerate(directions):
            layer = whole[place]
            own = layer.weight_hh_l0.square().sum(0)
            kept = _most(loudness[number * had : (number + 1) * had] + own, cells)
            gates = torch.cat([kept + gate * had for gate in range(len(layer.weight_hh_l0) // had)])
            part[place].weight_ih_l0.copy_(layer.weight_ih_l0[gates][:, read])
            part[place].weight_hh_l0.copy_(layer.weight_hh_l0[gates][:, kept])
            part[place].bias_ih_l0.copy_(layer.bias_ih_l0[gates])
            part[place].bias_hh_l0.copy_(layer.bias_hh_l0[gates])
            outputs.append(kept + number * had)
        read = torch.cat(outputs)
    model.decoder.project.weight.copy_(base.decoder.project.weight[:, read])
    model.decoder.project.bias.copy_(base.decoder.project.bias)


def _loudness(norm: nn.Module) -> Tensor:
    """Mean square of what is left of each channel behind ReLU, were it normal as its normalisation says."""
    mean, spread = norm.bias, norm.weight.abs() + 1e-6
    normal = Normal(0.0, 1.0)
    level = mean / spread
    return (mean**2 + spread**2) * normal.cdf(level) + mean * spread * normal.log_prob(level).exp()


def _most(loudness: Tensor, count: int) -> Tensor:
    """Places of the highest, in order."""
    return loudness.topk(count).indices.sort().values


def _take(base: nn.Module, model: nn.Module, kept: Tensor) -> None:
    model.load_state_dict({name: values[kept] for name, values in base.state_dict().items()})
