"""Which precision `auto` means on this machine. Importing it does not import torch.

On a CPU with bf16 in hardware a short measurement decides, for front end and core separately, and for
training and inference. It is kept in the user's cache folder for this processor and version of torch. Only
work that is long enough to repay it measures: a training, or a run over `MANY` files. Until then `auto` is
fp32.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.writers.atomic import write_atomically

if TYPE_CHECKING:
    from encoders.precision import Precision

VARIABLE = "TRISCRIBE_PRECISION"  # of the environment: what `auto` means
PRECISIONS = ("auto", "bf16", "fp32")
MANY = 20  # files in a run that is worth a measurement

_known: dict[str, Precision | None] = {}  # by `_key`; None is not measured yet


def meant(precision: str) -> str:
    """The precision that an option means: auto, bf16 or fp32, auto being what `TRISCRIBE_PRECISION` says.

    Raises:
        ValueError: the option or the variable is something else.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be auto, bf16 or fp32, not {precision!r}")
    if precision != "auto":
        return precision
    given = os.environ.get(VARIABLE) or "auto"
    if given not in PRECISIONS:
        raise ValueError(f"the environment variable {VARIABLE} must be auto, bf16 or fp32, not {given!r}")
    return given


def precision_for(precision: str, device: str, training: bool = False, measure: bool = False) -> Precision:
    """The precision in which to compute on a device.

    Args:
        precision: auto, bf16 or fp32.
        device: cpu or cuda.
        training: for training instead of inference.
        measure: measure `auto` on a CPU if that was not done before, which takes up to a second.

    Raises:
        ValueError: see `meant`.
    """
    from encoders.precision import BF16, FP32, has_bf16

    name = meant(precision)
    if name != "auto":
        return BF16 if name == "bf16" else FP32
    if not has_bf16(device):
        return FP32
    if device != "cpu":
        return BF16
    key = _key(training)
    if key not in _known:
        _known[key] = _kept(key)
    if _known[key] is None and measure:
        from encoders.measurement import fastest_precision

        _known[key] = fastest_precision(training)
        _keep(key, _known[key])
    return _known[key] or FP32


def chosen() -> tuple[dict[str, Precision | None], str]:
    """What this process has measured, and what its environment says, for `adopt` in another one."""
    return dict(_known), os.environ.get(VARIABLE, "")


def adopt(known: dict[str, Precision | None], variable: str) -> None:
    """Compute in the precision of the process that `chosen` is from; on another processor, in one's own."""
    _known.update(known)
    if variable:
        os.environ[VARIABLE] = variable


def cache_folder() -> Path:
    """The folder in which programs of this user keep what can be made again, for triscribe."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given, "triscribe")
    if sys.platform == "darwin":
        return Path("~/Library/Caches/triscribe").expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local").expanduser() / "triscribe" / "Cache"
    return Path("~/.cache/triscribe").expanduser()


def _key(training: bool) -> str:
    import torch

    return f"{_processor()}; torch {torch.__version__}; {'training' if training else 'inference'}"


def _processor() -> str:
    """The name of the processor with its family, model and stepping, as far as the system tells."""
    told = {}
    with contextlib.suppress(OSError, ValueError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            if not line.strip():
                break  # other cores are the same
            told[name.strip()] = value.strip()
    parts = [told[name] for name in ("model name", "cpu family", "model", "stepping") if name in told]
    return " ".join(parts or [platform.processor() or platform.machine()])


def _kept(key: str) -> Precision | None:
    """What an earlier run measured, or None: not measured, or not to be read."""
    from encoders.precision import Precision

    found = _read().get(key)
    names = Precision.__dataclass_fields__.keys()
    if isinstance(found, dict) and found.keys() == names and all(type(v) is bool for v in found.values()):
        return Precision(**found)
    return None


def _keep(key: str, measured: Precision) -> None:
    """For later runs; a cache that cannot be written to costs them a measurement, and nothing else."""
    with contextlib.suppress(OSError, RuntimeError):
        path = cache_folder() / "precision.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as file:
            json.dump({**_read(), key: asdict(measured)}, file, indent=1)


def _read() -> dict:
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # RuntimeError: there is no home folder
        found = json.loads((cache_folder() / "precision.json").read_text("utf-8"))
        if isinstance(found, dict):
            return found
    return {}
