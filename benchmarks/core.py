"""Speed of the shared core relative to `nn.LSTM` on a PackedSequence and to a plain matrix product.

    python benchmarks/core.py [--threads N]

Both run the same weights in one process, in turn, and medians are compared. The work of a step is counted
in multiply-adds of its matrix products, 2 operations each: `padded` over every frame that was computed,
`valid` over the frames that belong to a sequence. A share is that work per second over the best rate of a
plain matrix product here, in the same precision. `ms` compares the precisions with each other; the last lines
tell which of them `--precision auto` takes on this machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from encoders.bilstm import BiLSTM
from encoders.measurement import fastest_precision
from encoders.precision import has_bf16

INPUT, HIDDEN, LAYERS = 512, 256, 3
PRECISIONS = {"fp32": torch.float32} | ({"bf16": torch.bfloat16} if has_bf16("cpu") else {})
SECONDS = 9  # for one comparison, after its first two rounds


def turn_about(*steps: Callable[[], object]) -> list[float]:
    """Median seconds of each step, all run in turn: at least two rounds, at most thirty."""
    start = perf_counter()
    seconds = [[] for _ in steps]
    for round_ in range(30):
        if round_ >= 2 and perf_counter() - start > SECONDS:
            break
        for step, taken in zip(steps, seconds, strict=True):
            began = perf_counter()
            step()
            taken.append(perf_counter() - began)
    return [median(taken) for taken in seconds]


def matrix_rate(dtype: torch.dtype) -> float:
    """Operations a second of a 2048 x 2048 matrix product, from the faster of torch's two libraries."""
    a, b = torch.randn(2, 2048, 2048).to(dtype)
    steps = [lambda: a @ b]
    if torch.backends.mkldnn.is_available():
        a_onednn, b_onednn = a.to_mkldnn(), b.to_mkldnn()
        steps.append(lambda: F.linear(a_onednn, b_onednn))
    return 2 * 2048**3 / min(turn_about(*steps))


def operations(frames: int, training: bool) -> int:
    """Of all matrix products; training adds the gradients of the input and of the weights."""
    layers = [INPUT] + [2 * HIDDEN] * (LAYERS - 1)
    forward = sum(2 * 4 * HIDDEN * (size + HIDDEN) * 2 for size in layers) * frames
    return 3 * forward if training else forward


def packed(rnn: nn.LSTM, x: Tensor, lengths: Tensor) -> Tensor:
    y, _ = rnn(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
    return pad_packed_sequence(y, batch_first=True)[0]


def step(model: nn.Module, run: Callable[[], Tensor], training: bool, dtype: torch.dtype) -> None:
    model.train(training)
    with torch.inference_mode(not training), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        y = run()
    if training:
        y.float().square().mean().backward()
        model.zero_grad()


def compare(rnn: nn.LSTM, batch: int, frames: int, training: bool, name: str, rate: float) -> str:
    """One line of the table. The lengths of a batch lie evenly between half and all of `frames`."""
    core = BiLSTM.from_torch(rnn)
    dtype = PRECISIONS[name]
    lengths = torch.linspace(frames / 2 if batch > 1 else frames, frames, batch).long()
    x = torch.randn(batch, frames, INPUT).requires_grad_(training)
    slow, fast = turn_about(
        lambda: step(rnn, lambda: packed(rnn, x, lengths), training, dtype),
        lambda: step(core, lambda: core(x, lengths)[0], training, dtype),
    )
    padded, valid = (
        operations(count, training) / fast / rate for count in (batch * frames, int(lengths.sum()))
    )
    kind = "training" if training else "inference"
    size = f"{batch} x {frames}"
    share = f"{padded:>8.0%} {valid:>7.0%}"
    return f"{kind:<10} {size:<16} {name:<5} {slow / fast:>14.1f}x {share} {1e3 * fast:>9.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads of both")
    torch.set_num_threads(parser.parse_args().threads)
    torch.manual_seed(0)
    rnn = nn.LSTM(INPUT, HIDDEN, LAYERS, batch_first=True, bidirectional=True)
    rates = {name: matrix_rate(dtype) for name, dtype in PRECISIONS.items()}

    print(f"{LAYERS} x {HIDDEN} bidirectional, {torch.get_num_threads()} threads, torch {torch.__version__}")
    if "bf16" in rates:
        print(f"matrix product: bf16 {rates['bf16'] / rates['fp32']:.1f} times as fast as fp32\n")
    print(f"{'step':<10} {'batch x frames':<16} {'':<5} {'PackedSequence':>15} {'of matrix rate:':>16}")
    print(f"{'':<33} {'times faster':>15} {'padded':>8} {'valid':>7} {'ms':>9}")
    for training in (True, False):
        for batch, frames in ((32, 400), (1, 200)):
            for name in PRECISIONS:
                print(compare(rnn, batch, frames, training, name, rates[name]), flush=True)
    for kind, training in (("training", True), ("inference", False)):
        began, chosen = perf_counter(), fastest_precision(training)
        seconds = perf_counter() - began
        front_end, core = ("bf16" if each else "fp32" for each in (chosen.front_end_bf16, chosen.core_bf16))
        print(f"auto for {kind}: front end in {front_end}, core in {core}; measured in {seconds:.2f} s")


if __name__ == "__main__":
    main()
