"""Training and reading on a GPU, where there is one."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines import load, transcribe
from recipes.asr.options import AsrOptions, ModelOptions
from recipes.asr.recipe import Asr
from recipes.learning.options import TrainingOptions
from tests.data.media import write_audio

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")

RATE = 8000
EXAMPLE = Path(__file__).parents[1] / "examples/speech/digits.wav"


def test_a_recording_is_read_as_on_the_cpu():
    found = [transcribe(EXAMPLE, device=device).text for device in ("cpu", "cuda")]
    assert found[0] and found[0] == found[1]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_two_steps_of_training(tmp_path, precision):
    data = tmp_path / "data"
    data.mkdir()
    noise = np.random.default_rng(0)
    for number in range(12):
        write_audio(data / f"{number}.wav", noise.normal(0, 0.1, RATE).astype(np.float32), RATE)
        (data / f"{number}.txt").write_text("AB"[number % 2] * 3, encoding="utf-8")
    sizes = ModelOptions(
        hidden_size=32, num_layers=1, sample_rate=RATE, n_mels=24, channels=4, input_size=24, dropout=0.0
    )
    training = TrainingOptions(epochs=1, batch_size=5, precision=precision)
    Asr(AsrOptions((data,), tmp_path / "out", model=sizes, training=training)).run()
    model = load(tmp_path / "out" / "model.safetensors")
    assert all(weight.isfinite().all() for weight in model.parameters())
    assert json.dumps(model.training_facts)
