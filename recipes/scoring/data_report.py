"""The data report: the items that a recipe trains on and those it leaves out, before the first epoch."""

from __future__ import annotations

import math
import re
import statistics
import textwrap
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.data.manifest import Item, Rejected
from recipes.scoring.copies import told_copies

WIDTH = 90  # columns
RARE = 3  # a character that occurs less often is shown with an example
MOST = 120  # characters shown of a large alphabet
CLASSES = 60


@dataclass(frozen=True)
class Measure:
    """How the length of items of a modality is measured.

    Attributes:
        of: gives the length of an item, None if it is not known.
        unit: of lengths.
        total, in_total: the unit of sums of lengths, and the number of units in it.
        densest: characters a unit; an item whose text has more is reported as too short.
        least, least_unit: the number of hours or items below which a new model has little to learn from;
            None gives no advice.
    """

    of: Callable[[Item], float | None]
    unit: str
    total: str
    in_total: float
    densest: float
    least: float | None = None
    least_unit: str = "items"


SPEECH = Measure(
    lambda item: item.duration, "s", "hours", 3600.0, densest=25.0, least=0.5, least_unit="hours"
)


def describe(
    splits: Mapping[str, Sequence[Item]], rejected: Sequence[Rejected] = (), measure: Measure = SPEECH
) -> str:
    """The report as text of at most about 90 columns.

    Args:
        splits: items by the name of their split, in the order to show.
        rejected: files and lines that became no item.
        measure: of the items' lengths.
    """
    items = [item for part in splits.values() for item in part]
    sections = [
        sizes(splits, measure),
        _lengths(items, measure),
        _text(splits, items),
        _wordless(items),
        _rare(items),
        _too_dense(items, measure),
        warnings(splits),
        told_copies(splits),
        rejections(rejected),
    ]
    return "\n\n".join(section for section in sections if section)


def sizes(splits: Mapping[str, Sequence[Item]], measure: Measure) -> str:
    """Number, groups and lengths of the items of each split."""
    heads = ["Split", "items", "groups", measure.total, "shortest", "median", "longest"]
    rows = [heads]
    for name, items in splits.items():
        groups = len({item.group for item in items if item.group is not None})
        lengths = [length for item in items if (length := measure.of(item)) is not None]
        row = [name, f"{len(items):,}", f"{groups:,}" if groups else "-"]
        if lengths:
            spread = (min(lengths), statistics.median(lengths), max(lengths))
            row += [
                f"{sum(lengths) / measure.in_total:.2f}",
                *(f"{each:.2f} {measure.unit}" for each in spread),
            ]
        rows.append(row + [""] * (len(heads) - len(row)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first, *others = widths
    lines = [
        "   ".join(
            [row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others, strict=True))]
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _lengths(items: Sequence[Item], measure: Measure) -> str:
    lengths = [length for item in items if (length := measure.of(item))]
    if not lengths:
        return ""
    step = _round_step(max(lengths) / 10)
    bins = Counter(int(length / step) for length in lengths)
    most = max(bins.values())
    lines = [f"Lengths in {measure.unit}"]
    for place in range(min(bins), max(bins) + 1):
        span = f"{place * step:g} - {(place + 1) * step:g}"
        lines.append(f"  {span:>11}  {bar(bins[place] / most, 50):<50}  {bins[place]:,}")
    return "\n".join(lines)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)


def bar(share: float, columns: int) -> str:
    """A bar of whole and eighth blocks; a share above zero shows at least an eighth."""
    eighths = max(math.ceil(share * columns * 8), 0)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def class_balance(splits: Mapping[str, Sequence[Item]]) -> str:
    """How many items of each class there are in each split, the most frequent first."""

    def labels(item: Item) -> Sequence[str]:
        return [item.target] if isinstance(item.target, str) else item.target

    counts = {
        name: Counter(label for item in items for label in labels(item)) for name, items in splits.items()
    }
    total = sum(counts.values(), Counter())
    width, most = max(len(shown(label, 40)) for label in total), max(total.values())
    lines = [f"{'Class':<{width}}" + "".join(f"{name:>8}" for name in splits)]
    for label, count in sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))[:CLASSES]:
        cells = "".join(f"{counts[name][label]:>8,}" for name in splits)
        lines.append(f"{shown(label, 40):<{width}}{cells}  {bar(count / most, 20)}")
    return "\n".join(lines + ([f"and {len(total) - CLASSES:,} more classes"] if len(total) > CLASSES else []))


