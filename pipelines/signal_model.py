"""Models that tell the classes of signals: the core, and a linear model on random kernels beside it."""

from __future__ import annotations

import torch
from torch import Tensor

from decoders.classifier import Classifier
from encoders.signals import Signals
from pipelines.model import SequenceModel


class SignalModel(SequenceModel):
    """A classifier of signals, whose states carry the logits of the linear model, if there is one."""

    front_end: Signals
    decoder: Classifier

    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)
        given = self.front_end.beside.readout.out_features if self.front_end.beside else None
        if given != (self.decoder.num_labels - 1 if self.decoder.beside else None):
            raise ValueError("front_end.random_kernels, front_end.labels and decoder.beside do not fit")

    def states(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Signals -> states of the core, with the logits of the linear model behind the features of each if
        they count, and the frames of each.
        """
        states, frames = super().states(x, lengths)
        if self.front_end.beside is None or self.decoder.share == 1:
            return states, frames
        given = self.front_end.skip(x, lengths)
        return torch.cat([states, given[:, None].expand(-1, states.size(1), -1)], dim=2), frames
