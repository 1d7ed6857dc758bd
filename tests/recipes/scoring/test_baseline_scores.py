import numpy as np
import pytest

from recipes.scoring.baseline_scores import Score, mean_score, score_page

# three level lines, 40 pixels apart: tolerance 10, nothing is left from 30 pixels on
LINES = [[(100, y), (500, y)] for y in (100, 140, 180)]


def moved(lines, across=0, down=0):
    return [[(x + across, y + down) for x, y in line] for line in lines]


def test_a_page_against_itself_is_perfect_in_any_order_and_with_any_points():
    broken = [[(100, 100), (137, 100), (350.5, 100), (500, 100)], *LINES[:0:-1]]
    assert score_page(broken, LINES) == Score(1.0, 1.0)


@pytest.mark.parametrize(("down", "share"), [(0, 1), (10, 1), (-10, 1), (20, 0.5), (25, 0.25)])
def test_a_line_counts_in_full_up_to_the_tolerance_and_less_beyond(down, share):
    score = score_page(moved(LINES[:1], down=down), LINES[:1] + [[(100, 60), (500, 60)]])
    assert score.precision == pytest.approx(max(share, 0 if down >= 0 else (30 - (40 + down)) / 20))
    assert score.recall < 1


def test_tolerance_is_a_quarter_of_the_distance_and_at_most_the_mean():
    given = [*LINES, [(100, 380), (500, 380)]]  # 40, 40, 40, 200: the last one counts as the mean, 80
    for down, share in ((20, 1), (40, 0.5), (60, 0)):
        assert score_page(moved(given[3:], down=down), given).precision == pytest.approx(share, abs=0.01)


def test_lines_torn_apart_or_run_together_cost_precision_and_no_recall():
    halves = [[(100, 100), (298, 100)], [(302, 100), (500, 100)], *LINES[1:]]
    torn = score_page(halves, LINES)
    assert torn.recall == 1 and torn.precision == pytest.approx(3 / 4)
    columns = [[(left, y), (left + 190, y)] for left in (100, 310) for y in (100, 140, 180)]
    together = score_page(LINES, columns)
    assert together.recall == 1 and together.precision == pytest.approx(0.5, abs=0.1)


def test_missing_and_superfluous_lines():
    assert score_page(LINES[:2], LINES).recall == pytest.approx(2 / 3, abs=0.01)
    score = score_page([*LINES, [(100, 900), (500, 900)]], LINES)
    assert (score.precision, score.recall) == (0.75, 1)
    assert score_page([], LINES) == Score(1.0, 0.0) and score_page([], LINES).f1 == 0
    assert score_page(LINES, []) == Score(0.0, 1.0)
    assert score_page([], []).f1 == 1


def test_slanting_lines_are_measured_across_their_direction():
    turn = np.array([[np.cos(0.5), np.sin(0.5)], [-np.sin(0.5), np.cos(0.5)]])
    slanting = [np.asarray(line) @ turn for line in LINES]
    assert score_page(slanting, slanting) == Score(1.0, 1.0)
    level = score_page(moved(LINES, down=15), LINES)
    turned = score_page([np.asarray(line) @ turn for line in moved(LINES, down=15)], slanting)
    # city-block distances are longer aslant
    assert level.f1 == pytest.approx(0.75, abs=0.01) and 0.5 < turned.f1 < level.f1


def test_a_single_point_and_one_line_alone():
    assert score_page([[(5, 5)]], [[(5, 5)]]) == Score(1.0, 1.0)
    alone = [[(0, 0), (100, 0)]]
    assert score_page(moved(alone, down=62), alone).f1 == 1  # a quarter of 250 pixels


def test_the_mean_is_over_pages():
    mean = mean_score([Score(1.0, 0.5), Score(0.5, 0.5)])
    assert (mean.precision, mean.recall) == (0.75, 0.5) and mean.f1 == pytest.approx(0.6)
