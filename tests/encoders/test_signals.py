"""The signal front end: batches, padding, gaps, uneven steps, scales."""

import pytest
import torch

from encoders.signals import Signals

NAN = float("nan")


def front_end(channels=2, **sizes) -> Signals:
    torch.manual_seed(1)
    return Signals(channels, **({"filters": (8, 6), "kernels": (5, 3)} | sizes)).eval()


def signal(length: int, channels: int = 2, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(length, channels, generator=generator)
    values[torch.rand(length, channels, generator=generator) < 0.3] = NAN
    steps = torch.rand(length, 1, generator=generator) + 0.5
    steps[0] = 0
    return torch.cat([steps, values], dim=1)


@pytest.mark.parametrize("scaling", ["data", "own", "none"])
@pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
def test_results_do_not_depend_on_the_batch_or_the_padding(scaling, strides):
    network = front_end(scaling=scaling, strides=strides)
    short, long = signal(11), signal(29, seed=1)
    padded = torch.full((2, 29, 3), NAN)
    padded[0, :11], padded[1] = short, long
    found, frames = network(padded, torch.tensor([11, 29]))
    assert frames.tolist() == network.output_lengths(torch.tensor([11, 29])).tolist()
    assert found.isfinite().all() and not found[0, frames[0] :].any()
    alone, _ = network(short[None], torch.tensor([11]))
    assert torch.allclose(alone[0], found[0, : frames[0]], atol=1e-5)


def test_own_scaling_ignores_offset_and_unit():
    network, x = front_end(scaling="own"), signal(40)
    other = x.clone()
    other[:, 1] = 1000 + 3 * other[:, 1]
    lengths = torch.tensor([40])
    assert torch.allclose(network(x[None], lengths)[0], network(other[None], lengths)[0], atol=1e-3)


def test_data_scaling_is_that_of_the_training_signals_whatever_their_scales_and_gaps():
    network = front_end(scaling="data")
    x = signal(5000)
    x[:, 1] = 1e6 + 1e3 * x[:, 1]
    x[:, 2] *= 1e-3
    network.fit([x])
    assert network.centre[0].item() == pytest.approx(1e6, rel=1e-3)
    assert network.spread.tolist() == pytest.approx([1e3, 1e-3], rel=0.1)
    assert network.step.item() == pytest.approx(1.0, abs=0.1)
    found, _ = network(x[None, :50], torch.tensor([50]))
    assert found.isfinite().all()


def test_a_constant_or_empty_channel_gives_finite_features():
    network = front_end(scaling="data")
    x = signal(20)
    x[:, 1], x[:, 2] = 5.0, NAN
    network.fit([x])
    assert network.spread.tolist() == [1.0, 1.0]
    for scaling in ("data", "own"):
        network.scaling = scaling
        assert network(x[None], torch.tensor([20]))[0].isfinite().all()


def test_gaps_are_filled_from_the_past_alone():
    network = front_end(1, scaling="none")
    values = torch.tensor([[[NAN], [2.0], [NAN], [NAN], [5.0]]])
    seen = values.isfinite()
    time = torch.tensor([[[0.0], [1.0], [3.0], [6.0], [7.0]]])
    filled, differences, mask, since = network._filled(values.where(seen, 0.0), seen, time)[0].T
    rate = torch.nn.functional.softplus(network.decay).item()
    decayed = [2 * torch.tensor(-rate * steps).exp().item() for steps in (2, 5)]
    assert filled.tolist() == pytest.approx([0, 2, *decayed, 5])
    assert mask.tolist() == [0, 1, 0, 0, 1]
    assert since.expm1().tolist() == pytest.approx([1, 0, 2, 5, 0], abs=1e-5)
    assert differences.tolist() == pytest.approx(
        [0, 2, decayed[0] - 2, decayed[1] - decayed[0], 5 - decayed[1]]
    )


def test_the_network_sees_that_and_since_when_values_are_missing():
    network, lengths = front_end(1, scaling="none"), torch.tensor([6])
    x = torch.cat([torch.ones(1, 6, 1), torch.zeros(1, 6, 1)], dim=2)
    missing, later = x.clone(), x.clone()
    missing[0, 3, 1] = NAN
    later[0, 3, 0] = 9.0
    later[0, 3, 1] = NAN
    found = [network(each, lengths)[0] for each in (x, missing, later)]
    assert not torch.allclose(found[0], found[1]) and not torch.allclose(found[1], found[2])


def test_gradients_reach_every_weight():
    network = front_end().train()
    network(signal(30)[None], torch.tensor([30]))[0].square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())


@pytest.mark.parametrize(
    "sizes",
    [{"scaling": "minmax"}, {"kernels": (4, 3)}, {"filters": (8,)}, {"channels": 0}, {"names": ("one",)}],
)
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError):
        front_end(**{"channels": 2, **sizes})


def test_another_number_of_channels_is_refused():
    with pytest.raises(ValueError, match="1 \\+ 2"):
        front_end()(torch.zeros(1, 4, 5), torch.tensor([4]))
