"""Training augmentation of speech: what surrounds it on waveforms, and the rest on power spectrograms.

A change of speed scales the time and frequency axes of a spectrogram, noise adds power, a telephone line
removes bins: this costs much less than the same on waveforms. All random numbers come from the given
generator, so that a resumed run sees the same variants.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F
from torchaudio.functional import mask_along_axis_iid

from encoders.spectrogram import LogMel
from pipelines.media.loudness import with_breath
from recipes.asr.options import SpeechAugmentation
from recipes.asr.surroundings import Surroundings, surrounded, uniform

WARPS = tuple(round(0.76 + 0.02 * step, 2) for step in range(28))  # frequency factors 0.76 ... 1.30


class Variants:
    """Makes training variants of waveforms, on the CPU.

    Args:
        log_mel: of the model; it stays on the CPU.
        around: recordings to place the speech in.
    """

    def __init__(self, log_mel: LogMel, around: Surroundings):
        self.log_mel, self.around, self.rate = log_mel, around, log_mel.sample_rate
        self.filterbanks = torch.stack([log_mel.warped_filterbank(warp) for warp in WARPS])

    def of(
        self,
        parts: Sequence[Tensor],
        others: Sequence[Tensor],
        options: SpeechAugmentation,
        generator: torch.Generator,
    ) -> Tensor:
        """Utterances said one after the other, (samples,) each -> a variant, (frames, n_mels) of power.

        Args:
            others: what others say at the same time, if the options have it so.
        """
        gains = [10 ** (uniform(-options.gain, options.gain, generator) / 20) for _ in parts]
        speech = torch.cat([part * gain for part, gain in zip(parts, gains, strict=True)])
        speech = surrounded(speech, others, self.around, options, self.rate, generator)
        return self.mel(*vary(self.power(speech), self.log_mel, options, generator))

    def power(self, speech: Tensor) -> Tensor:
        """(samples,) -> (frames, bins), with silence at ends that are cut tightly, as in recognition."""
        speech = breathed(speech, self.rate)
        return self.log_mel.power(speech.unsqueeze(0), torch.tensor([len(speech)]))[0][0]

    def mel(self, power: Tensor, warp: int = WARPS.index(1.0)) -> Tensor:
        """(frames, bins) and an index into `WARPS` -> (frames, n_mels)."""
        return power @ self.filterbanks[warp]


def breathed(speech: Tensor, rate: int) -> Tensor:
    """(samples,) with the silence that recognition adds where they are cut tightly."""
    return torch.from_numpy(with_breath(speech.numpy(), rate)[0])


def vary(power: Tensor, log_mel: LogMel, options: SpeechAugmentation, generator: torch.Generator):
    """One variant of an utterance.

    Args:
        power: (frames, bins).

    Returns:
        (new frames, bins) power, and the index into `WARPS` of the filterbank to apply.
    """
    speed = uniform(1 - options.speed, 1 + options.speed, generator)
    tract = uniform(1 - options.tract, 1 + options.tract, generator)
    frames = max(1, round(len(power) / speed))
    power = F.interpolate(power.T.unsqueeze(0), frames, mode="linear", align_corners=False)[0].T
    warp = min(range(len(WARPS)), key=lambda index: abs(WARPS[index] - tract / speed))
    if options.clean and uniform(0, 1, generator) < options.clean:
        background = power.quantile(0.1, dim=0)
        power = (power - uniform(1.0, 4.0, generator) * background).clamp_min(0.0)
    if uniform(0, 1, generator) < options.noise:
        power = power + _noise(power, uniform(*options.noise_snr, generator), generator)
    if uniform(0, 1, generator) < options.telephone:
        cut = round(uniform(3400, 4000, generator) / (log_mel.sample_rate / 2) * (log_mel.bins - 1))
        power = torch.cat([power[:, :cut], power[:, cut:] * 1e-9], dim=1)
    return power, warp


def _noise(power: Tensor, snr: float, generator: torch.Generator) -> Tensor:
    """Coloured noise: exponentially distributed power around a random spectral slope."""
    frames, bins = power.shape
    slope = uniform(-2.0, 0.5, generator)  # exponent: 0 white, -1 pink, -2 brown
    colour = (torch.arange(bins) + 2.0).pow(slope)
    drawn = torch.empty(frames, bins).exponential_(generator=generator) * colour
    loud = power.sum(dim=1).quantile(0.9)
    return drawn * (loud / drawn.sum(dim=1).mean() / 10 ** (snr / 10))


def spec_augment(features: Tensor, options: SpeechAugmentation) -> Tensor:
    """SpecAugment: mask bands and time spans of (batch, frames, n_mels) with the mean, 0."""
    masked = features.transpose(1, 2).unsqueeze(1)  # (B, 1, M, T)
    for _ in range(options.frequency_masks):
        masked = mask_along_axis_iid(masked, options.frequency_mask_bands, 0.0, 2)
    for _ in range(options.time_masks):
        masked = mask_along_axis_iid(masked, options.time_mask_frames, 0.0, 3, options.time_mask_share)
    return masked.squeeze(1).transpose(1, 2)
