"""Signals of two classes that differ only in the order of what happens: a bump before a dip, or behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

CLASSES = ("bump first", "dip first")


def wave(label: str, rng: np.random.Generator, shortest: int = 24) -> np.ndarray:
    """(time, 2) of float32: the second channel is noise on another scale."""
    length = int(rng.integers(shortest, shortest + 12))
    early, late = rng.integers(4, 8), rng.integers(length - 8, length - 4)
    first = 1.0 if label == CLASSES[0] else -1.0
    time = np.arange(length)
    shape = first * np.exp(-((time - early) ** 2) / 4) - first * np.exp(-((time - late) ** 2) / 4)
    values = shape + rng.normal(0, 0.1, length)
    return np.stack([3 * values + 20, rng.normal(1000, 50, length)], axis=1).astype(np.float32)


def write_ts(path: Path, count: int, seed: int, gaps: float = 0.0) -> Path:
    """A `.ts` file of so many signals, a share of whose values is missing."""
    rng = np.random.default_rng(seed)
    lines = ["@problemName waves", "@univariate false", f"@classLabel true {' '.join('ab')}", "@data"]
    for place in range(count):
        values = wave(CLASSES[place % 2], rng)
        cells = [["?" if rng.random() < gaps else f"{each:.3f}" for each in column] for column in values.T]
        lines.append(":".join([",".join(column) for column in cells] + ["ab"[place % 2]]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def write_csv(path: Path, label: str, seed: int, *, extra: bool = False) -> Path:
    """A table of one signal with times at 10 Hz; its columns perhaps in another order, and one too many."""
    values = wave(label, np.random.default_rng(seed))
    names = ["time", "level", "noise"]
    rows = [
        [f"{place / 10:.1f}", f"{level:.3f}", f"{noise:.3f}"] for place, (level, noise) in enumerate(values)
    ]
    if extra:
        names, rows = [*names[:1], "noise", "more", "level"], [[row[0], row[2], "7", row[1]] for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(",".join(row) for row in [names, *rows]) + "\n")
    return path
