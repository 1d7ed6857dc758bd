"""Speech front end: waveform -> power spectrogram -> normalised log-mel -> convolutional subsampling."""

from __future__ import annotations

import warnings

import torch
import torchaudio
from torch import Tensor, nn
from torch.nn import functional as F

LOWEST = 20.0  # lower edge of the lowest band, Hz
ALONE = 20_481  # numbers: PyTorch convolves a single input of fewer by itself, and not with oneDNN
HEADROOM = 100.0  # distance of the upper edge of the highest band from the Nyquist frequency, Hz
STATISTICS = ("utterance", "speech")
NEAR_LOUDEST = 25.0  # dB below the loudest frame at which a frame counts half as speech
BLURRED = 3.0  # dB of level that change this share by a factor of e
LARGEST_FILTERBANK = 1 << 23  # bins * bands: 32 MiB


class LogMel(nn.Module):
    """Log-mel spectrogram, normalised for the level and frequency response of the recording.

    Values are decibels below the utterance's peak, clipped at `dynamic_range`. The mean of each mel band is
    subtracted, and the whole utterance is scaled to unit standard deviation. Only valid frames count, so
    results do not depend on the rest of the batch.

    With `statistics="speech"`, mean and deviation are of those frames whose level is near that of the
    loudest one, so that they do not depend on how much silence surrounds the words. The level of a frame is
    the mean over its bands in decibels: neither a hum in one band nor an equaliser changes which frames
    count.

    Args:
        sample_rate: of the waveform, Hz.
        n_mels: number of mel bands (HTK's formula).
        window: length of a frame, seconds.
        hop: distance between frames, seconds.
        dynamic_range: values are clipped at this many dB below the utterance's peak.
        statistics: which frames mean and deviation are taken of, those of the whole "utterance" or of
            "speech" only.
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        n_mels: int = 80,
        window: float = 0.025,
        hop: float = 0.010,
        dynamic_range: float = 80.0,
        statistics: str = "utterance",
    ):
        super().__init__()
        if statistics not in STATISTICS:
            raise ValueError(f"statistics must be one of {STATISTICS}, not {statistics!r}")
        self.statistics = statistics
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
        """Mel filterbank, (bins, n_mels), with the frequency of each bin divided by `warp`.

        This is vocal tract length perturbation (Jaitly & Hinton 2013); above 1 the tract is longer.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # bands above the warped spectrum are meant to be silent
            return torchaudio.functional.melscale_fbanks(
                self.bins,
                LOWEST,
                self.sample_rate / 2 - HEADROOM,
                self.n_mels,
                round(self.sample_rate / warp),
            )

    def power(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Power spectrogram: (batch, samples) in [-1, 1] and lengths -> (batch, frames, bins) and lengths."""
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
        """Normalised log-mel features: (batch, frames, bins) power -> (batch, frames, n_mels), padding zero.

        Args:
            filterbank: (batch, bins, n_mels) instead of the model's own, for augmentation.
            dynamic_range: (batch,) dB instead of the model's own, for augmentation.
        """
        mel = power @ (self.filterbank if filterbank is None else filterbank)
        return self.levelled(mel, lengths, dynamic_range)

    def levelled(self, mel: Tensor, lengths: Tensor, dynamic_range: Tensor | None = None) -> Tensor:
        """`normalised` of power in mel bands: (batch, frames, n_mels) -> the same shape, padding zero."""
        valid = (torch.arange(mel.size(1), device=mel.device) < lengths[:, None]).unsqueeze(2)
        decibel = 10.0 * torch.log10(mel.clamp_min(1e-12))
        peak = decibel.masked_fill(~valid, -torch.inf).amax(dim=(1, 2), keepdim=True)
        below = self.dynamic_range if dynamic_range is None else dynamic_range[:, None, None]
        decibel = decibel.maximum(peak - below).masked_fill(~valid, 0.0)
        if self.statistics == "speech":
            return self._by_speech(decibel, valid)
        frames = lengths[:, None, None].to(decibel.dtype)
        # In fp32 the last digit of a sum depends on how much padding it runs over.
        mean = decibel.sum(dim=1, keepdim=True, dtype=torch.float64) / frames
        centred = (decibel - mean.to(decibel.dtype)).masked_fill(~valid, 0.0)
        squares = centred.square().sum(dim=(1, 2), keepdim=True, dtype=torch.float64)
        return centred / (squares / (frames * self.n_mels) + 1.0).sqrt().to(decibel.dtype)

    def _by_speech(self, decibel: Tensor, valid: Tensor) -> Tensor:
        level = decibel.mean(dim=2, keepdim=True)
        loudest = level.masked_fill(~valid, -torch.inf).amax(dim=1, keepdim=True)
        share = ((level - loudest + NEAR_LOUDEST) / BLURRED).sigmoid().masked_fill(~valid, 0.0)
        total = share.sum(dim=1, keepdim=True)
        mean = (share * decibel).sum(dim=1, keepdim=True) / total
        centred = (decibel - mean).masked_fill(~valid, 0.0)
        variance = (share * centred.square()).sum(dim=(1, 2), keepdim=True) / (total * self.n_mels)
        return centred / (variance + 1.0).sqrt()

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, samples) and lengths -> (batch, frames, n_mels) and lengths in frames."""
        power, frames = self.power(waveform, lengths)
        return self.normalised(power, frames), frames

    def output_lengths(self, lengths: Tensor | int) -> Tensor | int:
        return lengths // self.hop + 1


class ConvSubsampling(nn.Module):
    """2-D convolutions over time and frequency that shorten the sequence.

    Args:
        n_mels: mel bands of the input.
        output_size: features per output frame.
        channels: output channels of each convolution.
        strides: (time, frequency) stride of each 3 x 3 convolution.
        dropout: dropout on the output.
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
        inputs, bands, frames = 1, n_mels, 1
        self.least = 0  # frames of a single input for which the kernels, and so the digits, are those of many
        for stride in self.strides:
            self.least = max(self.least, -(-ALONE // (inputs * bands)) * frames)
            frames *= stride[0]
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
            x = x * valid[:, None, :, None]  # padding, no longer zero, must not reach the next layer
        x = x.permute(0, 2, 3, 1).flatten(2)  # (B, T', bands * channels), a view of channels_last
        x = self.norm(self.project(x))
        return F.dropout(x, self.dropout, self.training), lengths

    def output_lengths(self, lengths: Tensor | int) -> Tensor | int:
        for stride, _ in self.strides:
            lengths = (lengths - 1) // stride + 1
        return lengths


class Spectrogram(nn.Module):
    """Speech front end: `LogMel`, then `ConvSubsampling`.

    Args:
        sample_rate: Hz; audio of other rates must be resampled before.
        output_size: features per output frame.
        n_mels, window, hop, dynamic_range, statistics: see `LogMel`.
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
        *,
        statistics: str = "utterance",
    ):
        super().__init__()
        self.sample_rate = sample_rate
        self.output_size = output_size
        self.log_mel = LogMel(sample_rate, n_mels, window, hop, dynamic_range, statistics)
        self.subsampling = ConvSubsampling(n_mels, output_size, channels, strides, dropout)

    @property
    def frame_seconds(self) -> float:
        """Distance of two output frames, seconds."""
        stride = 1
        for time_stride, _ in self.subsampling.strides:
            stride *= time_stride
        return stride * self.log_mel.hop / self.sample_rate

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, samples) in [-1, 1] and lengths -> (batch, frames, output_size) and lengths in frames."""
        if waveform.dim() != 2:
            raise ValueError(f"waveform must be (batch, samples), not {tuple(waveform.shape)}")
        samples = waveform.size(1)
        if len(waveform) == 1 and not self.training:
            waveform = F.pad(waveform, (0, max(0, self.subsampling.least * self.log_mel.hop - samples)))
        y, frames = self.subsampling(*self.log_mel(waveform, lengths))
        return y[:, : self.output_lengths(samples)], frames

    def output_lengths(self, lengths: Tensor | int) -> Tensor | int:
        return self.subsampling.output_lengths(self.log_mel.output_lengths(lengths))
