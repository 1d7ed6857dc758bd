"""Random kernels: batches, padding, lengths, gaps, and the model file."""

import pytest
import torch

from encoders.random_kernels import RandomKernels, carried
from encoders.signals import Signals

NAN = float("nan")


def drawn(channels=2, count=60, length=40, labels=3, seed=1) -> RandomKernels:
    kernels = RandomKernels(channels, count, length, labels)
    kernels.draw(torch.Generator().manual_seed(seed))
    return kernels


def test_responses_do_not_depend_on_the_batch_or_the_padding():
    kernels, generator = drawn(), torch.Generator().manual_seed(2)
    lengths = torch.tensor([40, 9, 1, 130])
    x = torch.randn(4, 130, 2, generator=generator)
    for row, length in zip(x, lengths.tolist(), strict=True):
        row[length:] = 1e3
    together = kernels.features(x, lengths)
    assert together.isfinite().all()
    for row, length, found in zip(x, lengths.tolist(), together, strict=True):
        alone = kernels.features(row[None, :length], torch.tensor([length]))[0]
        assert torch.allclose(alone, found, atol=1e-4)


def test_the_share_of_positive_responses_is_one_and_half_of_them_are_blind_to_the_level():
    kernels = drawn(channels=1)
    x = torch.randn(1, 40, 1, generator=torch.Generator().manual_seed(3))
    features = kernels.features(x, torch.tensor([40]))
    shares = features[:, 60:]
    assert (shares >= 0).all() and (shares <= 1).all()
    moved = kernels.features(x + 5, torch.tensor([40]))
    change = (moved - features)[0, :30].abs()  # of the maxima; behind them are kernels on differences
    blind = [place % 4 == 3 for place in range(30)]  # no mean, and none of the zeros around the signal
    for place in range(30):
        rounding = 5 * abs(kernels.taps[place].sum().item()) + 1e-4
        assert not blind[place] or change[place] <= rounding < 0.5
    assert change[[place % 4 < 2 for place in range(30)]].median() > 3


def test_taps_are_exact_in_every_model_file():
    taps = drawn(channels=3).taps
    assert torch.equal(taps.half().float(), taps)
    scale = taps.flatten(1).abs().amax(1) / 127
    whole = taps / scale[:, None, None]
    assert torch.allclose(whole, whole.round(), atol=1e-4)


def test_the_widest_kernels_span_a_usual_signal():
    assert RandomKernels(1, 1000, 1000, 2).dilations[-1] == pytest.approx(124, abs=2)
    assert set(RandomKernels(1, 100, 5, 2).dilations) == {1}
    with pytest.raises(ValueError, match="even"):
        RandomKernels(1, 3, 5, 2)


def test_missing_values_are_those_that_were_last_seen():
    values = torch.tensor([[[1.0], [2.0], [3.0]]])
    seen = torch.tensor([[[False], [True], [False]]])
    assert carried(values, seen).flatten().tolist() == [0.0, 2.0, 2.0]
    front_end = Signals(2, (4,), (3,), (1,), random_kernels=20, usual=9, labels=2).eval()
    front_end.beside.draw(torch.Generator().manual_seed(0))
    x = torch.full((1, 12, 3), NAN)
    assert front_end.skip(x, torch.tensor([12])).isfinite().all()
