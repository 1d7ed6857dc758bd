"""Detect anomalies in series: scores, and events with start and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from pipelines.commands.arguments import Group, parse
from pipelines.commands.folders import FolderCommand, run_over, work_of
from pipelines.reading.settings import DetectOptions

GROUPS = (
    Group("events", DetectOptions, ("threshold", "share", "max_alarms")),
    Group("columns", DetectOptions, ("time", "id", "target")),
    Group("computing", DetectOptions, ("batch_size", "device")),
)


@dataclass(frozen=True)
class Detect(FolderCommand):
    """Find what stands out in series, with a model of `triscribe train anomaly`.

    Tables have a series a column, or the columns unique_id, ds and y.

    No score depends on what comes after it.

    Files that cannot be read are reported, and the others are still read.
    """

    inputs: Positional[tuple[str, ...]]
    """Tables, folders or patterns."""
    format: str = "txt"
    """Output formats, separated by commas: txt, csv, json, png."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(Detect, "detect", arguments, GROUPS)
    return run_over(command, work_of("detect", command, keywords))
