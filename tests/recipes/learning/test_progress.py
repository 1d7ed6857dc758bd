"""Progress: the time left follows from the work done, and lines are plain where there is no terminal."""

import pytest

from recipes.learning import progress
from recipes.learning.progress import Line, Remaining, counted, followed, lasting


def test_numbers_and_durations_are_told_in_words():
    told = [counted(count, "file") for count in (0, 1, 2, 1200)]
    assert told == ["0 files", "1 file", "2 files", "1,200 files"]
    assert [counted(count, "batch") for count in (1, 2)] == ["1 batch", "2 batches"]
    seconds = (0.2, 8.4, 59.7, 300, 3599, 7800, 7200, 40_000)
    told = ["1 s", "8 s", "1 min", "5 min", "1 h", "2 h 10 min", "2 h", "11 h"]
    assert list(map(lasting, seconds)) == told


def test_the_time_left_is_exact_where_work_is_even():
    """4 epochs of costs 1, 3 and 2 at 2 s a unit, validations of 5 s after the second and the last."""
    remaining = Remaining(4, [1, 3], extra=1)
    left = 4 * 12.0 + 3 * 5.0
    for epoch in range(4):
        remaining.begin(epoch, [1, 3, 2], 0)
        for cost in (1, 3, 2):
            remaining.step(cost, 2.0 * cost)
            left -= 2.0 * cost
            if remaining.validation is not None:
                assert remaining.left() == pytest.approx(left)
        if epoch in (1, 3):
            remaining.validated(5.0)
            left -= 5.0
        remaining.end()
        if remaining.validation is not None:
            assert remaining.left() == pytest.approx(left)
    assert left == 5.0


def test_the_time_left_is_known_after_the_first_batch_and_not_before():
    remaining = Remaining(10, [9], extra=0)
    remaining.begin(0, [1] * 8, 0)
    assert remaining.left() is None and remaining.share() == 0.0
    remaining.step(1, 0.5)
    assert remaining.left() == pytest.approx(0.5 * 79 + progress.VALIDATION * 4.0)
    assert remaining.share() == pytest.approx(1 / 80)


def test_a_resumed_epoch_counts_only_what_is_left():
    remaining = Remaining(2, [], extra=0)
    remaining.begin(1, [1, 1, 4, 2], 2)
    assert remaining.share() == pytest.approx((1 + 2 / 8) / 2)
    remaining.step(4, 8.0)
    assert remaining.left() == pytest.approx(4.0)


def test_a_change_of_speed_is_followed():
    remaining = Remaining(1, [], extra=0)
    remaining.begin(0, [1] * 1000, 0)
    for seconds in [1.0] * 100 + [3.0] * 200:
        remaining.step(1, seconds)
    assert remaining.left() == pytest.approx(3.0 * 700, rel=0.05)


def test_plain_lines_come_now_and_then(monkeypatch, capsys):
    clock = iter(range(0, 10_000, 7))  # seconds, one look at the clock after another
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    assert list(followed(range(40), "reading recordings", "file")) == list(range(40))
    lines = capsys.readouterr().err.splitlines()
    assert 3 <= len(lines) <= 15
    assert lines[-1].startswith("reading recordings: ") and " of 40 files, " in lines[-1]
    assert all(line.endswith(" left") for line in lines[1:])


def test_what_is_quick_says_nothing(capsys):
    assert list(followed("abc", "reading", "file", first=1)) == ["b", "c"]
    with Line("starting") as line:
        line.show("epoch 1/2", 0.5, "loss 1.0", 3.0)
        line.say("epoch 1/2  loss 1.0", 90.0)
    captured = capsys.readouterr()
    assert captured.err == "" and captured.out == "epoch 1/2  loss 1.0  2 min left\n"
