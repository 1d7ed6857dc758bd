"""The `triscribe` command. Exit codes: 0 all good, 1 something failed, 2 wrong usage."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional, arg

from pipelines import __version__
from pipelines.errors import TriscribeError
from pipelines.tasks import TASKS, recipes

app = tyro.extras.SubcommandApp()

Model = Annotated[str | None, arg(aliases=["-m"])]
Out = Annotated[Path, arg(aliases=["-o"])]
Formats = Annotated[str, arg(aliases=["-f"])]


@app.command
def transcribe(
    inputs: Positional[tuple[str, ...]],
    /,
    out: Out = Path("."),
    format: Formats = "txt",
    model: Model = None,
    skip_existing: bool = False,
    overwrite: bool = False,
    lenient: bool = False,
    page: Path | None = None,
    language_model: str = "auto",
    language_weight: float | None = None,
    hotwords: str = "",
    hotword_weight: float = 1.0,
    lexicon: str = "",
    lexicon_cost: float = 3.0,
    alternatives: int = 0,
    batch_size: int = 16,
    longest: float = 15.0,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    precision: Literal["auto", "bf16", "fp32"] = "auto",
    threads: int = 0,
    max_chars: int = 42,
    max_lines: int = 2,
    max_words: int | None = None,
) -> int:
    """Write down recordings: files, folders and patterns in, a tree of transcripts out.

    A file that cannot be read costs one line; the others go on.

    Args:
        inputs: recordings or videos, folders, patterns.
        out: folder for the outputs; it mirrors the tree of the inputs.
        format: one or more of txt,json,srt,vtt,tsv,ctm,textgrid.
        model: a model file or the name of a bundled model.
        skip_existing: leave out inputs whose outputs stand already.
        overwrite: also replace existing files that triscribe did not make.
        lenient: read what can be read of damaged or silent recordings.
        page: also write one HTML page with players and coloured words.
        language_model: weigh what is heard against what is usual: own is the language model that the
            model carries; a file of plain text is counted, and averaged with it, as is an ARPA file of
            characters. None if not given.
        language_weight: what the language model has to say, from 0 to 2; what did best in training if not
            given.
        hotwords: words and names to be found rather than others: a file with one in each line, or the
            words themselves, with commas between them.
        hotword_weight: nats for each letter of them; the higher, the more are found, and the more other
            words taken for them.
        lexicon: the words that there are: a file with one in each line, such as a dictionary's, or the
            words themselves, with commas between them.
        lexicon_cost: nats that any other word costs; inf where there is no other.
        alternatives: in json, so many of the likeliest readings of each stretch, with probabilities.
        batch_size: pieces that the model reads at once.
        longest: seconds; longer recordings are cut at pauses into such pieces.
        device: where the model runs; auto is cuda where there is one.
        precision: in which it computes; auto is bf16 where the machine does that faster.
        threads: CPU threads; 0 leaves torch's choice.
        max_chars: characters in a line of a subtitle.
        max_lines: lines in a subtitle.
        max_words: words in a subtitle.
    """
    if not inputs:
        return _usage("name at least one file, folder or pattern")
    from pipelines.batch.runner import Run
    from pipelines.batch.speech_work import Transcribing
    from pipelines.results import Transcript

    cues = {"max_chars": max_chars, "max_lines": max_lines, "max_words": max_words}
    speech = {
        "language_model": language_model,
        "language_weight": language_weight,
        "hotwords": hotwords,
        "hotword_weight": hotword_weight,
        "lexicon": lexicon,
        "lexicon_cost": lexicon_cost,
        "alternatives": alternatives,
        "batch_size": batch_size,
        "longest": longest,
        "device": device,
        "precision": precision,
        "strict": not lenient,
    }
    try:
        _device(device)
        _threads(threads)
        formats = _formats(format, Transcript)
        run = Run(Transcribing(model, speech), out, formats, skip_existing, overwrite, page, cues)
    except ValueError as error:
        return _usage(str(error))
    return run(inputs)


@app.command
def recognize(
    inputs: Positional[tuple[str, ...]],
    /,
    out: Out = Path("."),
    format: Formats = "txt",
    model: Model = None,
    language_model: str = "auto",
    language_weight: float | None = None,
    hotwords: str = "",
    hotword_weight: float = 1.0,
    lexicon: str = "",
    lexicon_cost: float = 3.0,
    alternatives: int = 0,
    layout: str = "auto",
    pages: str | None = None,
    dpi: float = 300.0,
    window: float | None = None,
    switch: float = 4.0,
    lenient: bool = False,
    skip_existing: bool = False,
    overwrite: bool = False,
    page: Path | None = None,
    batch_size: int = 16,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    precision: Literal["auto", "bf16", "fp32"] = "auto",
    threads: int = 0,
) -> int:
    """Read handwriting, or tell what happens in videos: files and folders in, a tree of results out.

    A file that cannot be read costs one line; the others go on. Pages of a PDF, and pieces of ink
    in one file, become numbered files in a folder of its name. Where the first input is a video, all
    that are videos are watched; else what is written is read.

    Args:
        inputs: images of lines or pages, PDF documents, ink, videos, folders, patterns.
        out: folder for the outputs; it mirrors the tree of the inputs.
        format: one or more of page,alto,hocr,txt,json; of videos txt,json,csv,activitynet,mp4,png.
        model: a model file or the name of a bundled model.
        language_model: weigh what is read against what is usual: own is the language model that the model
            carries; a file of plain text is counted, and averaged with it, as is an ARPA file of characters.
            None if not given.
        language_weight: what the language model has to say, from 0 to 2; what did best in training if not
            given.
        hotwords: words and names to be found rather than others: a file with one in each line, or the
            words themselves, with commas between them.
        hotword_weight: nats for each letter of them; the higher, the more are found, and the more other
            words taken for them.
        lexicon: the words that there are: a file with one in each line, such as a dictionary's, or the
            words themselves, with commas between them.
        lexicon_cost: nats that any other word costs; inf where there is no other.
        alternatives: in page and json, so many of the likeliest readings of each line, with probabilities.
        layout: where the lines are: auto, line, page, or a PAGE or ALTO file or a folder of them. auto
            takes the file of the image's name beside it, or else finds out.
        pages: of PDF documents, such as 2-5,7; all if not given.
        dpi: pixels an inch in which pages of a PDF are drawn.
        window: seconds of a long video that are judged at once; as the model was trained if not given.
        switch: nats that a change of the label costs in a long video: the higher, the fewer segments.
        lenient: watch what there is of videos that break off.
        skip_existing: leave out inputs whose outputs stand already.
        overwrite: also replace existing files that triscribe did not make.
        page: also write one HTML page with the images, their lines and coloured words; not of videos.
        batch_size: lines, or frames of a video, that the model reads at once.
        device: where the model runs; auto is cuda where there is one.
        precision: in which it computes; auto is bf16 where the machine does that faster.
        threads: CPU threads; 0 leaves torch's choice.
    """
    if not inputs:
        return _usage("name at least one file, folder or pattern")
    from pipelines.batch.recognition_work import Recognizing, Watching, are_films
    from pipelines.batch.runner import Run

    how = {"batch_size": batch_size, "device": device, "precision": precision}
    if are_films(inputs):
        kind, how = Watching, how | {"window": window, "switch": switch, "strict": not lenient}
    else:
        kind, how = Recognizing, how | {"layout": layout, "pages": pages, "dpi": dpi}
        how |= {"language_model": language_model, "language_weight": language_weight}
        how |= {"hotwords": hotwords, "hotword_weight": hotword_weight}
        how |= {"lexicon": lexicon, "lexicon_cost": lexicon_cost, "alternatives": alternatives}
    try:
        _device(device)
        _threads(threads)
        formats = _formats(format, kind.kind)
        if (language_model != "auto" or hotwords or lexicon or alternatives) and kind is Watching:
            cause = "--language-model, --hotwords, --lexicon and --alternatives are for what is written"
            raise ValueError(f"{cause}, not for videos")
        if page and kind is Watching:
            raise ValueError("--page shows what is written; for videos take -f png or mp4")
        run = Run(kind(model, how), out, formats, skip_existing, overwrite, page)
    except ValueError as error:
        return _usage(str(error))
    return run(inputs)


@app.command
def caption(
    inputs: Positional[tuple[str, ...]],
    /,
    out: Out = Path("."),
    format: Formats = "txt",
    model: Model = None,
    width: int = 3,
    window: float | None = None,
    change: float = 0.25,
    skip_existing: bool = False,
    overwrite: bool = False,
    lenient: bool = False,
    batch_size: int = 16,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    precision: Literal["auto", "bf16", "fp32"] = "auto",
    threads: int = 0,
) -> int:
    """Say what pictures and videos show: files, folders and patterns in, a tree of captions out.

    A file that cannot be read costs one line; the others go on.

    Args:
        inputs: pictures or videos, folders, patterns.
        out: folder for the outputs; it mirrors the tree of the inputs.
        format: one or more of txt,json,coco,srt,vtt,png; png shows where each word looked.
        model: a model file or the name of a bundled model.
        width: sentences that the search keeps for each picture.
        window: seconds of a video that one sentence is about, at most; as the model was trained if not
            given.
        change: of the picture, from 0 to 1, at which a new sentence begins; 0 cuts videos evenly.
        skip_existing: leave out inputs whose outputs stand already.
        overwrite: also replace existing files that triscribe did not make.
        lenient: describe what there is of videos that break off.
        batch_size: pictures that the model reads at once.
        device: where the model runs; auto is cuda where there is one.
        precision: in which it computes; auto is bf16 where the machine does that faster.
        threads: CPU threads; 0 leaves torch's choice.
    """
    if not inputs:
        return _usage("name at least one file, folder or pattern")
    from pipelines.batch.caption_work import Describing
    from pipelines.batch.runner import Run
    from pipelines.results import Caption

    how = {"width": width, "window": window, "change": change, "strict": not lenient}
    how |= {"batch_size": batch_size, "device": device, "precision": precision}
    try:
        _device(device)
        _threads(threads)
        formats = _formats(format, Caption)
        run = Run(Describing(model, how), out, formats, skip_existing, overwrite)
    except ValueError as error:
        return _usage(str(error))
    return run(inputs)


@app.command
def align(
    audio: Positional[str],
    text: Positional[str],
    /,
    out: Out = Path("."),
    format: Formats = "srt",
    model: Model = None,
    overwrite: bool = False,
    threads: int = 0,
) -> int:
    """Find where each word of a known text lies in a recording.

    Lines that are not in the recording are reported, and the exit code is then 1.

    Args:
        audio: a recording or video.
        text: a text file, one line a segment.
        out: folder for the outputs.
        format: one or more of ctm,textgrid,srt,json,vtt,tsv,txt.
        model: a model file or the name of a bundled model.
        overwrite: also replace existing files that triscribe did not make.
        threads: CPU threads; 0 leaves torch's choice.
    """
    from pipelines.batch.journal import Journal
    from pipelines.batch.plan import plan
    from pipelines.results import Transcript
    from pipelines.speech import speech_model
    from pipelines.writers import write_atomically, writer

    try:
        formats = _formats(format, Transcript)
        _threads(threads)
    except ValueError as error:
        return _usage(str(error))
    from pipelines.aligning import align as place

    source = Path(audio)
    network = speech_model(model)
    (job,) = plan([source], [source], out, formats)
    journal = Journal(out)
    foreign = None if overwrite else journal.foreign(job)
    if foreign:
        return _usage(f"{foreign}; give --overwrite or another --out")
    result = place(source, Path(text), network)
    for output, name in zip(job.outputs, formats, strict=True):
        with write_atomically(output) as file:
            writer(name, Transcript).write(result, file)
    journal.add(job, network.name, None)
    missing = [segment for segment in result.segments if not segment.found]
    for segment in missing:
        print(f"not in the recording: {segment.text}", file=sys.stderr)
    placed = len(result.segments) - len(missing)
    print(f"{placed} of {len(result.segments)} lines placed: {', '.join(map(str, job.outputs))}")
    return 1 if missing else 0


@app.command
def models() -> int:
    """List the models that come with the package."""
    from pipelines.model_file import bundled, read_header

    defaults = {row.default for row in TASKS.values()}
    for path in bundled():
        header = read_header(path)
        facts = header["training"]
        default = ", the default" if path.stem in defaults else ""
        print(f"{path.stem}  ({header['task']}{default}, {path.stat().st_size / 1e6:.1f} MB)")
        data, licence = facts.get("data", "unstated data"), facts.get("licence", "unstated")
        print(f"    trained on {data}, licence {licence}")
        for split, scores in header["metrics"].items():
            print(f"    {split}: " + ", ".join(f"{name} {value}" for name, value in scores.items()))
    return 0


@app.command
def info(model: Positional[str], /) -> int:
    """Show what a model file says about itself.

    Args:
        model: a model file or the name of a bundled model.
    """
    import json

    from pipelines.model import load
    from pipelines.model_file import read_header

    header = read_header(model)
    network = load(model)
    listed = isinstance(header["alphabet"], list)
    header["alphabet"] = "".join(header["alphabet"]) if listed else repr(network.alphabet)
    if network.language:
        header["language_model"]["words"] = len(network.language.words)
    print(f"{network.name}: {network.parameters_count:,} parameters")
    print(json.dumps(header, indent=2, ensure_ascii=False))
    return 0


@app.command
def gates(
    file: Positional[str],
    /,
    model: Model = None,
    out: Out = Path("gates.png"),
    layer: int = 1,
    cells: int = 60,
    direction: Literal["ahead", "back"] = "ahead",
) -> int:
    """Draw memory cells and their input, forget and output gates over a recording's spectrogram.

    Args:
        file: a recording, best of a few seconds.
        model: a model file or the name of a bundled model.
        out: the picture, .png, .svg or .pdf.
        layer: of the core, from 1.
        cells: how many memory cells to show, those that move most.
        direction: in which the layer reads.
    """
    from pipelines.gates_picture import draw

    try:
        print(draw(file, out, model, layer, cells, direction))
    except ValueError as error:
        return _usage(str(error))
    return 0


@app.command
def train(recipe: Positional[str], /) -> int:
    """Train a model on your own folder: `triscribe train asr --data DIR --out exp`.

    Args:
        recipe: asr, handwriting, ink, action or captioning. Its own options: `triscribe train asr --help`.
    """
    return _usage(f"no recipe {recipe!r}; choose from {', '.join(recipes())}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments in (["--version"], ["-V"]):
        print(f"triscribe {__version__}")
        return 0
    try:
        if arguments[:1] == ["train"] and arguments[1:] and not arguments[1].startswith("-"):
            from importlib import import_module

            if arguments[1] not in recipes():
                return train(arguments[1])
            return import_module(f"recipes.{arguments[1]}.recipe").main(arguments[2:])
        return app.cli(
            prog="triscribe",
            description="Recognition of speech, handwriting and actions, captions: trained on your own data.",
            args=arguments,
        )
    except TriscribeError as error:
        print(f"triscribe: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("triscribe: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a full disk, a folder that may not be written to
        print(f"triscribe: {error}", file=sys.stderr)
        return 1


def _formats(text: str, kind: type) -> list[str]:
    from pipelines.writers import formats, writer

    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if not names:
        raise ValueError("--format names no format")
    for name in names:
        writer(name, kind)
    return list({formats(kind)[name]: name for name in names}.values())  # some have several names


def _device(name: str) -> None:
    if name == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise ValueError("--device cuda: torch finds no CUDA device here")


def _threads(count: int) -> None:
    if count < 0:
        raise ValueError("--threads must be 0 or more")
    if count:
        import torch

        torch.set_num_threads(count)


def _usage(message: str) -> int:
    print(f"triscribe: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
