"""What was made in an output folder: what is done already, what failed, what is not ours to replace."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from pipelines.batch.plan import Job, absolute
from pipelines.errors import MediaError
from pipelines.media import remote

JOURNAL = ".triscribe.jsonl"
KEPT = ("source", "state", "model", "task", "outputs", "digest", "hash")
DONE, FAILED = "done", "failed"


class Journal:
    """What was made in an output folder, a line a finished or failed input.

    It tells this program's outputs from other people's files: those are never written over, and neither is
    what was made from another source that is still there, by another task or by another model. The digest of
    each output tells whether a person has edited it since.
    """

    def __init__(self, out: Path):
        self.path = out / JOURNAL
        self._made: dict[str, dict] = {}  # output -> what it was made from
        self._digests: dict[str, set[str]] = {}  # output -> of every content that was written to it
        self._records: dict[str, dict[tuple, dict]] = {}  # shared output -> source and part -> record
        self._last: dict[tuple[str, int | None], dict] = {}  # source and part -> what became of it last
        self._parts: dict[str, dict[str, str]] = {}  # joined output -> digests of what it was joined of
        self._hashes: dict[str, tuple[list[int] | None, str]] = {}  # source -> its state and digest
        text = self.path.read_text(encoding="utf-8", errors="replace") if self.path.exists() else ""
        for line in text.splitlines():
            try:
                self._remember(json.loads(line))
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
                continue  # the last line of a run that was killed, or damage
        self._mend = "\n" if text and not text.endswith("\n") else ""

    @property
    def names(self) -> dict[tuple[str, int | None], str]:
        """Names, relative to the folder, that earlier runs gave to the outputs of a source's part."""
        return {key: entry["name"] for key, entry in self._last.items() if entry.get("name")}

    def is_done(self, job: Job, model: str, digest: str = "") -> bool:
        """Whether the outputs stand, and source and model are what they were made from.

        Outputs that this program did not make count as done. A source that was only touched is what it was.

        Args:
            digest: of the model's file, where it is known.
        """
        if not all(output.exists() for output in job.outputs):
            return False
        entries = [self._made.get(str(absolute(output))) for output in job.outputs]
        return all(self._is_of(entry, job, model, digest) for entry in entries if entry is not None)

    def failure(self, job: Job, model: str, digest: str = "") -> MediaError | None:
        """Why the source as it is now could not be read by this model when that was tried last."""
        entry = self._last.get(_key(job))
        if entry is None or entry["status"] != FAILED or not self._is_of(entry, job, model, digest):
            return None
        return MediaError(job.source, entry.get("cause") or entry["error"], entry.get("way_out") or "")

    def unopened(self, source: Path) -> MediaError | None:
        """Why the source as it is now could not even be opened when that was tried last."""
        job = Job(source, ())
        entry = self._last.get(_key(job))
        return None if entry is None or entry.get("task") else self.failure(job, "")

    def task(self, job: Job) -> str | None:
        """The task that read the source last, if it was read."""
        return self._last.get(_key(job), {}).get("task")

    def model_of(self, source: Path) -> str | None:
        """The model that read a source, or its first part, as it is now, with its options; if it was read."""
        for part in (None, 1):
            job = Job(source, (), part)
            entry = self._last.get(_key(job))
            if entry and entry["status"] == DONE and self._is_same(entry, job):
                return entry["model"]
        return None

    def seconds(self, job: Job) -> float:
        """How long it took to read the source; 0 where not known."""
        return self._last.get(_key(job), {}).get("seconds") or 0.0

    def _is_of(self, entry: dict, job: Job, model: str, digest: str) -> bool:
        """Whether an entry is of the source as it is now and of this model."""
        same_file = not digest or entry.get("digest", "") in ("", digest)
        return (
            entry["model"] == model
            and same_file
            and entry["source"] == str(absolute(job.source))
            and self._is_same(entry, job)
        )

    def _is_same(self, entry: dict, job: Job) -> bool:
        """Whether the source's content is what it was."""
        before, now = entry["state"], state_of(job.source)
        if before == now or not (before and now and before[0] == now[0] and entry.get("hash")):
            return before == now
        return self.hash_of(job.source) == entry["hash"]

    def hash_of(self, source: Path) -> str:
        """SHA-256 of a file's content; "" for what is no file."""
        state = state_of(source)
        known = self._hashes.get(str(source))
        if known is None or known[0] != state:
            self._hashes.clear()  # the parts of a source follow each other
            try:
                known = state, _digest(source) if source.is_file() else ""
            except OSError:
                known = state, ""
            self._hashes[str(source)] = known
        return known[1]

    def foreign(self, job: Job, task: str = "", model: str = "") -> str | None:
        """Why the outputs are not to be replaced; None if they may be.

        Args:
            task, model: that are to make them; "" is compared with nothing.
        """
        for output in filter(Path.exists, job.outputs):
            entry = self._made.get(str(absolute(output)))
            if entry is None:
                return f"{output} exists and was not made by triscribe"
            if entry["source"] != str(absolute(job.source)) and exists(entry["source"]):
                return f"{output} exists and was made from {entry['source']}"
            if task and entry["task"] and entry["task"] != task:
                return f"{output} exists and holds a result of {entry['task']}, not of {task}"
            if _differ(entry["model"], model):
                return f"{output} exists and was made by the model {_name(entry['model'])}"
        return None

    def foreign_record(self, path: Path, job: Job, model: str) -> str | None:
        """Why the record of a source in a file of all results is not to be replaced; None if it may be."""
        entry = self._records.get(str(absolute(path)), {}).get((str(absolute(job.source)), job.part))
        if entry and _differ(entry["model"], model):
            return f"{path} holds what the model {_name(entry['model'])} made of it"
        return None

    def is_edited(self, output: Path) -> bool:
        """Whether an output of triscribe holds what triscribe never wrote to it."""
        known = self._digests.get(str(absolute(output)))
        return bool(known) and output.exists() and _digest(output) not in known

    def begin(self, job: Job, output: Path, task: str, content: Path) -> None:
        """Before an output is put in its place: it is ours, even if the run ends half way through.

        Args:
            content: the file with its new content.
        """
        self._add(job, None, None, (output,), task=task, digests={str(absolute(output)): _digest(content)})

    def add(
        self,
        job: Job,
        model: str,
        error: str | None,
        records: Mapping[Path, object] | None = None,
        task: str = "",
        kept: Collection[Path] = (),
        facts: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        """What became of an input.

        Args:
            error: why it failed, or None.
            records: what files that hold all results are to say of it.
            kept: outputs that were not written because a person has edited them.
            facts: more to say of it, as plain values: `digest` of the model's file, `options`, `seconds`;
                `cause` and `way_out` of an error.
        """
        shared = {str(absolute(path)): record for path, record in (records or {}).items()}
        outputs = () if error else job.outputs
        digests = {
            str(absolute(output)): _digest(output)
            for output in outputs
            if output not in kept and output.exists()
        }
        more = {"status": FAILED if error else DONE, "part": job.part, "hash": self.hash_of(job.source)}
        if job.name is not None:
            more["name"] = os.path.relpath(job.name, self.path.parent)
        self._add(job, model, error, outputs, shared, task, digests, {**more, **facts})

    def is_ours(self, path: Path) -> bool:
        """Whether triscribe made this output."""
        return str(absolute(path)) in self._made

    def source_of(self, path: Path) -> str | None:
        """What triscribe made this output from, "" if from several sources; None if it did not make it."""
        entry = self._made.get(str(absolute(path)))
        return entry["source"] if entry else None

    def claim(self, path: Path, content: Path) -> None:
        """Before an output of no single source is put in its place: it is ours.

        Args:
            content: the file with its new content.
        """
        name = str(absolute(path))
        entry = {"source": "", "state": None, "model": None, "task": "", "outputs": [name]}
        self._append(entry | {"digests": {name: _digest(content)}})

    def joins(self, whole: Path, parts: Sequence[Path]) -> bool:
        """Whether an output was joined of these files as they are now."""
        return whole.exists() and self._parts.get(str(absolute(whole))) == _digests(parts)

    def joined_of(self, part: Path) -> dict[Path, list[Path]]:
        """Outputs that were joined of a file and others, each with all of them in order."""
        name = str(absolute(part))
        found = {whole: list(parts) for whole, parts in self._parts.items() if name in parts}
        return {Path(whole): list(map(Path, parts)) for whole, parts in found.items()}

    def join(self, source: Path, whole: Path, task: str, parts: Sequence[Path], content: Path) -> None:
        """Before an output that is joined of those of a source's parts is put in its place: it is ours.

        Args:
            content: the file with its new content.
        """
        digests = {str(absolute(whole)): _digest(content)}
        more = {"joined": _digests(parts)}
        self._add(Job(source, ()), None, None, (whole,), task=task, digests=digests, more=more)

    def is_recorded(self, path: Path, job: Job, model: str) -> bool:
        """Whether a file of all results has a record of the source as it is now, by this model."""
        entry = self._records.get(str(absolute(path)), {}).get((str(absolute(job.source)), job.part))
        return bool(entry) and (entry["state"], entry["model"]) == (state_of(job.source), model)

    def records(self, path: Path) -> list:
        """What a file of all results is to hold, in the order of the sources' names."""
        found = self._records.get(str(absolute(path)), {})
        order = sorted(found, key=lambda key: (key[0], key[1] or 0))
        return [found[key]["record"] for key in order]

    def correct_record(self, path: Path, job: Job, record: object) -> bool:
        """Have a file of all results say something else of a source; False if it says nothing of it."""
        name, source = str(absolute(path)), str(absolute(job.source))
        entry = self._records.get(name, {}).get((source, job.part))
        if entry is None:
            return False
        facts = {"source": source, "part": job.part, "task": "", "outputs": []}
        self._append({**facts, "state": entry["state"], "model": entry["model"], "records": {name: record}})
        return True

    def forget_records(self, path: Path) -> None:
        """Its file was deleted, and what it held is to be made again."""
        if self._records.pop(str(absolute(path)), None):
            self._append({"forgotten": str(absolute(path))})

    def _add(
        self,
        job: Job,
        model: str | None,
        error: str | None,
        outputs: tuple[Path, ...],
        records: Mapping[str, object] = MappingProxyType({}),
        task: str = "",
        digests: Mapping[str, str] = MappingProxyType({}),
        more: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        entry = {
            "source": str(absolute(job.source)),
            "state": state_of(job.source),
            "model": model,
            "task": task,
            "outputs": [str(absolute(output)) for output in outputs],
            "digests": dict(digests),
            "error": error,
            **more,
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        if records:
            entry |= {"part": job.part, "records": dict(records)}
        self._append(entry)

    def _append(self, entry: dict) -> None:
        self._remember(entry)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="ascii") as file:
            file.write(self._mend + json.dumps(entry) + "\n")
        self._mend = ""

    def _remember(self, entry: dict) -> None:
        if "forgotten" in entry:
            self._records.pop(entry["forgotten"], None)
            return
        for path, record in entry.get("records", {}).items():
            kept = {"state": entry["state"], "model": entry["model"], "record": record}
            self._records.setdefault(path, {})[entry["source"], entry["part"]] = kept
        if "joined" in entry:
            self._parts |= dict.fromkeys(entry["outputs"], dict(entry["joined"]))
        for output, digest in entry.get("digests", {}).items():
            self._digests.setdefault(output, set()).add(digest)
        if "status" in entry:
            self._last[entry["source"], entry["part"]] = {
                name: value for name, value in entry.items() if name not in ("outputs", "digests", "records")
            }
        entry = {name: {"task": "", "digest": "", "hash": "", **entry}[name] for name in KEPT}
        if not all(isinstance(name, str) for name in (entry["source"], *entry["outputs"])):
            raise TypeError("sources and outputs are named by text")
        self._made |= dict.fromkeys(entry["outputs"], entry)


def _key(job: Job) -> tuple[str, int | None]:
    return str(absolute(job.source)), job.part


def state_of(source: Path) -> list[int] | None:
    """Size in bytes and time of change in nanoseconds, of a folder of its files; None for what is neither."""
    if remote.is_remote(source):
        return remote.state_at(source)
    try:
        facts = [source.stat()]
        if source.is_dir():
            facts += [each.stat() for each in source.iterdir()]
    except OSError:
        return None
    return [sum(each.st_size for each in facts), max(each.st_mtime_ns for each in facts)]


def exists(source: str) -> bool:
    """Whether a source is there; of an address, as it was when it was asked for first."""
    return remote.state_at(Path(source)) is not None if remote.is_remote(source) else os.path.exists(source)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digests(paths: Sequence[Path]) -> dict[str, str]:
    return {str(absolute(path)): _digest(path) for path in paths}


def _name(model: str) -> str:
    """The name of a model, without the options that a record of it also tells."""
    return model.split(", ")[0]


def _differ(one: str | None, other: str | None) -> bool:
    """Whether both models are known and have different names."""
    return bool(one and other) and _name(one) != _name(other)
