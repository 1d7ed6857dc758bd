"""Surroundings: nothing at strength zero, the ratios asked for, the same again from one seed."""

import math
from dataclasses import replace

import pytest
import torch

from pipelines.errors import DataError
from recipes.asr.codecs import COMPRESSION, available, coded, mu_law, written_and_read
from recipes.asr.options import CARRIED, SpeechAugmentation
from recipes.asr.surroundings import (
    Surroundings,
    cut_tightly,
    in_a_room,
    mixed,
    padded,
    speechless,
    surrounded,
)
from tests.data.media import write_audio

RATE = 8000
STILL = replace(SpeechAugmentation(), **dict.fromkeys(CARRIED, 0.0))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spoken(seconds: float = 1.0) -> torch.Tensor:
    """A tone with silence on both sides, each as long as it."""
    tone = 0.3 * torch.sin(2 * math.pi * 440 * torch.arange(round(seconds * RATE)) / RATE)
    return torch.cat([torch.zeros_like(tone), tone, torch.zeros_like(tone)])


def power(sound: torch.Tensor) -> float:
    return float(sound.square().mean())


def test_no_strength_is_the_identity():
    speech = spoken()
    assert torch.equal(surrounded(speech, [], Surroundings(), STILL, RATE, seeded(1)), speech)


@pytest.mark.parametrize("name", CARRIED)
def test_each_change_happens_and_the_generator_decides_it(name):
    speech, others = spoken(), [torch.randn(RATE, generator=seeded(9))]
    options = replace(STILL, **{name: 1.0})
    first, second, other = (
        surrounded(speech, others, Surroundings(), options, RATE, seeded(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert first.shape != other.shape or not torch.equal(first, other)
    assert first.shape != speech.shape or not torch.equal(first, speech)
    assert first.isfinite().all()
    assert torch.equal(speech, spoken())  # what is given stays


@pytest.mark.parametrize("snr", [0.0, 20.0])
def test_noise_has_the_ratio_asked_for(snr):
    """Digital silence around the speech does not count."""
    speech, noise = spoken(), torch.randn(3 * RATE, generator=seeded(1))
    added = mixed(speech, noise, snr) - speech
    assert 10 * math.log10(power(speech[RATE : 2 * RATE]) / power(added)) == pytest.approx(snr, abs=0.1)


def test_a_room_that_is_only_direct_sound_changes_nothing():
    torch.testing.assert_close(in_a_room(spoken(), torch.tensor([1.0])), spoken(), atol=1e-5, rtol=0)


def test_a_tight_cut_leaves_the_speech():
    cut = cut_tightly(spoken(), 0.0, RATE)
    assert len(cut) == pytest.approx(RATE, abs=0.06 * RATE)
    assert power(cut) == pytest.approx(0.045, rel=0.1)
    silent = torch.zeros(RATE)
    assert torch.equal(cut_tightly(silent[:10], 0.0, RATE), silent[:10])
    assert len(cut_tightly(silent, 0.0, RATE)) == RATE


def test_silence_is_added_on_both_sides():
    longer = padded(torch.ones(RATE), 2.0, RATE, seeded(3))
    assert RATE < len(longer) <= 5 * RATE and longer.sum() == RATE
    assert longer[0] == longer[-1] == 0


def test_nobody_speaks_in_as_many_samples_as_asked():
    sounds = [speechless(Surroundings(), STILL, 5000, RATE, seeded(seed)) for seed in range(40)]
    assert {len(sound) for sound in sounds} == {5000}
    assert all(sound.isfinite().all() and sound.abs().max() <= 1.0 for sound in sounds)
    assert (
        max(sound.abs().max() for sound in sounds) > 0.3 > 0.01 > min(sound.abs().max() for sound in sounds)
    )


def test_recordings_of_folders_are_used(tmp_path):
    for folder in ("noise/deep", "room", "empty"):
        (tmp_path / folder).mkdir(parents=True)
    write_audio(tmp_path / "noise" / "deep" / "tone.wav", spoken()[RATE:].numpy(), RATE)
    room = torch.zeros(400)
    room[100], room[200] = 0.8, -0.4
    write_audio(tmp_path / "room" / "one.wav", room.numpy(), RATE)
    (tmp_path / "noise" / "README.txt").write_text("no recording")
    around = Surroundings.of(tmp_path / "noise", tmp_path / "room", RATE)
    assert len(around.noises) == len(around.rooms) == 1
    assert around.rooms[0].norm() == pytest.approx(1.0, abs=1e-5)
    assert int(around.rooms[0].abs().argmax()) < 20  # it begins with the direct sound
    assert Surroundings.of(None, None, RATE) == Surroundings([], [])
    for folder in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(DataError, match="holds no recordings"):
            Surroundings.of(folder, None, RATE)


def test_mu_law_is_close_and_as_loud():
    speech = spoken()[RATE : 2 * RATE]
    error = mu_law(speech) - speech
    assert 25 < 10 * math.log10(power(speech) / power(error)) < 50


@pytest.mark.parametrize("seed", range(12))
def test_codecs_keep_length_and_level(seed):
    speech = spoken()
    heard = coded(speech, RATE, seeded(seed))
    assert heard.shape == speech.shape
    assert power(heard) == pytest.approx(power(speech), rel=0.3)


@pytest.mark.parametrize("rate", [8000, RATE])
@pytest.mark.parametrize("compression", COMPRESSION)
def test_codecs_take_the_strongest_and_the_weakest_compression(rate, compression):
    speech = spoken()
    for kind in available():
        assert power(written_and_read(speech, rate, kind, compression)) > 0


def test_codecs_that_are_missing_are_left_out(monkeypatch):
    import soundfile

    monkeypatch.setattr(
        soundfile, "available_subtypes", lambda layout: {"GSM610": ""} if layout == "WAV" else {}
    )
    available.cache_clear()
    assert available() == ("gsm",)
    available.cache_clear()
