"""Threads are shared out, keep the order of the items, and are given back."""

import threading
import time

import pytest
import torch
from joblib import Parallel, delayed, parallel_config

from pseudocell._stopping import check_wanted
from pseudocell._threads import map_threads, one_thread, share_threads


@pytest.mark.parametrize(
    ("n_items", "n_jobs", "expected"),
    [(1, 8, (1, 8)), (3, 8, (3, 3)), (8, 8, (8, 1)), (99, 8, (8, 1)), (5, 1, (1, 1))],
)
def test_threads_are_shared_out(n_items, n_jobs, expected):
    assert share_threads(n_items, n_jobs) == expected


def test_items_and_their_parts_run_at_the_same_time():
    together = threading.Barrier(4, timeout=10)

    def work(item):
        return map_threads(lambda part: together.wait() and 0 or part, "ab", 2)

    assert map_threads(work, range(2), 2) == [["a", "b"]] * 2


@pytest.fixture(params=[1, 2])
def threads(request):
    """A number of torch threads that must be the same afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    after = torch.get_num_threads()
    torch.set_num_threads(before)
    assert after == request.param


@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1])
def test_results_come_in_the_order_of_the_items(threads, n_jobs):
    arrived = threading.Event()

    def work(item):
        if item == 0 and n_jobs == 2:
            arrived.wait(timeout=5)  # The first item ends after the second.
        if item == 1:
            arrived.set()
        return item, torch.get_num_threads()

    assert map_threads(work, range(6), n_jobs) == [(item, 1) for item in range(6)]


def test_two_jobs_are_two_threads_and_a_worker_has_one():
    both = threading.Barrier(2, timeout=10)

    def meet(_):
        both.wait()
        return threading.get_ident()

    def idents():
        return set(map_threads(lambda _: threading.get_ident(), range(8)))

    assert len(set(map_threads(meet, range(2), n_jobs=2))) == 2
    with parallel_config(n_jobs=2, backend="threading"):
        assert len(set(map_threads(meet, range(2)))) == 2
    inside = Parallel(n_jobs=2, backend="threading")(delayed(idents)() for _ in "ab")
    assert [len(found) for found in inside] == [1, 1]


def test_error_of_an_item_comes_through(threads):
    def work(item):
        raise KeyError(f"item {item}")

    with pytest.raises(KeyError, match="item"):
        map_threads(work, range(3), n_jobs=2)


@pytest.mark.parametrize("depth", [1, 2])
def test_an_error_ends_the_other_items_at_their_next_step(depth):
    both = threading.Barrier(2, timeout=10)
    ended = []

    def go_on(_):
        both.wait()
        until = time.monotonic() + 10
        while time.monotonic() < until:
            check_wanted()
            time.sleep(0.001)
        ended.append("by itself")

    def work(item):
        if item == 0:
            both.wait()
            raise KeyError("item 0")
        return (
            go_on(item)
            if depth == 1
            else map_threads(lambda part: part == "b" or go_on(part), "ab", 2)
        )

    before = threading.active_count()
    with pytest.raises(KeyError, match="item 0"):
        map_threads(work, range(20), n_jobs=2)
    assert threading.active_count() == before
    assert not ended


def test_threads_are_restored(threads):
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == threads


def stop_inside():
    with one_thread():
        raise KeyboardInterrupt


def test_threads_are_restored_after_an_interrupt(threads):
    with pytest.raises(KeyboardInterrupt):
        stop_inside()
    assert torch.get_num_threads() == threads
