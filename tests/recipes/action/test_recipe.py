"""recipes.action: from generated clips to a model that tells movements apart; splits, order, timelines."""

import csv
import dataclasses
import itertools
import random
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from decoders.alphabet import Normalisation
from decoders.vocabulary import Classes
from encoders.motion import backwards, motion
from pipelines import load, recognize
from pipelines.errors import DataError
from pipelines.model import SequenceModel
from pipelines.results import ActionSegment
from pipelines.writers.videos import write_video
from recipes.action.augment import reversed_features, stretch
from recipes.action.clips import Clips, Sample
from recipes.action.data_report import describe_clips
from recipes.action.options import ActionOptions, ClipAugmentation, LossOptions, ModelOptions
from recipes.action.recipe import Action
from recipes.action.scores import ActionScores
from recipes.action.shapes import MOVEMENTS, shapes_clip
from recipes.action.task import ActionTask, judge
from recipes.action.timeline import main, read_segments, score_timeline
from recipes.data.manifest import Item
from recipes.learning.arguments import parse
from recipes.learning.options import TrainingOptions
from recipes.learning.training import train
from tests.data.clips import moving_square
from tests.data.clips import write_video as write_video_file
from tests.data.media import cut


def write_clips(root: Path, train: int = 12, valid: int = 4, test: int = 8) -> Path:
    """Squares that rise or fall through the same places: their frames differ in their order only."""
    chooser, rows = random.Random(0), []
    for split, count in (("train", train), ("valid", valid), ("test", test)):
        for number, (label, down) in itertools.product(range(count), (("rise", -2), ("fall", 2))):
            name = f"{split}-{label}-{number}.mp4"
            frames = moving_square(10, chooser.randint(-1, 1), down, 32, 10, chooser.randrange(99))
            with open(root / name, "wb") as file:
                write_video(file, ((place / 8, frame) for place, frame in enumerate(frames)))
            rows.append((name, label, split, f"{split}{number % 4}"))
    with open(root / "labels.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split", "group"), *rows])
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_clips(tmp_path_factory.mktemp("clips"))


def options_for(data: Path, out: Path, epochs: int = 10, **changes) -> ActionOptions:
    return ActionOptions(
        (data,),
        out,
        model=ModelOptions(
            network="small", side=32, lags=(2,), hidden_size=16, input_size=16, heads=1, dropout=0.0
        ),
        training=TrainingOptions(epochs=epochs, batch_size=8, learning_rate=5e-3, threads=1, valid_every=5),
        **changes,
    )


def test_it_learns_what_frames_in_no_order_do_not_show(data, tmp_path, capsys):
    found = Action(options_for(data, tmp_path / "out", show_clips=2)).run()
    assert found.accuracy.value > 0.85 and found.unordered_accuracy.value < 0.7
    assert found.uses_time and set(found.recalls) == {"rise", "fall"}
    assert "time is used" in capsys.readouterr().out
    model = load(tmp_path / "out/model.safetensors")
    assert model.front_end.window == pytest.approx(1.25, abs=0.01) and "accuracy" in model.metrics["test"]
    paths = [item.path for item in found.items]
    for actions, row in zip(recognize(paths, model), found.runs[0], strict=True):
        assert dict(actions.top)["rise"] == pytest.approx(row[found.classes.index("rise")], abs=0.02)
    report = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert report.count("data:video/mp4") == 2 and "Recall of each class" in report
    page = Action(options_for(data, tmp_path / "out")).write_report(found, [], {})
    assert "data:video/mp4" not in page.read_text(encoding="utf-8")  # nothing is shown unless asked for


