"""Layouts of labelled texts, each read to the same items; what is not understood is said."""

import pytest

from pipelines.errors import DataError
from recipes.data.datasets import read_texts
from recipes.data.text_layouts import Columns
from recipes.text.recipe import _texts

PAIRS = [("good, really", "pos"), ("bad one", "neg"), ("fine", "pos")]


def tables(folder, pairs):
    (folder / "train.csv").write_text('label,text\npos,"good, really"\nneg,bad one\npos,fine\n')


def headless(folder, pairs):
    (folder / "train.tsv").write_text("".join(f"{text}\t{label}\n" for text, label in pairs))


def two_tables(folder, pairs):
    (folder / "train.tsv").write_text("good, really\tpos\nbad one\tneg\n")
    (folder / "train_more.tsv").write_text("fine indeed so\tpos\n".replace("fine indeed so", "fine"))


def json_lines(folder, pairs):
    rows = (f'{{"intent": "{label}", "utterance": "{text}", "split": "train"}}\n' for text, label in pairs)
    (folder / "all.jsonl").write_text("".join(rows))


def fasttext(folder, pairs):
    (folder / "x.train").write_text("".join(f"__label__{label} {text}\n" for text, label in pairs))


def folders(folder, pairs):
    for number, (text, label) in enumerate(pairs):
        (folder / "train" / label).mkdir(parents=True, exist_ok=True)
        (folder / "train" / label / f"{number}.txt").write_text(text)


@pytest.mark.parametrize("write", [tables, headless, json_lines, fasttext, folders])
def test_the_same_items(tmp_path, write):
    write(tmp_path, PAIRS)
    manifest = read_texts(tmp_path)
    assert sorted(item.target for item in manifest.items) == ["neg", "pos", "pos"]
    assert {item.split for item in manifest.items} == {"train"} and not manifest.rejected


def test_splits_are_told_by_names_and_columns(tmp_path):
    (tmp_path / "all.csv").write_text("text,label,split\na b,x,train\nb c,y,dev\nc d,x,test\nd e,y,oops\n")
    manifest = read_texts(tmp_path / "all.csv")
    assert [item.split for item in manifest.items] == ["train", "valid", "test"]
    assert "unknown split 'oops'" in manifest.rejected[0].reason


def test_bad_rows_cost_themselves(tmp_path):
    (tmp_path / "a.tsv").write_text("text\tlabel\nfirst\tx\nno label\n\tx\nlast\ty\n")
    manifest = read_texts(tmp_path)
    assert len(manifest.items) == 2 and [bad.path for bad in manifest.rejected] == ["a.tsv:3", "a.tsv:4"]


def test_columns_that_name_no_text_and_label(tmp_path):
    (tmp_path / "a.csv").write_text("id,remark,grade\n1,long remark,x\n")
    with pytest.raises(DataError, match="'id', 'remark', 'grade' name no text and label: say --text-column"):
        read_texts(tmp_path)
    (tmp_path / "b.csv").write_text("text,label\nok,x\n")
    manifest = read_texts(tmp_path)
    assert len(manifest.items) == 1 and manifest.rejected[0].path == "a.csv"


def test_a_label_that_is_called_like_a_column_is_no_head(tmp_path):
    (tmp_path / "a.tsv").write_text("who is it then\tquestion\nstop that\torder\nand why is it\tquestion\n")
    assert [item.target for item in read_texts(tmp_path).items] == ["question", "order", "question"]


def test_nothing_that_looks_like_texts(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"\0\1")
    with pytest.raises(DataError, match="no data set recognised; looked for CSV"):
        read_texts(tmp_path)


