"""Readers that are lost: what they had is read by others, and what ends too many of them has failed."""

from pathlib import Path

import pytest

from pipelines.batch.engines.limits import Limits
from pipelines.batch.engines.pool import Pool, Reader
from pipelines.batch.engines.serving import BEGUN, ENDED, FOUND
from pipelines.batch.units import Route, Unit
from pipelines.errors import MediaError, ModelError
from pipelines.reading.settings import SpeechOptions

ROUTES = (Route("speech", None, SpeechOptions()),)


class Actors:
    """A crew without processes: a reader ends at files of bad names, or with the machine that it is on."""

    trials = 2
    reason = "they end before they begin", "mend it"

    def __init__(self, vain: int = 3, stillborn: bool = False, lost_at: int = -1):
        self.vain, self.stillborn, self.lost_at = vain, stillborn, lost_at
        self.hired, self.read, self.closed = 0, [], False

    def hire(self) -> Reader:
        self.hired += 1
        return Reader(None, ready=False)

    def send(self, reader, group):
        assert reader.ready, "only those that have answered are given something"

    def hear(self, readers, seconds):
        for reader in list(readers):
            if not reader.ready and self.stillborn:
                yield reader, None
            elif not reader.ready:
                reader.ready = True
            elif reader.groups:
                yield from self._read(reader)

    def _read(self, reader):
        for number, unit in reader.groups[0]:
            name = unit.source.stem
            self.read.append(name)
            yield reader, [(BEGUN, number, 0.0)]
            if "bad" in name or len(self.read) == self.lost_at:
                yield reader, None
                return
            yield reader, [(FOUND, number, 0, name, 0.1)]
        yield reader, [(ENDED,)]

    def memory(self, reader):
        return 0.0

    def end(self, reader):
        pass

    def dismiss(self, reader):
        return "it has ended", "leave it out"

    def close(self):
        self.closed = True


def units_of(folder: Path, *names: str) -> list[Unit]:
    for name in names:
        (folder / f"{name}.wav").write_bytes(b"1")
    return [Unit(folder / f"{name}.wav", "recording", None, ROUTES) for name in names]


def found_by(crew: Actors, units: list[Unit], count: int = 2) -> dict[str, object]:
    answers = [(u.source.stem, result) for u, _, result, _ in Pool(units, crew, count, Limits(), 1.0).found()]
    assert len(answers) == len(units), "each once"
    return dict(answers)


def test_a_unit_that_ends_two_actors_has_failed(tmp_path):
    crew = Actors()
    found = found_by(crew, units_of(tmp_path, "a", "b", "bad", "c", "d"))
    assert {name for name, each in found.items() if isinstance(each, MediaError)} == {"bad"}
    assert found["bad"].cause == "it has ended" and crew.read.count("bad") == 2
    assert crew.hired == 2 + 2, "a new one for each that ended"


def test_a_lone_unit_has_two_trials_too(tmp_path):
    crew = Actors()
    assert isinstance(found_by(crew, units_of(tmp_path, "bad"), 1)["bad"], MediaError)
    assert crew.read == ["bad", "bad"]


def test_a_machine_that_is_lost_costs_nothing(tmp_path):
    for lost_at in range(1, 7):
        crew = Actors(lost_at=lost_at)
        found = found_by(crew, units_of(tmp_path, *"abcdef"))
        assert found == {name: name for name in "abcdef"} and crew.hired == 3


def test_readers_that_never_begin_end_the_run(tmp_path):
    crew = Actors(vain=6, stillborn=True)
    with pytest.raises(ModelError, match=r"they end before they begin \(it has ended\); mend it"):
        found_by(crew, units_of(tmp_path, "a", "b"))
    assert crew.hired == 2 + 5
