"""Find where each line and word of a known text is in a recording."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from pipelines.commands.arguments import Group, UsageError, parse
from pipelines.commands.folders import chosen_formats, use_threads
from pipelines.commands.interruption import interruptible
from pipelines.commands.transcribe import COMPUTING
from pipelines.reading.settings import AlignmentOptions

GROUPS = (
    Group("alignment", AlignmentOptions, ("language", "min_confidence", "longest", "track", "strict")),
    Group("computing", AlignmentOptions, COMPUTING),
)


@dataclass(frozen=True)
class Align:
    """Find where each line and word of a known text is in a recording.

    Lines that are not in the recording are listed, and the exit code is then 1.
    """

    audio: Positional[str]
    """A recording or video."""
    text: Positional[str]
    """A text file with one segment on each line; or subtitles (SRT, VTT), or a transcript in JSON or TSV."""
    out: Path = Path(".")
    """Output folder."""
    format: str = "srt"
    """Output formats, separated by commas: ctm, textgrid, srt, json, vtt, tsv, txt."""
    model: str | None = None
    """Model file or name of a bundled model (default: the bundled one for speech)."""
    overwrite: bool = False
    """Also replace existing files that triscribe did not make."""
    threads: int = 0
    """Number of CPU threads; 0 leaves the choice to torch."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(Align, "align", arguments, GROUPS)
    from pipelines.batch.journal import Journal
    from pipelines.batch.plan import plan
    from pipelines.model_file import header_for
    from pipelines.results import Transcript
    from pipelines.writers import write_atomically, writer

    try:
        formats = chosen_formats(command.format, Transcript)
        AlignmentOptions.of(keywords)
        use_threads(command.threads)
    except ValueError as error:
        raise UsageError(str(error)) from error
    name, _ = header_for("speech", command.model)
    source = Path(command.audio)
    (job,) = plan([source], [source], command.out, formats)
    journal = Journal(command.out)
    foreign = None if command.overwrite else journal.foreign(job, "align", name)
    edited = next(filter(journal.is_edited, job.outputs), None)
    if edited and not command.overwrite:
        foreign = foreign or f"{edited} was edited since triscribe wrote it"
    if foreign:
        raise UsageError(f"{foreign}; give --overwrite or another --out")
    with interruptible():
        from pipelines.aligning import align

        result = align(source, Path(command.text), command.model, **keywords)
    for output, chosen in zip(job.outputs, formats, strict=True):
        with write_atomically(output) as file:
            writer(chosen, Transcript).write(result, file)
    journal.add(job, name, None, task="align")
    missing = [segment for segment in result.segments if not segment.found]
    for segment in missing:
        print(f"not in the recording: {segment.text}", file=sys.stderr)
    lines = f"{len(result.segments)} line{'s' * (len(result.segments) != 1)}"
    print(f"{len(result.segments) - len(missing)} of {lines} placed: {', '.join(map(str, job.outputs))}")
    return 1 if missing else 0
