import numpy as np
import pytest
import torch

from encoders.line_image import ChannelNorm, LineImage, inked


@pytest.fixture(
    scope="module",
    params=[((), 1), ((0, 2), 1), ((), 2)],
    ids=["plain", "residual", "folded"],
)
def front_end(request):
    torch.manual_seed(1)
    residuals, fold = request.param
    pools = ((2 // fold, 2 // fold), (2, 2))
    sizes = {"channels": (4, 6), "pools": pools, "residuals": residuals, "fold": fold}
    front_end = LineImage(height=16, output_size=12, **sizes)
    norms = [module for module in front_end.modules() if isinstance(module, ChannelNorm)]
    assert len(norms) == 2 + sum(residuals)
    for norm in norms:  # statistics that shift zeros, so that leaking padding would show
        torch.nn.init.uniform_(norm.running_mean, -1, 1)
        torch.nn.init.uniform_(norm.bias, -1, 1)
    return front_end.eval()


def lines(*widths, height=16):
    return [torch.randint(0, 256, (width, height), dtype=torch.uint8) for width in widths]


def read(front_end, *items):
    lengths = torch.tensor([len(item) for item in items])
    return front_end(torch.nn.utils.rnn.pad_sequence(list(items), batch_first=True), lengths)


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 31])
def test_neighbours_change_nothing(front_end, width):
    line, wide, wider = lines(width, 40, 57)
    alone, alone_length = read(front_end, line)
    batch, lengths = read(front_end, wide, line, wider)
    assert lengths[1] == alone_length[0] == alone.size(1) == front_end.output_lengths(torch.tensor(width))
    torch.testing.assert_close(batch[1, : lengths[1]], alone[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("width", [1, 2, 7, 31])
def test_reading_without_gradients_is_only_faster(front_end, width):
    batch = lines(width, 40)
    with torch.inference_mode():
        read_only, _ = read(front_end, *batch)
    torch.testing.assert_close(read_only, read(front_end, *batch)[0].detach(), atol=1e-5, rtol=1e-5)


def test_the_smallest_input(front_end):
    (line,) = lines(front_end.min_length)
    assert read(front_end, line)[0].shape == (1, 1, 12)


def test_a_column_is_stride_columns_of_the_input(front_end):
    assert front_end.stride == 4
    assert front_end.output_lengths(torch.tensor([1, 4, 5, 400])).tolist() == [1, 1, 2, 100]


def test_ink_at_one_place_moves_that_place(front_end):
    paper = torch.zeros(80, 16, dtype=torch.uint8)
    written = paper.clone()
    written[40:44] = 255
    change = (read(front_end, paper)[0] - read(front_end, written)[0])[0].abs().sum(dim=1)
    reach = 3 + sum(map(len, front_end.residuals))  # in columns of the output, of which it is at most that
    assert change[10 - 2 : 10 + 3].max() == change.max() > 0
    assert change[: 11 - reach].sum() == change[10 + reach :].sum() == 0


def drawn(height=60, width=300, paper=200, ink=60):
    image = np.full((height, width), paper, np.uint8)
    image[20:40, 50:54] = ink
    image[28:31, 50:250] = ink
    return image


def test_preparing_keeps_the_aspect(front_end):
    prepared = front_end.prepare(drawn())
    assert prepared.shape == (80, 16) and prepared.dtype == torch.uint8
    assert prepared[:, 7].float().mean() > 100 > 5 > prepared[:, 2].float().mean()


def test_light_contrast_and_shades_of_paper_are_gone():
    dark = inked(drawn()).astype(float)
    pencil = inked(drawn(ink=160)).astype(float)
    shaded = (drawn() * np.linspace(0.6, 1.0, 300)).astype(np.uint8)
    assert np.abs(dark - pencil).mean() < 3
    assert np.abs(dark - inked(shaded)).mean() < 12
    assert np.abs(dark - inked(255 - drawn())).mean() < 3, "light on dark"


def test_empty_paper_stays_empty():
    grain = np.random.default_rng(1).integers(198, 203, (60, 300), dtype=np.uint8)
    assert inked(np.full((40, 100), 255, np.uint8)).max() == 0
    assert inked(grain).mean() < 80


def test_right_to_left_mirrors():
    leftward = LineImage(height=16, right_to_left=True)
    line = drawn()
    assert torch.equal(leftward.prepare(line), LineImage(height=16).prepare(line).flip(0))


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 5), np.uint8),
        np.zeros((5, 0), np.uint8),
        np.zeros((5, 5, 3), np.uint8),
        np.zeros((5, 5)),
        np.zeros((5, 5 * 201), np.uint8),
    ],
)
def test_what_is_no_line(front_end, pixels):
    with pytest.raises(ValueError):
        front_end.prepare(pixels)


@pytest.mark.parametrize("shape", [(1, 1), (1, 100), (300, 2), (64, 12800)])
def test_odd_sizes(front_end, shape):
    prepared = front_end.prepare(np.full(shape, 128, np.uint8))
    assert prepared.shape[1] == 16 and len(prepared) >= 1


@pytest.mark.parametrize(
    "sizes",
    [
        {"channels": (4,)},
        {"channels": (), "pools": ()},
        {"height": 0},
        {"fold": 0},
        {"height": 49, "fold": 2},
        {"residuals": (0, -1)},
        {"residuals": (1,) * 9},
        {"channels": (4, 0), "pools": ((1, 1), (1, 1))},
        {"channels": (4,), "pools": ((0, 1),)},
    ],
)
def test_bad_sizes(sizes):
    with pytest.raises(ValueError):
        LineImage(**sizes)
