"""Frame front ends: frames -> features of an image network -> normalisation, differences in time, projection.

The features of a frozen network are computed once (`Backbone.features`) and read by `FrameFeatures`. A
network that is trained, the small one from scratch or a pretrained one further, reads the frames in every
pass. `Frames` holds either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, tee

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.backbones import BACKBONES
from encoders.motion import ANYWHERE, CELL, SIDE, anywhere, motion
from encoders.precision import FP32, Precision, computing

AT_ONCE = 4  # frames per CPU thread; the activations of more do not stay in the caches
FARTHEST = (
    10.0  # standard deviations to which features are clipped; one that never fired in training may be far out
)


class Backbone(nn.Module):
    """An image network without its classifier; `backbone` builds one.

    Args:
        trunk: (n, 3, height, width) -> (n, output_size, rows, columns).
        output_size: features per frame, or per grid position.
        resize, crop: shorter side after resizing and side of the centre crop, pixels; crop None keeps the
            whole frame.
        mean, std: normalisation of the red, green and blue channels, for values from 0 to 1.
        interpolation: method of resizing.
        grid: return the features of every position in the picture instead of their mean.
        frozen: the network is not trained: no gradients, and its batch statistics stay fixed.
    """

    def __init__(
        self,
        trunk: nn.Module,
        output_size: int,
        resize: int,
        crop: int | None,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        interpolation: str = "bilinear",
        grid: bool = False,
        frozen: bool = True,
    ):
        super().__init__()
        self.trunk = trunk.requires_grad_(not frozen)
        self.output_size = output_size
        self.resize, self.crop = resize, crop
        self.mean, self.std = tuple(mean), tuple(std)
        self.interpolation = interpolation
        self.grid = grid
        self.frozen = frozen
        self.train(self.training)

    def train(self, mode: bool = True) -> Backbone:
        return super().train(mode and not self.frozen)

    def prepare(self, frames: Tensor | np.ndarray) -> Tensor:
        """Resize, crop and normalise frames: (n, height, width, 3) uint8 RGB -> (n, 3, height', width')."""
        if frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape:
            raise ValueError(f"frames must be (n, height, width, 3), not {tuple(frames.shape)}")
        images = torch.as_tensor(frames).permute(0, 3, 1, 2)
        images = resized(images, self.resize, self.interpolation)
        if self.crop is not None:
            images = cropped(images, self.crop)
        mean, std = (images.new_tensor(each, dtype=torch.float32) for each in (self.mean, self.std))
        return (images.float() / 255.0 - mean.view(3, 1, 1)) / std.view(3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Features of prepared frames: (n, 3, height, width) -> (n, output_size).

        With `grid`, (n, positions, output_size), positions in reading order.
        """
        x = self.trunk(x.contiguous(memory_format=torch.channels_last))
        return x.flatten(2).transpose(1, 2) if self.grid else x.mean(dim=(2, 3))

    @torch.no_grad()
    def features(
        self, frames: Iterable[np.ndarray], batch_size: int = 16, precision: Precision = FP32
    ) -> Tensor:
        """Features of a whole clip in evaluation mode, with memory for `batch_size` frames only.

        Args:
            frames: each (height, width, 3) uint8, all of one size; consumed lazily.
            batch_size: frames per batch; on a CPU at most 4 per torch thread.
            precision: bf16 changes features by about 1 %.

        Returns:
            (frames, output_size) or (frames, places, output_size) float32, on the CPU.
        """
        training, found = self.training, []
        self.eval()
        device = next(self.parameters()).device
        if device.type == "cpu":
            batch_size = min(batch_size, AT_ONCE * torch.get_num_threads())
        frames = iter(frames)
        while batch := list(islice(frames, batch_size)):
            images = self.prepare(np.stack(batch)).to(device)
            with computing(device, precision):
                found.append(self(images).float().cpu())
        self.train(training)
        if not found:
            raise ValueError("there are no frames")
        return torch.cat(found)


