"""Layouts of speech data sets. See `layouts.py`. Quotes in tables are literal."""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from pathlib import Path

from recipes.data.folders import (
    Files,
    first_line,
    mentions,
    numbered_lines,
    on_disk,
    shown,
    split_in,
    split_named,
    texts_of,
    walk,
)
from recipes.data.layouts import AUDIO, Found, Layout, find_media
from recipes.data.manifest import Item, Rejected
from recipes.data.paired_files import is_pairs, is_subtitled, read_pairs, read_subtitled
from recipes.data.tables import Table, split_of, tables_in, times

COLUMNS = {
    "path": (
        "audio", "audio_path", "audio_file", "audio_filepath", "wav", "wav_filename", "wav_path", "file",
        "filename", "file_name", "filepath", "file_path", "clip", "recording",
    ),
    "text": ("transcription", "transcript", "sentence", "utterance"),
    "split": ("set", "subset", "partition"),
    "group": ("speaker", "speaker_id", "client_id"),
    "start": ("start_time", "begin"),
    "end": ("end_time", "stop"),
}  # fmt: skip


# Sphinx: etc/<name>_<split>.fileids + .transcription, wav/<id>.<ending>


def is_sphinx(root: Path) -> bool:
    return any(path.with_suffix(".transcription").is_file() for path in root.glob("etc/*.fileids"))


def read_sphinx(root: Path) -> Found:
    fillers = {"<s>", "</s>", "<sil>"}
    for path in sorted(root.glob("etc/*.filler")):
        fillers.update(line.split()[0] for _, line in texts_of(path) if line.strip())
    for listing in sorted(root.glob("etc/*.fileids")):
        transcription = listing.with_suffix(".transcription")
        if not transcription.is_file():
            yield Rejected(shown(listing, root), f"no {transcription.name} beside it")
            continue
        ids, lines = [], []
        for _, line in numbered_lines(listing, root):
            if isinstance(line, Rejected):
                yield line
            elif line.strip():
                ids.append(line.strip())
        for number, line in numbered_lines(transcription, root):
            if isinstance(line, Rejected):
                yield line
            elif match := re.search(r"\(([^()]*)\)\s*$", line):
                lines.append((match[1].strip(), line[: match.start()], number))
            elif line.strip():
                yield Rejected(f"{shown(transcription, root)}:{number}", "no (utterance id) at its end")
        yield from _pair_sphinx(root, transcription, ids, lines, fillers)


def _pair_sphinx(root: Path, transcription: Path, ids: list[str], lines: list, fillers: set[str]) -> Found:
    """Pair by utterance id; repeated ids (spk1/utt1, spk2/utt1) are distinguished by their line numbers."""
    by_id = {key: place for place, (key, _, _) in enumerate(lines)}
    repeated = {key for key, count in Counter(key for key, _, _ in lines).items() if count > 1}
    used = set()
    for place, file_id in enumerate(ids):
        name = file_id.rpartition("/")[2]
        if place >= len(lines) or lines[place][0] not in (file_id, name):
            key = file_id if file_id in by_id else name
            if key not in by_id or key in repeated:
                reason = "several transcriptions have this id" if key in repeated else "no transcription"
                yield Rejected(file_id, f"{reason} in {transcription.name}")
                continue
            place = by_id[key]
        used.add(place)
        words = (word for word in lines[place][1].split() if word not in fillers)
        words = (word for word in words if not re.fullmatch(r"\+\+\S*\+\+", word))
        text = " ".join(re.sub(r"(?<=.)\(\d+\)$", "", word) for word in words)
        group = Path(file_id).parent.name or None
        yield Item(find_media(root / "wav" / file_id), text, split_in(transcription.stem), group)
    for place, (key, _, number) in enumerate(lines):
        if place not in used:
            where = f"{shown(transcription, root)}:{number} ({key})"
            yield Rejected(where, f"not in {transcription.stem}.fileids")


# LJSpeech: metadata.csv with id|raw|normalised, wavs/<id>.wav


def is_ljspeech(root: Path) -> bool:
    return "|" in first_line(root / "metadata.csv")


