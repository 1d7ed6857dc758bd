"""Tables of series that repeat each day, half as strong on weekends, with gaps; and what drives them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

START = datetime(2021, 3, 1)


def loads(hours: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(hours, 2) of series on different scales, and (hours,) of holidays that halve them."""
    rng = np.random.default_rng(seed)
    time = np.arange(hours)
    holiday = (rng.random(hours // 24 + 1) < 0.2).repeat(24)[:hours]
    shape = (
        np.sin(2 * np.pi * time / 24) * np.where((time // 24) % 7 < 5, 1.0, 0.5) * np.where(holiday, 0.3, 1)
    )
    noise = rng.normal(0, 0.05, (hours, 2))
    return np.stack([shape, 1000 + 200 * shape], axis=1) + noise * [1, 200], holiday.astype(float)


def write_wide(path: Path, hours: int, seed: int = 1, gaps: float = 0.03) -> Path:
    """Semicolons, decimal commas, dates as in Germany."""
    values, _ = loads(hours, seed)
    rng = np.random.default_rng(seed)
    lines = ["Datum;Last A;Last B"]
    for place, row in enumerate(values):
        cells = ["" if rng.random() < gaps else f"{value:.3f}".replace(".", ",") for value in row]
        lines.append(";".join([f"{START + timedelta(hours=place):%d.%m.%Y %H:%M}", *cells]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def write_long(path: Path, hours: int, ahead: int = 0) -> Path:
    """unique_id, ds, y, holiday, size: of the last hours only the holidays are known; rows in no order."""
    values, holiday = loads(hours)
    rows = []
    for name, column, size in (("north", 0, 1), ("south", 1, 9)):
        for place in range(hours):
            moment = f"{START + timedelta(hours=place):%Y-%m-%d %H:%M:%S}"
            value = "" if place >= hours - ahead else f"{values[place, column]:.4f}"
            rows.append(f"{name},{moment},{value},{holiday[place]:.0f},{size}")
    order = np.random.default_rng(2).permutation(len(rows))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["unique_id,ds,y,holiday,size", *(rows[place] for place in order)]) + "\n")
    return path
