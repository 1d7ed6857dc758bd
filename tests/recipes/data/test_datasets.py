"""Layouts, what is turned away and why, the validation cut, the data report, and the download."""

import io
import json
import os
import stat
import urllib.error
import urllib.request
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipelines.errors import DataError
from recipes.data.datasets import (
    Item,
    Rejected,
    fetch_an4,
    find_data,
    hold_out,
    read_speech,
    with_durations,
)
from recipes.data.downloads import unzip
from recipes.scoring.data_report import describe
from tests.data.media import tone


def audio(path: Path, seconds: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(seconds, 8000), 8000)
    return path


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rows(manifest):
    return [(item.path.name, item.target, item.split, item.group) for item in manifest.items]


def reasons(manifest):
    return {bad.path: bad.reason for bad in manifest.rejected}


def sphinx(root: Path) -> Path:
    for name in ("clean/anna/u1", "clean/anna/u2", "clean/bob/u1"):
        audio(root / "wav" / f"{name}.flac")
    audio(root / "wav/clean/cleo/u9.wav")
    write(root / "etc/x_train.fileids", "clean/anna/u1\nclean/anna/u2\r\nclean/bob/u1\n")
    write(
        root / "etc/x_train.transcription",
        "<s> READ(2) ++noise++ ME [BREATH] </s> (u1)\n<s> TWO </s> (u2)\nTHREE (u1)\n",
    )
    write(root / "etc/x_dev.fileids", "clean/cleo/u9\nclean/cleo/u10\nclean/cleo/u11\n")
    write(root / "etc/x_dev.transcription", "no id\nNINE (u9)\nTEN (u10)\nSPARE (u12)\n")
    write(root / "etc/x_dev.transcription253239", "STRAY (u9)\n")
    write(root / "etc/x.filler", "<sil> SIL\n[BREATH] +BR+\n")
    return root


def test_sphinx(tmp_path):
    manifest = read_speech(sphinx(tmp_path))
    assert manifest.layout == "sphinx"
    assert rows(manifest) == [
        ("u9.wav", "NINE", "valid", "cleo"),
        ("u1.flac", "READ ME", "train", "anna"),
        ("u2.flac", "TWO", "train", "anna"),
        ("u1.flac", "THREE", "train", "bob"),
    ]
    assert reasons(manifest) == {
        "etc/x_dev.transcription:1": "no (utterance id) at its end",
        "wav/clean/cleo/u10": "no such file",
        "clean/cleo/u11": "no transcription in x_dev.transcription",
        "etc/x_dev.transcription:4 (u12)": "not in x_dev.fileids",
    }


def test_sphinx_refuses_to_guess_between_equal_ids(tmp_path):
    audio(tmp_path / "wav/a/u1.wav")
    audio(tmp_path / "wav/b/u2.wav")
    write(tmp_path / "etc/x.fileids", "b/u2\na/u1\n")
    write(tmp_path / "etc/x.transcription", "ONE (u1)\nUNO (u1)\nTWO (u2)\n")
    manifest = read_speech(tmp_path)
    assert rows(manifest) == [("u2.wav", "TWO", None, "b"), ("u1.wav", "UNO", None, "a")]  # by line number
    write(tmp_path / "etc/x.transcription", "TWO (u2)\nX (u3)\nONE (u1)\nUNO (u1)\n")
    assert reasons(read_speech(tmp_path))["a/u1"] == "several transcriptions have this id in x.transcription"


def test_pairs(tmp_path):
    for place in ("train/anna/1.wav", "train/bob/2.flac", "dev/anna/3.wav", "test/4.WAV", "train/bob/5.wav"):
        audio(tmp_path / place)
    audio(tmp_path / "train/bob/2.wav")
    audio(tmp_path / ".hidden/6.wav")
    write(tmp_path / "train/anna/1.txt", b'\xef\xbb\xbf a \r\n  "b" \n')
    write(tmp_path / "train/bob/2.txt", "two")
    write(tmp_path / "dev/anna/3.lab", "three")
    write(tmp_path / "test/4.TXT", "four")
    write(tmp_path / "README.txt", "about")
    manifest = read_speech(tmp_path)
    assert sorted(rows(manifest)) == [
        ("1.wav", 'a "b"', "train", "anna"),
        ("2.wav", "two", "train", "bob"),
        ("3.wav", "three", "valid", "anna"),
        ("4.WAV", "four", "test", None),
    ]
    assert reasons(manifest).keys() == {"train/bob/2.flac", "train/bob/5.wav", "README.txt"}
    assert reasons(manifest)["train/bob/5.wav"] == "no text beside it (.txt or .lab)"


