"""Signals: tables, `.ts`, EDF, WFDB and WAV are read as they were written, and damage is named."""

from __future__ import annotations

import struct
from datetime import datetime

import numpy as np
import pytest
import soundfile

from pipelines.errors import MediaError, TriscribeError
from pipelines.media.kind import kind_of
from pipelines.media.signal_files import open_signal, open_signals
from pipelines.media.signal_tables import read_table
from pipelines.media.signals import Signal, chosen
from pipelines.media.wfdb_annotations import Mark, read_marks, write_marks
from pipelines.reading.leads import rate_for


def signal_of(folder, text, name="x.csv", **options):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    if options:
        return read_table(path, **options)
    return open_signal(path)


# Tables


def test_times_and_missing_values_of_a_table(tmp_path):
    found = signal_of(tmp_path, "time,ecg,resp\n0.0,1.5,\n0.5,NaN,2\n1.0,-3e-1,?\n")
    assert found.channels == ("ecg", "resp")
    assert found.rate == 2.0
    np.testing.assert_array_equal(found.values, np.float32([[1.5, np.nan], [np.nan, 2], [-0.3, np.nan]]))


def test_semicolons_and_decimal_commas(tmp_path):
    plain = signal_of(tmp_path, "t;a;b\n0,5;1,25;1.200,5\n1;2;-3\n", "a.csv")
    np.testing.assert_array_equal(plain.values, np.float32([[1.25, 1200.5], [2, -3]]))
    np.testing.assert_array_equal(plain.times, [0, 0.5])
    lines = signal_of(tmp_path, "value\n1,5\n2,25\n", "b.csv")
    np.testing.assert_array_equal(lines.values, np.float32([[1.5], [2.25]]))


@pytest.mark.parametrize(
    "stamps",
    [
        ("2020-01-01 00:00:00", "2020-01-01 01:00:00", "2020-01-01 02:00:00"),
        ("2020-01-01T00:00:00Z", "2020-01-01T01:00:00Z", "2020-01-01T02:00:00Z"),
        ("01.01.2020 00:00", "01.01.2020 01:00", "01.01.2020 02:00"),
        ("1577836800", "1577840400", "1577844000"),
        ("1577836800000", "1577840400000", "1577844000000"),
    ],
)
def test_dates(tmp_path, stamps):
    found = signal_of(
        tmp_path, "timestamp,x\n" + "".join(f"{stamp},{row}\n" for row, stamp in enumerate(stamps))
    )
    assert found.start == datetime(2020, 1, 1)
    assert found.rate == pytest.approx(1 / 3600)
    np.testing.assert_allclose(found.times, [0, 3600, 7200])


def test_units_of_time_and_of_channels(tmp_path):
    found = signal_of(
        tmp_path, "'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'\n'0:00.000',-0.1\n'0:00.004',0.2\n"
    )
    assert (found.channels, found.units, found.rate) == (("MLII",), ("mV",), pytest.approx(250))
    assert signal_of(tmp_path, "time (ms);x\n0;1\n4;1\n8;2\n").rate == pytest.approx(250)
    assert signal_of(tmp_path, "a,b\n1,2\n3,4\n", rate=10.0).duration == pytest.approx(0.2)


def test_uneven_times_stay_uneven(tmp_path):
    found = signal_of(tmp_path, "time,x\n0,1\n1,2\n5,3\n")
    assert found.rate is None
    np.testing.assert_array_equal(found.times, [0, 1, 5])


def test_times_out_of_order_are_sorted_and_told(tmp_path):
    found = signal_of(tmp_path, "time,x\n2,3\n0,1\n1,2\n")
    np.testing.assert_array_equal(found.values[:, 0], [1, 2, 3])
    assert "sorted" in found.notes[0]


def test_a_table_without_head_has_numbered_channels(tmp_path):
    assert signal_of(tmp_path, "1.5,2\n3,4\n5,6\n").channels == ("1", "2")
    indexed = signal_of(tmp_path, ",x,x\n0,5,1\n1,7,1\n2,9,1\n")
    assert indexed.channels == ("x", "x 2")


def test_cells_that_are_no_numbers_are_named_by_row_and_column(tmp_path):
    with pytest.raises(MediaError, match=r"row 3, column 'b': 'high' is no number"):
        signal_of(tmp_path, "a,b\n1,2\n3,high\n")
    with pytest.raises(MediaError, match=r"row 2, column 2: 'inf'"):
        signal_of(tmp_path, "1,2\n3,inf\n")
    with pytest.raises(MediaError, match=r"row 4, column 'time': 'soon' is no time"):
        signal_of(tmp_path, "time,b\n1,2\n2,2\nsoon,3\n", time="time")
    with pytest.raises(MediaError, match="row 3 has 4 cells"):
        signal_of(tmp_path, "a,b\n1,2\n3,4,5,6\n")
    with pytest.raises(MediaError, match="no column 'z'"):
        signal_of(tmp_path, "a,b\n1,2\n", time="z")


