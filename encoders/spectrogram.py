"""Speech front end: waveform -> power spectrogram -> normalised log-mel -> convolutional subsampling."""

from __future__ import annotations

import warnings

import torch
import torchaudio
from torch import Tensor, nn
from torch.nn import functional as F

LOWEST = 20.0  # Hz at which the lowest band begins
HEADROOM = 100.0  # Hz between the highest band's end and half the sample rate
LARGEST_FILTERBANK = 1 << 23  # bins * bands: 32 MiB


class LogMel(nn.Module):
    """Log-mel spectrogram, free of the recording's level and colour.

    Decibels below each utterance's own peak, cut at `dynamic_range`; then each mel band has its
    mean over the utterance taken away (a microphone's frequency response goes with it) and the
    whole utterance is scaled to unit deviation. Only valid frames count, so neighbours in a
    batch change nothing.

    Args:
        sample_rate: Hz of the waveform it reads.
        n_mels: bands of the mel scale (HTK's formula).
        window: seconds of signal in each frame.
        hop: seconds from frame to frame.
        dynamic_range: dB below the utterance's peak at which everything is silence.
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        n_mels: int = 80,
        window: float = 0.025,
        hop: float = 0.010,
        dynamic_range: float = 80.0,
    ):
        super().__init__()
        self.sample_rate = sample_rate
        self.n_mels = n_mels
        self.window = round(window * sample_rate)
        self.hop = round(hop * sample_rate)
        self.n_fft = 1 << (self.window - 1).bit_length()
        self.bins = self.n_fft // 2 + 1
        self.dynamic_range = dynamic_range
        fits = 0 < self.hop <= self.window <= sample_rate and 0 < n_mels < self.bins
        if dynamic_range <= 0:
            raise ValueError(f"dynamic_range must be above 0 dB, not {dynamic_range}")
        if not fits or sample_rate <= 2 * (LOWEST + HEADROOM) or self.bins * n_mels > LARGEST_FILTERBANK:
            raise ValueError(
                f"a window of {window} s, a hop of {hop} s and {n_mels} bands do not fit {sample_rate} Hz"
            )
        # Neither is trained: both follow from the sizes, so a model file need not hold them, and
        # they are real even while a model is laid out on the meta device.
        with torch.device("cpu"):
            self.register_buffer("taper", torch.hann_window(self.window), persistent=False)
            self.register_buffer("filterbank", self.warped_filterbank(1.0), persistent=False)

    def warped_filterbank(self, warp: float) -> Tensor:
        """(bins, n_mels) triangles in which each bin counts as its frequency divided by `warp`.

        Above 1 a voice sounds as from a longer vocal tract (Jaitly & Hinton 2013).
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # bands above the warped spectrum are silent: meant so
            return torchaudio.functional.melscale_fbanks(
                self.bins,
                LOWEST,
                self.sample_rate / 2 - HEADROOM,
                self.n_mels,
                round(self.sample_rate / warp),
            )

    def power(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, samples) in [-1, 1] -> (batch, frames, bins) power, and the frames of each."""
        valid = torch.arange(waveform.size(1), device=waveform.device) < lengths[:, None]
        waveform = waveform.masked_fill(~valid, 0.0)
        spectrum = torchaudio.functional.spectrogram(
            waveform, 0, self.taper, self.n_fft, self.hop, self.window, 2.0, False, pad_mode="constant"
        )
        return spectrum.transpose(1, 2), self.output_lengths(lengths)

    def normalised(
        self,
        power: Tensor,
        lengths: Tensor,
        filterbank: Tensor | None = None,
        dynamic_range: Tensor | None = None,
    ) -> Tensor:
        """(batch, frames, bins) power -> (batch, frames, n_mels), zero in the padding.

        Args:
            filterbank: (batch, bins, n_mels) instead of the model's own, for augmentation.
            dynamic_range: (batch,) dB instead of the model's own, for augmentation.
        """
        valid = (torch.arange(power.size(1), device=power.device) < lengths[:, None]).unsqueeze(2)
        mel = power @ (self.filterbank if filterbank is None else filterbank)
        decibel = 10.0 * torch.log10(mel.clamp_min(1e-12))
        peak = decibel.masked_fill(~valid, -torch.inf).amax(dim=(1, 2), keepdim=True)
        below = self.dynamic_range if dynamic_range is None else dynamic_range[:, None, None]
        decibel = decibel.maximum(peak - below).masked_fill(~valid, 0.0)
        frames = lengths[:, None, None].to(decibel.dtype)
        centred = (decibel - decibel.sum(dim=1, keepdim=True) / frames).masked_fill(~valid, 0.0)
        variance = centred.square().sum(dim=(1, 2), keepdim=True) / (frames * self.n_mels)
        return centred / (variance + 1.0).sqrt()

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, samples) -> (batch, frames, n_mels), frames of each."""
        power, frames = self.power(waveform, lengths)
        return self.normalised(power, frames), frames

    def output_lengths(self, lengths: Tensor) -> Tensor:
        return lengths // self.hop + 1


