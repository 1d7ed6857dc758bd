"""Copies of training files among those that a model is scored on are told, and nothing else is."""

import pytest

from recipes.data.manifest import Item
from recipes.scoring.copies import told_copies


def test_copies_under_another_name_are_told(tmp_path):
    for name, content in (("a", b"x" * 9000), ("b", b"x" * 8999 + b"y"), ("c", b"x" * 9000), ("d", b"")):
        (tmp_path / name).write_bytes(content)
    a, b, c, d = (Item(tmp_path / name, "text") for name in "abcd")
    gone = Item(tmp_path / "gone", "text")
    told = told_copies({"train": [a, d, gone], "valid": [b, d, gone], "test": [c, b]})
    first, second = told.splitlines()
    assert first == "Warning: in test, 1 file is a copy of files in train, so that scores are too good"
    assert second.split() == [str(c.path), "=", str(a.path)]
    assert not told_copies({"train": [a, c], "valid": [b]}) and not told_copies({})


@pytest.mark.parametrize("part", [{"start": 0.0, "end": 1.0}, {"index": 0}])
def test_parts_of_files_are_no_copies(tmp_path, part):
    for name in "ab":
        (tmp_path / name).write_bytes(b"the same")
    items = [Item(tmp_path / name, "text", **part) for name in "ab"]
    assert not told_copies({"train": items[:1], "test": items[1:]})
