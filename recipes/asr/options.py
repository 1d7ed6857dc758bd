"""Options of the recipe for speech. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from recipes.learning.options import CoreOptions, RecogniserOptions


@dataclass(frozen=True)
class SpeechAugmentation:
    """Augmentation of each utterance, varied anew in every epoch."""

    speed: float = 0.12
    """Largest relative change of speed and pitch (Ko et al. 2015)."""
    tract: float = 0.1
    """Largest relative change of vocal-tract length (Jaitly & Hinton 2013)."""
    noise: float = 0.3
    """Share of utterances with coloured noise added."""
    noise_snr: tuple[float, float] = (5.0, 35.0)
    """Range of signal-to-noise ratios, dB."""
    clean: float = 0.3
    """Share of utterances whose steady background noise is removed, as in studio or synthetic speech."""
    floor: tuple[float, float] = (45.0, 80.0)
    """Range of the level below the peak, dB, under which an utterance is silence."""
    gain: float = 8.0
    """Largest change of level, dB, which matters where utterances are joined."""
    telephone: float = 0.1
    """Share of utterances low-pass filtered at 3.4 to 4 kHz, as on a telephone."""
    join: float = 0.35
    """Share of utterances joined with another utterance of the same speaker."""
    frequency_masks: int = 2
    """SpecAugment: number of masks over mel bands (Park et al. 2019)."""
    frequency_mask_bands: int = 20
    """SpecAugment: largest width of a mask, mel bands."""
    time_masks: int = 6
    """SpecAugment: number of masks over time."""
    time_mask_frames: int = 20
    """SpecAugment: largest width of a mask, frames."""
    time_mask_share: float = 0.1
    """SpecAugment: largest share of an utterance that one mask over time covers."""

    def __post_init__(self):
        for name in ("noise", "clean", "telephone", "join", "time_mask_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share from 0 to 1, not {getattr(self, name)}")
        for name in ("speed", "tract"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a change from 0 to below 1, not {getattr(self, name)}")
        for name in ("gain", "frequency_masks", "frequency_mask_bands", "time_masks", "time_mask_frames"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        for name in ("noise_snr", "floor"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} goes from low to high, not {(low, high)}")
        if self.floor[0] <= 0:
            raise ValueError(f"floor is above 0 dB, not {self.floor}")


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of the model. With --load, a size that is not given stays as it is in the loaded model."""

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "sample_rate": 16000,
        "n_mels": 80,
        "dynamic_range": 60.0,
        "channels": 32,
    }

    sample_rate: int | None = None
    """Sample rate that the model reads, Hz; recordings are resampled."""
    n_mels: int | None = None
    """Mel bands."""
    dynamic_range: float | None = None
    """Level below the peak of an utterance, dB, under which everything is silence."""
    channels: int | None = None
    """Channels of each convolution."""

    def __post_init__(self):
        super().__post_init__()
        for name in ("sample_rate", "n_mels", "dynamic_range", "channels"):
            if getattr(self, name) is not None and getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")

    def front_end(self) -> dict:
        """Kind and sizes of the front end."""
        names = ("sample_rate", "n_mels", "dynamic_range", "channels")
        return {"kind": "spectrogram"} | {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class AsrOptions(RecogniserOptions):
    """Train a speech recogniser on your own recordings."""

    task: ClassVar[str] = "speech"

    data: tuple[Path, ...] = ()
    """Folders of recordings with their texts: audio + .txt, LJSpeech, Common Voice, Kaldi, Sphinx,
    LibriSpeech, JSONL. Without it, AN4 from $TRISCRIBE_DATA, the cache or its home page."""
    out: Path = Path("exp/asr")
    """Folder for the model, checkpoint, log and report."""
    model: ModelOptions = field(default_factory=ModelOptions)
    augmentation: SpeechAugmentation = field(default_factory=SpeechAugmentation)
