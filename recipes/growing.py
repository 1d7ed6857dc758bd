"""A trained handwriting model as a larger one that begins by reading exactly as it did.

After Chen et al. 2016, "Net2Net: accelerating learning via knowledge transfer".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import torch
from torch import Tensor

from pipelines.errors import DataError
from pipelines.model import SequenceModel
from recipes.recogniser import remade


def grown(
    base: SequenceModel, more: Sequence[int] = (), finer: int = 1, wider: Sequence[int] = ()
) -> SequenceModel:
    """The base with `more` residual convolutions behind each of its own, reading `finer` lines, `wider`.

    What is new adds nothing at first: new residuals are multiplied by 0, new channels are read by new ones
    only, and every pixel's weight is shared out evenly among the finer ones in its place.

    Args:
        more: residual convolutions behind each convolution.
        finer: how many times as high lines are scaled.
        wider: channels of each convolution from now on; empty leaves them.

    Raises:
        DataError: it has fewer convolutions, or more channels.
    """
    had = base.sizes["front_end"]
    residuals = [old + new for old, new in zip_longest(had.get("residuals", []), more, fillvalue=0)]
    height, fold = (finer * size for size in (base.front_end.height, base.front_end.fold))
    channels = list(wider or had["channels"])
    sizes = {**had, "residuals": residuals, "height": height, "fold": fold, "channels": channels}
    try:
        if len(channels) != len(had["channels"]) or any(map(int.__lt__, channels, had["channels"])):
            raise ValueError(f"{channels} channels are not at least {had['channels']} each")
        model = remade(base, front_end=sizes)
    except ValueError as error:
        way = "give --grow fewer numbers, from 0, and --wider as many as it has convolutions"
        raise DataError(base.name, f"cannot grow: {error}", way) from error
    learnt, weights = base.state_dict(), model.state_dict()
    first, last = "front_end.convolutions.0.weight", "front_end.project.weight"
    shared = learnt[first].unflatten(1, (base.front_end.fold,) * 2) / finer**2
    learnt[first] = shared.repeat_interleave(finer, 1).repeat_interleave(finer, 2).flatten(1, 2)
    for name, weight in weights.items():
        if name not in learnt:
            if name.endswith("norm.weight"):
                weight.zero_()
        elif name == last:  # reads (rows, channels)
            new = weight.unflatten(1, (-1, channels[-1]))
            old = learnt[name].unflatten(1, (-1, had["channels"][-1]))
            _begin(new.movedim(2, 1), old.movedim(2, 1))
        else:
            _begin(weight, learnt[name])
    return model


@torch.no_grad()
def _begin(weight: Tensor, learnt: Tensor) -> None:
    """Copy (outputs, inputs, ...) into one of more outputs and inputs; old outputs read old inputs only."""
    outputs = len(learnt)
    if learnt.dim() > 1:
        weight[:outputs, learnt.size(1) :] = 0.0
        weight[:outputs, : learnt.size(1)] = learnt
    else:
        weight[:outputs] = learnt
