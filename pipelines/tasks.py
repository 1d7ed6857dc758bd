"""The table of tasks: what each one is made of, from the front end of its models to the files it writes.

A new modality is a front end, a reader, a writer, a recipe and a row in this table; nothing else is touched.
Rows name objects by dotted path, `package.module:name`, which `resolve` imports on first use. So this
module costs nothing to import, can be asked by any other without a circle, and a model for speech is loaded
without what only video needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Task:
    """One row of the table. Objects are named by dotted path.

    Attributes:
        name: as model files have it.
        command: the public function and command that does it.
        front_end: kind of its models' front end, as model files have it.
        encoder: class of that front end.
        result: dataclass of its results.
        formats: dictionaries of writers for these results, by name and file ending in lower case.
        default: name of the bundled model, if there is one.
        recipe: package that trains its models.
    """

    name: str
    command: str
    front_end: str
    encoder: str
    result: str
    formats: tuple[str, ...]
    default: str | None = None
    recipe: str | None = None


_PAGE_FORMATS = (
    "pipelines.writers.page_alto:FORMATS",
    "pipelines.writers.hocr:FORMATS",
    "pipelines.writers.tables:PAGE_FORMATS",
)

_ROWS = (
    Task(
        name="speech",
        command="transcribe",
        front_end="spectrogram",
        encoder="encoders.spectrogram:Spectrogram",
        result="pipelines.results:Transcript",
        formats=(
            "pipelines.writers.tables:TRANSCRIPT_FORMATS",
            "pipelines.writers.subtitles:FORMATS",
            "pipelines.writers.phonetics:FORMATS",
        ),
        default="speech-en-an4",
        recipe="recipes.asr",
    ),
    Task(
        name="handwriting",
        command="recognize",
        front_end="line_image",
        encoder="encoders.line_image:LineImage",
        result="pipelines.results:Page",
        formats=_PAGE_FORMATS,
        default="handwriting-fr",
        recipe="recipes.handwriting",
    ),
    Task(
        name="ink",
        command="recognize",
        front_end="strokes",
        encoder="encoders.strokes:Strokes",
        result="pipelines.results:Page",
        formats=_PAGE_FORMATS,
        recipe="recipes.ink",
    ),
    Task(
        name="action",
        command="recognize",
        front_end="frames",
        encoder="encoders.frames:Frames",
        result="pipelines.results:Actions",
        formats=("pipelines.writers.actions:FORMATS", "pipelines.writers.videos:FORMATS"),
        default="action-shapes",
        recipe="recipes.action",
    ),
    Task(
        name="captioning",
        command="caption",
        front_end="frames",
        encoder="encoders.frames:Frames",
        result="pipelines.results:Caption",
        formats=("pipelines.writers.captions:FORMATS",),
        default="captioning-emoji",
        recipe="recipes.captioning",
    ),
)

TASKS: dict[str, Task] = {row.name: row for row in _ROWS}
"""All rows by name."""


def resolve(path: str):
    """The object that a dotted path `package.module:name` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def front_ends() -> dict[str, str]:
    """The class of each kind of front end, as a dotted path."""
    return {row.front_end: row.encoder for row in TASKS.values()}


def recipes() -> tuple[str, ...]:
    """Names of the recipes, as `triscribe train` takes them."""
    return tuple(row.recipe.rpartition(".")[2] for row in TASKS.values() if row.recipe)


def formats(result: type) -> dict[str, type]:
    """The writers for a type of result, by name and file ending in lower case.

    Raises:
        TypeError: no row of the table has results of this type.
    """
    path = f"{result.__module__}:{result.__qualname__}"
    for row in TASKS.values():
        if row.result == path:
            return {name: each for group in row.formats for name, each in resolve(group).items()}
    known = dict.fromkeys(row.result.partition(":")[2] for row in TASKS.values())
    raise TypeError(f"no formats for {result.__name__}; there are some for {', '.join(known)}")
