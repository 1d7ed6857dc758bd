"""Tell the risk of an event for each hour. Not a medical device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from pipelines.commands.arguments import Group, parse
from pipelines.commands.folders import FolderCommand, run_over, work_of
from pipelines.reading.settings import RiskOptions

GROUPS = (
    Group("measurements", RiskOptions, ("static",)),
    Group("computing", RiskOptions, ("batch_size", "device", "precision")),
)


@dataclass(frozen=True)
class Risk(FolderCommand):
    """Tell the risk of an event for each hour, with a model of `train risk`.

    Not a medical device: what it writes is no diagnosis.

    Files that cannot be read are reported, and the others are still read.
    """

    inputs: Positional[tuple[str, ...]]
    """Tables of measurements (CSV, Parquet, files of PhysioNet 2012), folders or patterns."""
    format: str = "txt"
    """Output formats, separated by commas: txt, csv, json, png (the curves)."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(Risk, "risk", arguments, GROUPS)
    return run_over(command, work_of("risk", command, keywords))
