"""Groups of units: every unit once, by the same routes, alike in size, small towards the end."""

import pytest

from pipelines.batch.engines.groups import LARGEST, MOST, grouped, size_of
from pipelines.batch.units import Route, Unit
from pipelines.reading.settings import RecognitionOptions, SpeechOptions

HEARD = (Route("speech", None, SpeechOptions()),)
WRITTEN = (Route("handwriting", None, RecognitionOptions()),)


def files(folder, sizes, routes=HEARD, kind="recording"):
    units = []
    for number, size in enumerate(sizes):
        path = folder / f"{routes[0].task}{number}"
        with open(path, "wb") as file:
            file.truncate(size)
        units.append(Unit(path, kind, None, routes))
    return units


@pytest.mark.parametrize("readers", [1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 9, 100])
def test_every_unit_is_in_one_group(tmp_path, count, readers):
    units = files(tmp_path, [100 * (number % 7) for number in range(count)])
    units += files(tmp_path, [50] * 20, WRITTEN, "image")
    groups = list(grouped(units, readers))
    assert sorted(number for group in groups for number, _ in group) == list(range(len(units)))
    assert all(units[number] is unit for group in groups for number, unit in group)
    assert all(len({unit.routes for _, unit in group}) == 1 and len(group) <= MOST for group in groups)


def test_the_largest_come_first_and_a_large_one_is_alone(tmp_path):
    units = files(tmp_path, [10, LARGEST, 20, 30, 2 * LARGEST])
    assert [[number for number, _ in group] for group in grouped(units)] == [[4], [1], [3, 2, 0]]


def test_groups_become_small_towards_the_end(tmp_path):
    sizes = [len(group) for group in grouped(files(tmp_path, [1] * 200), readers=2)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] == MOST and sizes[-1] <= 8


def test_pages_stay_together_and_in_order(tmp_path):
    pages = [Unit(tmp_path / name, "PDF document", part, WRITTEN) for name in "ab" for part in (1, 2, 3)]
    assert [number for group in grouped(pages) for number, _ in group] == list(range(6))


def test_what_is_gone_has_no_size(tmp_path):
    assert size_of(Unit(tmp_path / "gone", "recording", None, HEARD)) == 0
