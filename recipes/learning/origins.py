"""What is learnt on from corrected results where nothing else is said: the model that made them, and how.

Importing this module does not import torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipelines.errors import DataError, ModelError
from pipelines.model_file import located
from pipelines.output_folder import is_output_folder, stored_in
from recipes.data.corrected import CORRECTED

PRESET = "adapt"
NONE = "none"  # for --load: a new model


def assumed(arguments: Sequence[str], task: str) -> dict[str, str]:
    """The options --load and --preset that a command line leaves to the output folder in its --data.

    Args:
        arguments: of a recipe.
        task: of its models.

    Returns:
        The options; none where they are given, or where no output folder is among the data.

    Raises:
        DataError: the model is not known, or not where it was.
    """
    if _values(arguments, "--layout") not in ([], [CORRECTED]):
        return {}
    folders = [folder for folder in _values(arguments, "--data") if is_output_folder(folder)]
    load = _values(arguments, "--load")
    if not folders or load == [NONE]:
        return {}
    found = {} if load else {"load": model_behind(folders, task)}
    free = not _values(arguments, "--preset") and not _values(arguments, "--like")
    return {**found, "preset": PRESET} if free else found


def model_behind(folders: Iterable[str | Path], task: str) -> str:
    """The model that made most of the results of a task in output folders: a file or a bundled name.

    Raises:
        DataError: there are no such results, or the model is not found.
    """
    folders = list(folders)
    made = [stored for folder in folders for stored in stored_in(folder) if stored.task == task]
    if not made:
        raise DataError(folders[0], f"holds no results of {task}", "give the output folder that does")
    (name, _), *_ = Counter(stored.model_file or stored.model for stored in made).most_common(1)
    try:
        located(name)
    except ModelError as error:
        cause = f"the model {name!r} that made its results is not found"
        raise DataError(folders[0], cause, f"give it with --load, or a new one with --load {NONE}") from error
    return name


def _values(arguments: Sequence[str], option: str) -> list[str]:
    """The values of an option, the last time that it is given."""
    values: list[str] = []
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == option:
            behind = arguments[place + 1 :]
            end = next((i for i, each in enumerate(behind) if each.startswith("--")), len(behind))
            values = [value] if equals else list(behind[:end])
    return values
