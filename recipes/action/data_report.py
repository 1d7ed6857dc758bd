"""The data report of clips, before the first epoch: classes, groups, and what is on both sides of a split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from recipes.data.manifest import Item, Rejected
from recipes.scoring.data_report import Measure, bar, rejections, shown, sizes, warnings

CLIPS = Measure(lambda item: item.duration, "s", "seconds", 1.0, densest=float("inf"))
MOST = 60  # classes that are listed


def describe_clips(splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected] = ()) -> str:
    """The report as text of at most about 90 columns.

    Args:
        splits: items by the name of their split, in the order to show; their texts are labels.
        rejected: what was turned away.
    """
    sections = [
        sizes(splits, CLIPS),
        _balance(splits),
        _missing(splits),
        warnings(splits),
        rejections(rejected),
    ]
    return "\n\n".join(section for section in sections if section)


def _balance(splits: Mapping[str, Sequence[Item]]) -> str:
    counts = {name: Counter(item.target for item in items) for name, items in splits.items()}
    total = sum(counts.values(), Counter())
    if not total:
        return ""
    groups = {
        label: {item.group for item in _all(splits) if item.target == label} - {None} for label in total
    }
    width = max(len(shown(label, 28)) for label in total)
    lines = [f"{'Class':<{width}}" + "".join(f"{name:>8}" for name in splits) + f"{'groups':>8}"]
    for label, count in sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST]:
        row = f"{shown(label, 28):<{width}}" + "".join(f"{counts[name][label]:>8,}" for name in splits)
        lines.append(f"{row}{len(groups[label]) or '-':>8}  {bar(count / max(total.values()), 30)}")
    if len(total) > MOST:
        lines.append(f"  and {len(total) - MOST:,} more classes")
    lines.append(f"The most frequent class alone would be right in {max(total.values()) / total.total():.0%}")
    return "\n".join(lines)


def _missing(splits: Mapping[str, Sequence[Item]]) -> str:
    known = {item.target for item in splits.get("train", ())}
    lines = []
    for name, items in splits.items():
        missing = sorted({item.target for item in items} - known) if known else []
        if missing:
            named = ", ".join(missing[:9])
            lines.append(f"Warning: in {name} but never in train, so never recognised: {named}")
    return "\n".join(lines)


def _all(splits: Mapping[str, Sequence[Item]]) -> list[Item]:
    return [item for items in splits.values() for item in items]
