"""Folders of media: what is taken, that no two outputs meet, and what the journal knows."""

import itertools
import json
import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from pipelines.batch import run
from pipelines.batch.journal import JOURNAL, Journal
from pipelines.batch.plan import collect, plan
from pipelines.errors import MediaError

ROOT = Path(__file__).parents[3]


def is_media(path: Path) -> bool:
    return path.read_bytes().startswith(b"media")


def put(path: Path, content: str = "media") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def outputs(sources, inputs=None, formats=("txt",), out="out") -> list[str]:
    """Names below the output folder, in the order of the sources."""
    jobs = plan(list(sources), sources if inputs is None else inputs, Path(out), list(formats))
    assert [job.source for job in jobs] == list(sources)
    return [str(output.relative_to(out)) for job in jobs for output in job.outputs]


# collect


def test_a_folder_is_walked_by_content_and_in_order(tmp_path):
    kept = [put(tmp_path / name) for name in ("a/z.wav", "a/b/deep.bin", "b/no_ending", "b/ü b\nc.mp3")]
    put(tmp_path / "a/notes.wav", "text")
    put(tmp_path / ".hidden.wav")
    put(tmp_path / ".cache/x.wav")
    assert sorted(collect([tmp_path], is_media)) == sorted(kept)
    assert collect([tmp_path], is_media) == collect([str(tmp_path)], is_media)


def test_named_files_are_always_taken(tmp_path):
    files = [put(tmp_path / "notes.txt", "text"), put(tmp_path / ".hidden.wav")]
    assert collect(files, is_media) == files
    assert collect([tmp_path / "*.txt"], is_media) == files[:1]


def test_patterns(tmp_path):
    for name in ("a/x.wav", "a/b/y.wav", "c/z.mp3", ".hidden/w.wav"):
        put(tmp_path / name)
    put(tmp_path / "c/notes", "text")

    def found(pattern):
        return [str(path.relative_to(tmp_path)) for path in collect([f"{tmp_path}/{pattern}"], is_media)]

    assert found("*/*.wav") == ["a/x.wav"]
    assert found("**/*.wav") == ["a/b/y.wav", "a/x.wav"]
    assert found("[ac]") == ["a/x.wav", "a/b/y.wav", "c/z.mp3"]  # folders that match are walked


def test_a_name_that_looks_like_a_pattern(tmp_path):
    file = put(tmp_path / "take [1]*.wav")
    assert collect([file], is_media) == [file]


def test_everything_once(tmp_path, monkeypatch):
    file = put(tmp_path / "a/x.wav")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    spellings = ["a/x.wav", "./a/x.wav", "a/../a/x.wav", str(file), "a", "a/*.wav", "link/x.wav", "link"]
    for one, other in itertools.permutations(spellings, 2):
        assert len(collect([one, other], is_media)) == 1, (one, other)
    assert collect(["a/../a/x.wav", "a"], is_media) == [Path("a/../a/x.wav")]


def test_dots_behind_a_link_are_another_file(tmp_path, monkeypatch):
    put(tmp_path / "x.wav")
    put(tmp_path / "elsewhere/x.wav")
    put(tmp_path / "elsewhere/a/y.wav")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere/a")
    monkeypatch.chdir(tmp_path)
    sources = collect(["x.wav", "link/../x.wav"], is_media)
    assert len(sources) == 2
    assert len(set(outputs(sources))) == 2


def test_links(tmp_path):
    file = put(tmp_path / "a/x.wav")
    (tmp_path / "a/y.wav").symlink_to(file)
    (tmp_path / "a/round").symlink_to(tmp_path / "a")
    sources = collect([tmp_path / "a"], is_media)
    assert sources == [file, tmp_path / "a/y.wav"]
    assert outputs(sources, [tmp_path / "a"]) == ["x.txt", "y.txt"]


def test_samples_of_a_record_are_no_recording_of_their_own(tmp_path):
    for name in ("a.hea", "a.dat", "b.dat"):
        (tmp_path / name).write_bytes(b"fLaC")
    assert [path.name for path in collect([tmp_path], lambda path: True)] == ["a.hea", "b.dat"]


