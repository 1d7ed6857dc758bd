"""Chooses among several models for a task, by how sure they are of the first lines or seconds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.batch.engines.prober import Ask, directly
from pipelines.batch.units import Route
from pipelines.confidence import mean_confidence
from pipelines.errors import MediaError, TriscribeError
from pipelines.media.remote import opened
from pipelines.reading.sources import units_of
from pipelines.tasks import TASKS

if TYPE_CHECKING:
    from pipelines.model import SequenceModel

SAMPLED = 4  # files of a folder that are read with every model
BEGINNING = 20.0  # seconds of a recording
PARTS = 2  # pages of a document, or pieces of ink in a file


@dataclass(frozen=True)
class Choice:
    """A model that was chosen.

    Attributes:
        place: the folder, or the file where those of a folder differ.
        task: that the model is for.
        confidences: mean confidence of each model, the chosen one first.
    """

    place: Path
    task: str
    confidences: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        (chosen, best), *others = ((Path(model).stem, value) for model, value in self.confidences)
        than = ", ".join(f"{model} {value:.2f}" for model, value in others)
        return f"{chosen} for {self.place} (mean confidence {best:.2f}; {than})"


class Chooser:
    """Chooses a model for each folder, from a few of its files; or for each file where those disagree.

    Args:
        siblings: gives the files in the folder of a file that the task would read, in order.
        ask: calls what reads files.

    Attributes:
        tell: is told each choice.
    """

    def __init__(self, siblings: Callable[[str, Path], list[Path]], ask: Ask = directly):
        self.siblings, self.ask = siblings, ask
        self.tell: Callable[[Choice], None] | None = None
        self._folders: dict[tuple, str | None] = {}  # None: each file of its own
        self._files: dict[tuple, Choice | None] = {}

    def __call__(self, routes: list[Route], path: Path) -> Route:
        """The route whose model is the most confident.

        Args:
            routes: which differ in their models.
            path: of a file that they are for.
        """
        key = routes[0].task, tuple(route.model for route in routes), path.parent
        if key not in self._folders:
            self._folders[key] = self._choose_for_folder(routes, path)
        chosen = self._folders[key]
        if chosen is None:
            choice = self._choose(routes, path)
            if choice is not None:
                self._tell(choice)
            chosen = choice.confidences[0][0] if choice else routes[0].model
        return next(route for route in routes if route.model == chosen)

    def _choose_for_folder(self, routes: list[Route], path: Path) -> str | None:
        files = self.siblings(routes[0].task, path)
        step = max(1, len(files) // SAMPLED)
        choices = [self._choose(routes, each) for each in files[::step][:SAMPLED]]
        found = [choice for choice in choices if choice]
        if not found:
            return routes[0].model
        if len({choice.confidences[0][0] for choice in found}) > 1:
            return None
        sums: dict[str, float] = {}
        for choice in found:
            for model, value in choice.confidences:
                sums[model] = sums.get(model, 0.0) + value / len(found)
        best = sorted(sums.items(), key=lambda item: -item[1])
        self._tell(Choice(path.parent, routes[0].task, tuple(best)))
        return best[0][0]

    def _choose(self, routes: list[Route], path: Path) -> Choice | None:
        """The choice for one file; None where no model reads anything in it."""
        key = routes[0].task, tuple(route.model for route in routes), path
        if key not in self._files:
            values = [(route.model, self._confidence(route, path)) for route in routes]
            known = [(model, value) for model, value in values if value is not None]
            best = tuple(sorted(known, key=lambda item: -item[1]))
            self._files[key] = Choice(path, routes[0].task, best) if best else None
        return self._files[key]

    def _confidence(self, route: Route, path: Path) -> float | None:
        with suppress(MediaError):  # the run says what is wrong with it
            return self.ask(confidence, path, route)
        return None

    def _tell(self, choice: Choice) -> None:
        if self.tell:
            self.tell(choice)


def confidence(path: Path, route: Route) -> float | None:
    """Mean confidence of a model on the beginning of a file; None where it reads nothing."""
    from pipelines.reading.readers import results

    row = TASKS[route.task]
    try:
        source = opened(path)
        units = units_of(source, [row], route.options)[:PARTS]
        if row.sound:
            units = [replace(units[0], source=_beginning(source, route))]
        found = [
            mean_confidence(result)
            for result in results(units, _loaded(route.model), route.options)
            if not isinstance(result, TriscribeError)
        ]
    except TriscribeError:
        return None
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known else None


@lru_cache(maxsize=4)
def _loaded(path: str) -> SequenceModel:
    """A model, which is asked about many files."""
    from pipelines.model import load

    return load(path)


def _beginning(source: object, route: Route) -> object:
    """The first seconds of a recording as a file in memory; the recording itself where it is short."""
    import io

    import soundfile

    from pipelines.media.audio import open_audio

    audio = open_audio(source, track=route.options.track)
    if audio.duration is not None and audio.duration <= BEGINNING:
        return source
    block = next(audio.blocks(BEGINNING, route.options.strict))
    file = io.BytesIO()
    soundfile.write(file, block, audio.sample_rate, "FLOAT", format="WAV")
    file.seek(0)
    return file
