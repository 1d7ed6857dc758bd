"""Cutting a validation part out of training items."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import replace

from recipes.data.manifest import Item, Manifest

ENOUGH = 4  # items of a class that is to be in both parts
REPEATED = 10  # times that each target comes on average where targets are taken for classes

Units = list[list[int]]  # indices of items that stay together


def hold_out(
    data: Manifest | Sequence[Item], share: float, seed: int = 0, classes: bool | None = None
) -> tuple[list[Item], list[Item]]:
    """Cut a validation part out of the training items; the same arguments give the same cut.

    Groups (speakers, writers, recordings) are never cut. Items without a group are cut so that equal texts
    stay together, unless texts repeat so much (spoken commands) that validation would then hold only
    unseen words. Empty texts, as of noise, are no texts that repeat.

    Args:
        data: items, or a manifest whose "train" and unassigned items are meant.
        share: wanted share of items in the validation part, above 0 and below 1. The share that results
            can differ, since groups are never cut.
        seed: which cut.
        classes: whether targets are classes. Each class then keeps about its share in both parts: with
            `ENOUGH` items, in at least two groups where there are groups, it is in both, and none is in
            validation alone if groups allow it. None takes targets for classes where they come `REPEATED`
            times on average.

    Returns:
        (train, valid), both in the order of the data, with `split` set.

    Raises:
        ValueError: `share` is out of range, or there are fewer than two items.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must be above 0 and below 1, not {share}")
    items = data.split("train") + data.split(None) if isinstance(data, Manifest) else list(data)
    if len(items) < 2:
        raise ValueError(f"cannot hold out a part of {len(items)} items; at least two are needed")

    if classes is None:
        targets = [item.target for item in items if item.target]
        classes = len(targets) >= REPEATED * max(1, len(set(targets)))
    units: dict[Hashable, list[int]] = defaultdict(list)
    for index, key in enumerate(_unit_keys(items, classes)):
        units[key].append(index)
    shuffled = list(units.values())
    random.Random(seed).shuffle(shuffled)
    parts: tuple[Units, Units] = [], []
    for unit in shuffled:
        parts[any(items[index].target for index in unit)].append(unit)
    wordless, worded = parts  # each is cut by itself, so that validation never is noise alone
    chosen = worded or wordless
    count = sum(map(len, chosen))
    held = _by_class(chosen, items, share) if classes else _by_count(chosen, share * count)
    if not held:
        held.update(min(chosen, key=len))
    if len(held) == count:
        held.difference_update(min(chosen, key=len))
    if worded:
        held |= _by_count(wordless, share * sum(map(len, wordless)))

    train = [replace(item, split="train") for index, item in enumerate(items) if index not in held]
    valid = [replace(item, split="valid") for index, item in enumerate(items) if index in held]
    return train, valid


def _unit_keys(items: list[Item], classes: bool) -> list[Hashable]:
    """What must stay together: items with equal keys go to the same side; at least two keys differ."""
    targets = [item.target for item in items if item.target]
    by_text = not classes and 2 * len(set(targets)) > len(targets)
    alone = [
        ("text", item.target) if by_text and item.target else ("item", index)
        for index, item in enumerate(items)
    ]
    if classes:  # parts of one recording are seen as a whole
        parts = Counter(item.path for item in items)
        alone = [
            ("path", item.path) if parts[item.path] > 1 else key
            for item, key in zip(items, alone, strict=True)
        ]
    keys = [
        key if item.group is None else ("group", item.group) for item, key in zip(items, alone, strict=True)
    ]
    for candidate in (keys, alone):
        if len(set(candidate)) > 1:
            return candidate
    return list(range(len(items)))


def _by_count(units: Units, wanted: float) -> set[int]:
    """Units, in their order, whose items are about as many as wanted."""
    held: set[int] = set()
    for unit in units:
        if abs(len(held) + len(unit) - wanted) < abs(len(held) - wanted):
            held.update(unit)
    return held


def _by_class(units: Units, items: Sequence[Item], share: float) -> set[int]:
    """Units that hold about the share of each class, none of them the last one of its class in training."""
    contents = [Counter(items[index].target for index in unit) for unit in units]
    totals = sum(contents, Counter())
    holders: dict[Hashable, list[int]] = defaultdict(list)
    for place, content in enumerate(contents):
        for name in content:
            holders[name].append(place)
    wanted = {name: max(share * count, float(count >= ENOUGH)) for name, count in totals.items()}
    chosen: set[int] = set()
    held: Counter = Counter()

    def gain(place: int) -> float:
        """By how much a unit brings the classes that it holds nearer to what is wanted."""
        return sum(
            abs(held[name] - wanted[name]) - abs(held[name] + count - wanted[name])
            for name, count in contents[place].items()
        )

    def is_free(place: int) -> bool:
        content = contents[place]
        return place not in chosen and all(held[name] + content[name] < totals[name] for name in content)

    def take(place: int) -> None:
        chosen.add(place)
        held.update(contents[place])

    for name in sorted(holders, key=lambda name: len(holders[name])):  # rare ones have the least choice
        if totals[name] >= ENOUGH and not held[name]:
            free = list(filter(is_free, holders[name]))
            if free:
                take(max(free, key=gain))
        for place in holders[name]:
            if is_free(place) and gain(place) > 0:
                take(place)
    return {index for place in chosen for index in units[place]}
