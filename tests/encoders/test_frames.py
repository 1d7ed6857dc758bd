"""Frame front ends and motion: padding never leaks, time has a direction, moving things move as they do."""

import os
from itertools import islice

import numpy as np
import pytest
import torch

from encoders.frames import BACKBONES, FrameFeatures, Frames, backbone, cropped, resized
from encoders.motion import ANYWHERE, BINS, CELL, anywhere, difference, flow_histogram, motion, optical_flow
from encoders.precision import BF16
from tests.data.clips import moving_square, numbered


@pytest.fixture(scope="module")
def front_end():
    torch.manual_seed(1)
    front_end = FrameFeatures(7, 5, lags=(1, 3))
    torch.nn.init.uniform_(front_end.norm.running_mean, -1, 1)  # statistics that would show what leaks
    torch.nn.init.uniform_(front_end.norm.bias, -1, 1)
    return front_end.eval()


def read(front_end, *items, padding=0.0):
    lengths = torch.tensor([len(item) for item in items])
    return front_end(torch.nn.utils.rnn.pad_sequence(list(items), True, padding), lengths)


@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("padding", [0.0, float("nan")])
def test_neighbours_change_nothing(front_end, length, padding):
    items = [torch.randn(frames, 7) for frames in (9, length, 6)]
    alone, _ = read(front_end, items[1])
    together, lengths = read(front_end, *items, padding=padding)
    assert lengths.tolist() == front_end.output_lengths(torch.tensor([9, length, 6])).tolist()
    torch.testing.assert_close(together[1, :length], alone[0])
    assert together.shape == (3, 9, 5) and not together[1, length:].any()


def test_padding_is_no_part_of_the_statistics():
    items = [torch.randn(frames, 7) * 3 + 2 for frames in (40, 3, 25)]
    front_end = FrameFeatures(7, 5).train()
    for _ in range(100):
        y, _ = read(front_end, *items, padding=float("nan"))
    every = torch.cat(items)
    torch.testing.assert_close(front_end.norm.running_mean, every.mean(dim=0), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(front_end.norm.running_var, every.var(dim=0), atol=1e-2, rtol=1e-3)
    y.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in front_end.parameters())
    assert read(front_end, torch.randn(1, 7))[0].isfinite().all(), "a single frame in training"


def test_changes_tell_in_which_direction_time_runs(front_end):
    clip = torch.randn(8, 7)
    ahead, back = read(front_end, clip)[0][0], read(front_end, clip.flip(0))[0][0]
    assert not torch.allclose(ahead.mean(dim=0), back.mean(dim=0), atol=1e-3)
    plain = FrameFeatures(7, 5).eval()
    means = [read(plain, frames)[0][0].mean(dim=0) for frames in (clip, clip.flip(0))]
    torch.testing.assert_close(*means)
    still = read(front_end, clip[:1].expand(8, 7))[0][0]
    torch.testing.assert_close(still, still[:1].expand(8, 5))


@pytest.mark.parametrize("sizes", [{"input_size": 0}, {"output_size": 0}, {"lags": (0,)}, {"lags": (1, -1)}])
def test_wrong_sizes(sizes):
    with pytest.raises(ValueError):
        FrameFeatures(**sizes)


def test_wrong_shapes(front_end):
    for shape in ((3, 7), (1, 3, 6)):
        with pytest.raises(ValueError, match="frames must be"):
            front_end(torch.zeros(shape), torch.tensor([3]))
    with pytest.raises(ValueError, match="frames must be"):
        backbone("small").prepare(np.zeros((5, 5, 3), np.uint8))
    with pytest.raises(ValueError, match="no frames"):
        backbone("small").features([])


