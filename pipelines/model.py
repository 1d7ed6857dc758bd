"""SequenceModel = front end + core + decoder, and the one safetensors file that holds it."""

from __future__ import annotations

import inspect
import json
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from types import UnionType
from typing import ClassVar, get_args, get_origin

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from decoders.alphabet import Alphabet, Normalisation, mirrored
from decoders.attention import Attention
from decoders.classifier import Classifier, Timeline
from decoders.crf import CRF
from decoders.ctc import CTC
from decoders.hybrid import Hybrid
from decoders.language.profile import Language
from decoders.next_symbol import NextSymbol
from decoders.quantiles import Quantiles
from decoders.vocabulary import Classes, Subwords, Words, from_plain, to_plain
from encoders.bilstm import BiLSTM
from pipelines.errors import ModelError
from pipelines.model_file import HEADER, LANGUAGE, TRAIN_AGAIN, located, opened, read_header
from pipelines.tasks import TASKS, front_ends, models, resolve

CORES = {"bilstm": BiLSTM}
DECODERS = {
    "ctc": CTC,
    "attention": Attention,
    "hybrid": Hybrid,
    "classifier": Classifier,
    "timeline": Timeline,
    "crf": CRF,
    "quantiles": Quantiles,
    "next_symbol": NextSymbol,
}

_FORMATS = {8: 2, 16: 1, 32: 1}  # the first that has weights of so many bits
_LARGEST = {
    "num_layers": 64,
    "dropout": 1,
    "sample_rate": 200_000,
    "rate": 1000,
    "window": 3600,
    "side": 4096,
    "height": 4096,
    "motion": 64,
    "lags": 10_000,
}  # numbers in a header; no honest model comes near
_LARGEST_SIZE = 1_000_000  # of any other
_SMALLEST = {"hop": 0.0005, "low": -1_000_000, "high": -1_000_000, "starts": -1_000_000}
_MOST_NAMES = 1000  # of channels
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
LEAST = "min_confidence", "min_clear"  # in the header
_SCALE = ".scale"  # of the rows of a weight of 8 bits


class SequenceModel(nn.Module):
    """A front end, the shared core and a decoder, with all that is needed to use them.

    Args:
        task: one of those in `pipelines.tasks`.
        front_end, core, decoder: constructor sizes, each with its `kind` (see `pipelines.tasks`,
            `CORES`, `DECODERS`); the sizes that follow from the neighbour are filled in.
        alphabet: symbols the decoder writes: characters, words, pieces of words, or names of classes.
        normalisation: of text before it is encoded or compared.
        name: shown in results.
        training: plain values: data, licence, options, minutes, ...
        metrics: plain values: split -> metric -> value.
        vocabulary: symbols that the front end reads, where its input is text.

    Attributes:
        min_confidence: of a segment, below which what is read is no speech (tasks that listen); 0 after
            construction.
        min_clear: share of its characters that are read clearly, likewise.
        language: a language model of the texts that it was trained on, if it carries one (see
            `decoders/language/profile.py`); None after construction.
    """

    front_ends: ClassVar[Mapping[str, type | str]] = {}
    """Kinds of front ends; none for those that the table of tasks names."""
    cores: ClassVar[Mapping[str, type]] = CORES
    decoders: ClassVar[Mapping[str, type]] = DECODERS

    def __init__(
        self,
        task: str,
        front_end: dict,
        core: dict,
        decoder: dict,
        alphabet: Alphabet | Words | Subwords | Classes,
        normalisation: Normalisation | None = None,
        name: str = "untitled",
        training: dict | None = None,
        metrics: dict | None = None,
        *,
        vocabulary: Alphabet | Words | Subwords | None = None,
    ):
        super().__init__()
        if task not in models():
            raise ValueError(f"task must be one of {tuple(models())}, not {task!r}")
        self.task = task
        self.alphabet, self.vocabulary = alphabet, vocabulary
        self.normalisation = normalisation or Normalisation()
        self.name = name
        self.training_facts = training or {}
        self.metrics = metrics or {}
        self.language: Language | None = None
        self.min_confidence = self.min_clear = 0.0
        self.sizes = {"front_end": front_end, "core": core, "decoder": decoder}
        read = {} if vocabulary is None else {"num_symbols": len(vocabulary)}
        self.front_end = _built("front_end", self.front_ends or front_ends(), front_end, **read)
        self.core = _built("core", self.cores, core, input_size=self.front_end.output_size)
        self.decoder = _built(
            "decoder", self.decoders, decoder, input_size=self.core.output_size, num_labels=len(alphabet)
        )

    def states(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Media tensors -> (batch, frames, features) states of the core, and the frames of each."""
        return self.core(*self.front_end(x, lengths))

    def forward(self, x: Tensor, lengths: Tensor, *targets: list[list[int]]) -> tuple[Tensor, Tensor]:
        """Media tensors -> what the decoder's own `forward` gives: for CTC, log-probabilities of labels.

        An attention decoder, which writes one label after the other, is given the targets too.
        """
        return self.decoder(*self.states(x, lengths), *targets)

    def encode(self, text: str) -> list[int]:
        """Label ids of a text, in the order in which the front end meets its symbols."""
        return self.alphabet.encode("".join(text[place] for place in self.order(text)))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of label ids that were met in this order, blanks left out."""
        met = self.alphabet.decode(ids)
        return "".join(met[place] for place in self.order(met))

    def order(self, text: str) -> list[int]:
        """Where the symbols of a text are met, and of what is met, where they are in the text."""
        return mirrored(text) if getattr(self.front_end, "right_to_left", False) else list(range(len(text)))

    @property
    def parameters_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())

    def save(self, path: str | Path, bits: int = 16) -> Path:
        """Write weights and header to one file, atomically.

        Args:
            path: ending in .safetensors.
            bits: of each weight. 16: floats, half the size of 32, and no measured loss. 8: each row of a
                matrix as whole numbers times a scale, half the size again; what it costs is worth measuring.

        Raises:
            ModelError: weights that are not finite in so many bits.
            ValueError: other bits.
        """
        if bits not in _FORMATS:
            raise ValueError(f"bits must be one of {sorted(_FORMATS)}, not {bits}")
        from safetensors.torch import save

        from pipelines import __version__
        from pipelines.writers import write_atomically

        header = {
            "format": _FORMATS[bits],
            "version": __version__,
            "task": self.task,
            **self.sizes,
            "alphabet": to_plain(self.alphabet),
            "normalisation": asdict(self.normalisation),
            "training": self.training_facts,
            "metrics": self.metrics,
        }
        if self.vocabulary is not None:
            header["vocabulary"] = to_plain(self.vocabulary)
        header |= {name: getattr(self, name) for name in LEAST if getattr(self, name)}
        # Flattened LSTM weights share one storage, which safetensors refuses: clone them.
        kind = torch.float32 if bits == 32 else torch.float16
        exact = {f"front_end.{name}" for name in getattr(self.front_end, "exact", ())}
        tensors = {
            name: t.detach().cpu().to(torch.float32 if name in exact else kind).clone()
            for name, t in self.state_dict().items()
        }
        path = Path(path)
        if not all(tensor.isfinite().all() for tensor in tensors.values()):
            cause = f"not written: its weights are not finite as {kind}"
            raise ModelError(path, cause, "save with bits=32, or train with a lower learning rate")
        if bits == 8:
            tensors = _rounded(self.state_dict(), tensors)
        if self.language:
            header[LANGUAGE], tensors[LANGUAGE] = self.language.to_file()
        with write_atomically(path, "wb") as file:
            file.write(save(tensors, {HEADER: json.dumps(header, ensure_ascii=False)}))
        return path