def test_a_column_of_text_is_left_out_and_told(tmp_path):
    found = signal_of(tmp_path, "time,x,mood\n0,1,good\n1,2,bad\n")
    assert found.channels == ("x",)
    assert "'mood'" in found.notes[0]


@pytest.mark.parametrize(
    "text", ["words and words\nand more\n", "a,b\nx,y\n", "a,b\n", "\n#\n", "<html>", '"']
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path, text):
    with pytest.raises(TriscribeError):
        signal_of(tmp_path, text)


def test_a_single_row_has_no_rate(tmp_path):
    with pytest.raises(MediaError, match="is a single time step; give a longer one"):
        rate_for(signal_of(tmp_path, "time,x\n0,1\n"))


# .ts


def test_series_of_a_ts_file(tmp_path):
    text = "#c\n@problemName T\n@timestamps false\n@classLabel true a b\n@data\n1,2,3:4,5:a\n?,7:8,9:b\n"
    path = tmp_path / "x.ts"
    path.write_text(text)
    assert kind_of(path).name == "signal"
    one, two = open_signals(path, "signal")
    assert (one.label, two.label, one.number) == ("a", "b", 1)
    np.testing.assert_array_equal(one.values, np.float32([[1, 4], [2, 5], [3, np.nan]]))
    np.testing.assert_array_equal(two.values, np.float32([[np.nan, 8], [7, 9]]))
    path.write_text(text.replace("7:8", "7:x"))
    with pytest.raises(MediaError, match="line 7, channel 2"):
        open_signals(path, "signal")


# EDF


def edf(channels, rate=1, reserved="", kind=b"0       ", records=None, annotations=()):
    """Bytes of a file; channels: (label, unit, digital samples); each record is a second."""
    count = len(channels) + bool(annotations)
    length = len(channels[0][2]) // channels[0][3] if len(channels[0]) > 3 else len(channels[0][2]) // rate
    per = [each[3] for each in channels]
    head = kind + b"X".ljust(80) + b"Startdate 01-JAN-2021".ljust(80) + b"01.01.2112.30.05"
    head += str(256 * (count + 1)).encode().ljust(8) + reserved.encode().ljust(44)
    head += (
        str(length if records is None else records).encode().ljust(8)
        + b"1".ljust(8)
        + str(count).encode().ljust(4)
    )
    rows = [
        (each[0], each[1], "-100", "100", "-1000", "1000", n) for each, n in zip(channels, per, strict=True)
    ]
    rows += [("EDF Annotations", "", "-1", "1", "-32768", "32767", 30)] if annotations else []
    for width, value in (
        (16, lambda row: row[0]), (80, lambda row: ""), (8, lambda row: row[1]), (8, lambda row: row[2]),
        (8, lambda row: row[3]), (8, lambda row: row[4]), (8, lambda row: row[5]), (80, lambda row: ""),
        (8, lambda row: row[6]), (32, lambda row: ""),
    ):  # fmt: skip
        head += b"".join(str(value(row)).encode().ljust(width) for row in rows)
    body = b""
    for record in range(length):
        for each, n in zip(channels, per, strict=True):
            body += np.array(each[2][record * n : (record + 1) * n], "<i2").tobytes()
        if annotations:
            body += annotations[record].ljust(60, b"\0")
    return head + body


