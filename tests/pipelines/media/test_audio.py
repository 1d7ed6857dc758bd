"""pipelines.media.audio: every kind of recording in, mono blocks out, and a word on all that is wrong."""

import builtins
import io
import os
import struct
import subprocess
import sys
import threading

import av
import numpy as np
import pytest
import soundfile
import torch

from pipelines.errors import MediaError
from pipelines.media import files
from pipelines.media.audio import open_audio, read_audio
from pipelines.media.kind import kind_of
from pipelines.media.recording import Audio, DamagedMedia, resample
from tests.data.media import chirp, cut, noise, pitch, tone, write_audio, write_container, write_tracks


def whole(audio: Audio, **options) -> np.ndarray:
    return np.concatenate(list(audio.blocks(**options)))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("ending", "sample_rate"),
    [
        ("wav", 8000),
        ("wav", 192000),
        ("flac", 16000),
        ("flac", 96000),
        ("ogg", 22050),
        ("aiff", 44100),
        ("mp3", 8000),
        ("mp3", 44100),
        ("m4a", 44100),
        ("m4a", 16000),
        ("mka", 48000),
        ("webm", 48000),
        ("aac", 16000),
        ("avi", 22050),
    ],
)
def test_round_trip(tmp_path, ending, sample_rate, channels):
    path = write_audio(tmp_path / f"x.{ending}", tone(2.0, sample_rate, 440.0, channels), sample_rate)
    audio = open_audio(path)
    samples = whole(audio)
    assert audio.name == str(path) and audio.sample_rate == sample_rate
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert len(samples) / sample_rate == pytest.approx(2.0, abs=0.15)
    assert audio.duration == len(samples) / sample_rate
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    assert pitch(middle, sample_rate) == pytest.approx(440, abs=2)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), abs=0.03)
    assert kind_of(path).sound


@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM"]
)
def test_wav_subtypes(tmp_path, subtype):
    path = write_audio(tmp_path / "x.wav", chirp(), subtype=subtype)
    np.testing.assert_allclose(read_audio(path, 16000)[:16000], chirp(), atol=0.1)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_audio_track_of_a_video(tmp_path, ending):
    path = write_container(tmp_path / f"x.{ending}", tone(2.0, 44100), 44100, video_seconds=3.0)
    samples = whole(open_audio(path))
    assert len(samples) / 44100 == pytest.approx(2.0, abs=0.15)
    assert pitch(samples[20000:60000], 44100) == pytest.approx(440, abs=2)


def test_a_track_that_starts_late_keeps_its_times(tmp_path):
    path = write_container(tmp_path / "x.mkv", tone(1.0), video_seconds=3.0, audio_start=1.5)
    samples = whole(open_audio(path))
    loud = np.flatnonzero(np.abs(samples) > 0.2)
    assert loud[0] / 16000 == pytest.approx(1.5, abs=0.1)
    assert loud[-1] / 16000 == pytest.approx(2.5, abs=0.1)


def test_channels_are_averaged(tmp_path):
    stereo = np.stack([tone(), np.zeros(16000, np.float32)], axis=1)
    path = write_audio(tmp_path / "x.wav", stereo, subtype="FLOAT")
    np.testing.assert_allclose(whole(open_audio(path)), tone() / 2, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "made"), [("x.raw", "a.wav"), ("x.wav", "a.mp3"), ("x.txt", "a.flac"), ("x", "a.m4a")]
)
def test_the_content_decides_not_the_name(tmp_path, name, made):
    path = write_audio(tmp_path / made, tone()).rename(tmp_path / name)
    assert len(whole(open_audio(path))) == pytest.approx(16000, abs=2500)
    assert kind_of(path).sound


@pytest.mark.parametrize("made", ["a.wav", "a.flac", "a.mp3", "a.m4a", "a.webm"])
def test_file_objects(tmp_path, made):
    rate = 48000
    path = write_audio(tmp_path / made, chirp(1.0, rate), rate)
    expected = whole(open_audio(path))
    memory = io.BytesIO(path.read_bytes())
    memory.seek(5)
    np.testing.assert_array_equal(whole(open_audio(memory)), expected)
    assert open_audio(memory).name == "<file object>"
    with open(path, "rb") as file:
        audio = open_audio(file)
        assert audio.name == str(path)
        np.testing.assert_array_equal(whole(audio), expected)
        np.testing.assert_array_equal(whole(audio), expected)