AS_GIVEN = [("good; really, so", "pos"), ("bad one", "neg"), ("fine", "pos")]


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("a.csv", '"good; really, so",pos\n"bad one",neg\nfine,pos\n', Columns()),
        ("a.csv", 'pos;"good; really, so"\nneg;bad one\npos;fine\n', Columns()),
        ("a.csv", 'sep=;\nlabel;text\npos;"good; really, so"\nneg;bad one\npos;fine\n', Columns()),
        ("a.csv", 'label,text\npos,"good;\nreally, so"\nneg,bad one\npos,fine\n', Columns()),
        ("a.csv", '3,a,"good; really, so",pos\n1,b,bad one,neg\n2,c,fine,pos\n', Columns("3", "4")),
        ("a.tsv", '"good; really, so"\tpos\n"bad one"\tneg\nfine\tpos\n', Columns()),
        ("SMSCollection", "pos\tgood; really, so\nneg\tbad one\npos\tfine\n", Columns()),
        ("a.txt", "good; really, so\tpos\nbad one\tneg\nfine\tpos\n", Columns()),
        (
            "a.jsonl",
            '{"x": "good; really, so", "y": "pos"}\n{"x": "bad one", "y": "neg"}\n'
            '{"y": "pos", "x": "fine"}\n',
            Columns(),
        ),
        (
            "a.jsonl",
            '{"n": 1, "x": "good; really, so", "y": "pos"}\n{"n": 2, "x": "bad one", "y": "neg"}\n'
            '{"n": 3, "x": "fine", "y": "pos"}\n',
            Columns("X", "y"),
        ),
        (
            "a.json",
            '[{"text": "good; really, so", "label": "pos"}, {"text": "bad one", "label": "neg"},\n'
            ' {"text": "fine", "label": "pos"}]',
            Columns(),
        ),
        (
            "a.json",
            '{"data": [{"text": "good; really, so", "label": "pos"}, {"text": "bad one", "label": "neg"},'
            ' {"text": "fine", "label": "pos"}], "version": 1}',
            Columns(),
        ),
        (
            "a.csv",
            'text,label,split\n"good; really, so",pos,train\nbad one,neg,\nfine,pos,train\n',
            Columns(),
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_as_strangers_have_them(tmp_path, name, content, columns, encoding):
    path = tmp_path / name
    path.write_bytes(content.encode(encoding))
    manifest = read_texts(path, None, columns)
    assert not manifest.rejected
    found = [(_texts(item.path, columns)[item.index], item.target) for item in manifest.items]
    assert [(" ".join(text.split()), label) for text, label in found] == AS_GIVEN


def test_quotes_that_begin_cells_between_tabs_mean_nothing(tmp_path):
    (tmp_path / "a.tsv").write_text('"Great" they said\tpos\n"bad\tneg\nso "so"\tneg\n"no\tneg\n')
    found = read_texts(tmp_path).items
    assert [item.target for item in found] == ["pos", "neg", "neg", "neg"]
    assert _texts(tmp_path / "a.tsv", Columns())[:2] == ('"Great" they said', '"bad')


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("text,label\ncaf\u00e9,x\n".encode("cp1252"), "is not UTF-8 text"),
        ("text,label\nx,y\n".encode("utf-16-le"), "looks like UTF-16 without a byte order mark"),
        (b"text,label\n", "no usable item"),
        (b"text,label\nx,\n", "no label"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path, content, cause):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=cause) as caught:
        read_texts(tmp_path)
    assert "\n" not in str(caught.value)


def test_columns_that_are_not_there(tmp_path):
    (tmp_path / "a.csv").write_text("id,remark,grade\n1,long remark,x\n")
    assert read_texts(tmp_path, None, Columns("remark", "grade")).items[0].target == "x"
    with pytest.raises(DataError, match="has no column 'body'"):
        read_texts(tmp_path, None, Columns("body", "grade"))


NATIVE = {
    "clinc": '{"train": [["good film it is", "pos"], ["bad one", "neg"]], "oos_val": [["what now", "oos"]]}',
    "splits": '{"train": [{"text": "good film it is", "label": "pos"}, {"text": "bad one", "label": "neg"}],'
    ' "val": [{"text": "what now", "label": "oos"}]}',
}


@pytest.mark.parametrize("name", NATIVE)
def test_json_of_several_splits(tmp_path, name):
    path = tmp_path / "x.json"
    path.write_text(NATIVE[name])
    manifest = read_texts(path)
    assert [(item.target, item.split) for item in manifest.items] == [
        *(("pos", "train"), ("neg", "train")),
        ("oos", "valid"),
    ]
    assert _texts(path, Columns()) == ("good film it is", "bad one", "what now")


def test_columns_within_objects(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"id": 1, "data": {"text": "good"}, "meta": {"label": "pos"}}\n'
        '{"id": 2, "data": {"text": "bad"}, "meta": {"label": "neg"}}\n'
    )
    assert [item.target for item in read_texts(path).items] == ["pos", "neg"]


def test_a_head_in_another_language_is_no_row(tmp_path):
    path = tmp_path / "x.csv"
    rows = ["Gutes Essen hier;Essen", "Ein schöner Ort;Reise", "Zu viel Salz;Essen", "Weit zu fahren;Reise"]
    path.write_text("\n".join(["Kommentar;Kategorie", *rows]), encoding="utf-8")
    manifest = read_texts(path)
    assert [item.target for item in manifest.items] == ["Essen", "Reise"] * 2
    assert "'Kategorie'" in manifest.rejected[0].reason
    assert _texts(path, Columns())[manifest.items[0].index] == "Gutes Essen hier"
    path.write_text("\n".join(["ja gern;Essen", *rows]), encoding="utf-8")  # a short row of a known label
    assert len(read_texts(path).items) == 5


def test_lines_that_are_no_json_cost_themselves(tmp_path):
    lines = [f'{{"text": "text {place}", "label": "{place % 2}"}}' for place in range(8)]
    (tmp_path / "a.jsonl").write_text("\n".join([*lines[:3], '{"text": "cut', "[1]", *lines[3:]]))
    found = read_texts(tmp_path / "a.jsonl")
    assert len(found.items) == 8
    assert {bad.path: bad.reason for bad in found.rejected} == {
        "a.jsonl:4": "no JSON object",
        "a.jsonl:5": "no JSON object",
    }
