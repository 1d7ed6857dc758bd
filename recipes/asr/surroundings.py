"""What surrounds and carries speech, on waveforms: rooms, noises, other voices, lines, codecs, levels.

All functions take (samples,) float32 and give as many samples, unless their name says otherwise. All random
numbers come from the given generator, so that a resumed run hears the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchaudio.functional import fftconvolve

from pipelines.errors import DataError, TriscribeError
from pipelines.media.audio import read_audio
from recipes.asr.codecs import coded
from recipes.asr.options import SpeechAugmentation

VOICES = 5  # of a babble, at most
DTMF = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0, 1633.0)  # Hz
FRAME = 0.025  # seconds over which the level is measured where silence is cut off
SPEECH = 30.0  # dB below the loudest frame, from where on a frame at an end is silence


@dataclass(frozen=True)
class Surroundings:
    """Recordings in which training places speech.

    Attributes:
        noises: (samples,) float32 each.
        rooms: impulse responses, (samples,) float32 each, that begin with the direct sound and have energy 1.
    """

    noises: Sequence[Tensor] = ()
    rooms: Sequence[Tensor] = ()

    @classmethod
    def of(cls, noises: Path | None, rooms: Path | None, rate: int) -> Surroundings:
        """Read the recordings in folders.

        Raises:
            DataError: one holds none.
        """
        found = [_recordings(folder, rate) if folder else [] for folder in (noises, rooms)]
        return cls(found[0], [_from_direct_sound(room) for room in found[1]])


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    return low + (high - low) * torch.rand((), generator=generator).item()


def surrounded(
    speech: Tensor,
    others: Sequence[Tensor],
    around: Surroundings,
    options: SpeechAugmentation,
    rate: int,
    generator: torch.Generator,
) -> Tensor:
    """One variant of an utterance; it can be shorter or longer.

    Args:
        others: utterances of others, of which a babble is made.
        rate: samples a second.
    """

    def happens(share: float) -> bool:
        return bool(share) and uniform(0, 1, generator) < share

    if happens(options.cut):
        speech = cut_tightly(speech, uniform(0.0, 0.1, generator), rate)
    quiet = happens(options.silence)
    within = quiet and happens(0.5)  # whether the noise goes on in the silence
    if within:
        speech = padded(speech, options.silence_seconds, rate, generator)
    if happens(options.reverberation):
        speech = in_a_room(speech, _room(around, rate, generator))
    if happens(options.background):
        noise = _noise(around, len(speech), rate, generator)
        speech = mixed(speech, noise, uniform(*options.noise_snr, generator))
    if others and happens(options.babble):
        speech = mixed(
            speech, _babble(others, len(speech), generator), uniform(*options.babble_snr, generator)
        )
    if happens(options.hum):
        speech = mixed(speech, _hum(len(speech), rate, generator), uniform(*options.noise_snr, generator))
    if happens(options.clipping):
        peak = speech.abs().max().clamp_min(1e-6) * 10 ** (-uniform(3.0, 20.0, generator) / 20)
        speech = speech.clamp(-peak, peak)
    if happens(options.line):
        speech = coded(speech, rate, generator)
    if happens(options.level):
        speech = quantised(speech * 10 ** (-uniform(10.0, 45.0, generator) / 20))
    if quiet and not within:
        speech = padded(speech, options.silence_seconds, rate, generator)
    return speech


def speechless(
    around: Surroundings, options: SpeechAugmentation, size: int, rate: int, generator: torch.Generator
) -> Tensor:
    """Sound of `size` samples in which nobody speaks: noises, tones, hum, clicks or hiss."""
    kind = int(uniform(0, 8, generator))
    if kind < 4:
        sound = _noise(around, size, rate, generator)
    elif kind == 4:
        sound = _tones(size, rate, generator)
    elif kind == 5:
        sound = _dialled(size, rate, generator)
    elif kind == 6:
        sound = _hum(size, rate, generator)
    else:
        hits = torch.rand(size, generator=generator) < 10 ** uniform(-4.5, -3, generator)
        sound = hits * torch.randn(size, generator=generator)
    if uniform(0, 1, generator) < 0.3:
        sound = in_a_room(sound, _room(around, rate, generator))
    if uniform(0, 1, generator) < 0.5:
        sound = mixed(sound, _noise(around, size, rate, generator), uniform(0.0, 40.0, generator))
    if uniform(0, 1, generator) < options.line:
        sound = coded(sound, rate, generator)
    return sound / sound.abs().max().clamp_min(1e-6) * 10 ** (-uniform(0.0, 60.0, generator) / 20)


def mixed(speech: Tensor, noise: Tensor, snr: float) -> Tensor:
    """Speech with noise at this ratio of mean powers, dB, of what is not digital silence."""
    ratio = _power(speech) / _power(noise).clamp_min(1e-12) / 10 ** (snr / 10)
    return speech + noise * ratio.sqrt()


def in_a_room(speech: Tensor, room: Tensor) -> Tensor:
    """Speech as it is heard at another place of a room, by its impulse response."""
    return fftconvolve(speech, room)[: len(speech)]


def quantised(speech: Tensor) -> Tensor:
    """Speech in 16 bits."""
    return (speech * 32768).round() / 32768


def cut_tightly(speech: Tensor, margin: float, rate: int) -> Tensor:
    """Speech without the silence at its ends but for `margin` seconds."""
    frame = round(FRAME * rate)
    if len(speech) < 2 * frame:
        return speech
    powers = speech[: len(speech) // frame * frame].reshape(-1, frame).square().mean(dim=1)
    loud = (powers > powers.max() * 10 ** (-SPEECH / 10)).nonzero().flatten()
    if not len(loud):
        return speech
    start = max(0, int(loud[0]) * frame - round(margin * rate))
    return speech[start : (int(loud[-1]) + 1) * frame + round(margin * rate)]


def padded(speech: Tensor, longest: float, rate: int, generator: torch.Generator) -> Tensor:
    """Speech with up to `longest` seconds of digital silence before and after it."""
    before, after = (round(uniform(0.0, longest, generator) * rate) for _ in range(2))
    return torch.cat([speech.new_zeros(before), speech, speech.new_zeros(after)])


def _power(sound: Tensor) -> Tensor:
    return sound.square().sum() / (sound != 0).sum().clamp_min(1)


def _drawn(count: int, generator: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=generator))


def _noise(around: Surroundings, size: int, rate: int, generator: torch.Generator) -> Tensor:
    """A part of a recorded noise, or noise of a random spectral slope."""
    made = not around.noises or uniform(0, 1, generator) < 0.25
    if not made:
        noise = around.noises[_drawn(len(around.noises), generator)]
        start = _drawn(len(noise), generator)
        return noise.roll(-start).repeat(-(-size // len(noise)))[:size]
    slope = uniform(-2.0, 0.5, generator)  # exponent of power: 0 white, -1 pink, -2 brown
    spectrum = torch.fft.rfft(torch.randn(size, generator=generator))
    return torch.fft.irfft(spectrum * (torch.arange(len(spectrum)) + 2.0).pow(slope / 2), size)


def _room(around: Surroundings, rate: int, generator: torch.Generator) -> Tensor:
    """A recorded impulse response, or noise that decays exponentially behind the direct sound."""
    if around.rooms and uniform(0, 1, generator) < 0.5:
        return around.rooms[_drawn(len(around.rooms), generator)]
    decay = uniform(0.1, 0.9, generator)  # seconds by 60 dB
    time = torch.arange(round(min(decay, 0.6) * rate)) / rate
    tail = torch.randn(len(time), generator=generator) * 10 ** (-3 * time / decay)
    tail *= 10 ** (-uniform(-6.0, 12.0, generator) / 20) / tail.norm().clamp_min(1e-6)
    tail[: round(uniform(0.0, 0.02, generator) * rate)] = 0.0  # first reflections come later
    tail[0] = 1.0
    return tail / tail.norm()


def _babble(others: Sequence[Tensor], size: int, generator: torch.Generator) -> Tensor:
    babble = torch.zeros(size)
    for _ in range(1 + _drawn(VOICES, generator)):
        voice = others[_drawn(len(others), generator)]
        voice = voice.roll(-_drawn(len(voice), generator)).repeat(-(-size // len(voice)))[:size]
        babble += voice / _power(voice).sqrt().clamp_min(1e-6)
    return babble


def _sum_of(hertz: Sequence[float], size: int, rate: int, generator: torch.Generator) -> Tensor:
    time = torch.arange(size) / rate
    sound = torch.zeros(size)
    for each in hertz:
        sound += uniform(0.2, 1.0, generator) * torch.sin(
            2 * math.pi * (each * time + uniform(0, 1, generator))
        )
    return sound


def _hum(size: int, rate: int, generator: torch.Generator) -> Tensor:
    """The hum of mains with some harmonics."""
    mains = 50.0 if uniform(0, 1, generator) < 0.5 else 60.0
    return _sum_of(
        [mains * (1 + 2 * order) for order in range(1 + _drawn(4, generator))], size, rate, generator
    )


def _tones(size: int, rate: int, generator: torch.Generator) -> Tensor:
    """Tones or chords, steady or struck again and again."""
    root = 2 ** uniform(6.5, 11.5, generator)  # 90 to 2,900 Hz
    chord = [root * 2 ** (step / 12) for step in (0, 4, 7, 12)[: 1 + _drawn(4, generator)]]
    sound = _sum_of([each for each in chord if each < rate / 2], size, rate, generator)
    if uniform(0, 1, generator) < 0.5:
        beat = round(uniform(0.15, 1.5, generator) * rate)
        sound = sound * torch.exp(-(torch.arange(size) % beat) / rate * uniform(0.5, 12.0, generator))
    return sound


def _dialled(size: int, rate: int, generator: torch.Generator) -> Tensor:
    """The tones of telephone keys."""
    length, gap = (round(uniform(0.05, 0.3, generator) * rate) for _ in range(2))
    parts = []
    for _ in range(size // (length + gap) + 1):
        pair = [row[_drawn(4, generator)] for row in DTMF]
        parts += [_sum_of(pair, length, rate, generator), torch.zeros(gap)]
    return torch.cat(parts)[:size]


def _recordings(folder: Path, rate: int) -> list[Tensor]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    found = []
    for path in paths:
        try:
            sound = torch.from_numpy(read_audio(path, rate))
        except TriscribeError:
            continue
        found.append(sound)
    if not found:
        raise DataError(folder, "holds no recordings", "name a folder of recordings")
    return found


def _from_direct_sound(room: Tensor) -> Tensor:
    """An impulse response from its peak on, with energy 1."""
    room = room[max(0, int(room.abs().argmax()) - 8) :]
    return room / room.norm().clamp_min(1e-6)
