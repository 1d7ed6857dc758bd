"""Speech recognition: a folder of recordings with their texts in, a model file out.

    python -m recipes.asr --data DIR --out exp/asr

AN4 (official 948/130 split, greedy, no language model): see the results table in the README.
"""

from __future__ import annotations

import platform
import sys
import unicodedata
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import tyro
from tqdm import tqdm
from tyro.conf import OmitArgPrefixes

from decoders.alphabet import Alphabet, Normalisation
from decoders.ctc import frames_needed
from pipelines.errors import DataError, TriscribeError
from pipelines.media.audio import open_audio, read_audio
from pipelines.model import SequenceModel, load
from pipelines.speech import transcribe
from recipes.augment import SpeechAugmentation
from recipes.cache import FeatureCache
from recipes.datasets import Item, Rejected, find_data, hold_out, read_speech, with_durations
from recipes.evaluation import Evaluation, Scored, evaluate
from recipes.evaluation_page import write_page
from recipes.report import describe
from recipes.speech_task import SpeechTask, Utterance, to_decibel
from recipes.training import TrainingOptions, train

LONGEST = 60.0  # seconds of one training item


@dataclass(frozen=True)
class ModelOptions:
    """Sizes of a new model; ignored with --load."""

    hidden_size: int = 224
    """Memory cells of each layer and direction."""
    num_layers: int = 3
    """Layers of the core."""
    cell: Literal["lstm", "gru"] = "lstm"
    """Kind of cell."""
    bidirectional: bool = True
    """Read each utterance both ways; a model that reads one way can stream."""
    bptt_window: int | None = None
    """Frames of truncated back-propagation through time, for one-directional cores."""
    dropout: float = 0.35
    """Between layers and before the output."""
    sample_rate: int = 16000
    """Hz that the model reads."""
    n_mels: int = 80
    """Mel bands."""
    dynamic_range: float = 60.0
    """dB below an utterance's peak at which everything is silence."""
    channels: int = 32
    """Of each convolution."""
    input_size: int = 256
    """Features that the core reads."""

    def __post_init__(self):
        for name in ("hidden_size", "num_layers", "sample_rate", "n_mels", "channels", "input_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is a share from 0 to below 1, not {self.dropout}")
        if self.dynamic_range <= 0:
            raise ValueError(f"dynamic_range must be above 0 dB, not {self.dynamic_range}")
        if self.bptt_window is not None and (self.bidirectional or self.bptt_window < 1):
            raise ValueError("bptt_window needs --no-bidirectional and at least 1 frame")