@pytest.mark.parametrize("name", [name for name in BACKBONES if name != "none"])
def test_every_network_gives_the_features_that_it_says(name):
    with torch.device("meta"):  # shapes alone: nothing is computed
        pooled, grid = backbone(name), backbone(name, grid=True)
        assert pooled(torch.zeros(2, 3, 64, 96)).shape == (2, BACKBONES[name])
        seen = grid(torch.zeros(2, 3, 64, 96))
    assert seen.shape[0] == 2 and seen.shape[2] == BACKBONES[name] == pooled.output_size
    assert not any(parameter.requires_grad for parameter in pooled.parameters())


def test_unknown_names():
    with pytest.raises(ValueError, match="must be one of .*resnet18"):
        backbone("resnet19")
    with pytest.raises(ValueError, match="IMAGENET1K_V1"):
        backbone("resnet18", "IMAGENET21K")
    with pytest.raises(ValueError, match="no weights"):
        backbone("small", "DEFAULT")


@pytest.mark.parametrize("name", ["squeezenet1_0", "efficientnet_b0", "convnext_tiny"])
def test_frames_are_prepared_as_torchvision_does(name):
    from torchvision.models import get_model_weights

    frames = np.stack([numbered(number, 240, 320) for number in range(2)])
    with torch.device("meta"):
        network, whole = backbone(name), backbone(name, crop=False, side=64)
    own = get_model_weights(name).DEFAULT.transforms()
    level = 1 / 255 / min(network.std)  # rounding may differ
    expected = own(torch.from_numpy(frames).permute(0, 3, 1, 2))
    torch.testing.assert_close(network.prepare(frames), expected, atol=1.01 * level, rtol=0)
    assert whole.prepare(frames).shape == (2, 3, 64, 85)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(240, 320), (321, 240), (64, 64), (50, 77), (32, 400)])
def test_frames_are_resized_and_cropped_as_by_torchvision(mode, size):
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional as pictures

    images = torch.from_numpy(np.stack([numbered(number, *size) for number in range(3)])).permute(0, 3, 1, 2)
    found = resized(images, 64, mode)
    expected = pictures.resize(images, [64], InterpolationMode(mode), antialias=True)
    assert found.dtype == torch.uint8 and found.shape == expected.shape
    assert (found.int() - expected.int()).abs().max() <= 1  # torchvision rounds otherwise on some processors
    for side in (33, 64, 81):
        assert torch.equal(cropped(images, side), pictures.center_crop(images, [side]))


def test_clips_are_read_in_batches_and_give_the_same():
    network = backbone("small", crop=False)
    clip, taken = [numbered(number) for number in range(7)], []

    def frames():
        for frame in clip:
            taken.append(len(taken))
            yield frame

    found = network.features(frames(), batch_size=3)
    assert found.shape == (7, 160) and taken == list(range(7))
    torch.testing.assert_close(found, network.features(clip, 7), atol=1e-4, rtol=1e-3)
    near = network.features(clip, precision=BF16)
    assert near.dtype == torch.float32 and (near - found).norm() < 0.03 * found.norm()


def test_what_is_frozen_stays_and_the_rest_learns():
    x = torch.randn(4, 3, 32, 32)
    frozen, trained = backbone("small").train(), backbone("small", frozen=False).train()
    before = [buffer.clone() for buffer in frozen.buffers()]
    assert not frozen(x).requires_grad and not frozen.training
    assert all(torch.equal(*pair) for pair in zip(before, frozen.buffers(), strict=True))
    trained(x).sum().backward()
    assert all(parameter.grad is not None for parameter in trained.parameters())


def test_the_small_network():
    torch.manual_seed(0)
    network = backbone("small", crop=False)
    assert 150_000 < sum(parameter.numel() for parameter in network.parameters()) < 250_000
    frames = np.zeros((2, 64, 64, 3), np.uint8)
    frames[0, 8:24, 24:40] = frames[1, 40:56, 24:40] = 255
    high, low = network.features(frames)
    assert (high - low).abs().max() > 1e-3, "where a thing is survives the mean over the picture"


