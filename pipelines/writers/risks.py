"""Risks over time as text, tables and a picture. Not a medical device, which every format says."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, ClassVar, TextIO

from pipelines.results import Risks
from pipelines.writers.lines import one_line, printable
from pipelines.writers.marks import NOTICE
from pipelines.writers.tables import write_json

HOUR = 3600.0
DRAWN = 12  # curves of the highest risk


@dataclass(frozen=True)
class RisksText:
    """A line for each person: the risk at the end, and the name."""

    extension: ClassVar[str] = "txt"

    def write(self, risks: Risks, file: TextIO) -> None:
        file.write(f"# {NOTICE} Risk of {one_line(risks.event)} at the end of the measurements.\n")
        for curve in risks.curves:
            file.write(f"{100 * curve.last:5.1f} %  {one_line(curve.name)}\n")


@dataclass(frozen=True)
class RisksCSV:
    """A comma-separated table (RFC 4180), a row a person and step. All files of a folder are in one table."""

    extension: ClassVar[str] = "csv"
    shared: ClassVar[str] = "risks.csv"

    def write(self, risks: Risks, file: TextIO) -> None:
        self.write_records([self.record(risks)], file)

    def record(self, risks: Risks) -> list[list[str]]:
        """The rows of a file."""
        source = printable(str(risks.source or ""))
        return [
            [source, one_line(curve.name), f"{time / HOUR:g}", f"{risk:.4f}", NOTICE]
            for curve in risks.curves
            for time, risk in zip(curve.times, curve.risks, strict=True)
        ]

    def write_records(self, records: Iterable[list[list[str]]], file: TextIO) -> None:
        """The table of all files."""
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["source", "name", "hours", "risk", "notice"])
        for rows in records:
            table.writerows(rows)


@dataclass(frozen=True)
class RisksJSON:
    """All fields of the result under their names; times in hours."""

    extension: ClassVar[str] = "json"

    def write(self, risks: Risks, file: TextIO) -> None:
        content = {
            "notice": NOTICE,
            "event": risks.event,
            "curves": [
                {
                    "name": curve.name,
                    "hours": [round(time / HOUR, 7) for time in curve.times],
                    "risks": [round(risk, 4) for risk in curve.risks],
                }
                for curve in risks.curves
            ],
            "model": risks.model,
            "source": None if risks.source is None else printable(str(risks.source)),
        }
        write_json(content, file, risks.notes)


@dataclass(frozen=True)
class RisksPicture:
    """The curves of the highest risks at the end, over hours."""

    extension: ClassVar[str] = "png"
    mode: ClassVar[str] = "wb"

    def write(self, risks: Risks, file: BinaryIO) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 5), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        shown = sorted(risks.curves, key=lambda curve: -curve.last)[:DRAWN]
        for curve in shown:
            hours = [time / HOUR for time in curve.times]
            axes.plot(hours, [100 * risk for risk in curve.risks], lw=1.4, label=curve.name[:40])
        axes.set_xlabel("hours")
        axes.set_ylabel("risk in %")
        axes.set_ylim(0, 100)
        axes.set_title(f"Risk of {risks.event}", loc="left")
        axes.grid(alpha=0.3)
        axes.text(1.0, 1.01, NOTICE, ha="right", va="bottom", fontsize=9, transform=axes.transAxes)
        figure.legend(fontsize=8, loc="outside right upper", title=f"highest of {len(risks.curves)}")
        figure.savefig(file, format="png")


FORMATS = {"txt": RisksText, "csv": RisksCSV, "json": RisksJSON, "png": RisksPicture}