def test_pipes_are_spooled(tmp_path):
    content = write_audio(tmp_path / "a.flac", chirp()).read_bytes()
    read_end, write_end = os.pipe()

    def write():
        with open(write_end, "wb") as out:
            out.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    with open(read_end, "rb") as pipe:
        np.testing.assert_allclose(whole(open_audio(pipe)), chirp(), atol=1e-4)
    writer.join()


def test_arrays():
    wave = chirp(1.0)
    stereo = np.stack([wave, wave])
    for source in (wave, stereo, stereo.T, wave.astype(np.float64), torch.from_numpy(stereo)):
        audio = open_audio(source, 16000)
        np.testing.assert_allclose(whole(audio), wave, atol=1e-6)
        assert (audio.name, audio.sample_rate, audio.duration) == ("<array>", 16000, 1.0)
    np.testing.assert_allclose(whole(open_audio(torch.from_numpy(wave).bfloat16(), 16000)), wave, atol=0.01)
    for dtype, offset, full in ((np.int16, 0, 2**15), (np.int32, 0, 2**31), (np.uint8, 128, 128)):
        integers = (wave.astype(np.float64) * full + offset).astype(dtype)
        np.testing.assert_allclose(whole(open_audio(integers, 16000)), wave, atol=0.01)


def test_the_array_is_not_shared():
    wave = chirp()
    for block in open_audio(wave, 16000).blocks():
        block[:] = 0
    np.testing.assert_array_equal(wave, chirp())


@pytest.mark.parametrize(
    ("array", "sample_rate", "says"),
    [
        (np.array([0.1, np.nan]), 16000, "not finite"),
        (np.array([0.1, np.inf]), 16000, "not finite"),
        (torch.tensor([float("nan")]), 16000, "not finite"),
        (np.zeros(0), 16000, "no samples"),
        (np.zeros((2, 0)), 16000, "no samples"),
        (np.zeros((2, 2, 2)), 16000, "shape"),
        (np.array(1.0), 16000, "shape"),
        (np.zeros(9), None, "sample rate"),
        (np.zeros(9), 0, "sample rate"),
        (np.zeros(9, np.int64), 16000, "int64"),
        (np.zeros(9, complex), 16000, "complex"),
        (np.zeros(9, bool), 16000, "bool"),
    ],
)
def test_arrays_refused(array, sample_rate, says):
    with pytest.raises(MediaError, match=f"<array>.*{says}"):
        open_audio(array, sample_rate)


