"""Measures in which precision a CPU runs a network fastest."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import torch
from torch import Tensor, nn

from encoders.bilstm import BiLSTM
from encoders.precision import BF16, FP32, Precision, computing, has_bf16, runs_lstm_in_bf16

ROUNDS = 4  # timed, after one to warm up
GAIN = 1.1  # how many times as fast bf16 must be: a smaller difference may be noise


def fastest_precision(training: bool) -> Precision:
    """The precision in which this CPU runs each part of a network fastest; takes less than a second.

    A convolution and a recurrent layer of the sizes of the bundled models run in fp32 and bf16 in turn, and
    the fastest run of each counts. One thread computes: several would wait for each other on a busy machine,
    where the measurement would then take many times as long and say little. Without bf16 in hardware nothing
    is measured: fp32 is faster. Random state and threads of torch are left as they were.

    Args:
        training: time forward and backward passes instead of inference.
    """
    if not has_bf16("cpu"):
        return FP32
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _compared(training)
    finally:
        torch.set_num_threads(threads)


def _compared(training: bool) -> Precision:
    with torch.random.fork_rng(devices=[]):
        convolution = nn.Conv2d(32, 64, 3, padding=1).to(memory_format=torch.channels_last)
        pixels = torch.rand(4, 32, 96, 24).to(memory_format=torch.channels_last)
        core, frames, lengths = BiLSTM(256, 192, 1), torch.rand(16, 30, 256), torch.full((16,), 30)
    return Precision(
        _gains(convolution, lambda: convolution(pixels), training),
        runs_lstm_in_bf16() and _gains(core, lambda: core(frames, lengths)[0], training),
    )


def _gains(network: nn.Module, run: Callable[[], Tensor], training: bool) -> bool:
    """Whether a network is faster in bf16, by more than chance."""
    network.train(training)
    fastest: dict[Precision, float] = {}
    for round_ in range(1 + ROUNDS):
        for precision in (FP32, BF16):
            began = perf_counter()
            with torch.inference_mode(not training), computing("cpu", precision):
                y = run()
            if training:
                y.float().square().mean().backward()
            seconds = perf_counter() - began
            if round_:
                fastest[precision] = min(seconds, fastest.get(precision, seconds))
    return GAIN * fastest[BF16] < fastest[FP32]
