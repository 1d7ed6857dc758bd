"""A batch run around a stand-in for the model: outputs, failures, and what a broken-off run leaves."""

import errno
import os
import signal
from pathlib import Path

import pytest

from pipelines import speech
from pipelines.batch import runner as running
from pipelines.batch import work
from pipelines.batch.earlier import RESULTS, EarlierResults
from pipelines.batch.journal import JOURNAL, Journal
from pipelines.batch.plan import Job
from pipelines.batch.work import Work
from pipelines.commands import cli
from pipelines.errors import MediaError
from pipelines.media.files import locate
from pipelines.reading import readers
from pipelines.reading.settings import SpeechOptions
from pipelines.results import (
    Character,
    Glyph,
    Page,
    Segment,
    StrokeSpan,
    TextLine,
    TextRegion,
    Transcript,
    Word,
    WrittenWord,
)
from pipelines.writers import write_atomically
from tests.data.media import tone, write_audio

TEXTS = ["one", "two", "three", "four"]
WORDS = tuple(Word(text, 0.1 * place, 0.1 * place + 0.1, 0.9) for place, text in enumerate(TEXTS))


class StandIn:
    """The reader of recordings, with its options, and what to do at a name instead of reading it."""

    def __init__(self):
        self.name, self.read, self.instead = "m", [], {}

    def __call__(self, sources, model, options):
        self.options = options
        for source in sources:
            self.read.append(source.name)
            happening = self.instead.get(source.name)
            if isinstance(happening, BaseException) and not isinstance(happening, MediaError):
                raise happening
            whole = Transcript((Segment("one two three four", 0.0, 0.4, 0.9, WORDS),), 0.5, "m", str(source))
            yield happening or whole


@pytest.fixture
def model(monkeypatch):
    stand_in = StandIn()
    monkeypatch.setattr(readers, "model_for", lambda task, model: stand_in)
    monkeypatch.setattr(work, "header_for", lambda task, model: (stand_in.name, {}))
    monkeypatch.setattr(speech, "read_recordings", stand_in)
    return stand_in


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for name in "abc":
        write_audio(tmp_path / "in" / f"{name}.wav", tone(0.05, 8000), 8000)
    return tmp_path / "in"


def run(*arguments) -> int:
    return cli.main(["transcribe", *map(str, arguments)])


def written(out: Path) -> list[str]:
    return sorted(
        str(path.relative_to(out))
        for path in out.rglob("*")
        if path.is_file() and path.name not in (JOURNAL, RESULTS)
    )