@pytest.mark.parametrize("made", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.m4a"])
@pytest.mark.parametrize("seconds", [0.0101, 0.7, 30.0])
def test_blocks_join_to_the_whole(tmp_path, made, seconds):
    path = write_audio(tmp_path / made, chirp(3.0))
    audio = open_audio(path)
    blocks = list(audio.blocks(seconds))
    assert {len(block) for block in blocks[:-1]} <= {round(seconds * 16000)}
    assert 0 < len(blocks[-1]) <= round(seconds * 16000)
    np.testing.assert_array_equal(np.concatenate(blocks), whole(audio, seconds=1000.0))
    np.testing.assert_array_equal(np.concatenate(blocks), read_audio(path, 16000))


def test_blocks_of_no_length():
    with pytest.raises(ValueError, match="one sample"):
        next(open_audio(tone(), 16000).blocks(0))


def test_an_hour_is_never_held_whole(tmp_path, monkeypatch):
    path = tmp_path / "hour.wav"
    with soundfile.SoundFile(path, "w", 1000, 1) as file:
        for _ in range(60):
            file.write(tone(60.0, 1000))
    longest = []
    read = soundfile.SoundFile.read

    def watched(self, *args, **options):
        piece = read(self, *args, **options)
        longest.append(len(piece))
        return piece

    monkeypatch.setattr(soundfile.SoundFile, "read", watched)
    audio = open_audio(path)
    assert audio.duration == 3600
    blocks = audio.blocks(30.0)
    assert len(next(blocks)) == 30000
    assert sum(longest) < 50000  # nothing is read ahead
    lengths = [len(block) for block in blocks]
    assert lengths == [30000] * 119
    assert max(longest) < 10000


def test_read_and_resample(tmp_path):
    path = write_audio(tmp_path / "x.flac", tone(1.0, 44100), 44100)
    samples = read_audio(path, 16000)
    assert samples.dtype == np.float32 and len(samples) == 16000
    np.testing.assert_allclose(samples[500:-500], tone()[500:-500], atol=0.01)
    np.testing.assert_allclose(read_audio(tone(1.0, 44100), 16000, source_rate=44100), samples, atol=1e-4)
    np.testing.assert_array_equal(resample(tone(), 16000, 16000), tone())
    assert len(resample(np.zeros(0, np.float32), 8000, 16000)) == 0
    with pytest.raises(MediaError, match="sample rate"):
        read_audio(tone(), 16000)


def test_a_file_states_its_own_rate(tmp_path):
    path = write_audio(tmp_path / "x.wav", tone())
    assert open_audio(path, 16000).sample_rate == 16000
    with pytest.raises(MediaError, match="16000 Hz, not 8000"):
        open_audio(path, 8000)


# What is wrong with a file.


def refused(source, *says: str) -> MediaError:
    with pytest.raises(MediaError) as caught:
        whole(open_audio(source))
    assert isinstance(source, io.IOBase) or str(source) in str(caught.value)
    for part in says:
        assert part in str(caught.value)
    assert caught.value.way_out
    return caught.value


def test_not_there(tmp_path):
    refused(tmp_path / "missing.wav", "does not exist")
    refused(tmp_path, "is a folder")
    (tmp_path / "empty.wav").touch()
    refused(tmp_path / "empty.wav", "empty (0 bytes)")
    refused(io.BytesIO(), "<file object>", "empty")


def test_not_a_source(tmp_path):
    with pytest.raises(MediaError, match="neither a path"):
        open_audio([0.1, 0.2])
    (tmp_path / "x.txt").write_text("hello")
    with open(tmp_path / "x.txt") as file, pytest.raises(MediaError, match="mode 'rb'"):
        open_audio(file)


def test_permission_denied(tmp_path, monkeypatch):
    path = write_audio(tmp_path / "x.wav", tone())
    opening = builtins.open

    def denied(name, *args, **options):
        if name == str(path):
            raise PermissionError(13, "Permission denied", name)
        return opening(name, *args, **options)

    monkeypatch.setattr(builtins, "open", denied)
    refused(path, "permission denied")


OTHER_FILES = {
    "renamed.wav": (b"hello there\n" * 500, "a text file"),
    "umlauts.mp3": (("Grüße\n" * 900).encode(), "a text file"),
    "utf16.txt": (("hello there\n" * 900).encode("utf-16"), "a text file"),
    "page.mp3": (b"\n<!DOCTYPE html><html>404</html>", "a web page"),
    "code.py": (b"import os\nprint(os.getcwd())\n", "a text file"),
    "data.json": (b'{"a": [1, 2, 3]}', "a text file"),
    "list.m3u8": (b"#EXTM3U\n#EXTINF:10,\nx.wav\n", "a text file"),
    "paper.pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(500), "a PDF document"),
    "page.docx": (b"PK\x03\x04" + bytes(500), "a ZIP archive"),
    "random.bin": (np.random.default_rng(0).bytes(50000), "not in a supported audio or video format"),
    "zeros.bin": (bytes(50000), "not in a supported audio or video format"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_not_media(tmp_path, name):
    content, says = OTHER_FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    assert not isinstance(refused(path, says), DamagedMedia)
    assert kind_of(path).ruined or not kind_of(path).sound


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "tiff", "webp"])
def test_images_are_not_audio(tmp_path, ending):
    from PIL import Image

    path = tmp_path / f"x.{ending}"
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(path)
    refused(path)
    assert not kind_of(path).sound


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_video_without_audio(tmp_path, ending):
    path = write_container(tmp_path / f"x.{ending}", None, video_seconds=1.0)
    refused(path, "no audio track")
    assert not kind_of(path).sound


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("a.wav", "ends after 4.0 of 10.0 seconds"),
        ("a.aiff", "ends after 4.0 of 10.0 seconds"),
        ("a.flac", "of 10.0 seconds"),
        ("a.ogg", "breaks off"),
        ("a.mp3", "of 10.0 seconds"),
        ("a.mka", "of 10.0 seconds"),
        ("a.webm", "of 10.0 seconds"),
    ],
)
def test_truncated(tmp_path, made, says):
    rate = 48000
    path = cut(write_audio(tmp_path / made, noise(10.0, rate), rate), 0.4)
    error = refused(path, says)
    assert isinstance(error, DamagedMedia)
    audio = open_audio(path)
    samples = whole(audio, strict=False)
    assert 2.0 < len(samples) / rate < 5.0
    assert says in audio.damage
    assert audio.duration == len(samples) / rate
    assert len(read_audio(path, rate, strict=False)) == len(samples)
    assert kind_of(path).sound


