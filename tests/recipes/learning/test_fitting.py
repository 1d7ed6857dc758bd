"""recipes.learning.fitting: a model goes on reading as it did when it is given new symbols."""

from pathlib import Path

import pytest
import torch

from decoders.alphabet import Alphabet
from decoders.contract import Search
from decoders.vocabulary import Classes
from pipelines import load
from recipes.data.manifest import Item
from recipes.learning.fitting import fitted, reclassed


@pytest.mark.parametrize("seed", range(4))
def test_symbols_like_no_other_are_not_read_before_they_are_learnt(seed):
    base = load("handwriting-en-small")
    torch.manual_seed(seed)
    model = fitted(base, Alphabet("abΩЖ木"), [Item(Path("x.png"), "abΩЖ木")], "union")
    assert {"Ω", "Ж", "木"} == set(model.alphabet.symbols) - set(base.alphabet.symbols)
    states = torch.randn(8, 60, base.core.output_size).tanh() * 0.7
    lengths = torch.full((8,), 60)
    with torch.inference_mode():
        before, after = (each.eval().decoder.frame_log_probs(states, lengths) for each in (base, model))
        read = [labels.ids for labels in model.decoder.read(states, lengths, Search())]
    new = slice(len(base.alphabet), None)
    assert not set(range(len(model.alphabet))[new]) & {label for labels in read for label in labels}
    assert (after[..., new].amax(dim=2) < before.amax(dim=2)).all()


def test_classes_that_a_model_has_keep_their_outputs():
    base = load("action-shapes")
    chosen = Classes(["jump", "rise", "bounce"])
    model = reclassed(base, chosen)
    assert model.alphabet == chosen and reclassed(base, base.alphabet) is base
    for name in ("decoder.project.weight", "decoder.project.bias"):
        old, new = base.state_dict()[name], model.state_dict()[name]
        for label in ("rise", "bounce"):
            (before,), (after,) = base.alphabet.encode(label), chosen.encode(label)
            assert new[after].equal(old[before])
    kept = next(name for name in base.state_dict() if name.startswith("core."))
    assert model.state_dict()[kept].equal(base.state_dict()[kept])
