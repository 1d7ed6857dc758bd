"""CPU seconds of short commands, against a bare script that imports torch, loads the model and computes.

    python benchmarks/startup.py [--runs N]

Every command runs several times, each in a process of its own, whose user and system time the operating
system gives. The median is printed, and its ratio to the bare script's. Fresh is with an empty cache of
compiled functions, as after the installation; the byte code of Python is there in both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from pipelines.media.audio import read_audio

ROOT = Path(__file__).parents[1]
SECONDS = 3  # of the recording

SPEECH = """
import sys, torch, soundfile
from torchaudio.functional import resample
from pipelines.model import load
model = load("speech-en-an4")
samples, rate = soundfile.read(sys.argv[1], dtype="float32")
x = resample(torch.from_numpy(samples), rate, model.front_end.sample_rate)[None]
with torch.inference_mode():
    log_probs, _ = model(x, torch.tensor([x.shape[1]]))
print(model.decode(torch.unique_consecutive(log_probs[0].argmax(1)).tolist()))
"""

HANDWRITING = """
import sys, numpy, torch
from PIL import Image
from pipelines.model import load
model = load("handwriting-fr")
x = model.front_end.prepare(numpy.asarray(Image.open(sys.argv[1]).convert("L")))[None]
with torch.inference_mode():
    log_probs, _ = model(x, torch.tensor([x.shape[1]]))
print(model.decode(torch.unique_consecutive(log_probs[0].argmax(1)).tolist()))
"""

CAPTION = """
import sys, cv2, numpy, torch
from PIL import Image
from pipelines.model import load
from decoders.contract import Search
model = load("captioning-emoji")
side = model.front_end.network.resize
picture = numpy.asarray(Image.open(sys.argv[1]).convert("RGB"))
x = torch.from_numpy(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA))[None, None]
with torch.inference_mode():
    states, lengths = model.states(x, torch.tensor([1]))
    (found,) = model.decoder.read(states, lengths, Search(3))
print(model.decode(found.ids))
"""


def cpu_seconds(command: list[str], cache: str | None = None) -> float:
    """User and system time of a process; raises RuntimeError where it fails in an unexpected way."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if cache:
        environment["NUMBA_CACHE_DIR"] = cache
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, *command], env=environment, cwd=ROOT, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            output.seek(0)
            raise RuntimeError(output.read().decode())
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        import soundfile

        wav = os.path.join(folder, "one.wav")
        samples = read_audio(ROOT / "examples/speech/digits.wav", 16000)
        soundfile.write(wav, samples[: SECONDS * 16000], 16000)
        line = str(ROOT / "examples/handwriting/lettre-fr.jpg")
        picture = str(ROOT / "examples/pictures/blue-heart.png")

        def measure(name: str, command: list[str], bare: float | None = None, fresh: bool = False) -> float:
            cpu_seconds(command)  # the byte code
            times = []
            for _ in range(runs):
                with tempfile.TemporaryDirectory() as cache:
                    times.append(cpu_seconds(command, cache if fresh else None))
            middle = statistics.median(times)
            ratio = f"{middle / bare:8.2f} x bare" if bare else ""
            print(f"{name:<48} {middle:6.2f} CPU s {ratio}", flush=True)
            return middle

        def triscribe(*arguments: str) -> list[str]:
            out = [] if arguments[0] in ("models", "train") else ["-o", os.path.join(folder, "out")]
            return ["-m", "triscribe", *arguments, *out]

        measure("import torch", ["-c", "import torch"])
        for name, script, source, more in (
            ("transcribe", SPEECH, wav, []),
            ("recognize", HANDWRITING, line, ["--language-model", "none", "--layout", "line"]),
            ("caption", CAPTION, picture, []),
        ):
            bare = measure(f"{name}: bare script", ["-c", script, source])
            command = triscribe(name, source, *more)
            shown = " ".join(["triscribe", name, os.path.basename(source), *more])
            measure(shown, command, bare)
            measure(f"{shown}, fresh", command, bare, fresh=True)
            if name == "recognize":
                measure("the same with its language model", triscribe(name, line, "--layout", "line"), bare)
        for name, source in (("transcribe", wav), ("recognize", line), ("caption", picture)):
            command = triscribe(name, source, "--skip-existing")
            measure(f"triscribe {name} --skip-existing, nothing to do", command)
            measure(f"triscribe {name} missing", triscribe(name, "missing.wav"))
        for arguments in (["models"], ["train", "asr", "--help"], ["train", "handwriting", "--help"]):
            measure(f"triscribe {' '.join(arguments)}", triscribe(*arguments))


if __name__ == "__main__":
    main()
