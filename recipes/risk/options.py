"""Options of the recipe for risks. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from recipes.learning.options import CoreOptions, RecipeOptions, TrainingOptions, check_shares


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model. A loaded model keeps its own. It reads forwards only, to tell a risk for each
    hour.
    """

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "step": 3600.0,
        "summaries": True,
        "bidirectional": False,
        "hidden_size": 64,
        "num_layers": 1,
        "dropout": 0.4,
        "input_size": 64,
    }

    step: float | None = None
    """Seconds of a step; what is measured within one is averaged."""
    summaries: bool | None = None
    """Show the network the lowest, the highest and the mean value so far, and their number, too."""

    def __post_init__(self):
        super().__post_init__()
        if self.step is not None and not self.step > 0:
            raise ValueError(f"step must be above 0 seconds, not {self.step}")
        if self.bidirectional:
            raise ValueError("a risk for each hour must not know what comes later: leave out bidirectional")


@dataclass(frozen=True)
class LossOptions:
    """What is learnt from each stay."""

    every: float = 0.5
    """Weight of the risks of all steps in the loss; the rest is that of the last step."""
    hidden: float = 0.15
    """Share of the measurements that are hidden in training."""
    cut: float = 0.3
    """Share of the stays that end early in training, anywhere."""

    def __post_init__(self):
        check_shares(self, "hidden", "cut")
        if not 0 <= self.every <= 1:
            raise ValueError(f"every is a share from 0 to 1, not {self.every}")


@dataclass(frozen=True)
class RiskRecipeOptions(RecipeOptions):
    """Train a model that tells the risk of an event for each hour, on your own tables."""

    task: ClassVar[str] = "risk"

    data: tuple[Path, ...] = ()
    """Folders with tables of measurements, and one with a row a person that says whether the event came."""
    out: Path = Path("exp/risk")
    """Folder for the model, checkpoints, log and report."""
    label: str | None = None
    """Column that says whether the event came, 0 or 1 (default: In-hospital_death, death, mortality, outcome,
    label, ...)."""
    static: str = "Age,Gender,Sex,Height,Weight,ICUType"
    """Columns of the same table that the model may know; any other could tell the outcome."""
    event: str = "event"
    """What the risk is of, for reports: death in hospital."""
    valid: float = 0.15
    """Share of the training stays held out for validation where the data has no validation split."""
    model: ModelOptions = field(default_factory=ModelOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(
            epochs=16, batch_size=32, learning_rate=2e-3, average=0.5, valid_every=2, precision="fp32"
        )
    )

    @property
    def static_names(self) -> tuple[str, ...]:
        """The names of these columns."""
        return tuple(filter(None, (name.strip() for name in self.static.split(","))))
