"""Forecast series: their future values, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from pipelines.commands.arguments import Group, parse
from pipelines.commands.folders import FolderCommand, run_over, work_of
from pipelines.reading.settings import ForecastOptions

GROUPS = (
    Group("forecast", ForecastOptions, ("horizon", "level")),
    Group("columns", ForecastOptions, ("time", "id", "target")),
    Group("computing", ForecastOptions, ("batch_size", "device")),
)


@dataclass(frozen=True)
class ForecastCommand(FolderCommand):
    """Forecast series, with a model that `triscribe train forecast` made.

    Tables have a series a column, or the columns unique_id, ds and y.

    What is known of the future stands in rows behind the last value.

    Files that cannot be read are reported, and the others are still read.
    """

    inputs: Positional[tuple[str, ...]]
    """Tables, folders or patterns."""
    format: str = "csv"
    """Output formats, separated by commas: csv, json, txt, png."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(ForecastCommand, "forecast", arguments, GROUPS)
    return run_over(command, work_of("forecast", command, keywords))
