"""The command as users run it: exit codes, messages, help, with a small model of random weights."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from decoders.alphabet import Alphabet
from decoders.language.profile import Language
from pipelines import __version__, model_file
from pipelines import model as model_module
from pipelines.commands import cli
from pipelines.commands.arguments import parse
from pipelines.model import SequenceModel
from pipelines.reading.settings import AlignmentOptions, CaptionOptions, RecognitionOptions, SpeechOptions
from pipelines.tasks import TASKS
from tests.data import media

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """It writes something in every frame."""
    torch.manual_seed(0)
    front_end = {"kind": "spectrogram", "sample_rate": 8000, "output_size": 8, "n_mels": 10, "channels": 2}
    core = {"kind": "bilstm", "hidden_size": 6, "num_layers": 2}
    network = SequenceModel("speech", front_end, core, {"kind": "ctc"}, Alphabet(" AB"))
    with torch.no_grad():
        network.decoder.project.weight.mul_(20)
        network.decoder.project.bias[:2] = -99.0  # neither the blank nor the space
    return network.save(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two good recordings, a broken one, and a text."""
    (tmp_path / "in/deep").mkdir(parents=True)
    media.write_audio(tmp_path / "in/x.wav", media.chirp(0.6, 8000), 8000)
    media.write_audio(tmp_path / "in/deep/ü y.flac", media.chirp(0.4), 16000)
    whole = media.write_audio(tmp_path / "whole.wav", media.tone(1.0))
    media.cut(whole, 0.5).rename(tmp_path / "in/broken.wav")
    (tmp_path / "in/notes.txt").write_text("not a recording")
    return tmp_path / "in"


def run(*arguments) -> int:
    """In this process; torch is loaded once."""
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as error:
        return error.code


