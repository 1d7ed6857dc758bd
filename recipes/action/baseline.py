"""The baseline beside every model of actions: the same frames without their order."""

from __future__ import annotations

from torch import Tensor, nn

from decoders.classifier import Classifier
from encoders.frames import FrameFeatures, Frames
from pipelines.model import SequenceModel


class Unordered(nn.Module):
    """The baseline: the same frames in no order; the mean of what each shows decides. Motion between them is
    left out, unless it is all there is.

    Args:
        model: whose features, or image network, it shares.
    """

    def __init__(self, model: SequenceModel):
        super().__init__()
        front_end = model.front_end
        features, size = front_end.network.output_size, front_end.output_size
        if front_end.network.frozen and features:
            self.front_end = FrameFeatures(features, size, front_end.sequence.dropout)
        else:
            sizes = {name: value for name, value in model.sizes["front_end"].items() if name != "kind"}
            self.front_end = Frames(**sizes | {"lags": ()})
            self.front_end.network.load_state_dict(front_end.network.state_dict())
            features = None
        self.features = features
        self.decoder = Classifier(size, len(model.alphabet), "mean", dropout=model.decoder.dropout)

    def states(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """What the front end makes of the frames, for the decoder; see `SequenceModel.states`."""
        return self.front_end(x[..., : self.features] if x.dim() == 3 else x, lengths)