def test_truncated_mp4(tmp_path):
    path = write_container(tmp_path / "a.m4a", noise(10.0))
    index_lost = cut(path, 0.4, "index_lost.m4a")
    assert isinstance(refused(index_lost, "cut off"), DamagedMedia)
    assert kind_of(index_lost).sound
    streamed = write_container(tmp_path / "b.m4a", noise(10.0), movflags="faststart")
    half = cut(streamed, 0.5, "half.m4a")
    assert isinstance(refused(half, "of 10.0 seconds"), DamagedMedia)
    audio = open_audio(half)
    assert 3.0 < len(whole(audio, strict=False)) / 16000 < 6.0
    assert audio.damage


def test_a_wav_cut_within_or_after_its_header(tmp_path):
    path = write_audio(tmp_path / "a.wav", tone())
    for size in (20, 44):
        refused(cut(path, size / path.stat().st_size + 1e-6))


def test_damage_in_the_middle_is_skipped_if_asked(tmp_path):
    path = write_container(tmp_path / "a.m4a", noise(10.0), movflags="faststart")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(number * 7 % 256 for number in range(3000))
    path.write_bytes(content)
    refused(path, "damaged at")
    audio = open_audio(path)
    assert len(whole(audio, strict=False)) / 16000 == pytest.approx(10.0, abs=0.2)
    assert "damaged packets skipped" in audio.damage
    whole(audio, strict=False)
    assert audio.damage.count("skipped") == 1  # each pass starts afresh


def test_damaged_flac(tmp_path):
    path = write_audio(tmp_path / "a.flac", noise(10.0))
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = b"Z" * 400
    path.write_bytes(content)
    refused(path, "damaged at 4.", "of 10.0 seconds")
    audio = open_audio(path)
    assert 4.0 < len(whole(audio, strict=False)) / 16000 < 5.1


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_wav_written_to_a_pipe(tmp_path, stated):
    path = write_audio(tmp_path / "x.wav", chirp())
    content = path.read_bytes()
    at = content.index(b"data") + 4
    size = struct.pack("<I", stated)
    path.write_bytes(content[:4] + size + content[8:at] + size + content[at + 4 :])
    np.testing.assert_allclose(whole(open_audio(path)), chirp(), atol=1e-4)


def test_wav_with_odd_chunks(tmp_path):
    path = write_audio(tmp_path / "x.wav", chirp())
    content = path.read_bytes()
    riff_wrong = content[:4] + struct.pack("<I", 99) + content[8:]
    path.write_bytes(riff_wrong[:12] + b"junk" + struct.pack("<I", 3) + b"abc\0" + riff_wrong[12:])
    np.testing.assert_allclose(whole(open_audio(path)), chirp(), atol=1e-4)
    path.write_bytes(content + b"LIST" + struct.pack("<I", 400) + b"INFO")
    np.testing.assert_allclose(whole(open_audio(path)), chirp(), atol=1e-4)
    path.write_bytes(content[:-1])
    assert len(whole(open_audio(path))) == 15999


def test_mp3_of_varying_bit_rate_without_a_header_is_read_to_its_end(tmp_path):
    signal = np.concatenate([noise(2.0), tone(20.0)])
    path = tmp_path / "x.mp3"
    soundfile.write(path, signal, 16000, bitrate_mode="VARIABLE", compression_level=0.5)
    content = path.read_bytes()
    first = max(content.find(b"Xing"), content.find(b"Info"))
    frame = content.find(b"\xff\xf3", first)
    path.write_bytes(content[frame:])
    audio = open_audio(path)
    assert audio.duration is None
    assert len(whole(audio)) / 16000 == pytest.approx(22.0, abs=0.3)


def test_no_samples(tmp_path):
    path = write_audio(tmp_path / "x.wav", np.zeros(0, np.float32))
    refused(path, "no samples")


def test_silence(tmp_path):
    path = write_audio(tmp_path / "x.wav", np.full(16000, 5e-5, np.float32), subtype="FLOAT")
    assert not isinstance(refused(path, "silent", "1.0 seconds"), DamagedMedia)
    assert len(whole(open_audio(path), strict=False)) == 16000
    late = np.zeros(32000, np.float32)
    late[-100:] = 0.1
    assert len(list(open_audio(late, 16000).blocks(0.5))) == 4


