"""The training loop: resumed runs, averaging, the schedule, and what it refuses."""

import dataclasses
import math
import os
import signal
import sys
from functools import partial

import numpy as np
import pytest
import torch

from pipelines.errors import DataError
from recipes.learning.options import TrainingOptions
from recipes.learning.training import Maker, rate, train
from tests.data.line_task import EPOCHS, OPTIONS, STEPS, Line, weights


def changed(**options):
    return dataclasses.replace(OPTIONS, **options)


def without_times(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    task = Line()
    return task, train(task, OPTIONS, tmp_path_factory.mktemp("whole"))


# Step 7 is in the middle of the second epoch, step 10 the first one of the third; steps 4 and 9 are the
# last ones of theirs. A checkpoint is written after every step, or at the ends of epochs only.
@pytest.mark.parametrize("stop_at", [1, 4, 7, 9, 10, EPOCHS * STEPS - 1])
def test_a_resumed_run_ends_with_the_very_same_weights(tmp_path, uninterrupted, stop_at):
    whole, history = uninterrupted
    often = changed(checkpoint_minutes=1e-9)
    with pytest.raises(KeyboardInterrupt):
        train(Line(stop_at), often, tmp_path)
    resumed = Line()
    torch.rand(13)
    found = train(resumed, changed(checkpoint_minutes=1e-9, resume="yes"), tmp_path)
    assert resumed.steps == resumed.made == EPOCHS * STEPS - stop_at
    assert torch.equal(weights(resumed), weights(whole))
    assert without_times(found) == without_times(history)


def test_interrupted_again_and_again(tmp_path, uninterrupted):
    for _ in range(EPOCHS * STEPS // 4):
        with pytest.raises(KeyboardInterrupt):
            train(Line(stop_at=4), changed(checkpoint_minutes=1e-9), tmp_path)
    resumed = Line()
    train(resumed, OPTIONS, tmp_path)
    assert resumed.steps == EPOCHS * STEPS % 4
    assert torch.equal(weights(resumed), weights(uninterrupted[0]))


def test_batches_that_are_much_work_are_made_with_half_of_the_threads(tmp_path):
    class Laborious(Line):
        laborious = True

        def forward(self, batch):
            allowed["learning"] = torch.get_num_threads()
            return super().forward(batch)

        def batches(self, epoch):
            def noted(make):
                allowed["making"] = torch.get_num_threads()
                return make()

            return [Maker(partial(noted, make)) for make in super().batches(epoch)]

    allowed, before = {}, torch.get_num_threads()
    try:
        for threads, learning, making in ((1, 1, 1), (2, 1, 1), (5, 3, 2)):
            torch.set_num_threads(threads)
            with pytest.raises(KeyboardInterrupt):
                train(Laborious(stop_at=7), OPTIONS, tmp_path)
            assert allowed == {"learning": learning, "making": making}
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_without_a_checkpoint_in_time_it_starts_again(tmp_path, uninterrupted):
    with pytest.raises(KeyboardInterrupt):
        train(Line(stop_at=7), changed(checkpoint_minutes=60), tmp_path)
    task = Line()
    train(task, OPTIONS, tmp_path)
    assert task.steps == EPOCHS * STEPS
    assert torch.equal(weights(task), weights(uninterrupted[0]))


def test_a_finished_run_is_not_trained_again(tmp_path, uninterrupted):
    history = train(Line(), OPTIONS, tmp_path)
    task = Line()
    assert train(task, OPTIONS, tmp_path) == history
    assert task.steps == 0
    assert torch.equal(weights(task), weights(uninterrupted[0]))


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")
def test_a_folder_in_which_another_training_is_at_work(tmp_path):
    class Second(Line):
        def evaluate(self):
            with pytest.raises(DataError, match="another training is at work in it; wait for its end"):
                train(Line(), OPTIONS, tmp_path)
            return super().evaluate()

    train(Second(), OPTIONS, tmp_path)
    train(Line(), OPTIONS, tmp_path)


def test_resume_no_starts_afresh(tmp_path):
    train(Line(), OPTIONS, tmp_path)
    task = Line()
    train(task, changed(resume="no", epochs=2), tmp_path)
    assert task.steps == 2 * STEPS


def test_resume_yes_wants_a_checkpoint(tmp_path):
    with pytest.raises(DataError, match="no checkpoint to resume from"):
        train(Line(), changed(resume="yes"), tmp_path)


class Recorder(Line):
    """Keeps the weights after each epoch, and gives the scores it is told to."""

    def __init__(self, *scores):
        super().__init__()
        self.scores, self.seen = list(scores), []

    def evaluate(self):
        self.seen.append(weights(self).clone())
        return {"error": self.scores.pop(0)}


def test_the_average_of_the_last_epochs_is_kept_when_it_is_better(tmp_path):
    task = Recorder(0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.39)
    history = train(task, changed(average=0.5), tmp_path)
    torch.testing.assert_close(weights(task), torch.stack(task.seen[3:6]).mean(dim=0))
    assert history[-1]["averaged_error"] == 0.39


def test_the_best_epoch_is_kept_when_the_average_is_worse(tmp_path):
    task = Recorder(0.9, 0.2, 0.7, 0.6, 0.5, 0.4, 0.39)
    train(task, changed(average=0.5), tmp_path)
    assert torch.equal(weights(task), task.seen[1])


def test_the_best_epoch_is_kept_without_averaging(tmp_path):
    task = Recorder(0.9, 0.8, 0.1, 0.6, 0.5, 0.4)
    history = train(task, changed(average=0.0), tmp_path)
    assert torch.equal(weights(task), task.seen[2])
    assert "averaged_error" not in history[-1]


@pytest.mark.parametrize(("blended", "kept"), [(0.3, True), (0.5, False)])
def test_the_mean_with_what_the_run_began_with_is_kept_when_it_is_better(tmp_path, blended, kept):
    task = Recorder(0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4, blended)
    begun = weights(task)
    history = train(task, changed(average=0.0, blend=0.25), tmp_path)
    mixture = 0.25 * begun + 0.75 * task.seen[5]
    torch.testing.assert_close(weights(task), mixture if kept else task.seen[5])
    assert history[-1]["blended_error"] == blended


def test_a_resumed_run_is_blended_with_what_it_began_with_at_first(tmp_path):
    options = changed(blend=0.5, checkpoint_minutes=1e-9)
    whole = Line()
    history = train(whole, options, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(Line(stop_at=12), options, tmp_path / "parts")
    rest = Line()
    assert without_times(train(rest, options, tmp_path / "parts")) == without_times(history)
    assert torch.equal(weights(rest), weights(whole))


def test_validation_comes_as_often_as_asked_and_at_the_end(tmp_path):
    history = train(Line(), changed(epochs=5, valid_every=2), tmp_path)
    assert [row["epoch"] for row in history if "error" in row] == [2, 4, 5]
    assert all(row["seconds"] >= 0 and math.isfinite(row["loss"]) for row in history)
    assert list((tmp_path / "log").iterdir())


def test_the_callers_things_are_as_before(tmp_path):
    task = Line()
    before = dict(os.environ), torch.get_num_threads(), signal.getsignal(signal.SIGINT)
    expected = torch.random.get_rng_state()
    train(task, changed(threads=2), tmp_path)
    assert (dict(os.environ), torch.get_num_threads(), signal.getsignal(signal.SIGINT)) == before
    assert signal.set_wakeup_fd(-1) == -1
    assert torch.get_default_dtype() == torch.float32
    assert torch.equal(torch.random.get_rng_state(), expected)


def test_a_loss_that_is_not_finite_is_named(tmp_path):
    class Exploding(Line):
        def forward(self, batch):
            return super().forward(batch) * math.inf

    with pytest.raises(DataError, match="not finite.*in epoch 1 of 6; lower --learning-rate"):
        train(Exploding(), OPTIONS, tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="no CUDA device; take auto or cpu"):
        train(Line(), changed(device="cuda"), tmp_path)


def test_epochs_are_told_in_percent(tmp_path, capsys):
    train(Recorder(0.5, 0.25), changed(epochs=2, average=0.0), tmp_path)
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("epoch 1/2  loss ") and "  error 50.00 %  1 s" in told[0]
    assert "error 25.00 %" in told[1]


def test_it_learns(uninterrupted):
    task, history = uninterrupted
    assert history[-1]["error"] < 0.3 * history[0]["error"]
    for row, start in zip(history, range(0, EPOCHS * STEPS, STEPS), strict=True):
        assert row["loss"] == pytest.approx(sum(task.losses[start : start + STEPS]) / STEPS)


@pytest.mark.parametrize("warmup", [0.0, 0.15, 0.5])
def test_the_rate_goes_up_and_down(warmup):
    options = changed(warmup=warmup, learning_rate=2.0)
    steps = [rate(step / 1000, options) for step in range(1001)]
    peak = round(1000 * warmup)
    assert steps[peak] == max(steps) == pytest.approx(2.0)
    assert steps[: peak + 1] == sorted(steps[: peak + 1])
    assert steps[peak:] == sorted(steps[peak:], reverse=True)
    assert min(steps) > 0
    assert steps[-1] == pytest.approx(2.0 * 1e-3)
    assert max(abs(a - b) for a, b in zip(steps, steps[1:], strict=False)) < 0.02  # no leaps
    if warmup:
        assert steps[peak // 2] == pytest.approx(2.0 * (peak // 2) / peak)
    assert rate(warmup + (1 - warmup) / 2, options) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": -1},
        {"batch_size": -1},
        {"learning_rate": 0.0},
        {"clip": 0.0},
        {"valid_every": 0},
        {"checkpoint_minutes": 0.0},
        {"warmup": 1.0},
        {"average": -0.1},
        {"blend": 1.0},
        {"weight_decay": -1.0},
        {"threads": -2},
    ],
)
def test_options_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrainingOptions(**wrong)


def test_few_items_get_more_epochs_than_many():
    left = TrainingOptions(epochs=0)
    epochs = [left.for_items(count).epochs for count in (0, 1, 50, 200, 1000, 5000, 10**7)]
    assert epochs == [40, 40, 30, 18, 11, 6, 4]
    assert [left.for_items(count).valid_every for count in (50, 5000)] == [4, 1]
    assert TrainingOptions(epochs=7).for_items(50) == TrainingOptions(epochs=7)


def test_scores_of_numpy_do_not_spoil_the_checkpoint(tmp_path):
    class Scored(Line):
        def evaluate(self):
            return {name: np.float64(value) for name, value in super().evaluate().items()}

    task = Scored()
    train(task, OPTIONS, tmp_path)
    again = Scored()
    train(again, OPTIONS, tmp_path)
    assert again.steps == 0 and torch.equal(weights(again), weights(task))
