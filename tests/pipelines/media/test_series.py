"""Tables of series: layouts, times and their form, gaps, order, and what is refused by row and column."""

import numpy as np
import pytest

from pipelines.errors import MediaError
from pipelines.media.series import Columns, read_series
from tests.data.loads import write_long, write_wide


def written(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text)
    return path


def test_a_wide_table_with_semicolons_decimal_commas_and_german_dates(tmp_path):
    found = read_series(write_wide(tmp_path / "a.csv", 60, gaps=0.1))
    first, second = found.series
    assert (first.name, second.name) == ("Last A", "Last B") and len(first) == 60
    assert np.isnan(first.values).any() and np.nanmean(second.values) == pytest.approx(1000, abs=50)
    assert first.clock.season == 24 and first.clock.text(60) == "03.03.2021 12:00"


def test_a_long_table_in_any_order_with_known_and_static_columns(tmp_path):
    columns = Columns(known=("holiday",), static=("size",))
    found = read_series(write_long(tmp_path / "a.csv", 72, ahead=24), columns)
    series = {each.name: each for each in found.series}
    assert sorted(series) == ["north", "south"] and found.covariates == ("holiday",)
    assert len(series["north"]) == 48 and len(series["north"].known) == 72
    assert series["south"].static == (9.0,)
    assert series["north"].clock.text(48) == "2021-03-03 00:00:00"


@pytest.mark.parametrize(
    ("times", "later"),
    [
        (["2020-01-30", "2020-01-31", "2020-02-01"], "2020-02-02"),
        (["2020-01-31", "2020-02-29", "2020-03-31"], "2020-04-30"),
        (["2020-01-01", "2020-02-01", "2020-03-01"], "2020-04-01"),
        (["2020-01-01T00:00Z", "2020-01-01T00:15Z", "2020-01-01T00:30Z"], "2020-01-01T00:45Z"),
        (["2020-01-01 22:00:00", "2020-01-01 23:00:00", "2020-01-02 00:00:00"], "2020-01-02 01:00:00"),
        (["1577836800", "1577840400", "1577844000"], "1577847600"),
        (["7", "8", "9"], "10"),
        (["0.5", "1.0", "1.5"], "2.0"),
        (["2020-11", "2020-12", "2021-01"], "2021-02"),
        (["11/2020", "12/2020", "01/2021"], "02/2021"),
        (["Nov 2020", "Dec 2020", "Jan 2021"], "Feb 2021"),
        (["20200130", "20200131", "20200201"], "20200202"),
        (["30-Jan-2020", "31-Jan-2020", "01-Feb-2020"], "02-Feb-2020"),
        (["30.01.20", "31.01.20", "01.02.20"], "02.02.20"),
        (["01/31/2020 11:00 PM", "02/01/2020 12:00 AM", "02/01/2020 01:00 AM"], "02/01/2020 02:00 AM"),
    ],
)
def test_times_go_on_in_the_form_of_the_file(tmp_path, times, later):
    rows = "\n".join(f"{time},{place}" for place, time in enumerate(times))
    (series,) = read_series(written(tmp_path, f"ds,y\n{rows}\n")).series
    assert series.clock.text(3) == later
    assert [series.clock.text(place) for place in range(3)] == times


def test_without_times_rows_are_counted(tmp_path):
    (series,) = read_series(written(tmp_path, "y\n5\n6\n7\n")).series
    assert [series.clock.text(place) for place in range(4)] == ["1", "2", "3", "4"]


