"""Speech recognition: a folder of recordings with their texts in, a model file out.

    python -m recipes.asr --data DIR --out exp/asr [--decoder attention|hybrid]

AN4 (official 948/130 split, greedy, no language model): see the results table in the README.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import Alphabet, Normalisation
from pipelines.errors import TriscribeError
from pipelines.media.audio import read_audio
from pipelines.model import SequenceModel
from pipelines.reading.settings import NONE
from pipelines.speech import sureness, transcribe
from pipelines.writers.timing import SPACELESS
from recipes.asr.options import AsrOptions
from recipes.asr.task import SpeechTask, stored
from recipes.data.datasets import Item, Rejected, find_data, read_speech, with_durations
from recipes.data.manifest import Manifest
from recipes.learning.progress import followed
from recipes.learning.reading_recipe import Recogniser
from recipes.scoring.data_report import SPEECH
from recipes.scoring.error_rates import Scored
from recipes.scoring.report_page import Attachment, sound_of

LONGEST = 60.0  # seconds of one training item
CASES = "upper", "lower"
FEW = 200  # recordings
EXPECTED = (
    "Few recordings of words that the model does not know take it only so far: 10 took the character error "
    "rate from 103 to 77 %, 50 to 8 %. What it knew is forgotten, unless --data names that, too "
    "(docs/adapt.md)."
)
RAREST = 0.02  # share of the validation recordings with the lowest confidences
DOUBTED = 0.85  # of the confidence of these, from where on a recording is no speech
UNCLEAR = 0.7  # of the share of clear characters of these, likewise


class Asr(Recogniser):
    """The recipe for speech."""

    task = AsrOptions.task
    what = "recordings"
    stored = np.int16
    measure = SPEECH
    training = SpeechTask

    def default_data(self) -> Path:
        return find_data(None, "an4")

    def read_data(self, folder: Path) -> Manifest:
        return read_speech(folder, self.options.layout)

    def readable(self, items: list[Item]) -> tuple[list[Item], list[Rejected]]:
        watched = partial(followed, doing="reading recordings", unit="item")
        return with_durations(items, watched, max_seconds=LONGEST)

    def input_length(self, item: Item, model: SequenceModel) -> int:
        return round(item.duration * model.front_end.sample_rate)

    def source(self, item: Item) -> tuple:
        return str(item.path), item.start, item.end

    def normalisation(self, base: SequenceModel | None) -> Normalisation:
        """Besides, what a loaded model has learnt in one case only is not learnt anew in the other: case is
        not heard."""
        found, options = super().normalisation(base), self.options
        if base is None or options.case or options.alphabet != "union":
            return found
        letters = [symbol for symbol in base.alphabet.symbols if symbol.upper() != symbol.lower()]
        alike = [case for case in CASES if letters and all(getattr(each, case)() == each for each in letters)]
        return replace(found, case=alike[0]) if alike else found

    def alphabet(self, items: list[Item], base: SequenceModel | None) -> Alphabet:
        """The alphabet of the items; of single words with a space besides, which joined ones have between
        them, in scripts that are written with spaces."""
        found = super().alphabet(items, base)
        spaceless = any(map(SPACELESS.search, found.symbols)) or (base and " " not in base.alphabet)
        joins = self.options.augmentation.join and " " not in found and not spaceless
        return Alphabet([" ", *found.symbols]) if joins else found

    def advice_before(self, items: list[Item], loaded: bool) -> list[str]:
        few = loaded and len(items) < FEW
        return [EXPECTED] if few else super().advice_before(items, loaded)

    def settings(self, model: SequenceModel) -> dict:
        return {"rate": model.front_end.sample_rate}

    def taken(self, model: SequenceModel) -> dict:
        log_mel = model.front_end.log_mel
        sizes = {"window": log_mel.window, "hop": log_mel.hop, "mels": log_mel.n_mels}
        return {**self.settings(model), **sizes}

    def features(self, item: Item, model: SequenceModel) -> Tensor:
        return stored(torch.from_numpy(sound(item, model.front_end.sample_rate)))

    def finish(self, model: SequenceModel, splits: Mapping[str, list[Item]]) -> None:
        """Besides, what tells speech from what is read where nobody speaks."""
        super().finish(model, splits)
        model.min_confidence, model.min_clear = least_of_speech(model, splits["valid"])

    def recognised(self, model: SequenceModel, items: list[Item], **options) -> list[Scored]:
        rate = model.front_end.sample_rate
        sounds = (sound(item, rate) for item in items)
        results = transcribe(sounds, model, rate, longest=LONGEST, errors="return", **options)
        scored = []
        for item, result in zip(items, results, strict=True):
            hypothesis = "" if isinstance(result, TriscribeError) else model.normalisation(result.text)
            name = f"{item.group}/{item.path.stem}" if item.group else item.path.stem
            scored.append(
                Scored(name, item.target, hypothesis, item.path, item.start, item.end, item.duration)
            )
        return scored

    def attachment(self, item: Scored) -> Attachment:
        return sound_of(item)


def least_of_speech(model: SequenceModel, items: list[Item]) -> tuple[float, float]:
    """The mean confidence, and the share of clear characters, below which a recording is no speech.

    They lie below nearly all of those that these items have where somebody speaks; 0 if nothing is read.
    """
    rate = model.front_end.sample_rate
    sounds = (sound(item, rate) for item in items if item.target)
    options = {"longest": LONGEST, "errors": "return", "language_model": NONE, "min_confidence": 0.0}
    results = transcribe(sounds, model, rate, **options)
    found = [
        sureness([[character.confidence for character in word.characters] for word in segment.words])
        for result in results
        if not isinstance(result, TriscribeError)
        for segment in result.segments
    ]
    if not found:
        return 0.0, 0.0
    confidence, clear = np.quantile(found, RAREST, axis=0).tolist()
    return round(DOUBTED * confidence, 3), round(UNCLEAR * clear, 3)


def sound(item: Item, sample_rate: int) -> np.ndarray:
    """The samples of an item, (samples,) float32."""
    samples = _recording(item.path, sample_rate)
    end = None if item.end is None else round(item.end * sample_rate)
    return samples[round((item.start or 0.0) * sample_rate) : end]


@lru_cache(maxsize=1)
def _recording(path: Path, sample_rate: int) -> np.ndarray:
    """Items are often parts of one long recording, one after the other: read it once."""
    return read_audio(path, sample_rate)
