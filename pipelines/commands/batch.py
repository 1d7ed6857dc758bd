"""Read mixed folders, every file by the task that it is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tyro.conf import Positional, UseAppendAction

from pipelines.commands.arguments import Group, UsageError, parse
from pipelines.commands.interruption import interruptible
from pipelines.reading.settings import SpeechOptions

if TYPE_CHECKING:
    from pipelines.batch.engines.prober import Prober

Repeated = UseAppendAction[tuple[str, ...]]

GROUPS = (Group("computing", SpeechOptions, ("batch_size", "device", "precision", "strict")),)


@dataclass(frozen=True)
class BatchCommand:
    """Read every file of mixed folders: speech, handwriting, ink, videos and pictures.

    What is done already is not done again: a run that was stopped goes on.

    Rules may also stand in a `triscribe.toml` in a folder; see docs/batch.md.
    """

    inputs: Positional[tuple[str, ...]]
    """Folders, files or patterns."""
    out: Path | None = None
    """Output folder; it mirrors the tree of the inputs."""
    format: Repeated = ()
    """Output formats besides JSON: `srt,txt` for all tasks that have them, or `handwriting=page,alto`."""
    model: Repeated = ()
    """Model file, name, or folder of models; may be repeated; auto stands for all bundled ones. Of several
    for a task, the most confident is taken."""
    map: Repeated = ()
    """Rule `PATTERN=TASK` or `PATTERN=TASK:MODEL`, such as "scans/**=handwriting:handwriting-en"; TASK is
    speech, handwriting, ink, action, captioning, text, tagging, language or skip."""
    tasks: str = ""
    """Tasks to do, separated by commas (default: all)."""
    set: Repeated = ()
    """Option of a task: `TASK.OPTION=VALUE`, such as speech.hotwords=Kew."""
    overwrite: bool = False
    """Read everything again, and replace edited files and those that triscribe did not make."""
    retry_failed: bool = False
    """Try again what failed in an earlier run."""
    parquet: bool = False
    """Also write results.parquet."""
    embed: bool = False
    """Have the page index.html hold short recordings and reduced images, instead of links to the files."""
    watch: bool = False
    """Go on, and read what comes into the folders, until Ctrl-C."""
    settle: float = 5.0
    """Seconds for which a file must not have changed, with --watch."""
    quiet: bool = False
    """Say nothing but what failed."""
    progress: str = "bar"
    """How progress is shown: bar, jsonl for lines of JSON on standard error, or a file for such lines."""
    workers: int | None = None
    """Worker processes (default: one for each core); 0 reads in this process."""
    threads: int = 0
    """Number of CPU threads of all workers together; 0 gives each worker one."""
    time_limit: float = 2.0
    """Seconds that a second of media may take to read, after the first minute. A page or picture counts as
    30 seconds."""
    memory_limit: float = 0.0
    """Gigabytes that a worker may need (default: its share of the machine's)."""
    engine: Literal["local", "ray"] = "local"
    """What reads: worker processes of this machine, or actors on a Ray cluster, each with so many --threads;
    see docs/scale.md."""
    address: str | None = None
    """HOST:PORT of a Ray cluster (default: that of RAY_ADDRESS, or a new one on this machine)."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    from pipelines.batch.engines.prober import Prober

    with closing(Prober()) as prober, usage_errors():  # which imports while this process does
        return _run(arguments, prober)


def _run(arguments: Sequence[str], prober: Prober) -> int:
    command, keywords = parse(BatchCommand, "batch", arguments, GROUPS)
    from pipelines.batch.engines.choosing import engine_for
    from pipelines.batch.engines.limits import Limits
    from pipelines.batch.engines.prober import directly
    from pipelines.batch.mixed import Batch
    from pipelines.batch.rules import Rules, formats_given, known_task, set_options
    from pipelines.batch.telling import QUIET, Telling
    from pipelines.batch.units import read
    from pipelines.batch.watching import Watcher

    if not command.inputs:
        raise UsageError("name at least one folder, file or pattern")
    if command.out is None:
        raise UsageError("name a folder for the outputs: -o OUT")
    plain = SpeechOptions()
    common = {name: value for name, value in keywords.items() if value != getattr(plain, name)}
    limits = Limits(command.time_limit, command.memory_limit)
    engine = engine_for(command.workers, command.threads, limits, command.engine, command.address)
    prober.limits = limits
    ask = directly if engine is read else prober
    rules = Rules(
        tuple(known_task(task.strip()) for task in command.tasks.split(",") if task.strip()),
        tuple(_rule(text) for text in command.map),
        command.model,
        formats_given(command.format),
        set_options(command.set),
    )
    batch = Batch(
        command.inputs,
        command.out,
        rules,
        common,
        overwrite=command.overwrite,
        retry_failed=command.retry_failed,
        parquet=command.parquet,
        embed=command.embed,
        engine=engine,
        ask=ask,
    )
    telling = Telling(batch, QUIET if command.quiet else command.progress)
    if command.watch:
        return telling.watch(Watcher(command.inputs, command.settle), interruptible)
    with interruptible():
        return telling()


@contextmanager
def usage_errors() -> Iterator[None]:
    """Within it, options out of range are wrong usage."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from error


def _rule(text: str):
    from pipelines.batch.rules import Rule

    pattern, equals, target = text.partition("=")
    if not equals:
        raise UsageError(f"a rule is PATTERN=TASK or PATTERN=TASK:MODEL, not {text!r}")
    return Rule.of(pattern, target)
