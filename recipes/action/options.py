"""Options of the action recipe. Importing them does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from encoders.backbones import BACKBONES
from recipes.learning.options import CoreOptions, RecipeOptions, TrainingOptions


@dataclass(frozen=True)
class ClipAugmentation:
    """How far training varies clips."""

    mirror: bool = True
    """Also show clips in a mirror; off where left and right tell classes apart."""
    crop: float = 0.12
    """Largest share that is cut off each end of a clip."""
    speed: float = 0.3
    """Clips run up to so much faster or slower: 0.3 is between 1 / 1.3 and 1.3 times as fast."""
    opposites: tuple[str, ...] = ()
    """Clips also run backwards, under another label: enter_=leave_ turns a clip of enter_bow into one
    of leave_bow and the other way round. Only where that is what happens."""

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
    """What training minimises, and how often it shows which clip."""

    focal: float = 0.0
    """Exponent by which what is judged well already counts for less (focal loss); 0 is cross-entropy."""
    balance: float = 0.5
    """Rare classes are shown more often: 1 is all classes equally often, 0 each clip once an epoch."""
    joined: int = 5
    """Most clips that are joined to one video where a timeline or an order is learnt."""

    def __post_init__(self):
        if not self.focal >= 0 or not 0 <= self.balance <= 1 or self.joined < 1:
            raise ValueError("focal must be 0 or more, balance a share, and joined at least 1")


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model; ignored with --load."""

    network: str = "squeezenet1_0"
    """Image network: small is trained from scratch, others come from torchvision by their names there; none
    looks at motion only."""
    weights: str = "DEFAULT"
    """Of the image network, as torchvision names and fetches them; none for none."""
    frozen: bool = True
    """Take the image network as it is, so that its features are computed once. The small one is trained."""
    side: int = 0
    """Pixels of the frames' shorter side; 0 is the image network's own."""
    rate: float = 8.0
    """Frames a second that are looked at."""
    window: float = 0.0
    """Seconds that are judged at once in a long video; 0 is as long as the longest training clip."""
    motion: int = 4
    """Cells across and down in which motion is told, beside a frozen network; 0 is none."""
    places: bool = True
    """Tell motion for each cell; without it, only how much there is and in how many directions."""
    lags: tuple[int, ...] = (2, 6)
    """Frames over which changes of each feature are told."""
    decoder: Literal["classifier", "timeline", "ctc"] = "classifier"
    """classifier: one label for a clip; timeline: a label for each frame, from labels with start and
    end or from joined clips; ctc: the same, taught by the order of the labels only."""
    heads: int = 2
    """Queries of the attention pooling."""
    hidden_size: int = 96
    """Memory cells of each layer and direction."""
    num_layers: int = 1
    """Layers of the core."""
    dropout: float = 0.3
    """On what the core reads, between its layers and before the output."""
    input_size: int = 128
    """Features that the core reads."""

    def __post_init__(self):
        super().__post_init__()
        if self.network not in BACKBONES:
            raise ValueError(f"network must be one of {', '.join(BACKBONES)}, not {self.network!r}")
        if not self.rate > 0 or not self.window >= 0 or self.heads < 1:
            raise ValueError("rate must be above 0, window 0 or more, and heads at least 1")
        if self.network == "none" and not self.motion:
            raise ValueError("network none looks at motion only: motion must be at least 1")

    @property
    def is_frozen(self) -> bool:
        return self.network == "none" or (self.frozen and self.network != "small")


@dataclass(frozen=True)
class ActionOptions(RecipeOptions):
    """Train an action recogniser on your own folder."""

    data: tuple[Path, ...] = ()
    """Folder of clips: a folder for each class, labels.csv, or as Kinetics, UCF101 or mmaction lay them
    out; found out by itself."""
    out: Path = Path("exp/action")
    """Folder for the model, checkpoints, features, log and report."""
    valid: float = 0.15
    """Share of the training clips, by group, held out for validation where the data has none."""
    seeds: int = 1
    """Runs from different seeds, whose mean and interval are reported; the first one's model is kept."""
    folds: int = 0
    """Judge every clip by models that never saw its group: into so many parts the groups are cut. With 0 the
    test split is judged. The kept model learns from the data's own split either way."""
    show_clips: int = 0
    """Clips shown in the report with their attention over time; none by default, as data may not be shown."""
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