def test_folders_that_are_not_looked_into_are_told(tmp_path, monkeypatch):
    put(tmp_path / "a/x.wav")
    put(tmp_path / "a/locked/y.wav")
    (tmp_path / "a/round").symlink_to(tmp_path / "a")
    looking = os.scandir

    def scandir(path):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return looking(path)

    monkeypatch.setattr(os, "scandir", scandir)
    missed = {}
    assert collect([tmp_path / "a"], is_media, missed) == [tmp_path / "a/x.wav"]
    assert {path.name: error and error.errno for path, error in missed.items()} == {
        "round": None,
        "locked": 13,
    }
    shutil.copy(ROOT / "examples/speech/enter.wav", tmp_path / "a/x.wav")
    found = {outcome.path.name: outcome for outcome in run(tmp_path / "a", tmp_path / "out")}
    assert "a link to a folder, which is not followed" in found["round"].reason
    assert "cannot be looked into (Permission denied)" in str(found["locked"].error)
    assert found["x.wav"].status == "done"


def test_inputs_that_give_nothing(tmp_path):
    put(tmp_path / "empty/notes.txt", "text")
    for name, cause in [
        ("missing.wav", "no such file"),
        ("*.wav", "no such file"),
        ("empty", "holds no media"),
    ]:
        with pytest.raises(MediaError, match=cause) as error:
            collect([tmp_path / name], is_media)
        assert error.value.path == str(tmp_path / name)


# plan


def test_the_tree_is_mirrored(tmp_path):
    sources = [put(tmp_path / name) for name in ("a/x.wav", "a/deep/y.wav", "b/x.mp3")]
    assert outputs(sources, [tmp_path]) == ["a/x.txt", "a/deep/y.txt", "b/x.txt"]
    assert outputs(sources, [tmp_path / "a", tmp_path / "b"]) == ["a/x.txt", "a/deep/y.txt", "b/x.txt"]
    assert outputs(sources[:2], [tmp_path / "a"]) == ["x.txt", "deep/y.txt"]
    assert outputs(sources[:1], [tmp_path / "a"]) == ["x.txt"]
    assert outputs(sources[:1]) == ["x.txt"]


def test_a_pattern_and_a_relative_path(tmp_path, monkeypatch):
    put(tmp_path / "talks/a/x.wav")
    monkeypatch.chdir(tmp_path)
    assert outputs([Path("talks/a/x.wav")], ["talks/*/*.wav"]) == ["a/x.txt"]
    assert outputs([Path("../") / tmp_path.name / "talks/a/x.wav"], ["talks"]) == ["a/x.txt"]


@pytest.mark.parametrize(
    "names, expected",
    [
        (["talk.v1.wav", "talk.v2.wav"], ["talk.v1.txt", "talk.v2.txt"]),
        (["x.wav", "x.mp3", "y.wav"], ["x.wav.txt", "x.mp3.txt", "y.txt"]),
        (["x.wav", "x.mp3", "x.mp3.wav"], ["x.wav.txt", "x.mp3.txt", "x.mp3.wav.txt"]),
        (["x.wav", "x"], ["x.wav.txt", "x.txt"]),
        (["X.wav", "x.wav"], ["X.wav.txt", "x.wav.2.txt"]),
        (["A/x.wav", "a/x.wav"], ["A/x.wav.txt", "a/x.wav.2.txt"]),
        (["Straße.wav", "Strasse.wav"], ["Straße.txt", "Strasse.txt"]),
        (["ü b\n.wav", " .wav", ".wav"], ["ü b\n.txt", " .txt", ".wav.txt"]),
    ],
)
def test_names(tmp_path, names, expected):
    assert outputs([tmp_path / name for name in names], [tmp_path]) == expected


def test_no_two_outputs_ever_meet():
    """Every choice of awkward names, on a disk that takes X for x and composed for decomposed letters."""
    awkward = ["x", "x.wav", "X.wav", "x.mp3", "x.mp3.wav", "x.wav.mp3", "x.wav.2", "x.wav.2.wav"]
    awkward += ["\u00fc.wav", "u\u0308.wav"]
    for chosen in itertools.chain.from_iterable(
        itertools.combinations(awkward, size) for size in range(1, len(awkward) + 1)
    ):
        for order in (chosen, chosen[::-1]):
            found = outputs([Path("/in") / name for name in order], ["/in"], ["txt", "textgrid"])
            folded = {unicodedata.normalize("NFC", name).lower() for name in found}
            assert len(folded) == 2 * len(chosen), (order, found)


def test_one_output_a_format(tmp_path):
    assert outputs([tmp_path / "x.wav"], formats=["srt", "textgrid"]) == ["x.srt", "x.TextGrid"]


# journal


@pytest.fixture
def job(tmp_path):
    source = put(tmp_path / "in/x.wav")
    (planned,) = plan([source], [source], tmp_path / "out", ["txt", "srt"])
    return planned