def test_pictures_of_neighbours_change_nothing():
    torch.manual_seed(0)
    front_end = Frames(output_size=6, lags=(1,)).eval()
    clips = [torch.randint(0, 256, (frames, 48, 64, 3), dtype=torch.uint8) for frames in (3, 1, 5)]
    together, lengths = read(front_end, *clips, padding=255)
    for index, clip in enumerate(clips):
        torch.testing.assert_close(
            together[index, : len(clip)], read(front_end, clip)[0][0], atol=1e-5, rtol=1e-4
        )
    assert lengths.tolist() == [3, 1, 5] and together.shape == (3, 5, 6)
    read(front_end.train(), *clips)[0].sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in front_end.parameters())


def test_a_frozen_network_reads_its_own_features():
    torch.manual_seed(0)
    front_end = Frames(output_size=6, frozen=True, motion=2).eval()
    clip = np.stack(moving_square(4, 3, 0))
    features = front_end.features(iter(clip))
    assert features.shape == (4, 160 + 4 * CELL) and features[1:, 160:].any() and not features[0, 160:].any()
    torch.testing.assert_close(features[:, :160], front_end.network.features(clip))
    y, _ = front_end.train()(features[None], torch.tensor([4]))
    y.sum().backward()
    assert all(parameter.grad is None for parameter in front_end.network.parameters())
    assert all(parameter.grad is not None for parameter in front_end.sequence.parameters())
    with pytest.raises(ValueError, match="frozen"):
        Frames(motion=2)


def test_a_grid_is_of_one_picture():
    torch.manual_seed(0)
    front_end = Frames(output_size=6, grid=True, side=64).eval()
    picture = numbered(3, 64, 64)
    places = front_end.features([picture])
    assert places.shape == (16, 160)
    seen, lengths = front_end(torch.from_numpy(picture)[None, None], torch.tensor([1]))
    kept, _ = front_end(places[None], torch.tensor([16]))
    assert lengths.tolist() == [16]
    torch.testing.assert_close(seen, kept, atol=0.05, rtol=0.05)  # bfloat16 where there is hardware for it
    with pytest.raises(ValueError, match="one picture"):
        front_end.features([picture, picture])


# Motion

DIRECTIONS = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]


@pytest.mark.parametrize("index", range(BINS))
def test_a_moving_square_moves_where_it_moves(index):
    across, down = (3 * step for step in DIRECTIONS[index])
    frames = moving_square(4, across, down)
    flow = optical_flow(frames[1][..., 0], frames[2][..., 0])
    inside = frames[1][..., 0] > 0
    assert np.abs(np.median(flow[inside], axis=0) - (across, down)).max() < 0.1
    (found,) = islice(motion(frames, (1, 1)), 2, 3)
    assert found[:BINS].argmax() == index
    assert found[:BINS].max() > 0.7 * found[:BINS].sum()


def test_histograms_are_exact():
    flow = np.zeros((40, 80, 2), np.float32)
    flow[:20, :40] = (4, 0)  # a tenth of the shorter side to the right
    flow[20:, 40:60] = (0, -2)
    flow[20:, 60:] = (2, 2)
    found = flow_histogram(flow, (2, 2))
    expected = np.zeros((2, 2, BINS + 1))
    expected[0, 0, 0] = 0.1
    expected[1, 1, 6], expected[1, 1, 1] = 0.05 / 2, np.hypot(2, 2) / 40 / 2
    expected[0, 1, BINS] = expected[1, 0, BINS] = 1.0
    np.testing.assert_allclose(found, expected, atol=1e-6)
    between = flow_histogram(np.full((9, 9, 2), 3 * np.array([np.cos(0.3), np.sin(0.3)])), (1, 1))[0, 0]
    assert between[0] > between[1] > 0 and between.sum() == pytest.approx(1 / 3, rel=1e-5)
    assert flow_histogram(np.zeros((7, 11, 2)), (3, 4))[..., BINS].tolist() == np.ones((3, 4)).tolist()


