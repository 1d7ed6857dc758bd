"""A loaded model in the sizes that are wanted: it grows, shrinks, or says why it cannot."""

import pytest
import torch

from pipelines import load
from pipelines.errors import DataError
from recipes.action.options import ModelOptions as Clips
from recipes.asr.options import ModelOptions as Speech
from recipes.handwriting.options import ModelOptions as Lines
from recipes.learning.options import WritingOptions
from recipes.learning.resizing import changes, redecoded, resized


def test_sizes_that_are_not_given_or_the_same_change_nothing():
    base = load("handwriting-en")
    assert resized(base, Lines()) is base
    same = Lines(hidden_size=192, height=96, fold=2, residuals=(0, 0, 1, 2, 2), cell="lstm")
    assert resized(base, same) is base and not changes(base, same)
    assert not changes(load("action-shapes"), Clips(network="small", lags=(1, 3), decoder="classifier"))


def test_one_name_grows_and_shrinks():
    base = load("handwriting-en")
    small, large = (32, 64, 80, 100, 128), (40, 64, 96, 128, 130)
    assert resized(base, Lines(channels=small)).sizes["front_end"]["channels"] == list(small)
    assert resized(base, Lines(channels=large)).sizes["front_end"]["channels"] == list(large)
    both = resized(base, Lines(channels=(40, 64, 80, 128, 128), hidden_size=96, dropout=0.1))
    assert both.sizes["front_end"]["channels"] == [40, 64, 80, 128, 128]
    assert (both.core.hidden_size, both.core.dropout) == (96, 0.1)
    finer = resized(base, Lines(height=192))
    assert (finer.front_end.height, finer.front_end.fold) == (192, 4)


@pytest.mark.parametrize("more", [-24, 24])
def test_the_core_of_any_model_with_ctc_changes_its_size(more):
    base = load("speech-en-an4")
    model = resized(base, Speech(hidden_size=base.core.hidden_size + more)).eval()
    assert model.core.hidden_size == base.core.hidden_size + more
    waves, lengths = torch.randn(1, 8000), torch.tensor([8000])
    if more > 0:
        for before, after in zip(base(waves, lengths), model(waves, lengths), strict=True):
            torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("model", "options", "told"),
    [
        (
            "speech-en-an4",
            Speech(n_mels=40),
            "--n-mels: cannot be 40 .* which has 80; leave it out",
        ),
        ("speech-en-an4", Speech(num_layers=4), "--num-layers: cannot be 4"),
        ("handwriting-en", Lines(upright=False), "--upright: cannot be False"),
        ("handwriting-en", Lines(residuals=(0, 0, 1, 1, 2)), "residuals .* not at least"),
        (
            "handwriting-en",
            Lines(height=100, fold=2),
            "height 100 is not a multiple|--fold",
        ),
        ("handwriting-en", Lines(fold=1), "--fold: 1 does not go with the height"),
    ],
)
def test_what_cannot_change_is_named_with_what_the_model_has(model, options, told):
    with pytest.raises(DataError, match=told):
        resized(load(model), options)


def test_a_decoder_that_is_there_already_stays_taught():
    base = load("speech-en-an4")
    assert redecoded(base, WritingOptions()) is base
    assert redecoded(base, WritingOptions(decoder="ctc", decoder_size=64)) is base
    hybrid = redecoded(base, WritingOptions(decoder="hybrid", decoder_size=16)).eval()
    assert hybrid.sizes["decoder"]["hidden_size"] == 16
    assert redecoded(hybrid, WritingOptions(decoder="hybrid", decoder_size=16)) is hybrid
    weighed = redecoded(hybrid, WritingOptions(ctc_weight=0.5))
    assert weighed.sizes["decoder"]["ctc_weight"] == 0.5
    assert all(
        torch.equal(weight, weighed.state_dict()[name]) for name, weight in hybrid.state_dict().items()
    )
    larger = redecoded(hybrid, WritingOptions(decoder_size=24))
    assert larger.sizes["decoder"]["kind"] == "hybrid" and larger.sizes["decoder"]["hidden_size"] == 24
    alone = redecoded(hybrid, WritingOptions(decoder="attention"))
    assert alone.sizes["decoder"] == {
        "kind": "attention",
        "hidden_size": 16,
        "location_filters": 10,
        "dropout": base.core.dropout,
    }
