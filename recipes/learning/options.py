"""Options that all recipes share. Importing them does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipelines.reading.precision import meant


@dataclass(frozen=True)
class TrainingOptions:
    """How to train; the same for every recipe."""

    epochs: int = 100
    """Passes over the training data."""
    batch_size: int = 16
    """Items in a batch."""
    learning_rate: float = 2e-3
    """Peak of the one-cycle schedule (Smith 2018)."""
    warmup: float = 0.15
    """Share of the run in which the rate rises to its peak."""
    weight_decay: float = 1e-2
    """Of AdamW (Loshchilov & Hutter 2019)."""
    clip: float = 5.0
    """Largest gradient norm."""
    average: float = 0.25
    """Last share of the run whose weights are averaged (Izmailov et al. 2018)."""
    blend: float = 0.0
    """Share of the weights that the run began with in a mean with those that it ends with, kept if it does
    better on the validation data (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). For runs
    that --load a model; 0 turns it off."""
    valid_every: int = 2
    """Epochs between two looks at the validation data."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """auto measures which is faster on this machine, for each part of the network, and keeps the result."""
    resume: Literal["auto", "no", "yes"] = "auto"
    """auto goes on from a checkpoint in the output folder if there is one; yes insists on it;
    no starts afresh."""
    checkpoint_minutes: float = 2.0
    """A checkpoint is also written this often within an epoch."""
    seed: int = 1
    """Of weights, order, dropout and augmentation."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto is cuda where there is one."""
    threads: int = 0
    """CPU threads; 0 leaves torch's choice."""

    def __post_init__(self):
        for name in ("epochs", "batch_size", "valid_every", "learning_rate", "clip", "checkpoint_minutes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("weight_decay", "threads"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        for name in ("warmup", "average", "blend"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a share from 0 to below 1, not {getattr(self, name)}")
        meant(self.precision)


@dataclass(frozen=True)
class CoreOptions:
    """Sizes of a new model; ignored with --load."""

    hidden_size: int = 224
    """Memory cells of each layer and direction."""
    num_layers: int = 3
    """Layers of the core."""
    cell: Literal["lstm", "gru"] = "lstm"
    """Kind of cell."""
    bidirectional: bool = True
    """Read each item both ways; a model that reads one way can stream."""
    bptt_window: int | None = None
    """Frames of truncated back-propagation through time, for one-directional cores."""
    dropout: float = 0.35
    """Between layers and before the output."""
    input_size: int = 256
    """Features that the core reads."""

    def __post_init__(self):
        for name in ("hidden_size", "num_layers", "input_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is a share from 0 to below 1, not {self.dropout}")
        if self.bptt_window is not None and (self.bidirectional or self.bptt_window < 1):
            raise ValueError("bptt_window needs --no-bidirectional and at least 1 frame")

    def core(self) -> dict:
        """Kind and sizes of the core."""
        return {
            "kind": "bilstm",
            "hidden_size": self.hidden_size,
            "num_layers": self.num_layers,
            "dropout": self.dropout,
            "cell": self.cell,
            "bidirectional": self.bidirectional,
            "bptt_window": self.bptt_window,
        }


@dataclass(frozen=True)
class AttentionOptions:
    """An attention decoder, and how it is taught."""

    decoder_size: int = 256
    """Memory cells of an attention decoder, in a new model."""
    sampling: float = 0.0
    """Share of labels that an attention decoder reads from itself at the end of the training, rising
    evenly from none (scheduled sampling)."""
    smoothing: float = 0.1
    """Share of the probability that all labels share where an attention decoder is taught."""

    def __post_init__(self):
        if self.decoder_size < 1:
            raise ValueError(f"decoder_size must be at least 1, not {self.decoder_size}")
        for name in ("sampling", "smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a share from 0 to below 1, not {getattr(self, name)}")


@dataclass(frozen=True)
class RecipeOptions:
    """What every recipe can be told."""

    data: tuple[Path, ...] = ()
    """Folders of media and texts."""
    out: Path = Path("exp")
    """Folder for the model, checkpoint, log and report."""
    layout: str | None = None
    """Force a layout instead of finding it out."""
    name: str = "model"
    """Name of the model file."""
    bits: Literal[8, 16, 32] = 16
    """Of each weight in the model file; 8 makes it half as large, and has cost handwriting nothing."""
    licence: str = "not stated"
    """Licence of the data, kept in the model file."""
    load: str | None = None
    """Fine-tune this model: a file or a bundled name."""
    case: Literal["keep", "upper", "lower"] = "keep"
    """Case of the texts."""
    form: Literal["NFC", "NFD", "NFKC", "NFKD"] = "NFC"
    """Unicode normal form of the texts."""
    valid: float = 0.06
    """Share of the training items, by group, held out for validation where the data has none."""
    training: TrainingOptions = field(default_factory=TrainingOptions)

    def __post_init__(self):
        if not 0 < self.valid < 1:
            raise ValueError(f"valid is a share between 0 and 1, not {self.valid}")


