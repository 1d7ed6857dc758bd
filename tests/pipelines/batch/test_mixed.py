"""`triscribe batch` and `pipelines.batch.run` over mixed folders, with the bundled models."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from decoders.vocabulary import Classes, Words
from pipelines.batch import run
from pipelines.batch.looking import shows_writing
from pipelines.batch.routing import Routing
from pipelines.batch.rules import Rule, Rules
from pipelines.commands import cli
from pipelines.errors import DataError, ModelError
from pipelines.model import SequenceModel
from pipelines.results import Page, TextLine, TextRegion

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"


def fill(folder: Path) -> Path:
    """A folder of everything."""
    for name in ("speech/enter.wav", "speech/video.mp4", "video/rise.mp4", "pictures/blue-heart.png"):
        put(folder / name, EXAMPLES / name)
    put(folder / "lines/lettre-fr.jpg", EXAMPLES / "handwriting/lettre-fr.jpg")
    put(folder / "pages/deep/page-en.jpg", EXAMPLES / "handwriting/page-en.jpg")
    put(folder / "pages/deep/page-en.xml", EXAMPLES / "handwriting/page-en.xml")
    put(folder / "truly a recording.png", EXAMPLES / "speech/enter.wav")
    page = Image.open(EXAMPLES / "handwriting/page-fr.jpg").convert("L").resize((500, 640))
    page.save(folder / "two.pdf", save_all=True, append_images=[page])
    frames = [Image.new("RGB", (48, 48), (20 * each, 0, 0)) for each in range(8)]
    frames[0].save(folder / "moves.gif", save_all=True, append_images=frames[1:], duration=80)
    for name, content in (
        ("notes.txt", b"notes"),
        ("empty", b""),
        ("empty.wav", b""),
        ("cut.jpg", b"\xff\xd8\xff\xe0" + b"0" * 300),
        ("data.bin", bytes(range(256))),
        ("pen.jsonl", b'{"strokes": [[[0, 0], [1, 1], [2, 0]]]}\n'),
        ("list.json", b'{"a": 1}'),
        (".hidden.wav", b"x"),
    ):
        (folder / name).write_bytes(content)
    return folder


def put(path: Path, source: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(source, path))


def shell(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pipelines.commands.cli", "batch", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def rows(out: Path) -> dict[str, dict]:
    """Rows of the table by the name of the source, and the part of one that has several."""
    with open(out / "results.jsonl", encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    return {Path(row["source"]).name + (f" {row['part']}" if row["part"] else ""): row for row in found}


def tree(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A folder, its outputs, and what the command said."""
    folder = fill(tmp_path_factory.mktemp("mixed"))
    out = tmp_path_factory.mktemp("out")
    return folder, out, shell(folder, "-o", out)


def test_each_file_goes_where_its_content_says(mixed):
    folder, out, done = mixed
    assert done.returncode == 1, done.stderr  # two files are broken
    found = rows(out)
    assert {name: row["task"] for name, row in found.items() if row["status"] == "done"} == {
        "enter.wav": "speech",
        "truly a recording.png": "speech",
        "video.mp4": "action",
        "rise.mp4": "action",
        "moves.gif": "action",
        "blue-heart.png": "captioning",
        "lettre-fr.jpg": "handwriting",
        "page-en.jpg": "handwriting",
        "two.pdf 1": "handwriting",
        "two.pdf 2": "handwriting",
    }
    assert found["blue-heart.png"]["text"] == "blue heart" and found["rise.mp4"]["text"] == "rise"
    assert found["lettre-fr.jpg"]["confidence"] > 0.7 and found["page-en.jpg"]["unit"] == "lines"


def test_what_was_passed_over_or_failed_is_listed_with_the_reason(mixed):
    folder, out, done = mixed
    found = rows(out)
    passed = {name: row["error"] for name, row in found.items() if row["status"] == "passed over"}
    assert passed.keys() == {"notes.txt", "empty", "data.bin", "pen.jsonl", "list.json", "page-en.xml"}
    assert passed["empty"] == "empty" and passed["page-en.xml"] == "page layout of page-en.jpg"
    assert passed["pen.jsonl"] == "ink, for which no model is given (-m)"
    assert (
        "passed over 6: 2 text, for which no model is given (-m); " in done.stdout
        and "failed 2: " in done.stdout
    )
    with open(out / "failures.csv", newline="", encoding="utf-8") as file:
        failures = {Path(row["source"]).name: row["cause"] for row in csv.DictReader(file)}
    assert failures.keys() == {"empty.wav", "cut.jpg"} and failures["empty.wav"] == "is empty (0 bytes)"
    assert done.stderr.count("failed: ") == 2 and "video.mp4: its sound is not transcribed" in done.stderr


