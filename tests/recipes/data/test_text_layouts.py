"""Layouts of labelled texts, each read to the same items; what is not understood is said."""

import pytest

from pipelines.errors import DataError
from recipes.data.datasets import read_texts

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
    with pytest.raises(DataError, match="'id', 'remark', 'grade' name no text and label"):
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