def test_all_good(model, folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(folder, "-o", out, "-f", "txt,srt", "--longest", "9") == 0
    assert written(out) == ["a.srt", "a.txt", "b.srt", "b.txt", "c.srt", "c.txt"]
    assert (out / "a.txt").read_text() == "one two three four\n"
    assert model.options == SpeechOptions(longest=9.0, hotwords="", lexicon="")
    assert "3 transcribed (2 s of audio" in capsys.readouterr().out


def test_lenient(model, folder, tmp_path):
    run(folder, "-o", tmp_path, "--lenient")
    assert model.options.strict is False


def test_words_in_a_subtitle(model, folder, tmp_path):
    assert run(folder / "a.wav", "-o", tmp_path, "-f", "srt,txt", "--max-words", "1") == 0
    assert (tmp_path / "a.srt").read_text().count("-->") == 4
    assert run(folder / "a.wav", "-o", tmp_path, "-f", "srt") == 0
    assert (tmp_path / "a.srt").read_text().count("-->") == 1


def test_a_failure_costs_one_line(model, folder, tmp_path, capsys):
    odd = write_audio(folder / "new\nline.wav", tone(0.05, 8000), 8000)
    model.instead = {odd.name: MediaError(odd, "is damaged", "get\nanother")}
    assert run(folder, folder / "missing.wav", "-o", tmp_path / "out") == 1
    seen = capsys.readouterr()
    assert [line for line in seen.err.splitlines() if line.startswith("failed:")] == [
        f"failed: {folder}/missing.wav: no such file or folder; check the name",
        f"failed: {folder}/new line.wav: is damaged; get another",
    ]
    assert written(tmp_path / "out") == ["a.txt", "b.txt", "c.txt"]
    assert "3 transcribed" in seen.out and "2 failed" in seen.out


@pytest.mark.parametrize(
    "command, ending", [("annotate", ".csv"), ("classify", ".txt"), ("translate", ".txt")]
)
def test_a_model_that_is_missing_is_said_once(tmp_path, capsys, command, ending):
    """Not for each file, and nothing is written."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}{ending}").write_text("1,2\n3,4\n")
    assert cli.main([command, str(folder), "-o", str(out)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and said[0].startswith("triscribe: comes without a model for ")
    assert not out.exists()


def test_skip_existing(model, folder, tmp_path, capsys):
    def again():
        model.read.clear()
        assert run(folder, "-o", tmp_path / "out", "--skip-existing") == 0
        return model.read

    assert again() == ["a.wav", "b.wav", "c.wav"]
    assert again() == []
    assert "3 already there" in capsys.readouterr().out
    write_audio(folder / "b.wav", tone(0.1, 8000), 8000)
    assert again() == ["b.wav"]
    (tmp_path / "out/c.txt").unlink()
    assert again() == ["c.wav"]
    model.name = "m2"
    assert again() == ["a.wav", "b.wav", "c.wav"]
    assert again() == []


def test_what_failed_is_tried_again(model, folder, tmp_path):
    model.instead = {"b.wav": MediaError("b.wav", "is damaged", "get another")}
    assert run(folder, "-o", tmp_path / "out", "--skip-existing") == 1
    model.instead, model.read = {}, []
    assert run(folder, "-o", tmp_path / "out", "--skip-existing") == 0
    assert model.read == ["b.wav"]


def test_other_peoples_files_are_kept(model, folder, capsys):
    (folder / "b.txt").write_text("the reference")
    assert run(folder, "-o", folder) == 1
    assert model.read == ["a.wav", "c.wav"]
    assert (folder / "b.txt").read_text() == "the reference"
    error = capsys.readouterr().err
    assert "b.wav: " in error and "b.txt exists and was not made by triscribe; give --overwrite" in error
    assert run(folder, "-o", folder, "--skip-existing") == 0
    assert (folder / "b.txt").read_text() == "the reference"
    assert run(folder, "-o", folder, "--overwrite") == 0
    assert (folder / "b.txt").read_text() == "one two three four\n"
    assert run(folder, "-o", folder) == 0  # all three are ours now
    assert run(folder, "-o", folder, "-f", "srt") == 0
    assert run(folder, "-o", folder) == 0  # and stay so


def test_a_folder_of_the_same_names_is_not_overwritten(model, folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    write_audio(other / "a.wav", tone(0.05, 8000), 8000)
    assert run(folder, "-o", tmp_path / "out") == 0
    assert run(other, "-o", tmp_path / "out") == 1
    assert run(folder, other, "-o", tmp_path / "both") == 0
    assert written(tmp_path / "both") == ["in/a.txt", "in/b.txt", "in/c.txt", "other/a.txt"]


@pytest.mark.parametrize("at", ["a.wav", "c.wav"])
def test_an_interrupted_run_keeps_what_it_finished(model, folder, tmp_path, capsys, at):
    model.instead = {at: KeyboardInterrupt()}
    out = tmp_path / "out"
    assert run(folder, "-o", out) == 130
    assert "finished files are kept" in capsys.readouterr().err
    assert written(out) == ["a.txt", "b.txt", "c.txt"][: "abc".index(at[0])]
    model.instead, model.read = {}, []
    assert run(folder, "-o", out, "--skip-existing") == 0
    assert model.read == ["a.wav", "b.wav", "c.wav"]["abc".index(at[0]) :]


def test_interrupted_between_two_formats(model, folder, tmp_path, monkeypatch):
    whole = running.write_atomically

    def breaking(path, mode):
        if path.name == "b.srt":
            raise KeyboardInterrupt
        return whole(path, mode)

    monkeypatch.setattr(running, "write_atomically", breaking)
    out = tmp_path / "out"
    assert run(folder, "-o", out, "-f", "txt,srt") == 130
    assert written(out) == ["a.srt", "a.txt", "b.txt"]
    monkeypatch.setattr(running, "write_atomically", whole)
    model.read = []
    assert run(folder, "-o", out, "-f", "txt,srt", "--skip-existing") == 0
    assert model.read == ["b.wav", "c.wav"]
    assert len(written(out)) == 6


def test_a_full_disk(model, folder, tmp_path, monkeypatch, capsys):
    whole = running.write_atomically

    def full(path, mode):
        if path.name == "b.srt":
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(path, mode)

    monkeypatch.setattr(running, "write_atomically", full)
    assert run(folder, "-o", tmp_path / "out", "-f", "txt,srt") == 1
    assert "b.wav: output not written (No space left on device); check" in capsys.readouterr().err
    monkeypatch.setattr(running, "write_atomically", whole)
    assert run(folder, "-o", tmp_path / "out", "-f", "txt,srt") == 0
    assert len(written(tmp_path / "out")) == 6


def test_an_output_folder_that_cannot_be_one(model, folder, capsys):
    for out in (folder / "a.wav", folder / "a.wav/out"):
        assert run(folder, "-o", out) == 1
        assert f"triscribe: {out}: cannot be made (" in capsys.readouterr().err
    assert model.read == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_output_folder(model, folder, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir(mode=0o555)
    assert run(folder, "-o", out) == 1
    assert f"triscribe: {out}: may not be written to; give another --out" in capsys.readouterr().err
    assert model.read == []


def test_names_that_are_no_text(model, folder, tmp_path):
    source = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.wav"))
    try:
        (folder / "a.wav").rename(source)
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only UTF-8 names")
    formats = "txt,json,srt,vtt,tsv,ctm,textgrid"
    assert run(folder, "-o", tmp_path / "out", "-f", formats, "--page", tmp_path / "page.html") == 0
    assert len(written(tmp_path / "out")) == 3 * 7
    model.read = []
    assert run(folder, "-o", tmp_path / "out", "-f", formats, "--skip-existing") == 0
    assert model.read == []


def test_a_page_over_good_and_bad(model, folder, tmp_path):
    model.instead = {"b.wav": MediaError(folder / "b.wav", "is damaged", "get another")}
    page = tmp_path / "index.html"
    assert run(folder, "-o", tmp_path / "out", "--page", page) == 1
    text = page.read_text()
    assert "a.wav" in text and "is damaged" in text and "three" in text


@pytest.mark.parametrize("first", ["--page", "txt", "json"])
def test_a_page_after_an_interruption_shows_all_results(model, folder, tmp_path, first):
    out, page = tmp_path / "out", tmp_path / "index.html"
    asked = ["--page", page] if first == "--page" else ["-f", first]
    formats = ["-f", "txt" if first == "--page" else first]
    model.instead = {"c.wav": KeyboardInterrupt()}
    assert run(folder, "-o", out, *asked) == 130
    model.instead, model.read = {}, []
    assert run(folder, "-o", out, "--skip-existing", "--page", page, *formats) == 0
    assert model.read == ["c.wav"]
    text = page.read_text()
    assert all(f'"{name}.wav"' in text for name in "abc") and text.count("three") == 3
    with open(out / RESULTS, "a") as file:
        file.write('{"source": "half a li')
    assert run(folder, "-o", out, "--skip-existing", "--page", page, *formats) == 0
    assert page.read_text().count("three") == 3


def test_earlier_results_are_as_they_were(tmp_path):
    glyph = Glyph("x", 0.5, ((0.0, 1.0), (2.0, 3.5), (4.0, 0.0)), (StrokeSpan(0, 1, 2),))
    word = WrittenWord("x", 0.5, glyph.polygon, (glyph,))
    line = TextLine(
        "x", 0.25, glyph.polygon, ((0.0, 1.0), (2.0, 1.0)), (word,), "l1", (("x", 0.75), ("y", 0.25))
    )
    page = Page((TextRegion((line,), glyph.polygon, "marginalia", "r"),), 9, 8, "m", "a.png", 2)
    said = Word("a", 0.0, 0.5, 0.5, (Character("a", 0.0, 0.5, 0.25),))
    heard = Transcript((Segment("a", 0.0, 0.5, 0.5, (said,), False, (("b", 0.5),)),), 1.5, "m", "a.wav")
    for name, result in (("a.png", page), ("a.wav", heard)):
        kept = EarlierResults(tmp_path, type(result))
        for number in (1, 2):
            kept.add(Job(tmp_path / name, (), number), "m", result)
            assert kept.find(Job(tmp_path / name, (), number), "m") == result
        assert EarlierResults(tmp_path, type(result)).find(Job(tmp_path / name, (), 1), "m") == result
        assert kept.find(Job(tmp_path / name, (), 3), "m") is None
        assert kept.find(Job(tmp_path / name, (), 1), "m2") is None


def test_a_page_that_cannot_be_written_loses_no_output(model, folder, tmp_path, capsys):
    assert run(folder, "-o", tmp_path / "out", "--page", folder / "a.wav/page.html") == 1
    assert len(written(tmp_path / "out")) == 3
    seen = capsys.readouterr()
    assert "3 transcribed" in seen.out
    assert seen.err.startswith("triscribe: ") and str(folder / "a.wav") in seen.err


@pytest.mark.parametrize("options", [[], ["--skip-existing"]])
@pytest.mark.parametrize("name", ["m", "m2"])
def test_a_corrected_text_is_kept(model, folder, tmp_path, capsys, options, name):
    out = tmp_path / "out"
    assert run(folder, "-o", out, "-f", "txt,srt") == 0
    (out / "b.txt").write_text("one two free four\n")
    (out / "b.srt").write_text("corrected")
    (out / "c.txt").write_text("one two three for\n")
    model.read, model.name = [], name
    run(folder, "-o", out, "-f", "txt,srt", *options)
    seen = capsys.readouterr()
    assert (out / "b.txt").read_text() == "one two free four\n" and (out / "b.srt").read_text() == "corrected"
    assert (out / "c.txt").read_text() == "one two three for\n"
    assert "b.wav" not in model.read and ("edited, kept" in seen.out or "3 failed" in seen.out)
    assert f"kept: {out}/b.txt: edited since triscribe wrote it" in seen.err
    assert run(folder, "-o", out, "-f", "txt,srt", "--overwrite") == 0
    assert {(out / f"{each}.txt").read_text() for each in "abc"} == {"one two three four\n"}
    assert run(folder, "-o", out, "-f", "txt,srt") == 0
    assert "kept" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["m", "m2"])
def test_all_outputs_of_a_corrected_result_are_kept(model, folder, tmp_path, capsys, name):
    """The text was right, so that only JSON, which says that it was checked, was changed."""
    out, page = tmp_path / "out", tmp_path / "page.html"
    assert run(folder, "-o", out, "-f", "txt,json", "--page", page) == 0
    said = (out / "b.json").read_text()
    (out / "b.json").write_text(said.replace("three", "tree"))
    model.read, model.name = [], name
    assert run(folder, "-o", out, "-f", "txt,json", "--page", page, "--skip-existing") == 0
    assert model.read == ([] if name == "m" else ["a.wav", "c.wav"])
    assert "1 edited, kept" in capsys.readouterr().out
    assert "tree" in (out / "b.json").read_text() and "three" in (out / "b.txt").read_text()
    assert '"tree"' in page.read_text()


def test_a_text_that_is_corrected_while_the_run_goes_on_is_kept(model, folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(folder, "-o", out) == 0

    class Correcting:
        def get(self, name):  # before each reading
            (out / "c.txt").write_text("corrected")

    model.instead = Correcting()
    assert run(folder, "-o", out) == 0
    assert (out / "c.txt").read_text() == "corrected" and "1 edited, kept" in capsys.readouterr().out


def test_outputs_of_another_model_or_task_are_refused(model, folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(folder, "-o", out, "--width", "7") == 0
    assert run(folder, "-o", out, "--width", "9") == 0  # the same model
    model.name = "m2"
    assert run(folder, "-o", out) == 1
    error = capsys.readouterr().err
    assert f"a.wav: {out}/a.txt exists and was made by the model m; give --overwrite" in error
    journal = Journal(out)
    job = Job(folder / "a.wav", (out / "a.txt",))
    assert journal.foreign(job, "speech") is None
    assert "holds a result of speech, not of captioning" in journal.foreign(job, "captioning")


def test_a_long_name_costs_nothing(model, folder, tmp_path):
    for letters in ("x" * 251, "ü" * 125, "y" * 250):
        write_audio(folder / f"{letters}.wav", tone(0.05, 8000), 8000)
    out = tmp_path / "out"
    for _ in range(2):
        assert run(folder, "-o", out, "-f", "txt,textgrid,json") == 0
    names = [os.fsencode(name) for name in written(out)]
    assert len(names) == 3 * 6 and max(map(len, names)) <= 255


def test_an_unreadable_input_costs_itself(model, folder, tmp_path, capsys):
    assert run("z" * 300 + ".wav", folder, "-o", tmp_path / "out") == 1
    assert len(written(tmp_path / "out")) == 3 and "longer than the disk takes" in capsys.readouterr().err


def test_a_file_of_no_known_name_that_may_not_be_read_costs_itself(
    model, folder, tmp_path, monkeypatch, capsys
):
    (folder / "locked").write_bytes(b"RIFF")
    real = open

    def refusing(name, *arguments, **options):
        if str(name).endswith("locked"):
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return real(name, *arguments, **options)

    monkeypatch.setattr("builtins.open", refusing)
    for given in (folder, folder / "locked"):
        assert run(given, "-o", tmp_path / "out") == 1
        assert f"failed: {folder / 'locked'}: may not be read (permission denied)" in capsys.readouterr().err
    assert len(written(tmp_path / "out")) == 3


@pytest.mark.skipif(os.name != "posix", reason="links are POSIX")
def test_links_that_lead_nowhere_and_empty_names_are_named(model, folder, tmp_path, capsys):
    (folder / "notes").symlink_to("nowhere")
    (folder / "round").symlink_to("round")
    assert run(folder, folder / "round", "", "-o", tmp_path / "out") == 1
    seen = capsys.readouterr()
    with pytest.raises(MediaError, match="is a link to nowhere, which does not exist; mend"):
        locate(folder / "notes")
    assert "round: is a link that leads in a circle" in seen.err and "'': is no name" in seen.err
    assert "1 a link that leads nowhere" in seen.out and len(written(tmp_path / "out")) == 3


def test_ruined_recordings_in_a_folder_are_meant(model, tmp_path):
    meaning = Work("transcribe", None, SpeechOptions())
    for name, content in (("cut.wav", b"x"), ("empty.mp3", b""), ("notes.txt", b"notes"), ("list.m3u", b"a")):
        (tmp_path / name).write_bytes(content)
    meant = [path.name for path in sorted(tmp_path.iterdir()) if meaning.passed(path) is None]
    assert meant == ["cut.wav", "empty.mp3"]


def test_names_of_files_give_the_terminal_no_commands(model, folder, tmp_path, capsys):
    (folder / "evil\x1b[31m\x9b2J\u202e.wav").write_bytes(b"RIFF")
    model.instead["a.wav"] = MediaError(folder / "a\x1b]0;x\x07.wav", "is \x1b[2J", "try")
    run(str(folder), "-o", str(tmp_path / "out"))
    seen = capsys.readouterr()
    assert "a\\x1b]0;x\\x07.wav: is \\x1b[2J" in seen.err
    assert not set("\x1b\x07\x9b\u202e") & set(seen.out + seen.err)


@pytest.mark.skipif(os.name != "posix", reason="links are POSIX")
def test_links_that_lead_out_of_the_folder_are_not_followed(model, folder, tmp_path, capsys):
    out, mine = tmp_path / "out", tmp_path / "mine.txt"
    out.mkdir()
    mine.write_text("mine")
    (out / "a.txt").symlink_to(mine)
    (out / "inside.txt").write_text("old")
    (out / "b.txt").symlink_to("inside.txt")
    assert run(str(folder), "-o", str(out), "--overwrite") == 1
    assert "a.txt: is not written, since a symbolic link leads to" in capsys.readouterr().err
    assert mine.read_text() == "mine" and (out / "c.txt").exists()
    assert (out / "inside.txt").read_text() != "old"
    (tmp_path / "journal").write_text("mine")
    (out / JOURNAL).unlink()
    (out / JOURNAL).symlink_to(tmp_path / "journal")
    assert run(str(folder), "-o", str(out), "--overwrite") == 1
    assert (tmp_path / "journal").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix", reason="processes are forked")
def test_temporary_files_of_killed_runs_are_removed(model, folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    child = os.fork()
    if not child:
        with write_atomically(out / "a.txt") as file:
            file.write("half")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert [path.suffix for path in out.iterdir()] == [".tmp"]
    with write_atomically(out / "other.txt"):  # of a process that runs
        assert run(str(folder), "-o", str(out)) == 0
        assert len(list(out.glob(".*.tmp"))) == 1


def test_a_fault_of_a_writer_costs_one_file(tmp_path, model, monkeypatch, capsys):
    from pipelines.writers.tables import Text

    write = Text.write

    def faulty(self, transcript, file):
        if "two" in transcript.source:
            raise IndexError("tuple index out of range")
        write(self, transcript, file)

    monkeypatch.setattr(Text, "write", faulty)
    for name in ("one", "two", "three"):
        write_audio(tmp_path / f"{name}.wav", tone())
    assert cli.main(["transcribe", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert "two.wav: was read, but its output could not be written (IndexError: tuple index" in told
    assert sorted(path.name for path in (tmp_path / "out").glob("*.txt")) == ["one.txt", "three.txt"]
