"""pipelines.media.video: every kind of video in, upright frames with times out, and a word on the rest."""

import io
import os
from fractions import Fraction
from itertools import islice

import av
import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.errors import MediaError
from pipelines.media import video_file
from pipelines.media.kind import kind_of
from pipelines.media.recording import DamagedMedia
from pipelines.media.video import open_video
from pipelines.reading.sources import row_for, rows_of
from tests.data.clips import number_of, numbered, spoil, turn, write_video
from tests.data.media import cut, tone, write_audio


def numbers(frames):
    return [number_of(frame.pixels) for frame in frames]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """20 seconds, a key frame every second, B-frames between them."""
    return write_video(tmp_path_factory.mktemp("clip") / "x.mp4", 200, g="10", bf="2")


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("x.mp4", "libx264"),
        ("x.mkv", "libx264"),
        ("x.mov", "mpeg4"),
        ("x.avi", "mpeg4"),
        ("x.webm", "libvpx"),
        ("x.ts", "libx264"),
        ("x.h264", "libx264"),
        ("x.gif", "gif"),
        ("x.apng", "apng"),
    ],
)
def test_every_frame_once_in_order(tmp_path, name, codec):
    path = write_video(tmp_path / name, 20, codec=codec, g="12", bf="2")
    video = open_video(path)
    frames = list(video.frames())
    assert (video.name, video.size, video.rotation, video.damaged) == (str(path), (80, 48), 0, 0)
    assert numbers(frames) == list(range(20))
    first = 0.1 if name == "x.avi" else 0.0  # AVI files have no times, and so none for B-frames
    step = 0.04 if name == "x.h264" else 0.1  # neither have bare streams, and no rate either
    assert [frame.time for frame in frames] == pytest.approx(np.arange(20) * step + first, abs=0.011)
    assert {(frame.pixels.shape, frame.pixels.dtype) for frame in frames} == {((48, 80, 3), np.dtype("u1"))}
    assert np.abs(frames[7].pixels[30, 10].astype(int) - (200, 30, 30)).max() < 40
    assert video.rate == pytest.approx(1 / step)
    assert numbers(video.frames(count=5)) == [2, 6, 10, 14, 18] if first == 0 else [1, 5, 9, 13, 17]
    assert video.duration == pytest.approx(20 * step, abs=0.11)
    assert kind_of(path).name == ("animated image" if name in ("x.gif", "x.apng") else "video")


def test_opencv_sees_the_same(clip):
    """The second opinion: another reader of the same file."""
    capture, ours = cv2.VideoCapture(str(clip)), open_video(clip).frames()
    for frame in islice(ours, 30):
        found, theirs = capture.read()
        assert found
        assert np.abs(frame.pixels.astype(int) - theirs[..., ::-1]).mean() < 2


def test_sampling_by_time(clip):
    video = open_video(clip)
    assert video.duration == pytest.approx(20.0, abs=0.01)
    assert numbers(video.frames(count=4)) == [25, 75, 125, 175]
    assert numbers(video.frames(every=5)) == [0, 50, 100, 150]
    assert numbers(video.frames(every=0.25, start=3, end=4)) == [30, 32, 35, 37]
    assert numbers(video.frames(start=9.95, end=10.25)) == [100, 101, 102]
    assert numbers(video.frames(count=3, start=19.8)) == [198, 199, 199]
    assert [frame.time for frame in video.frames(every=7)] == pytest.approx([0, 7, 14])
    assert len(list(video.frames(count=500))) == 500


def test_leaps_and_plain_decoding_agree(clip):
    """Whatever the distances, the same frames are shown as when all are decoded."""
    video = open_video(clip)
    for every in (0.7, 1.3, 2.05, 3.9):
        wanted = [int(step * every * 10 + 1e-6) for step in range(int(np.ceil(20 / every)))]
        assert numbers(video.frames(every=every)) == wanted