def shell(*arguments, code: str | None = None) -> subprocess.CompletedProcess:
    command = ["-c", code] if code else ["-m", "pipelines.commands.cli", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_good_and_broken_files(model, folder, tmp_path):
    out, page = tmp_path / "out", tmp_path / "index.html"
    inputs = [folder, folder / "notes.txt", tmp_path / "missing.mp3"]
    done = shell("transcribe", *inputs, "-m", model, "-o", out, "-f", "srt,json", "--page", page)
    assert done.returncode == 1, done.stderr
    failed = [line for line in done.stderr.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 3 and "Traceback" not in done.stderr
    for name in ("missing.mp3", "broken.wav", "notes.txt"):
        (line,) = (line for line in failed if name in line)
        path, cause, way_out = re.fullmatch(r"failed: (.+?): (.+); (.+)", line).groups()
        assert Path(path).name == name and cause and way_out
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.*") if path.name[0] != ".") == [
        "deep/ü y.json",
        "deep/ü y.srt",
        "x.json",
        "x.srt",
    ]
    found = json.loads((out / "x.json").read_text(encoding="utf-8"))
    assert found["duration"] == 0.6 and set(found["text"]) <= set("AB") and found["model"] == "tiny"
    assert found["text"] in (out / "x.srt").read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    assert "ü y.flac" in text and "broken.wav" in text and found["text"] in text
    assert "2 transcribed" in done.stdout and "3 failed" in done.stdout

    (folder / "broken.wav").unlink()
    assert run("transcribe", folder, "-m", model, "-o", out, "-f", "srt,json", "--skip-existing") == 0


def test_the_command_writes_what_the_library_finds(model, folder, tmp_path, capsys):
    from pipelines import transcribe

    assert run("transcribe", folder / "x.wav", folder / "deep", "-m", model, "-o", tmp_path) == 0
    for name in ("x.wav", "deep/ü y.flac"):
        wanted = transcribe(folder / name, model).text
        assert wanted and (tmp_path / name).with_suffix(".txt").read_text() == wanted + "\n"
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.txt")}
    capsys.readouterr()
    assert (
        run("transcribe", folder / "x.wav", folder / "deep", "-m", model, "-o", tmp_path, "--skip-existing")
        == 0
    )
    assert "0 transcribed" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.txt")}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("", f"no command given; choose from {', '.join(cli.COMMANDS)}"),
        ("recognise x.png", "no command 'recognise'; did you mean recognize\\?"),
        ("transcript x.wav", "did you mean transcribe"),
        ("frobnicate", "no command 'frobnicate'; choose from transcribe"),
        ("transcribe", "name at least one"),
        ("transcribe x.wav -f docx", "no format 'docx'"),
        ("transcribe x.wav -f txt,str", "did you mean 'srt'"),
        ("transcribe x.wav -f ,", "names no format"),
        ("transcribe x.wav --threads -1", "threads must be 0 or more"),
        ("transcribe x.wav --batch-size 0", "batch_size must be at least 1"),
        ("transcribe x.wav --longest 0", "longest (must be )?at least 1 second"),
        ("transcribe x.wav -f srt --max-words 0", "max_words"),
        ("transcribe x.wav --device tpu", "device must be auto, cpu or cuda"),
        ("transcribe x.wav --longst 3", "--longest"),
        ("align x.wav x.txt --min-confidence 2", "min_confidence must lie between 0 and 1"),
        ("transcribe x.wav --frmat srt", "--format"),
        ("transcribe x.wav --skip-exsting", "--skip-existing"),
        ("align x.wav", "TEXT"),
        ("gates x.wav --layer one", "layer"),
        ("train", "name a recipe: asr, handwriting"),
        ("train foo", "no recipe 'foo'; choose from asr, handwriting"),
        ("train foo --data x --epochs 3", "no recipe 'foo'"),
        ("train asr --epocs 3", "--epochs"),
        ("train asr --epochs -1", "epochs must be 0 or more"),
        ("train asr --valid 1.5", "valid is a share"),
        ("train asr --speed 1.5", "speed is a change"),
        ("train asr --hidden-size 0", "hidden_size must be at least 1"),
        ("train asr --bptt-window 50", "bptt_window needs --no-bidirectional"),
    ],
)
def test_wrong_usage(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    media.write_audio(tmp_path / "x.wav", media.tone(0.1))
    assert run(*arguments.split()) == 2
    assert re.search(message, capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]


def test_the_home_folder_in_quotes_and_behind_an_equals_sign(model, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(tmp_path)
    assert run("transcribe", "~/x.wav", "--out=~/there", "-m", model) == 0
    assert (folder / "there/x.txt").exists() and not (tmp_path / "~").exists()


def test_a_device_that_is_not_there(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert run("transcribe", "x.wav", "--device", "cuda", "-o", tmp_path) == 2
    assert "no CUDA device" in capsys.readouterr().err


def test_wrong_usage_from_a_shell():
    done = shell("transcribe", "x.wav", "--outt", "y")
    assert done.returncode == 2 and "--out" in done.stderr and not done.stdout


@pytest.mark.parametrize("command", ["transcribe x.wav -m", "info", "gates x.wav -m", "align x.wav x.txt -m"])
def test_a_missing_model(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    media.write_audio(tmp_path / "x.wav", media.tone(0.1))
    (tmp_path / "x.txt").write_text("A")
    assert run(*command.split(), "nowhere.safetensors") == 1
    assert "triscribe: nowhere.safetensors: no such model; name a " in capsys.readouterr().err
    assert run(*command.split(), "x.wav") == 1
    assert "triscribe: x.wav: not a readable safetensors file" in capsys.readouterr().err


def test_version_and_help_are_quick():
    """Neither loads torch, which takes seconds."""
    code = (
        "import sys\n"
        "from pipelines.commands.cli import main\n"
        "print(main(['--version']))\n"
        "for arguments in (['--help'], ['transcribe', '--help'], ['transcribe', '--frmat']):\n"
        "    try:\n"
        "        main(arguments)\n"
        "    except SystemExit as error:\n"
        "        print('code', error.code)\n"
        "print({'torch', 'librosa', 'matplotlib', 'av'} & set(sys.modules))\n"
    )
    done = shell(code=code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"triscribe {__version__}\n0\n")
    assert re.findall(r"^code (\d)", done.stdout, re.MULTILINE) == ["0", "2"]
    assert done.stdout.endswith("set()\n")


def silent(options: list[str], text: str) -> list[str]:
    """Options that a help page does not show, or shows with nothing but the kind of their value."""
    flat = " ".join(text.replace("│", " ").split())
    kind = r"(?: (?:\{\S+|STR|INT|FLOAT|PATH|\[PATH \[PATH \.\.\.\]\]|[A-Z]+(?![a-z]))(?:\|[A-Z]+)?)*+"
    shown = rf"--%s(?:, --no-[a-z-]+)?{kind} [A-Za-z$]"
    return [name for name in options if not re.search(shown % name.replace("_", "-"), flat)]


def test_the_check_for_help_texts_finds_a_missing_one():
    text = "│ -x INT, --x INT  (default: 3)  │\n│ --y-z {None}|INT\n│  Why. │ --w, --no-w (default: False)"
    assert silent(["x", "y_z", "w", "v"], text) == ["x", "w", "v"]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_names_the_command_and_fits_80_columns(name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(name, "--help") == 0
    text = capsys.readouterr().out
    assert f"triscribe {name}" in text and len(text.splitlines()) < 100
    assert max(map(len, text.splitlines()[1:])) <= 80
    assert run("--help") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith(f"  {name} "))
    assert len(line) <= 90 and len(line.split()) > 3


@pytest.mark.parametrize(
    "name,options",
    [
        ("transcribe", SpeechOptions),
        ("recognize", RecognitionOptions),
        ("caption", CaptionOptions),
        ("align", AlignmentOptions),
    ],
)
def test_the_command_has_the_keyword_arguments_of_the_function(name, options, monkeypatch, capsys):
    """`strict` is turned around as --lenient; a command always goes on after an error."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run(name, "--help") == 0
    flags = {each.name for each in fields(options)} - {"errors", "strict"} | {"lenient"}
    own = {"out", "format", "model", "overwrite", "threads"}
    assert silent(sorted(flags | own), capsys.readouterr().out) == []


@pytest.mark.parametrize("name", ["transcribe", "recognize", "caption", "align"])
def test_defaults_of_the_command_are_those_of_the_function(name):
    module = import_module(f"pipelines.commands.{name}")
    kind = next(each for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__)
    given = ["x"] * (2 if name == "align" else 1)
    _, keywords = parse(kind, name, given, module.GROUPS)
    for group in module.GROUPS:
        wanted = group.options()
        for each in group.names:
            assert keywords[each] == (getattr(wanted, each) or keywords[each]), each
            assert bool(keywords[each]) == bool(getattr(wanted, each)), each


def test_models(model, monkeypatch, capsys):
    monkeypatch.setattr(model_file, "BUNDLED", model.parent)
    monkeypatch.setitem(TASKS, "speech", replace(TASKS["speech"], default="tiny"))
    assert run("models") == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("tiny ") and "speech" in first and "default" in first


def test_info(model, capsys):
    assert run("info", model) == 0
    first, rest = capsys.readouterr().out.split("\n", 1)
    parameters = sum(parameter.numel() for parameter in model_module.load(model).parameters())
    assert first == f"tiny: {parameters:,} parameters"
    header = json.loads(rest)
    assert header["alphabet"] == " AB" and header["task"] == "speech" and header["core"]["hidden_size"] == 6


def test_info_counts_the_words_of_a_language_model(model, tmp_path, capsys):
    network = model_module.load(model)
    network.language = Language.of(network.alphabet, network.encode, ["AB BA AB", "BA A"])
    assert run("info", network.save(tmp_path / "m.safetensors")) == 0
    told = json.loads(capsys.readouterr().out.split("\n", 1)[1])["language_model"]
    assert told["words"] == 2 and told["weight"] == network.language.weight


def test_gates(model, folder, tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    out = tmp_path / "new/gates.png"
    assert run("gates", folder / "x.wav", "-m", model, "-o", out, "--layer", "2", "--direction", "back") == 0
    assert capsys.readouterr().out == f"{out}\n"
    with image.open(out) as picture:
        picture.verify()
        assert picture.format == "PNG" and min(picture.size) > 500
    assert run("gates", folder / "x.wav", "-m", model, "-o", out, "--layer", "3") == 2
    assert "layers 1 to 2" in capsys.readouterr().err
    assert run("gates", folder / "broken.wav", "-m", model, "-o", out) == 1
    assert "broken.wav: " in capsys.readouterr().err


def test_align(model, folder, tmp_path, capsys):
    text = tmp_path / "in/x.txt"
    text.write_text("ABBA\n")
    assert run("align", folder / "x.wav", text, "-m", model, "-o", folder, "-f", "txt") == 2
    assert "x.txt exists and was not made by triscribe" in capsys.readouterr().err
    assert text.read_text() == "ABBA\n"
    out = tmp_path / "out"
    code = run("align", folder / "x.wav", text, "-m", model, "-o", out, "-f", "json,srt")
    found = json.loads((out / "x.json").read_text())
    assert [segment["text"] for segment in found["segments"]] == ["ABBA"]
    assert code == (0 if found["segments"][0]["found"] else 1)
    assert ("not in the recording: ABBA" in capsys.readouterr().err) == bool(code)
    assert run("align", folder / "x.wav", text, "-m", model, "-o", out, "-f", "json,srt") == code  # ours
    assert run("align", folder / "x.wav", tmp_path / "none.txt", "-m", model, "-o", out) == 1
    assert "none.txt" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "link"])
def test_a_recording_that_is_piped(model, folder, tmp_path, name):
    """Read once; a pipe of any name is whole."""
    pipe = f"<(cat {shlex.quote(str(folder / 'x.wav'))})" if name == "link" else name
    line = [sys.executable, "-m", "pipelines.commands.cli", "transcribe", "-m", str(model)]
    command = f"{shlex.join([*line, '-o', str(tmp_path / 'out')])} {pipe}"
    if not (bash := shutil.which("bash")):
        pytest.skip("no bash")
    with open(folder / "x.wav", "rb") as recording:
        done = subprocess.run(
            [bash, "-c", f"cat | {command}" if name != "link" else command],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
            stdin=recording,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    (text,) = (tmp_path / "out").glob("*.txt")
    assert run("transcribe", folder / "x.wav", "-m", model, "-o", tmp_path) == 0
    assert text.read_text() == (tmp_path / "x.txt").read_text() != "\n"


def test_brackets_in_a_pattern_and_a_cut_recording(model, folder, tmp_path):
    talks = tmp_path / "talks [2023]"
    talks.mkdir()
    (folder / "x.wav").rename(talks / "go.wav")
    whole = media.write_audio(tmp_path / "long.flac", media.chirp(3.0), 16000)
    media.cut(whole, 0.5).rename(talks / "cut.flac")
    done = shell("transcribe", f"{talks}/*", "-m", model, "-o", tmp_path / "out", "--lenient")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").glob("*.txt")) == ["cut.txt", "go.txt"]
    (note,) = (line for line in done.stderr.splitlines() if line.startswith("note: "))
    assert re.search(r"cut\.flac: .*[\d.]+ of 3\.0 seconds", note)


def test_the_track_to_transcribe(model, tmp_path):
    waves = (np.zeros(16000, np.float32), media.chirp(1.0))
    path = media.write_tracks(tmp_path / "x.mkv", *waves)
    done = shell("transcribe", path, "-m", model, "-o", tmp_path / "out")
    assert done.returncode == 0 and (tmp_path / "out/x.txt").read_text().strip(), done.stderr
    done = shell("transcribe", path, "-m", model, "-o", tmp_path / "out", "--track", "1")
    assert done.returncode == 1 and "x.mkv: is silent" in done.stderr
    done = shell("transcribe", path, "-m", model, "-o", tmp_path / "out", "--track", "3")
    assert done.returncode == 1 and "x.mkv: has 2 audio tracks, none of them number 3" in done.stderr
