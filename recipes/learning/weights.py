"""Arithmetic with the weights of a whole model."""

from __future__ import annotations

from torch import Tensor, nn

Weights = dict[str, Tensor]


def copied(model: nn.Module) -> Weights:
    """The model's weights and buffers by name, on the CPU, sharing no memory with it."""
    return {name: weight.detach().cpu().clone() for name, weight in model.state_dict().items()}


def mix_into(average: Weights, weights: Weights, share: float) -> None:
    """Move each average towards a weight by a share of their distance; integers are replaced."""
    for name, weight in weights.items():
        if name in average and weight.is_floating_point():
            average[name].lerp_(weight, share)
        else:
            average[name] = weight.clone()


def parameter_groups(task: nn.Module, weight_decay: float) -> list[dict]:
    """Groups for an optimiser: matrices decay, biases and gains do not."""
    matrices = [p for p in task.parameters() if p.dim() > 1]
    vectors = [p for p in task.parameters() if p.dim() <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
