"""Texts whose lines are kept: sentences of lines, tables, encodings."""

import gzip

import pytest

from pipelines.errors import DataError, MediaError
from pipelines.media.prose import open_prose, prose_of, sentence_spans
from pipelines.media.text import read_lines
from pipelines.reading.settings import TranslationOptions


def sentences(line):
    return [line[start:end] for start, end in sentence_spans(line)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("One. Two!  Three? four", ["One.", "Two!", "Three? four"]),
        ("No end", ["No end"]),
        ("", []),
        ("   ", []),
        ("Dr. Who met J. R. Smith. He left.", ["Dr. Who met J. R. Smith.", "He left."]),
        ("Am 3. Mai kam z.B. Anna. Sie blieb.", ["Am 3. Mai kam z.B. Anna.", "Sie blieb."]),
        ('"Stop!" He ran.', ['"Stop!"', "He ran."]),
        ("3.14 is pi. It is.", ["3.14 is pi.", "It is."]),
        ("\u4e00\u3002\u4e8c\uff01", ["\u4e00\u3002", "\u4e8c\uff01"]),
        ("Wait ... no", ["Wait ... no"]),
    ],
)
def test_sentences(line, found):
    assert sentences(line) == found


def test_nothing_but_spaces_is_lost_between_sentences():
    line = "Eins.  Zwei (zwei)!\tDrei: \u00abvier.\u00bb F\u00fcnf"
    assert "".join("".join(sentences(line)).split()) == "".join(line.split())


def test_lines_of_texts():
    assert prose_of("a\r\n\r\nb\rc\n\n").lines == ("a", "", "b", "c")
    with pytest.raises(MediaError, match="<text>: is empty"):
        prose_of("\n \n")


def test_only_line_feeds_end_the_lines_of_a_file(tmp_path):
    path = tmp_path / "a.txt"
    for content, lines in (
        ("a\u2028b\rc\r\nd\n", ["a\u2028b\rc", "d"]),
        ("a\rb\r", ["a", "b"]),
        ("\ufeffa\n\n  b", ["a", "", "b"]),
    ):
        path.write_bytes(content.encode())
        assert read_lines(path) == lines
        path.write_bytes(gzip.compress(content.encode()))
        assert read_lines(path) == lines
    path.write_bytes("\ufeffé\nb".encode("utf-16-le"))
    assert read_lines(path) == ["é", "b"]
    for content in ("é\nb".encode("cp1252"), "ab\nc".encode("utf-16-be")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a.txt: is not UTF-8 text .*; save it as UTF-8"):
            read_lines(path)


def test_tables_are_read_by_their_column(tmp_path):
    (tmp_path / "a.tsv").write_text("text\tn\nfirst\t1\n\t2\n")
    (found,) = open_prose(tmp_path / "a.tsv", "text", TranslationOptions())
    assert found.lines == ("first", "") and found.source.endswith("a.tsv")
    (found,) = open_prose(tmp_path / "a.tsv", "text", TranslationOptions(column="n"))
    assert found.lines == ("1", "2")
    (tmp_path / "b.csv").write_text("text,n\n,1\n")
    with pytest.raises(MediaError, match="holds no text"):
        open_prose(tmp_path / "b.csv", "text", TranslationOptions())
