"""One file for all results of a folder: nothing is lost when runs are stopped, repeated or go on."""

import csv
import json

import pytest

from pipelines.batch.journal import JOURNAL, Journal
from pipelines.batch.plan import Job
from pipelines.batch.shared import SharedOutputs
from pipelines.errors import MediaError
from pipelines.results import Actions, ActionSegment, Caption, Sentence
from pipelines.writers.actions import ActionsCSV, ActivityNet
from pipelines.writers.captions import COCODataset, COCOResults

TABLE = (ActionsCSV(),)


def actions(source, *labels) -> Actions:
    segments = tuple(ActionSegment(label, place, place + 1.0, 0.5) for place, label in enumerate(labels))
    return Actions((("a", 1.0),), segments, float(len(labels)), "m", str(source))


def job(folder, name, content="x") -> Job:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content)
    return Job(folder / name, ())


def run(out, *results: tuple[Job, object], writers=TABLE, **options) -> SharedOutputs:
    """What a run does with what it has read."""
    shared = SharedOutputs(out, writers, Journal(out), **options)
    for each, result in results:
        shared.journal.add(each, "m", None, shared.records(result))
        shared.update()
    shared.write()
    return shared


def rows(out) -> list[tuple[str, str]]:
    with open(out / "actions.csv", newline="", encoding="utf-8") as file:
        return [(row["source"].rpartition("/")[2], row["label"]) for row in csv.DictReader(file)]


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_one_row_a_segment_of_each_file_in_the_order_of_names(tmp_path, out):
    jobs = [job(tmp_path, name) for name in ("b.mp4", "a.mp4", "c.mp4")]
    found = [actions(jobs[0].source, "sit", "stand"), actions(jobs[1].source, "sit"), actions(jobs[2].source)]
    run(out, *zip(jobs, found, strict=True))
    assert rows(out) == [("a.mp4", "sit"), ("b.mp4", "sit"), ("b.mp4", "stand")]
    assert {path.name for path in out.iterdir()} == {"actions.csv", JOURNAL}


def test_a_later_run_adds_and_replaces_and_keeps(tmp_path, out):
    a, b, c = (job(tmp_path, name) for name in ("a.mp4", "b.mp4", "c.mp4"))
    shared = run(out, (a, actions(a.source, "sit")), (b, actions(b.source, "sit")))
    assert shared.is_done(a, "m") and not shared.is_done(c, "m") and not shared.is_done(a, "other")
    b.source.write_text("changed")
    again = SharedOutputs(out, [ActionsCSV()], Journal(out))
    assert again.is_done(a, "m") and not again.is_done(b, "m")
    run(out, (b, actions(b.source, "jump", "sit")), (c, actions(c.source, "run")))
    assert rows(out) == [("a.mp4", "sit"), ("b.mp4", "jump"), ("b.mp4", "sit"), ("c.mp4", "run")]
    before = (out / "actions.csv").read_bytes()
    run(out)
    run(out, (c, actions(c.source, "run")))
    assert (out / "actions.csv").read_bytes() == before


def test_a_failure_keeps_what_was_known(tmp_path, out):
    a = job(tmp_path, "a.mp4")
    shared = run(out, (a, actions(a.source, "sit")))
    shared.journal.add(a, "m", "cannot be read")
    run(out, (job(tmp_path, "b.mp4"), actions("b.mp4", "run")))
    assert rows(out) == [("a.mp4", "sit"), ("b.mp4", "run")]


def test_a_killed_run_loses_nothing(tmp_path, out):
    jobs = [job(tmp_path, f"{number}.mp4") for number in range(5)]
    shared = SharedOutputs(out, [ActionsCSV()], Journal(out))
    for each in jobs[:4]:
        shared.journal.add(each, "m", None, shared.records(actions(each.source, "sit")))
        shared.update()  # the first writes, the others wait; then the run is killed
    assert len(rows(out)) == 1
    with open(out / JOURNAL, "a") as file:
        file.write('{"source": "half a li')
    again = SharedOutputs(out, [ActionsCSV()], Journal(out))
    assert [again.is_done(each, "m") for each in jobs] == [True] * 4 + [False]
    run(out, (jobs[4], actions(jobs[4].source, "sit")))
    assert len(rows(out)) == 5


def test_a_deleted_file_is_made_again(tmp_path, out):
    a, b = job(tmp_path, "a.mp4"), job(tmp_path, "b.mp4")
    run(out, (a, actions(a.source, "sit")))
    (out / "actions.csv").unlink()
    assert not run(out, (b, actions(b.source, "run"))).is_done(a, "m")
    assert rows(out) == [("b.mp4", "run")]
    assert not SharedOutputs(out, [ActionsCSV()], Journal(out)).is_done(a, "m")