def test_folds_and_seeds_judge_every_clip_by_models_that_never_saw_its_group(data, tmp_path, monkeypatch):
    seen = []
    taught = Action._taught

    def spy(self, kind, name, part, run):
        seen.append((kind, name, part))
        return taught(self, kind, name, part, run)

    monkeypatch.setattr(Action, "_taught", spy)
    found = Action(options_for(data, tmp_path / "out", epochs=1, folds=2, seeds=2)).run()
    assert found.runs.shape == (2, 48, 2) and found.split == "2 folds"
    assert len(seen) == 8 and len({name for _, name, _ in seen}) == 8
    for _, _, part in seen:
        sides = [{item.group for item in items} for items in part]
        assert all(sides) and not any(one & other for one, other in itertools.combinations(sides, 2))
    held = [item.path for _, name, part in seen[:4:2] for item in part.judged]
    assert len(held) == len(set(held)) == 48
    with pytest.raises(DataError, match="only 12 groups"):
        Action(options_for(data, tmp_path / "more", epochs=1, folds=20)).run()


def test_the_report_warns_of_groups_on_both_sides_and_of_unknown_classes():
    def item(label, group):
        return Item(Path(f"{label}.mp4"), label, group=group, duration=2.0)

    train = [item("a", "x"), item("a", "y"), item("b", "y")]
    text = describe_clips({"train": train, "test": [item("a", "y"), item("c", "z")]})
    assert "groups in several splits" in text and "y  in train and test" in text
    assert "in test but never in train, so never recognised: c" in text
    assert "right in 60%" in text
    assert "Warning" not in describe_clips({"train": train, "test": [item("a", "z")]})


def test_unusable_clips_are_told_and_left_out(data, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"RIFF" + b"\0" * 500)
    whole = Item(data / "test-rise-0.mp4", "rise")
    parts = [dataclasses.replace(whole, start=0.5, end=9.0), dataclasses.replace(whole, start=5.0)]
    kept, rejected = Action(ActionOptions()).readable([whole, *parts, Item(tmp_path / "bad.mp4", "rise")])
    assert [item.duration for item in kept] == pytest.approx([1.25, 0.75], abs=0.01)
    assert [Path(bad.path).name for bad in rejected] == ["test-rise-0.mp4", "bad.mp4"]
    assert "is 1.25 s long" in rejected[0].reason


def test_clips_that_break_off_are_told_but_for_parts_that_are_whole(tmp_path):
    path = cut(write_video_file(tmp_path / "x.mp4", 100, g="10", movflags="faststart"), 0.8)
    parts = [Item(path, "rise"), Item(path, "rise", start=1.0, end=3.0)]
    kept, rejected = Action(ActionOptions()).readable(parts)
    assert kept == [dataclasses.replace(parts[1], duration=2.0)]
    assert "breaks off after" in rejected[0].reason and "of 10.0 seconds" in rejected[0].reason


def test_clips_of_one_class_teach_nothing(data, tmp_path):
    items = [Item(data / "test-rise-0.mp4", "rise", duration=1.25)] * 2
    with pytest.raises(DataError, match="all clips are of one class, 'rise'"):
        Action(options_for(data, tmp_path)).build(None, Normalisation(), items)


# Variation


def test_motion_is_all_there_is_without_a_network():
    with pytest.raises(ValueError, match="motion must be at least 1"):
        ModelOptions(network="none", motion=0)
    assert ModelOptions(network="none", frozen=False).is_frozen


def test_opposites():
    options = ClipAugmentation(opposites=("enter_=leave_", "still=still"))
    assert (
        options.opposite("enter_bow") == "leave_bow"
        and options.opposite("leave_a_enter_") == "enter_a_enter_"
    )
    assert options.opposite("still") == "still" and options.opposite("jump") is None
    with pytest.raises(ValueError, match="enter_=leave_"):
        ClipAugmentation(opposites=("enter_",))