def test_sparse_sampling_decodes_little(tmp_path, monkeypatch):
    video, decoded = open_video(write_video(tmp_path / "x.mp4", 1200, g="20", preset="ultrafast")), []
    decode = video_file._decoded

    def watched(*args):
        for frame in decode(*args):
            decoded.append(frame)
            yield frame

    monkeypatch.setattr(video_file, "_decoded", watched)
    assert [frame.time for frame in video.frames(count=4)] == pytest.approx([15, 45, 75, 105])
    assert len(decoded) < 4 * 25
    decoded.clear()
    next(video.frames())
    assert len(decoded) < 5


def test_variable_rate_keeps_its_times(tmp_path):
    times = [0, 0.04, 0.1, 1.5, 1.6, 4.0, 4.05]
    for name in ("x.mp4", "x.mkv"):
        video = open_video(write_video(tmp_path / name, times, bf="0"))
        frames = list(video.frames())
        assert [frame.time for frame in frames] == pytest.approx(times, abs=0.002)
        assert numbers(video.frames(every=1.0, end=4.06)) == [0, 2, 4, 4, 5]


def test_smaller_while_decoding(clip):
    video = open_video(clip)
    small = next(video.frames(shorter_side=24)).pixels
    whole = next(video.frames()).pixels
    assert small.shape == (24, 40, 3)
    assert np.abs(small.astype(int) - cv2.resize(whole, (40, 24), interpolation=cv2.INTER_AREA)).mean() < 3
    assert next(video.frames(shorter_side=1000)).pixels.shape == whole.shape, "never enlarged"


@pytest.mark.parametrize(
    ("matrix", "clockwise", "upright"),
    [
        ((1, 0, 0, 1), 0, lambda pixels: pixels),
        ((0, 1, -1, 0), 90, lambda pixels: np.rot90(pixels, -1)),
        ((-1, 0, 0, -1), 180, lambda pixels: np.rot90(pixels, 2)),
        ((0, -1, 1, 0), 270, lambda pixels: np.rot90(pixels, 1)),
        ((-1, 0, 0, 1), 0, lambda pixels: pixels[:, ::-1]),
        ((0, 1, 1, 0), 90, lambda pixels: pixels.transpose(1, 0, 2)),
    ],
)
def test_turned_frames_are_upright(tmp_path, matrix, clockwise, upright):
    path = write_video(tmp_path / "x.mp4", 3)
    plain = next(open_video(path).frames()).pixels
    video = open_video(turn(path, *matrix))
    frame = next(video.frames())
    np.testing.assert_array_equal(frame.pixels, upright(plain))
    assert video.size == frame.pixels.shape[1::-1]
    assert next(video.frames(shorter_side=24)).pixels.shape[:2] == upright(plain[::2, ::2]).shape[:2]
    if matrix[0] * matrix[3] - matrix[1] * matrix[2] > 0:
        assert video.rotation == clockwise
        theirs = cv2.VideoCapture(str(path)).read()[1][..., ::-1]
        assert np.abs(frame.pixels.astype(int) - theirs).mean() < 2


def test_damaged_frames_are_skipped_and_counted(tmp_path):
    path = spoil(write_video(tmp_path / "x.mp4", 60, g="10", bf="0"), range(23, 25))
    video = open_video(path)
    frames = list(video.frames())
    assert 1 <= video.damaged <= 7, "until the next key frame at most"
    assert len(frames) + video.damaged in (60, 59)
    seen = {round(frame.time * 10): frame for frame in frames}
    assert all(number_of(seen[index].pixels) == index for index in [*range(23), *range(30, 60)])
    assert len(list(video.frames(count=60))) == 60
    assert list(open_video(path).frames(start=3.0))[0].time == pytest.approx(3.0)


