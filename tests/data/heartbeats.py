"""Files with electrocardiograms made by code."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipelines.media.wfdb_annotations import Mark, write_marks
from recipes.annotate.heartbeats import RATE, heartbeats


def write_record(folder: Path, name: str, seconds: float, seed: int, early: float = 0.0) -> Path:
    """Write a WFDB record of one lead, with its beats as `.atr`; returns its header."""
    folder.mkdir(parents=True, exist_ok=True)
    values, _, beats = heartbeats(seconds, seed, early=early)
    (folder / f"{name}.dat").write_bytes(np.round(values * 200).astype("<i2").tobytes())
    line = f"{name}.dat 16 200(0)/mV 12 0 0 0 0 II"
    (folder / f"{name}.hea").write_text(f"{name} 1 {RATE:g} {len(values)}\n{line}\n")
    with open(folder / f"{name}.atr", "wb") as file:
        write_marks([Mark(round(moment * RATE), label) for moment, label in beats], RATE, file)
    return folder / f"{name}.hea"


def write_table(folder: Path, count: int, seconds: float, split: str, seed: int) -> Path:
    """Write recordings of two leads as CSV, and marks of the waves of one of them as a table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["file,lead,start,peak,end,label,patient,split"] if not (folder / "marks.csv").exists() else []
    for number in range(count):
        values, waves, _ = heartbeats(seconds, seed + number)
        name = f"{split}{number}.csv"
        times = np.arange(len(values)) / RATE
        lines = [
            f"{moment:.3f},{one:.4f},{other:.4f}"
            for moment, one, other in zip(times, values, -values, strict=True)
        ]
        (folder / name).write_text("\n".join(["time,II,aVR", *lines]) + "\n")
        rows += [
            f"{name},II,{start:.3f},{peak:.3f},{end:.3f},{label},{split}{number},{split}"
            for start, peak, end, label in waves
        ]
    with open(folder / "marks.csv", "a") as file:
        file.write("\n".join(rows) + "\n")
    return folder
