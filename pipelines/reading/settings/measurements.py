"""How series, signals and tables of measurements are read."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines.reading.settings.running import ManyOptions, check_file


@dataclass(frozen=True)
class SeriesOptions(ManyOptions):
    """Which columns of a table are read."""

    batch_size: int = 256
    """Windows that the model reads at once."""
    time: str | None = None
    """Column of the times (default: the one called time, date, ds and the like, or one with dates)."""
    id: str | None = None
    """Column of the names of series in a long table (default: unique_id and the like)."""
    target: str | None = None
    """Columns of values, separated by commas (default: y in a long table, all numbers in a wide one)."""

    def columns(self, known: Sequence[str] = (), static: Sequence[str] = ()) -> object:
        """The columns as `pipelines.media.series` takes them."""
        from pipelines.media.series import Columns

        target = tuple(name.strip() for name in (self.target or "").split(",") if name.strip())
        return Columns(self.time, self.id, target, tuple(known), tuple(static))


@dataclass(frozen=True)
class ForecastOptions(SeriesOptions):
    """How series are forecast."""

    horizon: int | None = None
    """Steps to forecast (default: as many as the model was trained for). Longer ones go on from their own
    median, whose uncertainty they do not carry on."""
    level: float = 0.8
    """Share of the values that the interval is to hold; the model has quantiles for 0.8, 0.6, 0.4 and 0.2."""

    def __post_init__(self):
        super().__post_init__()
        if self.horizon is not None and self.horizon < 1:
            raise ValueError(f"horizon must be at least 1 step, not {self.horizon}")
        if not 0 < self.level < 1:
            raise ValueError(f"level must lie between 0 and 1, not {self.level}")


@dataclass(frozen=True)
class DetectOptions(SeriesOptions):
    """What counts as an event."""

    threshold: float | None = None
    """Score from which a step belongs to an event, from 0 to 1 (default: 0.5, which is five standard
    deviations, or what `share` leaves of that)."""
    share: float = 0.0002
    """Share of the steps that may begin an event, where the threshold is chosen; three may always."""
    max_alarms: int | None = None
    """Most events of a series; those with the highest scores remain."""

    def __post_init__(self):
        super().__post_init__()
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold must lie between 0 and 1, not {self.threshold}")
        if not 0 < self.share < 1:
            raise ValueError(f"share must lie between 0 and 1, not {self.share}")
        if self.max_alarms is not None and self.max_alarms < 0:
            raise ValueError(f"max_alarms must be 0 or more, not {self.max_alarms}")

    def columns(self, known: Sequence[str] = (), static: Sequence[str] = ()) -> object:
        """The columns, whose times need not be evenly spaced."""
        return replace(super().columns(known, static), even=False)


@dataclass(frozen=True)
class AnnotationOptions(ManyOptions):
    """How signals are annotated."""

    leads: str | Sequence[str] = ()
    """Names of the channels to annotate, separated by commas (default: all that the model can read). A model
    of several leads reads those that it knows, and takes a lead that is not there for missing."""
    switch: float = 2.0
    """Nats that a change of the label costs; the higher, the fewer marks."""
    rate: float | None = None
    """Samples a second of tables that have no column of times."""
    strict: bool = True
    """Refuse damaged recordings; otherwise read what can be read of them."""

    def __post_init__(self):
        super().__post_init__()
        if not self.switch >= 0:
            raise ValueError(f"switch must be 0 or more, not {self.switch}")
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise ValueError(f"rate must be above 0 hertz, not {self.rate}")

    @property
    def lead_names(self) -> tuple[str, ...]:
        """The names of the leads, without spaces around them."""
        names = self.leads.split(",") if isinstance(self.leads, str) else self.leads
        return tuple(filter(None, (name.strip() for name in names)))


@dataclass(frozen=True)
class RiskOptions(ManyOptions):
    """How risks are told."""

    static: str | os.PathLike | None = None
    """Table with a row a person of what does not change: age, sex, height; its rows are found by the name of
    the person."""

    def __post_init__(self):
        super().__post_init__()
        if self.static is not None:
            check_file("static", self.static, "a table")