def test_not_a_number_in_a_file(tmp_path):
    samples = np.tile(tone(), 2)
    samples[20000] = np.nan
    path = write_audio(tmp_path / "x.wav", samples, subtype="FLOAT")
    refused(path, "not numbers at 1.0 seconds")
    audio = open_audio(path)
    assert np.isfinite(whole(audio, strict=False)).all()
    assert "not numbers" in audio.damage


def test_the_examples_can_be_read():
    folder = os.path.join(os.path.dirname(__file__), "..", "..", "..", "examples", "speech")
    recordings = [name for name in sorted(os.listdir(folder)) if not name.endswith(".txt")]
    assert len(recordings) >= 10
    for name in recordings:
        path = os.path.join(folder, name)
        assert kind_of(path).sound
        assert 0.2 < max(np.abs(block).max() for block in open_audio(path).blocks()) < 0.8
        with open(os.path.splitext(path)[0] + ".txt") as transcript:
            assert transcript.read().strip().isupper()


def test_importing_is_cheap():
    heavy = {"torch", "torchaudio", "av", "soundfile"}
    code = f"import sys, pipelines.media.audio; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("rate", [11127, 15999, 44101])
def test_odd_sample_rates_are_resampled_too(rate):
    """Rates with no common divisor would need a filter of gigabytes in torchaudio."""
    second = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    resampled = resample(second, rate, 16000)
    assert len(resampled) == 16000
    assert resampled.dtype == np.float32
    assert np.abs(np.fft.rfft(resampled)).argmax() == 440


# Whole recordings that other readers, or a looser reading, would take for damaged ones, or read in part


def joined(path, *parts):
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("rates", [(128, 128), (64, 128)])
def test_mp3_files_that_were_joined_are_whole(tmp_path, rates):
    parts = []
    for number, rate in enumerate(rates):
        path = tmp_path / f"{number}.mp3"
        with av.open(path, "w", options={"write_xing": "1", "id3v2_version": "4"}) as container:
            container.metadata["title"] = "part"
            stream = container.add_stream("libmp3lame", rate=16000, layout="mono", bit_rate=rate * 1000)
            frame = av.AudioFrame.from_ndarray(chirp(2.0)[None], format="fltp", layout="mono")
            frame.sample_rate = 16000
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        parts.append(path)
    audio = open_audio(joined(tmp_path / "both.mp3", *parts))
    assert len(whole(audio)) / 16000 == pytest.approx(4.0, abs=0.3)
    with pytest.raises(DamagedMedia, match="ends after"):
        whole(open_audio(cut(parts[0], 0.5)))


@pytest.mark.parametrize("ending", ["mkv", "webm"])
def test_a_track_that_starts_late_is_whole(tmp_path, ending):
    rate = 48000 if ending == "webm" else 16000
    path = write_container(tmp_path / f"x.{ending}", tone(2.0, rate), rate, audio_start=10.0)
    audio = open_audio(path)
    assert len(whole(audio)) / rate == pytest.approx(2.0, abs=0.15)
    with pytest.raises(DamagedMedia):
        whole(open_audio(cut(path, 0.6)))


def test_a_header_that_says_too_little_loses_nothing(tmp_path):
    path = write_audio(tmp_path / "x.wav", chirp(2.0))
    expected = whole(open_audio(path))
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", 16000)
    path.write_bytes(content)
    audio = open_audio(path)
    assert np.array_equal(whole(audio), expected) and audio.duration == 2.0
    assert audio.notes == ["its header says 0.5 seconds; what follows was read too"]


@pytest.mark.parametrize("junk", ["text", "packed"])
def test_what_is_no_sound_behind_the_end_is_left_out(tmp_path, junk):
    path = write_audio(tmp_path / "x.wav", chirp(1.0))
    expected = whole(open_audio(path))
    packed = np.random.default_rng(0).integers(0, 256, 40_000, dtype=np.uint8).tobytes()
    text = b"Recorded on a Monday, by nobody in particular. " * 800
    with path.open("ab") as file:
        file.write(b"\0\0" + (text if junk == "text" else packed))
    audio = open_audio(path)
    assert np.array_equal(whole(audio), expected) and audio.duration == 1.0
    assert len(audio.notes) == 1 and audio.notes[0].endswith("bytes behind its end, which are no sound")


