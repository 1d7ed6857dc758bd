"""Speed of `transcribe` relative to real time, with 1 and 2 threads.

    python benchmarks/speech.py [--data DIR]

The whole path is timed: opening and decoding files, features, network, greedy decoding, results. The
recordings are the test set of AN4 (short utterances), and the same joined into one long recording.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch

from pipelines.media.audio import read_audio
from pipelines.model import default
from pipelines.speech import transcribe
from recipes.data.datasets import find_data, read_speech

REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="AN4's folder; else $TRISCRIBE_DATA, the cache or its home")
    items = read_speech(find_data(parser.parse_args().data, "an4")).split("test")
    model = default("speech")
    paths = [item.path for item in items]
    pause = np.zeros(8000, np.float32)
    joined = np.concatenate([part for path in paths for part in (read_audio(path, 16000), pause)])
    cases = {
        "130 files, batches of 16": lambda: list(transcribe(paths, model)),
        "130 files, one by one": lambda: [transcribe(path, model) for path in paths],
        f"one recording of {len(joined) / 16000:.0f} s": lambda: [transcribe(joined, model, 16000)],
    }
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(REPEATS):  # interleaved, so that drifts of the machine affect all alike
        for name, run in cases.items():
            for threads in (1, 2):
                torch.set_num_threads(threads)
                started = time.perf_counter()
                seconds = sum(result.duration for result in run())
                rates.setdefault((name, threads), []).append(seconds / (time.perf_counter() - started))
    print(f"seconds of audio a second, median of {REPEATS}: {model.name}, torch {torch.__version__}")
    print(f"{'':32}{'1 thread':>10}{'2 threads':>11}{'ratio':>8}")
    for name in cases:
        one, two = (statistics.median(rates[name, threads]) for threads in (1, 2))
        print(f"{name:32}{one:10.0f}{two:11.0f}{two / one:8.2f}")


if __name__ == "__main__":
    main()
