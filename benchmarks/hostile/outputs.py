"""Outputs: every format, under odd names, on full disks, and where something else stands in the way."""

from __future__ import annotations

import json
import os
import random
import resource
from functools import partial
from pathlib import Path

from benchmarks.hostile.damage import damaged_json
from benchmarks.hostile.media import whole_files
from benchmarks.hostile.subjects import Subject

NAMES = (
    "a",
    "a b",
    "-o",
    "--help",
    "a\nb",
    "a\x1b[2Jb",
    "\u202eab",
    "a" * 251,
    "é" * 120,
    "a%s",
    "con",
    "..a",
    "[a]",
    "*",
    "a'b\"c",
    "a;b",
    "日本語",
    "a\udcff",
    "a.tar.gz",
    "e\u0301",
    "&amp;<b>",
    "$HOME",
    "a\tb",
    "a\\b",
)
OBSTACLES = (
    "none",
    "folder in place",
    "foreign file",
    "dangling link",
    "link out",
    "out is a file",
    "full disk",
    "loop",
    "journal is a folder",
    "out is /dev/null",
    "no journal end",
    "edited",
)
FULL = 300  # bytes that fit on a full disk
SOUND, IMAGE, CLIP = "a.wav", "p.png", "v.mp4"
TASKS = {
    "transcribe": (SOUND, "txt,srt,vtt,json,ctm,textgrid,tsv"),
    "recognize": (IMAGE, "txt,json,page,alto,hocr,pdf"),
    "recognize video": (CLIP, "txt,json,csv,activitynet,png"),
    "caption": (IMAGE, "txt,json,csv,coco,png"),
}


def output_subjects() -> list[Subject]:
    """One for each command, and one for damaged journals."""
    found = []
    for task, (source, _) in TASKS.items():
        plan = {"task": task, "name": "a", "obstacle": "none", "formats": "txt", "page": False}
        files = {"plan.json": json.dumps(plan).encode(), "source": whole_files()[source]}
        found.append(Subject(f"outputs: {task}", "plan.json", files, _planned, _run))
    entry = {
        "source": "/x/a.wav",
        "state": [1, 2],
        "model": "m",
        "task": "speech",
        "outputs": ["/x/a.txt"],
        "digests": {"/x/a.txt": "0"},
        "error": None,
        "time": "2026-01-01T00:00:00",
        "part": None,
        "records": {"/x/out/all.csv": {"a": 1}},
    }
    journal = f"{json.dumps(entry)}\n{json.dumps({'forgotten': '/x/all.csv'})}\n".encode()
    plan = {"task": "transcribe", "name": "a", "obstacle": "none", "formats": "txt,tsv", "page": True}
    for name in (".triscribe.jsonl", ".triscribe.results.jsonl"):
        files = {
            "plan.json": json.dumps(plan).encode(),
            "source": whole_files()[SOUND],
            f"out/{name}": journal,
        }
        found.append(Subject("outputs: journals", f"out/{name}", files, damaged_json, _run))
    return found


def _planned(content: bytes, chooser: random.Random) -> bytes:
    plan = json.loads(content)
    formats = TASKS[plan["task"]][1].split(",")
    chosen = chooser.sample(formats, chooser.choice((1, 2, len(formats))))
    plan |= {
        "name": chooser.choice(NAMES),
        "obstacle": chooser.choice(OBSTACLES),
        "formats": ",".join(chosen),
    }
    plan["page"] = chooser.random() < 0.3
    return json.dumps(plan).encode()


def _run(folder: Path) -> None:
    from pipelines.commands.cli import main

    plan = json.loads((folder / "plan.json").read_bytes())
    command, _, video = plan["task"].partition(" ")
    ending = Path(TASKS[plan["task"]][0]).suffix
    source, out = folder / (plan["name"][: 255 - len(ending)] + ending), folder / "out"
    os.rename(folder / "source", source)
    arguments = [command, "-o", str(out), "-f", plan["formats"]]
    if plan["page"] and not video and command != "caption":
        arguments += ["--page", str(out / "page.html")]
    arguments += [str(source)]
    _put_in_the_way(plan["obstacle"], out, source, partial(main, arguments))
    if plan["obstacle"] == "out is /dev/null":
        arguments[2] = os.devnull
    raise SystemExit(main(arguments))


def _put_in_the_way(obstacle: str, out: Path, source: Path, run) -> None:
    output = out / f"{source.stem}.txt"
    if obstacle == "out is a file":
        out.write_text("x")
        return
    if obstacle == "full disk":
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, FULL))
        return
    out.mkdir(exist_ok=True)
    if obstacle == "folder in place":
        output.mkdir()
    elif obstacle == "foreign file":
        output.write_text("mine")
    elif obstacle == "dangling link":
        output.symlink_to("nowhere/at/all")
    elif obstacle == "link out":
        output.symlink_to(source)
    elif obstacle == "loop":
        output.symlink_to(output)
    elif obstacle == "journal is a folder":
        (out / ".triscribe.jsonl").mkdir()
    elif obstacle == "no journal end":
        (out / ".triscribe.jsonl").write_text('{"source": "')
    elif obstacle == "edited":
        run()
        if output.exists():
            output.write_text("corrected")
