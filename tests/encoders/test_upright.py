"""encoders.upright: letters of a known slant and size."""

import cv2
import numpy as np
import pytest
import torch

from encoders.line_image import LineImage
from encoders.upright import SIZES, WIDTHS, core, slant, step, upright


def written(lean=0.0, height=64, small=20, width=500):
    """Upright strokes, some of them ascenders, leaning to the right as told: ink towards 255."""
    ink = np.zeros((height, width), np.uint8)
    bottom = height // 2 + small // 2
    for number, left in enumerate(range(60, width - 60, 14)):
        ink[bottom - small * (2 if number % 5 == 0 else 1) : bottom, left : left + 3] = 255
        ink[bottom - 3 : bottom, left : left + 7] = 255
    shear = np.array([[1, -lean, lean * bottom], [0, 1, 0]])
    return cv2.warpAffine(ink, shear, (width, height))


@pytest.mark.parametrize("lean", [-0.3, 0.0, 0.25, 0.6, 0.95])
def test_a_known_slant_is_found(lean):
    assert slant(written(lean)) == pytest.approx(lean, abs=0.06)
    turned, _ = upright(written(lean))
    assert abs(slant(turned)) < 0.08


@pytest.mark.parametrize("small", [12, 20, 28])
def test_small_letters_fill_the_core(small):
    top, bottom = core(written(small=small))
    assert abs(top - (32 - small // 2)) <= 2 and abs(bottom - (32 + small // 2)) <= 2


def test_sizes_come_nearer_to_each_other_and_to_one_height():
    spans = [core(upright(written(small=small))[0]) for small in (14, 28)]
    small, large = (bottom - top for top, bottom in spans)
    assert 1.0 < large / small < 1.6
    assert np.ptp([(top + bottom) / 2 for top, bottom in spans]) <= 2


@pytest.mark.parametrize("lean", [0.0, 0.6])
def test_narrow_and_wide_hands_come_to_one_width(lean):
    ink = written(lean)
    wide = cv2.resize(ink, (700, 64))
    narrow = cv2.resize(ink, (400, 64), interpolation=cv2.INTER_AREA)
    evened = [upright(each)[0].shape[1] for each in (narrow, ink, wide)]
    assert max(evened) < 1.06 * min(evened)


def test_strokes_come_to_lie_one_step_apart():
    ink = np.tile(np.repeat(np.uint8([0, 255, 0]), [6, 3, 7]), (20, 40))
    assert step(ink, 64) == pytest.approx(16, rel=0.07)


def test_a_finer_line_is_evened_alike():
    ink = cv2.GaussianBlur(written(0.5, height=48, small=14), (3, 3), 0)
    finer = cv2.resize(ink, (1000, 96))
    turned, back = upright(finer)
    expected, expected_back = upright(ink)
    assert turned.shape[1] == pytest.approx(2 * expected.shape[1], rel=0.03)
    shrunk = cv2.resize(turned, expected.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.corrcoef(shrunk.ravel(), expected.ravel())[0, 1] > 0.95
    np.testing.assert_allclose(back[:, :2], expected_back[:, :2], atol=0.03)


@pytest.mark.parametrize("strokes", [0, 1, 200])
def test_a_width_changes_within_limits(strokes):
    ink = np.zeros((48, 1000), np.uint8)
    for place in range(strokes):
        ink[15:30, 4 * place + 100 : 4 * place + 102] = 255
    low, high = SIZES[0] * WIDTHS[0], SIZES[1] * WIDTHS[1]
    assert low <= upright(ink)[0].shape[1] / 1000 <= high


def test_what_was_where_is_known():
    ink = written(0.6)
    turned, back = upright(ink)
    again = cv2.warpAffine(turned, back, ink.shape[::-1])
    assert np.corrcoef(again.ravel(), ink.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("right_to_left", [False, True])
def test_a_prepared_line_knows_where_it_came_from(right_to_left):
    pixels = 255 - cv2.resize(written(0.5), (1000, 128))
    front_end = LineImage(height=32, right_to_left=right_to_left, upright=True)
    prepared, back = front_end.prepare_placed(pixels)
    ink = np.ascontiguousarray(prepared.numpy().T)
    again = cv2.warpAffine(ink, back, pixels.shape[::-1])
    assert np.corrcoef(again.ravel(), 255.0 - pixels.ravel())[0, 1] > 0.8
    assert torch.equal(front_end.prepare(pixels), prepared)


@pytest.mark.parametrize("shape", [(1, 1), (1, 100), (64, 1), (3, 3), (64, 12800)])
@pytest.mark.parametrize("value", [0, 255])
def test_nothing_to_go_by(shape, value):
    turned, back = upright(np.full(shape, value, np.uint8))
    assert turned.shape[0] == shape[0] and turned.size and np.isfinite(back).all()
