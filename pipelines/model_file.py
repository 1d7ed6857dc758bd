"""What a model file says about itself, and where models are; needs no torch."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import ModelError
from pipelines.tasks import TASKS

BUNDLED = Path(__file__).parent / "models"
FORMAT = 2  # the newest that this version reads
HEADER = "triscribe"  # the key of the header in a safetensors file's metadata
LANGUAGE = "language_model"  # the header's field of a language model, and the name of its tensor
TRAIN_AGAIN = "train it again, or take one that `triscribe models` lists"


def bundled() -> list[Path]:
    """Files of the models that come with the package."""
    return sorted(BUNDLED.glob("*.safetensors"))


def located(path_or_name: str | Path) -> Path:
    """The file of a model.

    Args:
        path_or_name: a .safetensors file, or the name of a bundled model.

    Raises:
        ModelError: there is none.
    """
    path = Path(path_or_name)
    if os.path.isdir(path):  # unlike Path's, it bears any string
        raise ModelError(path, "is a folder", "name the .safetensors file in it")
    if os.path.isfile(path):
        return path
    named = BUNDLED / f"{path_or_name}.safetensors"
    if path.name == str(path_or_name) and os.path.isfile(named):
        return named
    names = ", ".join(sorted(p.stem for p in bundled())) or "none"
    raise ModelError(path, "no such model", f"name a .safetensors file or a bundled model ({names})")


def no_default(task: str) -> ModelError:
    """The error of a task that needs a model, where none was named."""
    article = "an" if task[0] in "aeiou" else "a"
    known = [path.stem for path in bundled() if read_header(path)["task"] == task]
    recipe = (TASKS[task].recipe or "").rpartition(".")[2]
    way_out = f", such as {known[0]}" if known else f", which `triscribe train {recipe}` makes"
    return ModelError(
        "triscribe", f"comes without a model for {task}", f"name {article} {task} model{way_out}"
    )


def header_for(task: str, path_or_name: str | Path | None) -> tuple[str, dict]:
    """Name and header of the model for a task, None being the bundled one.

    Raises:
        ModelError: it cannot be read, is not for the task, or none for it comes with the package.
    """
    article = "an" if task[0] in "aeiou" else "a"
    if path_or_name is None and TASKS[task].default is None:
        raise no_default(task)
    path = located(TASKS[task].default if path_or_name is None else path_or_name)
    header = read_header(path)
    if header["task"] != task:
        raise ModelError(path.stem, f"is a model for {header['task']}", f"name {article} {task} model")
    return path.stem, header


def read_header(path_or_name: str | Path) -> dict:
    """The header of a model file as plain values; its weights are not read.

    Raises:
        ModelError: it is missing, damaged, or not a triscribe model.
    """
    from safetensors import safe_open

    path = located(path_or_name)
    with opened(path), safe_open(path, "numpy") as file:
        metadata = file.metadata() or {}
    if HEADER not in metadata:
        raise ModelError(path, "has no triscribe header", TRAIN_AGAIN)
    try:
        header = json.loads(metadata[HEADER])
    except (ValueError, RecursionError) as error:
        raise ModelError(path, f"its header is not JSON ({error})", TRAIN_AGAIN) from error
    _check_fields(path, header)
    return header


@contextlib.contextmanager
def opened(path: Path) -> Iterator[None]:
    """Within it, what is wrong with a safetensors file is a ModelError."""
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, OSError, ValueError) as error:
        cause = f"not a readable safetensors file ({error})"
        raise ModelError(path, cause, "copy or download it again") from error


def _check_fields(path: Path, header: object) -> None:
    fields = {
        "format": int,
        "version": str,
        "task": str,
        "front_end": dict,
        "core": dict,
        "decoder": dict,
        "alphabet": list | dict,
        "normalisation": dict,
        "training": dict,
        "metrics": dict,
    }
    if not isinstance(header, dict):
        raise ModelError(path, "its header is not an object", TRAIN_AGAIN)
    if isinstance(header.get("format"), int) and header["format"] > FORMAT:
        raise ModelError(path, f"is of format {header['format']}, newer than {FORMAT}", "update triscribe")
    for name, kind in fields.items():
        if not isinstance(header.get(name), kind) or isinstance(header[name], bool):
            found = type(header[name]).__name__ if name in header else "missing"
            wanted = getattr(kind, "__name__", kind)
            raise ModelError(path, f"header field {name!r}: expected {wanted}, {found}", TRAIN_AGAIN)