@dataclass(frozen=True)
class WritingOptions(AttentionOptions):
    """How labels are written."""

    decoder: Literal["ctc", "attention", "hybrid"] = "ctc"
    """Of a new model. ctc: each frame by itself, which can stream and align; attention: label after
    label, each conditioned on those before; hybrid: both, and what they agree on."""
    location_filters: int = 10
    """Convolutions over where an attention decoder looked before, in a new model."""
    ctc_weight: float = 0.3
    """Share of CTC in the loss of a hybrid decoder, in a new model."""

    def __post_init__(self):
        super().__post_init__()
        if self.location_filters < 0:
            raise ValueError(f"location_filters must be 0 or more, not {self.location_filters}")
        if not 0 <= self.ctc_weight <= 1:
            raise ValueError(f"ctc_weight is a share from 0 to 1, not {self.ctc_weight}")

    def sizes(self) -> dict:
        """Kind and sizes of the decoder."""
        if self.decoder == "ctc":
            return {"kind": "ctc"}
        sizes = {"hidden_size": self.decoder_size, "location_filters": self.location_filters}
        own = {"ctc_weight": self.ctc_weight} if self.decoder == "hybrid" else {}
        return {"kind": self.decoder, **own, **sizes}


@dataclass(frozen=True)
class RecogniserOptions(RecipeOptions):
    """What every recipe that teaches reading can be told."""

    alphabet: Literal["fail", "union", "new"] = "fail"
    """When the data's characters differ from those of --load: fail says which; union adds the new
    ones; new keeps only the data's."""
    new_decoder: Literal["ctc", "attention", "hybrid"] | None = None
    """Put this one, untaught, behind the front end and the core of --load; None keeps its own."""
    new_dropout: float | None = None
    """Dropout of --load's core from now on; None leaves it as it was. The better a model knows its data by
    heart, the more it needs."""
    freeze: bool = False
    """Leave the front end of --load as it is, and let core and decoder alone learn on: on a CPU, an epoch of
    lines takes half the time."""
    consistency: float = 0.2
    """Weight that draws two masked views of an item towards each other (CR-CTC); 0 turns it off."""
    errors: float = 0.0
    """Weight of the errors to be expected a label (Graves & Jaitly 2014), once a CTC decoder has learnt to
    read: likelihood wants the whole line right, this wants few errors; 0 turns it off."""
    shortcut: float = 0.0
    """Weight of a second CTC loss, on what the front end alone reads; 0 turns it off."""
    teacher: str | None = None
    """Also learn from what this model reads, a file or a bundled name: a small network learns more from a
    large one's every frame than from texts alone. It must take the same input and know all characters."""
    teaching: float = 1.0
    """Weight of what the teacher reads, beside the texts."""
    language_model: int = 0
    """Count which characters follow which in the training texts, this many in a row (6 is good), and which
    words come twice, and keep it in the model file as its language model, with the weights that do best on
    validation data; 0 does not."""
    writing: WritingOptions = field(default_factory=WritingOptions)

    def __post_init__(self):
        super().__post_init__()
        if self.language_model < 0:
            raise ValueError(f"language_model must be 0 or more, not {self.language_model}")
        for name in ("consistency", "errors", "shortcut"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        self._needs_load("new_decoder", "new_dropout", "freeze")
        if self.teaching <= 0:
            raise ValueError(f"teaching must be above 0, not {self.teaching}")
        if self.teaching != 1.0 and not self.teacher:
            raise ValueError("teaching weighs what a teacher reads: name one with --teacher")
        if self.new_dropout is not None and not 0 <= self.new_dropout < 1:
            raise ValueError(f"new_dropout is a share from 0 to below 1, not {self.new_dropout}")

    def _needs_load(self, *names: str) -> None:
        for name in names:
            if not self.load and getattr(self, name) not in (None, (), False):
                raise ValueError(f"{name} changes a loaded model: give --load too")