def load(path_or_name: str | Path) -> SequenceModel:
    """Read a model, ready for inference on the CPU.

    Args:
        path_or_name: a .safetensors file, or the name of a bundled model.

    Raises:
        ModelError: when it is missing, damaged, hostile, or not a triscribe model. Loading
            never unpickles and never runs code from the file.
    """
    path = located(path_or_name)
    header, tensors = read_header(path), _tensors(path)
    try:
        with (
            torch.device("meta"),
            _Uninitialised(),
        ):  # nothing is allocated for sizes that a header only claims
            model = _class_of(header["task"])(
                header["task"],
                header["front_end"],
                header["core"],
                header["decoder"],
                from_plain(header["alphabet"]),
                Normalisation(**header["normalisation"]),
                path.stem,
                header["training"],
                header["metrics"],
                vocabulary=from_plain(header["vocabulary"]) if "vocabulary" in header else None,
            )
        _check_fit(model)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(path, f"its header cannot be used: {error}", TRAIN_AGAIN) from error
    for name in LEAST:
        least = header.get(name, 0.0)
        if isinstance(least, bool) or not isinstance(least, int | float) or not 0 <= least <= 1:
            raise ModelError(path, f"header field {name!r}: expected a number from 0 to 1", TRAIN_AGAIN)
        setattr(model, name, float(least))
    if LANGUAGE in header:
        try:
            counted = tensors.pop(LANGUAGE, None)
            model.language = Language.from_file(header[LANGUAGE], counted, model.alphabet)
        except (LookupError, TypeError, ValueError) as error:
            raise ModelError(path, f"its language model cannot be used: {error}", TRAIN_AGAIN) from error
    tensors = _restored(tensors)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    for name in sorted(expected.keys() | tensors.keys()):
        shape = tuple(tensors[name].shape) if name in tensors else "missing"
        if shape != expected.get(name, "no such weight"):
            wanted = expected.get(name, "no such weight")
            raise ModelError(path, f"weight {name!r}: expected {wanted}, found {shape}", TRAIN_AGAIN)
        if tensors[name].dtype not in _FLOATS or not tensors[name].float().isfinite().all():
            raise ModelError(path, f"weight {name!r} is not all finite floats", TRAIN_AGAIN)
    model.load_state_dict({name: t.float() for name, t in tensors.items()}, assign=True)
    return model.eval()


