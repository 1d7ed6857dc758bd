"""A recurrent language model in the search: its states follow the texts, alone or in a batch."""

import math

import numpy as np
import pytest
import torch

from decoders.language.fusion import Fusion
from decoders.language.kneser_ney import KneserNey
from decoders.language.ngrams import Mixture
from decoders.language.recurrent import Recurrent
from decoders.next_symbol import NextSymbol
from decoders.search.prefix_beam import PrefixBeam
from encoders.bilstm import BiLSTM
from encoders.tokens import Tokens

SPACE, LABELS = 1, 5
SYMBOLS = {1: 2, 2: 4, 3: 1}  # label 4 is none of the model's
BREAK = 3


def model_of(cell="lstm", edge=SPACE, layers=2):
    torch.manual_seed(1)
    core = BiLSTM(6, 8, layers, cell=cell, bidirectional=False).eval()
    decoder = NextSymbol(8, 6).eval()
    torch.nn.init.normal_(decoder.project.weight)
    return Recurrent(Tokens(6, 6).eval(), core, decoder, SYMBOLS, edge, BREAK, LABELS)


def expected(model, context):
    """The log-probabilities of the whole text read at once."""
    begun = model.edge is not None and context[:1] == (model.edge,)
    ids = [BREAK, *(SYMBOLS.get(label, 0) for label in context[begun:])]
    with torch.no_grad():
        states, _ = model.core(
            model.front_end(torch.tensor([ids]), torch.tensor([len(ids)]))[0], torch.tensor([len(ids)])
        )
        return model.decoder.next_log_probs(states)[0, -1].numpy()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_it_says_what_the_network_says_of_the_whole_text(cell):
    model = model_of(cell)
    for context in [(SPACE,), (SPACE, 2), (SPACE, 2, 3), (SPACE, 2, 3, 4, 1, 2), (SPACE, 3)]:
        said, found = expected(model, context), model.log_probs(context)
        assert found[2] == pytest.approx(said[4], abs=1e-5) and found[3] == pytest.approx(said[1], abs=1e-5)
        assert found[4] == pytest.approx(said[0], abs=1e-5)
        assert found[SPACE] == pytest.approx(np.logaddexp(said[2], said[BREAK]), abs=1e-5)


def test_together_as_alone_and_in_any_order():
    contexts = [(SPACE,), (SPACE, 2), (SPACE, 3), (SPACE, 2, 2), (SPACE, 3, 1), (SPACE, 2)]
    together, alone = model_of(), model_of()
    found = [*together.log_probs_of(contexts[:1]), *together.log_probs_of(contexts[1:])]
    for context, scores in reversed(list(zip(contexts, found, strict=True))):
        assert scores == pytest.approx(alone.log_probs(context), abs=1e-5)


def test_states_that_are_forgotten_are_computed_again(monkeypatch):
    monkeypatch.setattr("decoders.language.recurrent.KEPT", 2)
    model, whole = model_of(), model_of()
    for context in [(SPACE,), (SPACE, 2), (SPACE, 2, 3), (SPACE, 2), (SPACE, 3), (SPACE, 2, 3, 3)]:
        assert model.log_probs(context) == pytest.approx(whole.log_probs(context), abs=1e-5)


def test_probabilities_are_shared_among_labels_that_it_does_not_know():
    torch.manual_seed(1)
    core, decoder = BiLSTM(6, 8, 1, bidirectional=False).eval(), NextSymbol(8, 6).eval()
    model = Recurrent(Tokens(6, 6).eval(), core, decoder, {1: 2}, None, BREAK, LABELS)
    scores = model.log_probs(())
    assert scores[2] == scores[3] == scores[4]
    said = expected(model, ())
    assert np.exp(scores[2:]).sum() == pytest.approx(np.exp(said[0]), rel=1e-4)


def test_the_search_finds_the_text_that_is_best_for_both():
    """With a beam that holds all texts, as if each were scored by itself."""
    log_probs = torch.randn(1, 4, LABELS, generator=torch.Generator().manual_seed(3)).log_softmax(-1)
    model = model_of()
    for fused in (model, Mixture((model, KneserNey.of([[1, 2, 3, 1, 2, 4, 1]], 3, LABELS)))):
        fusion = Fusion(fused, 0.7, SPACE)
        found = PrefixBeam(fusion, 2000, alternatives=3)(log_probs, torch.tensor([4]))[0]
        worth = {}
        for path in np.ndindex(*[LABELS] * 4):
            labels = tuple(a for a, b in zip(path, (0, *path), strict=False) if a and a != b)
            chance = math.exp(sum(float(log_probs[0, t, label]) for t, label in enumerate(path)))
            worth[labels] = worth.get(labels, 0.0) + chance
        for labels in worth:
            context, nats = (SPACE,), 0.0
            for label in (*labels, SPACE):
                nats += 0.7 * (float(fused.log_probs(context)[label]) + 2.5)
                context = (*context, label)
            worth[labels] *= float(np.exp(nats))
        best = sorted(worth, key=worth.get, reverse=True)[:3]
        assert [tuple(ids) for ids, _ in found.alternatives] == best
