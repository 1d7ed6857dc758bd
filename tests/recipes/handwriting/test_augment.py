import numpy as np
import pytest
import torch

from recipes.handwriting.augment import blot, vary
from recipes.handwriting.options import LineAugmentation

STILL = LineAugmentation(
    stretch=0, size=0, slant=0, skew=0, offset=0, elastic=0, stroke=0, contrast=0, blur=0, noise=0,
    show_through=0, masks=0,
)  # fmt: skip


@pytest.fixture
def line():
    line = np.zeros((64, 300), np.uint8)
    line[20:44, 100:103] = 255
    line[30:33, 40:260] = 255
    return line


def test_nothing_asked_nothing_changed(line):
    assert np.array_equal(vary(line, STILL, np.random.default_rng(1), behind=line), line)


def test_the_same_generator_gives_the_same_variant(line):
    first, again, other = (vary(line, LineAugmentation(), np.random.default_rng(s), line) for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize("columns", [1, 2, 7, 3000])
def test_any_width_keeps_height_and_bounds(columns):
    line = np.full((64, columns), 130, np.uint8)
    for seed in range(20):
        varied = vary(line, LineAugmentation(), np.random.default_rng(seed), behind=line[:, :5])
        assert varied.dtype == np.uint8 and varied.shape[0] == 64
        assert round(0.79 * columns) <= varied.shape[1] <= max(1, round(1.21 * columns))


@pytest.mark.parametrize(
    "options, moved",
    [
        ({"slant": 0.9}, "top and bottom to opposite sides"),
        ({"offset": 0.1}, "all up or down"),
        ({"stretch": 0.3}, "the width"),
    ],
)
def test_each_change_does_what_it_says(line, options, moved):
    from dataclasses import replace

    varied = vary(line, replace(STILL, **options), np.random.default_rng(3))
    top, bottom = varied[27].argmax(), varied[36].argmax()
    if moved == "the width":
        assert varied.shape[1] != 300 and abs(top - 100 * varied.shape[1] / 300) < 3
        return
    column = varied[:, 200].astype(float)
    middle = (column * np.arange(64)).sum() / column.sum()
    assert varied.shape == line.shape
    assert (abs(int(top) - int(bottom)) > 2) == (moved == "top and bottom to opposite sides")
    assert (abs(middle - 31) > 2) == (moved == "all up or down")


def test_thicker_and_thinner(line):
    from dataclasses import replace

    inks = [
        vary(line, replace(STILL, stroke=1.0), np.random.default_rng(seed)).astype(float).sum()
        for seed in range(12)
    ]
    assert min(inks) < line.astype(float).sum() < max(inks)


def test_blots_are_fresh_and_bounded():
    torch.manual_seed(1)
    columns = torch.full((50, 400, 8), 9.0)
    blotted = blot(columns, torch.full((50,), 400), 64, LineAugmentation(masks=2, mask_width=0.5))
    lost = (blotted == 0).all(dim=2).sum(dim=1)
    assert 0 < lost.float().mean() < 64 and lost.max() <= 66
    assert len({tuple(row) for row in (blotted[:, :, 0] == 0).tolist()}) > 40


@pytest.mark.parametrize(
    "options", [{"noise": 1.5}, {"stretch": 1.0}, {"slant": -0.1}, {"masks": -1}, {"show_through": -0.1}]
)
def test_bad_options(options):
    with pytest.raises(ValueError):
        LineAugmentation(**options)
