"""Speech as telephones, radios and files carry it: narrow bands and lossy codecs."""

from __future__ import annotations

import io
from functools import cache

import torch
from torch import Tensor
from torchaudio.functional import mu_law_decoding, mu_law_encoding, resample

NARROW = 8000  # Hz, the sample rate of telephones
LEVELS = 256  # of mu-law
RATES = 8000, 12000, 16000, 24000, 48000  # Hz, that Opus takes
COMPRESSION = 0.5, 0.99  # of 0 to 1; libsndfile refuses MP3 at the very end
FILES = {"gsm": ("WAV", "GSM610"), "mp3": ("MP3", "MPEG_LAYER_III"), "opus": ("OGG", "OPUS")}


def coded(speech: Tensor, rate: int, generator: torch.Generator) -> Tensor:
    """Speech, (samples,) float32, behind a random codec of those that this machine has, or a narrow band."""
    kinds = ("band", "mu-law", *available())
    kind = kinds[int(torch.randint(len(kinds), (), generator=generator))]
    strength = float(torch.rand((), generator=generator))
    if kind == "band":
        return through(speech, rate, NARROW + round(4 * strength) * 1000)
    if kind == "mu-law":
        return resample(mu_law(resample(speech, rate, NARROW)), NARROW, rate)[: len(speech)]
    narrow = NARROW if kind == "gsm" or strength < 0.3 or (kind == "opus" and rate not in RATES) else rate
    compression = COMPRESSION[0] + strength * (COMPRESSION[1] - COMPRESSION[0])
    sound = written_and_read(resample(speech, rate, narrow), narrow, kind, compression)
    sound = resample(sound, narrow, rate)[: len(speech)]
    return torch.nn.functional.pad(sound, (0, len(speech) - len(sound)))


def through(speech: Tensor, rate: int, narrow: int) -> Tensor:
    """Speech through a sample rate, Hz."""
    return resample(resample(speech, rate, narrow), narrow, rate)[: len(speech)]


def mu_law(speech: Tensor) -> Tensor:
    """Speech in the 8 bits of ITU-T G.711 mu-law, as loud as it is."""
    return mu_law_decoding(mu_law_encoding(speech.clamp(-1, 1), LEVELS), LEVELS)


@cache
def available() -> tuple[str, ...]:
    """The codecs that the installed libsndfile writes."""
    import soundfile

    return tuple(
        name
        for name, (layout, subtype) in FILES.items()
        if layout in soundfile.available_formats() and subtype in soundfile.available_subtypes(layout)
    )


def written_and_read(speech: Tensor, rate: int, kind: str, compression: float) -> Tensor:
    """Speech, (samples,), out of a file of a kind; its length may differ."""
    import soundfile

    layout, subtype = FILES[kind]
    chosen = {} if kind == "gsm" else {"compression_level": compression}
    file = io.BytesIO()
    soundfile.write(file, speech.clamp(-1, 1).numpy(), rate, subtype, format=layout, **chosen)
    file.seek(0)
    return torch.from_numpy(soundfile.read(file, dtype="float32")[0])