def test_one_that_breaks_off(tmp_path):
    path = write_video(tmp_path / "x.mp4", 100, g="10", movflags="faststart")
    video = open_video(cut(path, 0.8))
    with pytest.raises(DamagedMedia, match=r"cut_x.mp4: breaks off after [4-8]\.\d of 10.0 seconds"):
        list(video.frames())
    with pytest.raises(DamagedMedia, match="breaks off"):
        list(video.frames(count=4))
    rest = list(video.frames(strict=False))
    assert 40 < len(rest) < 90 and numbers(rest[:20]) == list(range(20))
    assert len(list(video.frames(count=8, strict=False))) == 8
    assert len(list(video.frames(end=2.0))) == 20, "what is whole can be had"
    whole = write_video(tmp_path / "y.mkv", 20, sound=5.0)
    assert len(list(open_video(whole).frames())) == 20, "sound may go on for longer"
    assert len(list(open_video(whole).frames(count=9))) == 9


def test_hostile_files(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video at all\n" * 30)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n")
    write_audio(tmp_path / "x.wav", tone())
    write_audio(tmp_path / "x.m4a", tone())
    Image.fromarray(numbered(1)).save(tmp_path / "x.png")
    Image.fromarray(numbered(1)).save(tmp_path / "x.gif")
    (tmp_path / "sub").mkdir()
    cut(write_video(tmp_path / "x.mp4", 40), 0.6)
    for name, says in {
        "none.mp4": "does not exist",
        "empty.mp4": r"is empty \(0 bytes\)",
        "text.mp4": "is not in a supported video format",
        "list.m3u8": "is not in a supported video format",
        "x.wav": "has no video track",
        "x.m4a": "has no video track",
        "x.png": "is a still image",
        "x.gif": "is a still image",
        "cut_x.mp4": "is damaged or cut off, so that it cannot be opened",
        "sub": "is a folder without images",
    }.items():
        with pytest.raises(MediaError, match=f"{name}: {says}.*; ") as caught:
            open_video(tmp_path / name)
        assert caught.value.path == str(tmp_path / name)
    with pytest.raises(MediaError, match="neither a path"):
        open_video(io.StringIO("x"))


def test_noise_never_crashes(tmp_path, clip):
    """Bytes overwritten anywhere: frames, or a MediaError."""
    content, random = clip.read_bytes(), np.random.default_rng(3)
    for _ in range(15):
        spoiled = bytearray(content[: random.integers(100, len(content))])
        for place in random.integers(0, len(spoiled), 30):
            spoiled[place] = random.integers(256)
        try:
            video = open_video(io.BytesIO(bytes(spoiled)))
            assert sum(1 for _ in video.frames(strict=False)) > 0
            list(video.frames(count=3))
        except MediaError as error:
            assert error.path == "<file object>"


def test_file_objects(clip):
    memory = io.BytesIO(clip.read_bytes())
    memory.seek(7)
    video = open_video(memory)
    assert video.name == "<file object>"
    assert numbers(video.frames(count=4)) == numbers(video.frames(count=4)) == [25, 75, 125, 175]
    with open(clip, "rb") as file:
        assert open_video(file).name == str(clip)


def test_folders_of_images(tmp_path):
    for number in range(12):
        Image.fromarray(numbered(number)).save(tmp_path / f"frame{number}.png")
    (tmp_path / "frame5.png").write_bytes(b"\x89PNG damaged")
    (tmp_path / "notes.txt").touch()
    video = open_video(tmp_path, fps=4)
    frames = list(video.frames())
    assert (video.duration, video.rate, video.size, video.damaged) == (3.0, 4, (80, 48), 1)
    assert numbers(frames) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11], "frame10 after frame9"
    assert [frame.time for frame in frames][:3] == [0.0, 0.25, 0.5]
    assert numbers(video.frames(every=1.25)) == [0, 4, 10]
    assert numbers(video.frames(count=2, shorter_side=24)) == [3, 9]


def test_arrays():
    pixels = np.stack([numbered(number) for number in range(30)])
    for source in (pixels, torch.from_numpy(pixels)):
        video = open_video(source, fps=10)
        frames = list(video.frames())
        np.testing.assert_array_equal(np.stack([frame.pixels for frame in frames]), pixels)
        assert numbers(video.frames(count=3)) == [5, 15, 25] and video.duration == 3.0
    frames[0].pixels[:] = 0
    assert pixels[0].any(), "the array is not shared"
    for wrong in (pixels[0], pixels[..., :2], pixels[:0], pixels.astype(float)):
        with pytest.raises(MediaError, match="<array>: has the shape"):
            open_video(wrong)


