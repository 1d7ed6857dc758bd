"""Options of the recipe for captions. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from encoders.backbones import BACKBONES
from recipes.learning.options import (
    AttentionOptions,
    CoreOptions,
    RecipeOptions,
    TrainingOptions,
    check_choices,
)


@dataclass(frozen=True)
class TeachingOptions(AttentionOptions):
    """Attention decoder and augmentation."""

    new: ClassVar[Mapping[str, object]] = {"decoder_size": 384}

    sampling: float = 0.1
    """Scheduled sampling: share of words that the decoder reads from its own output at the end of training,
    rising linearly from 0."""
    doubly_stochastic: float = 0.2
    """Weight of attending to all places of a picture equally over a sentence (Xu et al. 2015)."""
    shift: float = 0.06
    """Largest shift of a picture, as a share of its side; only where the image network is trained."""
    mirror: bool = False
    """Also show pictures mirrored; not where sentences tell left from right."""

    def __post_init__(self):
        super().__post_init__()
        if self.doubly_stochastic < 0 or not 0 <= self.shift < 0.5:
            raise ValueError("doubly_stochastic must be 0 or more, and shift a share below 0.5")


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model. A loaded model keeps its own."""

    new: ClassVar[Mapping[str, object]] = CoreOptions.new | {
        "network": "squeezenet1_0",
        "frozen": True,
        "side": 0,
        "grid": True,
        "rate": 1.0,
        "window": 10.0,
        "hidden_size": 192,
        "num_layers": 1,
        "dropout": 0.4,
        "embedding_size": 256,
        "attention_size": 192,
    }

    network: Literal[tuple(name for name in BACKBONES if name != "none")] | None = None
    """Image network: small is trained from scratch, the others come from torchvision."""
    weights: str = "DEFAULT"
    """Pretrained weights of the image network, by torchvision's name for them; none for none."""
    frozen: bool | None = None
    """Keep the image network as it is, so that its features are computed only once."""
    side: int | None = None
    """Side to which pictures are scaled, pixels; 0 is the image network's own."""
    grid: bool | None = None
    """Attend to places of one picture; with --no-grid to whole frames of a video, in their order."""
    rate: float | None = None
    """Frames per second that the model looks at in a video."""
    window: float | None = None
    """Longest stretch of a video that one sentence describes, seconds."""
    embedding_size: int | None = None
    """Size of the word embeddings."""
    attention_size: int | None = None
    """Size of the space in which the attention compares places with the decoder's state."""

    def __post_init__(self):
        super().__post_init__()
        for name in ("embedding_size", "attention_size"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if (self.side or 0) < 0:
            raise ValueError(f"side must be 0 or more pixels, not {self.side}")

    def front_end(self) -> dict:
        """Kind and sizes of the front end."""
        return {
            "kind": "frames",
            "network": self.network,
            "frozen": self.frozen and self.network != "small",
            "side": self.side,
            "grid": self.grid,
            "rate": self.rate,
            "window": self.window,
            "output_size": self.input_size,
            "dropout": self.dropout,
        }

    def decoder(self, hidden_size: int) -> dict:
        """Kind and sizes of the decoder."""
        return {
            "kind": "attention",
            "hidden_size": hidden_size,
            "embedding_size": self.embedding_size,
            "attention_size": self.attention_size,
            "gated": True,
            "dropout": self.dropout,
        }


@dataclass(frozen=True)
class VocabularyOptions:
    """Vocabulary of a new model."""

    labels: Literal["words", "subwords", "characters"] = "words"
    """Units in which the model writes sentences."""
    min_count: int = 5
    """Words that occur less often in training become one unknown word, which is never written."""
    pieces: int = 1000
    """Largest number of subwords."""
    punctuation: bool = False
    """Keep punctuation and symbols in the sentences."""

    def __post_init__(self):
        check_choices(self)
        if self.min_count < 1 or self.pieces < 2:
            raise ValueError("min_count must be at least 1 and pieces at least 2")


@dataclass(frozen=True)
class CaptioningOptions(RecipeOptions):
    """Train a captioner on your own pictures or short videos."""

    task: ClassVar[str] = "captioning"
    new: ClassVar[Mapping[str, object]] = RecipeOptions.new | {"case": "lower"}

    data: tuple[Path, ...] = ()
    """Folders of pictures or videos with sentences: captions.tsv, COCO or Karpathy JSON, Flickr8k."""
    out: Path = Path("exp/captioning")
    """Folder for the model, checkpoint, features, log and report."""
    select: Literal["bleu4", "exact"] = "bleu4"
    """Validation score that selects the best weights: BLEU-4, or the share of exact matches."""
    model: ModelOptions = field(default_factory=ModelOptions)
    vocabulary: VocabularyOptions = field(default_factory=VocabularyOptions)
    teaching: TeachingOptions = field(default_factory=TeachingOptions)
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(epochs=20, batch_size=32, learning_rate=1e-3, valid_every=1)
    )
