"""Open books and columns are written here with a font of strokes, so that their lines are known."""

import cv2
import numpy as np
import pytest

from pipelines.layout.found import find_lines
from pipelines.layout.gutters import find_gutter
from pipelines.layout.strokes import find_strokes
from recipes.scoring.baseline_scores import score_page
from tests.pipelines.layout.test_found import letter, paper, text_of, turned, write


def column(page, lines, words, x, y, step, size=1.0):
    return [write(page, text_of(n, words), x, y + n * step, size) for n in range(lines)]


def book(fold=False):
    """Two pages with other distances of their lines, which end and begin close to the fold."""
    page = paper(1100, 1720)
    left, right = column(page, 15, 8, 60, 100, 62), column(page, 18, 8, 910, 80, 54, 0.9)
    page[:, 870:882] = 225
    if fold:
        page = (page * (1 - 0.6 * np.exp(-(((np.arange(1720) - 876) / 12) ** 2)))).astype(np.uint8)
        cv2.line(page, (874, 0), (878, 1099), 30, 2, cv2.LINE_AA)
    assert max(line[1][0] for line in left) < 870
    return page, left, right


def in_order(page, *parts):
    """Whether all lines of one part are found before all of the next, each with the places that it has."""
    found = [shape.baseline for region in find_lines(page) for shape in region]
    lines = [line for part in parts for line in part]
    assert score_page(found, lines).f1 > 0.95
    assert len(found) == len(lines)
    for baseline, line in zip(found, lines, strict=True):
        assert np.hypot(*np.subtract(baseline[0], line[0])) < 40
    return True


@pytest.mark.parametrize("fold", [False, True], ids=["plain", "fold"])
@pytest.mark.parametrize("degrees", [-1.5, 0, 2])
def test_the_left_page_of_an_open_book_is_read_before_the_right_one(fold, degrees):
    page, left, right = book(fold)
    page, lines = turned(page, left + right, degrees)
    assert in_order(page, lines[: len(left)], lines[len(left) :])


def test_two_columns_of_a_few_lines_are_read_one_after_the_other():
    page = paper(420, 1300)
    left, right = column(page, 5, 5, 60, 70, 62), column(page, 5, 5, 720, 84, 62)
    assert in_order(page, left, right)


def test_three_columns_are_read_from_left_to_right():
    page = paper(900, 2000)
    assert in_order(page, *(column(page, 12, 5, x, 90, 62) for x in (60, 720, 1380)))


@pytest.mark.parametrize("lines", [3, 6, 18])
def test_a_page_of_one_column_has_no_gutter(lines):
    page, _ = letter(lines=lines)
    strokes = find_strokes(page)
    assert find_gutter(strokes.ink, strokes.distance) is None


def test_numbers_and_dates_beside_a_text_are_no_column():
    page, _ = letter(lines=14, words=5, x=330, page=paper())
    for number in range(14):
        write(page, str(1850 + number), 120, 120 + number * 64)
    strokes = find_strokes(page)
    assert find_gutter(strokes.ink, strokes.distance) is None


@pytest.mark.parametrize("degrees", [-1.5, 0, 1])
@pytest.mark.parametrize("lengths", [(14, 14), (14, 8), (7, 14)])
def test_columns_below_a_heading_and_above_a_footer(lengths, degrees):
    page = paper(1300, 1400)
    head, foot = column(page, 2, 12, 60, 90, 62), column(page, 2, 12, 60, 1180, 62)
    left, right = (column(page, n, 5, x, 240, 62) for n, x in zip(lengths, (60, 720), strict=True))
    page, lines = turned(page, head + left + right + foot, degrees)
    assert in_order(page, lines)


def test_three_columns_of_unequal_length_below_a_heading():
    page = paper(1100, 2000)
    head = column(page, 1, 18, 60, 90, 62)
    assert in_order(
        page, head, *(column(page, n, 5, x, 240, 62) for n, x in ((13, 60), (9, 720), (11, 1380)))
    )


@pytest.mark.parametrize("head", [False, True])
def test_a_table_is_not_torn_apart(head):
    page, rows = paper(1200, 1400), []
    if head:
        column(page, 2, 12, 60, 90, 62)
    for number in range(14):
        y = 240 + 62 * number
        write(page, text_of(number, 2 + number % 2), 60, y)
        write(page, str(731 * (number + 1)), 620, y)
        write(page, str(97 * (number + 3)), 980, y)
        write(page, str(13 * (number + 9)), 1240, y)
        rows.append(y)
    order = [shape.baseline[0][1] for region in find_lines(page) for shape in region]
    table = [round((y - 240) / 62) for y in order if y > 215]
    assert table == sorted(table) and set(table) == set(range(14))


def test_a_list_with_a_tab_stop_is_not_torn_apart():
    page = paper(1200, 1400)
    for number in range(14):
        write(page, text_of(number, 1 + number % 3), 60, 120 + 62 * number)
        write(page, text_of(number + 3, 2 + number % 4), 640, 120 + 62 * number)
    order = [round((shape.baseline[0][1] - 120) / 62) for region in find_lines(page) for shape in region]
    assert order == sorted(order)