def read_ljspeech(root: Path) -> Found:
    """The third column is the target, unless it is something else, such as a length or a speaker."""
    table = root / "metadata.csv"
    rows: list[tuple[str, list[str]]] = []
    for number, line in numbered_lines(table, root):
        if isinstance(line, Rejected):
            yield line
        elif line.strip():
            name, *texts = line.split("|")
            if 1 <= len(texts) <= 2:
                rows.append((name.strip(), [text.strip() for text in texts]))
            else:
                yield Rejected(f"{table.name}:{number}", f"not id|raw|normalised (columns: {len(texts) + 1})")
    both = [texts for _, texts in rows if len(texts) == 2 and all(texts)]
    normalised = not both or 2 * sum(map(_share_a_word, both)) > len(both)
    if not normalised:
        cause = f"its third column is no text ({both[0][1][:40]!r}): the second is taken"
        yield Rejected(f"{table.name}", cause)
    speakers = {texts[1] for texts in both}
    are_groups = not normalised and len(speakers) < len(both) and not any(map(_is_number, speakers))
    for name, texts in rows:
        text = (texts[-1] if normalised else "") or texts[0]
        group = texts[1] if are_groups and len(texts) == 2 else None
        yield Item(find_media(root / "wavs" / name), text, None, group or None)


def _share_a_word(texts: list[str]) -> bool:
    """Whether two columns can be the same text, as written and as spoken."""
    written, spoken = (set(re.findall(r"\w+", text.lower())) for text in texts)
    digits = any(word.isdigit() for word in written) and not any(map(_is_number, spoken))
    return bool(written & spoken) or (digits and len(spoken) > 1)


def _is_number(text: str) -> bool:
    return _seconds(text) is not None


# Common Voice: train.tsv, dev.tsv, test.tsv (or validated.tsv alone), clips/


def is_common_voice(root: Path) -> bool:
    return bool(_common_voice_tables(root))


def read_common_voice(root: Path) -> Found:
    for table in _common_voice_tables(root):
        columns: list[str] = []
        for number, line in numbered_lines(table, root):
            if isinstance(line, Rejected):
                yield line
            elif not columns:
                columns = line.split("\t")
            elif line.strip():
                row = dict(zip(columns, line.split("\t"), strict=False))
                if not row.get("path") or "sentence" not in row:
                    yield Rejected(f"{table.name}:{number}", f"columns: {len(row)} instead of {len(columns)}")
                    continue
                path = find_media(root / "clips" / row["path"])
                yield Item(path, row["sentence"], split_in(table.stem), row.get("client_id") or None)


def _common_voice_tables(root: Path) -> list[Path]:
    named = [root / f"{name}.tsv" for name in ("train", "dev", "test", "validated")]
    tables = [path for path in named if {"path", "sentence"} <= set(first_line(path).split("\t"))]
    return [path for path in tables if path.stem != "validated"] or tables


# Kaldi: wav.scp + text (+ segments, utt2spk), in the folder itself or in sub-folders named by split


def is_kaldi(root: Path) -> bool:
    return bool(_kaldi_folders(root))


def read_kaldi(root: Path) -> Found:
    for folder in _kaldi_folders(root):
        split = split_in(folder.name) if folder != root else None
        tables: dict[str, dict[str, str]] = {}
        for name in ("wav.scp", "text", "segments", "utt2spk"):
            tables[name] = {}
            for number, line in numbered_lines(folder / name, root) if (folder / name).is_file() else ():
                if isinstance(line, Rejected):
                    yield line
                    continue
                key, *value = line.split(None, 1)[:2] or [""]
                if key in tables[name]:
                    yield Rejected(f"{shown(folder / name, root)}:{number} ({key})", "a repeated id")
                elif key:
                    tables[name][key] = value[0].strip() if value else ""
        spans = tables["segments"] or {key: key for key in tables["wav.scp"]}
        for key, span in spans.items():
            where = f"{shown(folder, root)}/{key}"
            recording, *times = span.split() or [""]
            source = tables["wav.scp"].get(recording)
            seconds = [_seconds(time) for time in times]
            if source is None:
                yield Rejected(where, "its recording is not in wav.scp")
            elif source.startswith("|") or source.endswith("|"):
                yield Rejected(where, "a command in wav.scp; none is ever run, write its output to a file")
            elif key not in tables["text"]:
                yield Rejected(where, "no line in text")
            elif len(times) not in (0, 2) or None in seconds:
                yield Rejected(where, "segments needs: utterance recording start end, in seconds")
            else:
                start, end = seconds or (None, None)
                end = None if end == -1 else end  # Kaldi's sign for the end of the recording
                path = _relative_to_any(source, (folder, folder.parent, folder.parent.parent))
                yield Item(path, tables["text"][key], split, tables["utt2spk"].get(key), start, end)
        for key in sorted(tables["text"].keys() - spans.keys()):
            yield Rejected(f"{shown(folder, root)}/{key}", "in text, but neither in segments nor in wav.scp")


def _kaldi_folders(root: Path) -> list[Path]:
    below = sorted(path.parent for path in root.glob("*/wav.scp"))
    folders = [root] if (root / "wav.scp").is_file() else below
    return [folder for folder in folders if (folder / "text").is_file()]


