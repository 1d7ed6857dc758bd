"""Options of the recipe for anomalies. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from recipes.forecast.options import BacktestOptions, ColumnOptions, ModelOptions
from recipes.learning.options import RecipeOptions, TrainingOptions


@dataclass(frozen=True)
class AnomalyModelOptions(ModelOptions):
    """Sizes of a new model. A loaded model keeps its own."""

    new: ClassVar[Mapping[str, object]] = ModelOptions.new | {
        "window": 144,
        "horizon": 12,
        "segment": 12,
        "hidden_size": 48,
        "input_size": 48,
    }


@dataclass(frozen=True)
class LearningOptions:
    """What is learnt from."""

    learn: float = 0.15
    """Share of each series, from its beginning, that is learnt from: what is usual. Anomalies in it do little
    harm while they are rare."""
    most: int = 750
    """Most steps of each series that are learnt from."""

    def __post_init__(self):
        if not 0 < self.learn <= 1 or self.most < 1:
            raise ValueError(
                f"learn is a share above 0 and most at least 1, not {self.learn} and {self.most}"
            )


@dataclass(frozen=True)
class AnomalyRecipeOptions(RecipeOptions):
    """Train a detector of anomalies on your own series."""

    task: ClassVar[str] = "anomaly"

    data: tuple[Path, ...] = ()
    """A table of series, or a folder of them. Where labels/combined_windows.json lies in it, as in the
    Numenta Anomaly Benchmark, the detector is scored by its windows."""
    out: Path = Path("exp/anomaly")
    """Folder for the model, checkpoints, log and report."""
    model: AnomalyModelOptions = field(default_factory=AnomalyModelOptions)
    columns: ColumnOptions = field(default_factory=ColumnOptions)
    learning: LearningOptions = field(default_factory=LearningOptions)
    backtest: BacktestOptions = field(default_factory=BacktestOptions)
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(
            epochs=6, batch_size=64, learning_rate=1e-3, average=0.4, valid_every=1, precision="fp32"
        )
    )
