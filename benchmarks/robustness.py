"""Word error rate of a speech model when the room, the line or the level changes; words of nobody.

    python benchmarks/robustness.py [--model NAME] [--noises DIR] [--rooms DIR] [--quiet-minutes 20]

The recordings are AN4's official test set. Each change is made of the same samples with its own seed, which
no training uses. With `--noises` and `--rooms`, folders of recordings, recorded noises and measured rooms are
added as well; give those that the model was not trained with. The second table counts words where nobody
speaks.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve, resample_poly

from pipelines.media.audio import read_audio
from pipelines.model import load
from pipelines.speech import transcribe
from recipes.data.datasets import find_data, read_speech
from recipes.scoring.error_rates import Evaluation, Scored, evaluate

RATE = 16000
SEED = 20251128
PIECE = 10.0  # seconds of one recording of noise
DTMF = {"1": (697, 1209), "5": (770, 1336), "9": (852, 1477), "0": (941, 1336), "#": (941, 1477)}  # Hz

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def power(samples: np.ndarray) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def mixed(samples: np.ndarray, noise: np.ndarray, snr: float) -> np.ndarray:
    return samples + noise * np.sqrt(power(samples) / max(power(noise), 1e-12) / 10 ** (snr / 10))


def white(snr: float) -> Change:
    return lambda samples, random: mixed(samples, random.standard_normal(len(samples)), snr)


def silence(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return np.pad(samples, 3 * RATE)


def telephone(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return resample_poly(resample_poly(samples, 1, 2), 2, 1)[: len(samples)]


def mu_law(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    narrow = np.clip(resample_poly(samples, 1, 2), -1, 1)
    coded = np.round(127.5 * np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)) / 127.5
    return resample_poly(np.sign(coded) * np.expm1(np.abs(coded) * np.log(256)) / 255, 2, 1)[: len(samples)]


def reverberation(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A direct sound and, 2 dB stronger, noise that decays by 60 dB within 0.4 s."""
    time = np.arange(round(0.4 * RATE)) / RATE
    tail = random.standard_normal(len(time)) * 10 ** (-3 * time / 0.4)
    tail *= np.sqrt(10**0.2 / np.sum(np.square(tail)))
    tail[0] += 1.0
    return fftconvolve(samples, tail)[: len(samples)]


