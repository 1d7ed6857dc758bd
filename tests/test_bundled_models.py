"""Every bundled model reads the examples about as well as it did, and one with ruined weights does not."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines import align, annotate, caption, classify, generate, load, recognize, score, transcribe
from pipelines.media.audio import read_audio
from pipelines.model import SequenceModel
from pipelines.model_file import bundled
from recipes.scoring.error_rates import error_rate

EXAMPLES = Path(__file__).parents[1] / "examples"

# What each model reads: a folder, which of its files, and the error above which something is broken, of the
# characters of a text or of labels. It lies a little above today's error, in fp32 and bf16.
READ = {
    "speech-en": ("speech", "", 0.03),
    "speech-en-an4": ("speech", "", 0.02),
    "handwriting": ("handwriting", "", 0.02),
    "handwriting-fr": ("handwriting", "-fr", 0.03),
    "handwriting-en": ("handwriting", "-en", 0.15),
    "handwriting-en-small": ("handwriting", "-en", 0.2),
    "action-shapes": ("video", "", 0.0),
    "captioning-emoji": ("pictures", "", 0.02),
    "intents-en": ("text", "", 0.08),
    "ecg-waves": ("signals", "", 0.1),
}

WRITER = "shakespeare-en"
PASSAGE = (
    "My lord, the king hath sent me to thy house\n"
    "To bid thee come and speak with him tonight.\n"
)  # written for this project
LIMIT = 2.2  # bits a character of it


def said(path: Path, model: SequenceModel) -> str:
    """What a public function makes of an example."""
    if path.parent.name == "speech":
        return transcribe(path, model).text
    if path.parent.name == "signals":
        return annotate(path, model).text
    if path.parent.name == "text":
        return " ".join(text.label for text in classify(path, model).texts)
    if path.parent.name == "pictures":
        return caption(path, model).text
    found = recognize(path, model)
    return found.top[0][0] if path.parent.name == "video" else found.text


def examples(name: str) -> list[tuple[Path, str]]:
    """Media with their true texts; those named hard- show what a model reads wrongly."""
    folder, ending, _ = READ[name]
    found = []
    for text in sorted((EXAMPLES / folder).glob(f"*{ending}.txt")):
        (media,) = (
            path for path in text.parent.glob(f"{text.stem}.*") if path.suffix not in (".txt", ".xml")
        )
        if not text.stem.startswith("hard-"):
            found.append((media, text.read_text("utf-8").strip()))
    return found


def error(name: str, model: SequenceModel) -> float:
    """Wrong characters, or labels, per true one, over all examples of a model."""
    paths, true = zip(*examples(name), strict=True)
    given = [
        [model.normalisation(text) for text in texts] for texts in (true, [said(p, model) for p in paths])
    ]
    return error_rate(*given, "word" if model.task in ("action", "text") else "character").value


def test_every_model_is_tested():
    assert {path.stem for path in bundled()} == {*READ, WRITER}
    assert all(len(examples(name)) >= 3 for name in READ)


@pytest.mark.learns
@pytest.mark.parametrize("name", READ)
def test_a_model_reads_its_examples(name):
    found = error(name, load(name))
    assert found <= READ[name][2]


@pytest.mark.parametrize("name", READ)
def test_a_ruined_model_does_not(name, tmp_path):
    model = load(name)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.core.parameters():
            shuffled = torch.randperm(weight.numel(), generator=generator)
            weight.copy_(weight.flatten()[shuffled].view_as(weight))
    found = error(name, load(model.save(tmp_path / f"{name}.safetensors")))
    assert found > READ[name][2] + 0.5


@pytest.mark.parametrize("name", ["rubout.m4a", "enter.wav", "digits.wav", "postcode.flac"])
def test_speech_that_is_cut_tightly_reads_as_the_whole_with_its_times(name):
    model = load("speech-en-an4")
    samples = read_audio(EXAMPLES / "speech" / name, 16000)
    loud = (np.abs(samples) > 0.03 * np.abs(samples).max()).nonzero()[0]
    start, end = loud[0], loud[-1] + 1
    tight = samples[start:end]
    expected = transcribe(samples, model, 16000)
    for offset in (0.0, 0.1):
        found = transcribe(tight + np.float32(offset), model, 16000)
        assert found.text == expected.text
        for one, other in zip(found.words, expected.words, strict=True):
            assert 0 <= one.start < one.end <= found.duration
            assert one.start == pytest.approx(max(0.0, other.start - start / 16000), abs=0.1)
    placed = align(tight, expected.text, model, 16000)
    assert all(segment.found for segment in placed.segments)
    assert all(0 <= word.start < word.end <= placed.duration for word in placed.words)


def test_the_writer_knows_the_language():
    model = load(WRITER)
    bits = score(PASSAGE, model).bits_per_character
    assert bits < LIMIT
    letters = list(PASSAGE)
    random.Random(1).shuffle(letters)
    assert score("".join(letters), model).bits_per_character > 2 * bits


def test_what_it_writes_has_the_shape_of_a_text():
    written = generate("It was", length=400, seed=3)
    text = str(written)
    assert text.startswith("It was") and len(text) == 406 and written.model == WRITER
    assert str(generate("It was", length=400, seed=3)) == text != str(generate("It was", length=400, seed=4))
    words = text.split()
    assert 40 < len(words) < 130  # English has a space in five or six characters
    assert sum(word.strip(".,;:!?\"'").isalpha() for word in words) > 0.8 * len(words)
    assert len(set(words)) > 30 and {"the", "and", "of", "to", "a", "he", "was"} & set(words)


@torch.no_grad()
def test_a_ruined_writer_is_surprised():
    model = load(WRITER)
    for weight in model.core.parameters():
        weight.normal_(std=0.5)
    assert score(PASSAGE, model).bits_per_character > LIMIT
