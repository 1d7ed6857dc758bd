"""encoders.pen and encoders.strokes: units, place and sampling do not matter, each item is read alone."""

import numpy as np
import pytest
import torch

from encoders import pen
from encoders.pen import NAMES, level, stance, trace
from encoders.strokes import Strokes
from tests.data.ink import moved, write

TEXT = "until taco a lion"
LENGTHS = torch.tensor([1, 40, 13, 7])
SIZES = {"output_size": 12, "channels": 6}


def prepared(strokes, spacing=0.25):
    return trace(level(strokes), spacing)


def feature(found, name):
    return found.features[:, NAMES.index(name)]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("scale", [1e-3, 1000.0])
def test_units_and_place_change_nothing(scale, late):
    strokes = write(TEXT, late=late).strokes
    expected = prepared(strokes)
    found = prepared(moved(strokes, scale, offset=(scale * 70, -scale * 40)))
    assert np.array_equal(found.stroke, expected.stroke)
    np.testing.assert_allclose(found.features, expected.features, atol=1e-4)
    np.testing.assert_allclose(found.point, expected.point, atol=1e-4)


def test_repeated_points_change_nothing_but_their_numbers():
    strokes = write(TEXT).strokes
    expected = prepared(strokes)
    found = prepared([np.repeat(stroke, 3, axis=0) for stroke in strokes])
    np.testing.assert_allclose(found.features, expected.features, atol=1e-4)
    down = expected.stroke >= 0
    assert np.abs(found.point[down] / 3 - expected.point[down]).max() < 1


def test_the_sampling_rate_changes_little():
    coarse, fine = (prepared(write(TEXT, step=step).strokes) for step in (0.08, 0.02))
    assert len(coarse.stroke) == pytest.approx(len(fine.stroke), rel=0.03)
    for name in ("x", "y", "pen up"):  # as histograms: the points are not the same ones
        means = [np.quantile(feature(each, name), [0.1, 0.5, 0.9]) for each in (coarse, fine)]
        np.testing.assert_allclose(means[0], means[1], atol=0.12)


@pytest.mark.parametrize("slant", [-0.4, 0.0, 0.5])
@pytest.mark.parametrize("degrees", [-8.0, 0.0, 5.0])
def test_slope_slant_and_height_are_found(slant, degrees):
    strokes = write("until a lion toot a tail on a tin").strokes
    found = stance(moved(strokes, 30.0, slant, degrees, (500.0, 100.0)))
    assert np.degrees(found.angle) == pytest.approx(degrees, abs=0.5)
    assert found.height == pytest.approx(30.0, rel=0.1)
    assert found.slant == pytest.approx(slant, abs=0.1)


def test_levelling_is_undone_exactly():
    strokes = moved(write(TEXT).strokes, 30.0, 0.3, 4.0, (500.0, 100.0))
    how = stance(strokes)
    for stroke in strokes:
        np.testing.assert_allclose(how.ink(how.level(stroke)), stroke, atol=1e-9)
    baseline = np.concatenate([how.level(stroke) for stroke in strokes])[:, 1]
    assert baseline.max() == pytest.approx(0.0, abs=0.1)  # the font has no descenders


def test_every_point_knows_where_it_came_from():
    strokes = moved(write(TEXT, joined=True).strokes, 30.0, 0.3, 4.0)
    how = stance(strokes)
    found = trace([how.level(stroke) for stroke in strokes], 0.1)
    for number, stroke in enumerate(strokes):
        own = found.stroke == number
        places = found.point[own]
        assert (np.diff(places) > 0).all() and places[0] >= 0 and places[-1] <= len(stroke) - 1
        there = np.stack([np.interp(places, np.arange(len(stroke)), axis) for axis in stroke.T], axis=1)
        assert np.abs(how.level(there) - found.position[own]).max() < 0.1  # corners are rounded
    assert np.isnan(found.point[found.stroke < 0]).all()
    assert np.array_equal(feature(found, "pen up") == 1, found.stroke < 0)


def test_points_are_equally_spaced_and_strokes_keep_their_ends():
    strokes = level(write(TEXT).strokes)
    found = trace(strokes, 0.2)
    for number, stroke in enumerate(strokes):
        points = found.position[found.stroke == number]
        if len(points) > 2:
            np.testing.assert_allclose(points[[0, -1]], stroke[[0, -1]], atol=1e-9)
            steps = np.hypot(*np.diff(points, axis=0).T)
            assert steps.min() > 0.1 and steps.max() < 0.25