def test_subtitles_beside_recordings_give_an_item_a_cue(tmp_path):
    for name in ("train/a", "train/b", "test/c"):
        audio(tmp_path / f"{name}.wav", 4.0)
    cue = "{}\r\n00:00:0{},500 --> 00:00:0{},000\r\n{}\r\n\r\n"
    write(tmp_path / "train/a.srt", cue.format(1, 0, 1, "<i>one</i>\r\ntwo") + cue.format(2, 2, 3, "three"))
    write(tmp_path / "test/c.vtt", "WEBVTT\n\n00:01.000 --> 00:02.250 line:0\n<v Ada>four\n")
    write(tmp_path / "train/b.srt", "no subtitles")
    manifest = read_speech(tmp_path)
    assert manifest.layout == "subtitles"
    assert [
        (*row, item.start, item.end) for row, item in zip(rows(manifest), manifest.items, strict=True)
    ] == [
        ("c.wav", "four", "test", "test/c", 1.0, 2.25),
        ("a.wav", "one two", "train", "train/a", 0.5, 1.0),
        ("a.wav", "three", "train", "train/a", 2.5, 3.0),
    ]
    assert "no subtitles that can be read" in reasons(manifest)["train/b.srt"]
    write(tmp_path / "train/a.txt", "a text goes before subtitles")
    assert read_speech(tmp_path).layout == "pairs"


def test_pairs_in_one_folder_have_no_groups_and_linked_folders_are_read_once(tmp_path):
    write(audio(tmp_path / "data/all/1.wav").with_suffix(".txt"), "one")
    write(audio(tmp_path / "elsewhere/2.wav").with_suffix(".txt"), "two")
    (tmp_path / "data/all/loop").symlink_to(tmp_path / "data")
    assert rows(read_speech(tmp_path / "data")) == [("1.wav", "one", None, None)]
    (tmp_path / "data/test").symlink_to(tmp_path / "elsewhere")
    assert rows(read_speech(tmp_path / "data"))[1] == ("2.wav", "two", "test", None)


def test_ljspeech(tmp_path):
    audio(tmp_path / "wavs/LJ1.wav")
    audio(tmp_path / "wavs/LJ2.wav")
    table = b'\xef\xbb\xbfLJ1|Dr. "X|Doctor "X\r\nLJ2|only raw\r\nLJ3|gone|gone\r\nLJ4\r\nLJ5|\xe9|e\r\n'
    write(tmp_path / "metadata.csv", table)
    manifest = read_speech(tmp_path)
    assert rows(manifest) == [("LJ1.wav", 'Doctor "X', None, None), ("LJ2.wav", "only raw", None, None)]
    assert reasons(manifest) == {
        "wavs/LJ3": "no such file",
        "metadata.csv:4": "not id|raw|normalised (columns: 1)",
        "metadata.csv:5": "not UTF-8 (byte 4 of the line)",
    }


def test_common_voice(tmp_path):
    head = "client_id\tpath\tsentence\tage\n"
    for name in ("a", "b", "c"):
        audio(tmp_path / f"clips/{name}.mp3")
    write(tmp_path / "validated.tsv", head + "s1\ta.mp3\tall\t\n")
    assert rows(read_speech(tmp_path)) == [("a.mp3", "all", None, "s1")]
    line_separator = 'one\u2028"two'
    write(tmp_path / "train.tsv", head + f"s1\ta.mp3\t{line_separator}\t\ns1\tb.mp3\n")
    write(tmp_path / "dev.tsv", head + "s2\tb\tno ending\t\n")
    write(tmp_path / "test.tsv", head + "s3\tc.mp3\t \t\ns3\ta.mp3\tagain\t\n")
    manifest = read_speech(tmp_path)
    assert rows(manifest) == [
        ("a.mp3", 'one "two', "train", "s1"),
        ("b.mp3", "no ending", "valid", "s2"),
        ("c.mp3", "", "test", "s3"),
    ]
    assert [(bad.path, bad.reason) for bad in manifest.rejected] == [
        ("train.tsv:3", "columns: 2 instead of 4"),
        ("clips/a.mp3", "listed twice, with another text; kept in train"),
    ]


