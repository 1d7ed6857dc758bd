"""decoders.policy: distributions of actions against torch's own, and the clipped objective."""

import pytest
import torch
from torch.distributions import Categorical, Normal

from decoders.policy import Policy, surrogate


def test_choices_are_distributed_as_torch_has_it():
    torch.manual_seed(0)
    policy = Policy(6, 6, choices=(3, 2), starts=(1, -4))
    outputs = policy(torch.randn(4, 7, 6)).outputs
    parts = [Categorical(logits=part) for part in outputs.split((3, 2), dim=-1)]
    actions = torch.stack([part.sample() for part in parts], dim=-1)
    expected = sum(part.log_prob(actions[..., i]) for i, part in enumerate(parts))
    assert torch.allclose(policy.log_probs(outputs, actions), expected, atol=1e-5)
    assert torch.allclose(policy.entropy(outputs), sum(part.entropy() for part in parts), atol=1e-5)
    assert policy.best(outputs).tolist() == torch.stack([p.logits.argmax(-1) for p in parts], -1).tolist()
    assert policy.in_units(torch.tensor([2, 1])).tolist() == [3, -3]
    many = policy.sample(outputs[:1, :1].expand(20_000, 1, 5), policy.noise(20_000)[:, None])
    shares = (many[..., 0] == torch.arange(3)).float().mean(dim=0)
    assert torch.allclose(shares, parts[0].probs[0, 0], atol=0.02)


def test_numbers_are_distributed_as_torch_has_it():
    torch.manual_seed(0)
    policy = Policy(6, 3, shape=(2,), low=(-2.0, 0.0), high=(2.0, 1e6), deviation=0.5)
    outputs = policy(torch.randn(4, 6)).outputs
    normal = Normal(outputs, 0.5)
    actions = normal.sample()
    assert torch.allclose(policy.log_probs(outputs, actions), normal.log_prob(actions).sum(-1), atol=1e-5)
    assert torch.allclose(policy.entropy(outputs), normal.entropy().sum(-1), atol=1e-5)
    found = policy.in_units(torch.tensor([[0.5, 3.0], [-1.0, -1.0], [-7.0, 2.0]]))
    assert found.tolist() == [
        [1.0, 3.0],
        [-2.0, 0.0],
        [-2.0, 2.0],
    ]  # one that has no upper limit keeps its unit


def test_values_are_in_units_of_rewards():
    policy = Policy(6, 3, choices=(2,), single=True)
    states = torch.randn(5, 6)
    before = policy(states).values
    policy.value_mean.fill_(10.0)
    policy.value_deviation.fill_(4.0)
    assert torch.allclose(policy(states).values, 10 + 4 * before, atol=1e-5)


def test_the_clipped_objective_pulls_no_further_than_its_range():
    log_probs = torch.tensor([0.0, 0.5, -0.5, 0.5, -0.5], requires_grad=True)
    gains = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0])
    acting, valuing = surrogate(log_probs, torch.zeros(5), gains, torch.zeros(5), torch.full((5,), 2.0), 0.2)
    ratio = log_probs.detach().exp()
    expected = torch.tensor([1.0, 1.2, ratio[2], -ratio[3], -0.8])
    assert acting.item() == pytest.approx(-expected.mean().item()) and valuing.item() == 4.0
    acting.backward()
    assert (log_probs.grad != 0).tolist() == [True, False, True, True, False]


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"choices": (2,), "shape": (1,), "low": (0.0,), "high": (1.0,)},
        {"choices": (3,)},
        {"choices": (2,), "starts": (0, 0)},
        {"choices": (1, 1), "single": True},
        {"shape": (2,), "low": (0.0,), "high": (1.0,)},
        {"shape": (2,), "low": (0.0, 1.0), "high": (1.0, 1.0)},
        {"shape": (2,), "low": (0.0, 0.0), "high": (1.0, 1.0), "deviation": 0.0},
    ],
)
def test_what_is_no_action(sizes):
    with pytest.raises(ValueError):
        Policy(4, 3, **sizes)
