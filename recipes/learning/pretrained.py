"""Weights of image networks that others have trained."""

from __future__ import annotations

from torch import Tensor

from encoders.frames import backbone
from pipelines.errors import DataError


def image_weights(network: str, name: str) -> dict[str, Tensor]:
    """The weights of an image network by torchvision's name for them, which it downloads if needed.

    Raises:
        DataError: they cannot be fetched.
    """
    try:
        return backbone(network, name).state_dict()
    except (OSError, RuntimeError) as error:
        way_out = (
            "go online once, put the file where torchvision looks for it (TORCH_HOME), or give "
            "--network small, which is trained from scratch"
        )
        raise DataError("--weights", f"{name} of {network} cannot be fetched ({error})", way_out) from error
