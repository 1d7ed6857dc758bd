"""Command lines made from options dataclasses: the docstring below a field is its help text.

Only its first sentence is shown, so that a page of help stays short.

A command is a dataclass of its own options and groups of flags, each from a dataclass of Python's keyword
arguments, with the same names, types and defaults. Only this differs: `strict` becomes its opposite
`--lenient`, and words and paths are plain text.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, make_dataclass
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

LENIENT = "Read what can be read of damaged or silent files, instead of refusing them."
SHORT = {"out": "-o", "format": "-f", "model": "-m", "number": "-n"}
METAVARS = {int: "N", float: "X", str: "TEXT", Path: "PATH"}
NAMED = {"inputs": "INPUT ...", "audio": "AUDIO", "text": "TEXT", "file": "FILE", "model": "MODEL"}
NAMED |= {"format": "FORMATS", "device": "DEVICE", "map": "RULE", "set": "OPTION"}
_SENTENCE = re.compile(r"(?<=[^.][.])\s+(?=[A-Z])")


class UsageError(Exception):
    """A command line that cannot be understood."""


@dataclass(frozen=True)
class Group:
    """Flags that help shows together.

    Args:
        title: of the group, in lower case.
        options: the dataclass that declares them.
        names: which of its fields, in the order of the help.
    """

    title: str
    options: type
    names: tuple[str, ...]


def parse(kind: type[T], name: str, arguments: Sequence[str], groups: Iterable[Group] = ()) -> tuple[T, dict]:
    """What a command line says.

    Args:
        kind: dataclass of the command's own options; its docstring describes the command.
        name: of the command.
        arguments: what follows the name.
        groups: of flags from other dataclasses.

    Returns:
        The command's own options, and the keyword arguments of Python that the groups' flags stand for.

    Raises:
        SystemExit: with 0 after --help, with 2 where the arguments cannot be understood.
        UsageError: a file has the name of an option.
    """
    import tyro

    for each in arguments[: arguments.index("--")] if "--" in arguments else arguments:
        if each.startswith("-") and "." in each and os.path.lexists(each):
            raise UsageError(f"the file {each} would be taken for an option; write ./{each}")
    members = [_flag(kind, each.name) for each in fields(kind)]
    for group in groups:
        part = make_dataclass("Part", [_flag(group.options, each) for each in group.names], frozen=True)
        members.append((group.title, part, field(default_factory=part)))
    parsed = tyro.cli(
        make_dataclass("Arguments", members),
        prog=f"triscribe {name}",
        description=inspect.getdoc(kind),
        args=arguments,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )
    keywords = {name: value for group in groups for name, value in vars(getattr(parsed, group.title)).items()}
    if "lenient" in keywords:
        keywords["strict"] = not keywords.pop("lenient")
    return kind(**{each.name: getattr(parsed, each.name) for each in fields(kind)}), keywords


@cache
def helps(kind: type) -> dict[str, str]:
    """The docstring below each field of a dataclass, its own or inherited, on one line."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__[:-1]):
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        for before, after in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(before, ast.AnnAssign) and isinstance(after, ast.Expr):
                found[before.target.id] = " ".join(ast.literal_eval(after.value).split())
    return found


def _flag(kind: type, name: str) -> tuple[str, Any, Field]:
    """Name, annotated type and default of the flag for a field."""
    from tyro.conf import arg

    declared = next(each for each in fields(kind) if each.name == name)
    hint, default, text = _hint(kind, name), declared.default, helps(kind)[name]
    if name == "strict":
        name, default, text = "lenient", False, LENIENT
    elif default == () and get_origin(_bare(hint)) is not tuple:
        default = ""
    aliases = [SHORT[name]] if name in SHORT and default is not MISSING else None
    hint, *markers = get_args(hint) if get_origin(hint) is Annotated else [hint]
    untold = default in (None, "", False, MISSING) or "(default: " in text
    shown = {"help_behavior_hint": ""} if untold else {}
    metavar = NAMED.get(name) or _metavar(hint)
    brief = _SENTENCE.split(text, maxsplit=1)[0]
    marked = Annotated[(hint, *markers, arg(help=brief, aliases=aliases, metavar=metavar, **shown))]
    return name, marked, field() if default is MISSING else field(default=default)


def _hint(kind: type, name: str) -> Any:
    """The type of a field on the command line: where Python also takes paths or lists, that of text."""
    hint = get_type_hints(kind, include_extras=True)[name]
    members = get_args(hint)
    if os.PathLike in members:
        return str | None if NoneType in members else str
    return hint


def _bare(hint: Any) -> Any:
    """A type without what is noted at it."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _metavar(hint: Any) -> str | None:
    known = [METAVARS[each] for each in (hint, *get_args(hint)) if each in METAVARS]
    return known[0] if known and get_origin(hint) is not Literal else None