def test_motion_is_where_and_when_it_is():
    frames = moving_square(5, 2, 0)
    found = np.stack(list(motion(frames, (4, 4)))).reshape(5, 4, 4, CELL)
    assert found.dtype == np.float32 and not found[0].any(), "nothing is known before the first frame"
    assert found[1:, 0, :, BINS].min() == 1.0 and found[1:, 1:3, 1:3, 0].max() > 0.005, "above it is still"
    reverse = np.stack(list(motion(frames[::-1], (4, 4)))).reshape(5, 4, 4, CELL)
    assert reverse[1:, ..., 4].sum() > 5 * reverse[1:, ..., 0].sum()
    np.testing.assert_array_equal(np.stack(list(motion(frames))).reshape(found.shape), found)
    still = np.stack(list(motion([frames[0]] * 3, (2, 2)))).reshape(3, 4, CELL)
    assert not still[..., :BINS].any() and not still[..., -1].any()
    assert next(motion([np.zeros((300, 20, 3), np.uint8)])).shape == (16 * CELL,)


def test_differences():
    before, now = np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8)
    now[:4, :2] = 255
    np.testing.assert_allclose(difference(before, now, (2, 2)), [[0.5, 0], [0, 0]])
    with pytest.raises(ValueError, match="does not fit"):
        difference(before, now, (9, 1))
    with pytest.raises(ValueError, match="uint8"):
        next(motion([before.astype(float)]))


def test_downloaded_weights():
    """Only where they are already: the very features that the whole network classifies with."""
    from torchvision.models import squeezenet1_0

    folder = os.path.join(torch.hub.get_dir(), "checkpoints")
    if not os.path.isdir(folder) or not any("squeezenet1_0" in name for name in os.listdir(folder)):
        pytest.skip("SqueezeNet's weights are not in TORCH_HOME")
    network, whole = backbone("squeezenet1_0", "DEFAULT", grid=True), squeezenet1_0(weights="DEFAULT").eval()
    x = network.prepare(numbered(5, 224, 224)[None])
    with torch.no_grad():
        rows = network(x).transpose(1, 2).unflatten(2, (13, 13))
        torch.testing.assert_close(whole.classifier(rows).flatten(1), whole(x), atol=1e-3, rtol=1e-3)


def test_motion_anywhere_knows_no_place_and_no_direction_but_how_much_and_how_unlike():
    moves = torch.rand(5, 16, CELL, generator=torch.Generator().manual_seed(1))
    found = anywhere(moves.flatten(1))
    assert found.shape == (5, ANYWHERE) and found.isfinite().all()
    shuffled = moves[:, torch.randperm(16, generator=torch.Generator().manual_seed(2))]
    turned = torch.cat([moves[..., :BINS].roll(3, dims=2), moves[..., BINS:]], dim=2)
    torch.testing.assert_close(anywhere(shuffled.flatten(1)), found)
    torch.testing.assert_close(anywhere(turned.flatten(1)), found)
    more = torch.cat([2 * moves[..., :BINS], moves[..., BINS:]], dim=2)
    assert (anywhere(more.flatten(1))[:, :6] > found[:, :6]).all()
    one_way = torch.zeros_like(moves)
    one_way[..., 2] = 1.0
    assert anywhere(one_way.flatten(1))[0, -1].abs() < 1e-3 < found[0, -1]
    assert anywhere(torch.zeros(1, 16 * CELL)).isfinite().all()


def test_motion_without_a_network():
    clip = [numbered(number) for number in range(6)]
    front_end = Frames("none", 8, frozen=True, motion=4, places=False).eval()
    features = front_end.features(clip)
    assert features.shape == (6, 16 * CELL) and front_end.sequence.input_size == ANYWHERE
    y, lengths = front_end(features[None], torch.tensor([6]))
    assert y.shape == (1, 6, 8) and lengths.tolist() == [6]
    with pytest.raises(ValueError, match="motion must be told"):
        Frames("none", 8, frozen=True)
    with pytest.raises(ValueError, match="no weights"):
        backbone("none", "DEFAULT")
