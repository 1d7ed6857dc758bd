"""Growing a trained model: a larger one that begins by reading exactly as it did.

After Chen et al. 2016, "Net2Net: accelerating learning via knowledge transfer".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pipelines.errors import DataError
from pipelines.model import SequenceModel
from recipes.learning.fitting import remade

WAY = "leave out the size, or train a new model without --load"


def grown(
    base: SequenceModel,
    channels: Sequence[int] | None = None,
    residuals: Sequence[int] | None = None,
    height: int | None = None,
    hidden_size: int | None = None,
) -> SequenceModel:
    """The base with larger sizes; None leaves a size as it is.

    What is new adds nothing at first: new residuals are multiplied by 0, new channels and hidden units are
    read by new ones only, and the weight of each pixel is divided evenly among the finer ones in its place.

    Args:
        base: any model with a CTC decoder for `hidden_size`, one for handwriting for the others.
        channels: of each convolution.
        residuals: residual convolutions behind each convolution.
        height: to which lines are scaled, in pixels, a multiple of the base's.
        hidden_size: of the core.

    Raises:
        DataError: one of them is smaller than the base has, or the base cannot grow in this way.
    """
    had = base.sizes["front_end"]
    sizes, finer = dict(had), 1
    core = {**base.sizes["core"], "hidden_size": hidden_size or base.core.hidden_size}
    try:
        if channels is not None:
            sizes["channels"] = list(channels)
            if len(channels) != len(had["channels"]) or any(map(int.__lt__, channels, had["channels"])):
                raise ValueError(f"channels {list(channels)} are not at least {had['channels']} each")
        if residuals is not None:
            sizes["residuals"] = list(residuals)
            before = had.get("residuals", [])
            if len(before) > len(residuals) or any(map(int.__gt__, before, residuals)):
                raise ValueError(f"residuals {list(residuals)} are not at least {list(before)} each")
        if height is not None:
            finer, rest = divmod(height, base.front_end.height)
            if rest or not finer:
                raise ValueError(f"height {height} is not a multiple of {base.front_end.height} pixels")
            sizes |= {"height": height, "fold": finer * base.front_end.fold}
        if core["hidden_size"] < base.core.hidden_size:
            raise ValueError(f"hidden size {hidden_size} is below {base.core.hidden_size}")
        if hidden_size and not base.decoder.is_linear:
            raise ValueError("the hidden size can change only in front of a CTC decoder")
        model = remade(base, front_end=sizes, core=core)
    except ValueError as error:
        raise DataError(base.name, f"cannot grow: {error}", WAY) from error
    learnt, weights = base.state_dict(), model.state_dict()
    first, last = "front_end.convolutions.0.weight", "front_end.project.weight"
    if finer > 1:
        shared = learnt[first].unflatten(1, (base.front_end.fold,) * 2) / finer**2
        learnt[first] = shared.repeat_interleave(finer, 1).repeat_interleave(finer, 2).flatten(1, 2)
    for name, weight in weights.items():
        if name not in learnt:
            if name.endswith("norm.weight"):
                weight.zero_()
            continue
        if weight.shape == learnt[name].shape:
            weight.copy_(learnt[name])
            continue
        outputs = inputs = 1  # blocks, each of which has grown at its end
        if name == last:
            inputs = learnt[name].size(1) // had["channels"][-1]  # rows of the last channels
        elif name.startswith("core."):  # gates, and the directions that a layer behind the first reads
            outputs = len(learnt[name]) // base.core.hidden_size
            inputs = _directions(base) if "weight_ih" in name and ".0." not in name else 1
        elif name == "decoder.project.weight":
            inputs = _directions(base)
        _begin(weight, learnt[name], outputs, inputs)
    return model


def _directions(model: SequenceModel) -> int:
    return model.core.output_size // model.core.hidden_size


@torch.no_grad()
def _begin(weight: Tensor, learnt: Tensor, outputs: int = 1, inputs: int = 1) -> None:
    """Copy (outputs, inputs, ...) into one of more outputs and inputs; old outputs read old inputs only.

    Args:
        outputs, inputs: equal blocks of each; what is new comes at the end of every block.
    """
    weight, learnt = weight.unflatten(0, (outputs, -1)), learnt.unflatten(0, (outputs, -1))
    kept = learnt.size(1)
    if learnt.dim() > 2:
        weight, learnt = weight.unflatten(2, (inputs, -1)), learnt.unflatten(2, (inputs, -1))
        weight[:, :kept] = 0.0
        weight[:, :kept, :, : learnt.size(3)] = learnt
    else:
        weight[:, :kept] = learnt
