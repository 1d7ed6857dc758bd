"""Manifests as files: what was written is read again by every recipe."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import DataError
from pipelines.layout.lines import LineShape
from recipes.data.datasets import read_clips, read_handwriting, read_speech
from recipes.data.manifest import Item
from recipes.data.written_manifest import read_manifest, write_manifest

SHAPE = LineShape(((1.0, 2.5), (90.0, 3.0)), ((0.0, 0.0), (90.0, 0.0), (90.0, 9.0)), "l1")


@pytest.fixture
def items(tmp_path) -> list[Item]:
    path = tmp_path / "data" / "é a.png"
    path.parent.mkdir()
    path.write_bytes(b"1")
    return [
        Item(path, "été", "train", "w1", shape=SHAPE, line_distance=40.5),
        Item(path, "run", "valid", None, 1.25, 2.5, 1.25),
        Item(path, "say", "test", None, index=3),
    ]


@pytest.mark.parametrize("read", [read_speech, read_handwriting, read_clips])
@pytest.mark.parametrize("given", ["file", "folder"])
def test_it_is_read_again_as_it_was(tmp_path, items, read, given):
    path = write_manifest(tmp_path / "exp" / "manifest.jsonl", items)
    found = read(path if given == "file" else path.parent)
    assert found.items == items and found.layout == "manifest" and not found.rejected


def test_paths_are_relative_where_they_can_be(tmp_path, items):
    far = replace(items[0], path=Path("/elsewhere/b.png"))
    path = write_manifest(tmp_path / "exp" / "manifest.jsonl", [*items, far])
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [row["path"] for row in rows] == [*["../data/é a.png"] * 3, "/elsewhere/b.png"]
    (tmp_path / "moved").mkdir()
    (tmp_path / "exp").rename(tmp_path / "moved" / "exp")
    (tmp_path / "data").rename(tmp_path / "moved" / "data")
    found = read_handwriting(tmp_path / "moved" / "exp")
    assert len(found.items) == 3 and "no such file" in found.rejected[0].reason


def test_sequences_and_numbers_are_targets_too(tmp_path):
    items = [Item(tmp_path / "a", ("N", "V")), Item(tmp_path / "b", (1.5, -2.0))]
    assert list(read_manifest(write_manifest(tmp_path / "m.jsonl", items))) == items


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{",
        '{"path": "data/a.png"}',
        '{"path": "data/a.png", "target": 3}',
        '{"path": "data/a.png", "target": "a", "split": "tomorrow"}',
        '{"path": "data/a.png", "target": "a", "start": "soon"}',
        '{"path": "data/a.png", "target": "a", "shape": {"baseline": [1]}}',
    ],
)
def test_what_is_not_understood_is_named(tmp_path, items, line):
    path = write_manifest(tmp_path / "manifest.jsonl", items[:1])
    path.write_text(path.read_text("utf-8") + line + "\n", "utf-8")
    found = read_handwriting(path)
    assert len(found.items) == 1
    assert (
        found.rejected[0].path == "manifest.jsonl:2"
        and "not a line of a manifest" in found.rejected[0].reason
    )
    with pytest.raises(DataError, match="unknown layout 'paiirs'"):
        read_speech(path, "paiirs")