def test_other_peoples_files_are_kept(tmp_path, out):
    (out / "actions.csv").write_text("mine")
    a = job(tmp_path, "a.mp4")
    with pytest.raises(MediaError, match="was not made by triscribe"):
        run(out, (a, actions(a.source, "sit")))
    assert (out / "actions.csv").read_text() == "mine"
    run(out, (a, actions(a.source, "sit")), overwrite=True)
    assert rows(out) == [("a.mp4", "sit")]


def test_an_edited_file_is_kept(tmp_path, out):
    a, b = job(tmp_path, "a.mp4"), job(tmp_path, "b.mp4")
    run(out, (a, actions(a.source, "sit")))
    (out / "actions.csv").write_text("corrected")
    shared = run(out, (b, actions(b.source, "run")))
    assert (out / "actions.csv").read_text() == "corrected" and shared.edited == {out / "actions.csv"}
    run(out, (b, actions(b.source, "run")), overwrite=True)
    assert rows(out) == [("a.mp4", "sit"), ("b.mp4", "run")]
    assert not SharedOutputs(out, TABLE, Journal(out)).find_edited()


def test_records_of_another_model_are_foreign(tmp_path, out):
    a = job(tmp_path, "a.mp4")
    shared = run(out, (a, actions(a.source, "sit")))
    assert shared.foreign(a, "m") is None and shared.foreign(job(tmp_path, "b.mp4"), "m2") is None
    assert "actions.csv holds what the model m made of it" in shared.foreign(a, "m2")


def test_a_further_format_is_not_done_yet(tmp_path, out):
    a = job(tmp_path, "a.mp4")
    run(out, (a, actions(a.source, "sit")))
    both = SharedOutputs(out, [ActionsCSV(), ActivityNet()], Journal(out))
    assert not both.is_done(a, "m")


def test_videos_of_one_name_keep_apart(tmp_path, out):
    jobs = [job(tmp_path, name) for name in ("x/clip.mp4", "y/clip.mp4", "y/clip.avi")]
    found = [(each, actions(each.source, "sit")) for each in jobs]
    run(out, *found[:1], writers=[ActivityNet()])
    path = out / "actions.activitynet.json"
    assert json.loads(path.read_text())["results"].keys() == {"clip"}
    run(out, *found[1:2], writers=[ActivityNet()])
    assert json.loads(path.read_text())["results"].keys() == {"x/clip", "y/clip"}
    run(out, *found[2:], writers=[ActivityNet()])
    assert json.loads(path.read_text())["results"].keys() == {"x/clip.mp4", "y/clip.mp4", "y/clip.avi"}


def captions(source, *texts) -> Caption:
    return Caption(tuple(Sentence(text, 0.5) for text in texts), 0.0, "m", str(source))


@pytest.mark.parametrize(
    "names, ids",
    [
        (("COCO_val2014_000000000042.jpg", "000000000139.jpg"), [139, 42]),
        (("dog.jpg", "000000000139.jpg"), [1, 2]),
        (("a/7.jpg", "b/7.jpg"), [1, 2]),
    ],
)
def test_coco_takes_captions_of_a_folder(tmp_path, out, names, ids, capsys):
    coco = pytest.importorskip("pycocotools.coco")
    jobs = [job(tmp_path, name) for name in names]
    found = [(each, captions(each.source, "a dog", "a cat")) for each in jobs]
    run(out, *found, writers=[COCODataset(), COCOResults()])
    opened = coco.COCO(str(out / "captions.coco-dataset.json"))
    assert sorted(opened.imgs) == sorted(ids) and len(opened.anns) == 4
    files = [image["file_name"] for image in opened.imgs.values()]
    assert len(set(files)) == 2 and all((tmp_path / name).exists() for name in files)
    results = opened.loadRes(str(out / "captions.coco.json"))
    assert [each["caption"] for each in results.imgToAnns[ids[0]]] == ["a dog a cat"]
    listed = json.loads((out / "captions.coco.json").read_text())
    own = ids != [1, 2]
    assert [set(each) for each in listed] == [{"image_id", "caption"} | (set() if own else {"file_name"})] * 2


def test_ids_of_activitynet_are_those_of_its_ground_truth(tmp_path, out):
    jobs = [job(tmp_path, name) for name in ("v_0dkIbKXXFzI.mp4", "v_jump.mp4", "v_-_dkIbKXXFz.webm")]
    run(out, *((each, actions(each.source, "sit")) for each in jobs), writers=[ActivityNet()])
    found = json.loads((out / "actions.activitynet.json").read_text())["results"]
    assert set(found) == {"0dkIbKXXFzI", "v_jump", "-_dkIbKXXFz"}
