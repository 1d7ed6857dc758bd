"""encoders.spectrogram: agrees with librosa, hears each utterance alone, whatever its level and colour."""

import librosa
import pytest
import torch
from torch.nn import functional as F

from encoders.spectrogram import ConvSubsampling, LogMel, Spectrogram
from tests.data.media import chirp, noise

LENGTHS = torch.tensor([3200, 8000, 1, 5001])
SIZES = {"n_mels": 16, "output_size": 12, "channels": 4}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def utterances():
    """(4, 8000): noise with a stretch of digital silence, so that the cut at the dynamic range matters."""
    waveform = 0.3 * torch.randn(len(LENGTHS), int(LENGTHS.max()))
    waveform[:, 1000:1800] = 0.0
    return waveform * (torch.arange(waveform.size(1)) < LENGTHS[:, None])


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050])
@pytest.mark.parametrize("signal", [chirp, noise])
def test_mel_spectrum_is_librosas(sample_rate, signal):
    samples = signal(0.7, sample_rate)
    front = LogMel(sample_rate, n_mels=40)
    power, frames = front.power(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))
    expected = librosa.feature.melspectrogram(
        y=samples,
        sr=sample_rate,
        n_fft=front.n_fft,
        hop_length=front.hop,
        win_length=front.window,
        center=True,
        pad_mode="constant",
        n_mels=40,
        fmin=20.0,
        fmax=sample_rate / 2 - 100.0,
        htk=True,
        norm=None,
    )
    expected = torch.from_numpy(expected.T)
    assert frames.tolist() == [len(expected)]
    torch.testing.assert_close(
        (power @ front.filterbank)[0], expected, rtol=1e-4, atol=1e-6 * float(expected.max())
    )


def test_output_lengths_are_the_real_numbers_of_frames():
    front = Spectrogram(8000, **SIZES)
    lengths = torch.arange(1, 5001)
    claimed = front.output_lengths(lengths)
    # The spectrum's frames depend on the length only through the hop: one of each is enough.
    for length in [*range(1, 5001, front.log_mel.hop), *range(79, 5001, front.log_mel.hop), 5000]:
        y, frames = front(torch.randn(1, length), torch.tensor([length]))
        assert y.size(1) == frames.item() == claimed[length - 1]


@pytest.mark.parametrize(
    "front",
    [LogMel(n_mels=16), LogMel(n_mels=16, statistics="speech"), Spectrogram(**SIZES)],
    ids=["LogMel", "LogMel of speech", "Spectrogram"],
)
def test_an_item_depends_neither_on_neighbours_nor_on_padding(front):
    waveform = utterances()
    y, frames = front(waveform, LENGTHS)
    assert torch.equal(frames, front.output_lengths(LENGTHS))
    padding = torch.arange(waveform.size(1)) >= LENGTHS[:, None]
    for content in (1e3, float("nan")):
        dirty, _ = front(waveform.masked_fill(padding, content), LENGTHS)
        assert torch.equal(dirty, y)
    for item, (length, count) in enumerate(zip(LENGTHS.tolist(), frames.tolist(), strict=True)):
        alone, _ = front(waveform[item : item + 1, :length], LENGTHS[item : item + 1])
        torch.testing.assert_close(alone[0], y[item, :count], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("gain", [0.1, 3.0])
def test_level_changes_nothing(gain):
    waveform = utterances()
    front = LogMel(n_mels=16)
    torch.testing.assert_close(
        front(waveform * gain, LENGTHS)[0], front(waveform, LENGTHS)[0], atol=1e-4, rtol=0
    )


def test_a_gain_of_each_band_changes_nothing():
    front = LogMel(n_mels=16)
    lengths = torch.tensor([8000, 4000])
    power, frames = front.power(torch.randn(2, 8000), lengths)
    equaliser = 10 ** torch.linspace(-1.0, 1.0, 16)  # within the dynamic range: nothing is cut
    coloured = front.normalised(power, frames, front.filterbank * equaliser)
    torch.testing.assert_close(coloured, front.normalised(power, frames), atol=1e-4, rtol=0)


def test_statistics_of_speech_do_not_depend_on_the_silence_around_it():
    front = LogMel(n_mels=16, statistics="speech")
    seconds = torch.arange(8000) / 16000
    speech = (torch.randn(8000) * (1.2 + torch.sin(20 * seconds))).unsqueeze(0)
    silence = torch.zeros(1, 16000)
    alone, frames = front(speech, torch.tensor([8000]))
    within = front(torch.cat([silence, speech, silence], dim=1), torch.tensor([40_000]))[0]
    same = within[:, 100 : 100 + int(frames)]
    torch.testing.assert_close(same[:, 2:-2], alone[:, 2:-2], atol=0.05, rtol=0)
    plain = LogMel(n_mels=16)
    apart = plain(torch.cat([silence, speech, silence], dim=1), torch.tensor([40_000]))[0][
        :, 102 : 98 + int(frames)
    ]
    assert (apart - plain(speech, torch.tensor([8000]))[0][:, 2:-2]).abs().mean() > 0.3


def test_statistics_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="statistics must be one of"):
        LogMel(statistics="words")


def test_features_are_centred_scaled_and_zero_in_the_padding():
    x, frames = LogMel(n_mels=16)(utterances(), LENGTHS)
    for item, count in enumerate(frames.tolist()):
        assert x[item, :count].mean(dim=0).abs().max() < 1e-4
        assert x[item, count:].abs().sum() == 0
    deviations = [x[item, : frames[item]].square().mean().sqrt().item() for item in (0, 1, 3)]
    assert deviations == pytest.approx([1.0] * 3, abs=0.02)


