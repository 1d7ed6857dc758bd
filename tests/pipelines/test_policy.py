"""pipelines.policy: a policy is loaded like any model, acts with memory, and refuses what does not fit."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from decoders.vocabulary import Classes
from pipelines import load
from pipelines.errors import ModelError
from pipelines.policy import PolicyModel

HEADER = "triscribe"


def policy(**core):
    torch.manual_seed(0)
    model = PolicyModel(
        "policy",
        {"kind": "observations", "output_size": 8, "shape": [3], "hidden": [1]},
        {"kind": "bilstm", "hidden_size": 8, "num_layers": 1, "bidirectional": False, **core},
        {"kind": "policy", "hidden_size": 8, "choices": [3], "starts": [0], "single": True},
        Classes(["left", "stay", "right"]),
    )
    with torch.no_grad():
        model.decoder.actor[2].weight.mul_(100)
    return model


def test_the_file_acts_like_the_model_and_reset_begins_again(tmp_path):
    model = policy()
    loaded = load(model.save(tmp_path / "p.safetensors", bits=32))
    assert isinstance(loaded, PolicyModel) and loaded.alphabet.symbols == ("left", "stay", "right")
    seen = torch.randn(20, 3, generator=torch.Generator().manual_seed(1)).numpy()
    runs = [[each.act(x) for x in seen] for each in (model, loaded)]
    assert runs[0] == runs[1] and len(set(runs[0])) > 1 and all(type(x) is int for x in runs[0])
    loaded.reset()
    assert [loaded.act(x) for x in seen] == runs[0]
    loaded.reset()
    assert [loaded.act([a, None if b is None else float("nan"), c]) for a, b, c in seen] == runs[0]


def test_what_came_before_counts():
    model = policy()
    first = torch.randn(30, 3, generator=torch.Generator().manual_seed(2))
    last = []
    for x in first:
        model.reset()
        model.act(x)
        model.act(x)
        last.append((model.act(torch.zeros(3)), model._state[0][0].sum().item()))
    assert len({state for _, state in last}) == 30


def test_the_model_stays_as_it_was():
    model = policy().train()
    model.act([0.0, 0.0, 0.0])
    assert model.training and all(weight.grad is None for weight in model.parameters())


@pytest.mark.parametrize(
    "observation", [[1.0, 2.0], 3.0, "left", None, [float("nan"), 0.0, 0.0], {"a": 1}, [[1.0, 2.0, 3.0]]]
)
def test_observations_that_do_not_fit(observation):
    with pytest.raises(ValueError, match="observation"):
        policy().act(observation)


def test_a_core_that_reads_ahead_is_refused():
    with pytest.raises(ValueError, match="cannot read ahead"):
        policy(bidirectional=True)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("front_end", "hidden", [0, 1, 2]),
        ("front_end", "shape", [10**6] * 60),
        ("front_end", "kind", "spectrogram"),
        ("decoder", "kind", "ctc"),
        ("decoder", "choices", [4]),
        ("core", "bidirectional", True),
    ],
)
def test_files_that_do_not_hold_together_are_refused(part, name, value, tmp_path):
    path = policy().save(tmp_path / "p.safetensors", bits=32)
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()[HEADER])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    header[part][name] = value
    save_file(tensors, path, {HEADER: json.dumps(header)})
    with pytest.raises(ModelError):
        load(path)
