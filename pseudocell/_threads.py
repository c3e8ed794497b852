"""Whole nets and images spread over the cores, each on one thread."""

import sys
from contextlib import contextmanager
from functools import cache

import torch
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController

__all__ = ["map_threads", "one_thread", "share_threads"]


@contextmanager
def one_thread():
    """Compute on one thread of the processor, inside a ``with`` block.

    Sums are then made in one order, so that results do not depend on the number of
    threads; `map_threads` spreads whole nets and images over the cores instead.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


@cache
def _libraries():
    # Finding them takes as long as a small image; all are loaded by the time of need.
    return ThreadpoolController()


def map_threads(function, items, n_jobs=None):
    """Apply a function to items on several threads, each item on one of them.

    Parameters
    ----------
    function : callable
        Takes one item; the work is done in torch or NumPy, which let go of the
        interpreter's lock.
    items : sequence
        The items; one that is lazy is touched when its turn comes.
    n_jobs : int, default=None
        Number of threads. None takes what ``joblib.parallel_config`` says, and
        without it all cores, except inside a worker of joblib or Dask, which has one.

    Returns
    -------
    results : list
        In the order of the items, the same for every number of threads.
    """
    n_jobs = _count_threads(n_jobs)
    with one_thread():
        return Parallel(n_jobs=n_jobs, backend="threading")(
            delayed(_on_one_thread)(function, item) for item in items
        )


def _is_in_dask():
    """Whether this thread runs a task of Dask, which counts a core for each task."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True


def share_threads(n_items, n_jobs=None):
    """Share threads out where few items are made of parts that can be done apart.

    Parameters
    ----------
    n_items : int
        Number of items.
    n_jobs : int, default=None
        As for `map_threads`.

    Returns
    -------
    n_outer, n_inner : int
        Number of threads for items, and in each of them for its parts.
    """
    n_threads = effective_n_jobs(_count_threads(n_jobs))
    n_outer = min(n_items, n_threads)
    return n_outer, -(-n_threads // n_outer)


def _count_threads(n_jobs):
    if n_jobs is None:
        backend, n_jobs = get_active_backend()
        if n_jobs in (None, 1):
            n_jobs = 1 if backend.nesting_level or _is_in_dask() else -1
    return n_jobs


def _on_one_thread(function, item):
    torch.set_num_threads(1)
    return function(item)
