"""Options of the recipe for signals. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from recipes.learning.options import CoreOptions, RecipeOptions, TrainingOptions, check_shares
from recipes.text.options import LossOptions


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model. A loaded model keeps its own."""

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "stride": 1,
        "scaling": "data",
        "differences": True,
        "sample_rate": 0.0,
        "kernel": 7,
        "heads": 4,
        "random_kernels": 2000,
        "hidden_size": 64,
        "num_layers": 1,
        "dropout": 0.3,
        "input_size": 64,
    }

    stride: int | None = None
    """Samples for one frame of the core: a power of 2. Long recordings need more, up to about 500 frames."""
    scaling: Literal["data", "own", "none"] | None = None
    """Mean and standard deviation by which channels are scaled: of the training data, or of each signal
    itself, which makes offset and unit irrelevant."""
    differences: bool | None = None
    """Show the network the differences between samples, too."""
    sample_rate: float | None = None
    """Rate in hertz to which signals are resampled; 0 takes them as they are."""
    kernel: int | None = None
    """Samples that a convolution sees, an odd number."""
    heads: int | None = None
    """Queries of the attention pooling."""
    random_kernels: int | None = None
    """Random convolution kernels, on which a linear model is fitted in closed form (ROCKET, Dempster et al.
    2020); its logits are mixed with those of the network, as validation shows to be of use. An even number;
    0 is none."""

    def __post_init__(self):
        super().__post_init__()
        if self.stride is not None and (self.stride < 1 or self.stride & (self.stride - 1)):
            raise ValueError(f"stride must be a power of 2, not {self.stride}")
        if self.kernel is not None and (self.kernel < 1 or self.kernel % 2 == 0):
            raise ValueError(f"kernel must be an odd number, not {self.kernel}")
        if self.sample_rate is not None and self.sample_rate < 0:
            raise ValueError(f"sample_rate must be 0 or more, not {self.sample_rate}")
        if self.heads is not None and self.heads < 1:
            raise ValueError("heads must be at least 1")
        if self.random_kernels is not None and (self.random_kernels < 0 or self.random_kernels % 2):
            raise ValueError(f"random_kernels must be an even number, not {self.random_kernels}")


@dataclass(frozen=True)
class Augmentation:
    """Augmentation of the training signals."""

    jitter: float = 0.05
    """Noise, in standard deviations of each channel."""
    scale: float = 0.1
    """Standard deviation of the factor by which each channel is multiplied."""
    crop: float = 0.1
    """Largest share that is cut off at each end."""
    pace: float = 0.1
    """Largest change of speed: 0.1 is from 1 / 1.1 to 1.1."""
    mixup: float = 0.4
    """Parameter of the mixture of two signals and their classes (Zhang et al. 2018); 0 turns it off."""
    drop: float = 0.0
    """Share of the channels that are missing."""

    def __post_init__(self):
        check_shares(self, "drop")
        if not 0 <= self.crop < 0.5 or min(self.jitter, self.scale, self.pace, self.mixup) < 0:
            raise ValueError("crop must be below 0.5; jitter, scale, pace and mixup 0 or more")


@dataclass(frozen=True)
class SignalRecipeOptions(RecipeOptions):
    """Train a classifier on your own signals."""

    task: ClassVar[str] = "signals"

    data: tuple[Path, ...] = ()
    """Files in the `.ts` format of the UEA archive; a folder with labels.csv (file, label); or a folder of
    recordings for each class. Recordings are CSV, EDF, WFDB, WAV or FLAC."""
    out: Path = Path("exp/signals")
    """Folder for the model, checkpoints, log and report."""
    valid: float = 0.15
    """Share of the training signals held out for validation where the data has no validation split."""
    model: ModelOptions = field(default_factory=ModelOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    augmentation: Augmentation = field(default_factory=Augmentation)
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(
            epochs=150, batch_size=16, learning_rate=2e-3, average=0.3, valid_every=10, precision="fp32"
        )
    )
