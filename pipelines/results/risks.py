"""Risks of persons over time."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.results.foundation import Result


@dataclass(frozen=True, slots=True)
class RiskCurve:
    """The risk of one person over time.

    Attributes:
        name: of the person or the stay, as the table has it.
        times: seconds from the beginning of the stay, at the end of each step.
        risks: probability of the event, from what was measured up to each of these times.
    """

    name: str
    times: tuple[float, ...]
    risks: tuple[float, ...]

    @property
    def last(self) -> float:
        """The risk at the end."""
        return self.risks[-1]


@dataclass(frozen=True, slots=True)
class Risks(Result):
    """Risks of the persons of one table. Not a medical device.

    Attributes:
        curves: one for each person, in the order of the table.
        event: whose risk it is, such as death in hospital.
        model: name of the model.
        source: path of the table; None if it was no file.
    """

    curves: tuple[RiskCurve, ...]
    event: str
    model: str
    source: str | None = None

    @property
    def text(self) -> str:
        """A line for each person: the risk at the end, and the name."""
        return "\n".join(f"{100 * curve.last:.1f} %  {curve.name}" for curve in self.curves)

    @property
    def extent(self) -> float:
        """Number of persons."""
        return len(self.curves)
