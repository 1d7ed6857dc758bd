"""Texts of files: lines, tables with and without a head, JSON lines, quotes, compression."""

import gzip

import pytest

from pipelines.errors import DataError, MediaError
from pipelines.media.passages import open_passages, read_rows
from pipelines.reading.settings import TextOptions


def texts(path, **options):
    (found,) = open_passages(path, "text", TextOptions(**options))
    assert found.source == str(path)
    return found.texts


def write(path, content: str):
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "good, really\n\n  bad\tone \n"),
        ("a.txt.gz", "\ufeffgood, really\r\nbad one"),
        ("a.csv", 'label,Text\npos,"good, really"\nneg,bad one\n'),
        ("b.csv", 'id;text\n1;"good, really"\n2;bad one\n'),
        ("a.tsv", "good, really\tpos\nbad one\tneg\n"),
        ("b.tsv", "text\tlabel\ngood, really\tpos\nbad one\tneg\n"),
        ("a.jsonl", '{"label": 1, "text": "good, really"}\n\n{"text": "bad one"}\n'),
        ("a.jsonl.gz", '{"sentence": "good, really"}\n{"sentence": "bad one"}\n'),
    ],
)
def test_the_same_texts(tmp_path, name, content):
    assert texts(write(tmp_path / name, content)) == ("good, really", "bad one")


def test_a_cell_over_several_lines_and_quotes_that_mean_nothing(tmp_path):
    assert texts(write(tmp_path / "a.csv", 'text,n\n"two\nlines",1\n')) == ("two lines",)
    assert texts(write(tmp_path / "a.tsv", '5" disk\ta\nother\tb\n')) == ('5" disk', "other")


def test_a_named_column_and_whole_files(tmp_path):
    table = write(tmp_path / "a.csv", "id,note,text\n1,first,x\n2,second,y\n")
    assert texts(table, column="Note") == ("first", "second")
    assert texts(write(tmp_path / "b.tsv", "1\tlong text\n"), column="1") == ("1",)
    assert texts(write(tmp_path / "a.txt", "one\ntwo\n"), unit="file") == ("one\ntwo",)


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("a.csv", "id,remark\n1,x\n2,y\n", None),
        ("a.jsonl", '{"text": "x"}\n[1]\n', "line 2 is no JSON object"),
        ("b.jsonl", '{"id": 1, "remark": "x"}\n', "no column that is known to hold text"),
        ("a.txt", " \n\n", "holds no text"),
        ("b.csv", "text,label\n,pos\n", "holds no text"),
        ("c.txt", "\x00", None),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, name, content, cause):
    path = write(tmp_path / name, content)
    if cause is None:
        read_rows(path)
        return
    with pytest.raises((MediaError, DataError), match=cause) as caught:
        texts(path)
    assert "\n" not in str(caught.value)


def test_a_column_that_is_not_there(tmp_path):
    with pytest.raises(MediaError, match="has no column 'body', only 'id', 'text'"):
        texts(write(tmp_path / "a.csv", "id,text\n1,x\n"), column="body")
