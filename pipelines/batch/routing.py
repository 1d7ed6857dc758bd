"""Where each file of a mixed folder goes: to a task and a model, by rules, by its content, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from pipelines.batch.engines.prober import Ask, directly
from pipelines.batch.plan import absolute
from pipelines.batch.rules import AUTO, FILE, SKIP, Rule, Rules, option_names, options_for, read_rules
from pipelines.batch.units import Route, Unit
from pipelines.batch.work import Models
from pipelines.errors import DataError, MediaError, ModelError, TriscribeError
from pipelines.media.kind import (
    IMAGE,
    LAYOUT,
    RECORDING,
    TEXT,
    VIDEO,
    Kind,
    kind_or_name,
    named_kind,
)
from pipelines.media.remote import is_remote
from pipelines.model_file import bundled, header_for, located, read_header
from pipelines.options import Options
from pipelines.reading.sources import are_several, reason_to_pass, units_of, why_unread
from pipelines.tasks import TASKS, Task, resolve

Choose = Callable[[list[Route], Path], Route]
"""Routes that differ in their models, and a file -> the one whose model fits it best."""


class Routing:
    """What a run over mixed folders does with each of its inputs.

    What the command line says goes before what a `triscribe.toml` says, the nearest one above a file first,
    up to the folder that was given; either goes before the content of the file.

    Args:
        inputs: files, folders and patterns.
        command: what the command line says.
        common: options of all tasks that have them.
        ask: calls what looks into files.

    Attributes:
        choose: among several models for a task; None takes the first.
        made: gives the model, with its options, that read a file as it is now in an earlier run; that stays.
        unopened: gives what was wrong with a file as it is now in an earlier run, if it could not be opened.

    Raises:
        ModelError: a model cannot be used.
        DataError: a `triscribe.toml` cannot be understood.
        ValueError: an option is unknown or out of range.
    """

    def __init__(
        self,
        inputs: Iterable[str | Path],
        command: Rules,
        common: dict[str, object] | None = None,
        ask: Ask = directly,
    ):
        self.command, self.common, self.ask = command, common or {}, ask
        self.roots = [path for path in map(absolute, inputs) if path.is_dir() or is_remote(path)]
        self.models = Models()
        self.choose: Choose | None = None
        self.made: Callable[[Path], str | None] | None = None
        self.unopened: Callable[[Path], MediaError | None] | None = None
        self._kind_of = cache(self._looked_at)
        self._broken: dict[Path, MediaError] = {}
        self._rules_in = cache(self._checked_rules_in)
        self._known = cache(known_models)
        self._options: dict[tuple, object] = {}
        self._routes: dict[Path, tuple[Route, ...] | str] = {}
        self._check(command)
        self.top = [rules for rules in map(self._rules_in, self.roots) if rules]

    @property
    def tasks(self) -> list[str]:
        """Names of all tasks."""
        return list(TASKS)

    def layers(self, path: Path) -> list[Rules]:
        """What is said of a file: by the command line, then by `triscribe.toml` files, the nearest first."""
        place = absolute(path)
        root = next((root for root in self.roots if place.is_relative_to(root)), place.parent)
        found = [self.command]
        for folder in place.parents:
            rules = self._rules_in(folder)
            if rules:
                if rules.formats and rules not in self.top:
                    cause = "formats can only be given in the folder that is named on the command line"
                    raise DataError(folder / FILE, cause, "move them there, or use -f")
                found.append(rules)
            if folder == root:
                break
        return found

    def is_whole(self, folder: Path) -> bool:
        """Whether a folder is one input; here every file is one."""
        return False

    def passed(self, path: Path) -> str | None:
        """Why a file in a folder is not read; None if it is; "" for what needs no mention."""
        if path.name == FILE:
            return ""
        if not is_remote(path) and path.exists() and not path.is_file():
            return "a pipe, socket or device"
        return self._refused(path)

    def excluded(self, path: Path) -> str | None:
        """Why a file that was named is not read although it might be; None if it is or cannot be."""
        return self._refused(path) if _readers(self._kind_of(path)) else None

    def _refused(self, path: Path) -> str | None:
        found = self.routes(path)
        return found if isinstance(found, str) and path not in self._broken else None

    def units(self, source: Path) -> list[Unit | TriscribeError]:
        """The source itself; or its parts; or what is wrong with it."""
        kind = self._kind_of(source)
        if fault := self._broken.get(source, kind.fault):
            return [fault]
        routes = self.routes(source)
        tasks = list(TASKS) if isinstance(routes, str) else [routes[0].task]
        options = None if isinstance(routes, str) else routes[0].options
        try:
            numbers = self.ask(numbers_of, source, tasks, options, kind)
        except TriscribeError as error:
            return [error]
        except OSError as error:
            return [MediaError(source, f"cannot be read ({error.strerror})", "check its name and the disk")]
        notes = self._notes(kind, source, routes)
        return [Unit(kind.source, kind.name, number, routes, notes) for number in numbers]

    def _looked_at(self, path: Path) -> Kind:
        """What a file is; what its name promises, where an earlier run or this one could not look at it."""
        try:
            if self.unopened and (error := self.unopened(path)):
                raise error
            return self.ask(kind_or_name, path)
        except MediaError as error:
            self._broken[path] = error
            name = named_kind(path)
            return Kind(name, path, os.fspath(path), name in (RECORDING, VIDEO), ruined=True)

    def routes(self, path: Path) -> tuple[Route, ...] | str:
        """What reads a file, in the order in which it is tried; or why nothing does."""
        if path not in self._routes:
            self._routes[path] = self._routes_of(path)
        return self._routes[path]

    def _routes_of(self, path: Path) -> tuple[Route, ...] | str:
        kind, layers = self._kind_of(path), self.layers(path)
        rule = self._rule(path, layers)
        if rule and rule.task == SKIP:
            return f"rule {rule}"
        allowed = next((layer.tasks for layer in layers if layer.tasks), ())
        rows = _readers(kind)
        if not rows:
            return why_unread(kind, path)
        if rule:
            rows = [row for row in rows if row.name == rule.task]
            if not rows:
                return f"{_a(kind.name)}, which {rule.task} does not read (rule {rule})"
        elif allowed:
            rows = [row for row in rows if row.name in allowed]
            if not rows:
                return f"{_a(kind.name)}, left out by tasks = {', '.join(allowed)}"
        reasons = {} if rule else {row.name: reason_to_pass(row, path, kind) for row in rows}
        rows = [row for row in rows if not reasons.get(row.name)]
        if not rows:
            return next(iter(reasons.values()))
        able = [row for row in rows if self._models(row.name, layers, rule)]
        if not able:
            return f"{rows[0].name}, for which no model is given (-m)"
        row, rows = able[0], able
        if not (row.shows and kind.name == IMAGE == row.kinds[0]) or self._has_layout(path):
            rows = rows[:1]
        else:
            rows = [row, *(each for each in rows[1:] if each.kinds[0] == IMAGE)]
        return tuple(self._route(each.name, path, layers, rule) for each in rows)

    def _rule(self, path: Path, layers: Sequence[Rules]) -> Rule | None:
        place = absolute(path)
        for layer in layers:
            folders = [layer.folder] if layer.folder else self.roots
            names = [
                place.relative_to(folder).as_posix() for folder in folders if place.is_relative_to(folder)
            ]
            if layer.folder is None:
                names += [Path(path).as_posix(), place.as_posix()]
            rule = layer.rule_for(*names)
            if rule:
                return rule
        return None

    def _route(self, task: str, path: Path, layers: Sequence[Rules], rule: Rule | None) -> Route:
        options = self._options_of(task, layers)
        routes = [Route(task, model, options) for model in self._models(task, layers, rule)]
        if len(routes) > 1 and self.made and (before := self.made(path)):
            routes = [route for route in routes if self.models.signed(route) == before] or routes
        return self.choose(routes, path) if self.choose and len(routes) > 1 else routes[0]

    def forget(self, paths: Iterable[Path]) -> None:
        """Look at files anew, which have changed, and at rules."""
        self._kind_of.cache_clear()
        self._rules_in.cache_clear()
        self._broken.clear()
        for path in paths:
            self._routes.pop(path, None)

    def siblings(self, task: str, path: Path) -> list[Path]:
        """Files in the folder of a file that go to its task, in the order of their names."""
        found = []
        for each in [path] if is_remote(path) else sorted(path.parent.iterdir()):
            if not is_remote(each) and (each.name.startswith(".") or not each.is_file()):
                continue
            rows, rule = _readers(self._kind_of(each)), self._rule(each, self.layers(each))
            if rows and (rule.task if rule else rows[0].name) == task:
                found.append(each)
        return found

    def _options_of(self, task: str, layers: Sequence[Rules]) -> object:
        given = [layer.options.get(task, {}) for layer in layers]
        common = {name: value for name, value in self.common.items() if name in option_names_of(task)}
        given.insert(1, common)
        key = (task, *map(repr, given))
        if key not in self._options:
            self._options[key] = options_for(task, given)
        return self._options[key]

    def _models(self, task: str, layers: Sequence[Rules], rule: Rule | None = None) -> list[str]:
        """The models for a task among which to choose; one if there is no choice."""
        for layer in layers:
            if rule and rule in layer.rules and rule.model:
                return [rule.model]
            found = self._known(layer.models).get(task, [])
            if found:
                return found
        row = TASKS[task]
        return [row.default] if row.default and row.unasked else []

    def _has_layout(self, path: Path) -> bool:
        beside = path.with_suffix(".xml")
        return beside != path and beside.is_file() and self._kind_of(beside).name == LAYOUT

    def _notes(self, kind: Kind, path: Path, routes: tuple[Route, ...] | str) -> tuple[str, ...]:
        """What a user may have expected instead."""
        if kind.name != VIDEO or not kind.sound or isinstance(routes, str) or routes[0].task == "speech":
            return ()
        if self._rule(path, self.layers(path)):
            return ()
        return (f'its sound is not transcribed; --map "*{path.suffix}=speech" has that done instead',)

    def _checked_rules_in(self, folder: Path) -> Rules | None:
        """What the `triscribe.toml` of a folder says, if there is one.

        Raises:
            DataError: it cannot be understood, or an option in it is unknown or out of range.
            ModelError: a model in it cannot be used.
        """
        rules = read_rules(folder)
        if rules:
            try:
                self._check(rules)
            except ValueError as error:
                raise DataError(folder / FILE, str(error), "mend it") from error
        return rules

    def _check(self, rules: Rules) -> None:
        """Models, tasks and options exist.

        Raises:
            ModelError: a model cannot be used, or not for the task of its rule.
            ValueError: an option is unknown or out of range.
        """
        self._known(rules.models)
        for rule in rules.rules:
            if rule.model:
                header_for(rule.task, rule.model)
        for task in rules.options:
            self._options_of(task, [rules])


def known_models(given: Sequence[str]) -> dict[str, list[str]]:
    """The models that are given, by task. AUTO stands for those that are bundled, but not for tasks that no
    model does unasked, such as classifying every text; a folder for those in it.

    Raises:
        ModelError: one of them cannot be used.
    """
    found: dict[str, list[str]] = {}
    for each in given:
        if each == AUTO:
            names = (path.stem for path in bundled())
            asked = {row.name for row in TASKS.values() if row.default and row.unasked}
            models: Iterable[str] = (name for name in names if read_header(name)["task"] in asked)
        elif os.path.isdir(each):
            models = map(str, sorted(Path(each).glob("*.safetensors")))
        else:
            models = [str(each)]
        models = list(models)
        if not models:
            raise ModelError(each, "holds no model", "name a folder of .safetensors files")
        for model in models:
            task = read_header(model)["task"]
            if task not in TASKS:
                raise ModelError(model, f"is a model for {task}, which reads no files", "leave it out")
            listed = found.setdefault(task, [])
            if located(model) not in map(located, listed):
                listed.append(model)
    return found


def option_names_of(task: str) -> set[str]:
    """Names of the options of a task."""
    return option_names(resolve(TASKS[task].options))


def numbers_of(source: Path, tasks: Sequence[str], options: Options | None, kind: Kind) -> list[int | None]:
    """Numbers of the parts of a source that one of the tasks reads; None stands for all of it.

    Raises:
        MediaError: none of the tasks reads such a source, or it cannot be opened.
        OSError: it cannot be read.
    """
    found = units_of(source, [TASKS[name] for name in tasks], options, None, kind)
    return [each.number for each in found] if are_several(found) else [None]


def _readers(kind: Kind) -> list[Task]:
    """Tasks that read a kind of source: first the one that such sources are mostly for."""
    fitting = [row for row in TASKS.values() if kind.name in row.kinds and (kind.sound or not row.sound)]
    return sorted(fitting, key=lambda row: row.kinds.index(kind.name))


def _a(kind: str) -> str:
    if kind in ("ink", "frames", TEXT):
        return kind
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