def test_backwards_is_what_the_frames_backwards_give():
    """A square that moves right; backwards, all moves left, but for the frame where a movement is told."""
    frames = moving_square(6, 5, 0)
    ahead = np.stack(list(motion(frames)))
    wanted = np.stack(list(motion(frames[::-1])))
    found = backwards(ahead)
    assert found[0].any() == wanted[0].any() == False  # noqa: E712
    cells = (-1, 4, 4, 10)
    assert np.corrcoef(found[1:].ravel(), wanted[1:].ravel())[0, 1] > 0.95
    moves = found[1:].reshape(cells)[..., :8].sum(axis=(0, 1, 2))
    assert moves.argmax() == 4  # left
    x = torch.cat([torch.arange(6.0)[:, None].expand(6, 3), torch.from_numpy(ahead)], dim=1)
    twice = reversed_features(reversed_features(x, 4), 4)
    torch.testing.assert_close(twice, x)
    assert reversed_features(x, 4)[:, 0].tolist() == [5, 4, 3, 2, 1, 0]


def test_stretches_stay_in_their_clip():
    generator = torch.Generator().manual_seed(0)
    options = ClipAugmentation(crop=0.2, speed=0.5)
    lengths = set()
    for length in (1, 2, 40):
        for _ in range(50):
            places = stretch(length, options, generator)
            assert len(places) >= 1 and places.min() >= 0 and places.max() < length
            assert (places.diff() >= 0).all()
            lengths.add(len(places))
    assert min(lengths) == 1 and max(lengths) > 45
    assert stretch(9, ClipAugmentation(crop=0, speed=0), generator).tolist() == list(range(9))


