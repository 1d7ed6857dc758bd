"""Ink augmentation: nothing at strength zero, what was asked for otherwise, the same again from one seed."""

import numpy as np
import pytest
import torch

from encoders.pen import level
from recipes.ink.augment import vary
from recipes.ink.options import InkAugmentation
from tests.data.ink import write

NOTHING = dict.fromkeys(
    ("slant", "width", "height", "rotation", "shift", "noise", "warp", "resampling", "drop"), 0.0
)
STROKES = level(write("until taco a lion", late=True).strokes)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def only(**strengths):
    return InkAugmentation(**NOTHING | strengths)


def test_no_strength_is_the_identity():
    varied, spacing = vary(STROKES, only(), seeded())
    assert spacing == 1.0 and len(varied) == len(STROKES)
    for one, other in zip(varied, STROKES, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_the_generator_decides_everything():
    before = [stroke.copy() for stroke in STROKES]
    first, spacing = vary(STROKES, InkAugmentation(), seeded(3))
    torch.rand(7)  # the global generator has no say
    second, same = vary(STROKES, InkAugmentation(), seeded(3))
    assert spacing == same and all(map(np.array_equal, first, second))
    other, _ = vary(STROKES, InkAugmentation(), seeded(4))
    assert not all(map(np.array_equal, first, other))
    assert all(map(np.array_equal, before, STROKES))  # the cache's copy stays


@pytest.mark.parametrize(
    "name, strength", [("slant", 0.4), ("width", 0.3), ("height", 0.3), ("rotation", 5.0)]
)
def test_shapes_change_as_asked_and_no_further(name, strength):
    seen = []
    for seed in range(30):
        varied, _ = vary(STROKES, only(**{name: strength}), seeded(seed))
        across, down = varied[0][-1] - varied[0][0]  # the first corner of "u" to its foot
        x, y = STROKES[0][-1] - STROKES[0][0]
        seen.append({
            "slant": (x - across) / y,
            "width": across / x - 1,
            "height": down / y - 1,
            "rotation": np.degrees(np.arctan2(down, across) - np.arctan2(y, x)),
        }[name])  # fmt: skip
    assert strength / 2 < np.abs(seen).max() <= strength + 1e-9
    assert min(seen) < 0 < max(seen)


def test_trembling_and_warping_are_smooth_and_of_the_strength_asked():
    for options in (only(noise=0.05), only(warp=0.1)):
        moves = []
        for seed in range(20):
            varied, _ = vary(STROKES, options, seeded(seed))
            shifts = [one - other for one, other in zip(varied, STROKES, strict=True)]
            moves.append(np.concatenate(shifts))
            assert max(np.abs(np.diff(shift, axis=0)).max() for shift in shifts) < 0.08
        assert np.std(moves) == pytest.approx(max(options.noise, options.warp), rel=0.3)


def test_only_tiny_strokes_are_left_out_and_never_all():
    lengths = [np.hypot(*np.diff(stroke, axis=0).T).sum() for stroke in STROKES]
    tall = [stroke for stroke, length in zip(STROKES, lengths, strict=True) if length > 0.4]
    assert len(tall) < len(STROKES)
    varied, _ = vary(STROKES, only(drop=1.0), seeded())
    assert all(np.allclose(one, other) for one, other in zip(varied, tall, strict=True))
    assert len(vary([np.zeros((1, 2))], only(drop=1.0), seeded())[0]) == 1


@pytest.mark.parametrize("wrong", [{"slant": -1.0}, {"width": 1.0}, {"warp_length": 0.0}, {"drop": 1.5}])
def test_strengths_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        InkAugmentation(**wrong)
