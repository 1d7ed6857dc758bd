"""Line image front end: grey-scale image -> normalised line -> convolutions -> features per column."""

from __future__ import annotations

from functools import reduce
from itertools import zip_longest

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.upright import upright

WIDEST = 200  # largest ratio of width to height; anything wider is not a line
FAINTEST = 12.0  # grey levels by which ink must differ from paper


class LineImage(nn.Module):
    """Front end for images of text lines: `prepare`, then convolutions that preserve the order of columns.

    Blocks of 3 x 3 convolution, batch normalisation, ReLU and max-pooling, as in CRNN (Shi et
    al. 2017) and PyLaia (Puigcerver 2017), then one linear layer over each column's features.
    Columns behind the end of an image are zero at every layer, so that results do not depend on wider images
    in the batch.

    Args:
        height: height to which lines are scaled, pixels.
        output_size: features per output column.
        fold: the convolutions read blocks of fold x fold pixels as channels (space to depth; Shi et al. 2016,
            "Real-time single image and video super-resolution using an efficient sub-pixel convolutional
            neural network"): finer strokes at little more cost.
        channels: output channels of each convolution.
        pools: (across, down) max-pooling after each convolution.
        residuals: number of residual convolutions behind each, before its pooling (He et al. 2016, "Deep
            residual learning for image recognition"); 0 for those not given.
        dropout: dropout on the output.
        right_to_left: read columns from right to left, for scripts such as Arabic and Hebrew.
        upright: deslant the line and normalise the height and width of its letters (see `upright.py`); for
            scripts with ascenders and descenders.
    """

    min_length = 1  # columns

    def __init__(
        self,
        height: int = 64,
        output_size: int = 256,
        channels: tuple[int, ...] = (16, 32, 48, 64, 80),
        pools: tuple[tuple[int, int], ...] = ((2, 2), (2, 2), (1, 1), (1, 2), (1, 2)),
        dropout: float = 0.0,
        right_to_left: bool = False,
        upright: bool = False,
        residuals: tuple[int, ...] = (),
        fold: int = 1,
    ):
        super().__init__()
        if len(channels) != len(pools) or not channels:
            raise ValueError(f"{len(channels)} channels and {len(pools)} pools: give one of each a layer")
        if min(*channels, output_size, height) < 1 or any(min(pool) < 1 for pool in pools):
            raise ValueError("height, output_size, channels and pools must be at least 1")
        if fold < 1 or height % fold:
            raise ValueError(f"fold must divide the height, {height}, which {fold} does not")
        if len(residuals) > len(channels) or min(residuals, default=0) < 0:
            raise ValueError(
                f"residuals must be up to {len(channels)} numbers from 0 upwards, not {residuals}"
            )
        self.height = height
        self.output_size = output_size
        self.fold = fold
        self.pools = tuple(tuple(pool) for pool in pools)
        self.right_to_left = right_to_left
        self.upright = upright
        self.convolutions, self.norms, self.residuals = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        inputs, rows = fold * fold, height // fold
        for width, (_, down), more in zip_longest(channels, self.pools, residuals, fillvalue=0):
            self.convolutions.append(nn.Conv2d(inputs, width, 3, padding=1, bias=False))
            self.norms.append(ChannelNorm(width))
            self.residuals.append(nn.ModuleList(Residual(width) for _ in range(more)))
            inputs, rows = width, -(-rows // down)
        self.project = nn.Linear(inputs * rows, output_size)
        self.norm = nn.LayerNorm(output_size)
        self.dropout = dropout

    @property
    def stride(self) -> int:
        """Columns of the prepared image per output column."""
        stride = self.fold
        for across, _ in self.pools:
            stride *= across
        return stride

    def prepare(self, pixels: np.ndarray) -> Tensor:
        """Normalise a line image: (columns, height) uint8, ink towards 255, paper 0; see `prepare_placed`."""
        return self.prepare_placed(pixels)[0]

    def prepare_placed(self, pixels: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """Normalise a line image, and return the map back to the given image.

        Args:
            pixels: (height, width) uint8 grey of any size, dark on light or light on dark.

        Returns:
            (columns, height) uint8, ink towards 255 and paper 0; and a (2, 3) float64 affine matrix that
            takes (column, row, 1) of it to x, y in the given image.

        Raises:
            ValueError: the image has no pixels, or is wider than 200 times its height.
        """
        if pixels.ndim != 2 or pixels.dtype != np.uint8 or not pixels.size:
            raise ValueError(f"a line must be (height, width) uint8, not {pixels.dtype} {pixels.shape}")
        rows, columns = pixels.shape
        if columns > WIDEST * rows:
            raise ValueError(f"{columns} x {rows} pixels are no line of text")
        ink = inked(scale(pixels, max(1, round(columns * self.height / rows)), self.height))
        back = np.diag([columns / ink.shape[1], rows / self.height, 1.0])
        if self.upright:
            ink, turn = upright(ink)
            back = back @ [*turn, (0, 0, 1)]
        if self.right_to_left:
            ink = ink[:, ::-1]
            back = back @ [(-1, 0, ink.shape[1]), (0, 1, 0), (0, 0, 1)]
        return torch.from_numpy(np.ascontiguousarray(ink.T)), back[:2]

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, columns, height) in [0, 255] and lengths -> (batch, columns', output_size) and lengths'."""
        if x.dim() != 3 or x.size(2) != self.height:
            raise ValueError(f"lines must be (batch, columns, {self.height}), not {tuple(x.shape)}")
        x = x * (torch.arange(x.size(1), device=x.device) < lengths.to(x.device)[:, None])[:, :, None]
        x = F.pad(x, (0, 0, 0, -x.size(1) % self.stride))  # so that pooling sees whole blocks only
        steps = range(self.fold)
        x = torch.stack([x[:, i :: self.fold, j :: self.fold] for i in steps for j in steps], dim=3)
        x = x.permute(0, 3, 1, 2).float() / 255.0  # (B, fold * fold, T, H), channels last in memory
        lengths = -(-lengths // self.fold)
        stages = zip(self.convolutions, self.norms, self.residuals, self.pools, strict=True)
        for convolution, norm, residuals, pool in stages:
            x = _zero_behind(norm.after(convolution, x), lengths)
            for residual in residuals:
                x = _zero_behind(x + residual(F.relu(x)), lengths)
            if pool != (1, 1):
                x = _pooled(x, pool)
                lengths = -(-lengths // pool[0])
            x = F.relu(x)  # commutes with pooling, and is cheaper after it
        x = x.permute(0, 2, 3, 1).flatten(2)  # (B, T', rows * channels), a view of channels_last
        x = self.norm(self.project(x))
        return F.dropout(x, self.dropout, self.training), lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        lengths = -(-lengths // self.fold)
        for across, _ in self.pools:
            lengths = -(-lengths // across)
        return lengths


class Residual(nn.Module):
    """A residual branch: a convolution with batch normalisation, to be added to its input."""

    def __init__(self, channels: int):
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = ChannelNorm(channels)
        nn.init.constant_(self.norm.weight, 0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, columns, rows) -> the same shape."""
        return self.norm.after(self.convolution, x)


class ChannelNorm(nn.Module):
    """Batch normalisation per channel (Ioffe & Szegedy 2015).

    Unlike `nn.BatchNorm2d` it has no integer count of batches, which could neither be averaged over epochs
    nor stored in 16 bits.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, ...) -> the same shape."""
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, self.training)

    def after(self, convolution: nn.Conv2d, x: Tensor) -> Tensor:
        """The convolution followed by this; outside training, as one convolution."""
        if self.training:
            return self(convolution(x))
        gain = self.weight * (self.running_var + 1e-5).rsqrt()
        weight = convolution.weight * gain[:, None, None, None]
        return F.conv2d(x, weight, self.bias - gain * self.running_mean, padding=convolution.padding)


def scale(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize, with area averaging where the image shrinks."""
    shrinks = height < pixels.shape[0] or width < pixels.shape[1]
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def inked(pixels: np.ndarray) -> np.ndarray:
    """Separate ink from paper: (height, width) uint8 grey -> (height, width) uint8 amount of ink.

    The paper's shade is estimated by a morphological closing wider than any stroke. Ink is what is darker
    than the paper, relative to the darkest ink of the line, so that pencil becomes like ink.
    """
    low, middle, high = _percentiles(pixels, 2, 50, 98)
    if middle - low < 0.5 * (high - middle):  # most of a line is paper, so this one is light on dark
        pixels = 255 - pixels
    size = max(3, pixels.shape[0] // 3) | 1
    padded = cv2.copyMakeBorder(pixels, size, size, size, size, cv2.BORDER_REPLICATE)
    paper = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    once = (round(0.4 * size) | 1,) * 2  # two box filters approximate a Gaussian at a fifth of its cost
    paper = cv2.blur(cv2.blur(paper, once), once)[size:-size, size:-size]
    ink = cv2.subtract(paper, pixels)
    darkest = max(*_percentiles(ink, 99.5), FAINTEST)
    levels = np.arange(256, dtype=np.float32) * (255.0 / darkest)
    return cv2.LUT(ink, levels.clip(0, 255).astype(np.uint8))


def _percentiles(pixels: np.ndarray, *shares: float) -> list[float]:
    """`np.percentile` for uint8, by counting instead of sorting."""
    reached = cv2.calcHist([pixels], [0], None, [256], [0, 256])[:, 0].cumsum(dtype=np.float64)
    places = np.array(shares) / 100 * (pixels.size - 1)
    below, above = np.floor(places), np.ceil(places)
    low, high = (np.searchsorted(reached, each, side="right") for each in (below, above))
    return (low + (places - below) * (high - low)).tolist()


def _pooled(x: Tensor, pool: tuple[int, int]) -> Tensor:
    """Max-pooling that also covers a last, incomplete block of rows."""
    if torch.is_grad_enabled() or x.size(2) % pool[0] or x.size(3) % pool[1]:
        return F.max_pool2d(x, pool, ceil_mode=True)
    for dim, size in ((3, pool[1]), (2, pool[0])):  # 1.3 to 2.7 times as fast on a CPU
        x = reduce(torch.maximum, (x[(slice(None),) * dim + (slice(i, None, size),)] for i in range(size)))
    return x


def _zero_behind(x: Tensor, lengths: Tensor) -> Tensor:
    """Set the columns of (batch, channels, columns, rows) behind each item's last column to zero."""
    if not torch.is_grad_enabled():  # in place, and only the padding
        for item, length in zip(x, lengths.tolist(), strict=True):
            item[:, length:] = 0.0
        return x
    valid = torch.arange(x.size(2), device=x.device) < lengths.to(x.device)[:, None]
    return x * valid[:, None, :, None]
