"""A model whose decoder cannot do what is asked of it is refused in one line."""

import numpy as np
import pytest

from decoders.alphabet import Alphabet
from decoders.vocabulary import Classes
from pipelines import align, caption, recognize
from pipelines.errors import ModelError
from pipelines.model import SequenceModel
from tests.data.colour_watcher import colours
from tests.data.media import tone

FRAMES = {"kind": "frames", "frozen": True, "output_size": 4}
CORE = {"kind": "bilstm", "hidden_size": 4, "num_layers": 1}
SPECTROGRAM = {"kind": "spectrogram", "output_size": 8, "channels": 1}


def model_of(task, front_end, decoder, alphabet):
    return SequenceModel(task, front_end, CORE, {"kind": decoder}, alphabet, name="wrong")


def test_captions_are_written_label_after_label():
    model = model_of("captioning", FRAMES, "ctc", Alphabet(" ab"))
    with pytest.raises(ModelError, match="wrong: does not write one label after the other"):
        caption(np.zeros((32, 32, 3), np.uint8), model)


def test_videos_are_watched_frame_by_frame():
    model = model_of("action", FRAMES, "attention", Classes(["run", "jump"]))
    with pytest.raises(ModelError, match="wrong: writes label after label"):
        recognize(colours(("red", 5)), model)


def test_texts_are_aligned_frame_by_frame():
    model = model_of("speech", SPECTROGRAM, "attention", Alphabet(" AB"))
    with pytest.raises(ModelError, match="wrong: writes label after label"):
        align(tone(0.5), "A", model, sample_rate=16000)
