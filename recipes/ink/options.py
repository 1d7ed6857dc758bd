"""Options of the ink recipe. Importing them does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from recipes.learning.options import CoreOptions, RecogniserOptions

SPACING = 0.25  # core heights at which ink is measured before there is a model


@dataclass(frozen=True)
class InkAugmentation:
    """How far training varies each line of ink."""

    slant: float = 0.25
    """Largest slant added, core heights across for each one up."""
    width: float = 0.15
    """Largest relative change of width."""
    height: float = 0.15
    """Largest relative change of height."""
    rotation: float = 0.7
    """Largest rotation around the middle, degrees."""
    shift: float = 0.15
    """Largest shift of the baseline, core heights."""
    noise: float = 0.02
    """Deviation of a trembling pen, core heights."""
    noise_length: float = 0.4
    """Core heights of stroke from tremble to tremble."""
    warp: float = 0.12
    """Deviation of a smooth warp, which moves, stretches and bends letters, core heights."""
    warp_length: float = 6.0
    """Core heights across of the warp's shortest wave."""
    resampling: float = 0.1
    """Largest relative change of the spacing of points."""
    drop: float = 0.03
    """Share of tiny strokes, such as dots, that are left out."""
    tiny: float = 0.4
    """Core heights of stroke up to which one is tiny."""

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
    """Sizes of a new model; ignored with --load."""

    input_size: int = 128
    """Features that the core reads."""
    spacing: float = SPACING
    """Core heights from point to point along the pen's way."""
    strides: tuple[int, ...] = (2, 2)
    """Of each convolution: points to frames."""
    channels: int = 64
    """Of each convolution."""


@dataclass(frozen=True)
class InkOptions(RecogniserOptions):
    """Train a recogniser of pen strokes on your own folder."""

    data: tuple[Path, ...] = ()
    """Folders of ink: JSON lines or InkML with labels. Several are trained on together and also scored
    apart."""
    out: Path = Path("exp/ink")
    """Folder for the model, checkpoint, log and report."""
    consistency: float = 0.0
    """Weight that draws two views of a line, under different dropout, towards each other (CR-CTC)."""
    model: ModelOptions = field(default_factory=ModelOptions)
    augmentation: InkAugmentation = field(default_factory=InkAugmentation)
