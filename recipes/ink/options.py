"""Options of the recipe for pen strokes. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from recipes.learning.options import CoreOptions, RecogniserOptions

SPACING = 0.25  # core heights at which ink is measured before there is a model


@dataclass(frozen=True)
class InkAugmentation:
    """Augmentation of each line of ink, varied anew in every epoch. Lengths are in core heights, about the
    height of a small x."""

    slant: float = 0.25
    """Largest slant added, as a tangent."""
    width: float = 0.15
    """Largest relative change of width."""
    height: float = 0.15
    """Largest relative change of height."""
    rotation: float = 0.7
    """Largest rotation, degrees."""
    shift: float = 0.15
    """Largest shift of the baseline, core heights."""
    noise: float = 0.02
    """Standard deviation of tremor along the stroke, core heights."""
    noise_length: float = 0.4
    """Wavelength of the tremor, core heights of stroke."""
    warp: float = 0.12
    """Standard deviation of a smooth warp that moves, stretches and bends letters, core heights."""
    warp_length: float = 6.0
    """Shortest wavelength of the warp, core heights."""
    resampling: float = 0.1
    """Largest relative change of the spacing of points."""
    drop: float = 0.03
    """Share of tiny strokes, such as dots, that are dropped."""
    tiny: float = 0.4
    """Length up to which a stroke is tiny, core heights."""

    def __post_init__(self):
        for name in ("slant", "rotation", "shift", "noise", "warp", "tiny"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        for name in ("width", "height", "resampling"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a change from 0 to below 1, not {getattr(self, name)}")
        for name in ("noise_length", "warp_length"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        if not 0 <= self.drop <= 1:
            raise ValueError(f"drop is a share from 0 to 1, not {self.drop}")


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of the model. With --load, a size that is not given stays as it is in the loaded model."""

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "input_size": 128,
        "spacing": SPACING,
        "strides": (2, 2),
        "channels": 64,
    }

    spacing: float | None = None
    """Distance of points along the pen's path, core heights."""
    strides: tuple[int, ...] | None = None
    """Stride of each convolution."""
    channels: int | None = None
    """Channels of each convolution."""

    def front_end(self) -> dict:
        """Kind and sizes of the front end."""
        sizes = {"spacing": self.spacing, "strides": list(self.strides), "channels": self.channels}
        return {"kind": "strokes"} | sizes


@dataclass(frozen=True)
class InkOptions(RecogniserOptions):
    """Train a recogniser of pen strokes on your own ink."""

    task: ClassVar[str] = "ink"

    data: tuple[Path, ...] = ()
    """Folders of ink with labels: JSON lines or InkML. Several folders are trained on together and also
    scored separately."""
    out: Path = Path("exp/ink")
    """Folder for the model, checkpoint, log and report."""
    consistency: float = 0.0
    """Weight of the consistency between two passes over each line under different dropout (CR-CTC, Yao et
    al. 2024); 0 turns it off."""
    model: ModelOptions = field(default_factory=ModelOptions)
    augmentation: InkAugmentation = field(default_factory=InkAugmentation)
