import numpy as np
import pytest

from pipelines.layout.turning import is_sideways, is_surely_upright, turned, turned_points
from tests.pipelines.layout.test_found import letter, paper, ruled, write


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("squares", [None, False, True], ids=["plain", "ruled", "squares"])
def test_lines_that_run_up_and_down_are_noticed(squares, degrees):
    page = paper() if squares is None else ruled(paper(), squares=squares)
    page, _ = letter(lines=12, page=page, y=184)
    assert is_sideways(turned(page, degrees)) == (degrees in (90, 270))


def test_ascenders_tell_which_way_up_a_page_is():
    page = paper()
    for number in range(18):
        write(page, "a tall hut let the child hold thick oak", 90, 120 + 64 * number)
    assert is_surely_upright(page)
    assert not is_surely_upright(turned(page, 180))


@pytest.mark.parametrize("page", [paper(), np.full((5, 400), 9, np.uint8), np.zeros((1, 1), np.uint8)])
def test_nothing_is_sure_of_an_empty_page(page):
    assert not is_sideways(page) and not is_surely_upright(page)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_points_are_turned_with_their_pixels(degrees):
    page = np.arange(35, dtype=np.uint8).reshape(5, 7)
    image = turned(page, degrees)
    ((x, y),) = turned_points([(6, 1)], degrees, page.shape)
    assert image[int(y), int(x)] == page[1, 6]
    assert turned_points([(x, y)], -degrees, image.shape) == ((6, 1),)