def test_outputs_mirror_the_inputs_and_the_table_names_them(mixed):
    folder, out, done = mixed
    outputs = {name for row in rows(out).values() for name in row["outputs"]}
    tables = {"results.jsonl", "results.csv", "failures.csv", ".triscribe.jsonl"}
    assert tree(out).keys() >= outputs | tables
    assert "pages/deep/page-en.xml" in outputs and "speech/enter.srt" in outputs
    assert "two/0002.json" in outputs and "truly a recording.json" in outputs
    with open(out / "results.csv", newline="", encoding="utf-8") as file:
        assert [row["status"] for row in csv.DictReader(file)].count("done") == 10


def test_a_second_run_does_nothing_and_changes_nothing(mixed):
    folder, out, done = mixed
    before = tree(out)
    again = shell(folder, "-o", out)
    assert again.returncode == 1 and "10 already there" in again.stdout and "failed 2" in again.stdout
    after = tree(out)
    assert {name for name in after if after[name] != before.get(name)} == {".triscribe.jsonl"}
    assert "failed: " not in again.stderr and "passed over 6" in again.stdout


def test_the_journal_says_how_each_result_was_made(mixed):
    folder, out, done = mixed
    entries = [json.loads(line) for line in (out / ".triscribe.jsonl").read_text().splitlines()]
    (entry,) = (each for each in entries if each["source"].endswith("enter.wav") and "status" in each)
    assert entry["status"] == "done" and len(entry["hash"]) == len(entry["digest"]) == 64
    assert entry["options"] == {} and entry["seconds"] > 0 and len(entry["digests"]) == 3


def test_a_corrected_text_is_kept_and_the_table_has_it(tmp_path):
    line = put(tmp_path / "in/a.jpg", EXAMPLES / "handwriting/lettre-fr.jpg")
    (first,) = run(line, tmp_path / "out")
    assert first.status == "done" and first.load().text == first.result.text and not first.earlier
    (tmp_path / "out/a.txt").write_text("corrigé\n", encoding="utf-8")
    (again,) = run(line, tmp_path / "out")
    assert again.status == "edited" and again.kept == (tmp_path / "out/a.txt",)
    assert rows(tmp_path / "out")["a.jpg"]["text"] == "corrigé"
    (over,) = run(line, tmp_path / "out", overwrite=True)
    assert over.status == "done" and (tmp_path / "out/a.txt").read_text(encoding="utf-8") != "corrigé\n"


