"""Whole nets and images spread over the cores, each on one thread."""

import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import cache

import torch
from joblib import effective_n_jobs, parallel_config
from joblib.parallel import ThreadingBackend, get_active_backend
from threadpoolctl import ThreadpoolController

from ._stopping import Crew

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

    Raises
    ------
    Exception
        The first error of an item, or an interrupt. The other items are told to end,
        and no thread is left when it is raised: one that computes in torch while the
        interpreter ends takes the process down with it.
    """
    n_threads = ThreadingBackend().effective_n_jobs(_count_threads(n_jobs))
    n_threads = min(n_threads, len(items))
    with one_thread():
        if n_threads <= 1:
            return [function(item) for item in items]
        return _map_on(n_threads, function, items)


def _map_on(n_threads, function, items):
    crew, level = Crew(), get_active_backend()[0].nesting_level or 0

    def work(index):
        torch.set_num_threads(1)
        # As joblib does: what runs inside is nested, and has one core for itself.
        nested, _ = ThreadingBackend(nesting_level=level).get_nested_backend()
        with crew.joined(), parallel_config(backend=nested):
            return function(items[index])

    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="pseudocell")
    try:
        futures = [pool.submit(work, index) for index in range(len(items))]
        for future in as_completed(futures):
            future.result()
        return [future.result() for future in futures]
    finally:
        crew.stop()
        pool.shutdown(wait=True, cancel_futures=True)


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
