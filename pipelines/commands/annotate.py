"""Mark waves, beats and events in signals such as an ECG. Not a medical device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from pipelines.commands.arguments import Group, parse
from pipelines.commands.folders import FolderCommand, run_over, work_of
from pipelines.reading.settings import AnnotationOptions

GROUPS = (
    Group("signals", AnnotationOptions, ("leads", "switch", "rate", "strict")),
    Group("computing", AnnotationOptions, ("batch_size", "device", "precision")),
)


@dataclass(frozen=True)
class Annotate(FolderCommand):
    """Mark waves, beats or events in signals.

    The bundled model ecg-waves marks P, QRS and T; `train annotate` makes others.

    Not a medical device: what it writes is no diagnosis.

    Files that cannot be read are reported, and the others are still read.
    """

    inputs: Positional[tuple[str, ...]]
    """WFDB headers (.hea), EDF and BDF files, tables with a row a time step, WAV, folders or patterns."""
    format: str = "txt"
    """Output formats, separated by commas: txt, csv, json, atr (WFDB), png (ECG paper)."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(Annotate, "annotate", arguments, GROUPS)
    return run_over(command, work_of("annotate", command, keywords))
