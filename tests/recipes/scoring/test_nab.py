"""The NAB score against cases whose values follow from its definition."""

import numpy as np
import pytest

from recipes.scoring.nab import PROFILES, Judged, nab_score, overlap_f1, sigmoid

STANDARD = PROFILES[0]
WINDOWS = ((400, 449), (700, 749))


def judged(*places):
    scores = np.zeros(1000)
    for place in places:
        scores[place] = 0.9
    return Judged(scores, WINDOWS)


def test_nothing_is_0_and_the_first_step_of_every_window_is_100():
    assert nab_score([judged()], STANDARD)[0] == 0
    assert nab_score([judged(400, 700)], STANDARD)[0] == pytest.approx(100)


def test_only_the_earliest_detection_of_a_window_counts_and_late_ones_count_less():
    early, late = nab_score([judged(400)], STANDARD)[0], nab_score([judged(449)], STANDARD)[0]
    assert nab_score([judged(400, 420, 449)], STANDARD)[0] == pytest.approx(early) == pytest.approx(50)
    # A detection at the last step of a window is worth sigmoid(-1 / 50) of the first, a missed one -1.
    assert late == pytest.approx(100 * (1 + sigmoid(-1 / 50) / sigmoid(-1)) / 4)


def test_wrong_detections_cost_by_their_distance_and_not_in_the_probation():
    near, far = (
        nab_score([judged(400, 700, 455)], STANDARD)[0],
        nab_score([judged(400, 700, 650)], STANDARD)[0],
    )
    assert far < near < 100
    assert 100 - far == pytest.approx(100 * 0.11 / 4)
    assert nab_score([judged(400, 700, 100)], STANDARD)[0] == pytest.approx(100)


def test_the_threshold_leaves_out_what_costs_more_than_it_gains():
    scores = np.full(1000, 0.1)
    scores[[400, 700]] = 0.8
    value, threshold = nab_score([Judged(scores, WINDOWS)], STANDARD)
    assert value == pytest.approx(100) and threshold == pytest.approx(0.8)


def test_f1_of_overlapping_events():
    assert overlap_f1([([(440, 460)], WINDOWS)]) == pytest.approx(2 / 3)
    assert overlap_f1([([(440, 460), (600, 610)], WINDOWS)]) == pytest.approx(0.5)
    assert overlap_f1([([], WINDOWS)]) == 0