# JSONL as NeMo writes it: one object a line with audio_filepath, text, duration


def is_jsonl(root: Path) -> bool:
    return bool(_jsonl_files(root))


def read_jsonl(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    for table in _jsonl_files(root):
        for number, line in numbered_lines(table, folder):
            if isinstance(line, Rejected):
                yield line
                continue
            if not line.strip():
                continue
            where = f"{table.name}:{number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield Rejected(where, f"not JSON ({error})")
                continue
            needed = [row.get(key) for key in ("audio_filepath", "text")] if isinstance(row, dict) else [None]
            if not all(isinstance(value, str) for value in needed):
                yield Rejected(where, "needs audio_filepath and text, both strings")
                continue
            times = {key: _seconds(row[key]) for key in ("offset", "duration") if row.get(key) is not None}
            if None in times.values():
                yield Rejected(where, "offset and duration must be numbers of seconds")
                continue
            offset, duration = times.get("offset"), times.get("duration")
            end = None if offset is None or duration is None else offset + duration
            group = None if row.get("speaker") is None else str(row["speaker"])
            path = _relative_to_any(row["audio_filepath"], (folder, folder.parent, Path.cwd()))
            split = split_named(row.get("split")) or split_in(table.stem)
            yield Item(path, row["text"], split, group, offset, end, duration)


def _jsonl_files(root: Path) -> list[Path]:
    files = [root] if root.is_file() else sorted([*root.glob("*.jsonl"), *root.glob("*.json")])
    return [path for path in files if mentions(path, '"audio_filepath"')]


# LibriSpeech: <speaker>-<chapter>.trans.txt beside <speaker>-<chapter>-<number>.flac


def is_librispeech(root: Path) -> bool:
    return any(path.name.endswith(".trans.txt") for path in walk(root))


def read_librispeech(root: Path) -> Found:
    for table in walk(root):
        if not table.name.endswith(".trans.txt"):
            continue
        splits = map(split_in, table.relative_to(root).parent.parts)
        split = next(filter(None, splits), None)
        for _, line in numbered_lines(table, root):
            if isinstance(line, Rejected):
                yield line
            elif line.strip():
                name, _, text = line.strip().partition(" ")
                yield Item(find_media(table.parent / name), text, split, name.split("-")[0])


# Tables whose first line names the columns: Hugging Face's metadata.csv, DeepSpeech's and Coqui's *.csv


def is_table(root: Path) -> bool:
    return not is_common_voice(root) and bool(_tables(root))


def read_table(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    files = Files(folder, AUDIO)
    for table in _tables(root):
        for where, row in table.rows(folder):
            if isinstance(row, Rejected):
                yield row
                continue
            span = times(row.get("start"), row.get("end"))
            if span is None:
                yield Rejected(where, "start and end must be numbers of seconds")
            elif row.get("split") and split_named(row["split"]) is None:
                yield Rejected(where, f"unknown split {row['split']!r}")
            else:
                path = files.place(row["path"], table.path.parent)
                split = split_of(row, table.path, path, folder)
                yield Item(path, row["text"], split, row.get("group") or None, *span)


def _tables(root: Path) -> list[Table]:
    return tables_in(root, COLUMNS, "path", "text")


SPEECH = (
    Layout("sphinx", "etc/*.fileids with etc/*.transcription, and wav/", is_sphinx, read_sphinx),
    Layout("pairs", "audio files with a .txt or .lab of the same name beside them", is_pairs, read_pairs),
    Layout(
        "subtitles",
        "audio files with .srt or .vtt of the same name beside them",
        is_subtitled,
        read_subtitled,
    ),
    Layout("ljspeech", "metadata.csv with id|text|text, and wavs/", is_ljspeech, read_ljspeech),
    Layout(
        "common_voice", "train/dev/test.tsv or validated.tsv, and clips/", is_common_voice, read_common_voice
    ),
    Layout("table", "a .csv, .tsv or .jsonl that names path and text", is_table, read_table),
    Layout("kaldi", "wav.scp and text, here or one folder down", is_kaldi, read_kaldi),
    Layout("jsonl", '*.jsonl or *.json with one {"audio_filepath", "text"} a line', is_jsonl, read_jsonl),
    Layout("librispeech", "*.trans.txt beside .flac files", is_librispeech, read_librispeech),
)


def _relative_to_any(name: str, folders: tuple[Path, ...]) -> Path:
    """Resolve paths of Kaldi and NeMo, relative to where their scripts ran, mostly one or two folders up."""
    candidates = [on_disk(folder / name) for folder in folders]
    return next((path for path in candidates if os.path.isfile(path)), candidates[0])


def _seconds(value: object) -> float | None:
    """A finite number of seconds, or None."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None
