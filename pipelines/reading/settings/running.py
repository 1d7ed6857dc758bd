"""How models are run, and with many sources."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Literal

from pipelines.errors import DataError
from pipelines.options import Options
from pipelines.reading.precision import meant


@dataclass(frozen=True)
class BatchOptions(Options):
    """How the model is run."""

    batch_size: int = 16
    """Segments, lines or frames that the model reads at once."""
    device: str = "auto"
    """Where the model runs: cpu, cuda, or auto for CUDA if available."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Floating-point format of the computation; auto takes the faster one for each part of the model. It is
    measured once for the machine; bf16 is slow without hardware for it."""

    def __post_init__(self):
        if self.batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        meant(self.precision)
        check_device(self.device)

    def signed(self, name: str, carries_language: bool = False) -> str:
        """What records of how a result was made say of the model: its name, and options that matter."""
        return name


@dataclass(frozen=True)
class ManyOptions(BatchOptions):
    """What happens with many sources."""

    errors: Literal["raise", "return"] = "raise"
    """With many sources: raise the error of a bad one, or return it in place of its result and go on."""

    def __post_init__(self):
        super().__post_init__()
        if self.errors not in ("raise", "return"):
            raise ValueError(f"errors must be 'raise' or 'return', not {self.errors!r}")


def check_device(device: str) -> None:
    """Check the name of a device, and that it is there.

    Raises:
        ValueError: it is no such name, or there is no such device.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise ValueError(f"device must be auto, cpu or cuda, not {device!r}")
    if device.startswith("cuda"):
        import torch

        if not torch.cuda.is_available():
            raise ValueError(f"device {device}: torch finds no CUDA device here")


def is_path(given: str | os.PathLike) -> bool:
    """Whether this is meant as a path, rather than as words or a choice."""
    return isinstance(given, os.PathLike) or os.sep in given or given.endswith(".txt")


def check_file(name: str, given: str | os.PathLike, choices: str) -> None:
    """Refuse an option that is to be a file and is none.

    Raises:
        DataError: it is meant as a path.
        ValueError: it may be meant as something else.
    """
    if os.path.isfile(given):
        return
    if is_path(given) or os.path.splitext(given)[1] or os.path.exists(given):
        cause = (
            "is a folder"
            if os.path.isdir(given)
            else "is no file"
            if os.path.exists(given)
            else "does not exist"
        )
        raise DataError(str(given), cause, f"give {choices} as {name}")
    raise ValueError(f"{name} must be {choices}, not {str(given)!r}")