def resized(images: Tensor, side: int, mode: str) -> Tensor:
    """Resize pictures so that their shorter side has `side` pixels, as torchvision does.

    Not by torchvision, whose import costs more CPU time than to read a short video.

    Args:
        images: (n, 3, height, width) uint8.
        mode: bilinear or bicubic, either with antialiasing.

    Returns:
        (n, 3, height', width') uint8.
    """
    height, width = images.shape[2:]
    short, long = min(height, width), max(height, width)
    size = [side if each == short else int(side * long / short) for each in (height, width)]
    if size == [height, width]:
        return images
    if images.device.type == "cpu":  # uint8 as such is 4 x as fast
        return F.interpolate(images, size, mode=mode, align_corners=False, antialias=True)
    found = F.interpolate(images.float(), size, mode=mode, align_corners=False, antialias=True)
    return found.clamp(0, 255).round().to(torch.uint8)


def cropped(images: Tensor, side: int) -> Tensor:
    """The middle `side` x `side` pixels of (n, 3, height, width) pictures, padded with 0 where smaller."""
    missing = [max(0, side - each) for each in images.shape[2:]]
    if any(missing):
        down, across = missing
        images = F.pad(images, (across // 2, (across + 1) // 2, down // 2, (down + 1) // 2))
    top, left = (round((each - side) / 2) for each in images.shape[2:])
    return images[..., top : top + side, left : left + side]


class NoBackbone(Backbone):
    """No image network: only the motion between frames is used."""

    def __init__(self):
        super().__init__(nn.Identity(), 0, SIDE, None, (0.0,) * 3, (1.0,) * 3)

    def features(
        self, frames: Iterable[np.ndarray], batch_size: int = 16, precision: Precision = FP32
    ) -> Tensor:
        """(frames, 0)."""
        return torch.zeros(sum(1 for _ in frames), 0)


def backbone(
    name: str,
    weights: str | None = None,
    grid: bool = False,
    frozen: bool = True,
    crop: bool = True,
    side: int | None = None,
) -> Backbone:
    """Build an image network by name.

    Args:
        name: one of `BACKBONES`.
        weights: name of torchvision weights, such as "DEFAULT", which torchvision downloads if needed; None
            for random weights. The small network has none.
        grid, frozen: see `Backbone`.
        crop: take the centre crop, as when the weights were trained; False keeps the whole frame.
        side: shorter side of the prepared frame in pixels, instead of the network's own.

    Raises:
        ValueError: unknown name or weights.
        OSError, RuntimeError: the weights cannot be downloaded (URLError) or are damaged.
    """
    if name not in BACKBONES:
        raise ValueError(f"backbone must be one of {sorted(BACKBONES)}, not {name!r}")
    if side is not None and side < 32:
        raise ValueError(f"side must be at least 32 pixels, not {side}")
    if name in ("none", "small") and weights is not None:
        raise ValueError(f"there are no weights of the network {name!r}")
    if name == "none":
        return NoBackbone()
    if name == "small":
        half = (0.5, 0.5, 0.5)
        side = side or 64
        return Backbone(
            SmallNet(), BACKBONES[name], side, side if crop else None, half, half, "bilinear", grid, frozen
        )
    from torchvision.models import get_model, get_model_weights

    known = get_model_weights(name)
    if weights not in (None, "DEFAULT", *known.__members__):
        raise ValueError(
            f"weights of {name} must be DEFAULT or one of {list(known.__members__)}, not {weights!r}"
        )
    preset = known[weights or "DEFAULT"].transforms()
    (resize,), (cut,) = preset.resize_size, preset.crop_size
    if side is not None:
        resize, cut = round(resize * side / cut), side
    network = get_model(name, weights=weights)
    trunk = (
        network.features if hasattr(network, "features") else nn.Sequential(*list(network.children())[:-2])
    )
    return Backbone(
        trunk,
        BACKBONES[name],
        resize if crop else cut,
        cut if crop else None,
        preset.mean,
        preset.std,
        preset.interpolation.value,
        grid,
        frozen,
    )


class SmallNet(nn.Sequential):
    """A small image network to train from scratch: four strided 3 x 3 convolutions, 192,000 weights.

    Coordinate channels (CoordConv, Liu et al. 2018) preserve positions when features are averaged over the
    picture.
    """

    def __init__(self, channels: tuple[int, ...] = (24, 48, 96, 160)):
        layers, inputs = [], 5
        for width in channels:
            layers += [nn.Conv2d(inputs, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            inputs = width
        super().__init__(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps: (n, 3, height, width) -> (n, 160, height / 16, width / 16), rounded up."""
        down, across = (
            torch.linspace(-1.0, 1.0, size, device=x.device, dtype=x.dtype) for size in x.shape[2:]
        )
        places = torch.stack(torch.meshgrid(down, across, indexing="ij")).expand(len(x), -1, -1, -1)
        return super().forward(torch.cat([x, places], dim=1))


class FrameFeatures(nn.Module):
    """Front end for precomputed frame features: normalisation, differences in time, one linear layer.

    Each feature is normalised over all valid frames (batch normalisation, Ioffe & Szegedy 2015), so that
    streams of different scales, such as image features and motion, can be concatenated.

    Args:
        input_size: features per input frame.
        output_size: features per output frame.
        dropout: dropout on the output.
        lags: for each lag, the difference to the features that many frames earlier (near the start, to the
            first frame) is a further stream. They show the direction of time.
    """

    min_length = 1  # frames

    def __init__(
        self,
        input_size: int = 512,
        output_size: int = 256,
        dropout: float = 0.0,
        lags: tuple[int, ...] = (),
    ):
        super().__init__()
        if min(input_size, output_size, *lags) < 1:
            raise ValueError("input_size, output_size and lags must be at least 1")
        self.input_size = input_size
        self.output_size = output_size
        self.dropout = dropout
        self.lags = tuple(lags)
        self.norm = nn.BatchNorm1d(input_size, eps=1e-3)
        self.project = nn.Linear(input_size * (1 + len(self.lags)), output_size)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, input_size) and lengths -> (batch, time, output_size), padding zero; lengths."""
        if x.dim() != 3 or x.size(2) != self.input_size:
            raise ValueError(f"frames must be (batch, time, {self.input_size}), not {tuple(x.shape)}")
        time = torch.arange(x.size(1), device=x.device)
        valid = time < lengths.to(x.device)[:, None]
        frames = self._normalised(x[valid])
        x = frames.new_zeros(x.shape).masked_scatter(valid[:, :, None], frames)
        changes = [x - x[:, (time - lag).clamp(min=0)] for lag in self.lags]
        y = self.project(torch.cat([x, *changes], dim=2))
        y = F.dropout(y, self.dropout, self.training)
        return y.masked_fill(~valid[:, :, None], 0.0), lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """The lengths unchanged: one output frame per input frame."""
        return lengths

    def _normalised(self, frames: Tensor) -> Tensor:
        """Normalise (n, input_size); a single frame has no variance, so it takes the running statistics."""
        norm = self.norm
        if len(frames) > 1:
            frames = norm(frames)
        else:
            frames = F.batch_norm(
                frames, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
            )
        return frames.clamp(-FARTHEST, FARTHEST)


class Frames(nn.Module):
    """Front end for video and pictures: an image network and motion features, then `FrameFeatures`.

    With a frozen network, `features` are computed once per clip and read by `forward`; a trained network
    reads the frames themselves. Either way its weights are stored in the model file.

    Args:
        network: one of `BACKBONES`, built without weights; load those of `backbone(name, "DEFAULT")` with
            `network.load_state_dict`.
        output_size, dropout, lags: see `FrameFeatures`.
        frozen: the network is not trained.
        crop: see `backbone`.
        side: shorter side of the prepared frames in pixels; 0 for the network's own.
        grid: the sequence is the positions of one picture, in reading order, not frames in time.
        motion: rows and columns of the grid on which motion between frames is described (see `motion.py`), as
            further features; 0 for none. Only with a frozen network or none.
        places: describe the motion of each cell; otherwise only the summary that `anywhere` gives.
        rate: frames per second at which a video is sampled.
        window: seconds of a long video that are read at once.

    Raises:
        ValueError: for an unknown network, a size below 1, or motion with a network that is trained.
    """

    min_length = 1  # frames

    def __init__(
        self,
        network: str = "small",
        output_size: int = 256,
        *,
        dropout: float = 0.0,
        lags: tuple[int, ...] = (),
        frozen: bool = False,
        crop: bool = False,
        side: int = 0,
        grid: bool = False,
        motion: int = 0,
        places: bool = True,
        rate: float = 8.0,
        window: float = 10.0,
    ):
        super().__init__()
        if not (rate > 0 and rate * window >= 1):
            raise ValueError(f"a window of {window} s at {rate} frames a second is not a frame")
        if motion and (grid or not frozen):
            raise ValueError("motion needs a frozen network, and frames in time")
        if network == "none" and not motion:
            raise ValueError("without an image network, motion must be told")
        self.network = backbone(network, grid=grid, frozen=frozen, crop=crop, side=side or None)
        self.motion, self.places = motion, places
        self.rate, self.window = rate, window
        moves = motion * motion * CELL if places or not motion else ANYWHERE
        features = self.network.output_size + moves
        self.sequence = FrameFeatures(features, output_size, dropout, lags)
        self.output_size = output_size

    def features(
        self, frames: Iterable[np.ndarray], batch_size: int = 16, precision: Precision = FP32
    ) -> Tensor:
        """The input of `forward` for one clip or picture, computed without gradients.

        Args:
            frames: each (height, width, 3) uint8, all of one size; consumed lazily.

        Returns:
            (frames or positions, features) float32, on the CPU.

        Raises:
            ValueError: there are no frames, or several with `grid`.
        """
        found = self.see(self.look(frames), batch_size, precision)
        if self.network.grid:
            if len(found) != 1:
                raise ValueError(f"a grid is of one picture, not of {len(found)}")
            return found[0]
        return found

    def look(self, frames: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, Tensor]]:
        """Each frame with its motion features: the part of `features` that needs no network."""
        if not self.motion:
            yield from ((frame, torch.empty(0)) for frame in frames)
            return
        seen, watched = tee(frames)
        for frame, move in zip(seen, motion(watched, (self.motion, self.motion)), strict=True):
            yield frame, torch.from_numpy(move)

    def see(
        self, looked: Iterable[tuple[np.ndarray, Tensor]], batch_size: int = 16, precision: Precision = FP32
    ) -> Tensor:
        """Features of what `look` yields: (frames, features); with `grid`, (frames, positions, features)."""
        moves: list[Tensor] = []

        def shown() -> Iterator[np.ndarray]:
            for frame, move in looked:
                moves.append(move)
                yield frame

        found = self.network.features(shown(), batch_size, precision)
        return torch.cat([found, torch.stack(moves)], dim=1) if self.motion else found

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode frames or their features: -> (batch, time, output_size), zero in the padding, and lengths.

        Args:
            x: (batch, time, features) from `features`; for a network that is trained, (batch, time, height,
                width, 3) uint8, or (batch, 1, height, width, 3) with `grid`.
        """
        if x.dim() == 3:
            if self.motion and not self.places:
                seen, moves = x.tensor_split([self.network.output_size], dim=2)
                x = torch.cat([seen, anywhere(moves)], dim=2)
            return self.sequence(x, lengths)
        if x.dim() != 5 or self.motion:
            raise ValueError(f"frames must be (batch, time, height, width, 3), not {tuple(x.shape)}")
        valid = torch.arange(x.size(1), device=x.device) < lengths.to(x.device)[:, None]
        seen = self.network(self.network.prepare(x[valid]))
        if self.network.grid:  # the positions of one picture
            return self.sequence(seen, torch.full_like(lengths, seen.size(1)))
        features = seen.new_zeros(*valid.shape, seen.size(1)).masked_scatter(valid[:, :, None], seen)
        return self.sequence(features, lengths)

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """The lengths unchanged: one output frame per input frame."""
        return lengths
