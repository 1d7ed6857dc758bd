"""Options of the captioning recipe. Importing them does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from encoders.backbones import BACKBONES
from recipes.learning.options import (
    AttentionOptions,
    CoreOptions,
    RecipeOptions,
    TrainingOptions,
)


@dataclass(frozen=True)
class TeachingOptions(AttentionOptions):
    """How a captioner is taught."""

    doubly_stochastic: float = 0.2
    """Weight of looking at all places of a picture equally over a sentence (Xu et al. 2015)."""
    shift: float = 0.06
    """Share of its side by which a picture is moved in training; only for a network that is trained."""
    mirror: bool = False
    """Also show pictures in a mirror; not where sentences tell left from right."""

    def __post_init__(self):
        super().__post_init__()
        if self.doubly_stochastic < 0 or not 0 <= self.shift < 0.5:
            raise ValueError("doubly_stochastic must be 0 or more, and shift a share below 0.5")


@dataclass(frozen=True)
class ModelOptions(CoreOptions):
    """Sizes of a new model; ignored with --load."""

    network: Literal[tuple(name for name in BACKBONES if name != "none")] = "squeezenet1_0"
    """Image network: small is trained from scratch, others come from torchvision by their names there."""
    weights: str = "DEFAULT"
    """Of the image network, as torchvision names and fetches them; none for none."""
    frozen: bool = True
    """Take the image network as it is, so that its features are computed once. The small one is trained."""
    side: int = 0
    """Pixels to which pictures are squared; 0 is the image network's own."""
    grid: bool = True
    """Look at the places of one picture; with --no-grid at a video's frames as wholes, in their order."""
    rate: float = 1.0
    """Frames a second that are looked at in a video."""
    window: float = 10.0
    """Seconds of a video that one sentence is about, at most."""
    hidden_size: int = 192
    """Memory cells of each layer and direction."""
    num_layers: int = 1
    """Layers of the core."""
    dropout: float = 0.4
    """On what the core reads, between its layers, on words read and before words written."""
    embedding_size: int = 256
    """Features of a label."""
    attention_size: int = 192
    """Features in which places and decoder are compared."""

    def __post_init__(self):
        super().__post_init__()
        if min(self.embedding_size, self.attention_size) < 1 or self.side < 0:
            raise ValueError("embedding_size and attention_size must be at least 1, and side 0 or more")

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
    """What sentences are made of, in a new model."""

    labels: Literal["words", "subwords", "characters"] = "words"
    """What the model writes one by one."""
    min_count: int = 5
    """Words that occur less often in training become one unknown word, which is never written."""
    pieces: int = 1000
    """Subwords, at most."""
    punctuation: bool = False
    """Keep punctuation and signs in the sentences."""

    def __post_init__(self):
        if self.min_count < 1 or self.pieces < 2:
            raise ValueError("min_count must be at least 1 and pieces at least 2")


@dataclass(frozen=True)
class CaptioningOptions(RecipeOptions):
    """Train a captioner on your own folder."""

    data: tuple[Path, ...] = ()
    """Folders of pictures or videos and sentences (captions.tsv, COCO, Karpathy, Flickr8k: found out by
    itself)."""
    out: Path = Path("exp/captioning")
    """Folder for the model, checkpoint, features, log and report."""
    case: Literal["keep", "upper", "lower"] = "lower"
    """Case of the sentences."""
    select: Literal["bleu4", "exact"] = "bleu4"
    """Validation score that chooses the best weights."""
    model: ModelOptions = field(default_factory=ModelOptions)
    vocabulary: VocabularyOptions = field(default_factory=VocabularyOptions)
    teaching: TeachingOptions = field(default_factory=lambda: TeachingOptions(decoder_size=384, sampling=0.1))
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(epochs=20, batch_size=32, learning_rate=1e-3, valid_every=1)
    )
