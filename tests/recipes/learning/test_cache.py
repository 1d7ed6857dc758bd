"""The feature cache: made anew when it must be, and only then; never half finished."""

import json
import os

import pytest
import torch

from recipes.learning.cache import FeatureCache


class Computer:
    """Makes features from a key, and counts how often."""

    def __init__(self, scale: float = 1.0):
        self.scale, self.calls = scale, 0

    def __call__(self, source: tuple) -> torch.Tensor:
        self.calls += 1
        frames = int(source[0].stat().st_size)
        return self.scale * torch.arange(frames * 3.0).reshape(frames, 3) - 40.123


@pytest.fixture
def sources(tmp_path):
    for number, name in enumerate("abc", start=1):
        (tmp_path / name).write_bytes(bytes(number))
    return [(tmp_path / name, 0.0, None) for name in "abc"]


def test_content_is_right_to_half_precision(tmp_path, sources):
    cache = FeatureCache(tmp_path / "cache", sources, {}, Computer(0.37))
    assert len(cache) == 3 and cache.lengths == [1, 2, 3]
    for index, source in enumerate(sources):
        wanted = Computer(0.37)(source)
        assert cache[index].dtype == torch.float32 and cache[index].shape == wanted.shape
        torch.testing.assert_close(cache[index], wanted, rtol=2**-11, atol=0)
    cache[0].zero_()  # what is handed out is a copy
    assert cache[0].abs().min() > 0


def calls(folder, sources, settings) -> int:
    computer = Computer()
    cache = FeatureCache(folder, sources, settings, computer)
    for index, source in enumerate(sources):
        torch.testing.assert_close(cache[index], Computer()(source), rtol=2**-11, atol=0)
    return computer.calls


def test_made_once_and_again_only_after_a_change(tmp_path, sources):
    folder, settings = tmp_path / "cache", {"rate": 16000, "hop": 160}
    assert calls(folder, sources, settings) == 3
    assert calls(folder, sources, dict(reversed(settings.items()))) == 0
    assert calls(folder, sources, settings | {"rate": 8000}) == 3
    assert calls(folder, sources, settings | {"rate": 8000}) == 0
    assert calls(folder, sources[:2], settings) == 2  # an item less
    assert calls(folder, sources[::-1], settings) == 3  # another order
    assert calls(folder, [(path, 0.0, 1.0) for path, *_ in sources], settings) == 3  # another part
    assert calls(folder, sources, settings) == 3


def test_made_again_when_a_source_changes(tmp_path, sources):
    folder, path = tmp_path / "cache", sources[1][0]
    calls(folder, sources, {})
    path.write_bytes(bytes(7))
    assert calls(folder, sources, {}) == 3
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert calls(folder, sources, {}) == 3
    assert calls(folder, sources, {}) == 0


@pytest.mark.parametrize("at", [0, 2])
def test_an_interrupted_fill_is_not_taken_for_a_whole_one(tmp_path, sources, at):
    def breaking(source):
        if source == sources[at]:
            raise KeyboardInterrupt
        return Computer()(source)

    folder = tmp_path / "cache"
    for setting in (0, 1):  # onto nothing, then over an earlier cache
        with pytest.raises(KeyboardInterrupt):
            FeatureCache(folder, sources, {"n": setting}, breaking)
        assert not (folder / "features.json").exists()
        assert calls(folder, sources, {"n": 0}) == (3 if setting else 3 - at)
        assert sorted(path.name for path in folder.iterdir()) == ["features.bin", "features.json"]


@pytest.mark.parametrize(("lost", "left"), [(0, 1), (1, 2), (12, 2), (13, 3), (18, 3)])
def test_an_item_that_was_cut_off_is_computed_again(tmp_path, sources, lost, left):
    folder = tmp_path / "cache"

    def breaking(source):
        if source == sources[2]:
            raise KeyboardInterrupt
        return Computer()(source)

    with pytest.raises(KeyboardInterrupt):
        FeatureCache(folder, sources, {}, breaking)
    written = (folder / "features.part").read_bytes()
    (folder / "features.part").write_bytes(written[: len(written) - lost])
    assert calls(folder, sources, {}) == left


def test_new_features_never_stand_under_an_old_index(tmp_path, sources, monkeypatch):
    folder = tmp_path / "cache"
    calls(folder, sources, {"scale": 1})
    with monkeypatch.context() as patch:

        def killed(*_):
            raise KeyboardInterrupt

        patch.setattr(json, "dump", killed)
        with pytest.raises(KeyboardInterrupt):
            FeatureCache(folder, sources, {"scale": 2}, Computer(2.0))
    assert calls(folder, sources, {"scale": 1}) == 3


def test_features_that_were_deleted_are_made_again(tmp_path, sources):
    folder = tmp_path / "cache"
    calls(folder, sources, {})
    (folder / "features.bin").unlink()
    assert calls(folder, sources, {}) == 3
