"""Options of the recipe for actions in videos. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from encoders.backbones import BACKBONES
from recipes.learning.options import CoreOptions, RecipeOptions, TrainingOptions


@dataclass(frozen=True)
class ClipAugmentation:
    """Augmentation of each clip, varied anew in every epoch."""

    mirror: bool = True
    """Also show clips mirrored; turn it off where left and right tell classes apart."""
    crop: float = 0.12
    """Largest share cut off either end of a clip."""
    speed: float = 0.3
    """Largest relative change of speed: 0.3 is between 1 / 1.3 and 1.3 times as fast."""
    opposites: tuple[str, ...] = ()
    """Also show clips backwards, under the opposite label: enter_=leave_ turns a clip of enter_bow into one
    of leave_bow and the other way round."""

    def __post_init__(self):
        if not 0 <= self.crop < 0.5 or not self.speed >= 0:
            raise ValueError(f"crop is a share below 0.5, speed 0 or more, not {self.crop} and {self.speed}")
        for pair in self.opposites:
            if len(pair.split("=")) != 2 or not all(pair.split("=")):
                raise ValueError(f"opposites are beginnings of labels as enter_=leave_, not {pair!r}")

    def opposite(self, label: str) -> str | None:
        """What a clip of the label shows when it runs backwards; None where nobody said."""
        for pair in self.opposites:
            one, other = pair.split("=")
            for before, after in ((one, other), (other, one)):
                if label.startswith(before):
                    return after + label.removeprefix(before)
        return None


@dataclass(frozen=True)
class LossOptions:
    """Loss and sampling of clips."""

    focal: float = 0.0
    """Exponent of the focal loss (Lin et al. 2017); 0 is cross-entropy."""
    balance: float = 0.5
    """Oversampling of rare classes: 0 shows each clip once per epoch, 1 all classes equally often."""
    joined: int = 5
    """Largest number of clips joined to one video, for timeline and ctc."""

    def __post_init__(self):
        if not self.focal >= 0 or not 0 <= self.balance <= 1 or self.joined < 1:
            raise ValueError("focal must be 0 or more, balance a share, and joined at least 1")


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model. A loaded model keeps its own."""

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "network": "squeezenet1_0",
        "frozen": True,
        "side": 0,
        "rate": 8.0,
        "window": 0.0,
        "motion": 4,
        "places": True,
        "lags": (2, 6),
        "decoder": "classifier",
        "heads": 2,
        "hidden_size": 96,
        "num_layers": 1,
        "dropout": 0.3,
        "input_size": 128,
    }

    decoder: Literal["classifier", "timeline", "ctc"] | None = None
    """What is predicted: classifier, one label per clip; timeline, a label per frame, learnt from labels
    with start and end or from joined clips; ctc, the same, learnt from the order of the labels only."""
    network: Literal[tuple(BACKBONES)] | None = None
    """Image network: small is trained from scratch, none looks at motion only, the others come from
    torchvision."""
    weights: str = "DEFAULT"
    """Pretrained weights of the image network, by torchvision's name for them; none for none."""
    frozen: bool | None = None
    """Keep the image network as it is, so that its features are computed only once."""
    side: int | None = None
    """Length of the shorter side of the frames, pixels; 0 is the image network's own."""
    rate: float | None = None
    """Frames per second that the model looks at."""
    window: float | None = None
    """Seconds of a long video that are judged at once; 0 is the length of the longest training clip."""
    motion: int | None = None
    """Cells across and down in which motion is measured, beside a frozen image network; 0 is none."""
    places: bool | None = None
    """Describe motion in each cell; otherwise only its overall amount and directions."""
    lags: tuple[int, ...] | None = None
    """Distances in frames over which the change of each feature is given to the model."""
    heads: int | None = None
    """Queries of the attention pooling."""

    def __post_init__(self):
        super().__post_init__()
        if (self.rate is not None and not self.rate > 0) or (self.window or 0.0) < 0:
            raise ValueError("rate must be above 0, and window 0 or more")
        if self.heads is not None and self.heads < 1:
            raise ValueError(f"heads must be at least 1, not {self.heads}")
        if self.network == "none" and self.motion == 0:
            raise ValueError("network none looks at motion only: motion must be at least 1")

    @property
    def is_frozen(self) -> bool:
        return self.network == "none" or (self.frozen and self.network != "small")


@dataclass(frozen=True)
class ActionOptions(RecipeOptions):
    """Train a recogniser of actions on your own videos."""

    task: ClassVar[str] = "action"

    data: tuple[Path, ...] = ()
    """Folders of clips: a folder per class, labels.csv, or lists as in Kinetics, UCF101 or mmaction."""
    out: Path = Path("exp/action")
    """Folder for the model, checkpoints, features, log and report."""
    valid: float = 0.15
    """Share of the training clips held out for validation where the data has no validation split."""
    classes: Literal["keep", "union", "new"] = "keep"
    """If the data has classes that the loaded model lacks: keep leaves their clips out, union adds them, new
    has only the classes of the data."""
    seeds: int = 1
    """Number of runs from different seeds, whose mean and interval are reported; the model of the first is
    kept."""
    folds: int = 0
    """Cross-validation: split the groups into this many folds and test each clip with a model that never saw
    its group. 0 reports the test split. The model that is kept is trained on the data's own split."""
    show_clips: int = 0
    """Number of clips shown in the report with their attention over time; none by default, as data may be
    private."""
    model: ModelOptions = field(default_factory=ModelOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    augmentation: ClipAugmentation = field(default_factory=ClipAugmentation)
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(epochs=40, average=0.3, precision="fp32")
    )

    def __post_init__(self):
        super().__post_init__()
        if self.seeds < 1 or self.folds < 0 or self.folds == 1 or self.show_clips < 0:
            raise ValueError("seeds must be at least 1, folds 0 or at least 2, show_clips 0 or more")