def _text(splits: Mapping[str, Sequence[Item]], items: Sequence[Item]) -> str:
    words = Counter(word for item in items for word in item.target.split())
    counts = Counter(char for item in items for char in item.target)
    lines = [
        f"Text: {sum(words.values()):,} words, {len(words):,} distinct; "
        f"{sum(counts.values()):,} characters, {len(counts):,} distinct"
    ]
    entries = [f"{_named(char)} ×{count:,}" for char, count in counts.most_common(MOST)]
    if len(counts) > MOST:
        entries.append(f"and {len(counts) - MOST:,} more")
    lines.append(_wrapped(entries))
    known = {char for item in splits.get("train", ()) for char in item.target}
    for name, part in splits.items():
        missing = sorted({char for item in part for char in item.target} - known) if known else []
        if missing:
            count = f"{len(missing):,} character{'s' * (len(missing) != 1)}"
            lines.append(f"Warning: in {name} but never in train, so never recognised: {count}")
            lines.append(_wrapped([_named(char) for char in missing[:MOST]]))
    return "\n".join(lines)


def _wordless(items: Sequence[Item]) -> str:
    empty = [item for item in items if not item.target]
    if not empty:
        return ""
    lines = [f"Empty texts, from which a model learns to write nothing: {len(empty):,}"]
    return "\n".join(lines + [f"  {shown(item.path)}" for item in empty[:3]] + _and_more(len(empty) - 3))


def _rare(items: Sequence[Item]) -> str:
    counts = Counter(char for item in items for char in item.target)
    rare = sorted(
        (char for char, count in counts.items() if count < RARE), key=lambda char: (counts[char], char)
    )
    if not rare:
        return ""
    examples = {char: item for item in reversed(items) for char in item.target if counts[char] < RARE}
    lines = [f"Characters that occur less than {RARE} times: {len(rare):,}"]
    for char in rare[:20]:
        lines.append(f"  {_named(char)}  {counts[char]} x  {shown(examples[char].path)}")
    return "\n".join(lines + _and_more(len(rare) - 20))


def _too_dense(items: Sequence[Item], measure: Measure) -> str:
    dense = [(len(item.target) / length, item) for item in items if (length := measure.of(item))]
    dense = sorted((each for each in dense if each[0] > measure.densest), key=lambda each: -each[0])
    if not dense:
        return ""
    head = f"Too short for their text (over {measure.densest:g} characters / {measure.unit}): {len(dense):,}"
    lines = [head] + [f"  {density:.0f} / {measure.unit}  {shown(item.path)}" for density, item in dense[:3]]
    return "\n".join(lines + _and_more(len(dense) - 3))


def warnings(splits: Mapping[str, Sequence[Item]]) -> str:
    """Groups that are in several splits."""
    sides: dict[str, list[str]] = defaultdict(list)
    for name, items in splits.items():
        for group in sorted({item.group for item in items if item.group is not None}):
            sides[group].append(name)
    shared = [(group, names) for group, names in sides.items() if len(names) > 1]
    if not shared:
        return ""
    lines = [f"Warning: groups in several splits, so results there are too good: {len(shared):,}"]
    lines += [f"  {shown(group)}  in {' and '.join(names)}" for group, names in shared[:5]]
    return "\n".join(lines + _and_more(len(shared) - 5))


def rejections(rejected: Sequence[Rejected]) -> str:
    """Rejected files and lines by reason."""
    if not rejected:
        return ""
    # reasons that differ only in numbers are counted together
    kinds: dict[str, list[Rejected]] = defaultdict(list)
    for bad in rejected:
        kinds[re.sub(r"\d+(\.\d+)?", "#", bad.reason)].append(bad)
    lines = [f"Rejected: {len(rejected):,}"]
    for kind in sorted(kinds.values(), key=len, reverse=True):
        lines.append(f"  {len(kind):,} x {_printable(kind[0].reason)}")
        for bad in kind[:3]:
            other = "" if bad.reason == kind[0].reason else f": {_printable(bad.reason)}"
            lines.append(f"      {shown(bad.path)}{other}")
        lines += [f"    {line}" for line in _and_more(len(kind) - 3)]
    return "\n".join(lines)


def _and_more(count: int) -> list[str]:
    return [f"  and {count:,} more"] if count > 0 else []


def _named(char: str) -> str:
    """A character, or its code and name if it is not visible."""
    if char == " ":
        return "space"
    if unicodedata.category(char)[0] in "LNPS":
        return char
    return f"U+{ord(char):04X} {unicodedata.name(char, 'unnamed')}"


def shown(value: str | Path, columns: int = 64) -> str:
    """A path or name made safe to print; the beginning of a long one is left out."""
    text = _printable(str(value))
    return text if len(text) <= columns else "…" + text[1 - columns :]


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _wrapped(entries: Sequence[str]) -> str:
    """Entries in indented lines, none of them broken."""
    # lines break at plain spaces only, so entries have others while they are filled
    kept = "   ".join(entry.replace(" ", "\N{NO-BREAK SPACE}") for entry in entries)
    lines = textwrap.fill(kept, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return lines.replace("\N{NO-BREAK SPACE}", " ")
