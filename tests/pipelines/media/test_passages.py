"""Texts of files: lines, tables with and without a head, JSON lines, quotes, compression."""

import gzip

import pytest

from pipelines.errors import DataError, MediaError
from pipelines.media.books import open_book
from pipelines.media.passages import open_passages, read_rows
from pipelines.media.prose import open_prose
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
        ("a.json", '["good, really", "bad one"]'),
        ("b.json", '[{"text": "good, really"}, 5, {"text": "bad one"}]'),
        ("b.jsonl", '{"text": "good, really"}\n{"text": \n{"text": null}\n[1]\n{"text": "bad one"}\n'),
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
        ("a.jsonl", "[1]\nhello\n", "line 1 is no JSON object"),
        (
            "c.csv",
            'id,text\n1,one\n2,"two\n3,three\n',
            "line 3 has a cell that begins with a quote which never",
        ),
        ("d.csv", "a,b\n1,2\n3,4\n", "has no column of texts, only 'a', 'b'"),
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


@pytest.mark.parametrize(
    ("name", "content", "notes"),
    [
        ("a.csv", "id,text\n1,x\n2,\n3\n4,y\n", ("lines 3, 4: no text, left out",)),
        (
            "a.jsonl",
            '{"text": "x"}\n{"text"\n\n{"id": 1}\n',
            ("line 4: no text, left out", "line 2: no JSON obj"),
        ),
        ("a.json", '{"text": "x"}', ()),
        ("b.csv", "text\n" + "x\n" + "-1\n" * 9, ()),
        ("c.csv", "id,text\n" + "1,\n" * 9 + "2,x\n", ("lines 2, 3, 4, 5, 6 and 4 more: no text, left out",)),
        (
            "d.tsv",
            "1\tone two\n2\tthree\n",
            ("column 2 is taken for the texts, from the first row on ('one two')",),
        ),
    ],
)
@pytest.mark.parametrize("opener", [open_passages, open_prose, open_book])
def test_rows_that_are_left_out_are_told(tmp_path, opener, name, content, notes):
    (found,) = opener(write(tmp_path / name, content), "text", TextOptions())
    assert len(found.notes) == len(notes)
    assert all(told.startswith(note) for told, note in zip(found.notes, notes, strict=True))
