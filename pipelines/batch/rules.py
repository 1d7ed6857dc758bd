"""Rules for files of a mixed folder: to which task and model they go."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import get_args, get_type_hints

from pipelines.errors import DataError
from pipelines.options import Options
from pipelines.tasks import TASKS, resolve
from pipelines.tasks import formats as formats_of

FILE = "triscribe.toml"
SKIP = "skip"
AUTO = "auto"
KEYS = ("tasks", "map", "model", "formats", "options")


@dataclass(frozen=True)
class Rule:
    """Files of a name are read by a task.

    Attributes:
        pattern: `*.mp4` is any file of that name; `scans/*.png` is one in that folder; `scans/**` is
            everything below it. Case is ignored.
        task: name of a task, or SKIP.
        model: a file or name, or None for the one that is meant otherwise.
    """

    pattern: str
    task: str
    model: str | None = None

    @classmethod
    def of(cls, pattern: str, target: str) -> Rule:
        """A rule from `PATTERN` and `TASK` or `TASK:MODEL`.

        Raises:
            ValueError: there is no such task, or the pattern is empty.
        """
        task, _, model = target.strip().partition(":")
        if not pattern.strip():
            raise ValueError(f"a rule needs a pattern: PATTERN=TASK or PATTERN=TASK:MODEL, not {target!r}")
        return cls(pattern.strip(), known_task(task.strip(), (SKIP,)), model.strip() or None)

    def matches(self, *names: str) -> bool:
        """Whether it is about a file, given by its path from the folder of the rule, or by several such."""
        return any(_expression(self.pattern).fullmatch(name) for name in names)

    def __str__(self) -> str:
        return f"{self.pattern}={self.task}{':' + self.model if self.model else ''}"


@dataclass(frozen=True)
class Rules:
    """What the command line, or a `triscribe.toml`, says of files.

    Attributes:
        tasks: that are done at all; empty for all.
        rules: of those that match a file, the last counts.
        models: files, names or folders of models, and AUTO.
        formats: names of formats by task; those under "" are for all tasks that have them.
        options: of the readers, by task.
        folder: of the `triscribe.toml`.
    """

    tasks: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    models: tuple[str, ...] = ()
    formats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    folder: Path | None = None

    def rule_for(self, *names: str) -> Rule | None:
        """The rule that counts for a file."""
        return next((rule for rule in reversed(self.rules) if rule.matches(*names)), None)


def read_rules(folder: Path) -> Rules | None:
    """The rules of the `triscribe.toml` in a folder, if it has one. Paths in it are relative to the folder.

    Raises:
        DataError: it cannot be read or understood.
    """
    path = folder / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(path, f"cannot be read ({error})", "mend or remove it") from error
    try:
        for key in content:
            if key not in KEYS:
                raise ValueError(f"no key {key!r}{near(key, KEYS)}; keys are {', '.join(KEYS)}")
        return Rules(
            tuple(known_task(task) for task in _texts(content, "tasks")),
            tuple(
                _located_rule(Rule.of(pattern, target), folder)
                for pattern, target in _table(content, "map", str).items()
            ),
            tuple(_located(model, folder) for model in _texts(content, "model")),
            _formats(content),
            {
                task: {name: _located(value, folder) for name, value in given.items()}
                for task, given in _table(content, "options", dict).items()
            },
            folder,
        )
    except ValueError as error:
        raise DataError(path, str(error), "mend it") from error


def formats_given(given: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Formats by task from texts such as `srt,txt`, which is for all tasks, or `handwriting=page,alto`.

    Raises:
        ValueError: an unknown task, or no format at all.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in given:
        task, has_task, names = text.rpartition("=")
        listed = tuple(name.strip().lower() for name in names.split(",") if name.strip())
        if not listed:
            raise ValueError(f"formats {text!r} name no format")
        task = known_task(task.strip()) if has_task else ""
        found[task] = (*found.get(task, ()), *listed)
    return found


def chosen_formats(layers: Sequence[Rules]) -> dict[str, list[str]]:
    """The formats of each task: JSON always, and what the first of the layers says, or else the usual ones.

    Raises:
        ValueError: a format that the task has not, or that no task has.
    """
    known = {task: formats_of(resolve(row.result)) for task, row in TASKS.items()}
    everything = sorted({name for each in known.values() for name in each})
    chosen = {}
    for task, row in TASKS.items():
        names: Sequence[str] = row.usual
        for layer in layers:
            if task in layer.formats:
                names = layer.formats[task]
                wrong = next((name for name in names if name not in known[task]), None)
                if wrong:
                    raise ValueError(
                        f"no format {wrong!r} for {task}{near(wrong, known[task])}; "
                        f"choose from {', '.join(known[task])}"
                    )
                break
            if "" in layer.formats:
                wrong = next((name for name in layer.formats[""] if name not in everything), None)
                if wrong:
                    choose = f"choose from {', '.join(everything)}"
                    raise ValueError(f"no format {wrong!r}{near(wrong, everything)}; {choose}")
                names = [name for name in layer.formats[""] if name in known[task]]
                break
        chosen[task] = list({known[task][name]: name for name in ("json", *names)}.values())
    return chosen


def options_for(task: str, layers: Sequence[Mapping[str, object]]) -> Options:
    """The options of a task, each from the first layer that gives it.

    Raises:
        ValueError: an unknown option, or one out of range.
    """
    kind = resolve(TASKS[task].options)
    merged = {name: value for layer in reversed(layers) for name, value in layer.items()}
    hints = get_type_hints(kind)
    try:
        return kind.of({name: _typed(value, hints.get(name)) for name, value in merged.items()})
    except TypeError as error:
        raise ValueError(f"{task}: {error}") from error


def set_options(given: Sequence[str]) -> dict[str, dict[str, object]]:
    """Options by task from texts such as `speech.hotwords=Kew,Hooker`.

    Raises:
        ValueError: a text that is no such thing, or an unknown task.
    """
    found: dict[str, dict[str, object]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        task, dot, option = name.strip().partition(".")
        if not (equals and dot):
            raise ValueError(f"an option is set by TASK.OPTION=VALUE, not {text!r}")
        found.setdefault(known_task(task), {})[option.replace("-", "_")] = value.strip()
    return found


def known_task(name: str, more: Sequence[str] = ()) -> str:
    """The name, if a task has it.

    Raises:
        ValueError: none has.
    """
    known = (*TASKS, *more)
    if name not in known:
        raise ValueError(f"no task {name!r}{near(name, known)}; choose from {', '.join(known)}")
    return name


def near(name: str, known: Sequence[str]) -> str:
    """The clause that offers the known name most like the given one, or nothing."""
    found = get_close_matches(name, known, 1)
    return f", did you mean {found[0]!r}?" if found else ""


def _expression(pattern: str) -> re.Pattern[str]:
    if pattern.startswith("./"):
        pattern = pattern[2:]
    if pattern.endswith("/"):
        pattern += "**"
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    told = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    anywhere = "" if "/" in pattern else "(?:.*/)?"
    return re.compile(anywhere + "".join(told.get(part, re.escape(part)) for part in parts), re.I | re.S)


def _typed(value: object, hint: object) -> object:
    """A value as an option of this type has it, where it is given as text."""
    if not isinstance(value, str):
        return tuple(value) if isinstance(value, list) else value
    kinds = {hint, *get_args(hint)}
    if bool in kinds and value.lower() in ("true", "false", "yes", "no"):
        return value.lower() in ("true", "yes")
    if type(None) in kinds and value.lower() == "none" and str not in kinds:
        return None
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(value)
            except ValueError:
                continue
    if kinds & {int, float, bool} and str not in kinds:
        raise ValueError(f"{value!r} is no value of this option")
    return value


def _texts(content: Mapping, key: str) -> list[str]:
    given = content.get(key, [])
    given = [given] if isinstance(given, str) else given
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise ValueError(f"{key} must be a text or a list of texts")
    return given


def _table(content: Mapping, key: str, kind: type) -> dict:
    given = content.get(key, {})
    if not isinstance(given, dict) or not all(isinstance(each, kind) for each in given.values()):
        held = "texts" if kind is str else "tables"
        raise ValueError(f"[{key}] must be a table of {held}")
    if key == "options":
        for task in given:
            known_task(task)
    return given


def _formats(content: Mapping) -> dict[str, tuple[str, ...]]:
    given = content.get("formats", {})
    if isinstance(given, dict):
        listed = {task: _texts(given, task) for task in given}
        texts = [f"{task}={','.join(names)}" for task, names in listed.items()]
    else:
        texts = [",".join(_texts(content, "formats"))]
    return formats_given(texts)


def _located(value: object, folder: Path) -> object:
    """A path in a `triscribe.toml`, from its folder; anything else as it is."""
    if isinstance(value, str) and value and len(value) < 1000 and "\0" not in value:
        path = folder / value
        if path.exists() and not Path(value).is_absolute():
            return str(path)
    return value


def _located_rule(rule: Rule, folder: Path) -> Rule:
    return Rule(rule.pattern, rule.task, _located(rule.model, folder))


def option_names(kind: type) -> set[str]:
    """Names of the options in a dataclass."""
    return {each.name for each in fields(kind)}
