"""The command line of a recipe: its options dataclasses, presets, and two sizes of help.

Importing this module imports neither torch nor tyro.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, fields, is_dataclass
from itertools import zip_longest
from pathlib import Path
from types import NoneType
from typing import Literal, TypeVar, get_args, get_origin, get_type_hints

from pipelines.commands.arguments import helps
from pipelines.errors import DataError
from recipes.learning.options import RunOptions
from recipes.learning.presets import options_of, preset_files, read_preset, way_out

Kind = TypeVar("Kind", bound=RunOptions)

WIDTH = 80  # columns of the help
COLUMN = 24  # at which descriptions begin

FIRST = (
    "data",
    "env",
    "hide",
    "memory",
    "steps",
    "out",
    "load",
    "preset",
    "name",
    "licence",
    "layout",
    "alphabet",
    "decoder",
    "epochs",
    "batch_size",
    "seed",
    "device",
    "threads",
    "resume",
)
"""The options that `--help` shows, in its order; `--help-all` shows all."""

METAVARS = {
    "data": "DIR ...",
    "out": "DIR",
    "load": "MODEL",
    "teacher": "MODEL",
    "texts": "FILE ...",
    "env": "ID",
    "hide": "PART ...",
    "name": "NAME",
}


@dataclass(frozen=True)
class Option:
    """One option as help shows it.

    Attributes:
        section: the title of its part of the help.
        name: of the field.
        usage: how it is written.
        text: what it is.
        default: as shown; empty where there is none.
    """

    section: str
    name: str
    usage: str
    text: str
    default: str = ""

    def __str__(self) -> str:
        text = f"{self.text} [{self.default}]" if self.default else self.text
        text = textwrap.fill(text, WIDTH, initial_indent=" " * COLUMN, subsequent_indent=" " * COLUMN)
        usage = f"  {self.usage}"
        if len(usage) < COLUMN - 1:
            return usage.ljust(COLUMN) + text[COLUMN:]
        return f"{usage}\n{text}"


def parse(kind: type[Kind], recipe: str, arguments: Sequence[str] | None = None) -> Kind:
    """The options that a command line gives.

    A field has its default, unless the preset, the model of `--like` or the command line say otherwise, the
    later the stronger.

    Args:
        kind: the options of a recipe.
        recipe: its name.
        arguments: those behind `triscribe train RECIPE`; of this process if not given.

    Raises:
        DataError: a preset, or the model of `--like`, cannot be used.
        ValueError: an option does not exist.
        SystemExit: help was asked for, or a value is wrong.
    """
    arguments = [*(sys.argv[1:] if arguments is None else arguments)]
    for asked, everything in (("--help-all", True), ("--help", False), ("-h", False)):
        if asked in arguments:
            print(help_text(kind, recipe, everything))
            raise SystemExit(0)
    names = [option.name for option in described(kind)]
    from recipes.learning.origins import NONE, assumed  # which help need not wait for

    found = assumed(arguments, kind.task)
    if found:
        told = " ".join(f"--{name} {value}" for name, value in found.items())
        print(f"learning on from corrected results: {told}", file=sys.stderr)
        arguments += [each for name, value in found.items() for each in (f"--{name}", value)]
    if _taken([*arguments], "--load") == NONE:
        _taken(arguments, "--load")
    preset, like = _taken(arguments, "--preset"), _taken(arguments, "--like")
    given = {_name(argument, names) for argument in arguments if argument.startswith("--")}
    chosen: dict[str, object] = {}
    if preset:
        chosen |= read_preset(preset, kind, names)
    if like:
        chosen |= _options_like(like, kind, names)
    chosen = {name: value for name, value in chosen.items() if name not in given}

    import tyro

    try:
        return tyro.cli(
            tyro.conf.OmitArgPrefixes[kind],
            prog=f"triscribe train {recipe}",
            args=list(_with_values([*_written(chosen), *arguments], kind)),
        )
    except SystemExit:
        if chosen:
            sources = " and ".join(
                f"--{name} {value}" for name, value in (("preset", preset), ("like", like)) if value
            )
            print(f"Options that come from {sources}: {' '.join(_written(chosen))}", file=sys.stderr)
        raise


def help_text(kind: type[RunOptions], recipe: str, everything: bool = False) -> str:
    """The help of a recipe: its first options, or all of them by section."""
    command = f"triscribe train {recipe}"
    lines = [f"usage: {command} {kind.needs} [options]", "", inspect.cleandoc(kind.__doc__), ""]
    options = [*described(kind), *_own(kind)]
    if everything:
        section = None
        for option in options:
            if option.section != section:
                section = option.section
                lines += ["", textwrap.fill(section, WIDTH)]
            lines.append(str(option))
        return "\n".join(lines)
    by_name = {option.name: option for option in options}
    for name in FIRST:
        if name in by_name:
            option = by_name[name]
            first = option.text.split(". ")[0].removesuffix(".") + "."
            lines.append(str(Option("", name, option.usage, first, option.default)))
    lines += ["", f"All {len(options)} options: {command} --help-all"]
    return "\n".join(lines)


def described(kind: type) -> list[Option]:
    """The options of a dataclass and of those in it, in the order of their sections."""
    options, parts = [], []
    whole, texts, hints = kind(), helps(kind), get_type_hints(kind)
    section = inspect.cleandoc(kind.__doc__).partition("\n\n")[0].replace("\n", " ")
    section = "Data and model" if issubclass(kind, RunOptions) else section.removesuffix(".")
    for each in fields(kind):
        value = getattr(whole, each.name)
        if is_dataclass(value):
            parts += described(type(value)) if value == type(value)() else _with(value)
            continue
        default = getattr(kind, "new", {}).get(each.name) if value is None else value
        usage = _usage(each, hints[each.name])
        options.append(Option(section, each.name, usage, texts[each.name], _default(default)))
    return options + parts


def _with(value: object) -> list[Option]:
    """The options of a dataclass whose defaults are those of this one."""
    return [
        Option(option.section, option.name, option.usage, option.text, _default(getattr(value, option.name)))
        for option in described(type(value))
    ]


def _own(kind: type) -> list[Option]:
    """What is an option of the command line only."""
    section, listed = "Where options come from", ", ".join(preset_files(kind))
    return [
        Option(section, "preset", "--preset NAME|FILE", f"Options from a preset ({listed}) or a TOML file."),
        Option(
            section,
            "like",
            "--like MODEL",
            "Options and sizes that this model was trained with, a model file or a bundled name.",
        ),
        Option(section, "help_all", "--help-all", "Show all options."),
    ]


def _usage(field: Field, hint: object) -> str:
    name = field.name.replace("_", "-")
    parts = [
        part for part in (get_args(hint) if NoneType in get_args(hint) else (hint,)) if part is not NoneType
    ]
    (part,) = parts
    if part is bool:
        return f"--{name}, --no-{name}"
    if field.name in METAVARS:
        return f"--{name} {METAVARS[field.name]}"
    if get_origin(part) is Literal:
        choices = "|".join(map(str, get_args(part)))
        return f"--{name} {choices if len(choices) < 40 else 'NAME'}"
    values = {int: "N", float: "X", str: "TEXT", Path: "PATH"}
    if get_origin(part) is tuple:
        kinds = get_args(part)
        if Ellipsis in kinds:
            return f"--{name} {values[kinds[0]]} ..."
        return f"--{name} {' '.join(values[each] for each in kinds)}"
    return f"--{name} {values[part]}"


def _default(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


def _with_values(arguments: Sequence[str], kind: type) -> Iterator[str]:
    """Flags that may also be unset with a value behind them, since tyro makes no flags of these."""
    flags = set(_unset_flags(kind))
    for argument, following in zip_longest(arguments, arguments[1:]):
        name = argument.removeprefix("--").replace("-", "_")
        if argument.startswith("--") and name in flags and following not in ("True", "False", "None"):
            yield from (argument, "True")
        elif argument.startswith("--no-") and name.removeprefix("no_") in flags:
            yield from (f"--{argument.removeprefix('--no-')}", "False")
        else:
            yield argument


def _unset_flags(kind: type) -> Iterator[str]:
    for name, hint in get_type_hints(kind).items():
        if is_dataclass(hint):
            yield from _unset_flags(hint)
        elif {bool, NoneType} == set(get_args(hint)):
            yield name


def _name(argument: str, names: Sequence[str]) -> str:
    """The option that an argument gives."""
    option = argument.partition("=")[0]
    name = option[2:].replace("-", "_")
    for known in (name, name.removeprefix("no_")):
        if known in names:
            return known
    raise ValueError(f"there is no option {option}; {way_out(name, [*names, 'preset', 'like'], _option)}")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _taken(arguments: list[str], option: str) -> str | None:
    """The value of an option, taken out of the arguments; the last one counts."""
    value = None
    while True:
        place = next((i for i, each in enumerate(arguments) if each.partition("=")[0] == option), None)
        if place is None:
            return value
        name, equals, value = arguments.pop(place).partition("=")
        if not equals:
            if place == len(arguments) or arguments[place].startswith("--"):
                raise ValueError(f"{name} needs a value")
            value = arguments.pop(place)


def _options_like(model: str, kind: type[RunOptions], names: Sequence[str]) -> dict[str, object]:
    from pipelines.model import read_header

    header = read_header(model)
    if header["task"] != kind.task:
        cause = f"is a model for {header['task']}, not for {kind.task}"
        raise DataError(model, cause, f"give --like a model for {kind.task}")
    return options_of(header, names, {name for part in kind().sizes() for name in part.new})


def _written(options: Mapping[str, object]) -> Iterator[str]:
    """Options as a command line has them."""
    for name, value in options.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            yield f"--{option}" if value else f"--no-{option}"
        elif isinstance(value, list | tuple):
            yield from (f"--{option}", *map(str, value))
        else:
            yield from (f"--{option}", str(value))
