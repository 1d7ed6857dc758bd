"""Ink that holds several lines of writing shows it; one line with its dots and bars is one."""

import numpy as np
import pytest

from pipelines.layout.ink_lines import count_lines
from tests.data.ink import moved, write

TEXTS = ("tail until lion", "a cat in tin", "noon taco tail")


@pytest.mark.parametrize("way", [{}, {"late": True}, {"joined": True}], ids=str)
@pytest.mark.parametrize("lines", [1, 2, 3])
def test_lines_that_are_written_below_each_other_are_counted(way, lines):
    strokes = [
        stroke + [0, 4 * row]
        for row, text in enumerate(TEXTS[:lines])
        for stroke in write(text, **way).strokes
    ]
    assert count_lines(moved(strokes, scale=300, slant=0.2, degrees=2)) == lines
    assert count_lines([np.zeros((0, 2)), *strokes]) == lines


def test_dots_underlines_and_falling_lines_are_no_lines_of_their_own():
    word = write("noon taco").strokes
    underline = np.array([[0, 1.0], [8, 1.1]])
    assert count_lines([*word, underline]) == 1
    assert count_lines(moved(write(" ".join(TEXTS)).strokes, degrees=15)) == 1
    assert count_lines([]) == 0 and count_lines([np.array([[5, 5]])]) == 1