def test_late_strokes_and_the_letters_under_them_are_marked():
    found = prepared(write("l i l", late=True).strokes)
    over, hat = feature(found, "over earlier"), feature(found, "under later")
    body, dot = found.stroke == 1, found.stroke == 2
    assert (over[dot] > 0.3).all() and not hat[dot].any()
    assert (hat[body] > 0.1).all() and not over[body].any()
    assert not over[~dot].any() and not hat[~body].any()


@pytest.mark.parametrize(
    "strokes",
    [
        [np.zeros((1, 2))],
        [np.zeros((5, 2))],
        [np.array([[0.0, 0.0], [100.0, 0.0]])],
        [np.array([[0.0, 0.0], [0.0, 100.0]])],
        [np.array([[0.0, 0.0]]), np.array([[1e9, 0.0]])],
        [np.zeros((0, 2)), np.array([[5.0, 5.0], [6.0, 9.0]])],
        [np.array([[i * 10.0, i % 2] for i in range(1000)])],
    ],
    ids=["dot", "rest", "dash", "stem", "dots far apart", "empty first", "comb"],
)
def test_ink_that_is_hardly_any_gives_finite_features(strokes):
    found = prepared(strokes)
    assert 0 < len(found.stroke) < 20_000
    assert np.isfinite(found.features).all() and np.abs(found.features).max() < 20


def test_no_ink_and_endless_ink_are_refused():
    for strokes in ([], [np.zeros((0, 2))]):
        with pytest.raises(ValueError, match="without points"):
            stance(strokes)
        with pytest.raises(ValueError, match="without points"):
            trace(strokes, 0.2)
    scribble = np.array([[i % 2 * 100.0, 0.0] for i in range(20_000)])
    with pytest.raises(ValueError, match="core heights"):
        stance([scribble])
    with pytest.raises(ValueError, match="strokes"):
        trace([np.zeros((1, 2))] * (pen.MOST_STROKES + 1), 0.2)


# The front end


@pytest.mark.parametrize("strides", [(1,), (2, 2), (1, 3), (3, 2, 1)])
def test_an_item_depends_neither_on_neighbours_nor_on_padding(strides):
    torch.manual_seed(0)
    front = Strokes(**SIZES, strides=strides)
    x = torch.randn(len(LENGTHS), int(LENGTHS.max()), len(NAMES))
    y, frames = front(x, LENGTHS)
    assert torch.equal(frames, front.output_lengths(LENGTHS))
    padding = (torch.arange(x.size(1)) >= LENGTHS[:, None])[:, :, None]
    for content in (1e3, float("nan")):
        assert torch.equal(front(x.masked_fill(padding, content), LENGTHS)[0], y)
    for item, (length, count) in enumerate(zip(LENGTHS.tolist(), frames.tolist(), strict=True)):
        alone, own = front(x[item : item + 1, :length], LENGTHS[item : item + 1])
        assert own.item() == alone.size(1) == count
        torch.testing.assert_close(alone[0], y[item, :count], atol=1e-5, rtol=1e-5)


def test_gradients_reach_every_parameter_and_dropout_acts_in_training_only():
    torch.manual_seed(0)
    front = Strokes(**SIZES, dropout=0.5)
    x, lengths = torch.randn(2, 30, len(NAMES)), torch.tensor([30, 20])
    front(x, lengths)[0].square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in front.parameters())
    assert not torch.equal(front(x, lengths)[0], front(x, lengths)[0])
    front.eval()
    assert torch.equal(front(x, lengths)[0], front(x, lengths)[0])


@pytest.mark.parametrize(
    "sizes",
    [{"strides": ()}, {"strides": (0,)}, {"channels": 0}, {"kernel": 4}, {"spacing": 0.0}, {"spacing": 9.0}],
)
def test_sizes_that_cannot_be_are_refused(sizes):
    with pytest.raises(ValueError, match="must be"):
        Strokes(**sizes)


def test_a_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"must be \(batch, points"):
        Strokes(**SIZES)(torch.randn(1, 5, 3), torch.tensor([5]))