class ConvSubsampling(nn.Module):
    """2-D convolutions over time and frequency that shorten the sequence.

    Args:
        n_mels: bands read.
        output_size: features written.
        channels: of each convolution.
        strides: (time, frequency) stride of each 3 x 3 convolution.
        dropout: on the output.
    """

    def __init__(
        self,
        n_mels: int,
        output_size: int,
        channels: int = 32,
        strides: tuple[tuple[int, int], ...] = ((3, 2), (1, 2)),
        dropout: float = 0.0,
    ):
        super().__init__()
        self.strides = tuple(tuple(stride) for stride in strides)
        if any(len(stride) != 2 or min(stride) < 1 for stride in self.strides):
            raise ValueError(f"strides must be pairs of numbers from 1 upwards, not {strides}")
        if min(channels, output_size) < 1:
            raise ValueError("channels and output_size must be at least 1")
        self.convolutions = nn.ModuleList()
        inputs, bands = 1, n_mels
        for stride in self.strides:
            self.convolutions.append(nn.Conv2d(inputs, channels, 3, stride, padding=1))
            inputs, bands = channels, (bands - 1) // stride[1] + 1
        self.project = nn.Linear(channels * bands, output_size)
        self.norm = nn.LayerNorm(output_size)
        self.dropout = dropout

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, frames, n_mels) with zero padding -> (batch, shorter, output_size)."""
        x = x.unsqueeze(1).to(memory_format=torch.channels_last)  # (B, 1, T, M)
        for convolution, (stride, _) in zip(self.convolutions, self.strides, strict=True):
            x = F.relu(convolution(x))
            lengths = (lengths - 1) // stride + 1
            valid = torch.arange(x.size(2), device=x.device) < lengths.to(x.device)[:, None]
            x = x * valid[:, None, :, None]  # what padding became must not reach the next layer
        x = x.permute(0, 2, 3, 1).flatten(2)  # (B, T', bands * channels), a view of channels_last
        x = self.norm(self.project(x))
        return F.dropout(x, self.dropout, self.training), lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        for stride, _ in self.strides:
            lengths = (lengths - 1) // stride + 1
        return lengths


class Spectrogram(nn.Module):
    """The speech front end: `LogMel`, then `ConvSubsampling`.

    Args:
        sample_rate: Hz; other rates are resampled before they come here.
        output_size: features of each output frame.
        n_mels, window, hop, dynamic_range: see `LogMel`.
        channels, strides, dropout: see `ConvSubsampling`.
    """

    min_length = 1  # samples

    def __init__(
        self,
        sample_rate: int = 16000,
        output_size: int = 256,
        n_mels: int = 80,
        window: float = 0.025,
        hop: float = 0.010,
        dynamic_range: float = 80.0,
        channels: int = 32,
        strides: tuple[tuple[int, int], ...] = ((3, 2), (1, 2)),
        dropout: float = 0.0,
    ):
        super().__init__()
        self.sample_rate = sample_rate
        self.output_size = output_size
        self.log_mel = LogMel(sample_rate, n_mels, window, hop, dynamic_range)
        self.subsampling = ConvSubsampling(n_mels, output_size, channels, strides, dropout)

    @property
    def frame_seconds(self) -> float:
        """Seconds between the starts of two output frames."""
        stride = 1
        for time_stride, _ in self.subsampling.strides:
            stride *= time_stride
        return stride * self.log_mel.hop / self.sample_rate

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, samples) in [-1, 1], samples of each -> (batch, frames, output_size), frames of each."""
        if waveform.dim() != 2:
            raise ValueError(f"waveform must be (batch, samples), not {tuple(waveform.shape)}")
        return self.subsampling(*self.log_mel(waveform, lengths))

    def output_lengths(self, lengths: Tensor) -> Tensor:
        return self.subsampling.output_lengths(self.log_mel.output_lengths(lengths))
