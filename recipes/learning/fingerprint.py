"""What a training run was made from, so that a checkpoint is never taken for that of another run."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.model import SequenceModel
from pipelines.model_file import located
from recipes.data.manifest import Item

FREE = frozenset(
    {
        *("data", "layout"),  # the items tell
        *("out", "name", "bits", "language_model", "show_clips", "seeds", "folds"),  # of what comes after
        *("test_episodes", "video"),
        *("preset", "like"),  # the options that they stand for tell
        *("resume", "checkpoint_minutes", "threads", "workers", "device", "devices"),  # how, not what
    }
)
"""Options that may differ when a run is resumed. All others may not."""

MODELS = ("load", "teacher")  # options that name a model: its content counts, not only its name
SHOWN = 6  # differences named in a message
EXAMPLES = 5  # symbols named in one


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """Plain values that a run depends on.

    Attributes:
        options: by name, those in `FREE` left out.
        defaults: of all options, for checkpoints written before an option was added.
        sizes: of the model's parts, by part and name.
        symbols: of its alphabet.
        items: a readable name of each training and validation item -> its split, a digest of its target
            and place, and its file's size and date.
    """

    options: dict[str, object]
    defaults: dict[str, object]
    sizes: dict[str, object] = dataclasses.field(default_factory=dict)
    symbols: list[str] = dataclasses.field(default_factory=list)
    items: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(
        cls,
        options: object,
        model: SequenceModel | None = None,
        items: Sequence[Item] = (),
        roots: Sequence[Path] = (),
    ) -> Fingerprint:
        """The fingerprint of a run.

        Args:
            options: a dataclass, which may hold others.
            model: as training begins; its weights follow from the options and the files that they name.
            items: of training and validation, `split` being set.
            roots: folders of the data sets, relative to which items are named.
        """
        sizes = _flattened(model.sizes) if model else {}
        symbols = list(model.alphabet.symbols) if model else []
        plain = {name: value for name, value in _plain_options(options).items() if name not in FREE}
        return cls(plain, _plain_options(type(options)()), _jsonable(sizes), symbols, _facts(items, roots))

    def to_text(self) -> str:
        """JSON, for the checkpoint."""
        kept = dataclasses.asdict(self)
        del kept["defaults"]
        return json.dumps(kept, ensure_ascii=False)

    def differences(self, text: str) -> list[str]:
        """What differs from the run whose `to_text` is given, each as a clause `old -> new`.

        Raises:
            ValueError, LookupError, TypeError: the text is not one of `to_text`.
        """
        had = json.loads(text)
        found = _items_apart(had["items"], self.items)
        found += _symbols_apart(had["symbols"], self.symbols)
        found += _values_apart({**self.defaults, **had["options"]}, self.options)
        return found + _values_apart(had["sizes"], self.sizes)


def listed(differences: Sequence[str]) -> str:
    """The differences in one line, the last of many only counted."""
    shown = ", ".join(differences[:SHOWN])
    more = len(differences) - SHOWN
    return shown if more <= 0 else f"{shown}, and {more} more"


def _plain_options(options: object) -> dict[str, object]:
    """Options by their own names, groups of them dissolved; a file counts with its content."""
    found: dict[str, object] = {}
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if dataclasses.is_dataclass(value):
            for name, inner in _plain_options(value).items():
                found[name if name not in found else f"{field.name}.{name}"] = inner
        else:
            found[field.name] = _with_content(field.name, value)
    return found


def _with_content(name: str, value: object) -> object:
    if name in FREE:
        return None
    if isinstance(value, (list, tuple)):
        return [_with_content(name, each) for each in value]
    if isinstance(value, Path) or (name in MODELS and value is not None):
        path = located(value) if name in MODELS else Path(value)
        if path.is_file():
            return f"{path.name} ({_digest(path.read_bytes())})"
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _flattened(sizes: Mapping) -> dict[str, object]:
    return {f"{part}.{name}": value for part, values in sizes.items() for name, value in values.items()}


def _jsonable(values: Mapping) -> dict:
    return json.loads(json.dumps(values))


def _facts(items: Sequence[Item], roots: Sequence[Path]) -> dict[str, list[str]]:
    files: dict[Path, str] = {}
    found: dict[str, list[str]] = {}
    for item in items:
        if item.path not in files:
            stat = item.path.stat()
            files[item.path] = f"{stat.st_size} {stat.st_mtime_ns}"
        root = next((root for root in roots if item.path.is_relative_to(root)), None)
        place = (item.start, item.end, item.shape, item.line_distance, item.index, item.group)
        content = _digest(repr((item.target, place)).encode())
        found[_named(item, root, found)] = [item.split or "train", content, files[item.path]]
    return found


def _named(item: Item, root: Path | None, taken: Mapping) -> str:
    name = str(item.path if root is None else item.path.relative_to(root)) or item.path.name
    if item.start is not None or item.end is not None:
        name += f" from {item.start or 0:g} s"
    if item.shape is not None and item.shape.id:
        name += f" {item.shape.id}"
    if item.index is not None:
        name += f" {item.index + 1}"
    count, first = 1, name
    while name in taken:
        count += 1
        name = f"{first} ({count})"
    return name


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _items_apart(had: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> list[str]:
    apart = []
    for name in [*now, *(name for name in had if name not in now)]:
        if name not in had:
            apart.append((name, "is new"))
        elif name not in now:
            apart.append((name, "is gone"))
        elif had[name] != now[name]:
            (split, content, _), (split_now, content_now, _) = had[name], now[name]
            if content != content_now:
                apart.append((name, "has another target or place"))
            elif split != split_now:
                apart.append((name, f"is in {split_now}, was in {split}"))
            else:
                apart.append((name, "is another file, or was written anew"))
    if apart:
        name, how = apart[0]
        total = len(now.keys() | had.keys())
        count = f"{len(apart)} of {total} items differ" if total > 1 else "the only item differs"
        return [f"{count}, e.g. {name} {how}"]
    return [] if list(had) == list(now) else ["the items are in another order"]


def _symbols_apart(had: Sequence[str], now: Sequence[str]) -> list[str]:
    if list(had) == list(now):
        return []
    clauses = []
    for symbols, others, what in ((had, now, "without"), (now, had, "with the new")):
        only = [symbol for symbol in symbols if symbol not in set(others)]
        if only:
            more = f" and {len(only) - EXAMPLES} more" if len(only) > EXAMPLES else ""
            clauses.append(f"{what} {' '.join(map(repr, only[:EXAMPLES]))}{more}")
    return ["another alphabet: " + (", ".join(clauses) or "the same symbols in another order")]


def _values_apart(had: Mapping, now: Mapping) -> list[str]:
    absent = "none"
    return [
        f"{name} {had.get(name, absent)} -> {now.get(name, absent)}"
        for name in [*now, *(name for name in had if name not in now and name not in FREE)]
        if had.get(name, absent) != now.get(name, absent)
    ]
