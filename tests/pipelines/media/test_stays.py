"""Tables of stays: whose rows they are, times, files of PhysioNet 2012, means of steps, what is refused."""

import numpy as np
import pytest

from pipelines.errors import MediaError
from pipelines.media.kind import kind_of
from pipelines.media.stays import binned, joined, read_stays, read_table


def test_rows_of_persons_in_order_of_time(tmp_path):
    (tmp_path / "x.csv").write_text("RecordID,hour,HR,note\n7,1,80,a\n7,0,70,b\n8.0,0,,c\n")
    found = read_stays(tmp_path / "x.csv")
    assert found.columns == ("HR",) and [stay.name for stay in found.stays] == ["7", "8"]
    assert found.stays[0].times.tolist() == [0, 3600] and found.stays[0].values[:, 0].tolist() == [70, 80]
    assert np.isnan(found.stays[1].values).all()


def test_files_of_the_challenge_of_2012(tmp_path):
    rows = ["Time,Parameter,Value", "00:00,RecordID,132539", "00:00,Height,-1", "00:07,HR,73", "01:37,HR,77"]
    (tmp_path / "x.txt").write_text("\n".join(rows))
    found = read_stays(tmp_path / "x.txt")
    even = binned(found.stays[0], 3600)
    assert found.stays[0].name == "132539" and found.columns == ("HR", "Height")
    assert even.values[:, 0].tolist() == [73, 77] and np.isnan(even.values[:, 1]).all()


def test_parquet_is_of_a_kind_of_its_own(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(
        pyarrow.table({"id": [1, 1], "hour": [0, 1], "HR": [60.0, None]}), tmp_path / "x.parquet"
    )
    assert kind_of(tmp_path / "x.parquet").name == "Parquet table"
    (stay,) = read_stays(tmp_path / "x.parquet").stays
    assert stay.name == "1" and stay.values[0, 0] == 60 and np.isnan(stay.values[1, 0])


def test_what_does_not_change_is_measured_at_the_beginning(tmp_path):
    (tmp_path / "x.csv").write_text("id,hour,HR\n1,0,60\n1,5,70\n2,0,80\n")
    (tmp_path / "who.csv").write_text("id,Age,Length_of_stay\n1,50,9\n")
    found = joined(read_stays(tmp_path / "x.csv"), read_table(tmp_path / "who.csv"), ["Age"])
    assert found.columns == ("HR", "Age") and found.stays[0].values[0].tolist() == [60, 50]
    assert np.isnan(found.stays[0].values[1, 1]) and np.isnan(found.stays[1].values[0, 1])


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("id,HR\n1,2\n", "no column of times"),
        ("id,hour,HR\n1,-2,3\n", "row 2: its time is missing or negative"),
        ("id,hour,HR\n1,soon,3\n", "row 2: 'soon' is no time"),
        ("id,hour,HR\n1,2\n", "row 2 has 2 cells"),
        ("id,hour,note\n1,2,x\n", "no column of numbers"),
        ("id,hour,HR\n", "no rows"),
    ],
)
def test_what_is_no_table_of_stays_is_named(tmp_path, text, cause):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(MediaError, match=cause):
        read_stays(tmp_path / "x.csv")


def test_a_cell_that_is_no_number_is_named_and_does_not_cost_its_column(tmp_path):
    rows = "".join(f"1,{hour},{70 + hour},a\n" for hour in range(5))
    for cell, said in (
        ("high", "'high' is no number"),
        ("inf", "'inf' is no number or too"),
        ("1e60", "too large"),
    ):
        path = tmp_path / "x.csv"
        path.write_text(f"id,hour,pulse,ward\n{rows}1,6,{cell},a\n")
        with pytest.raises(MediaError, match=f"row 7, column 'pulse': .*{said}"):
            read_stays(path)
    path.write_text(f"id,hour,pulse,ward\n{rows}1,6,--,a\n")
    assert read_stays(path).columns == ("pulse",)


def test_semicolons_and_decimal_commas(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id;hour;pulse;count\n1;0;70,5;1.200\n1;1,5;71;900\n")
    (stay,) = read_stays(path).stays
    assert stay.values.tolist() == [[70.5, 1200], [71, 900]] and stay.times.tolist() == [0, 5400]
