"""pipelines.batch.progress: from the work done, from when reading begins."""

import io

import pytest

from pipelines.batch import progress as module
from pipelines.batch.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds, as the test sets them; and what is shown."""
    now = {"time": 100.0}
    shown = io.StringIO()
    monkeypatch.setattr(module.time, "monotonic", lambda: now["time"])

    def bar(**options):
        made = tqdm(**(options | {"disable": False, "file": shown, "mininterval": 0, "ncols": 80}))
        made._time = lambda: now["time"]
        made.start_t = made.last_print_t = now["time"]
        return made

    tqdm = module.tqdm
    monkeypatch.setattr(module, "tqdm", bar)
    now["shown"] = lambda: shown.getvalue().split("\r")[-1].strip()
    return now


def test_the_time_left_follows_from_the_seconds_read(clock):
    with Progress("transcripts", [100.0, 300.0], timed=True) as progress:
        clock["time"] += 50  # models are loaded
        assert progress.seconds == 0
        progress.reached(0.0)
        clock["time"] += 10
        progress.reached(40.0)
        assert clock["shown"]().startswith("10 % |") and "4.0 x real time" in clock["shown"]()
        assert clock["shown"]().endswith("01:30 left")
        progress.reached(500.0)  # a source that is longer than it says
        assert clock["shown"]().startswith("25 % |")
        progress.finish()
        clock["time"] += 10
        progress.reached(100.0)
        assert "transcripts: 1 of 2, 10.0 x real time, 00:20 left" in clock["shown"]()
        progress.finish()
        assert clock["shown"]().startswith("100 % |") and progress.seconds == 20


def test_unknown_lengths_are_taken_for_usual_ones(clock):
    with Progress("transcripts", [100.0, 0.0, 200.0], timed=True) as progress:
        progress.finish()
        progress.finish()
        assert clock["shown"]().startswith("56 % |")
    with Progress("transcripts", [0.0, 0.0], timed=True) as progress:
        progress.finish()
        assert clock["shown"]().startswith("50 % |") and "1 of 2, " in clock["shown"]()


def test_pages_are_counted(clock):
    with Progress("handwriting", [1.0] * 4, timed=False) as progress:
        progress.reached(0.0)
        clock["time"] += 3
        progress.finish()
        progress.reached(7.0)  # seconds of something mean nothing here
        assert clock["shown"]().startswith("25 % |") and "handwriting: 1 of 4, 00:09 left" in clock["shown"]()


def test_nothing_is_shown_without_a_terminal(capsys):
    with Progress("transcripts", [1.0], timed=True) as progress:
        progress.finish()
    assert capsys.readouterr() == ("", "")
