"""Ctrl-C ends a run, whatever it is busy with, and keeps what is finished."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.commands.interruption import INTERRUPTED, interruptible
from tests.data.media import chirp, write_audio

ROOT = Path(__file__).parents[3]
PATIENCE = 300  # seconds, on a machine as busy as can be

ENDLESS = """
import sys
import numpy as np
from pipelines import speech
from pipelines.commands.cli import main

opened = speech.open_audio

def open_audio(source, *more):
    audio = opened(source, *more)
    if str(source).endswith("endless.wav"):
        (block,) = audio.blocks(60.0)
        audio.blocks = lambda seconds, strict: (np.resize(block, 480_000) for _ in iter(int, 1))
    return audio

speech.open_audio = open_audio
sys.exit(main(sys.argv[1:]))
"""

STUCK = """
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from pipelines.commands.interruption import interruptible

with interruptible(), ThreadPoolExecutor(1) as pool:
    decoded = pool.submit(time.sleep, 3600)
    print("decoding", flush=True)
    decoded.result()
"""


def started(code: str, *arguments: object) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupted(process: subprocess.Popen, number: int = signal.SIGINT) -> tuple[int, str]:
    """Exit code, and what was said."""
    process.send_signal(number)
    try:
        _, said = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, said


def test_finished_files_are_kept_while_a_long_recording_is_decoded(tmp_path):
    good = write_audio(tmp_path / "a.wav", chirp(0.5, 16000), 16000)
    endless = write_audio(tmp_path / "endless.wav", chirp(0.5, 16000), 16000)
    out = tmp_path / "out"
    process = started(ENDLESS, "transcribe", good, endless, "-o", out)
    until = time.monotonic() + PATIENCE
    while not (out / "a.txt").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    code, said = interrupted(process)
    assert (code, said.count(INTERRUPTED)) == (130, 1), said
    assert "Traceback" not in said
    assert [path.name for path in sorted(out.iterdir())] == [".triscribe.jsonl", "a.txt"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_thread_that_does_not_stop_is_not_waited_for(number):
    process = started(STUCK)
    assert process.stdout.readline() == "decoding\n"
    code, said = interrupted(process, number)
    assert code == 130 and INTERRUPTED in said


def test_everything_is_as_before_afterwards():
    with interruptible():
        assert signal.set_wakeup_fd(-1) != -1
    assert signal.set_wakeup_fd(-1) == -1
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    with pytest.raises(ValueError, match="a mistake"), interruptible():
        raise ValueError("a mistake")
    assert signal.set_wakeup_fd(-1) == -1