@pytest.mark.parametrize("label", MOVEMENTS)
def test_generated_clips_move(label):
    clip = shapes_clip(label, np.random.default_rng(3))
    assert clip.dtype == np.uint8 and clip.shape[1:] == (64, 64, 3) and 12 <= len(clip) <= 20
    assert np.abs(clip[0].astype(int) - clip[len(clip) // 2]).max() > 60


# Timelines


class Remembered:
    """Features in memory instead of a cache on disk."""

    def __init__(self, features):
        self.features = features
        self.lengths = [len(each) for each in features]

    def __getitem__(self, index):
        return self.features[index]


def lesson(decoder: str, count: int = 24) -> ActionTask:
    """Clips of three classes that 16 features tell apart, under noise."""
    torch.manual_seed(0)
    front_end = {"kind": "frames", "frozen": True, "output_size": 16, "lags": [1]}
    core = {"kind": "bilstm", "hidden_size": 16, "num_layers": 1}
    model = SequenceModel("action", front_end, core, {"kind": decoder}, Classes(["a", "b", "c"]))
    marks = torch.randn(4, 160)
    labels = [1 + index % 3 for index in range(count)]
    features = [marks[label] + torch.randn(8 + index % 5, 160) for index, label in enumerate(labels)]
    samples = [
        Sample(None, np.full(len(x), label), i)
        for i, (x, label) in enumerate(zip(features, labels, strict=True))
    ]
    clips = Clips(Remembered(features), model.front_end, ClipAugmentation())
    return ActionTask(model, samples[:-6], samples[-6:], clips, LossOptions(joined=4), 12, seed=1)


@pytest.mark.parametrize("decoder", ["timeline", "ctc"])
def test_segments_are_placed_even_when_only_their_order_is_taught(decoder, tmp_path):
    task = lesson(decoder)
    before = task.evaluate()
    train(task, TrainingOptions(epochs=25, learning_rate=1e-2, precision="fp32", valid_every=5), tmp_path)
    after = task.evaluate()
    assert after["error"] < 0.15 < before["error"]
    if decoder == "ctc":
        assert after["order_error"] < 0.2
    ((found, labels, shares),) = judge(task.model, task.clips, [task.valid_items])
    assert shares is None and found.shape == (len(labels), 4)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_balance_shows_rare_classes_more_often():
    task = lesson("classifier", 30)
    rare = [sample for sample in task.train_items if sample.label == 1][:1]
    often = [sample for sample in task.train_items if sample.label != 1]
    for balance, least, most in ((1.0, 5, 6), (0.0, 1, 1)):
        task.train_items = rare + often
        task.loss = dataclasses.replace(task.loss, balance=balance)
        batches = [make() for make in task.batches(0)]
        labels = torch.cat([labels[:, 0] for _, _, labels in batches])
        assert len(labels) == 17 and least <= (labels == 1).sum() <= most


def segments(*parts):
    return [ActionSegment(label, start, end, 1.0) for label, start, end in parts]


def test_timeline_scores():
    wanted = segments(("a", 0, 10), ("a", 10, 20), ("b", 20, 30))
    right = score_timeline(wanted, wanted, 30.0)
    assert (right.frame_accuracy, right.f1, right.wanted) == (1.0, 1.0, 2)  # what touches is one
    found = score_timeline(segments(("a", 0, 16), ("b", 16, 18), ("b", 22, 30)), wanted, 30.0)
    assert found.frame_accuracy == pytest.approx(24 / 30, abs=0.01)
    assert (found.matched, found.found, found.wanted) == (2, 3, 2) and found.f1 == pytest.approx(0.8)
    assert score_timeline([], wanted, 30.0).f1 == 0.0
    assert (right + found).wanted == 4


def test_a_table_of_segments(data, tmp_path, capsys):
    table = tmp_path / "segments.csv"
    table.write_text("path,start_s,end_s,label\nx.mp4,1.5,2,b\nx.mp4,0,1.5,a\n")
    ((path, found),) = read_segments(table).items()
    assert path == tmp_path / "x.mp4" and [each.label for each in found] == ["a", "b"]
    for text in (
        "path,label\nx.mp4,a\n",
        "path,start,end,label\nx,0,2,a\nx,1,3,b\n",
        "path,start,end,label\nx,0,,a",
    ):
        table.write_text(text)
        with pytest.raises(DataError, match="segments"):
            read_segments(table)
    assert main("none.safetensors", table) == 1
    assert "triscribe:" in capsys.readouterr().err


def test_scores_over_runs_and_clips():
    items = tuple(Item(Path(f"{i}.mp4"), label) for i, label in enumerate("aabbc"))
    right = np.eye(2)[[0, 0, 1, 1, 0]]
    scores = ActionScores("test", ("a", "b"), items, np.stack([right, 1 - right]), np.stack([right, right]))
    assert scores.accuracy.value == pytest.approx(0.4)  # the class c was never learnt
    assert scores.gain.value == pytest.approx(-0.4) and not scores.uses_time
    assert scores.recalls == {"a": (0.5, 2), "b": (0.5, 2)}
    assert scores.confusion.tolist() == [[2, 2], [2, 2]]
    assert "not shown that time is used" in scores.summary()


def test_clips_shorter_than_a_frame_of_the_front_end(tmp_path):
    for label, shade in (("dark", 40), ("light", 220)):
        for number in range(2):
            folder = tmp_path / label / f"v{number}"
            folder.mkdir(parents=True)
            for frame in range(3):
                cv2.imwrite(str(folder / f"{frame}.png"), np.full((32, 32, 3), shade + frame, np.uint8))
    Action(options_for(tmp_path, tmp_path / "out", epochs=1)).run()
    model = load(tmp_path / "out/model.safetensors")
    assert model.front_end.window == pytest.approx(1 / model.front_end.rate)


def test_a_loaded_model_gets_the_classes_of_the_data(tmp_path):
    base = load("action-shapes")
    items = [Item(Path(f"{label}.mp4"), label, duration=9.0) for label in ("jump", "rise")]

    def built(classes: str, items: list[Item] = items) -> SequenceModel:
        recipe = Action(ActionOptions(out=tmp_path, load="action-shapes", classes=classes))
        return recipe.build(base, base.normalisation, items)

    assert built("keep") is base and built("new", items[1:]) is base
    assert built("new").alphabet.symbols == ("jump", "rise")
    assert built("union").alphabet.symbols == (*base.alphabet.symbols, "jump")
    assert built("new").front_end.window == 9.0
    assert parse(ActionOptions, "action", ["--load", "action-shapes", "--preset", "adapt"]).classes == "new"
