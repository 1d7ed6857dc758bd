"""A model made ready to compute, while the caller's own stays as it is."""

from __future__ import annotations

from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

Model = TypeVar("Model", bound=nn.Module)

_elsewhere: WeakKeyDictionary[nn.Module, tuple[tuple, nn.Module]] = WeakKeyDictionary()


def for_inference(model: Model, device: str) -> Model:
    """The same model in evaluation mode on a device.

    Its modules are new objects, so that their mode is their own, also in several threads and in generators
    that are never finished. On the model's own device they share its weights. On another one they have
    copies, kept until the model is deleted or its weights change.

    Args:
        model: which is not changed.
        device: such as cpu or cuda.
    """
    if all(weight.device.type == torch.device(device).type for weight in model.parameters()):
        return _twin(model, {})
    seen = tuple(map(_state, (*model.parameters(), *model.buffers())))
    kept = _elsewhere.get(model)
    if kept is None or kept[0] != (device, seen):
        kept = _elsewhere[model] = ((device, seen), _copied(_twin(model, {}), device))
    return _twin(kept[1], {})


def _twin(module: nn.Module, made: dict[int, nn.Module]) -> nn.Module:
    """A module in evaluation mode with the same weights, attributes and hooks; and so those within it."""
    if id(module) not in made:
        twin = made[id(module)] = module.__class__.__new__(module.__class__)
        twin.__dict__ = {**module.__dict__, "training": False}
        twin.__dict__["_modules"] = {
            name: each and _twin(each, made) for name, each in module._modules.items()
        }
    return made[id(module)]


def _copied(twin: nn.Module, device: str) -> nn.Module:
    """A twin with weights of its own on a device."""
    for module in twin.modules():
        module.__dict__["_parameters"] = {
            name: weight if weight is None else nn.Parameter(weight.detach(), requires_grad=False)
            for name, weight in module._parameters.items()
        }
        module.__dict__["_buffers"] = dict(module._buffers)
    return twin.to(device)


def _state(weight: Tensor) -> tuple:
    """What changes with a weight; of inference tensors, which do not count their changes, all but these."""
    return id(weight), weight.data_ptr(), None if weight.is_inference() else weight._version