@pytest.mark.parametrize(
    ("name", "head", "split"),
    [
        ("metadata.csv", "file_name,transcription,speaker_id", None),
        ("train.csv", "wav_filename;transcript;speaker", "train"),
        ("dev.tsv", "Audio Path\tSentence\tClient ID", "valid"),
    ],
)
def test_tables_that_name_their_columns(tmp_path, name, head, split):
    audio(tmp_path / "a.wav")
    audio(tmp_path / "wavs/b.wav")
    separator = next(sign for sign in ",;\t" if sign in head)
    lines = [
        ("a.wav", "one", "s1"),
        ("elsewhere/b.wav", "two", "s2"),
        ("gone.wav", "three", "s2"),
        ("a.wav",),
    ]
    write(tmp_path / name, "\n".join([head, *map(separator.join, lines)]))
    manifest = read_speech(tmp_path)
    assert manifest.layout == "table"
    assert rows(manifest) == [("a.wav", "one", split, "s1"), ("b.wav", "two", split, "s2")]
    assert {bad.path: bad.reason for bad in manifest.rejected} == {
        f"{name}:5": "columns: 1 instead of 3",
        "gone.wav": "no such file",
    }


def test_kaldi_never_runs_a_command(tmp_path):
    audio(tmp_path / "audio/a b.wav")
    long = audio(tmp_path / "audio/long.wav", 3)
    trace = tmp_path / "ran"
    write(
        tmp_path / "train/wav.scp",
        f"u1\taudio/a b.wav\nu2 touch {trace} |\nu3 | touch {trace}\nu4 no.wav\nu1 twice.wav\n",
    )
    write(tmp_path / "train/text", "u1 HELLO YOU\nu2 X\nu3 X\nu4 X\nu5 X\n")
    write(tmp_path / "train/utt2spk", "u1 anna\n")
    write(tmp_path / "test/wav.scp", f"rec {long}\n")
    write(
        tmp_path / "test/segments",
        "s1 rec 0.5 1.25\ns2 rec 2 -1\ns3 rec 2 1\ns4 rec x y\ns5 tape 0 1\ns6 rec 0 1\n",
    )
    write(tmp_path / "test/text", "s1 ONE\ns2 TWO\ns3 THREE\ns4 FOUR\ns5 FIVE\n")
    manifest = read_speech(tmp_path)
    assert not trace.exists()
    assert manifest.layout == "kaldi"
    assert manifest.split("train") == [Item(tmp_path / "audio/a b.wav", "HELLO YOU", "train", "anna")]
    assert [(item.target, item.start, item.end) for item in manifest.split("test")] == [
        ("ONE", 0.5, 1.25),
        ("TWO", 2.0, None),
    ]
    found = reasons(manifest)
    assert "command" in found["train/u2"] and "command" in found["train/u3"]
    assert found["train/no.wav"] == "no such file"
    assert found["train/u5"] == "in text, but neither in segments nor in wav.scp"
    assert found["train/wav.scp:5 (u1)"] == "a repeated id"
    assert found["audio/long.wav"] == "ends at 1.0 s, not after its start"
    assert found["test/s4"].startswith("segments needs")
    assert found["test/s5"] == "its recording is not in wav.scp"
    assert found["test/s6"] == "no line in text"
    assert read_speech(tmp_path / "test").split(None)[0].target == "ONE"


def test_a_list_of_all_beside_those_of_the_splits_moves_nothing_to_another_split(tmp_path):
    names = {"a.wav": "dev", "b.wav": "test", "c.wav": "train", "d.wav": None}
    rows = {name: json.dumps({"audio_filepath": name, "text": name}) for name in names}
    for name, split in names.items():
        audio(tmp_path / name)
        if split:
            write(tmp_path / f"{split}.jsonl", rows[name])
    write(tmp_path / "manifest.jsonl", "\n".join(rows.values()))
    manifest = read_speech(tmp_path)
    found = {item.path.name: item.split for item in manifest.items}
    assert found == {"a.wav": "valid", "b.wav": "test", "c.wav": "train", "d.wav": None}
    assert all(bad.reason.startswith("listed twice, with the same text") for bad in manifest.rejected)
    told = json.dumps({"audio_filepath": "d.wav", "text": "d", "split": "dev"})
    write(tmp_path / "alone" / "all.jsonl", told)
    assert [item.split for item in read_speech(tmp_path / "alone").items] == ["valid"]


