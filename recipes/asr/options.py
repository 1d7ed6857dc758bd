"""Options of the recipe for speech. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from recipes.learning.options import CoreOptions, RecogniserOptions

CARRIED = "background", "reverberation", "babble", "hum", "clipping", "line", "level", "cut", "silence"
SHARES = "noise", "clean", "telephone", "join", *CARRIED


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
    speechless: float = 0.0
    """Number of samples with an empty text that are added, as a share of the utterances: noises, tones, hum
    and hiss, from which the model learns to write nothing where nobody speaks."""
    background: float = 0.0
    """Share of utterances with a noise behind them, from --noises or made up."""
    reverberation: float = 0.0
    """Share of utterances in a room, from --rooms or made up."""
    babble: float = 0.0
    """Share of utterances with other speakers of the training data talking in the background."""
    babble_snr: tuple[float, float] = (8.0, 30.0)
    """Range of the ratio of the speaker to these others, dB."""
    hum: float = 0.0
    """Share of utterances with the hum of mains."""
    clipping: float = 0.0
    """Share of utterances that are clipped, 3 to 20 dB below their peak."""
    line: float = 0.0
    """Share of utterances behind a codec (mu-law, GSM, MP3, Opus) or a low sample rate."""
    level: float = 0.0
    """Share of utterances recorded 10 to 45 dB too low, in 16 bits."""
    cut: float = 0.0
    """Share of utterances whose beginning and end are cut off tightly."""
    silence: float = 0.0
    """Share of utterances with silence before and after them."""
    silence_seconds: float = 3.0
    """Longest such silence on each side, seconds."""
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
        for name in (*SHARES, "time_mask_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share from 0 to 1, not {getattr(self, name)}")
        for name in ("speed", "tract"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a change from 0 to below 1, not {getattr(self, name)}")
        if self.speechless < 0:
            raise ValueError(f"speechless must be 0 or more, not {self.speechless}")
        for name in (
            "gain",
            "silence_seconds",
            "frequency_masks",
            "frequency_mask_bands",
            "time_masks",
            "time_mask_frames",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        for name in ("noise_snr", "babble_snr", "floor"):
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
        "statistics": "utterance",
    }

    sample_rate: int | None = None
    """Sample rate that the model reads, Hz; recordings are resampled."""
    n_mels: int | None = None
    """Mel bands."""
    dynamic_range: float | None = None
    """Level below the peak of an utterance, dB, under which everything is silence."""
    channels: int | None = None
    """Channels of each convolution."""
    statistics: Literal["utterance", "speech"] | None = None
    """Frames from which the level and the frequency response of a recording are taken: all of the utterance,
    or those near its loudest, so that silence around the words changes nothing."""

    def __post_init__(self):
        super().__post_init__()
        for name in ("sample_rate", "n_mels", "dynamic_range", "channels"):
            if getattr(self, name) is not None and getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")

    def front_end(self) -> dict:
        """Kind and sizes of the front end."""
        names = ("sample_rate", "n_mels", "dynamic_range", "channels", "statistics")
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
    noises: Path | None = None
    """Folder of recordings without speech, to be mixed into the training data."""
    rooms: Path | None = None
    """Folder of impulse responses of rooms, in which the training data is placed."""
    model: ModelOptions = field(default_factory=ModelOptions)
    augmentation: SpeechAugmentation = field(default_factory=SpeechAugmentation)
