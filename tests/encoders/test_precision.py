"""Front end and core compute in the precisions that they are told, on every CPU."""

import pytest
import torch
from torch import nn

from encoders import measurement
from encoders.bilstm import BiLSTM
from encoders.measurement import fastest_precision
from encoders.precision import (
    BF16,
    FP32,
    Precision,
    computing,
    core_autocast,
    has_bf16,
    runs_lstm_in_bf16,
)

EVERY = [FP32, BF16, Precision(True, False), Precision(False, True)]
LENGTHS = torch.tensor([9, 4])


def states(precision: Precision | None, cell: str = "lstm", training: bool = False) -> torch.Tensor:
    torch.manual_seed(0)
    front_end, core = nn.Conv1d(6, 6, 3, padding=1), BiLSTM(6, 8, 2, cell=cell)
    x = torch.randn(2, 6, 9)
    core.train(training)
    with torch.set_grad_enabled(training):
        if precision is None:
            return core(front_end(x).transpose(1, 2), LENGTHS)[0]
        with computing("cpu", precision):
            return core(front_end(x).transpose(1, 2), LENGTHS)[0]


@pytest.mark.parametrize("precision", EVERY)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("training", [True, False])
def test_every_mixture_gives_nearly_the_same(precision, cell, training):
    exact, found = states(None, cell, training), states(precision, cell, training)
    rounded = precision.front_end_bf16 or (precision.core_bf16 and runs_lstm_in_bf16())
    assert (exact != found.float()).any() == rounded
    torch.testing.assert_close(found.float(), exact, atol=0.03, rtol=0)
    if training:
        found.float().sum().backward()


def test_a_convolution_computes_as_the_front_end():
    x, convolution = torch.randn(1, 3, 8, 8), nn.Conv2d(3, 4, 3)
    for precision in EVERY:
        with computing("cpu", precision):
            assert (convolution(x).dtype == torch.bfloat16) == precision.front_end_bf16


def test_autocast_around_a_core_holds_where_nothing_else_is_said():
    x = torch.randn(2, 9, 6)
    with torch.autocast("cpu", torch.bfloat16), core_autocast(x):
        assert torch.is_autocast_enabled("cpu") == runs_lstm_in_bf16()
    with core_autocast(x):
        assert not torch.is_autocast_enabled("cpu")
    with computing("cpu", BF16), pytest.raises(ZeroDivisionError), computing("cpu", FP32):
        raise ZeroDivisionError
    with core_autocast(x):
        assert not torch.is_autocast_enabled("cpu"), "what was said before holds again"


def test_an_lstm_that_the_cpu_cannot_run_in_bf16_runs_in_fp32(monkeypatch):
    exact = states(Precision(True, False))
    monkeypatch.setattr("encoders.precision.runs_lstm_in_bf16", lambda: False)
    torch.testing.assert_close(states(BF16), exact, atol=0, rtol=0)


@pytest.mark.parametrize("training", [True, False])
def test_the_faster_is_chosen_for_each_part(monkeypatch, training):
    monkeypatch.setattr(measurement, "has_bf16", lambda device: True)
    monkeypatch.setattr(measurement, "runs_lstm_in_bf16", lambda: True)
    seconds = {}

    def passing(core_bf16: float, front_end_bf16: float):
        """A clock that says how long each run takes, in the order of the runs."""
        runs = measurement.ROUNDS + 1
        taken = [1.0, front_end_bf16] * runs + [1.0, core_bf16] * runs
        now, times = 0.0, []
        for each in taken:
            times += [now, now + each]
            now += each
        clock = iter(times)
        monkeypatch.setattr(measurement, "perf_counter", lambda: next(clock))

    for front_end, core, expected in (
        (0.5, 0.5, BF16),
        (2.0, 2.0, FP32),
        (0.5, 1.0, Precision(True, False)),
        (0.98, 0.5, Precision(False, True)),
    ):
        passing(core, front_end)
        seconds[expected] = fastest_precision(training)
        assert seconds[expected] == expected


def test_measuring_leaves_torch_as_it_was(monkeypatch):
    monkeypatch.setattr(measurement, "has_bf16", lambda device: True)
    before = torch.get_rng_state()
    torch.set_num_threads(2)
    try:
        for training in (True, False):
            assert isinstance(fastest_precision(training), Precision)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert (torch.get_rng_state() == before).all()


def test_without_hardware_nothing_is_measured(monkeypatch):
    monkeypatch.setattr(measurement, "has_bf16", lambda device: False)
    monkeypatch.setattr(measurement, "_gains", None)
    assert fastest_precision(True) == fastest_precision(False) == FP32


def test_devices_that_are_not_known_have_no_bf16():
    assert not has_bf16("meta")