def test_jsonl(tmp_path):
    audio(tmp_path / "a.wav", 2)
    good = {"audio_filepath": "a.wav", "text": "one", "duration": 2.0, "speaker": 7}
    part = {"audio_filepath": "a.wav", "text": "two", "duration": 0.5, "offset": 1}
    bad = ["{", "[" * 100_000, "[]", '{"audio_filepath": "a.wav"}', json.dumps(part | {"offset": "x"})]
    bad += [
        json.dumps(part | {"audio_filepath": "\0" * 9}),
        json.dumps(part | {"audio_filepath": "n" * 5000}),
    ]
    write(tmp_path / "train_manifest.jsonl", "\n".join([json.dumps(good), json.dumps(part), *bad]))
    write(tmp_path / "package.json", "{}")
    for root in (tmp_path, tmp_path / "train_manifest.jsonl"):
        manifest = read_speech(root, layout="jsonl")
        assert manifest.items == [
            Item(tmp_path / "a.wav", "one", "train", "7", duration=2.0),
            Item(tmp_path / "a.wav", "two", "train", None, 1.0, 1.5, 0.5),
        ]
        assert len(manifest.rejected) == len(bad)


def test_librispeech(tmp_path):
    audio(tmp_path / "dev-clean/84/121/84-121-0000.flac")
    write(tmp_path / "dev-clean/84/121/84-121.trans.txt", "84-121-0000 GO DO\n84-121-0001 GONE\n")
    manifest = read_speech(tmp_path)
    assert rows(manifest) == [("84-121-0000.flac", "GO DO", "valid", "84")]
    assert len(manifest.rejected) == 1


def test_files_that_cannot_be_used(tmp_path):
    audio(tmp_path / "wavs/ok.wav")
    write(tmp_path / "wavs/zero.wav", "")
    write(tmp_path / "wavs/old.sph", "NIST_1A")
    (tmp_path / "wavs/folder.wav").mkdir()
    audio(tmp_path / "outside.wav")
    write(
        tmp_path / "metadata.csv",
        "ok|a\n../wavs/ok|a\nzero|a\nold|a\nfolder|a\n../outside|up is fine\n",
    )
    manifest = read_speech(tmp_path)
    assert [item.path for item in manifest.items] == [tmp_path / "wavs/ok.wav", tmp_path / "outside.wav"]
    assert [bad.reason for bad in manifest.rejected] == [
        "listed twice, with the same text",
        "empty file (0 bytes)",
        ".sph is not read; convert it to .wav or .flac",
        "no such file",
    ]


