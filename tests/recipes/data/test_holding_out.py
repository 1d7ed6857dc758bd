"""Holding out a validation part: groups stay whole, and classes are in both parts."""

from collections import Counter
from pathlib import Path

import pytest

from recipes.data.datasets import hold_out
from recipes.data.manifest import Item


def clips(counts: dict[str, int], groups: int = 0) -> list[Item]:
    return [
        Item(Path(f"{name}/{number}.mp4"), name, None, f"g{number % groups}" if groups else None)
        for name, count in counts.items()
        for number in range(count)
    ]


@pytest.mark.parametrize("seed", range(8))
def test_every_class_keeps_its_share(seed):
    items = clips({"run": 40, "jump": 20, "sit": 4, "fall": 2})
    train, valid = hold_out(items, 0.15, seed, classes=True)
    held = Counter(item.target for item in valid)
    assert held == {"run": 6, "jump": 3, "sit": 1}
    assert {item.target for item in train} == {"run", "jump", "sit", "fall"}
    assert (train, valid) == hold_out(items, 0.15, seed, classes=True)


@pytest.mark.parametrize("seed", range(8))
def test_classes_are_in_both_parts_and_groups_whole(seed):
    items = clips({"run": 30, "jump": 30, "sit": 10}, groups=10)
    items += [Item(Path(f"rare/{number}.mp4"), "rare", None, f"g{number % 2}") for number in range(6)]
    train, valid = hold_out(items, 0.15, seed, classes=True)
    assert {item.group for item in train}.isdisjoint(item.group for item in valid)
    for part in (train, valid):
        assert {item.target for item in part} == {"run", "jump", "sit", "rare"}
    assert 0.05 < len(valid) / len(items) < 0.35


def test_a_class_of_one_group_is_learnt_from():
    items = clips({"run": 20, "jump": 20}, groups=10) + [
        Item(Path(f"{n}"), "solo", None, "s") for n in range(9)
    ]
    for seed in range(8):
        _, valid = hold_out(items, 0.15, seed, classes=True)
        assert {item.target for item in valid} == {"run", "jump"}


def test_stretches_of_one_video_stay_together():
    items = [
        Item(Path(f"{video}.mp4"), name, None, None, start, start + 1.0)
        for video in range(8)
        for start, name in enumerate(["run", "jump"] * 3)
    ]
    train, valid = hold_out(items, 0.15, classes=True)
    assert {item.path for item in train}.isdisjoint(item.path for item in valid)
    assert len({item.path for item in valid}) == 1


def test_targets_that_come_often_are_taken_for_classes():
    items = clips({"yes": 60, "no": 30, "stop": 10})
    for seed in range(8):
        _, valid = hold_out(items, 0.1, seed)
        assert Counter(item.target for item in valid) == {"yes": 6, "no": 3, "stop": 1}
