"""What language models learn from: plain texts, the texts of tables, and nothing that is about the data."""

import zipfile

import pytest

from pipelines.errors import DataError
from pipelines.media.books import open_book
from pipelines.media.text import read_text
from recipes.data.datasets import read_prose


def test_what_is_about_the_data_is_named_and_not_learnt(tmp_path):
    for name in ("train.txt", "valid.txt", "README.md", "LICENSE.txt", "readings.txt"):
        (tmp_path / name).write_text("some words\n" * 10)
    manifest = read_prose(tmp_path)
    assert {item.path.name for item in manifest.items} == {"train.txt", "valid.txt", "readings.txt"}
    assert {bad.path for bad in manifest.rejected} == {"README.md", "LICENSE.txt"}
    assert read_prose(tmp_path / "README.md").items  # it is asked for


def test_of_tables_the_texts_are_read(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "One two.", "label": 1}\n{"text": "Three.", "label": 2}\n')
    assert open_book(path, "text", None)[0].texts == ("One two.\nThree.\n",)
    assert [item.duration for item in read_prose(path).items] == [16]
    path.write_text('{"number": 1}\n{"number": 2, "other": 3}\n')
    with pytest.raises(DataError, match="no column that is known to hold text"):
        read_prose(path)


def test_office_documents_are_called_so(tmp_path):
    path = tmp_path / "x.docx"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("word/document.xml", "<w:document/>")
    with pytest.raises(DataError, match="ZIP archive.*save it as plain text"):
        read_text(path)