def test_which_layout(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        read_speech(tmp_path / "none")
    with pytest.raises(DataError, match=r"looked for etc/\*\.fileids.*found an empty folder"):
        read_speech(tmp_path)
    sphinx(tmp_path)
    write(tmp_path / "wav/clean/anna/u1.txt", "READ")
    with pytest.raises(DataError, match=r"several layouts fit: sphinx .* and pairs .*layout='sphinx'"):
        read_speech(tmp_path)
    assert len(read_speech(tmp_path, layout="pairs").items) == 1
    with pytest.raises(DataError, match="choose one of sphinx, pairs"):
        read_speech(tmp_path, layout="sphynx")
    with pytest.raises(DataError, match="looked for wav.scp and text"):
        read_speech(tmp_path, layout="kaldi")


def test_nothing_usable_or_wrong_encoding(tmp_path):
    write(tmp_path / "metadata.csv", "a|x\n")
    with pytest.raises(DataError, match="no usable item in this ljspeech data set .*wavs/a: no such file"):
        read_speech(tmp_path)
    write(tmp_path / "metadata.csv", "a|x\n".encode("utf-16"))
    with pytest.raises(DataError, match="UTF-16"):
        list(read_speech(tmp_path, layout="ljspeech").items)


def made_up(groups: int, each: int, text: str = "{g} {i}") -> list[Item]:
    names = [(g, i) for g in range(groups) for i in range(each)]
    return [
        Item(Path(f"{g}/{i}.wav"), text.format(g=g, i=i), None, f"g{g}" if groups > 1 else None)
        for g, i in names
    ]


@pytest.mark.parametrize("seed", range(5))
def test_hold_out_keeps_groups_whole(seed):
    items = made_up(20, 10, "same words")
    train, valid = hold_out(items, 0.1, seed)
    assert (train, valid) == hold_out(items, 0.1, seed)
    assert {item.group for item in train}.isdisjoint(item.group for item in valid)
    assert len(train) == 180 and len(valid) == 20
    assert {item.split for item in train} == {"train"} and {item.split for item in valid} == {"valid"}


def test_hold_out_differs_by_seed():
    assert len({tuple(hold_out(made_up(20, 2), 0.1, seed)[1]) for seed in range(8)}) > 1


def test_hold_out_without_groups_keeps_texts_apart():
    items = made_up(1, 60) + [Item(Path("again.wav"), f"0 {i}") for i in range(40)]
    train, valid = hold_out(items, 0.2)
    assert {item.target for item in train}.isdisjoint(item.target for item in valid)
    assert 18 <= len(valid) <= 22


def test_hold_out_of_repeated_commands_keeps_every_command_in_training():
    train, valid = hold_out(made_up(1, 100, "yes") + made_up(1, 100, "no"), 0.1)
    assert len(valid) == 20
    assert {item.target for item in train} == {"yes", "no"}


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_hold_out_leaves_something_on_both_sides(share):
    for items in (made_up(2, 1), made_up(3, 5), made_up(1, 2, "same"), [Item(Path("a"), "a", None, "g")] * 2):
        train, valid = hold_out(items, share)
        assert train and valid and len(train) + len(valid) == len(items)


def test_hold_out_refuses():
    with pytest.raises(ValueError, match="share"):
        hold_out(made_up(2, 2), 1.0)
    with pytest.raises(ValueError, match="two"):
        hold_out(made_up(1, 1), 0.5)


def test_hold_out_of_a_manifest_leaves_the_test_part_alone(tmp_path):
    manifest = read_speech(sphinx(tmp_path))
    train, valid = hold_out(manifest, 0.3)
    assert {item.path for item in train + valid} == {item.path for item in manifest.split("train")}


def test_durations(tmp_path):
    whole, short, long = (
        audio(tmp_path / "1.wav", 2),
        audio(tmp_path / "2.wav", 0.05),
        audio(tmp_path / "3.wav", 9),
    )
    broken = write(tmp_path / "4.wav", "not audio")
    items = [
        Item(whole, "claims too much", duration=99.0),
        Item(whole, "part", start=0.5, end=1.25),
        Item(whole, "rounded", start=1.0, end=2.05),
        Item(whole, "open", start=1.5),
        Item(whole, "late end", start=0.0, end=2.5),
        Item(whole, "late start", start=2.0, end=2.05),
        Item(short, "a"),
        Item(long, "a"),
        Item(broken, "a"),
    ]
    kept, rejected = with_durations(items, max_seconds=8)
    assert [(item.target, item.end, item.duration) for item in kept] == [
        ("claims too much", None, 2.0),
        ("part", 1.25, 0.75),
        ("rounded", 2.0, 1.0),
        ("open", 2.0, 0.5),
    ]
    parts = f"{whole} (0.00 s to 2.50 s)", f"{whole} (2.00 s to 2.05 s)"
    assert [bad.path for bad in rejected] == [*parts, *map(str, (short, long, broken))]
    assert [bad.reason for bad in rejected][:4] == [
        "from 0.00 to 2.50 s, but its file is 2.00 s long",
        "from 2.00 to 2.05 s, but its file is 2.00 s long",
        "0.05 s long, shorter than 0.1 s",
        "9.0 s long, longer than 8 s",
    ]


@pytest.mark.parametrize(("ending", "size_at"), [("wav", 40), ("flac", 21)])
def test_durations_that_no_header_tells(tmp_path, ending, size_at):
    """Streamed: the size in the header was never filled in."""
    path = audio(tmp_path / f"a.{ending}", 2)
    content = bytearray(path.read_bytes())
    if ending == "wav":
        content[size_at : size_at + 4] = bytes(4)
    else:  # 36 bits of STREAMINFO
        content[size_at] &= 0xF0
        content[size_at + 1 : size_at + 5] = bytes(4)
    path.write_bytes(content)
    ((item,), rejected) = with_durations([Item(path, "a")])
    assert item.duration == 2.0 and not rejected


def test_silent_parts_are_rejected_like_silent_files(tmp_path):
    sound = np.concatenate([tone(1.0, 22050), np.zeros(22050), tone(1.0, 22050)])
    soundfile.write(tmp_path / "a.wav", sound, 22050)
    soundfile.write(tmp_path / "b.wav", np.zeros(22050), 22050)
    path = tmp_path / "a.wav"
    parts = [Item(path, "a", start=start, end=start + 0.9) for start in (0.0, 1.05, 2.0)]
    kept, rejected = with_durations([*parts, Item(tmp_path / "b.wav", "b")])
    assert kept == [replace(parts[0], duration=0.9), replace(parts[2], duration=pytest.approx(0.9))]
    assert rejected[0] == Rejected(f"{path} (1.05 s to 1.95 s)", "silent for all of its 0.90 s")
    assert "is silent" in rejected[1].reason


def test_report():
    train = [Item(Path(f"{i}.wav"), "abc abc", "train", f"s{i % 3}", duration=1.0 + i % 4) for i in range(20)]
    odd = "caf\u00e9\u00a0e\u0301\x1b"
    valid = [Item(Path("x" * 200 + "odd\x1b[31m.wav"), odd * 9, "valid", "s0", duration=0.5)]
    valid.append(Item(Path("rare.wav"), "z", "valid", "s9", duration=0.5))
    rejected = [Rejected(f"{i}.txt", f"not UTF-8 (byte {i})") for i in range(5)] + [
        Rejected("a", "empty text")
    ]
    report = describe({"train": train, "valid": valid}, rejected)
    assert report.isprintable() or all(line.isprintable() for line in report.splitlines())
    assert max(map(len, report.splitlines())) <= 100
    for wanted in (
        "U+00A0 NO-BREAK SPACE ×9",
        "U+0301 COMBINING ACUTE ACCENT ×9",
        "U+001B",
        "z  1 x  rare.wav",
        "144 / s",
        "groups in several splits, so results there are too good: 1",
        "s0  in train and valid",
        "5 x not UTF-8 (byte 0)",
        "and 2 more",
        "1 x empty text",
        "in valid but never in train",
        "51 words",
    ):
        assert wanted in report, wanted


def test_report_without_durations_groups_or_items():
    assert "Lengths" not in describe({"train": [Item(Path("a.wav"), "a")]})
    assert "train" in describe({"train": []})


def an4_zip(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    return buffer.getvalue()


@pytest.fixture
def no_data(tmp_path, monkeypatch):
    """No data set lies anywhere yet; the cache is below tmp_path."""
    monkeypatch.delenv("TRISCRIBE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/triscribe"


def test_fetch(no_data, monkeypatch):
    calls = []
    archive = an4_zip({"an4-master/etc/an4.dic": "A AH", "an4-master/LICENSE": "free"})
    monkeypatch.setattr(urllib.request, "urlopen", lambda *a, **k: calls.append(a) or io.BytesIO(archive))
    assert find_data(None, "an4") == no_data / "an4" == find_data(None, "an4")
    assert (no_data / "an4/etc/an4.dic").read_text() == "A AH"
    assert len(calls) == 1
    assert os.listdir(no_data) == ["an4"]


def test_fetch_offline(no_data, monkeypatch):
    def offline(*args, **kwargs):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(DataError, match="no route.*git clone https://github.com/cmusphinx/an4"):
        fetch_an4()
    assert os.listdir(no_data) == []


@pytest.mark.parametrize(
    "archive",
    [
        b"<html>",
        an4_zip({"an4-master/etc/a": "a" * 999})[:200],
        an4_zip({}),
        an4_zip({"other/x": ""}),
        an4_zip({"an4-master/etc/a": "", "an4-master/../../../../out": "x"}),
        an4_zip({"/out": "x"}),
        an4_zip({"an4-master\\..\\..\\out": "x"}),
    ],
)
def test_fetch_refuses_a_bad_archive(no_data, monkeypatch, archive):
    monkeypatch.setattr(urllib.request, "urlopen", lambda *a, **k: io.BytesIO(archive))
    with pytest.raises(DataError):
        fetch_an4()
    assert os.listdir(no_data) == []
    assert not list(no_data.parent.parent.rglob("out"))


def test_unzip_refuses_links_and_bombs(tmp_path, monkeypatch):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(link, "/etc")
    with pytest.raises(DataError, match="unsafe member 'link'"):
        unzip(tmp_path / "a.zip", tmp_path / "out")
    monkeypatch.setattr("recipes.data.downloads.LARGEST", 10)
    write(tmp_path / "b.zip", an4_zip({"x": "a" * 11}))
    with pytest.raises(DataError, match="GiB"):
        unzip(tmp_path / "b.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_find_data(no_data, tmp_path, monkeypatch):
    with pytest.raises(DataError, match="no such file"):
        find_data(tmp_path / "none", "an4")
    assert find_data(str(tmp_path), "an4") == tmp_path
    with pytest.raises(DataError, match="--data.*TRISCRIBE_DATA"):
        find_data(None, "other")
    (no_data / "other").mkdir(parents=True)
    (tmp_path / "shelf/other").mkdir(parents=True)
    assert find_data(None, "other") == no_data / "other"
    monkeypatch.setenv("TRISCRIBE_DATA", str(tmp_path / "shelf"))
    assert find_data(None, "other") == tmp_path / "shelf/other"


@pytest.mark.skipif(
    "TRISCRIBE_DATA" not in os.environ, reason="TRISCRIBE_DATA does not name a folder with an4"
)
def test_an4():
    manifest = read_speech(Path(os.environ["TRISCRIBE_DATA"]) / "an4")
    assert manifest.layout == "sphinx" and manifest.rejected == []
    assert Counter(item.split for item in manifest.items) == {"train": 948, "test": 130}
    assert len({item.group for item in manifest.split("train")}) == 74
    assert len({item.group for item in manifest.split("test")}) == 10
    items, rejected = with_durations(manifest.items)
    assert not rejected and 0.7 < sum(item.duration for item in items) / 3600 < 0.9
    train, valid = hold_out(manifest, 0.1)
    assert {item.group for item in train}.isdisjoint(item.group for item in valid)


def test_ljspeech_whose_third_column_is_no_text(tmp_path):
    speech = [("a", "one three"), ("b", "five two"), ("c", "one six"), ("d", "two")]
    for third, group in ((("1.92", "2.5", "0.7", "1.1"), None), (("anna", "bob", "anna", "bob"), "anna")):
        rows = [f"{name}|{text}|{other}" for (name, text), other in zip(speech, third, strict=True)]
        write(tmp_path / "metadata.csv", "\n".join(rows))
        for name, _ in speech:
            write(tmp_path / f"wavs/{name}.wav", "x")
        manifest = read_speech(tmp_path)
        assert [item.target for item in manifest.items] == [text for _, text in speech]
        assert manifest.items[0].group == group
        assert "third column is no text" in manifest.rejected[0].reason
    write(tmp_path / "metadata.csv", "a|No. 1, i.e. 24|number one, that is twenty-four\nb|$5|five dollars")
    assert [item.target for item in read_speech(tmp_path).items][1] == "five dollars"


def test_nemo_manifests_relative_to_the_project(tmp_path):
    for place, folder in (("data/train.jsonl", "data/wav"), ("data/manifests/x.jsonl", "data/manifests/wav")):
        name = f"{folder if place.count('/') == 1 else 'wav'}/a.wav"
        write(tmp_path / folder / "a.wav", "x")
        write(tmp_path / place, json.dumps({"audio_filepath": name, "text": "one"}))
    (item,) = read_speech(tmp_path / "data").items
    assert item.path == tmp_path / "data/wav/a.wav"
    (item,) = read_speech(tmp_path / "data/manifests").items
    assert item.path == tmp_path / "data/manifests/wav/a.wav"


def test_one_unreadable_part_does_not_refuse_a_data_set(tmp_path):
    for name in "ab":
        write(tmp_path / f"{name}.wav", "x")
    write(tmp_path / "a.txt", "one")
    os.symlink(tmp_path / "nowhere", tmp_path / "b.txt")
    os.symlink(tmp_path / "nowhere", tmp_path / "c.wav")
    manifest = read_speech(tmp_path)
    assert [item.target for item in manifest.items] == ["one"]
    assert {bad.path for bad in manifest.rejected} == {"b.txt", "c.wav"}


def test_a_kaldi_line_with_an_id_only(tmp_path):
    write(tmp_path / "wav.scp", "r a.wav\n")
    write(tmp_path / "a.wav", "x")
    write(tmp_path / "segments", "u1 r 0.0 1.0\nu2\n")
    write(tmp_path / "text", "u1 one\nu2 two\n")
    manifest = read_speech(tmp_path)
    assert [item.target for item in manifest.items] == ["one"] and len(manifest.rejected) == 1


@pytest.mark.parametrize("composed", [True, False])
def test_texts_beside_media_in_another_normal_form(tmp_path, composed):
    names = ["d\u00e9j\u00e0", "de\u0301ja\u0300"]
    write(tmp_path / f"{names[composed]}.wav", "x")
    write(tmp_path / f"{names[not composed]}.txt", "one")
    (item,) = read_speech(tmp_path).items
    assert item.path.exists() and item.target == "one"


def noise_in_sphinx(root):
    write(root / "etc/x.fileids", "a\nb\n")
    write(root / "etc/x.transcription", "ONE (a)\n<s> ++NOISE++ </s> (b)\n")
    return root / "wav"


def noise_in_pairs(root):
    write(root / "a.txt", "ONE")
    write(root / "b.txt", b"\xef\xbb\xbf \n")
    return root


def noise_in_ljspeech(root):
    write(root / "metadata.csv", "a|ONE\nb|\nc\n")
    return root / "wavs"


def noise_in_common_voice(root):
    write(root / "train.tsv", "client_id\tpath\tsentence\nx\ta.wav\tONE\nx\tb.wav\t\nx\tc.wav\n")
    return root / "clips"


def noise_in_kaldi(root):
    write(root / "wav.scp", "a a.wav\nb b.wav\nc c.wav\n")
    write(root / "text", "a ONE\nb\n")
    return root


def noise_in_jsonl(root):
    rows = [{"audio_filepath": "a.wav", "text": "ONE"}, {"audio_filepath": "b.wav", "text": ""}]
    rows += [{"audio_filepath": "c.wav"}, {"audio_filepath": "c.wav", "text": None}]
    write(root / "train.jsonl", "\n".join(map(json.dumps, rows)))
    return root


def noise_in_librispeech(root):
    write(root / "1-2.trans.txt", "a ONE\nb\n")
    return root


def noise_in_manifest(root):
    rows = [{"path": "a.wav", "target": "ONE"}, {"path": "b.wav", "target": ""}, {"path": "c.wav"}]
    write(root / "manifest.jsonl", "\n".join(map(json.dumps, rows)))
    return root


NOISE = [made for name, made in sorted(globals().items()) if name.startswith("noise_in_")]


@pytest.mark.parametrize("make", NOISE, ids=lambda make: make.__name__)
def test_an_empty_text_is_kept_and_a_missing_one_is_not(make, tmp_path):
    media = make(tmp_path)
    for name in "abc":
        audio(media / f"{name}.wav")
    manifest = read_speech(tmp_path)
    assert [(item.path.stem, item.target) for item in manifest.items] == [("a", "ONE"), ("b", "")]
    report = describe({"train": manifest.items}, manifest.rejected)
    assert "write nothing: 1" in report and "b.wav" in report


def test_an_id_alone_without_a_recording_is_rejected(tmp_path):
    write(tmp_path / "wav.scp", f"a {audio(tmp_path / 'a.wav')}\nb gone.wav\n")
    write(tmp_path / "text", "a ONE\nb\nc\n")
    manifest = read_speech(tmp_path)
    assert [item.target for item in manifest.items] == ["ONE"]
    assert sorted(reasons(manifest).values()) == [
        "in text, but neither in segments nor in wav.scp",
        "no such file",
    ]


def test_noise_does_not_decide_how_validation_is_held_out():
    spoken = [Item(Path(f"{number}.wav"), f"text {number}") for number in range(20)]
    noise = [Item(Path(f"noise{number}.wav"), "") for number in range(400)]
    train, valid = hold_out(spoken + noise, 0.2, seed=3)
    assert {bool(item.target) for item in train} == {bool(item.target) for item in valid} == {False, True}