def test_missing_steps_are_gaps_and_epochs_have_a_calendar(tmp_path):
    text = "ds,y\n1577836800,1\n1577840400,2\n1577851200,3\n1577854800,4\n"
    (series,) = read_series(written(tmp_path, text)).series
    assert np.isnan(series.values).tolist() == [False, False, True, True, False, False]
    assert series.clock.season == 24 and series.clock.calendar(6)[:, :2].any()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ds,y\n2020-01-01,1\n2020-01-02,high\n2020-01-03,2\n", "row 3, column 'y': 'high' is no number"),
        ("ds,y\n2020-01-01,1\n2020-01-01,2\n", "row 3, column 'ds': the time '2020-01-01' comes twice"),
        ("ds,y\n2020-01-01,1\n2020-01-02,2\n2020-01-03,3\n2020-01-03T07:10,4\n", "row 5, column 'ds'"),
        ("ds,y\n2020-01-01,1\nsoon,2\n2020-01-03,3\n", "row 3, column 'ds': 'soon' is no time"),
        ("ds,y\n2020-01-01,1\n2020-01-02,2,3\n", "row 3 has 3 cells"),
        ("ds,y\n1,1\n2,inf\n3,2\n", "row 3, column 'y': 'inf' is no number"),
        ('ds,y\n1,1\n2,3\n3,"1,200.50"\n', "row 4, column 'y': '1,200.50' is no number"),
        ("ds,note\n2020-01-01,a\n2020-01-02,b\n", r"no column of numbers \(column 'note': 'a'\)"),
        ("ds,y\n2020-01-01,5 kW\n2020-01-02,6 kW\n", "'5 kW' in column 'y' is not read as one; write plain"),
        (
            'ds,y\n1,"1,200.5"\n2,"1,300.5"\n',
            "'1,200.5' in column 'y' is not read as one; write plain numbers",
        ),
        ("Loads of 2020\n\nds,y\n2020-01-01,5\n2020-01-02,6\n", "below one line of names"),
        ('[{"ds": 1, "y": 2}]', "is JSON and no table; save it as CSV"),
        ('{"ds": 1, "y": 2}\n{"ds": 2, "y": 2}\n', "is JSON and no table; save it as CSV"),
        ("ds,y\n1,1\n2,1e200\n3,2\n", "row 3, column 'y': '1e200' is too large a number"),
    ],
)
def test_what_is_wrong_is_named_by_row_and_column(tmp_path, text, said):
    with pytest.raises(MediaError, match=said) as caught:
        read_series(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(MediaError, match="has no column 'price', only 'ds', 'y'"):
        read_series(written(tmp_path, "ds,y\n1,2\n2,3\n"), Columns(known=("price",)))


def test_thousands_have_points_where_decimals_have_commas(tmp_path):
    """Not 1.234 beside 1234.5: a whole number of the same file keeps its thousands."""
    rows = "2020-01-01;1.234,50\n2020-01-02;1.234\n2020-01-03;0,125\n2020-01-04;2.000.000\n"
    (series,) = read_series(written(tmp_path, f"ds;y\n{rows}")).series
    assert series.values.tolist() == [1234.5, 1234, 0.125, 2_000_000]
    (series,) = read_series(written(tmp_path, "ds;y\n2020-01-01;1.234\n2020-01-02;5.5\n")).series
    assert series.values.tolist() == [1.234, 5.5]


def test_columns_of_one_name_are_told_apart(tmp_path):
    found = read_series(written(tmp_path, "ds,y,y,\n1,1,5,\n2,2,6,\n"))
    assert [(each.name, each.values.tolist()) for each in found.series] == [("y", [1, 2]), ("y 2", [5, 6])]
    assert found.notes == ()


def test_what_is_uncertain_of_times_is_noted(tmp_path):
    rows = "".join(f"0{place}/02/2020,{place}\n" for place in range(1, 8))
    (note,) = read_series(written(tmp_path, f"ds,y\n{rows}")).notes
    assert "'01/02/2020' are read as month/day/year" in note
    rows = "".join(f"02/{place}/2020,{place}\n" for place in range(10, 18))
    assert read_series(written(tmp_path, f"ds,y\n{rows}")).notes == ()
    (note,) = read_series(written(tmp_path, "time,y\nWeek one,1\nWeek two,2\n")).notes
    assert note.startswith("the times in column 'time', such as 'Week one', are not understood")


def test_the_zone_of_the_last_row_goes_on(tmp_path):
    text = "ds,y\n2020-03-29T01:00+01:00,1\n2020-03-29T02:00+01:00,2\n2020-03-29T03:00+02:00,3\n"
    (series,) = read_series(written(tmp_path, text)).series
    assert series.clock.text(3) == "2020-03-29T04:00+02:00"


@pytest.mark.parametrize("cell", [".", "--", "<NA>", "#N/A", "null", ""])
def test_cells_for_what_is_missing(tmp_path, cell):
    (series,) = read_series(written(tmp_path, f"ds,y\n1,1\n2,{cell}\n3,2\n")).series
    assert np.isnan(series.values).tolist() == [False, True, False]