@pytest.mark.parametrize("ending", ["wav", "flac", "aiff"])
def test_an_id3_tag_before_a_recording_is_passed_over(tmp_path, ending):
    path = write_audio(tmp_path / f"x.{ending}", chirp(1.0))
    expected = whole(open_audio(path))
    tag = b"ID3\x03\0\0" + bytes([0, 0, 40, 8]) + b"\0" * (40 * 128 + 8)
    path.write_bytes(tag + path.read_bytes())
    assert np.array_equal(whole(open_audio(path)), expected)


@pytest.mark.parametrize("rate", [16000, 8000])
def test_wav_files_that_were_joined(tmp_path, rate):
    first = write_audio(tmp_path / "a.wav", chirp(1.0))
    second = write_audio(tmp_path / "b.wav", tone(1.0, rate), rate)
    audio = open_audio(joined(tmp_path / "both.wav", first, second))
    samples = whole(audio)
    assert len(samples) == 32000 and pitch(samples[20000:30000], 16000) == pytest.approx(440, abs=3)
    assert audio.notes == ["another recording follows at 1.0 seconds and was read too"]


@pytest.mark.parametrize("ending", ["ogg", "flac", "aiff", "caf"])
def test_other_files_that_were_joined(tmp_path, ending):
    first = write_audio(tmp_path / f"a.{ending}", chirp(2.0))
    second = write_audio(tmp_path / f"b.{ending}", tone(1.0))
    audio = open_audio(joined(tmp_path / f"all.{ending}", first, second))
    samples = whole(audio)
    assert len(samples) == 48000 and pitch(samples[34000:46000], 16000) == pytest.approx(440, abs=3)
    assert audio.notes == ["another recording follows at 2.0 seconds and was read too"]
    assert len(whole(open_audio(joined(tmp_path / f"more.{ending}", first, second, second, first)))) == 96000
    assert audio.duration == 3.0


@pytest.mark.parametrize("ending", ["flac", "ogg", "aiff", "caf"])
def test_a_short_recording_of_another_format_behind_a_wav_file(tmp_path, ending):
    first = write_audio(tmp_path / "a.wav", chirp(1.0))
    second = write_audio(tmp_path / f"b.{ending}", tone(0.05))
    audio = open_audio(joined(tmp_path / "all.wav", first, second))
    assert len(whole(audio)) == 16800
    assert audio.notes == ["another recording follows at 1.0 seconds and was read too"]


def test_more_joined_files_than_may_be_open(tmp_path):
    part = write_audio(tmp_path / "a.wav", tone(0.3))
    audio = open_audio(joined(tmp_path / "all.wav", *[part] * 1100))
    assert len(whole(audio)) == 1100 * 4800
    assert audio.notes == ["1099 other recordings follow from 0.3 seconds on and were read too"]


@pytest.mark.parametrize("layout", ["W64", "AU", "CAF", "RF64"])
def test_long_layouts_that_were_cut(tmp_path, layout):
    path = tmp_path / "x"
    soundfile.write(path, chirp(2.0), 16000, format=layout)
    assert len(whole(open_audio(path))) == 32000
    with pytest.raises(DamagedMedia, match=r"ends after (0\.9|1\.0) of 2\.0 seconds"):
        whole(open_audio(cut(path, 0.5)))


def test_an_au_file_of_unknown_size_is_whole(tmp_path):
    soundfile.write(tmp_path / "x.au", chirp(2.0), 16000, format="AU")
    content = bytearray((tmp_path / "x.au").read_bytes())
    content[8:12] = b"\xff" * 4
    (tmp_path / "x.au").write_bytes(content)
    assert len(whole(open_audio(tmp_path / "x.au"))) == 32000


def test_chunks_and_tags_behind_the_samples_are_no_samples(tmp_path):
    path = write_audio(tmp_path / "x.wav", chirp(1.0))
    content = path.read_bytes()
    for behind in (b"LIST" + struct.pack("<I", 30000) + b"x" * 30000, b"ID3\x04" + b"y" * 30000, b"\0" * 9):
        path.write_bytes(content + behind)
        audio = open_audio(path)
        assert len(whole(audio)) == 16000 and not audio.notes


