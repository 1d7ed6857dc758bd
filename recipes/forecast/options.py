"""Options of the recipe for forecasts. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from recipes.learning.options import CoreOptions, RecipeOptions, TrainingOptions, check_choices

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model. A loaded model keeps its own."""

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "window": 0,
        "horizon": 24,
        "segment": 0,
        "season": 0,
        "scaling": "spread",
        "hidden_size": 96,
        "num_layers": 1,
        "dropout": 0.2,
        "input_size": 96,
    }

    horizon: int | None = None
    """Steps to forecast."""
    window: int | None = None
    """Steps of the past that the model sees, a multiple of the segment; 0 takes at least twice the horizon
    and two seasons, up to half of the series."""
    segment: int | None = None
    """Steps that the core reads at once, which divide the horizon; 0 takes at most 24."""
    season: int | None = None
    """Steps of a season; 0 takes that of the times: 24 for hours, 7 for days, 12 for months."""
    scaling: Literal["spread", "season", "ratio"] | None = None
    """What series are divided by: the standard deviation of their past; the mean change over a season, for
    series of very different kinds; or ratio, the same of their logarithms, for values above 0."""

    def __post_init__(self):
        super().__post_init__()
        for name, least in (("horizon", 1), ("window", 0), ("segment", 0), ("season", 0)):
            if getattr(self, name) is not None and getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}")


@dataclass(frozen=True)
class ColumnOptions:
    """Columns."""

    time: str | None = None
    """Column of the times (default: the one called time, date, ds and the like, or one with dates)."""
    id: str | None = None
    """Column of the names of series in a long table (default: unique_id and the like)."""
    target: str | None = None
    """Columns of values, separated by commas (default: y in a long table, all numbers in a wide one)."""
    known: str | None = None
    """Columns that are known ahead, such as holidays and prices, separated by commas."""
    static: str | None = None
    """Columns that belong to each series of a long table as a whole, separated by commas."""


@dataclass(frozen=True)
class BacktestOptions:
    """Backtest: the last steps of every series, which training does not see."""

    test_steps: int | None = None
    """Steps of the test (default: the last fifth, at least a horizon)."""
    valid_steps: int | None = None
    """Steps of the validation before it (default: a tenth, at least a horizon)."""
    stride: int = 0
    """Steps from one forecast of the backtest to the next; 0 takes 1, or more where that gives more than
    20,000 forecasts."""
    windows: int = 4096
    """Windows of an epoch, drawn at random."""

    def __post_init__(self):
        check_choices(self)
        for name, least in (("test_steps", 1), ("valid_steps", 1), ("stride", 0), ("windows", 1)):
            if getattr(self, name) is not None and getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}")


@dataclass(frozen=True)
class ForecastRecipeOptions(RecipeOptions):
    """Train a forecaster on your own series."""

    task: ClassVar[str] = "forecast"

    data: tuple[Path, ...] = ()
    """A table: wide, with a series a column; or long, with the columns unique_id, ds and y."""
    out: Path = Path("exp/forecast")
    """Folder for the model, checkpoints, log and report."""
    model: ModelOptions = field(default_factory=ModelOptions)
    columns: ColumnOptions = field(default_factory=ColumnOptions)
    backtest: BacktestOptions = field(default_factory=BacktestOptions)
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(
            epochs=12, batch_size=64, learning_rate=1e-3, average=0.4, valid_every=1, precision="fp32"
        )
    )
