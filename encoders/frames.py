"""Frame front ends: pictures -> features of an image network -> normalised, projected, with changes in time.

Features of a network that is not trained further are computed once (`Backbone.features`) and read by
`FrameFeatures`; one that is trained, the small one from scratch or any other further, reads the frames
in every pass. `Frames` holds either.
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

AT_ONCE = 4  # frames for each thread of a CPU: what a network makes of more does not stay in its caches
FARTHEST = 10.0  # deviations from its mean; a feature that never fired in training may otherwise shout


class Backbone(nn.Module):
    """An image network without its classifier. Made by `backbone`.

    Args:
        trunk: (n, 3, height, width) -> (n, output_size, rows, columns).
        output_size: features of each frame or place.
        resize, crop: pixels of the shorter side, and of the square cut out of its middle; None is
            the whole frame.
        mean, std: of red, green and blue, from 0 to 1, by which pixels are normalised.
        interpolation: of the resizing.
        grid: give the features of every place in the picture instead of their mean.
        frozen: not trained further: no gradients, and statistics of its normalisation stay.
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
        """(n, height, width, 3) uint8 red, green, blue -> (n, 3, height', width') as the network reads it."""
        from torchvision.transforms import InterpolationMode
        from torchvision.transforms.v2 import functional as pictures  # resizes uint8 as such, 4 x as fast

        if frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape:
            raise ValueError(f"frames must be (n, height, width, 3), not {tuple(frames.shape)}")
        images = torch.as_tensor(frames).permute(0, 3, 1, 2)
        mode = InterpolationMode(self.interpolation)
        images = pictures.resize(images, [self.resize], mode, antialias=True)
        if self.crop is not None:
            images = pictures.center_crop(images, [self.crop])
        return pictures.normalize(images.float() / 255.0, self.mean, self.std)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, height, width) of `prepare` -> (n, output_size), or (n, places, output_size) of the grid.

        Places are in reading order.
        """
        x = self.trunk(x.contiguous(memory_format=torch.channels_last))
        return x.flatten(2).transpose(1, 2) if self.grid else x.mean(dim=(2, 3))

    @torch.no_grad()
    def features(
        self, frames: Iterable[np.ndarray], batch_size: int = 16, precision: Precision = FP32
    ) -> Tensor:
        """Features of a whole clip, without gradients and as in use; memory for `batch_size` frames.

        Args:
            frames: each (height, width, 3) uint8, all of one size; read as they are needed.
            batch_size: frames at once; on a CPU at most 4 for each of torch's threads.
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


class NoBackbone(Backbone):
    """Sees nothing in a frame, where motion between them is all that counts."""

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
    """An image network by its name.

    Args:
        name: one of `BACKBONES`.
        weights: of torchvision, such as "DEFAULT", fetched by it where they are not there yet; None
            is none, which the small network never has.
        grid, frozen: see `Backbone`.
        crop: prepare frames as the network's weights were trained: cut the middle square out of them.
            False takes the whole frame.
        side: pixels of the prepared frame's shorter side instead of the network's own.

    Raises:
        ValueError: unknown name or weights.
        OSError, RuntimeError: weights cannot be fetched (URLError), or are damaged.
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
    """Four strided 3 x 3 convolutions, 192,000 weights, to be trained from scratch on small frames.

    It also reads where each pixel lies (CoordConv, Liu et al. 2018), so that positions survive when its
    features are averaged over the picture.
    """

    def __init__(self, channels: tuple[int, ...] = (24, 48, 96, 160)):
        layers, inputs = [], 5
        for width in channels:
            layers += [nn.Conv2d(inputs, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            inputs = width
        super().__init__(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, height, width) -> (n, 160, height / 16, width / 16), sizes rounded up."""
        down, across = (
            torch.linspace(-1.0, 1.0, size, device=x.device, dtype=x.dtype) for size in x.shape[2:]
        )
        places = torch.stack(torch.meshgrid(down, across, indexing="ij")).expand(len(x), -1, -1, -1)
        return super().forward(torch.cat([x, places], dim=1))