def test_what_failed_is_tried_again_only_when_asked_or_changed(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    first, again, asked = (
        [*run(tmp_path / "a.wav", tmp_path / "out", retry_failed=retry)][0] for retry in (False, False, True)
    )
    assert [each.earlier for each in (first, again, asked)] == [False, True, False]
    assert first.error.cause == again.error.cause and again.status == "failed"
    put(tmp_path / "a.wav", EXAMPLES / "speech/enter.wav")
    (mended,) = run(tmp_path / "a.wav", tmp_path / "out")
    assert mended.status == "done"
    assert len((tmp_path / "out/failures.csv").read_text().splitlines()) == 1


def test_names_stay_when_files_are_added(tmp_path):
    put(tmp_path / "in/a.wav", EXAMPLES / "speech/enter.wav")
    assert [each.outputs[0].name for each in run(tmp_path / "in", tmp_path / "out")] == ["a.json"]
    put(tmp_path / "in/a.mp4", EXAMPLES / "video/rise.mp4")
    found = {each.path.name: each for each in run(tmp_path / "in", tmp_path / "out")}
    assert found["a.wav"].earlier and found["a.wav"].outputs[0].name == "a.json"
    assert found["a.mp4"].outputs[0].name == "a.mp4.json"


def test_outputs_in_the_folder_of_the_inputs_are_no_inputs(tmp_path):
    put(tmp_path / "a.mp4", EXAMPLES / "video/rise.mp4")
    for count in (1, 1):
        assert len([*run(tmp_path, tmp_path, formats="png,mp4")]) == count
    with open(tmp_path / "results.csv", newline="") as file:
        assert len([*csv.DictReader(file)]) == 1


def test_outputs_of_another_folder_are_inputs_only_by_themselves(tmp_path):
    put(tmp_path / "in/a.mp4", EXAMPLES / "video/rise.mp4")
    assert len([*run(tmp_path / "in", tmp_path / "in/out", formats="mp4")]) == 1
    assert len([*run(tmp_path / "in", tmp_path / "again", formats="txt")]) == 1
    (own,) = [each for each in run(tmp_path / "in/out", tmp_path / "own") if each.task == "action"]
    assert own.status == "done" and own.path.name == "a.mp4"


def test_parquet(tmp_path, monkeypatch, capsys):
    parquet = pytest.importorskip("pyarrow.parquet")
    put(tmp_path / "in/a.mp4", EXAMPLES / "video/rise.mp4")
    (tmp_path / "in/n.txt").write_text("notes")
    assert len([*run(tmp_path / "in", tmp_path / "out", parquet=True)]) == 2
    table = parquet.read_table(tmp_path / "out/results.parquet").to_pylist()
    assert table == [*rows(tmp_path / "out").values()]
    monkeypatch.setattr("pipelines.batch.mixed.find_spec", lambda name: None)
    assert cli.main(["batch", str(tmp_path / "in"), "-o", str(tmp_path / "o"), "--parquet"]) == 2
    assert "needs pyarrow: pip install 'triscribe[parquet]'" in capsys.readouterr().err


def test_other_peoples_tables_are_kept(tmp_path, capsys):
    put(tmp_path / "in/a.mp4", EXAMPLES / "video/rise.mp4")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/results.csv").write_text("mine")
    assert cli.main(["batch", str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 1
    assert "results.csv exists and was not made by triscribe" in capsys.readouterr().err
    assert (tmp_path / "out/results.csv").read_text() == "mine"


# routing, without reading anything


def tasks(folder: Path, command: Rules | None = None) -> dict[str, str]:
    """Tasks, or reasons, of the files of a folder."""
    routing = Routing([folder], command or Rules())
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        routes = routing.routes(path)
        told = routes if isinstance(routes, str) else "|".join(route.task for route in routes)
        found[path.relative_to(folder).as_posix()] = told
    return found


@pytest.fixture
def small(tmp_path):
    put(tmp_path / "scans/a.png", EXAMPLES / "pictures/blue-heart.png")
    put(tmp_path / "scans/talk.mp4", EXAMPLES / "speech/video.mp4")
    put(tmp_path / "silent.mp4", EXAMPLES / "video/rise.mp4")
    put(tmp_path / "enter.wav", EXAMPLES / "speech/enter.wav")
    return tmp_path


def test_a_picture_may_be_writing_or_a_scene(small):
    assert tasks(small) == {
        "enter.wav": "speech",
        "scans/a.png": "handwriting|captioning",
        "scans/talk.mp4": "action",
        "silent.mp4": "action",
    }
    assert tasks(small, Rules(tasks=("handwriting",)))["scans/a.png"] == "handwriting"
    put(small / "scans/a.xml", EXAMPLES / "handwriting/page-en.xml")
    assert tasks(small)["scans/a.png"] == "handwriting"  # its lines are given


def test_only_some_tasks(small):
    found = tasks(small, Rules(tasks=("speech", "captioning")))
    assert found["scans/talk.mp4"] == "speech" and found["silent.mp4"] == "captioning"
    assert tasks(small, Rules(tasks=("speech",)))["silent.mp4"] == "a video, left out by tasks = speech"


def test_rules_go_before_the_content(small):
    command = Rules(rules=(Rule("*.mp4", "speech"), Rule("scans/**", "captioning"), Rule("*.wav", "skip")))
    assert tasks(small, command) == {
        "enter.wav": "rule *.wav=skip",
        "scans/a.png": "captioning",
        "scans/talk.mp4": "captioning",
        "silent.mp4": "a video, which speech does not read (rule *.mp4=speech)",
    }


def test_the_nearest_file_of_rules_counts_and_the_command_line_goes_before(small):
    (small / "triscribe.toml").write_text('tasks = ["speech"]\n[map]\n"*.png" = "captioning"\n')
    (small / "scans/triscribe.toml").write_text('tasks = ["action"]\n[map]\n"a.png" = "handwriting"\n')
    found = tasks(small)
    assert found["scans/a.png"] == "handwriting" and found["scans/talk.mp4"] == "action"
    assert found["silent.mp4"].startswith("a video, left out")
    command = Rules(tasks=("captioning",), rules=(Rule("a.png", "captioning"),))
    found = tasks(small, command)
    assert found["scans/a.png"] == found["silent.mp4"] == "captioning"
    routing = Routing([small], Rules())
    assert routing.passed(small / "triscribe.toml") == ""


def test_texts_go_to_the_task_that_a_model_is_given_for(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("from rome to lima\n")
    sizes = {"kind": "tokens", "output_size": 4}, {"kind": "bilstm", "hidden_size": 4}, {"kind": "crf"}
    tagger = SequenceModel("tagging", *sizes, Classes(["city", "O"]), vocabulary=Words(["rome", "lima"]))
    tagger = str(tagger.save(tmp_path / "tagger.safetensors"))
    for models, expected in (
        ((), "text, for which no model is given (-m)"),
        (("auto",), "text, for which no model is given (-m)"),
        (("intents-en",), "text"),
        ((tagger,), "tagging"),
        ((tagger, "auto"), "tagging"),
    ):
        assert tasks(tmp_path / "in", Rules(models=models))["a.txt"] == expected


def test_models_and_options_of_rules(small):
    (small / "scans/triscribe.toml").write_text(
        'model = "handwriting-en"\n[options.handwriting]\nwidth = 9\nlayout = "page"\n'
    )

    def first(command, common=None):
        route = Routing([small], command, common).routes(small / "scans/a.png")[0]
        return route.model, route.options.width, route.options.layout

    assert first(Rules()) == ("handwriting-en", 9, "page")
    set_here = Rules(models=("handwriting-fr",), options={"handwriting": {"width": "3"}})
    assert first(set_here) == ("handwriting-fr", 3, "page")
    ruled = Rules(rules=(Rule("*.png", "handwriting", "handwriting-en-small"),))
    assert first(ruled, {"batch_size": 2}) == ("handwriting-en-small", 9, "page")


@pytest.mark.parametrize(
    "content,error,message",
    [
        ("[options.speech]\nwidht = 1", DataError, "did you mean 'width'"),
        ('model = "nothing"', ModelError, "no such model"),
        ('[map]\n"*.wav" = "speech:handwriting-fr"', ModelError, "is a model for handwriting"),
        ('formats = "srt"', DataError, "formats can only be given in the folder that is named"),
    ],
)
def test_wrong_rules_are_named_before_anything_is_read(small, content, error, message):
    (small / "scans/triscribe.toml").write_text(content)
    with pytest.raises(error, match=message):
        tasks(small)


def page(width: int, height: int, *lines: tuple[str, float], id: str = "") -> Page:
    return Page((TextRegion(tuple(TextLine(*line, id=id) for line in lines)),), width, height, "m")


def test_what_shows_writing():
    letter = [("Dear Sir,", 0.9), ("I thank you for yours", 0.6), ("yrs", 0.5)]
    assert shows_writing(page(800, 1000, *letter)) and shows_writing(page(800, 1000, ("a", 0.9), id="l1"))
    assert shows_writing(page(500, 60, ("14", 0.9))) and not shows_writing(page(500, 60, ("", 0.0)))
    scene = [("r.", 0.5), ("4", 0.9), ("12 a", 0.4), ("f", 0.7)]
    assert not shows_writing(page(800, 1000, *scene)) and not shows_writing(page(100, 100, ("17", 0.9)))


# the command


@pytest.mark.parametrize(
    "arguments,message",
    [
        ((), "name at least one folder"),
        (("x",), "name a folder for the outputs: -o OUT"),
        (("x", "-o", "out", "--map", "*.wav"), "a rule is PATTERN=TASK"),
        (("x", "-o", "out", "--map", "*.wav=speach"), "did you mean 'speech'?"),
        (("x", "-o", "out", "--tasks", "pdf"), "no task 'pdf'"),
        (("x", "-o", "out", "-f", "srr"), "did you mean 'srt'?"),
        (("x", "-o", "out", "--set", "speech.widht=3"), "did you mean 'width'?"),
        (("x", "-o", "out", "--set", "speech.width=0"), "width must be at least 1"),
        (("x", "-o", "out", "--threads", "-1"), "--threads must be 0 or more"),
    ],
)
def test_wrong_usage(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["batch", *arguments]) == 2
    assert message in capsys.readouterr().err and not os.path.exists("out")


def test_progress_as_lines_of_json_and_no_word_too_many(small, tmp_path, capsys):
    lines = tmp_path / "progress.jsonl"
    inputs = ["batch", str(small / "enter.wav"), "missing.wav", "-o", str(tmp_path / "out")]
    assert cli.main([*inputs, "--progress", str(lines), "-f", "speech=txt"]) == 1
    events = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [each["event"] for each in events] == ["result", "begin", "result", "end"]
    assert events[0]["status"] == "failed" and events[2]["task"] == "speech" and events[-1]["done"] == 1
    capsys.readouterr()
    assert cli.main([*inputs[:2], *inputs[3:], "--quiet", "-f", "speech=txt"]) == 0
    assert capsys.readouterr() == ("", "")