def test_edf_with_channels_of_two_rates(tmp_path):
    path = tmp_path / "x.edf"
    path.write_bytes(edf([("ECG", "mV", list(range(12)), 4), ("Resp", "", [0, 100, 200], 1)]))
    assert kind_of(path).name == "signal"
    found = open_signal(path)
    assert (found.channels, found.rate, len(found), found.medical) == (("ECG", "Resp"), 4.0, 12, True)
    assert found.start == datetime(2021, 1, 1, 12, 30, 5)
    whole = found.whole().values
    np.testing.assert_allclose(whole[:, 0], np.arange(12) / 10, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(whole[:9, 1], np.arange(9) * 2.5, rtol=1e-5, atol=1e-5)
    for first, last in ((0, 5), (3, 9), (11, 12)):
        np.testing.assert_allclose(found.read(first, last), whole[first:last], atol=1e-6)


def test_annotations_and_gaps_of_an_interrupted_edf(tmp_path):
    marks = (b"+0\x14\x14\0+0.5\x150.25\x14spike\x14\0", b"+3\x14\x14\0")
    path = tmp_path / "x.edf"
    path.write_bytes(edf([("ECG", "mV", [10, 20, 30, 40], 2)], reserved="EDF+D", annotations=marks))
    found = open_signal(path)
    assert found.labels == ((0.5, 0.25, "spike"),)
    expected = np.float32([1, 2, np.nan, np.nan, np.nan, np.nan, 3, 4])
    np.testing.assert_allclose(found.whole().values[:, 0], expected, atol=1e-5)
    np.testing.assert_allclose(found.read(5, 7)[:, 0], expected[5:7], atol=1e-5)


def test_an_edf_that_holds_more_than_it_states_is_noted(tmp_path):
    path = tmp_path / "x.edf"
    path.write_bytes(edf([("ECG", "mV", list(range(12)), 4)], records=2))
    found = open_signal(path)
    assert len(found) == 8
    assert found.notes == ("holds 3 records, of which its header states 2: the rest is not read",)


def test_a_last_column_without_values_has_a_name_or_is_no_column(tmp_path):
    found = signal_of(tmp_path, "time,x,y\n0,1,\n1,2,\n")
    assert found.channels == ("x", "y") and np.isnan(found.values[:, 1]).all()
    assert signal_of(tmp_path, "time,x,\n0,1,\n1,2,\n").channels == ("x",)


def test_a_damaged_edf_is_named(tmp_path):
    good = edf([("ECG", "mV", list(range(12)), 4)])
    path = tmp_path / "x.edf"
    damaged = {
        "ends after 2 of 3 records": good[:-3],
        "ends within its header": good[:400],
        "number of channels": good[:252] + b"many" + good[256:],
        "says that it has 0": good[:252] + b"0   " + good[256:],
        "no range": good.replace(b"-1000   ", b"1000    "),
        "samples of channel": good[:472] + b"4x      " + good[480:],
        "not of the format that its name says": b"\xe7" + good[1:],
        "is empty": b"",
        "has no records": good.replace(b"3       1 ", b"0       1 "),
    }
    for cause, data in damaged.items():
        path.write_bytes(data)
        with pytest.raises(MediaError, match=cause):
            open_signal(path)
    path.write_bytes(good[:-3])

    class Lenient:
        strict = False

    (found,) = open_signals(path, "signal", Lenient())
    assert len(found) == 8 and "2 of 3" in found.notes[0]


# WFDB


def record(folder, data, kind, lines, length):
    (folder / "r.dat").write_bytes(data)
    signals = "".join(f"r.dat {kind} 10(1)/mV 12 0 0 0 0 {name}\n" for name in lines)
    (folder / "r.hea").write_text(
        f"# made here\nr {len(lines)} 100 {length} 1:02:03 04/05/2006\n{signals}# end\n"
    )
    return folder / "r.hea"


DIGITAL = np.array([[1, -2], [300, 2047], [-2047, 5], [0, 9]])


@pytest.mark.parametrize("kind", ["16", "24", "32", "61", "160", "212", "80", "311", "310"])
def test_formats_of_wfdb(tmp_path, kind):
    values = (
        DIGITAL % 200 - 100 if kind == "80" else DIGITAL % 1000 - 500 if kind in ("310", "311") else DIGITAL
    )
    flat = values.reshape(-1)
    if kind == "212":
        pairs = flat.reshape(-1, 2) & 0xFFF
        data = b"".join(bytes((a & 255, a >> 8 | (b >> 8) << 4, b & 255)) for a, b in pairs.tolist())
    elif kind in ("310", "311"):
        padded = np.append(flat, 0).reshape(-1, 3) & 0x3FF
        a, b, c = padded.T.astype(np.int64)
        low = (a << 1 | (c & 31) << 11, b << 1 | (c >> 5) << 11)
        words = low[0] | low[1] << 16 if kind == "310" else a | b << 10 | c << 20
        data = words.astype("<u4").tobytes()
    else:
        kinds = {"16": "<i2", "61": ">i2", "32": "<i4", "24": "<i4", "160": "<u2", "80": "u1"}
        shifted = flat + {"160": 32768, "80": 128}.get(kind, 0)
        data = shifted.astype(kinds[kind]).tobytes()
        if kind == "24":
            data = np.frombuffer(data, np.uint8).reshape(-1, 4)[:, :3].tobytes()
    path = record(tmp_path, data, kind, ["V 1", "II"], 4)
    assert kind_of(path).name == "signal"
    found = open_signal(path)
    assert (found.channels, found.rate, found.start) == (("V 1", "II"), 100.0, datetime(2006, 5, 4, 1, 2, 3))
    np.testing.assert_allclose(found.whole().values, (values - 1) / 10, atol=1e-5)
    np.testing.assert_allclose(found.read(1, 3), ((values - 1) / 10)[1:3], atol=1e-5)


def test_flac_of_wfdb(tmp_path):
    soundfile.write(
        tmp_path / "r.flac", (DIGITAL * 8).astype(np.int16), 8000, format="FLAC", subtype="PCM_16"
    )
    path = record(tmp_path, (tmp_path / "r.flac").read_bytes(), "516", ["a", "b"], 4)
    np.testing.assert_allclose(open_signal(path).whole().values, (DIGITAL * 8 - 1) / 10, rtol=1e-5)


def test_segments_and_gaps_of_wfdb(tmp_path):
    record(tmp_path, DIGITAL.astype("<i2").tobytes(), "16", ["a", "b"], 4)
    path = tmp_path / "whole.hea"
    path.write_text("whole/3 2 100 10\nr 4\n~ 2\nr 4\n")
    assert kind_of(path).name == "signal"
    found = open_signal(path)
    assert found.medical and open_signal(tmp_path / "r.hea").medical
    gap = np.full((2, 2), np.nan)
    expected = np.concatenate([(DIGITAL - 1) / 10, gap, (DIGITAL - 1) / 10])
    np.testing.assert_allclose(found.read(0, 10), expected, atol=1e-5)


def test_a_damaged_record_is_named(tmp_path):
    data = DIGITAL.astype("<i2").tobytes()
    path = record(tmp_path, data[:-5], "16", ["a", "b"], 4)
    with pytest.raises(MediaError, match="end after 2 of 4 samples"):
        open_signal(path)
    record(tmp_path, data, "8", ["a", "b"], 4)
    with pytest.raises(MediaError, match="format 8"):
        open_signal(path)
    path.write_text("r 1 100 4\n../r.dat 16 10 12 0\n")
    with pytest.raises(MediaError):
        open_signal(path)
    for count, stated in ((1, "1 signal"), (3, "3 signals")):
        path.write_text(f"r {count} 100 4\nr.dat 16 10 12 0\nr.dat 16 10 12 0\n# a comment\n")
        with pytest.raises(MediaError, match=f"states {stated} and describes 2 signals"):
            open_signal(path)
    path.write_text("r 1 100 4\nother.dat 16 10 12 0\n")
    with pytest.raises(MediaError, match="other.dat is missing"):
        open_signal(path)


def test_annotations_are_read_as_they_were_written(tmp_path):
    marks = [
        Mark(0, "+", "(N"),
        Mark(70, "N"),
        Mark(70, "V", channel=1),
        Mark(5_000_000, "A"),
        Mark(5_000_001, '"', "x"),
    ]
    with open(tmp_path / "r.atr", "wb") as file:
        write_marks(marks, 250, file)
    assert read_marks(tmp_path / "r.atr") == (marks, 250.0)
    data = (tmp_path / "r.atr").read_bytes()
    (tmp_path / "cut.atr").write_bytes(data[:9])
    with pytest.raises(MediaError):
        read_marks(tmp_path / "cut.atr")
    (tmp_path / "other.atr").write_bytes(struct.pack("<H", 50 << 10 | 7))
    with pytest.raises(MediaError, match="no annotation file"):
        read_marks(tmp_path / "other.atr")


# WAV, and what is not a signal


def test_all_channels_of_a_wav_file_stay_a_recording(tmp_path):
    values = np.random.default_rng(0).uniform(-1, 1, (1000, 3)).astype(np.float32)
    path = tmp_path / "x.wav"
    soundfile.write(path, values, 500, subtype="FLOAT")
    assert kind_of(path).name == "recording"
    found = open_signal(path)
    assert (found.rate, len(found), found.channels) == (500.0, 1000, ("1", "2", "3"))
    np.testing.assert_array_equal(found.read(100, 200), values[100:200])


@pytest.mark.parametrize(
    "text",
    [
        "0.5,1\n2,3\n",
        "foo 12\nbar 5 5\n",
        "r 1 100 4\nsome words\n",
        "@data protection\n\n@someone",
        "0 1 2\n",
    ],
)
def test_other_texts_stay_texts(tmp_path, text):
    path = tmp_path / "x.txt"
    path.write_text(text if text != "@data protection\n\n@someone" else "hello\n" + text)
    assert kind_of(path).name == "text"


def test_a_signal_holds_what_fits(tmp_path):
    values = np.zeros((3, 2), np.float32)
    with pytest.raises(ValueError):
        Signal(values, ("a",))
    with pytest.raises(ValueError):
        Signal(values, ("a", "a"))
    with pytest.raises(ValueError):
        Signal(values, ("a", "b"), times=np.array([0.0, 2, 1]))
    with pytest.raises(ValueError):
        Signal(values, ("a", "b"), rate=0.0)
    one = chosen(Signal(values, ("I", "II"), 10.0, units=("mV", "V")), ["ii"])
    assert (one.channels, one.units) == (("II",), ("V",))
    with pytest.raises(MediaError, match="no channel 'III'"):
        chosen(one, ["III"])