@pytest.mark.parametrize(
    "options",
    [
        {"count": 1, "every": 1.0}, {"count": 0}, {"every": 0}, {"every": float("nan")}, {"shorter_side": 0},
        {"start": -1}, {"start": 2, "end": 1}, {"start": float("nan")},
    ],
)  # fmt: skip
def test_wrong_options(clip, options):
    with pytest.raises(ValueError):
        open_video(clip).frames(**options)


def test_a_start_behind_the_end(clip):
    with pytest.raises(MediaError, match="is 20 seconds long"):
        next(open_video(clip).frames(start=30))


@pytest.mark.skipif("TRISCRIBE_DATA" not in os.environ, reason="TRISCRIBE_DATA is not set")
def test_a_real_video():
    folder = os.path.join(os.environ["TRISCRIBE_DATA"], "video", "long")
    video = open_video(os.path.join(folder, "popcorn_65s.mp4"))
    sampled = list(video.frames(every=9.0))
    capture = cv2.VideoCapture(video.name)
    for frame in sampled:
        capture.set(cv2.CAP_PROP_POS_MSEC, 1000 * frame.time)
        theirs = capture.read()[1][..., ::-1]
        assert np.abs(frame.pixels.astype(int) - theirs).mean() < 3


def test_joined_streams_are_seen_to_their_end(tmp_path):
    parts = [write_video(tmp_path / f"{number}.ts", 18, 25, g="18", bf="0") for number in range(2)]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    video = open_video(path)
    assert video.duration == pytest.approx(1.44, abs=0.01)
    assert numbers(video.frames()) == 2 * list(range(18))
    assert numbers(video.frames(every=0.08)) == 2 * list(range(0, 18, 2))
    single = open_video(parts[0])
    assert single.duration == pytest.approx(0.72, abs=0.01) and numbers(single.frames()) == list(range(18))


@pytest.mark.parametrize("begin", [0.4, 20.0, 80_000.0])
def test_joined_streams_whose_times_overlap_or_leap(tmp_path, begin):
    times = [[first + index / 25 for index in range(18)] for first in (30_000.0, 30_000.0 + begin, 40.0)]
    parts = [write_video(tmp_path / f"{n}.ts", each, g="18", bf="0") for n, each in enumerate(times)]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    video = open_video(path)
    pause = 20.0 - 0.72 if begin == 20.0 else 0.0  # not long enough to be another recording's
    assert video.duration == pytest.approx(3 * 0.72 + pause, abs=0.05)
    frames = list(video.frames())
    assert numbers(frames) == 3 * list(range(18))
    assert frames[-1].time == pytest.approx(video.duration, abs=0.1)


def test_an_animation_is_a_video(tmp_path):
    path = write_video(tmp_path / "x.gif", 5, codec="gif")
    assert row_for(kind_of(path), rows_of("recognize")).name == "action"


def test_frames_that_claim_to_stand_for_ever(tmp_path):
    path = write_video(tmp_path / "slow.mp4", [index * 1000.0 for index in range(12)])
    with pytest.raises(MediaError, match="claims to show a frame every 917 seconds"):
        open_video(path)
    path = write_video(tmp_path / "gap.mkv", [*(index / 10 for index in range(400)), 5000.0, 5000.1])
    with pytest.raises(DamagedMedia, match="claims that a frame stands for 49[56]"):
        list(open_video(path).frames(every=10.0))


def test_pixels_that_are_not_square(tmp_path):
    path = tmp_path / "wide.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 80, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for index in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(index), "rgb24")))
        container.mux(stream.encode(None))
    video = open_video(path)
    assert video.size == (107, 48)
    assert [frame.pixels.shape for frame in video.frames()] == 3 * [(48, 107, 3)]
