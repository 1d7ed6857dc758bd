"""Options that all recipes share. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from types import NoneType
from typing import ClassVar, Literal, Self, get_args, get_origin, get_type_hints

from decoders.alphabet import Normalisation
from pipelines.media.text import check_encoding
from pipelines.reading.precision import meant

FEWEST_EPOCHS, MOST_EPOCHS = 4, 40  # where their number is left to that of the items


@dataclass(frozen=True)
class TrainingOptions:
    """Training: schedule, optimiser, checkpoints."""

    epochs: int = 100
    """Passes over the training data. 0 leaves it to the number of items: 30 for 50, 18 for 200, 11 for 1,000,
    6 for 5,000, and validates 8 times a run; for fine-tuning."""
    batch_size: int = 16
    """Items per batch."""
    learning_rate: float = 2e-3
    """Peak learning rate of the one-cycle schedule (Smith 2018)."""
    warmup: float = 0.15
    """Share of the run in which the learning rate rises to its peak."""
    weight_decay: float = 1e-2
    """Weight decay of AdamW (Loshchilov & Hutter 2019)."""
    clip: float = 5.0
    """Gradients are clipped to this norm."""
    average: float = 0.25
    """Last share of the run over which the weights are averaged (Izmailov et al. 2018); 0 turns it off."""
    blend: float = 0.0
    """After fine-tuning, also try the weighted mean of the old and the new weights, and keep it if it does
    better on the validation data (Wortsman et al. 2022). This is the share of the old weights; 0 turns it
    off."""
    valid_every: int = 2
    """Epochs from one validation to the next."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Precision of the computation; auto measures which is faster on this machine, part by part, and keeps
    the result."""
    resume: Literal["auto", "no", "yes"] = "auto"
    """Continue from the checkpoint in --out: auto if there is one, yes or fail, no starts afresh."""
    checkpoint_minutes: float = 2.0
    """Minutes from one checkpoint to the next, also within an epoch."""
    seed: int = 1
    """Seed of the weights, the order of items, dropout and augmentation."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Device to train on; auto is cuda where there is one."""
    threads: int = 0
    """CPU threads; 0 leaves the choice to torch."""
    workers: int | None = None
    """Processes that make batches. If not given, one for each core but one, up to 16, where training runs on
    a GPU, which would wait for batches, and none on a CPU, where the network needs all cores."""

    def __post_init__(self):
        check_choices(self)
        for name in ("batch_size", "valid_every", "learning_rate", "clip", "checkpoint_minutes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("epochs", "weight_decay", "threads", "workers"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        check_shares(self, "warmup", "average", "blend")
        meant(self.precision)

    def for_items(self, count: int) -> Self:
        """The same with a number of epochs: that given, or one for so many training items."""
        if self.epochs:
            return self
        epochs = min(MOST_EPOCHS, max(FEWEST_EPOCHS, round(30 * (50 / max(1, count)) ** 0.35)))
        return replace(self, epochs=epochs, valid_every=-(-epochs // 8))


class Sizes:
    """Options that are None unless given: as the loaded model has them, or as a new model has by default."""

    new: ClassVar[Mapping[str, object]] = {}
    """The sizes of a new model."""

    def filled(self) -> Self:
        """The sizes of a new model: those given, and the defaults."""
        missing = {name: value for name, value in self.new.items() if getattr(self, name) is None}
        return replace(self, **missing)

    def given(self) -> dict[str, object]:
        """Only the sizes that were given."""
        return {name: getattr(self, name) for name in self.new if getattr(self, name) is not None}


@dataclass(frozen=True)
class CoreOptions(Sizes):
    """Sizes of the model. With --load, a size that is not given stays as it is in the loaded model."""

    new: ClassVar[Mapping[str, object]] = {
        "hidden_size": 224,
        "num_layers": 3,
        "cell": "lstm",
        "bidirectional": True,
        "bptt_window": None,
        "dropout": 0.35,
        "input_size": 256,
    }

    hidden_size: int | None = None
    """Hidden units per layer and direction. A loaded CTC model grows or shrinks to this size."""
    num_layers: int | None = None
    """Layers of the recurrent core."""
    cell: Literal["lstm", "gru"] | None = None
    """Kind of recurrent cell."""
    bidirectional: bool | None = None
    """Read the sequence in both directions; a model that reads in one direction only can stream."""
    bptt_window: int | None = None
    """Frames of truncated back-propagation through time, for cores that read in one direction."""
    dropout: float | None = None
    """Dropout between layers and before the output. The better a model knows its training data by heart,
    the more it needs."""
    input_size: int | None = None
    """Features per frame that the core reads."""

    def __post_init__(self):
        check_choices(self)
        for name in ("hidden_size", "num_layers", "input_size"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.dropout is not None:
            check_shares(self, "dropout")
        if self.bptt_window is not None and (self.bidirectional is not False or self.bptt_window < 1):
            raise ValueError("bptt_window needs --no-bidirectional and at least 1 frame")

    def core(self) -> dict:
        """Kind and sizes of the core."""
        names = ("hidden_size", "num_layers", "dropout", "cell", "bidirectional", "bptt_window")
        return {"kind": "bilstm"} | {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class AttentionOptions(Sizes):
    """Attention decoder."""

    new: ClassVar[Mapping[str, object]] = {"decoder_size": 256}

    decoder_size: int | None = None
    """Hidden units of an attention decoder."""
    sampling: float = 0.0
    """Scheduled sampling: share of labels that an attention decoder reads from its own output at the end of
    training, rising linearly from 0."""
    smoothing: float = 0.1
    """Label smoothing of an attention decoder: share of the probability spread over all labels."""

    def __post_init__(self):
        check_choices(self)
        if self.decoder_size is not None and self.decoder_size < 1:
            raise ValueError(f"decoder_size must be at least 1, not {self.decoder_size}")
        check_shares(self, "sampling", "smoothing")


@dataclass(frozen=True)
class WritingOptions(AttentionOptions):
    """Decoder."""

    new: ClassVar[Mapping[str, object]] = AttentionOptions.new | {
        "decoder": "ctc",
        "location_filters": 10,
        "ctc_weight": 0.3,
    }

    decoder: Literal["ctc", "attention", "hybrid"] | None = None
    """How the text is written: ctc decides frame by frame, can stream and align; attention writes each label
    with those before in view; hybrid combines both. A loaded model with another decoder is given a new one
    behind what it has learnt."""
    location_filters: int | None = None
    """Convolution filters over the previous attention weights (location-aware attention)."""
    ctc_weight: float | None = None
    """Weight of CTC in the loss and the search of a hybrid decoder, from 0 to 1."""

    def __post_init__(self):
        super().__post_init__()
        if self.location_filters is not None and self.location_filters < 0:
            raise ValueError(f"location_filters must be 0 or more, not {self.location_filters}")
        if self.ctc_weight is not None and not 0 <= self.ctc_weight <= 1:
            raise ValueError(f"ctc_weight is a share from 0 to 1, not {self.ctc_weight}")

    def sizes(self) -> dict:
        """Kind and sizes of the decoder."""
        if self.decoder == "ctc":
            return {"kind": "ctc"}
        sizes = {"hidden_size": self.decoder_size, "location_filters": self.location_filters}
        own = {"ctc_weight": self.ctc_weight} if self.decoder == "hybrid" else {}
        return {"kind": self.decoder, **own, **sizes}


@dataclass(frozen=True)
class RunOptions:
    """Model."""

    task: ClassVar[str]
    """The task of the models that the recipe trains."""
    needs: ClassVar[str] = "--data DIR"
    """What a command line must give."""

    out: Path = Path("exp")
    """Folder for the model, checkpoint, log and report."""
    name: str = "model"
    """Name of the model, and of its file in --out."""
    bits: Literal[8, 16, 32] = 16
    """Bits per weight in the model file; 8 makes it half as large, and has cost handwriting nothing."""
    licence: str = "not stated"
    """Licence of the data, kept in the model file."""
    load: str | None = None
    """Fine-tune this model: a model file or the name of a bundled model. If not given, and data is an output
    folder of triscribe, the model that made its results; none trains a new one."""
    training: TrainingOptions = field(default_factory=TrainingOptions)

    def __post_init__(self):
        check_choices(self)
        if not self.load:  # a new model has all its sizes now, so that what contradicts them shows now
            for part in self.sizes():
                part.filled()

    def sizes(self) -> list[Sizes]:
        """The parts that are sizes of the model."""
        parts = [getattr(self, each.name) for each in fields(self)]
        return [part for part in parts if isinstance(part, Sizes)]


@dataclass(frozen=True)
class DataOptions:
    """Data."""

    data: tuple[Path, ...] = ()
    """Folders of media and texts."""


@dataclass(frozen=True)
class RecipeOptions(RunOptions, DataOptions):
    """Data and model."""

    new: ClassVar[Mapping[str, object]] = {"case": "keep", "form": "NFC"}
    """What a new model does if not told otherwise."""
    reading: ClassVar[tuple[str, ...]] = ()
    """Options that say how data is read, which an evaluation takes from the model."""

    layout: str | None = None
    """Layout of the data set; detected if not given."""
    unchecked: Literal["skip", "keep"] = "skip"
    """What nobody has checked in an output folder of triscribe: skip leaves it out, keep trains on it too,
    but does not validate on it."""
    case: Literal["keep", "upper", "lower"] | None = None
    """Convert the texts to upper or lower case. If not given, as the loaded model does."""
    form: Literal["NFC", "NFD", "NFKC", "NFKD"] | None = None
    """Unicode normal form of the texts. If not given, as the loaded model has it."""
    valid: float = 0.06
    """Share of the training items held out for validation where the data has no validation split."""

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.valid < 1:
            raise ValueError(f"valid is a share between 0 and 1, not {self.valid}")

    def normalisation(self, loaded: Normalisation | None) -> Normalisation:
        """How texts are normalised, by a loaded model or by a new one."""
        had = asdict(loaded) if loaded else self.new
        return Normalisation(self.form or had["form"], self.case or had["case"])


@dataclass(frozen=True)
class ProseRecipeOptions(RecipeOptions):
    """Data and model of a recipe that learns from text files."""

    reading: ClassVar[tuple[str, ...]] = ("encoding",)

    encoding: str | None = None
    """Encoding of text files that are not UTF-8, such as windows-1252 or shift_jis."""

    def __post_init__(self):
        super().__post_init__()
        check_encoding(self.encoding)


@dataclass(frozen=True)
class RecogniserOptions(RecipeOptions):
    """Data and model."""

    alphabet: Literal["fail", "union", "new"] = "fail"
    """If the data has characters that the loaded model lacks: fail lists them, union adds them, new keeps
    only the characters of the data."""
    rehearse: tuple[Path, ...] = ()
    """Folders of data that the loaded model knows, or "an4": of their items, as many as the new data has are
    learnt again and validated on, so that the model does not forget them."""
    freeze: bool = False
    """Leave the front end of the loaded model as it is; only the core and the decoder learn. On a CPU, an
    epoch of handwriting takes half the time."""
    consistency: float = 0.2
    """Weight of the consistency between two masked views of each item (CR-CTC, Yao et al. 2024); 0 turns it
    off."""
    errors: float = 0.0
    """Weight of the expected number of errors per label (Graves & Jaitly 2014), once a CTC decoder has
    learnt to read; 0 turns it off."""
    shortcut: float = 0.0
    """Weight of an auxiliary CTC loss on the output of the front end (Retsinas et al. 2022); 0 turns it
    off."""
    teacher: str | None = None
    """Knowledge distillation: also learn from the output of this model, a file or a bundled name. It must
    take the same input and know all characters."""
    teaching: float = 1.0
    """Weight of the distillation loss."""
    language_model: int = 0
    """Order of a character n-gram model counted on the training texts and kept in the model file (6 is good),
    together with the words that occur twice; 0 leaves it out."""
    keep: Literal["all", "twice"] = "twice"
    """Character n-grams of more than three characters that the model file keeps: those that occur twice, so
    that the texts cannot be put together again, or all, which read better, where the texts are public."""
    texts: tuple[Path, ...] = ()
    """Plain text files in the language to be read, such as books: --language-model counts them besides the
    training texts."""
    writing: WritingOptions = field(default_factory=WritingOptions)

    def __post_init__(self):
        super().__post_init__()
        if self.language_model < 0:
            raise ValueError(f"language_model must be 0 or more, not {self.language_model}")
        uses = self.uses_of_texts()
        if self.texts and not any(uses.values()):
            raise ValueError(
                f"texts are for {', '.join(uses)}: give {'one of these' if len(uses) > 1 else 'it'} too"
            )
        for name in ("consistency", "errors", "shortcut"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        if self.freeze and not self.load:
            raise ValueError("freeze leaves the front end of a loaded model as it is: give --load too")
        if self.rehearse and not self.load:
            raise ValueError("rehearse keeps what a loaded model knows: give --load too")
        if self.teaching <= 0:
            raise ValueError(f"teaching must be above 0, not {self.teaching}")
        if self.teaching != 1.0 and not self.teacher:
            raise ValueError("teaching is the weight of a teacher: name one with --teacher")

    def uses_of_texts(self) -> dict[str, bool]:
        """What `texts` are for, and whether it is asked for."""
        return {"--language-model": self.language_model > 0}


def check_choices(options: object) -> None:
    """Check the fields that are one of several literals.

    Raises:
        ValueError: one has another value.
    """
    for name, choices in _choices(type(options)).items():
        value = getattr(options, name)
        if value not in choices:
            listed = ", ".join(str(choice) for choice in choices if choice is not None)
            raise ValueError(f"{name} must be one of {listed}, not {value!r}")


@cache
def _choices(kind: type) -> dict[str, tuple]:
    found = {}
    for name, hint in get_type_hints(kind).items():
        parts = (hint, *get_args(hint))
        literals = [choice for part in parts if get_origin(part) is Literal for choice in get_args(part)]
        if literals:
            found[name] = (*literals, *([None] if NoneType in parts else []))
    return found


def check_shares(options: object, *names: str) -> None:
    """Check that these are shares from 0 to below 1.

    Raises:
        ValueError: one is not.
    """
    for name in names:
        if not 0 <= getattr(options, name) < 1:
            raise ValueError(f"{name} is a share from 0 to below 1, not {getattr(options, name)}")
