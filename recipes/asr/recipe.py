"""Speech recognition: a folder of recordings with their texts in, a model file out.

    python -m recipes.asr --data DIR --out exp/asr [--decoder attention|hybrid]

AN4 (official 948/130 split, greedy, no language model): see the results table in the README.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipelines.errors import TriscribeError
from pipelines.media.audio import read_audio
from pipelines.model import SequenceModel
from pipelines.reading.settings import NONE
from pipelines.speech import transcribe
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
RAREST = 0.02  # share of the validation recordings with the lowest confidences
DOUBTED = 0.85  # of the confidence of these, from where on a recording is no speech


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

    def settings(self, model: SequenceModel) -> dict:
        return {"rate": model.front_end.sample_rate}

    def taken(self, model: SequenceModel) -> dict:
        log_mel = model.front_end.log_mel
        sizes = {"window": log_mel.window, "hop": log_mel.hop, "mels": log_mel.n_mels}
        return {**self.settings(model), **sizes}

    def features(self, item: Item, model: SequenceModel) -> Tensor:
        return stored(torch.from_numpy(sound(item, model.front_end.sample_rate)))

    def finish(self, model: SequenceModel, splits: Mapping[str, list[Item]]) -> None:
        """Besides, the confidence below which what is read is no speech."""
        super().finish(model, splits)
        model.min_confidence = least_confidence(model, splits["valid"])

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


def least_confidence(model: SequenceModel, items: list[Item]) -> float:
    """The mean confidence of words below which a recording is not taken for speech.

    It lies below nearly all of those that these items have where somebody speaks; 0 if nothing is read there.
    """
    model.min_confidence = 0.0
    rate = model.front_end.sample_rate
    sounds = (sound(item, rate) for item in items if item.target)
    results = transcribe(sounds, model, rate, longest=LONGEST, errors="return", language_model=NONE)
    found = [
        segment.confidence
        for result in results
        if not isinstance(result, TriscribeError)
        for segment in result.segments
    ]
    return round(DOUBTED * float(np.quantile(found, RAREST)), 3) if found else 0.0


def sound(item: Item, sample_rate: int) -> np.ndarray:
    """The samples of an item, (samples,) float32."""
    samples = _recording(item.path, sample_rate)
    end = None if item.end is None else round(item.end * sample_rate)
    return samples[round((item.start or 0.0) * sample_rate) : end]


@lru_cache(maxsize=1)
def _recording(path: Path, sample_rate: int) -> np.ndarray:
    """Items are often parts of one long recording, one after the other: read it once."""
    return read_audio(path, sample_rate)
