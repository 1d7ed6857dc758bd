"""A modality that the package does not know: pulses in text files, named by letters.

All that a new modality takes is here: a front end, an opener, a reader, a result with a writer, and a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO

import torch
from torch import Tensor, nn

from decoders.alphabet import Alphabet
from pipelines.errors import MediaError, TriscribeError
from pipelines.model import SequenceModel
from pipelines.reading.batches import Reading, read
from pipelines.reading.settings import RecognitionOptions
from pipelines.results import Result
from pipelines.tasks import Task

HEAD = "#pulses"


class Heights(nn.Module):
    """Front end: the height of each pulse."""

    def __init__(self, output_size: int = 4):
        super().__init__()
        self.output_size = output_size
        self.project = nn.Linear(1, output_size)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return self.project(x), lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        return lengths


def holds_pulses(head: bytes, name: str) -> bool:
    return head.startswith(HEAD.encode())


@dataclass(frozen=True)
class Train:
    """Pulses that have been read; not a train of carriages."""

    heights: tuple[float, ...]
    name: str

    @property
    def inputs(self) -> Tensor:
        return torch.tensor(self.heights)[:, None]


def open_pulses(source: Path, kind: str, options: RecognitionOptions) -> list[Train]:
    """A train for each line."""
    try:
        lines = Path(source).read_text().splitlines()[1:]
        return [Train(tuple(map(float, line.split())), str(source)) for line in lines]
    except ValueError as error:
        raise MediaError(source, str(error), "write numbers") from error


@dataclass(frozen=True, slots=True)
class Named(Result):
    """The letters of one train."""

    text: str
    model: str
    source: str | None = None

    @property
    def extent(self) -> float:
        return len(self.text)


@dataclass(frozen=True)
class Letters:
    """The letters alone."""

    extension: ClassVar[str] = "letters"

    def write(self, named: Named, file: TextIO) -> None:
        file.write(named.text + "\n")


FORMATS = {"letters": Letters, "txt": Letters}


class _Naming(Reading):
    def __init__(self, train: Train, model: SequenceModel):
        self.train, self.model = train, model

    def pieces(self) -> Iterator[Train]:
        yield self.train

    def add(self, piece: Train, labels) -> None:
        self.text = self.model.decode(labels.ids)

    def result(self) -> Named:
        return Named(self.text, self.model.name, self.train.name)


def name_pulses(
    trains: Iterable[Train], model: SequenceModel, options: RecognitionOptions
) -> Iterator[Named | TriscribeError]:
    return read((_Naming(train, model) for train in trains), model, options)


ROW = Task(
    name="pulses",
    command="recognize",
    kinds=("pulses",),
    takes=("pulses",),
    detect="tests.data.pulses:holds_pulses",
    opener="tests.data.pulses:open_pulses",
    reader="tests.data.pulses:name_pulses",
    options="pipelines.reading.settings:RecognitionOptions",
    front_end="heights",
    encoder="tests.data.pulses:Heights",
    result="tests.data.pulses:Named",
    formats=("tests.data.pulses:FORMATS",),
    title="Pulses",
    done="named",
    measure=("letter", "letters"),
)


def pulse_namer() -> SequenceModel:
    """Of random weights that write something for every train."""
    torch.manual_seed(1)
    sizes = {"kind": "heights"}, {"kind": "bilstm", "hidden_size": 6, "num_layers": 1}, {"kind": "ctc"}
    model = SequenceModel("pulses", *sizes, Alphabet("ab "), name="namer")
    with torch.no_grad():
        model.decoder.project.weight.mul_(20)
    return model.eval()