def finish(job, model="m", journal=None):
    journal = journal or Journal(job.outputs[0].parent)
    for output in job.outputs:
        put(output, f"by {model}")
    journal.add(job, model, None)
    return journal


def reopened(job) -> Journal:
    return Journal(job.outputs[0].parent)


def test_done_is_done_while_nothing_changes(job):
    assert not reopened(job).is_done(job, "m")
    finish(job)
    assert reopened(job).is_done(job, "m")
    assert reopened(job).foreign(job) is None
    assert not reopened(job).is_done(job, "another model")


def test_a_changed_source_is_redone(job):
    finish(job)
    put(job.source, "media, longer")
    assert not reopened(job).is_done(job, "m")
    finish(job)
    facts = job.source.stat()
    put(job.source, "media, edited")  # of the same size
    os.utime(job.source, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert not reopened(job).is_done(job, "m")


def test_a_source_that_was_only_touched_is_what_it_was(job):
    finish(job)
    facts = job.source.stat()
    os.utime(job.source, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert reopened(job).is_done(job, "m")


def test_a_missing_output_is_redone(job):
    finish(job)
    job.outputs[1].unlink()
    assert not reopened(job).is_done(job, "m")
    assert reopened(job).foreign(job) is None


def test_other_peoples_files(job):
    put(job.outputs[0], "a reference")
    assert reopened(job).foreign(job) == f"{job.outputs[0]} exists and was not made by triscribe"
    put(job.outputs[1], "a subtitle")
    assert reopened(job).is_done(job, "m")  # left alone with --skip-existing
    finish(job)  # as with --overwrite
    assert reopened(job).foreign(job) is None


def test_all_runs_count(job, tmp_path):
    """What an earlier run made, in another format or before a failure, stays ours."""
    finish(job)
    (other,) = plan([job.source], [job.source], tmp_path / "out", ["tsv"])
    finish(other, "m2")
    reopened(job).add(job, "m", "damaged")
    assert reopened(job).foreign(job) is None
    assert reopened(job).is_done(job, "m")
    assert not reopened(job).is_done(job, "m2")  # only the .tsv is of this model
    assert reopened(job).is_done(other, "m2")


def test_a_failure_owns_nothing(job):
    reopened(job).add(job, "m", "damaged")
    put(job.outputs[0], "typed by hand instead")
    assert reopened(job).foreign(job)


def test_outputs_half_written_are_ours(job):
    for output in job.outputs:
        reopened(job).begin(job, output, "speech", job.source)
    put(job.outputs[0])
    assert reopened(job).foreign(job) is None
    put(job.outputs[1])
    assert not reopened(job).is_done(job, "m")


def test_another_source_is_not_overwritten(job, tmp_path):
    finish(job)
    for name, way in [("other/x.wav", "folder"), ("in/x.mp3", "ending")]:
        source = put(tmp_path / name)
        (planned,) = plan([source], [source], tmp_path / "out", ["txt", "srt"])
        assert planned.outputs == job.outputs, way
        assert not reopened(job).is_done(planned, "m")
        assert reopened(job).foreign(planned).endswith(f"was made from {job.source}")
    job.source.unlink()  # renamed to .mp3, say
    assert reopened(job).foreign(planned) is None
    assert not reopened(job).is_done(planned, "m")


def test_a_killed_run_is_survived(job, tmp_path):
    finish(job)
    journal = tmp_path / "out" / JOURNAL
    whole = journal.read_bytes()
    (other,) = plan([put(tmp_path / "in/y.wav")], [tmp_path / "in"], tmp_path / "out", ["txt"])
    for end in range(len(whole)):
        journal.write_bytes(whole + whole[:end])
        assert reopened(job).is_done(job, "m")
        finish(other)
        assert reopened(job).is_done(job, "m") and reopened(job).is_done(other, "m"), end
        assert reopened(job).foreign(other) is None, end
    journal.write_bytes(b"\xff\x00[]\nnull\n{}\n" + whole)
    assert reopened(job).is_done(job, "m")


def test_names_that_are_no_text(tmp_path):
    """A file name from a Latin-1 system is bytes that are not UTF-8."""
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \n.wav"))
    try:
        put(source)
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only UTF-8 names")
    (planned,) = plan([source], [source], tmp_path / "out", ["txt"])
    finish(planned)
    assert reopened(planned).is_done(planned, "m")
    (line,) = (tmp_path / "out" / JOURNAL).read_text().splitlines()
    assert json.loads(line)["source"] == str(source)
