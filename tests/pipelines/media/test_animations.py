"""Animated images, transparent frames, and what is cut off or left out of a video and told."""

import numpy as np
import pytest
from PIL import Image

from pipelines import recognize
from pipelines.errors import MediaError
from pipelines.media.kind import kind_of
from pipelines.media.recording import DamagedMedia
from pipelines.media.video import open_video
from tests.data.clips import number_of, numbered, write_video
from tests.data.colour_watcher import ColourWatcher
from tests.data.media import cut


def animation(path, count=10, lasts=100):
    pictures = [Image.fromarray(numbered(number)) for number in range(count)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=lasts, lossless=True)
    return path


@pytest.mark.parametrize("ending", ["webp", "gif", "png", "avif"])
def test_animated_images_are_videos(tmp_path, ending):
    path = animation(tmp_path / f"x.{ending}", lasts=[100] * 5 + [200] * 5)
    assert kind_of(path).name == "animated image"
    video = open_video(path)
    frames = list(video.frames())
    assert [number_of(frame.pixels) for frame in frames] == list(range(10))
    assert [round(frame.time, 2) for frame in frames] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.1, 1.3]
    assert [number_of(frame.pixels) for frame in video.frames(count=3, shorter_side=24)] == [2, 6, 8]
    assert video.notes == ()
    if ending != "gif":
        assert video.duration == pytest.approx(1.5)


def test_frames_of_no_time_are_shown_as_browsers_show_them(tmp_path):
    video = open_video(animation(tmp_path / "x.webp", 4, 0))
    assert [round(frame.time, 2) for frame in video.frames()] == [0, 0.1, 0.2, 0.3]


@pytest.mark.parametrize("ending", ["gif", "png", "webp"])
def test_animated_images_that_are_cut_off_are_told(tmp_path, ending):
    path = animation(tmp_path / f"x.{ending}")
    for share in (0.5, 0.8, 0.95):
        short = cut(path, share)
        assert kind_of(short).name == "animated image"
        with pytest.raises(MediaError, match="cut off"):
            list(open_video(short).frames(count=4))
        if ending != "webp":
            video = open_video(short)
            assert 0 < len(list(video.frames(strict=False))) < 10
            assert video.notes == ("is cut off",)


def test_a_gif_without_its_last_byte_is_whole(tmp_path):
    path = animation(tmp_path / "x.gif")
    path.write_bytes(path.read_bytes().removesuffix(b";"))
    assert len(list(open_video(path).frames())) == 10


@pytest.mark.parametrize("ending", ["gif", "png"])
def test_transparent_frames_are_on_white(tmp_path, ending):
    shown = np.zeros((48, 80, 4), np.uint8)
    pictures = []
    for place in range(3):
        shown[10:20, 10 * place : 10 * place + 10] = (200, 30, 30, 255)
        pictures.append(Image.fromarray(shown.copy()))
    path = tmp_path / f"x.{ending}"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100, lossless=True)
    *_, last = open_video(path).frames()
    assert last.pixels[40, 70].min() > 250 and last.pixels[15, 25, 0] > 150 > last.pixels[15, 25, 1]


def test_what_a_video_lacks_is_told_and_not_made_up(tmp_path):
    path = cut(write_video(tmp_path / "x.mp4", 100, g="10", movflags="faststart"), 0.8)
    video = open_video(path)
    frames = list(video.frames(every=0.5, strict=False))
    last = max(frame.time for frame in frames)
    assert len(frames) <= 2 * last + 2, "the last frame is not repeated"
    assert last < video.duration < 9
    assert video.notes == (f"breaks off after {video.duration:.1f} of 10.0 seconds",)
    model = ColourWatcher()
    with pytest.raises(DamagedMedia, match="breaks off"):
        recognize(path, model)
    found = recognize(path, model, strict=False)
    assert found.duration == found.segments[-1].end == pytest.approx(video.duration)
    assert found.notes == video.notes


def test_images_that_cannot_be_read_are_named(tmp_path):
    for number in range(9):
        Image.fromarray(numbered(number)).save(tmp_path / f"frame{number}.png")
    (tmp_path / "frame5.png").write_bytes(b"\x89PNG damaged")
    found = recognize(tmp_path, ColourWatcher())
    assert found.notes == ("left out, since they cannot be read: frame5.png",)


def test_a_stream_of_one_frame_is_short(tmp_path):
    video = open_video(write_video(tmp_path / "x.ts", 1))
    assert len(list(video.frames(every=0.1))) <= 2 and video.duration < 0.2


def test_unsupported_images_are_named(tmp_path):
    path = tmp_path / "x"
    for head, says in {
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic": "is a HEIC photograph, which is not supported; convert it",
        b"II*\0" + bytes(40): "is a damaged TIFF image, or one of a form that is not supported",
        b"8BPS" + bytes(40): "is a Photoshop document",
        b"hello, what is this": "is not in a supported image format",
    }.items():
        path.write_bytes(head)
        from pipelines.media.images import read_image

        with pytest.raises(MediaError, match=says):
            read_image(path)
