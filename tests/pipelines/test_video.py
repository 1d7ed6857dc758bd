"""recognize() on videos: whole clips, windows of long ones, segments."""

import json

import numpy as np
import pytest
import torch

from pipelines import recognize
from pipelines.batch.journal import JOURNAL
from pipelines.commands import cli
from pipelines.errors import MediaError, ModelError
from pipelines.media.video import Clip, open_video
from pipelines.video import VideoOptions, segments_of, watch
from pipelines.writers.videos import write_video
from tests.data.bar_reader import BarReader
from tests.data.colour_watcher import ColourWatcher, colours
from tests.data.named import named
from tests.data.pictures import bars


def write(path, *runs):
    with open(path, "wb") as file:
        write_video(file, ((index / 25, frame) for index, frame in enumerate(colours(*runs))))
    return path


def test_a_clip_is_judged_as_a_whole(tmp_path):
    model = ColourWatcher()
    path = write(tmp_path / "x.mp4", ("red", 60), ("blue", 20))
    actions = recognize(path, model)
    assert (actions.label, actions.source, actions.model) == ("red", str(path), "colours")
    assert model.lengths == [16]  # 3.2 s, five frames a second
    labels, scores = zip(*actions.top, strict=True)
    assert labels == ("red", "blue") and sum(scores) == pytest.approx(1)
    (segment,) = actions.segments
    assert (segment.label, segment.start, segment.score) == ("red", 0.0, actions.score)
    assert segment.end == actions.duration == pytest.approx(3.2, abs=0.05)
    times, shares = zip(*actions.attention, strict=True)
    assert sum(shares) == pytest.approx(1) and times[:3] == (0.0, 0.2, 0.4)
    (tmp_path / "x.mp4").rename(tmp_path / "x.pdf")  # content decides
    with open(tmp_path / "x.pdf", "rb") as file:
        assert recognize(file, model).top == actions.top
    assert recognize(colours(("red", 60), ("blue", 20)), model).top == actions.top


@pytest.mark.parametrize("decoder", ["classifier", "timeline", "ctc"])
def test_long_videos_are_read_in_windows(decoder):
    """Frames 25 a second; the model looks at every fifth."""
    model = ColourWatcher(decoder)
    actions = recognize(colours(("red", 500), ("blue", 400), ("red", 300)), model)
    assert max(model.lengths) == 20 and len(model.lengths) > 10
    assert [segment.label for segment in actions.segments] == ["red", "blue", "red"]
    blurred = 1.1 if decoder == "classifier" else 0.25  # seconds
    ends = [segment.end for segment in actions.segments]
    assert ends == pytest.approx([20, 36, 48], abs=blurred) and ends[-1] == actions.duration
    assert actions.label == "red"
    assert bool(actions.attention) == (decoder == "classifier")
    if actions.attention:
        assert len(actions.attention) == 240 and sum(
            share for _, share in actions.attention
        ) == pytest.approx(1)


def test_what_is_none_of_the_classes_is_no_segment():
    frames = colours(("black", 200), ("blue", 200), ("black", 200))
    (segment,) = recognize(frames, ColourWatcher("timeline")).segments
    assert (segment.label, segment.start, segment.end) == ("blue", pytest.approx(8.0), pytest.approx(16.0))
    assert recognize(colours(("black", 50)), ColourWatcher("timeline")).segments == ()


def test_windows_and_stretches_are_as_asked_for():
    model, frames = ColourWatcher("timeline"), colours(("red", 250), ("blue", 250))
    recognize(frames, model, window=2.0)
    assert max(model.lengths) == 10
    (found,) = watch([Clip(frames, 8.0, 14.0)], model, VideoOptions(window=9.0))
    assert [(each.label, each.start, each.end) for each in found.segments] == [
        ("red", 8.0, pytest.approx(10.0)),
        ("blue", pytest.approx(10.0), 14.0),
    ]
    assert found.duration == 6.0


def test_flicker_is_no_change():
    flicker = np.eye(3)[[1, 1, 2, 1, 1, 0, 1]] * 0.6 + 0.13
    assert [each.label for each in segments_of(flicker, ("a", "b"), 1.0)] == ["a"]
    found = segments_of(flicker, ("a", "b"), 2.0, 10.0, 13.2, switch=0.0)
    assert [(each.label, each.start, each.end) for each in found] == [
        ("a", 10.0, 11.0),
        ("b", 11.0, 11.5),
        ("a", 11.5, 12.5),
        ("a", 13.0, 13.2),
    ]


def test_many_sources_keep_their_order(tmp_path):
    write(tmp_path / "a.mp4", ("red", 20))
    whole = write(tmp_path / "cut.mp4", ("red", 20)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "notes.txt").write_text("no video")
    names = ["a.mp4", "cut.mp4", "notes.txt", "none.mp4"]
    sources = [*(tmp_path / name for name in names), colours(("blue", 20))]
    found = list(recognize(sources, ColourWatcher(), errors="return"))
    assert [getattr(each, "label", None) for each in found] == ["red", None, None, None, "blue"]
    with pytest.raises(MediaError, match="cut.mp4"):
        list(recognize(sources, ColourWatcher()))
    with pytest.raises(ModelError, match="is a model for action; name a handwriting model"):
        recognize(bars("ab"), ColourWatcher())
    with pytest.raises(ModelError, match="is a model for handwriting; name an action model"):
        recognize(tmp_path / "a.mp4", BarReader())