def clipped(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return np.clip(samples * 6 / np.abs(samples).max(), -1, 1)


def hum(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    time = np.arange(len(samples)) / RATE
    return mixed(samples, np.sin(2 * np.pi * 50 * time + random.uniform(0, 6)), 10.0)


def babble(others: list[np.ndarray]) -> Change:
    def change(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
        noise = np.zeros(len(samples))
        for index in random.choice(len(others), 6, replace=False):
            voice = np.resize(others[index], len(samples))
            noise += np.roll(voice, random.integers(len(samples))) / np.sqrt(power(voice))
        return mixed(samples, noise, 15.0)

    return change


def among(noises: list[np.ndarray], snr: float) -> Change:
    def change(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
        noise = noises[random.integers(len(noises))]
        return mixed(samples, np.resize(np.roll(noise, -random.integers(len(noise))), len(samples)), snr)

    return change


def inside(rooms: list[np.ndarray]) -> Change:
    def change(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return fftconvolve(samples, rooms[random.integers(len(rooms))])[: len(samples)]

    return change


CHANGES: dict[str, Change] = {
    "none": lambda samples, random: samples,
    "3 s of digital silence before and after": silence,
    "8 kHz": telephone,
    "8 kHz mu-law": mu_law,
    "white noise, 20 dB": white(20.0),
    "white noise, 10 dB": white(10.0),
    "reverberation, 0.4 s": reverberation,
    "clipped, x 6": clipped,
    "level x 0.01": lambda samples, random: samples * 0.01,
    "50 Hz hum, 10 dB": hum,
}


def tones(seconds: float, hertz: list[float]) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return sum(np.sin(2 * np.pi * each * time) for each in hertz) * 0.2 / len(hertz)


def dialled() -> np.ndarray:
    gap = np.zeros(round(0.15 * RATE))
    return np.concatenate([part for key in "1590#51" * 5 for part in (tones(0.15, list(DTMF[key])), gap)])


def speechless(noises: dict[str, np.ndarray], minutes: float) -> Iterator[tuple[str, np.ndarray]]:
    """Kinds and recordings in which nobody speaks."""
    made = np.random.default_rng(SEED)
    size = round(PIECE * RATE)
    chord = [220.0, 277.2, 329.6, 440.0]
    yield "digital silence", np.zeros(size) + 2**-14  # wholly empty recordings are refused
    for level in (-30, -50, -70):
        yield "white noise", made.standard_normal(size) * 10 ** (level / 20)
        yield "brown noise", np.cumsum(made.standard_normal(size)) * 10 ** (level / 20) * 0.01
    yield "tones", tones(PIECE, [1000.0])
    yield "tones", tones(PIECE, [440.0])
    yield "chords", tones(PIECE, chord) * np.exp(-(np.arange(size) % RATE) / RATE * 4)
    yield "hum", tones(PIECE, [50.0, 150.0, 250.0])
    yield "DTMF", dialled()
    yield "clicks", (made.random(size) < 2e-4) * made.standard_normal(size) * 0.3
    yield (
        "pauses in hiss",
        made.standard_normal(size * 4) * np.where(np.arange(size * 4) % size < size / 3, 0.01, 0.001),
    )
    names = sorted(noises)
    done = 0.0
    while names and done < minutes * 60:
        name = names[made.integers(len(names))]
        noise, start = noises[name], made.integers(len(noises[name]))
        level = 10 ** (made.uniform(-40, 0) / 20)
        yield name, np.resize(np.roll(noise, -start), size) * level / max(np.abs(noise).max(), 1e-9) * 0.5
        done += PIECE


def recordings(folder: str | None) -> dict[str, np.ndarray]:
    paths = sorted(Path(folder).rglob("*.*")) if folder else []
    return {path.stem: read_audio(path, RATE) for path in paths}


def measured(model, items, sounds: list[np.ndarray], change: Change, name: str, language: str) -> Evaluation:
    random = np.random.default_rng([SEED, zlib.crc32(name.encode())])
    changed = (change(sound.astype(np.float64), random).astype(np.float32) for sound in sounds)
    results = transcribe(changed, model, RATE, longest=60.0, language_model=language)
    scored = [
        Scored(item.path.stem, model.normalisation(item.target), model.normalisation(result.text))
        for item, result in zip(items, results, strict=True)
    ]
    return evaluate("test", scored)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="AN4's folder; else $TRISCRIBE_DATA, the cache or its home")
    parser.add_argument("--model", default="speech-en-an4", help="file or bundled name")
    parser.add_argument("--noises", help="folder of noises")
    parser.add_argument("--rooms", help="folder of room impulse responses")
    parser.add_argument("--language-model", choices=("none", "own"), default="none", help="of the model")
    parser.add_argument("--every", type=int, default=1, help="take every n-th utterance only")
    parser.add_argument(
        "--quiet-minutes", type=float, default=20.0, help="of the noises, for the second table"
    )
    arguments = parser.parse_args()
    model = load(arguments.model)
    items = read_speech(find_data(arguments.data, "an4")).split("test")[:: arguments.every]
    sounds = [read_audio(item.path, RATE) for item in items]
    noises, rooms = recordings(arguments.noises), list(recordings(arguments.rooms).values())
    changes = dict(CHANGES)
    changes["babble of other speakers, 15 dB"] = babble(sounds)
    if noises:
        changes["noises, 15 dB"] = among(list(noises.values()), 15.0)
        changes["noises, 5 dB"] = among(list(noises.values()), 5.0)
    if rooms:
        changes["measured rooms"] = inside(rooms)
    print(f"{model.name}, {len(items)} utterances, language model: {arguments.language_model}\n")
    print("| change | WER | CER |\n|---|---|---|")
    for name, change in changes.items():
        found = measured(model, items, sounds, change, name, arguments.language_model)
        print(f"| {name} | {found.wer} | {found.cer} |", flush=True)
    counts: dict[str, list[int]] = {}
    parts = list(speechless(noises, arguments.quiet_minutes))
    texts = transcribe(
        (part.astype(np.float32) for _, part in parts), model, RATE, errors="return", strict=False
    )
    for (name, _), result in zip(parts, texts, strict=True):
        counts.setdefault(name, []).append(len(result.text.split()))
    print("\n| nobody speaks | seconds | words | recordings with any |\n|---|---|---|---|")
    seconds: dict[str, float] = {}
    for name, part in parts:
        seconds[name] = seconds.get(name, 0.0) + len(part) / RATE
    for name, words in counts.items():
        print(f"| {name} | {seconds[name]:.0f} | {sum(words)} | {sum(map(bool, words))} of {len(words)} |")


if __name__ == "__main__":
    main()
