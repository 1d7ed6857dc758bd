"""Options of the asr recipe. Importing them does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from recipes.learning.options import CoreOptions, RecogniserOptions


@dataclass(frozen=True)
class SpeechAugmentation:
    """How far training varies each utterance."""

    speed: float = 0.12
    """Largest relative change of speed, pitch included (Ko et al. 2015)."""
    tract: float = 0.1
    """Largest relative change of vocal-tract length (Jaitly & Hinton 2013)."""
    noise: float = 0.3
    """Share of utterances with coloured noise added."""
    noise_snr: tuple[float, float] = (5.0, 35.0)
    """Range of signal-to-noise ratios, dB."""
    clean: float = 0.3
    """Share of utterances whose steady background is taken away, as in studio or synthetic sound."""
    floor: tuple[float, float] = (45.0, 80.0)
    """Range of dB below the peak at which an utterance is cut off, drawn for each."""
    gain: float = 8.0
    """Largest change of level, dB; it matters where utterances are joined."""
    telephone: float = 0.1
    """Share of utterances cut at 3.4 to 4 kHz."""
    join: float = 0.35
    """Share of utterances joined with another one of the same speaker."""
    frequency_masks: int = 2
    """SpecAugment: masks over mel bands (Park et al. 2019)."""
    frequency_mask_bands: int = 20
    """SpecAugment: most bands a mask covers."""
    time_masks: int = 6
    """SpecAugment: masks over time."""
    time_mask_frames: int = 20
    """SpecAugment: most frames a mask covers."""
    time_mask_share: float = 0.1
    """SpecAugment: most of an utterance that one mask over time covers."""

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
    """Sizes of a new model; ignored with --load."""

    sample_rate: int = 16000
    """Hz that the model reads."""
    n_mels: int = 80
    """Mel bands."""
    dynamic_range: float = 60.0
    """dB below an utterance's peak at which everything is silence."""
    channels: int = 32
    """Of each convolution."""

    def __post_init__(self):
        super().__post_init__()
        for name in ("sample_rate", "n_mels", "dynamic_range", "channels"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")


@dataclass(frozen=True)
class AsrOptions(RecogniserOptions):
    """Train a speech recogniser on your own folder."""

    data: tuple[Path, ...] = ()
    """Folders of recordings and texts (Sphinx, audio + .txt, LJSpeech, Common Voice, Kaldi, JSONL,
    LibriSpeech: found out by itself). Without it: AN4 from $TRISCRIBE_DATA, the cache, or its home."""
    out: Path = Path("exp/asr")
    """Folder for the model, checkpoint, log and report."""
    model: ModelOptions = field(default_factory=ModelOptions)
    augmentation: SpeechAugmentation = field(default_factory=SpeechAugmentation)