def test_channels_of_opposite_phase_do_not_cancel_each_other_out(tmp_path):
    wave = tone(1.0)
    for path in (tmp_path / "x.flac", tmp_path / "x.mka"):
        write_audio(path, np.stack([wave, -wave], axis=1))
        assert np.abs(read_audio(path, 16000)).max() > 0.4
    assert np.abs(read_audio(np.stack([wave, -wave]), 16000, 16000)).max() > 0.4


def test_a_constant_beneath_the_sound_of_each_channel_is_taken_away():
    wave = (tone(25.0) * np.repeat([1, 0, 0.2, 0, 1], 5 * 16000)).astype(np.float32)
    for offsets, sign in (((0.1, 0.1), 1), ((0.3, -0.1), 1), ((0.2, 0.2), -1)):
        channels = np.stack([wave + np.float32(offsets[0]), sign * wave + np.float32(offsets[1])])
        np.testing.assert_allclose(np.abs(read_audio(channels, 16000, 16000)), np.abs(wave), atol=2e-3)
        audio = open_audio(channels, 16000)
        np.testing.assert_array_equal(whole(audio, seconds=0.7), whole(audio, seconds=40.0))
    silent = np.concatenate([np.zeros(12 * 16000), wave + 0.1, np.zeros(16000)]).astype(np.float32)
    found = read_audio(silent, 16000, 16000)
    assert not found[: 12 * 16000].any() and not found[-16000:].any()
    np.testing.assert_allclose(found[12 * 16000 : -16000], wave, atol=2e-3)


def test_sound_without_a_constant_beneath_it_is_left_as_it_is():
    for sound in (noise(0.2), noise(3.0), tone(1.0, frequency=45.0), np.abs(tone(0.05))):
        np.testing.assert_array_equal(read_audio(sound, 16000, 16000), sound)
    with pytest.raises(MediaError, match="silent"):
        read_audio(np.full(16000, 0.3, np.float32), 16000, 16000)


def test_of_several_tracks_the_one_that_can_be_heard_or_the_one_that_is_named(tmp_path):
    path = write_tracks(tmp_path / "x.mkv", np.zeros(32000, np.float32), tone(2.0, frequency=880.0))
    assert pitch(whole(open_audio(path)), 16000) == pytest.approx(880, abs=3)
    both = write_tracks(tmp_path / "y.mkv", tone(2.0), tone(2.0, frequency=880.0))
    for track, frequency in ((None, 440), (1, 440), (2, 880)):
        assert pitch(whole(open_audio(both, track=track)), 16000) == pytest.approx(frequency, abs=3)
    with pytest.raises(MediaError, match="has 2 audio tracks, none of them number 3"):
        open_audio(both, track=3)


def test_time_stamps_that_leap_by_hours_are_not_believed(tmp_path):
    with av.open(tmp_path / "x.mkv", "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        for number in range(50):
            samples = (tone(0.1) * 32767).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16000, number * 3600 * 16000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    audio = open_audio(tmp_path / "x.mkv")
    assert sum(map(len, audio.blocks())) == 50 * 1600
    assert len(audio.notes) == 1 and "leap by 3600 s" in audio.notes[0]


@pytest.mark.parametrize("rate", [1, 3, 500])
def test_sample_rates_that_cannot_be(tmp_path, rate):
    soundfile.write(tmp_path / "x.wav", np.zeros(100), rate)
    with pytest.raises(MediaError, match=f"states a sample rate of {rate} Hz"):
        open_audio(tmp_path / "x.wav")


def test_sixty_four_bit_samples(tmp_path):
    samples = (tone(1.0).astype(np.float64) * 2**62).astype(np.int64)
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 128000, 8, 64)
    data = b"data" + struct.pack("<I", samples.nbytes) + samples.tobytes()
    (tmp_path / "x.wav").write_bytes(b"RIFF" + struct.pack("<I", len(head) + len(data)) + head + data)
    assert pitch(read_audio(tmp_path / "x.wav", 16000), 16000) == pytest.approx(440, abs=2)


# Pipes


def test_a_pipe_is_read_once_however_often_it_is_opened(tmp_path):
    content = write_audio(tmp_path / "x.flac", chirp(3.0)).read_bytes()
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(content), daemon=True)
    writer.start()
    assert kind_of(tmp_path / "pipe").name == "recording"
    assert len(whole(open_audio(tmp_path / "pipe"))) == 48000
    writer.join(10)


def test_a_pipe_that_nothing_writes_to_does_not_hang(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MediaError, match="is a pipe that nothing writes to"):
        open_audio(tmp_path / "pipe")