@cache
def default(task: str) -> SequenceModel:
    """The bundled model of a task, loaded once."""
    return load(TASKS[task].default)


def _class_of(task: str) -> type[SequenceModel]:
    row = models().get(task)
    return resolve(row.model) if row else SequenceModel


class _Uninitialised(TorchFunctionMode):
    """Within it, weights are not drawn at random: those of a file replace them.

    Besides, the first normal distribution on the meta device has torch import its compiler, which takes as
    long as to import torch.
    """

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in (Tensor.normal_, nn.init.normal_):
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return function(*args, **kwargs)


def _tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, by name."""
    from safetensors import safe_open

    with opened(path), safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _rounded(weights: dict[str, Tensor], tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with matrices as 8-bit numbers, and beside each what its rows are to be multiplied by."""
    tensors = dict(tensors)
    for name, weight in weights.items():
        if weight.dim() > 1:
            rows = weight.detach().cpu().float().flatten(1)
            scale = rows.abs().amax(1) / 127
            whole = (rows / scale.clamp(min=torch.finfo(torch.float32).tiny)[:, None]).round()
            tensors[name], tensors[name + _SCALE] = whole.to(torch.int8).view_as(weight), scale
    return tensors


def _restored(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors with those of 8 bits as floats; whatever does not fit together is left as it is."""
    restored = dict(tensors)
    for name, weight in tensors.items():
        scale = tensors.get(name + _SCALE)
        if weight.dtype != torch.int8 or weight.dim() < 2 or scale is None:
            continue
        if scale.shape == weight.shape[:1] and scale.dtype in _FLOATS:
            del restored[name + _SCALE]
            restored[name] = weight * scale.float().view(-1, *[1] * (weight.dim() - 1))
    return restored


def _built(part: str, kinds: dict[str, type | str], sizes: dict, **given: int) -> nn.Module:
    sizes = dict(sizes)
    kind = sizes.pop("kind", None)
    if kind not in kinds:
        raise ValueError(f"{part}: kind must be one of {sorted(kinds)}, not {kind!r}")
    built = resolve(kinds[kind]) if isinstance(kinds[kind], str) else kinds[kind]
    parameters = inspect.signature(built, eval_str=True).parameters
    if given.keys() - parameters.keys():
        raise ValueError(f"{part}: {kind} reads no text, for which there is a vocabulary")
    known = parameters.keys() - given.keys()
    for name, value in sizes.items():
        if name not in known:
            raise ValueError(f"{part}: {kind} has no {name!r}; it takes {sorted(known)}")
        hint = parameters[name].annotation
        if not _fits(value, hint):
            wanted = getattr(hint, "__name__", hint)
            raise ValueError(f"{part}.{name} must be {wanted}, not {reprlib.repr(value)}")
        _check_size(f"{part}.{name}", value)
    return built(**sizes, **given)


def _check_fit(model: SequenceModel) -> None:
    """Raise ValueError where the parts of a model are not those of its task."""
    row = models()[model.task]
    kind, decoder = model.sizes["front_end"]["kind"], model.sizes["decoder"]["kind"]
    if kind != row.front_end:
        raise ValueError(f"the task {row.name} needs the front end {row.front_end}, not {kind}")
    if not any(getattr(model.decoder, ability) for ability in row.decoder):
        raise ValueError(f"the task {row.name} cannot be done by a decoder of the kind {decoder}")
    if model.decoder.predicts and model.core.bidirectional:
        raise ValueError(f"the task {row.name} needs a core that reads in one direction only")
    if isinstance(model.alphabet, Classes) != row.classes:
        wanted = "names of classes" if row.classes else "the symbols of texts"
        raise ValueError(f"the task {row.name} needs {wanted} as its alphabet")
    if row.classes and getattr(getattr(model.front_end, "network", None), "grid", False):
        raise ValueError(f"the task {row.name} needs a front end for frames in time, not for one picture")


def _fits(value: object, hint: object) -> bool:
    """Whether a value is what a constructor's annotation says; JSON's lists pass for tuples."""
    if isinstance(hint, UnionType):
        return any(_fits(value, each) for each in get_args(hint))
    if get_origin(hint) is tuple:
        hints = get_args(hint)
        if not isinstance(value, (list, tuple)):
            return False
        if hints[-1] is ...:
            hints = hints[:1] * len(value)
        return len(value) == len(hints) and all(map(_fits, value, hints))
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def _check_size(name: str, value: object) -> None:
    if isinstance(value, (list, tuple)):
        if len(value) > (_MOST_NAMES if name.endswith(".names") else 64):
            raise ValueError(f"{name} has {len(value)} entries")
        for entry in value:
            _check_size(name, entry)
    elif isinstance(value, (int, float)):
        largest = _LARGEST.get(name.rpartition(".")[2], _LARGEST_SIZE)
        smallest = _SMALLEST.get(name.rpartition(".")[2], 0)
        if not smallest <= value <= largest:
            raise ValueError(f"{name} must be between {smallest} and {largest}, not {value}")
