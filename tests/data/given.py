"""A decoder for models that need no training."""

from torch import Tensor, nn

from decoders.ctc import CTC


class Given(CTC):
    """Takes the core's states for log-probabilities of labels."""

    def __init__(self):
        nn.Module.__init__(self)

    def frame_log_probs(self, states: Tensor, lengths: Tensor) -> Tensor:
        return states
