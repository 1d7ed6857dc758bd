"""Pages are typed here letter by letter, all as wide as each other, with a font of strokes."""

import cv2
import numpy as np
import pytest

from pipelines.layout.pitch import find_pitch
from pipelines.layout.strokes import find_strokes
from recipes.scoring.baseline_scores import score_page
from tests.pipelines.layout.test_found import found, letter, paper, ruled, text_of, turned

PITCH, SINGLE = 15, 25  # pixels at 150 dpi: ten letters and six lines an inch


def type_line(page, text, x, y, dark=60):
    """Returns the baseline."""
    for place, sign in enumerate(text):
        if sign != " ":
            at = (x + place * PITCH, y)
            cv2.putText(page, sign, at, cv2.FONT_HERSHEY_COMPLEX_SMALL, 0.75, dark, 1, cv2.LINE_AA)
    return [(x, y), (x + len(text) * PITCH, y)]


def sheet(spacings, x=250, y=150, words=11, dark=60):
    """Lines with the given distances, in single spacings."""
    page, lines = paper(1754, 1240), []
    for number, spacing in enumerate(spacings):
        lines.append(type_line(page, text_of(number, words), x, y, dark))
        y += round(spacing * SINGLE)
    return page, lines


def good(page, lines, least=0.97):
    score = score_page(found(page), lines)
    assert len(found(page)) == len(lines)
    return score.precision > least and score.recall > least


SPACINGS = {
    "single": [1] * 40,
    "one and a half": [1.5] * 28,
    "double": [2] * 22,
    "mixed": [2] * 6 + [1] * 12 + [2] * 5 + [1] * 8 + [1.5] * 4,
}


@pytest.mark.parametrize("degrees", [0, 1])
@pytest.mark.parametrize("name", SPACINGS)
def test_lines_of_any_spacing_are_found(name, degrees):
    assert good(*turned(*sheet(SPACINGS[name]), degrees))


def test_pale_type_is_found():
    assert good(*sheet(SPACINGS["mixed"], dark=192))


def test_pale_parts_of_lines_are_found():
    page, lines = sheet(SPACINGS["double"])
    light = np.clip(np.hypot(*np.mgrid[-900:854, -600:640] / 300.0), 0.35, 1)
    assert good((215 - light * (215.0 - page)).astype(np.uint8), lines)


def test_only_typed_pages_have_a_pitch():
    strokes = find_strokes(sheet(SPACINGS["double"])[0])
    assert strokes.pitch * strokes.scale[0] == pytest.approx(PITCH, rel=0.03)
    for page in (
        letter()[0],
        ruled(letter()[0]),
        ruled(letter()[0], squares=True),
        ruled(paper(), squares=True),
    ):
        strokes = find_strokes(page)
        assert strokes is None or strokes.pitch is None
    assert find_pitch(np.zeros((50, 50), np.float32), 9.0) is None


def test_holes_and_blots_are_no_lines():
    page, lines = sheet(SPACINGS["mixed"])
    for y in (560, 1040):
        cv2.circle(page, (90, y), 19, 10, -1, cv2.LINE_AA)
    cv2.ellipse(page, (900, 1500), (30, 17), 30, 0, 360, 90, -1, cv2.LINE_AA)
    assert good(page, lines)


@pytest.mark.parametrize("black", [0, 40])
def test_the_scanner_around_the_paper_is_no_line(black):
    page, lines = sheet(SPACINGS["single"], x=30)
    page = cv2.copyMakeBorder(page, 50, 50, 50, 50, cv2.BORDER_CONSTANT, value=black)
    noise = np.random.default_rng(0).normal(0, 4, page.shape)
    page = np.clip(page + noise, 0, 255).astype(np.uint8)
    assert good(page, [[(x + 50, y + 50) for x, y in line] for line in lines])


def test_numbers_dates_notes_and_cells_beside_a_line_are_lines_of_their_own():
    page, lines = sheet(SPACINGS["mixed"], words=8)
    right = max(line[1][0] for line in lines)
    lines += [type_line(page, "- 3 -", right + 3 * PITCH, 150), type_line(page, "1946", 120, lines[4][0][1])]
    lines += [
        type_line(page, text, 100, lines[10][0][1] + n * 30) for n, text in enumerate(["note", "in it"])
    ]
    for number in range(5):
        y = 1350 + number * SINGLE
        lines += [type_line(page, f"row {number}", 250, y), type_line(page, str(97 + 3 * number), 450, y)]
    assert good(page, lines)


def test_words_between_lines_are_lines_of_their_own():
    page, lines = sheet(SPACINGS["double"])
    lines += [type_line(page, "and even more", 280 + 20 * n, lines[n][0][1] - 21) for n in (5, 9, 14)]
    assert good(page, lines, 0.95)


def test_lines_end_where_the_type_does():
    page, lines = sheet([2] * 18, words=6)
    cv2.circle(page, (1100, lines[6][0][1] - 6), 9, 80, -1, cv2.LINE_AA)
    cv2.line(page, (0, lines[11][0][1] + 3), (1240, lines[11][0][1] + 5), 150, 2, cv2.LINE_AA)
    assert good(page, lines)