@dataclass(frozen=True)
class AsrOptions:
    """Train a speech recogniser on your own folder."""

    data: Path | None = None
    """Folder of recordings and texts (Sphinx, audio + .txt, LJSpeech, Common Voice, Kaldi, JSONL,
    LibriSpeech: found out by itself). Without it: AN4 from $TRISCRIBE_DATA, the cache, or its home."""
    out: Path = Path("exp/asr")
    """Folder for the model, checkpoint, log and report."""
    layout: str | None = None
    """Force a layout instead of finding it out."""
    name: str = "model"
    """Name of the model file."""
    licence: str = "not stated"
    """Licence of the data, kept in the model file."""
    load: str | None = None
    """Fine-tune this model: a file or a bundled name."""
    alphabet: Literal["fail", "union", "new"] = "fail"
    """When the data's characters differ from those of --load: fail says which; union adds the new
    ones; new keeps only the data's."""
    case: Literal["keep", "upper", "lower"] = "keep"
    """Case of the texts."""
    form: Literal["NFC", "NFD", "NFKC", "NFKD"] = "NFC"
    """Unicode normal form of the texts."""
    valid: float = 0.06
    """Share of the training items, by speaker, held out for validation where the data has none."""
    consistency: float = 0.2
    """Weight that draws two masked views of an utterance towards each other (CR-CTC); 0 turns it off."""
    model: ModelOptions = field(default_factory=ModelOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    augmentation: SpeechAugmentation = field(default_factory=SpeechAugmentation)

    def __post_init__(self):
        if not 0 < self.valid < 1:
            raise ValueError(f"valid is a share between 0 and 1, not {self.valid}")
        if self.consistency < 0:
            raise ValueError(f"consistency must be 0 or more, not {self.consistency}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The recipe as a command; returns its exit code."""
    options = tyro.cli(OmitArgPrefixes[AsrOptions], prog="triscribe train asr", args=arguments)
    try:
        run(options)
    except TriscribeError as error:
        print(f"triscribe: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130
    return 0


def run(options: AsrOptions) -> Evaluation:
    """Train, save `<out>/<name>.safetensors`, evaluate once, and write `<out>/report.html`.

    The evaluation is on the test split, or on the validation split where the data has no test.

    Raises:
        DataError: the data, or a checkpoint, does not fit.
        ModelError: `load` names no usable model.
    """
    torch.manual_seed(options.training.seed)
    base = load(options.load) if options.load else None
    normalisation = base.normalisation if base else Normalisation(options.form, options.case)
    splits, rejected, layout = read_splits(options, normalisation)
    model = build(options, base, normalisation, splits["train"] + splits["valid"])
    for name in ("train", "valid"):
        splits[name], unusable = usable(splits[name], model)
        rejected += unusable
    print(f"{options.data or 'AN4'}: {layout} layout\n")
    print(describe({name: items for name, items in splits.items() if items}, rejected))
    for name in ("train", "valid"):
        if not splits[name]:
            raise DataError(options.data or "AN4", f"no usable {name} items", "see the reasons above")
    task = speech_task(options, model, splits["train"], splits["valid"])
    print(f"{model.parameters_count:,} parameters\n")
    if base:
        task.evaluate()  # a model that reads well already need not be eased in
    history = train(task, options.training, options.out)
    model.cpu()
    model.name = options.name
    model.training_facts = facts(options, splits, history)
    path = options.out / f"{options.name}.safetensors"
    model.save(path)
    split = "test" if splits["test"] else "valid"
    found = evaluate(split, recognised(load(path), splits[split]))
    print(found.summary())
    model.metrics = {split: {"wer": str(found.wer), "cer": str(found.cer), "decoding": "greedy"}}
    model.metrics["valid"] = model.metrics.get("valid") or dict(_last_scores(history))
    model.save(path)
    shown = {**model.training_facts, "parameters": f"{model.parameters_count:,}"}
    shown["size"] = f"{path.stat().st_size / 1e6:.1f} MB"
    shown["items"] = ", ".join(f"{count} {name}" for name, count in shown["items"].items())
    shown.pop("options")
    report = write_page(options.out / "report.html", found, history, shown)
    print(f"\nmodel:  {path}\nreport: {report}")
    return found


def read_splits(options: AsrOptions, normalisation: Normalisation):
    """The data's items by split, those rejected, and the layout's name."""
    manifest = read_speech(find_data(options.data, "an4"), options.layout)
    kept, rejected = with_durations(manifest.items, max_seconds=LONGEST)
    kept, unreadable = readable(kept)
    rejected = [*manifest.rejected, *rejected, *unreadable]
    items = []
    for item in kept:
        text = normalisation(item.text)
        control = [symbol for symbol in text if unicodedata.category(symbol) in ("Cc", "Cs")]
        if control:
            rejected.append(Rejected(str(item.path), f"control character {control[0]!r} in its text"))
        elif text:
            items.append(replace(item, text=text))
        else:
            rejected.append(Rejected(str(item.path), "no text is left after normalisation"))
    splits = {name: [item for item in items if item.split == name] for name in ("train", "valid", "test")}
    splits["train"] += [item for item in items if item.split is None]
    if not splits["valid"]:
        if len(splits["train"]) < 2:
            reasons = "; ".join(f"{bad.path}: {bad.reason}" for bad in rejected[:3]) or "it has no others"
            cause = f"{len(splits['train'])} usable training items ({reasons})"
            raise DataError(manifest.root, cause, "give at least two")
        splits["train"], splits["valid"] = hold_out(splits["train"], options.valid, options.training.seed)
    return splits, rejected, manifest.layout


def readable(items: list[Item]) -> tuple[list[Item], list[Rejected]]:
    """Items whose recordings can be read to their ends: known before training, not in its midst."""
    faults = {}
    for path in tqdm({item.path: None for item in items}, "reading", leave=False, disable=None):
        try:
            deque(open_audio(path).blocks(), maxlen=0)
        except TriscribeError as error:
            faults[path] = error.cause
    rejected = [Rejected(str(item.path), faults[item.path]) for item in items if item.path in faults]
    return [item for item in items if item.path not in faults], rejected


def build(options: AsrOptions, base: SequenceModel | None, normalisation, items: list[Item]) -> SequenceModel:
    """A new model for the items' alphabet, or the loaded one with its alphabet fitted to theirs."""
    alphabet = Alphabet.of(item.text for item in items)
    if base:
        return fitted(base, alphabet, items, options.alphabet)
    sizes = options.model
    front_end = {
        "kind": "spectrogram",
        "sample_rate": sizes.sample_rate,
        "output_size": sizes.input_size,
        "n_mels": sizes.n_mels,
        "dynamic_range": sizes.dynamic_range,
        "channels": sizes.channels,
        "dropout": 0.1,
    }
    core = {
        "kind": "bilstm",
        "hidden_size": sizes.hidden_size,
        "num_layers": sizes.num_layers,
        "dropout": sizes.dropout,
        "cell": sizes.cell,
        "bidirectional": sizes.bidirectional,
        "bptt_window": sizes.bptt_window,
    }
    decoder = {"kind": "ctc", "dropout": sizes.dropout}
    return SequenceModel("speech", front_end, core, decoder, alphabet, normalisation, options.name)


def fitted(base: SequenceModel, alphabet: Alphabet, items: list[Item], rule: str) -> SequenceModel:
    """The base with an alphabet for new data; outputs of shared symbols keep their weights."""
    merge = base.alphabet.merge(alphabet)
    for symbol in merge.added:
        holders = [item for item in items if symbol in item.text]
        print(f"only in the data:  {symbol!r}  in {len(holders)} items, e.g. {holders[0].path}")
    if merge.unused:
        print(f"only in the model: {' '.join(map(repr, merge.unused))}")
    if not merge.added and rule != "new":
        return base
    if rule == "fail":
        raise DataError(
            items[0].path.parent,
            f"has characters that {base.name} cannot write: {' '.join(map(repr, merge.added))}",
            "add --alphabet union to teach them, or --alphabet new to keep only the data's characters",
        )
    chosen = merge.alphabet if rule == "union" else alphabet
    model = SequenceModel(base.task, **base.sizes, alphabet=chosen, normalisation=base.normalisation)
    weights = base.state_dict()
    for name in ("decoder.project.weight", "decoder.project.bias"):
        fresh = model.state_dict()[name].clone()
        fresh[0] = weights[name][0]
        for index, symbol in enumerate(chosen.symbols, start=1):
            if symbol in base.alphabet:
                fresh[index] = weights[name][base.alphabet.encode(symbol)[0]]
        weights[name] = fresh
    model.load_state_dict(weights)
    return model


def usable(items: list[Item], model: SequenceModel) -> tuple[list[Item], list[Rejected]]:
    """Items that CTC can write: letters the alphabet has, and enough frames for them."""
    kept, rejected = [], []
    for item in items:
        unknown = model.alphabet.unknown(item.text)
        samples = torch.tensor(round(item.duration * model.front_end.sample_rate))
        if unknown:
            reason = f"characters outside the alphabet: {' '.join(map(repr, unknown))}"
            rejected.append(Rejected(str(item.path), reason))
        elif frames_needed(model.alphabet.encode(item.text)) > model.front_end.output_lengths(samples):
            rejected.append(Rejected(str(item.path), "too short for its text"))
        else:
            kept.append(item)
    return kept, rejected


def speech_task(
    options: AsrOptions, model: SequenceModel, train: list[Item], valid: list[Item]
) -> SpeechTask:
    """The task with the features of all items in its cache."""
    log_mel = model.front_end.log_mel
    sources = [(str(item.path), item.start, item.end) for item in train + valid]
    items = dict(zip(sources, train + valid, strict=True))

    def compute(source: tuple):
        waveform = torch.from_numpy(sound(items[source], log_mel.sample_rate)).unsqueeze(0)
        power, _ = log_mel.power(waveform, torch.tensor([waveform.size(1)]))
        return to_decibel(power[0])

    settings = {"rate": log_mel.sample_rate, "window": log_mel.window, "hop": log_mel.hop}
    cache = FeatureCache(options.out / "cache", sources, settings, compute)
    utterances = [
        Utterance(index, model.alphabet.encode(item.text), item.group)
        for index, item in enumerate(train + valid)
    ]
    return SpeechTask(
        model,
        utterances[: len(train)],
        utterances[len(train) :],
        [item.text for item in valid],
        cache,
        options.augmentation,
        consistency=options.consistency,
        batch_size=options.training.batch_size,
        seed=options.training.seed,
    )


def sound(item: Item, sample_rate: int) -> np.ndarray:
    """The samples of an item, (samples,) float32."""
    samples = _recording(item.path, sample_rate)
    end = None if item.end is None else round(item.end * sample_rate)
    return samples[round((item.start or 0.0) * sample_rate) : end]


@lru_cache(maxsize=1)
def _recording(path: Path, sample_rate: int) -> np.ndarray:
    """Items are often parts of one long recording, one after the other: read it once."""
    return read_audio(path, sample_rate)


def recognised(model: SequenceModel, items: list[Item]) -> list[Scored]:
    """What `transcribe()` makes of the items."""
    rate = model.front_end.sample_rate
    results = transcribe((sound(item, rate) for item in items), model, rate, longest=LONGEST, errors="return")
    scored = []
    for item, result in zip(items, results, strict=True):
        hypothesis = "" if isinstance(result, TriscribeError) else model.normalisation(result.text)
        name = f"{item.group}/{item.path.stem}" if item.group else item.path.stem
        scored.append(Scored(name, item.text, hypothesis, item.path, item.start, item.end, item.duration))
    return scored


def facts(options: AsrOptions, splits: dict[str, list[Item]], history: list[dict]) -> dict:
    """Plain values about the training, for the model file and the report."""
    seconds = sum(item.duration for item in splits["train"])
    return {
        "data": "AN4" if options.data is None else Path(options.data).name,
        "licence": options.licence,
        "items": {name: len(items) for name, items in splits.items()},
        "hours": round(seconds / 3600, 2),
        "epochs": len(history),
        "minutes": round(sum(row["seconds"] for row in history) / 60, 1),
        "machine": f"{torch.get_num_threads()} threads, {platform.machine()}, torch {torch.__version__}",
        "base": options.load or "none",
        "options": {
            "training": asdict(options.training),
            "augmentation": asdict(options.augmentation),
            "consistency": options.consistency,
        },
    }


def _last_scores(history: list[dict]):
    for name, value in history[-1].items():
        if name.endswith(("wer", "cer")):
            yield name, f"{100 * value:.2f} %"


if __name__ == "__main__":
    sys.exit(main())
