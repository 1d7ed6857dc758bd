"""A decoder for models that need no training."""

from torch import Tensor, nn


class Given(nn.Module):
    """Takes the core's states for log-probabilities of labels."""

    def forward(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return states, lengths
