"""The `triscribe` command. Exit codes: 0 success, 1 something failed, 2 wrong usage, 130 interrupted."""

from __future__ import annotations

import ast
import errno
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from pipelines import __version__
from pipelines.commands.arguments import UsageError
from pipelines.commands.interruption import INTERRUPTED
from pipelines.errors import TriscribeError, printable

COMMANDS = (
    "transcribe",
    "recognize",
    "caption",
    "align",
    "classify",
    "tag",
    "forecast",
    "detect",
    "translate",
    "score",
    "generate",
    "annotate",
    "risk",
    "batch",
    "correct",
    "next",
    "train",
    "evaluate",
    "models",
    "info",
    "gates",
)
SUMMARY = "Recognise speech, handwriting, ink and video, with models trained on your own data."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    name, *rest = [*(sys.argv[1:] if arguments is None else arguments)] or [""]
    if name in ("--version", "-V"):
        print(f"triscribe {__version__}")
        return 0
    if name in ("--help", "-h"):
        print(overview())
        return 0
    try:
        return import_module(f"pipelines.commands.{_known(name)}").main([*map(_from_home, rest)])
    except UsageError as error:
        print(f"triscribe: {error}", file=sys.stderr)
        return 2
    except TriscribeError as error:
        print(f"triscribe: {str(error).removeprefix('triscribe: ')}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a full disk, a folder that may not be written to
        print(printable(f"triscribe: {told(error)}"), file=sys.stderr)
        return 1


def _from_home(argument: str) -> str:
    """An argument with the home folder for ~, which shells leave in quotes and behind an equals sign."""
    name, equals, value = argument.rpartition("=") if argument.startswith("--") else ("", "", argument)
    at_home = (value == "~" or value.startswith("~/")) and not os.path.exists("~")
    return f"{name}{equals}{os.path.expanduser(value)}" if at_home else argument


def told(error: OSError) -> str:
    """What the operating system refused, where, and what to do about it."""
    where = f"{error.filename}: " if error.filename else ""
    ways = {
        errno.ENOSPC: "make room on the disk, or give another --out",
        errno.EDQUOT: "make room on the disk, or give another --out",
        errno.EROFS: "give another --out",
        errno.EACCES: "change its permissions, or give another --out",
    }
    way = ways.get(error.errno or 0)
    return f"{where}{error.strerror or error}{f'; {way}' if way else ''}"


def overview() -> str:
    """What `triscribe --help` prints: a line for each command, the first of its module's docstring."""
    lines = ["usage: triscribe COMMAND [OPTIONS] ...", "", SUMMARY, "", "commands:"]
    for name in COMMANDS:
        source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
        lines.append(f"  {name:<11} {ast.get_docstring(ast.parse(source)).splitlines()[0].rstrip('.')}")
    return "\n".join([*lines, "", "`triscribe COMMAND --help` shows the options of a command."])


def _known(name: str) -> str:
    """The command of this name.

    Raises:
        UsageError: there is none; the message names the nearest one.
    """
    if name in COMMANDS:
        return name
    near = get_close_matches(name.lower(), COMMANDS, 1)
    if near:
        raise UsageError(f"no command {name!r}; did you mean {near[0]}?")
    wrong = f"no command {name!r}" if name else "no command given"
    raise UsageError(f"{wrong}; choose from {', '.join(COMMANDS)}, or see triscribe --help")


if __name__ == "__main__":
    sys.exit(main())
