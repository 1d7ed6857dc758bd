"""pipelines.reading.settings: options say what they were, and need no torch."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.reading.settings import (
    AlignmentOptions,
    CaptionOptions,
    RecognitionOptions,
    SearchOptions,
    SpeechOptions,
    VideoOptions,
)

ROOT = Path(__file__).parents[3]
EVERY = AlignmentOptions, CaptionOptions, RecognitionOptions, SearchOptions, SpeechOptions, VideoOptions


@pytest.mark.parametrize(
    "language_model,carries,signed",
    [
        ("auto", True, "m, language_model own"),
        ("auto", False, "m"),
        ("own", True, "m, language_model own"),
        ("none", True, "m"),
        (None, True, "m"),
    ],
)
def test_a_record_tells_which_language_model_was_used(language_model, carries, signed):
    assert SearchOptions(language_model=language_model).signed("m", carries) == signed


def test_a_record_tells_what_differs_from_the_default():
    options = SpeechOptions(hotwords="Kew", alternatives=2, width=3, batch_size=2)
    assert options.signed("m") == "m, hotwords Kew, alternatives 2"


@pytest.mark.parametrize("options", EVERY)
def test_a_device_must_be_one(options):
    assert options(device="cpu").device == "cpu"
    with pytest.raises(ValueError, match="device must be auto, cpu or cuda, not 'tpu'"):
        options(device="tpu")


@pytest.mark.parametrize("options", [CaptionOptions, RecognitionOptions, SpeechOptions])
def test_errors_are_raised_or_returned(options):
    assert options().errors == "raise"
    with pytest.raises(ValueError, match="errors must be"):
        options(errors="ignore")


def test_options_need_no_torch():
    code = (
        "import sys\n"
        "from pipelines.reading import settings\n"
        "settings.SpeechOptions(), settings.RecognitionOptions(), settings.CaptionOptions()\n"
        "print({'torch', 'librosa', 'numba', 'scipy', 'av', 'cv2'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "set()\n"
