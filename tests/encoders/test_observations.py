"""encoders.observations and encoders.window: what a policy sees, and a core without memory."""

import pytest
import torch

from encoders.observations import Observations
from encoders.window import Window


def test_numbers_are_normalised_and_hidden_ones_change_nothing():
    front_end = Observations(6, shape=(2, 2), hidden=(1, 3))
    front_end.mean.copy_(torch.tensor([1.0, -1.0]))
    front_end.deviation.copy_(torch.tensor([2.0, 0.5]))
    x = torch.tensor([[[3.0, 7.0, 0.0, 8.0]]])
    assert front_end.inputs(x).tolist() == [[[1.0, 2.0]]]
    y, lengths = front_end(x, torch.tensor([1]))
    assert y.shape == (1, 1, 6) and lengths.tolist() == [1]
    x[..., [1, 3]] = float("nan")
    assert torch.equal(front_end(x, lengths)[0], y)


def test_choices_are_one_hot_from_their_least_value():
    front_end = Observations(6, choices=(3, 2), starts=(-1, 0))
    assert front_end.inputs(torch.tensor([[1.0, 0.0]])).tolist() == [[0, 0, 1, 1, 0]]
    seen = Observations(6, choices=(3, 2), hidden=(0,))
    assert seen.inputs(torch.tensor([[2.0, 1.0]])).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"shape": (2,), "choices": (2,)},
        {"shape": (2,), "hidden": (2,)},
        {"shape": (2,), "hidden": (0, 1)},
        {"shape": (0,)},
        {"shape": (10**6,) * 60},
        {"choices": (3,), "starts": (0, 0)},
    ],
)
def test_what_is_no_observation(sizes):
    with pytest.raises(ValueError):
        Observations(4, **sizes)


@pytest.mark.parametrize("frames", [1, 3])
def test_a_window_sees_its_last_frames_only_however_they_come(frames):
    core = Window(5, 7, num_layers=2, frames=frames)
    x = torch.randn(2, 9, 5)
    whole, _ = core(x, torch.tensor([9, 9]))
    assert whole.shape == (2, 9, 7)
    state, parts = None, []
    for start, end in ((0, 1), (1, 2), (2, 6), (6, 9)):
        y, state = core.stream(x[:, start:end], state)
        parts.append(y)
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-6)
    changed = x.clone()
    changed[:, 2] += 1
    differs = (core.stream(changed)[0] - whole).abs().amax(dim=(0, 2)) > 1e-6
    assert differs.nonzero().flatten().tolist() == list(range(2, 2 + frames))