class FrameFeatures(nn.Module):
    """The front end for features of frames: normalisation, differences in time, one linear layer.

    Each feature is normalised over all valid frames (batch normalisation, Ioffe & Szegedy 2015), so
    that streams of different scales, such as a network's features and motion, can be joined.

    Args:
        input_size: features of each input frame.
        output_size: features of each output frame.
        dropout: on the output.
        lags: of further streams: how much each feature has changed from so many frames before, at the
            start from the first. They tell in which direction time runs.
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
        """(batch, time, input_size), frames of each -> (batch, time, output_size), zero in the padding."""
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
        """As many frames come out as went in."""
        return lengths

    def _normalised(self, frames: Tensor) -> Tensor:
        """(n, input_size); one frame alone has no deviation, so what is known of others must do."""
        norm = self.norm
        if len(frames) > 1:
            frames = norm(frames)
        else:
            frames = F.batch_norm(
                frames, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
            )
        return frames.clamp(-FARTHEST, FARTHEST)


class Frames(nn.Module):
    """The front end for frames: an image network and motion, then `FrameFeatures`.

    With a frozen network, `features` are computed once for each clip, kept, and read by `forward`. One
    that is trained reads the frames themselves. Either way its weights are in the model's file.

    Args:
        network: one of `BACKBONES`, made without weights; `network.load_state_dict` takes those of
            `backbone(name, "DEFAULT")`.
        output_size, dropout, lags: see `FrameFeatures`.
        frozen: the network is not trained further.
        crop: see `backbone`.
        side: pixels of the prepared frames' shorter side; 0 is the network's own.
        grid: what is read is the places of one picture, in reading order, not frames in time.
        motion: cells across and down in which motion between frames is told (see `motion.py`), as
            further features; 0 is none. Only with a frozen network, or none.
        places: tell the motion of each cell; without it only what `anywhere` makes of them all.
        rate: frames a second that a video is sampled at.
        window: seconds of a longer video that are read at once.

    Raises:
        ValueError: for an unknown network, a size below 1, or motion with a network that is trained.
    """

    min_length = 1  # frames

    def __init__(
        self,
        network: str = "small",
        output_size: int = 256,
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
        """What `forward` reads of one clip, or of one picture's places, without gradients.

        Args:
            frames: each (height, width, 3) uint8, all of one size; read as they are needed.

        Returns:
            (frames or places, features) float32, on the CPU.

        Raises:
            ValueError: there are no frames, or several where one picture is meant.
        """
        found = self.see(self.look(frames), batch_size, precision)
        if self.network.grid:
            if len(found) != 1:
                raise ValueError(f"a grid is of one picture, not of {len(found)}")
            return found[0]
        return found

    def look(self, frames: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, Tensor]]:
        """Each frame with its motion, which needs no network: what another thread can do beside `see`."""
        if not self.motion:
            yield from ((frame, torch.empty(0)) for frame in frames)
            return
        seen, watched = tee(frames)
        for frame, move in zip(seen, motion(watched, (self.motion, self.motion)), strict=True):
            yield frame, torch.from_numpy(move)

    def see(
        self, looked: Iterable[tuple[np.ndarray, Tensor]], batch_size: int = 16, precision: Precision = FP32
    ) -> Tensor:
        """What `look` gives -> (frames, features), or (frames, places, features) of a grid."""
        moves: list[Tensor] = []

        def shown() -> Iterator[np.ndarray]:
            for frame, move in looked:
                moves.append(move)
                yield frame

        found = self.network.features(shown(), batch_size, precision)
        return torch.cat([found, torch.stack(moves)], dim=1) if self.motion else found

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Frames, or features of them, of each -> (batch, time, output_size), frames.

        Args:
            x: (batch, time, features) as `features` gives them; or with a network that is trained,
                (batch, time, height, width, 3) uint8, or (batch, 1, height, width, 3) for a grid.
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
        if self.network.grid:  # the places of each one picture
            return self.sequence(seen, torch.full_like(lengths, seen.size(1)))
        features = seen.new_zeros(*valid.shape, seen.size(1)).masked_scatter(valid[:, :, None], seen)
        return self.sequence(features, lengths)

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """As many frames come out as went in."""
        return lengths
