"""Options of the recipe for annotation. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from recipes.learning.options import CoreOptions, RecipeOptions, TrainingOptions, check_shares


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model. A loaded model keeps its own."""

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "stride": 4,
        "kernel": 9,
        "sample_rate": 0.0,
        "scaling": "own",
        "hidden_size": 80,
        "num_layers": 2,
        "dropout": 0.2,
        "input_size": 80,
    }

    stride: int | None = None
    """Samples for one frame of the core: a power of 2."""
    kernel: int | None = None
    """Samples that a convolution sees, an odd number."""
    sample_rate: float | None = None
    """Rate in hertz to which signals are resampled; 0 takes that of most of them, up to 250."""
    scaling: Literal["data", "own", "none"] | None = None
    """Mean and standard deviation by which channels are scaled: of the training data, or of each stretch
    itself, which makes offset and unit irrelevant."""

    def __post_init__(self):
        super().__post_init__()
        if self.stride is not None and (self.stride < 1 or self.stride & (self.stride - 1)):
            raise ValueError(f"stride must be a power of 2, not {self.stride}")
        if self.kernel is not None and (self.kernel < 1 or self.kernel % 2 == 0):
            raise ValueError(f"kernel must be an odd number, not {self.kernel}")
        if self.sample_rate is not None and self.sample_rate < 0:
            raise ValueError(f"sample_rate must be 0 or more, not {self.sample_rate}")


@dataclass(frozen=True)
class WindowOptions:
    """Stretches of the signals that are learnt from."""

    window: float = 10.0
    """Seconds of a stretch. Beats that are told by what came before them need more: 60."""
    share: float = 1.0
    """Share of the time of all signals that an epoch sees; stretches are drawn anew for each."""
    balance: float = 0.0
    """How often stretches with rare labels come: 0, as often as they are; 1, as if all were as frequent."""
    weighting: float = 0.0
    """How much the frames of rare labels weigh in the loss: 0, as much as all others; 1, in inverse
    proportion to how often their label comes."""
    width: float = 0.12
    """Seconds that marks without an extent, such as those of beats, are given."""
    edges: Literal["unknown", "nothing"] = "unknown"
    """What is before the first mark of a signal and behind its last one: unknown, and not learnt from; or
    nothing that should have been marked."""
    focal: float = 0.0
    """Exponent of the focal loss, which gives what is easy less weight (Lin et al. 2017)."""

    def __post_init__(self):
        if not (self.window > 0 and self.share > 0 and self.width > 0):
            raise ValueError("window, share and width must be above 0")
        if min(self.balance, self.weighting, self.focal) < 0:
            raise ValueError("balance, weighting and focal must be 0 or more")


@dataclass(frozen=True)
class Augmentation:
    """Augmentation of the training signals; amplitudes are in standard deviations of the stretch."""

    noise: float = 0.1
    """Largest standard deviation of white noise."""
    wander: float = 0.3
    """Largest amplitude of the wander of the baseline."""
    hum: float = 0.1
    """Largest amplitude of hum from the mains, 50 or 60 Hz."""
    pace: float = 0.2
    """Largest change of speed: 0.2 is from 1 / 1.2 to 1.2."""
    flip: float = 0.1
    """Share of stretches that are turned upside down, as by swapped electrodes."""
    drop: float = 0.2
    """Share of the leads that are missing, for models of several."""

    def __post_init__(self):
        check_shares(self, "flip", "drop")
        if min(self.noise, self.wander, self.hum, self.pace) < 0:
            raise ValueError("noise, wander, hum and pace must be 0 or more")


@dataclass(frozen=True)
class AnnotationRecipeOptions(RecipeOptions):
    """Train a model that marks waves, beats or events in your own signals."""

    task: ClassVar[str] = "annotate"

    data: tuple[Path, ...] = ()
    """Folders of signals with their marks: WFDB records with annotation files, EDF+ with annotations, or
    signals beside a table with the columns file, start, end, label and perhaps lead."""
    out: Path = Path("exp/annotate")
    """Folder for the model, checkpoints, log and report."""
    valid: float = 0.1
    """Share of the training signals held out for validation where the data has no validation split; signals
    of one person stay together."""
    test: float = 0.0
    """Share of the persons, or else signals, held out as a test where the data has no test split."""
    leads: str = "each"
    """Leads that the model reads: each, one at a time, whichever it is; or names of some, separated by
    commas, which it reads together."""
    beats: Literal["aami", "symbols"] = "aami"
    """Classes of the beats in WFDB annotations: the five of AAMI EC57 (N, S, V, F, Q), or the symbols
    themselves."""
    model: ModelOptions = field(default_factory=ModelOptions)
    windows: WindowOptions = field(default_factory=WindowOptions)
    augmentation: Augmentation = field(default_factory=Augmentation)
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(
            epochs=20, batch_size=16, learning_rate=3e-3, average=0.3, valid_every=2, precision="fp32"
        )
    )

    def __post_init__(self):
        super().__post_init__()
        check_shares(self, "test")
        if not self.lead_names and self.leads.strip().lower() != "each":
            raise ValueError("leads must be each, or names separated by commas")

    @property
    def lead_names(self) -> tuple[str, ...]:
        """Names of the leads that are read together; empty if each is read by itself."""
        if self.leads.strip().lower() == "each":
            return ()
        return tuple(filter(None, (name.strip() for name in self.leads.split(","))))
