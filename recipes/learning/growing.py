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
from recipes.learning.reading_recipe import remade

WAY = "give --grow fewer numbers, from 0, --wider as many as it has convolutions, --cells more than it has"


def grown(
    base: SequenceModel,
    more: Sequence[int] = (),
    finer: int = 1,
    wider: Sequence[int] = (),
    cells: int | None = None,
) -> SequenceModel:
    """The base with `more` residual convolutions behind each of its own, reading `finer` lines, `wider`.

    What is new adds nothing at first: new residuals are multiplied by 0, new channels and memory cells are
    read by new ones only, and every pixel's weight is shared out evenly among the finer ones in its place.

    Args:
        more: residual convolutions behind each convolution.
        finer: how many times as high lines are scaled.
        wider: channels of each convolution from now on; empty leaves them.
        cells: memory cells of each layer and direction from now on; None leaves them.

    Raises:
        DataError: it has fewer convolutions, more channels or cells, or another decoder than CTC to read
            more cells.
    """
    had = base.sizes["front_end"]
    residuals = [old + new for old, new in zip_longest(had.get("residuals", []), more, fillvalue=0)]
    height, fold = (finer * size for size in (base.front_end.height, base.front_end.fold))
    channels = list(wider or had["channels"])
    sizes = {**had, "residuals": residuals, "height": height, "fold": fold, "channels": channels}
    core = {**base.sizes["core"], "hidden_size": cells or base.core.hidden_size}
    try:
        if len(channels) != len(had["channels"]) or any(map(int.__lt__, channels, had["channels"])):
            raise ValueError(f"{channels} channels are not at least {had['channels']} each")
        if core["hidden_size"] < base.core.hidden_size:
            raise ValueError(f"{cells} cells are fewer than its {base.core.hidden_size}")
        if cells and not base.decoder.is_linear:
            raise ValueError("only a CTC decoder can be given more cells to read")
        model = remade(base, front_end=sizes, core=core)
    except ValueError as error:
        raise DataError(base.name, f"cannot grow: {error}", WAY) from error
    learnt, weights = base.state_dict(), model.state_dict()
    first, last = "front_end.convolutions.0.weight", "front_end.project.weight"
    shared = learnt[first].unflatten(1, (base.front_end.fold,) * 2) / finer**2
    learnt[first] = shared.repeat_interleave(finer, 1).repeat_interleave(finer, 2).flatten(1, 2)
    for name, weight in weights.items():
        if name not in learnt:
            if name.endswith("norm.weight"):
                weight.zero_()
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
