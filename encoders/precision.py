"""In which precision a device computes."""

from __future__ import annotations

import torch


def has_bf16(device: torch.device | str) -> bool:
    """Whether a device multiplies bf16 matrices in hardware, at about twice the speed of fp32."""
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    if not hasattr(torch.cpu, "get_capabilities"):  # torch before 2.12
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16"))


def check_bf16(device: torch.device | str) -> None:
    """Whether bf16 can be had: without it in hardware, LSTMs may not run at all, and all is slow.

    Raises:
        ValueError: it cannot.
    """
    if not has_bf16(device):
        raise ValueError(
            f"precision: bf16 is nothing that this machine's {device} computes; take auto or fp32"
        )


def autocast(device: str, precision: str) -> torch.autocast:
    """Within it a network computes in a precision: bf16, fp32, or auto, which is bf16 where it is faster."""
    bf16 = precision == "bf16" or (precision == "auto" and has_bf16(device))
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bf16)