@pytest.mark.parametrize("waveform", [torch.zeros(1, 4000), torch.full((1, 1), 0.5), torch.zeros(1, 1)])
def test_silence_and_a_single_sample_give_finite_features(waveform):
    y, frames = Spectrogram(**SIZES)(waveform, torch.tensor([waveform.size(1)]))
    assert frames.item() == y.size(1) >= 1
    assert y.isfinite().all()


def test_warping_shifts_a_tone_to_a_lower_band():
    front = LogMel(n_mels=40)
    samples = torch.sin(2 * torch.pi * 2000 * torch.arange(8000) / 16000)[None]
    power, _ = front.power(samples, torch.tensor([8000]))
    bands = [(power @ front.warped_filterbank(warp))[0].sum(dim=0).argmax() for warp in (0.8, 1.0, 1.25)]
    assert bands[0] > bands[1] > bands[2]


@pytest.mark.parametrize("strides", [((3, 2), (1, 2)), ((2, 2), (2, 2)), ((1, 1),), ((2, 1), (1, 1), (3, 2))])
def test_padding_never_leaks_through_the_convolutions(strides):
    front = ConvSubsampling(8, 5, channels=3, strides=strides)
    torch.nn.init.ones_(front.convolutions[0].bias)  # what a convolution makes of zeros is not zero
    lengths = torch.tensor([1, 4, 13, 7])
    x = torch.randn(4, 13, 8) * (torch.arange(13) < lengths[:, None])[:, :, None]
    y, frames = front(x, lengths)
    assert torch.equal(frames, front.output_lengths(lengths))
    for item, (length, count) in enumerate(zip(lengths.tolist(), frames.tolist(), strict=True)):
        alone, own = front(x[item : item + 1, :length], lengths[item : item + 1])
        assert own.item() == alone.size(1) == count
        torch.testing.assert_close(alone[0], y[item, :count], atol=1e-6, rtol=1e-5)


def test_frame_seconds_are_the_seconds_between_frames():
    front = Spectrogram(8000, **SIZES, strides=((2, 2), (3, 2)))
    assert front.frame_seconds == pytest.approx(0.06)
    frames = front.output_lengths(torch.tensor([8000 * 60]))
    assert frames.item() * front.frame_seconds == pytest.approx(60, abs=0.06)


def test_gradients_reach_every_parameter_and_the_filterbank_is_none():
    front = Spectrogram(**SIZES, dropout=0.1)
    front(utterances(), LENGTHS)[0].square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in front.parameters())
    assert not [name for name in front.state_dict() if "filterbank" in name or "taper" in name]


def test_dropout_acts_in_training_only():
    front = Spectrogram(**SIZES, dropout=0.5)
    waveform = utterances()
    trained, _ = front(waveform, LENGTHS)
    heard, _ = front.eval()(waveform, LENGTHS)
    assert not torch.equal(trained, heard)
    assert torch.equal(front(waveform, LENGTHS)[0], heard)


@pytest.mark.parametrize("shape", [(8000,), (1, 2, 8000), (1, 8000, 1)])
def test_a_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"must be \(batch, samples\)"):
        Spectrogram(**SIZES)(torch.randn(shape), torch.tensor([8000]))


@pytest.mark.parametrize(
    "sizes",
    [
        {"window": 0.0},
        {"window": 1.5},
        {"hop": 0.0},
        {"hop": 0.03},
        {"n_mels": 0},
        {"n_mels": 257},
        {"sample_rate": 0},
        {"sample_rate": 200, "window": 1.0, "hop": 0.1, "n_mels": 8},  # no room between the bands' limits
        {"sample_rate": 10**6, "window": 1.0, "n_mels": 80},  # a filterbank of 160 MB
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes):
    with pytest.raises(ValueError, match="do not fit"):
        LogMel(**sizes)


@pytest.mark.parametrize("sizes", [{"strides": ((0, 1),)}, {"strides": ((1,),)}, {"channels": 0}])
def test_convolutions_that_cannot_be_are_refused(sizes):
    with pytest.raises(ValueError, match="must be"):
        ConvSubsampling(8, 5, **sizes)


def test_normalisation_has_the_same_digits_whatever_the_padding():
    log_mel, lengths = LogMel(n_mels=8), torch.tensor([61, 90])
    power = torch.rand(2, 90, log_mel.bins)
    whole = log_mel.normalised(power, lengths)
    for more in (1, 7, 300):
        padded = log_mel.normalised(F.pad(power, (0, 0, 0, more)), lengths)
        assert torch.equal(padded[:, :90], whole)
    assert torch.equal(log_mel.normalised(power[:1, :61], lengths[:1])[0], whole[0, :61])


@pytest.mark.parametrize("samples", [1, 160, 16000, 41120])
def test_a_short_recording_alone_is_convolved_as_in_a_batch(samples):
    """PyTorch takes kernels of its own for one small input, whose last digits differ."""
    front = Spectrogram(n_mels=80, output_size=6, channels=4).eval()
    sizes = []
    for convolution in front.subsampling.convolutions:
        convolution.register_forward_hook(lambda module, given, made: sizes.append(given[0].numel()))
    x, lengths = torch.randn(1, samples), torch.tensor([samples])
    y, frames = front(x, lengths)
    assert min(sizes) > 20_480 and y.shape[1] == frames.item() == front.output_lengths(samples)
    both, _ = front(x.repeat(2, 1), lengths.repeat(2))
    torch.testing.assert_close(y[0], both[0])
