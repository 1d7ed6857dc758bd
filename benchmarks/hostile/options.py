"""Model files, and files that are given as options: language models, words, layouts, presets, texts."""

from __future__ import annotations

import contextlib
import gzip
import io
from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmarks.hostile.damage import damaged_bytes, damaged_model, damaged_text
from benchmarks.hostile.media import whole_files
from benchmarks.hostile.subjects import ALTO, Subject

RATE = 16000  # Hz
TASKS = ("speech", "handwriting", "ink", "action", "captioning")
PRESET = b"""epochs = 20
[model]
hidden-size = 64
[augmentation]
noise_snr = [5.0, 35.0]
[training]
learning-rate = 0.01
resume = "auto"
"""
SRT = b"""1
00:00:00,000 --> 00:00:01,000
GO ONE

2
00:00:01,000 --> 00:00:02,000
<i>TWO</i>
"""


def model_subjects() -> list[Subject]:
    """One for each kind of model."""
    from pipelines.model_file import located
    from pipelines.tasks import TASKS as ROWS

    found = []
    for task in TASKS:
        if ROWS[task].default:
            content = located(ROWS[task].default).read_bytes()
            read = partial(_use_model, task)
            found.append(
                Subject(f"model: {task}", "m.safetensors", {"m.safetensors": content}, damaged_model, read)
            )
    return found


def _use_model(task: str, folder: Path) -> object:
    """Load it, and where that is possible read something with it."""
    from pipelines import caption, recognize, transcribe
    from pipelines.model import load

    model, files = load(folder / "m.safetensors"), whole_files()
    if task == "speech":
        return transcribe(_sound(), model, RATE)
    if task == "captioning":
        return caption(_picture(files["p.png"]), model)
    name, content = {"handwriting": ("p.png", b""), "ink": ("i.jsonl", b""), "action": ("v.mp4", b"")}[task]
    (folder / name).write_bytes(content or files[name])
    found = recognize(folder / name, model)
    return list(found) if task == "ink" else found


def option_subjects() -> list[Subject]:
    """One for each kind of file that an option takes."""
    words = b"GO\nONE\nTWO THREE\n"
    text = b"GO ONE TWO\nTHREE FOUR\nGO TWO\n" * 20
    arpa = _arpa()
    page = {"page.png": whole_files()["p.png"]}
    kinds = {
        "hotwords.txt": (words, damaged_text, partial(_read_speech, "hotwords"), {}),
        "lexicon.txt": (words * 5, damaged_text, partial(_read_speech, "lexicon"), {}),
        "text.txt": (text, damaged_text, partial(_read_speech, "language_model"), {}),
        "model.arpa": (arpa, damaged_text, partial(_read_speech, "language_model"), {}),
        "model.arpa.gz": (
            gzip.compress(arpa, mtime=0),
            damaged_bytes,
            partial(_read_speech, "language_model"),
            {},
        ),
        "layout.xml": (whole_files()["p.xml"], damaged_text, _read_page, page),
        "alto.xml": (ALTO, damaged_text, _read_page, page),
        "preset.toml": (PRESET, damaged_text, _read_preset, {}),
        "aligned.txt": (text[:90], damaged_text, _align, {}),
        "aligned.srt": (SRT, damaged_text, _align, {}),
        "texts.txt": (text, damaged_text, _read_texts, {}),
    }
    return [
        Subject(f"option: {name}", name, {name: content, **more}, damage, partial(read, name=name))
        for name, (content, damage, read, more) in kinds.items()
    ]


def _arpa() -> bytes:
    """Character bigrams."""
    letters = ["<space>", *"EGHNORTUW"]
    rows = [f"-1.0\t{letter}\t-0.3" for letter in ("<s>", "</s>", "<unk>", *letters)]
    pairs = [f"-0.5\t{one} {other}" for one in letters for other in letters if one != other]
    head = ["", "\\data\\", f"ngram 1={len(rows)}", f"ngram 2={len(pairs)}", ""]
    return "\n".join([*head, "\\1-grams:", *rows, "", "\\2-grams:", *pairs, "", "\\end\\", ""]).encode()


@cache
def _sound() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.05, RATE // 2).astype(np.float32)


def _picture(content: bytes):
    from PIL import Image

    return Image.open(io.BytesIO(content)).convert("RGB")


def _read_speech(option: str, folder: Path, name: str) -> object:
    from pipelines import transcribe

    return transcribe(_sound(), None, RATE, **{option: folder / name})


def _read_page(folder: Path, name: str) -> object:
    from pipelines import recognize

    return recognize(folder / "page.png", layout=folder / name)


def _read_preset(folder: Path, name: str) -> object:
    from recipes.asr.__main__ import main

    with contextlib.chdir(folder):
        code = main(["--preset", name, "--data", "nowhere", "--out", "out"])
    raise SystemExit(code)


def _align(folder: Path, name: str) -> object:
    from pipelines import align

    return align(_sound(), folder / name, None, RATE)


def _read_texts(folder: Path, name: str) -> object:
    from recipes.handwriting.__main__ import main

    with contextlib.chdir(folder):
        code = main(["--texts", name, "--data", "nowhere", "--out", "out"])
    raise SystemExit(code)
