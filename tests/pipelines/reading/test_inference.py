"""pipelines.reading.inference: what is computed with a caller's model leaves the model as it was."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from decoders.alphabet import Alphabet
from encoders.pen import NAMES
from pipelines import align, caption, load, recognize, transcribe
from pipelines.errors import MediaError
from pipelines.model import SequenceModel
from pipelines.reading.inference import for_inference
from tests.data.colour_watcher import colours
from tests.data.media import tone
from tests.data.pictures import bars

SOUND = tone(1.0)
PICTURE = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
STROKES = [[(0, 0), (4, 9), (8, 0)], [(2, 4), (6, 4)]]

CALLS = {
    "transcribe": ("speech-en-an4", lambda model: transcribe(SOUND, model, 16000, strict=False)),
    "alternatives": ("speech-en-an4", lambda model: transcribe(SOUND, model, 16000, alternatives=2)),
    "align": ("speech-en-an4", lambda model: align(SOUND, "A B", model, 16000, strict=False)),
    "recognize a line": ("handwriting-fr", lambda model: recognize(bars("ab ba"), model)),
    "recognize ink": (None, lambda model: recognize(STROKES, model)),
    "recognize a video": ("action-shapes", lambda model: recognize(colours(("red", 20)), model)),
    "caption": ("captioning-emoji", lambda model: caption(PICTURE, model)),
    "caption a video": ("captioning-emoji", lambda model: caption(colours(("red", 30)), model)),
}

HEARD = {"sample_rate": 16000, "min_confidence": 0}  # text is wanted, though nobody speaks


def model_of(name):
    if name:
        return load(name)
    torch.manual_seed(0)
    sizes = {"kind": "strokes"}, {"kind": "bilstm", "hidden_size": 6, "dropout": 0.5}, {"kind": "ctc"}
    return SequenceModel("ink", *sizes, Alphabet(" ab"))


def assert_same(found, expected):
    """But for the last bits, which depend on what else is in a batch."""
    assert found.text == expected.text and found.text
    confidences = [[word.confidence for word in each.words] for each in (found, expected)]
    assert confidences[0] == pytest.approx(confidences[1], abs=1e-5)


def condition(model):
    """All that a call might change."""
    return (
        [(id(module), module.training) for module in model.modules()],
        [(id(weight), weight.data_ptr(), weight._version, weight.device, weight.requires_grad, weight.grad)
         for weight in model.parameters()],
        [(id(weight), weight.data_ptr(), weight.device) for weight in model.buffers()],
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
    )  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_leaves_the_model_as_it_was(name):
    file, call = CALLS[name]
    model = model_of(file).eval()
    expected = call(model)
    model.train()
    model.core.eval()  # each part has its own mode
    for place, weight in enumerate(model.parameters()):
        weight.requires_grad_(place % 2 == 0)
    before = condition(model)
    assert call(model) == expected, "training mode changes nothing"
    assert condition(model) == before
    call_in = {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode}
    for mode in call_in.values():
        with mode():
            inside = condition(model)
            assert call(model) == expected
            assert condition(model) == inside


def test_generators_that_are_abandoned_or_fail(tmp_path):
    model = load("speech-en-an4").train()
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF")
    before = condition(model)
    sounds = transcribe([SOUND] * 5, model, **HEARD)
    first = next(sounds)
    assert condition(model) == before, "in the middle of it"
    del sounds
    gc.collect()
    assert condition(model) == before
    many = transcribe([SOUND, bad], model, **HEARD)
    assert_same(next(many), first)
    with pytest.raises(MediaError):
        next(many)
    assert condition(model) == before


def test_what_the_caller_does_meanwhile_stays_done():
    """Its mode and threads are the caller's own, also while results are being given out."""
    threads = torch.get_num_threads()
    model = load("speech-en-an4")
    expected = transcribe(SOUND, model, **HEARD)
    try:
        results = transcribe([SOUND] * 3, model, **HEARD)
        assert_same(next(results), expected)
        model.train()
        torch.set_num_threads(threads + 1)
        rest = list(results)
        assert len(rest) == 2
        for found in rest:
            assert_same(found, expected)
        assert model.training and torch.get_num_threads() == threads + 1
    finally:
        torch.set_num_threads(threads)


def test_two_threads_share_a_model():
    model = model_of(None).train()
    alone = recognize(STROKES, model)
    before = condition(model)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: recognize(STROKES, model), range(12)))
    assert found == [alone] * 12 and condition(model) == before


@pytest.mark.parametrize("name", CALLS)
def test_a_deleted_model_is_gone(name):
    file, call = CALLS[name]
    model = model_of(file)
    call(model)
    ghosts = [weakref.ref(model), *(weakref.ref(weight) for weight in model.parameters())]
    del model
    gc.collect()
    assert not any(ghost() is not None for ghost in ghosts)


def test_on_its_own_device_the_weights_are_shared_and_changes_seen():
    model = model_of(None).train()
    twin = for_inference(model, "cpu")
    assert type(twin) is type(model) and not any(module.training for module in twin.modules())
    assert [*map(id, twin.parameters())] == [*map(id, model.parameters())]
    assert twin.state_dict().keys() == model.state_dict().keys()
    x, lengths = torch.randn(2, 30, len(NAMES)), torch.tensor([30, 20])
    with torch.no_grad():
        for change in (0.0, 0.5):
            model.core.ahead[0].weight_hh_l0 += change
            states, _ = model.eval().states(x, lengths)
            same, _ = twin.states(x, lengths)
            torch.testing.assert_close(same, states, rtol=0, atol=0)


def test_on_another_device_it_has_copies_that_are_kept():
    """The device named meta computes nothing, and is everywhere."""
    model = model_of(None).train()
    before = condition(model)
    there, again = for_inference(model, "meta"), for_inference(model, "meta")
    assert {weight.device.type for weight in there.state_dict().values()} == {"meta"}
    assert not any(module.training for module in there.modules())
    assert [*map(id, there.parameters())] == [*map(id, again.parameters())], "copied once"
    assert condition(model) == before
    with torch.no_grad():
        model.decoder.project.bias += 1.0
    changed = for_inference(model, "meta")
    assert [*map(id, there.parameters())] != [*map(id, changed.parameters())], "copied again"
    ghosts = weakref.ref(model), weakref.ref(changed.decoder.project.bias)
    del model, there, again, changed
    gc.collect()
    assert [ghost() for ghost in ghosts] == [None, None]
