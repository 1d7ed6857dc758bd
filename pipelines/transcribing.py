"""One run of `triscribe transcribe`: many recordings, progress, outputs, and a summary."""

from __future__ import annotations

import mimetypes
import os
import sys
import time
from dataclasses import fields
from functools import cache
from pathlib import Path

from tqdm import tqdm

from pipelines.batch import Job, Journal, collect, plan
from pipelines.errors import MediaError, TriscribeError
from pipelines.media.audio import is_audio, open_audio
from pipelines.results import Transcript
from pipelines.writers import FORMATS, write_atomically, writer


class Run:
    """Transcribe what is asked for and write it as asked for.

    Args:
        out: folder of the outputs.
        formats: keys of `FORMATS`.
        model: a file, a name, or None for the bundled one.
        cues: options of the subtitle writers; other writers are made without.
        speech: options of `transcribe`.
        skip_existing, overwrite: what to do about outputs that exist.
        page: an HTML page over all results, or None.

    Raises:
        ValueError: for an option out of range.
    """

    def __init__(self, out, formats, model, cues, speech, skip_existing, overwrite, page):
        from pipelines.speech import SpeechOptions

        SpeechOptions.of(speech)
        self.out, self.formats, self.model, self.speech = out, formats, model, speech
        self.skip_existing, self.overwrite, self.page = skip_existing, overwrite, page
        self.writers = [_writer(name, cues) for name in formats]
        self.entries = []
        self.written = self.failed = self.skipped = 0
        self.media_seconds = 0.0

    def __call__(self, inputs: tuple[str, ...]) -> int:
        """Do it; returns the exit code."""
        from pipelines.speech import speech_model, transcribe

        model = speech_model(self.model)
        _check_writable(self.out)
        started = time.monotonic()
        existing, is_media = [], cache(_is_meant)
        for each in inputs:  # what is missing costs a line of its own, like any bad file
            try:
                collect([each], is_media)
                existing.append(each)
            except MediaError as error:
                self._fail(error)
        sources = collect(existing, is_media) if existing else []
        journal = Journal(self.out)
        jobs = []
        for job in plan(sources, existing, self.out, self.formats) if sources else []:
            foreign = None if self.overwrite else journal.foreign(job)
            if self.skip_existing and journal.is_done(job, model.name):
                self.skipped += 1
            elif foreign:
                way_out = "give --overwrite, --skip-existing or another --out"
                self._fail(MediaError(job.source, foreign, way_out))
            else:
                jobs.append(job)
        lengths = [_seconds(job.source) for job in jobs]
        with tqdm(total=round(sum(lengths)), unit="s", disable=None if len(jobs) else True) as bar:
            bar.set_description("audio")
            results = transcribe((job.source for job in jobs), model, errors="return", **self.speech)
            for job, length, result in zip(jobs, lengths, results, strict=True):
                self._finish(job, result, journal, model.name)
                bar.update(round(length))
        self._summarise(time.monotonic() - started)
        if self.page:
            self._write_page()
        return 1 if self.failed else 0

    def _finish(self, job: Job, result: Transcript | TriscribeError, journal: Journal, model: str) -> None:
        try:
            if not isinstance(result, TriscribeError):
                journal.begin(job)
                for output, chosen in zip(job.outputs, self.writers, strict=True):
                    with write_atomically(output) as file:
                        chosen.write(result, file)
            journal.add(job, model, str(result) if isinstance(result, TriscribeError) else None)
        except OSError as error:
            result = MediaError(job.source, f"output not written ({error})", "check --out and the disk")
        if isinstance(result, TriscribeError):
            self._fail(result)
            return
        self.written += 1
        self.media_seconds += result.duration
        if self.page:
            self._enter(job.source, transcript=result, outputs=job.outputs)

    def _fail(self, error: TriscribeError) -> None:
        self.failed += 1
        tqdm.write(f"failed: {' '.join(str(error).splitlines())}", file=sys.stderr)
        if self.page:
            self._enter(Path(error.path), error=str(error))

    def _enter(self, source: Path, transcript=None, error=None, outputs=()) -> None:
        from pipelines.writers.page import Entry

        self.entries.append(Entry(source, transcript, error, outputs))

    def _write_page(self) -> None:
        from pipelines.writers.page import write_transcripts_page

        write_transcripts_page(self.page, self.entries, "Transcripts")

    def _summarise(self, seconds: float) -> None:
        rate = self.media_seconds / max(seconds, 1e-9)
        parts = [f"{self.written} transcribed ({self.media_seconds:.0f} s of audio, {rate:.0f} s a second)"]
        if self.skipped:
            parts.append(f"{self.skipped} already there")
        if self.failed:
            parts.append(f"{self.failed} failed")
        print(f"{', '.join(parts)} -> {self.out}")


def _check_writable(folder: Path) -> None:
    """Now, not after the first hour of work."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MediaError(folder, f"cannot be made ({error.strerror})", "give another --out") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise MediaError(folder, "may not be written to", "give another --out")


def _writer(name: str, cues: dict):
    known = {field.name for field in fields(FORMATS[name])}
    return writer(name, **{key: value for key, value in cues.items() if key in known})


def _is_meant(path: Path) -> bool:
    """Whether a file in a folder is to be transcribed: by its content, or, so that a ruined recording

    is reported and not passed over, by its name.
    """
    kind = mimetypes.guess_type(path)[0] or ""
    return is_audio(path) or (kind.startswith("audio/") and "mpegurl" not in kind)


def _seconds(source: Path) -> float:
    """How long a recording says it is; 0 where that cannot be known before it is read."""
    try:
        return open_audio(source).duration or 0.0
    except MediaError:
        return 0.0  # it is reported when its turn comes
