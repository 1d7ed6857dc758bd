"""The precision in which a network computes: fp32 or bf16, for front end and core separately.

bf16 halves the size of numbers and, where a processor multiplies them in hardware, about doubles the speed of
convolutions. Recurrent layers gain less, and on some processors they lose: `encoders/measurement.py` compares
the very layers. Weights stay in fp32 either way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Precision:
    """The data types of a network's two costly parts: bf16, or else fp32."""

    front_end_bf16: bool = False
    """Whether convolutions compute in bf16, and all else outside the core."""
    core_bf16: bool = False
    """Whether recurrent layers compute in bf16."""


FP32, BF16 = Precision(False, False), Precision(True, True)

_core_bf16: ContextVar[bool | None] = ContextVar("core_bf16", default=None)


def has_bf16(device: torch.device | str) -> bool:
    """Whether a device multiplies bf16 matrices in hardware. Without, bf16 is always slower than fp32."""
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    if not hasattr(torch.cpu, "get_capabilities"):  # torch before 2.12
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16"))


def runs_lstm_in_bf16() -> bool:
    """Whether oneDNN has a bf16 LSTM for this CPU. Without one, torch raises instead of falling back."""
    check = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return check is not None and check()


@contextlib.contextmanager
def computing(device: torch.device | str, precision: Precision) -> Iterator[None]:
    """Within it, in this thread, networks compute on the device in the given precision.

    It is `torch.autocast` for everything but the core, for which `core_autocast` decides.
    """
    token = _core_bf16.set(precision.core_bf16)
    kind = torch.device(device).type
    try:
        with torch.autocast(kind, torch.bfloat16, enabled=precision.front_end_bf16):
            yield
    finally:
        _core_bf16.reset(token)


@contextlib.contextmanager
def core_autocast(x: Tensor) -> Iterator[Tensor]:
    """Within it recurrent layers compute as `computing` says, or else as the autocast around says.

    In fp32 where the CPU has no bf16 LSTM.

    Yields:
        The tensor, as fp32 where the layers compute in fp32.
    """
    kind, asked = x.device.type, _core_bf16.get()
    around = torch.is_autocast_enabled(kind)
    dtype = torch.bfloat16 if asked is not None or not around else torch.get_autocast_dtype(kind)
    bf16 = around if asked is None else asked
    if bf16 and dtype == torch.bfloat16 and kind == "cpu" and not runs_lstm_in_bf16():
        bf16 = False
    with torch.autocast(kind, dtype, enabled=bf16):
        yield x if bf16 or x.dtype not in (torch.bfloat16, torch.float16) else x.float()
