"""On a cluster of Dask: the same results as on one machine, and one thread a task."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from joblib import Parallel, cpu_count, delayed, parallel_config
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info
from tiny_nets import small_unet

from pseudocell import HeatmapDetector
from pseudocell._threads import map_threads
from pseudocell.benchmark import DetectionSet, _workers, run_benchmark
from pseudocell.datasets import make_brightfield
from pseudocell.model_selection import lee_liu_scorer, split_clicks

distributed = pytest.importorskip(
    "distributed", reason="needs dask[distributed], a cluster on this machine"
)

# Sockets and processes of Dask that are closed late say so; not our concern.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

N_WORKERS = 2
EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, and a client that joblib finds."""
    with (
        distributed.LocalCluster(
            n_workers=N_WORKERS,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
        ) as cluster,
        distributed.Client(cluster),
    ):
        yield cluster


@pytest.fixture(scope="module")
def data():
    return make_brightfield(2, (96, 96), n_cells=10, random_state=0)


def detector(**parameters):
    parameters = {"max_steps": 6, "masked": False, "random_state": 0, **parameters}
    return HeatmapDetector(8, module=small_unet, **parameters)


def meet(_):
    """Where a task runs, and how many threads it takes."""
    seen = set()

    def look(_):
        seen.add(threading.get_ident())
        pools = [pool["num_threads"] for pool in threadpool_info()]
        return max([torch.get_num_threads(), *pools])

    widest = max(map_threads(look, range(50)))
    return os.getpid(), len(seen), widest


def test_a_task_takes_one_thread(cluster):
    """Of our own, of torch and of BLAS: threads x processes are the cores asked for."""
    with parallel_config(backend="dask"):
        met = Parallel()(delayed(meet)(number) for number in range(8))
    processes, own, widest = zip(*met, strict=True)
    assert os.getpid() not in processes
    assert len(set(processes)) <= N_WORKERS
    assert set(own) == {1}
    assert set(widest) == {1}


def test_grid_search_is_the_same(cluster, data):
    images, clicks, folds = split_clicks(*data, n_splits=2, random_state=0)
    search = GridSearchCV(
        detector(), {"max_steps": [2, 6]}, scoring=lee_liu_scorer, cv=folds
    )
    search.fit(images, clicks)
    alone, found = search.cv_results_, search.predict(images)
    with parallel_config(backend="dask"):
        search.fit(images, clicks)
    assert np.ptp(alone["mean_test_score"]) > 0
    for key in ("split0_test_score", "split1_test_score", "rank_test_score"):
        np.testing.assert_array_equal(search.cv_results_[key], alone[key])
    for one, other in zip(search.predict(images), found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_prediction_of_many_images_is_the_same(cluster, data):
    """One task for each image, as docs/cluster.md has it."""
    images, points = data
    fitted = detector(threshold=0.1).fit(images, points)
    expected = fitted.predict(images)
    assert sum(map(len, expected)) > 0
    with parallel_config(backend="dask"):
        found = Parallel()(delayed(fitted.predict)([image]) for image in images)
    for (one,), other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


class Telling(BaseEstimator):
    """Instead of cells, tells where it was fitted and with how many threads."""

    def __init__(self, n_jobs=None):
        self.n_jobs = n_jobs

    def fit(self, images, points):
        self.told_ = [os.getpid(), self.n_jobs or 0]
        return self

    def predict(self, images):
        return [np.array([self.told_])] * len(images)


def benchmark(data, folder=None, **arguments):
    images, points = data
    made = DetectionSet("made", images, points, points, images, points, 8, 10)
    methods = {
        "net": lambda cell_radius, seed: detector(random_state=seed),
        "telling": lambda cell_radius, seed: Telling(),
    }
    result = run_benchmark([made], methods, seeds=[0, 1], output=folder, **arguments)
    assert {record["status"] for record in result.records} == {"done"}
    nets = [record for record in result.records if record["method"] == "net"]
    told = [record for record in result.records if record["method"] == "telling"]
    return (
        [(record["test"], record["train"]) for record in nets],
        [record["test"][0][0][0] for record in told],
    )


def test_benchmark_is_the_same_and_keeps_its_runs(cluster, data, tmp_path):
    alone, _ = benchmark(data)
    with parallel_config(backend="dask"):
        found, told = benchmark(data, tmp_path)
    assert found == alone
    assert len(list(tmp_path.glob("runs/*.json"))) == 4
    # Told by the workers: their number of threads is theirs to choose.
    assert all(process != os.getpid() and n_jobs == 0 for process, n_jobs in told)


def test_death_of_a_worker_of_dask_is_known():
    killed = distributed.scheduler.KilledWorker("task", None, 3)
    assert _workers._is_death(killed)
    assert not _workers._is_death(RuntimeError("no memory"))


def test_on_one_machine_runs_share_the_cores(data):
    _, told = benchmark(data, n_jobs=1)
    assert told == [[os.getpid(), cpu_count()]] * 2


def test_example_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, EXAMPLES / "12_on_a_cluster.py"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "same scores: True" in done.stdout
    assert "same cells in 6 of 6 images" in done.stdout
