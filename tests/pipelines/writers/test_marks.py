"""Marks as WFDB annotations: waves between brackets, beats as symbols, other events as notes."""

import numpy as np

from pipelines.media.signals import Signal
from pipelines.media.wfdb_annotations import read_marks
from pipelines.results import Annotated, Mark


def annotated(*marks, leads=("I", "II")):
    signal = Signal(np.zeros((500, len(leads)), np.float32), leads, 100.0)
    return Annotated(tuple(marks), 5.0, 100.0, leads, "model", signal=signal)


def test_annotations(tmp_path):
    found = annotated(
        Mark("P", 0.1, 0.2, 0.15, 0.9, "II"), Mark("V", 0.4, 0.5, 0.45, 0.9, "I"), Mark("noise", 1, 3, 2, 0.5)
    )
    marks, rate = read_marks(found.save(tmp_path / "x.atr"))
    rows = [(mark.sample, mark.symbol, mark.channel) for mark in marks[1:]]
    assert rate == 100 and marks[0].text == "Not a medical device."
    assert rows == [(10, "(", 1), (15, "p", 1), (20, ")", 1), (45, "V", 0), (100, '"', 0)]
    assert marks[-1].text == "noise (2.000 s)"


def test_nothing_found_is_written_too(tmp_path):
    found = annotated()
    assert found.text == "nothing found" and found.save(tmp_path / "x.csv").read_text().count("\n") == 1
    assert read_marks(found.save(tmp_path / "x.atr"))[0][0].text == "Not a medical device."
    assert found.save(tmp_path / "x.png").stat().st_size > 1000
