"""Rebuilds examples/signals: electrocardiograms made by code, with the number of their waves.

python examples/make_signals.py
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pipelines.writers import write_atomically
from recipes.annotate.heartbeats import heartbeats

HERE = Path(__file__).parent / "signals"
RATE = 250.0
SEEDS = {"heart-a": 7, "heart-b": 8, "heart-c": 9}


def main() -> None:
    HERE.mkdir(exist_ok=True)
    for name, seed in SEEDS.items():
        values, waves, _ = heartbeats(10.0, seed, RATE)
        with write_atomically(HERE / f"{name}.csv") as file:
            file.write("time,II\n's','mV'\n")
            for place, value in enumerate(values):
                file.write(f"{place / RATE:.3f},{value:.3f}\n")
        counts = sorted(Counter(label for *_, label in waves).items())
        told = ", ".join(f"{label} {count}" for label, count in counts)
        (HERE / f"{name}.txt").write_text(told + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
