"""A trained model from which another one learns."""

from __future__ import annotations

from torch import Tensor

from pipelines.model import SequenceModel


class Teacher:
    """Says what it reads, frame by frame, for another model to say the same.

    After Hinton et al. 2015, "Distilling the knowledge in a neural network". What CTC says of a line is a
    few spikes, which two networks that learn by themselves put in different frames; from another one, the
    model also learns where (Kurata & Audhkhasi 2019, "Guiding CTC posterior spike timings for improved
    posterior fusion and knowledge distillation").

    Args:
        model: with a decoder that reads by CTC. It is not taught itself.
        symbols: of the model that learns, all of which it must know.
        weight: of what it says in the loss, beside the texts.
    """

    def __init__(self, model: SequenceModel, symbols: tuple[str, ...], weight: float):
        self.model, self.weight = model.eval().requires_grad_(False), weight
        self.labels = [0] + [model.alphabet.encode(symbol)[0] for symbol in symbols]

    def __call__(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Its front end's output -> (batch, frames, labels) log-probabilities of the other model's labels."""
        log_probs = self.model.decoder.frame_log_probs(*self.model.core(states, lengths))
        return log_probs[:, :, self.labels].log_softmax(dim=2)
