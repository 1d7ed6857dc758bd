"""Work beside work: order kept, threads given back, errors passed on."""

import threading
import time

import pytest
import torch

from pipelines.reading.computing import ahead, even, meanwhile, side_by_side


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 16, 17, 33])
def test_even_batches(threads, count):
    found = even(range(count), 4, "cpu")
    assert [item for batch in found for item in batch] == list(range(count))
    sizes = [len(batch) for batch in found]
    assert not sizes or (min(sizes) > 0 and max(sizes) <= 4 and max(sizes) - min(sizes) <= 1)
    assert len(found) % threads == 0 or len(found) == count
    assert len(even(range(count), 4, "cuda")) == -(-count // 4)


def test_side_by_side(threads):
    together = threading.Barrier(threads, timeout=20)

    def job(number):
        together.wait()  # would break if they came one after the other
        return number, torch.get_num_threads(), threading.current_thread().name

    found = side_by_side(job, range(threads), "cpu")
    assert [number for number, _, _ in found] == list(range(threads))
    assert {each for _, each, _ in found} == {1} and torch.get_num_threads() == threads
    assert len({name for _, _, name in found}) == threads
    started = threading.Thread(target=lambda: together.__setattr__("seen", torch.get_num_threads()))
    started.start()
    started.join()
    assert together.seen == threads  # threads to come start with what was allowed before
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda number: 1 // number, [1, 0, 2], "cpu")
    assert torch.get_num_threads() == threads


def test_meanwhile(threads):
    events = []

    def groups():
        for number in range(5):
            events.append(f"made {number}")
            yield number, [number, number + 0.5]

    def slow(number):
        time.sleep(0.05)
        events.append(f"done {number}")
        return -number, torch.get_num_threads()

    found = list(meanwhile(slow, groups(), lambda number: number == 4, "cpu"))
    expected = [(number, [-number, -number - 0.5]) for number in range(5)]
    assert [(number, [each for each, _ in made]) for number, made in found] == expected
    assert {each for _, made in found for _, each in made} == {1} and torch.get_num_threads() == threads
    assert (events.index("made 1") < events.index("done 0")) == (threads > 1)
    assert events.index("done 0") < events.index("made 4")  # it does not run away
    assert not list(meanwhile(slow, [], bool, "cpu"))
    with pytest.raises(ZeroDivisionError):
        list(meanwhile(lambda number: 1 // number, [(1, [1]), (0, [0])], lambda number: False, "cpu"))


def test_no_job_waits_for_the_group_before_it():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    together = threading.Barrier(2, timeout=20)
    try:
        groups = [("one", ["quick", "slow"]), ("two", ["slow"]), ("last", [])]
        found = meanwhile(
            lambda job: together.wait() if job == "slow" else None, groups, "last".__eq__, "cpu"
        )
        assert [group for group, _ in found] == ["one", "two", "last"]
    finally:
        torch.set_num_threads(before)


def test_who_stops_early_waits_for_no_more_than_what_runs():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    done = []

    def job(number):
        time.sleep(0.02)
        done.append(number)

    try:
        found = meanwhile(job, ((group, range(100)) for group in range(9)), lambda group: False, "cpu")
        next(found)
        found.close()
        assert len(done) < 150 and torch.get_num_threads() == 2
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("meanwhile")]
    finally:
        torch.set_num_threads(before)


def test_the_only_group_is_done_by_the_calling_thread(threads):
    groups = [("only", ["job"])]
    ((_, (name,)),) = meanwhile(lambda _: threading.current_thread().name, groups, lambda group: True, "cpu")
    assert name == threading.current_thread().name


def test_ahead():
    asked = []

    def numbers():
        for number in range(100):
            asked.append(threading.current_thread().name)
            yield number
        raise ZeroDivisionError

    found = ahead(numbers(), 3)
    assert [next(found) for _ in range(4)] == [0, 1, 2, 3]
    found.close()
    assert len(asked) <= 9 and set(asked) == {"ahead"}
    assert "ahead" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(ZeroDivisionError):
        list(ahead(numbers(), 3))