@pytest.mark.parametrize(
    "option", [{"window": 0.0}, {"window": float("nan")}, {"switch": -1.0}, {"top": 0}, {"batch_size": 0}]
)
def test_options_out_of_range(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        VideoOptions(**option)


# The command


@pytest.fixture
def command(monkeypatch):
    model = ColourWatcher()
    named(monkeypatch, model)
    return lambda *arguments: cli.main(["recognize", *map(str, arguments), "-m", "colours"])


def test_a_folder(command, tmp_path, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    write(folder / "a.mp4", ("red", 30))
    write(folder / "deep/b.mp4", ("blue", 30))
    (folder / "bad.mp4").write_bytes(b"\0\0\0\x20ftypisom" + b"\0" * 99)
    (folder / "notes.txt").write_text("no video")
    assert command(folder, "-o", out, "-f", "json,csv,activitynet,txt,mp4,png") == 1
    seen = capsys.readouterr()
    assert "2 watched (2 s of video" in seen.out and seen.err.count("failed: ") == 1 and "bad.mp4" in seen.err
    names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} - {JOURNAL}
    endings = ("json", "txt", "mp4", "png")
    own = {f"{name}.{ending}" for name in ("a", "deep/b") for ending in endings}
    assert names == own | {"actions.csv", "actions.activitynet.json"}
    assert json.loads((out / "deep/b.json").read_text())["label"] == "blue"
    assert sum(1 for _ in open_video(out / "a.mp4").frames()) == 30


def test_one_table_for_a_folder_which_later_runs_add_to(command, tmp_path, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    write(folder / "a.mp4", ("red", 30))

    def labels():
        lines = (out / "actions.csv").read_text(encoding="utf-8").splitlines()
        return [line.split(",")[3] for line in lines[1:]]

    assert command(folder, "-o", out, "-f", "csv") == 0 and labels() == ["red"]
    write(folder / "b.mp4", ("blue", 30))
    assert command(folder, "-o", out, "-f", "csv", "--skip-existing") == 0 and labels() == ["red", "blue"]
    assert "1 already there" in capsys.readouterr().out
    before = (out / "actions.csv").stat().st_mtime_ns
    assert command(folder, "-o", out, "-f", "csv", "--skip-existing") == 0
    assert (out / "actions.csv").stat().st_mtime_ns == before
    assert command(folder, "-o", out, "-f", "csv") == 0 and labels() == ["red", "blue"]


def test_wrong_usage(command, tmp_path, capsys):
    path = write(tmp_path / "a.mp4", ("red", 10))
    for arguments, message in [
        (("-f", "page"), "no format 'page'"),
        (("--window", "0"), "window must be"),
        (("--page", "x.html"), "--page: for handwriting, not for videos"),
    ]:
        assert command(path, "-o", tmp_path / "out", *arguments) == 2
        assert message in "".join(capsys.readouterr())


def test_results_do_not_depend_on_threads():
    frames, before = colours(("red", 300), ("blue", 90)), torch.get_num_threads()
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(recognize(frames, ColourWatcher()))
    torch.set_num_threads(before)
    assert found[0] == found[1]


def test_folders_of_frames_on_the_command_line(tmp_path, capsys):
    """Each folder of frames is one video, also below the one that is named; a run over results takes none."""
    import cv2

    for name in ("a", "b.1", "b.2"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for index, frame in enumerate(colours(("red", 6))):
            cv2.imwrite(str(tmp_path / "in" / name / f"{index}.png"), frame)
    write(tmp_path / "in" / "film.mp4", ("red", 20))
    recognise = ["recognize", "-m", "action-shapes", "-o", str(tmp_path / "out"), "-f", "txt,png"]
    assert cli.main([*recognise, str(tmp_path / "in")]) == 0
    assert "4 watched" in "".join(capsys.readouterr())
    names = sorted(path.name for path in (tmp_path / "out").glob("*.txt"))
    assert names == ["a.txt", "b.1.txt", "b.2.txt", "film.txt"]
    assert cli.main([*recognise, str(tmp_path / "in"), "--skip-existing"]) == 0
    assert "4 already there" in "".join(capsys.readouterr())
    (tmp_path / "in" / "a" / "3.png").write_bytes(b"")
    assert cli.main([*recognise, str(tmp_path / "in"), "--skip-existing"]) == 0
    told = "".join(capsys.readouterr())
    assert "1 watched" in told and "cannot be read: 3.png" in told
    assert cli.main([*recognise, str(tmp_path / "in" / "a"), str(tmp_path / "out"), "--overwrite"]) == 1
    assert "out: holds no media" in "".join(capsys.readouterr())


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (600, 2)])
def test_videos_of_any_size_can_be_drawn(tmp_path, size):
    found = recognize(write_grey(tmp_path / "x.mkv", *size), ColourWatcher())
    for name in ("x.mp4", "x.png"):
        assert found.save(tmp_path / "out" / name).stat().st_size > 500
    (width, height) = open_video(tmp_path / "out" / "x.mp4").size
    assert width >= 160 and height >= 20


def write_grey(path, height, width):
    import av

    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0"
        for _ in range(5):
            pixels = np.full((height, width, 3), 99, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_file_named_as_an_option_and_a_model_for_something_else(tmp_path, capsys, monkeypatch):
    write(tmp_path / "-x.mp4", ("red", 20))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["recognize", "-x.mp4"]) == 2
    assert "-x.mp4 would be taken for an option; write ./-x.mp4" in capsys.readouterr().err
    assert cli.main(["recognize", "./-x.mp4", "-o", "out"]) == 0
    assert cli.main(["recognize", "--", "-x.mp4"]) == 0
    capsys.readouterr()
    assert cli.main(["recognize", "./-x.mp4", "-m", "intents-en"]) == 1
    told = capsys.readouterr().err
    assert "intents-en: is a model for text; name one for handwriting, ink or action" in told
