"""Marks as annotations of WFDB (waves between brackets, beats as symbols, other events as notes) and EDF+."""

import numpy as np

from pipelines.media.edf import ENTRY
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


def test_annotations_of_edf_are_records_of_one_size_behind_a_header_of_its_own(tmp_path):
    marks = [Mark("QRS", place / 100, place / 100 + 0.1, 0, 0.9, "II") for place in range(5000)]
    strange = Mark("a\x14b\0", 60, 60, 60, 0.5)
    content = annotated(*marks, strange).save(tmp_path / "x.annotations.edf").read_bytes()
    head, body = content[:512], content[512:]
    count, size = int(head[236:244]), 2 * int(head[472:480])
    assert head[:8].strip() == b"0" and head[192:197] == b"EDF+C" and head[256:272] == b"EDF Annotations "
    assert count > 1 and size <= 61440 and len(body) == count * size
    entries = []
    for place in range(count):
        record = body[place * size : (place + 1) * size]
        assert record.startswith(b"+0\x14\x14\0")
        entries += [entry.groups() for entry in ENTRY.finditer(record) if entry[3]]
    assert entries[0] == (b"+0.0000", None, b"Not a medical device.")
    assert entries[1] == (b"+0.0000", b"0.1000", b"QRS@@II") and len(entries) == 5002
    assert entries[-1] == (b"+60.0000", None, b"a b ")
