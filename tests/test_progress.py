"""Progress and cancel: each step is told, and work ends when nobody wants it."""

import threading

import numpy as np
import pytest
from tiny_nets import small_unet

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell._stopping import NoLongerWanted, Watch
from pseudocell.datasets import make_brightfield


@pytest.fixture(scope="module")
def data():
    return make_brightfield(2, (64, 64), n_cells=8, random_state=0)


def loop(n_jobs=1, max_steps=4):
    detector = HeatmapDetector(
        module=small_unet,
        max_steps=max_steps,
        batch_size=2,
        n_nets=2,
        held_out="places",
    )
    return PseudoLabelCellDetector(
        6, max_iter=1, detector=detector, featurizer=NNPUFeaturizer(max_steps=2),
        device="cpu", n_jobs=n_jobs, random_state=0,
    )  # fmt: skip


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_step_of_each_net_is_told(data, n_jobs):
    told = []
    with Watch(lambda *said: told.append(said)).joined():
        fitted = loop(n_jobs).fit(*data)
    fractions = [fraction for fraction, _ in told]
    steps = [fraction for fraction, text in told if text == "Training"]
    assert fitted.n_iter_ == 1
    assert len(steps) == 2 * 2 * 4  # rounds, nets, steps
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_listener_stops_the_work_at_its_step(data, n_jobs):
    told = []

    def listen(fraction, _):
        told.append(fraction)
        return len(told) == 5

    threads = threading.active_count()
    watch = Watch(listen)
    with pytest.raises(NoLongerWanted), watch.joined():
        loop(n_jobs).fit(*data)
    assert len(told) == 5
    assert watch.is_over()
    assert threading.active_count() == threads


def test_another_thread_stops_the_work(data):
    begun, watch = threading.Event(), None

    def stop():
        begun.wait(30)
        watch.stop()

    watch = Watch(lambda *_: begun.set())
    other = threading.Thread(target=stop)
    other.start()
    with pytest.raises(NoLongerWanted), watch.joined():
        loop(max_steps=10_000).fit(*data)
    other.join()


def test_a_prediction_stops_at_its_tile(data):
    fitted = loop().fit(*data)
    watch = Watch()
    with watch.joined():
        watch.stop()
        with pytest.raises(NoLongerWanted):
            fitted.predict(data[0])


def test_who_is_not_watched_gets_the_same(data):
    alone = loop().fit(*data)
    with Watch(lambda *_: False).joined():
        watched = loop().fit(*data)
    pairs = zip(alone.predict(data[0]), watched.predict(data[0]), strict=True)
    assert all(np.array_equal(*pair) for pair in pairs)
