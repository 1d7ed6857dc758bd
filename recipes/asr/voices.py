"""Synthetic voices speak random phrases: a data set in the layout JSONL, by programs for speech synthesis.

    python -m recipes.asr.voices OUT --count 4000 [--programs espeak-ng flite festival] [--sentences TEXT.txt]

It needs the programs that it is told to use. The voices of `HELD_OUT` speak only where they are asked for by
`--held-out`, so that a model can be tried with voices that it has not heard.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from recipes.asr.phrases import phrase

ACCENTS = [
    "en-us",
    "en-us",
    "en-us",
    "en-gb",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-rp",
    "en-gb-x-gbcwmd",
    "en-029",
    "en-us-nyc",
]
VOICES = {
    "espeak-ng": [
        "Alex",
        "Alicia",
        "Andrea",
        "Andy",
        "Annie",
        "Denis",
        "Diogo",
        "Gene",
        "Gene2",
        "Henrique",
        "Hugo",
        "Jacky",
        "Lee",
        "Marco",
        "Mario",
        "Michael",
        "Mike",
        "Nguyen",
        "Storm",
        "adam",
        "anika",
        "announcer",
        "antonio",
        "aunty",
        "belinda",
        "benjamin",
        "boris",
        "caleb",
        "david",
        "ed",
        "edward",
        "edward2",
        "f1",
        "grandma",
        "grandpa",
        "gustave",
        "iven",
        "iven2",
        "iven3",
        "iven4",
        "john",
        "kaukovalta",
        "linda",
        "m2",
        "m3",
        "m5",
        "m6",
        "m7",
        "m8",
        "marcelo",
        "max",
        "michel",
        "miguel",
        "norbert",
        "pablo",
        "paul",
        "pedro",
        "quincy",
        "rob",
        "robert",
        "sandro",
        "shelby",
        "steph",
        "steph2",
        "steph3",
        "travis",
        "victor",
        "klatt2",
        "klatt3",
    ],
    "flite": ["kal", "kal16", "slt"],
    "festival": ["kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts"],
}
HELD_OUT = {
    "espeak-ng": ["f2", "f3", "f4", "f5", "m1", "m4"],
    "flite": ["rms", "awb"],
    "festival": [],
}


@dataclass(frozen=True)
class Spoken:
    """A phrase, who says it, and how the program is called."""

    voice: str
    text: str
    command: list[str]
    given: str = ""


def spoken(chooser: random.Random, program: str, held_out: bool, sentences: list[str], path: Path) -> Spoken:
    """A random phrase in a random voice of a program, which is to write it to a file."""
    said, text = phrase(chooser, sentences)
    voice = chooser.choice((HELD_OUT if held_out else VOICES)[program])
    rate = chooser.uniform(0.75, 1.3)
    if program == "espeak-ng":
        accent = chooser.choice(ACCENTS)
        numbers = [
            "-s",
            round(160 * rate),
            "-p",
            chooser.randint(15, 85),
            "-g",
            chooser.choice((0, 0, 1, 2, 4, 7)),
        ]
        command = [program, "-v", f"{accent}+{voice}", *map(str, numbers), "-w", str(path), said]
        return Spoken(f"espeak {accent}+{voice}", text, command)
    if program == "flite":
        changed = ["--setf", f"duration_stretch={1 / rate:.2f}"]
        if voice.startswith("kal"):
            changed += ["--setf", f"int_f0_target_mean={chooser.randint(80, 180)}"]
        return Spoken(
            f"flite {voice}", text, [program, "-voice", voice, *changed, "-t", said, "-o", str(path)]
        )
    stretch = f"(begin (voice_{voice}) (Parameter.set 'Duration_Stretch {1 / rate:.2f}))"
    return Spoken(f"festival {voice}", text, ["text2wave", "-eval", stretch, "-o", str(path)], said)


def speak(one: Spoken) -> bool:
    """Let the program speak; whether it did."""
    return subprocess.run(one.command, input=one.given.encode(), capture_output=True).returncode == 0


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--programs", nargs="+", default=list(VOICES), choices=list(VOICES))
    parser.add_argument("--sentences", type=Path, help="a text of which parts are spoken too")
    parser.add_argument("--held-out", action="store_true", help="use the voices that are held out")
    parser.add_argument("--without", nargs="*", type=Path, default=[], help="files of texts not to be spoken")
    parser.add_argument("--split", default="train", choices=("train", "valid", "test"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args(arguments)
    sentences = _sentences(given.sentences.read_text()) if given.sentences else []
    barred = {" ".join(path.read_text().upper().split()) for path in given.without}
    chooser = random.Random(given.seed)
    folder = given.out / "audio"
    folder.mkdir(parents=True, exist_ok=True)
    chosen: list[tuple[Path, Spoken]] = []
    while len(chosen) < given.count:
        path = folder / f"{given.split}-{len(chosen):05d}.wav"
        one = spoken(chooser, chooser.choice(given.programs), given.held_out, sentences, path)
        if one.text not in barred:
            chosen.append((path, one))
    with ThreadPoolExecutor(given.threads) as pool:
        made = list(pool.map(speak, (one for _, one in chosen)))
    with open(given.out / f"{given.split}.jsonl", "w") as file:
        for (path, one), done in zip(chosen, made, strict=True):
            facts = {"audio_filepath": f"audio/{path.name}", "text": one.text, "speaker": one.voice}
            if done:
                file.write(json.dumps(facts) + "\n")
    print(f"{given.out}: {sum(made)} of {len(made)} phrases spoken")


def _sentences(text: str) -> list[str]:
    """Sentences of at least four plain words, in lower case."""
    found = re.split(r"[.!?;:]\s", re.sub(r"\s+", " ", text))
    return [each.lower() for each in found if re.fullmatch(r"[A-Za-z, ]+", each) and len(each.split()) >= 4]


if __name__ == "__main__":
    main()
