"""Images: read when touched, checked once, measured once, and few in memory."""

import threading
import weakref

import numpy as np
import pytest

from pseudocell import (
    HeatmapDetector,
    NNPUFeaturizer,
    PseudoLabelCellDetector,
    _images,
)
from pseudocell._grey import RUN, _in_constant_runs
from pseudocell._images import Image, Images, check_clicked
from pseudocell._inference import prepare_net
from pseudocell.baselines import PUDetector
from pseudocell.datasets import make_brightfield
from pseudocell.nets import UNet


def small_unet(in_channels):
    return UNet(in_channels, base_channels=4, depth=2)


def quick(whole=PseudoLabelCellDetector, **parameters):
    """Nets of a few steps, good for nothing."""
    detector = HeatmapDetector(
        module=small_unet, max_steps=3, batch_size=2, n_nets=2, warm_start=True
    )
    if whole is PseudoLabelCellDetector:
        parameters["learn_background"] = False
    return whole(
        detector=detector,
        featurizer=NNPUFeaturizer(max_steps=2, batch_size=8),
        candidate_threshold=-1.0,
        device="cpu",
        random_state=0,
        **parameters,
    )


class CountingStack:
    """An array on a disk: each item is read anew, and counted while someone has it."""

    def __init__(self, images):
        self.images, self.shape = images, images.shape
        self.reads = np.zeros(len(images), dtype=int)
        self.held, self.most = 0, 0
        self.lock = threading.Lock()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        pixels = self.images[index].copy()
        with self.lock:
            self.reads[index] += 1
            self.held += 1
            self.most = max(self.most, self.held)
        weakref.finalize(pixels, self.forget)
        return pixels

    def forget(self):
        with self.lock:
            self.held -= 1


@pytest.fixture(scope="module")
def cells():
    images, points = make_brightfield(8, (64, 72), n_cells=5, random_state=0)
    return np.stack(images), [found[:2] for found in points]


@pytest.mark.filterwarnings("ignore:The pseudo labels made the detector worse")
@pytest.mark.parametrize(("n_jobs", "radius"), [(1, None), (2, 8)])
def test_stack_on_a_disk_is_never_in_memory(cells, n_jobs, radius):
    images, clicks = cells
    stack = CountingStack(images)
    loop = quick(cell_radius=radius, n_jobs=n_jobs, max_iter=1)
    loop.fit(stack, clicks)
    assert loop.n_iter_ == 1
    assert stack.most <= n_jobs + 2
    # For the radius; for crops and a look, twice; for candidates, patches, ranking.
    assert stack.reads.max() <= 8
    stack.most = 0
    found = loop.predict(stack)
    assert stack.most <= n_jobs + 1
    same = quick(cell_radius=radius, n_jobs=1, max_iter=1)
    for one, other in zip(
        same.fit(list(images), clicks).predict(list(images)), found, strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore:The pseudo labels made the detector worse")
@pytest.mark.parametrize("whole", [PseudoLabelCellDetector, PUDetector])
def test_each_image_is_checked_and_measured_once_in_a_fit(cells, monkeypatch, whole):
    images, clicks = cells
    measured, checked = [], []
    grey_range, check_image = _images.grey_range, _images.check_image

    def count(image, *arguments, finite, **keywords):
        checked.append(finite)
        return check_image(image, *arguments, finite=finite, **keywords)

    monkeypatch.setattr(
        _images, "grey_range", lambda *given: measured.append(1) or grey_range(*given)
    )
    monkeypatch.setattr(_images, "check_image", count)
    quick(whole, cell_radius=8, n_jobs=1).fit(list(images.astype(float)), clicks)
    assert len(measured) == len(images) == sum(checked)


@pytest.mark.filterwarnings("ignore:The pseudo labels made the detector worse")
def test_nets_pass_over_the_training_images_ten_times(cells, monkeypatch):
    """Of two nets: a look at the end of each of three rounds, and two searches."""
    images, clicks = cells
    tiles = []

    def count(net, method="forward", device="cpu"):
        forward = prepare_net(net, method, device)
        return lambda X: tiles.append(len(X)) or forward(X)

    monkeypatch.setattr("pseudocell._detection._drawing.prepare_net", count)
    loop = quick(cell_radius=8, n_jobs=1, alpha=0.5, beta=0.5)
    loop.fit(images, clicks)
    assert loop.n_iter_ == 2
    assert sum(tiles) == 10 * len(images)


def test_what_is_known_of_an_image_goes_along():
    image = np.arange(12.0).reshape(3, 4)
    reads = []

    class Lazy:
        def __array__(self, dtype=None, copy=None):
            reads.append(1)
            return image

    images = Images([image, Lazy()])
    assert images.shapes == [(3, 4), (3, 4)]
    assert (images.n_channels, images.areas.tolist()) == (1, [12, 12])
    again = Images(images).take([1])
    assert again.shapes == [(3, 4)]
    assert len(reads) == 1
    assert again[0] is images[1]
    # Parts that know nothing of it may take it for an array.
    np.testing.assert_array_equal(images[0] > 3, image > 3)
    np.testing.assert_array_equal(images[0][1:, :2], image[1:, :2])
    assert np.mean(images[0]) == np.mean(image)
    assert isinstance(images[1:][0], Image)


@pytest.mark.parametrize("given", [None, 3, [None, None], [["a", "b"]] * 2, [{1}, {2}]])
def test_what_is_no_list_of_clicks_is_named(cells, given):
    images = cells[0][:2]
    with pytest.raises(ValueError, match=r"^partial_points.*expected"):
        HeatmapDetector(8).fit(images, given)


def test_error_names_the_image_in_the_list_that_was_given():
    images = Images([np.zeros((5, 5)), np.full((5, 5), np.inf)]).take([1])
    with pytest.raises(ValueError, match=r"images\[1\] has 25 infinite"):
        images[0].open()
    with pytest.raises(ValueError, match=r"partial_points\[0\] has 1 of 1 points outs"):
        check_clicked(images, [[[7, 7]]])


def test_image_without_a_shape_is_read_once_in_a_prediction(cells):
    class Lazy:
        reads = 0

        def __array__(self, dtype=None, copy=None):
            Lazy.reads += 1
            return cells[0][0]

    detector = HeatmapDetector(8, module=small_unet, max_steps=1, n_jobs=1)
    detector.fit(cells[0], cells[1]).predict([Lazy()])
    assert Lazy.reads == 1


# ------------------------------------------------------- pixels of no specimen
def draw_specimen(dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.normal(120, 20, (150, 200)).clip(1, 250)
    return (image * (200 if dtype == np.uint16 else 1)).astype(dtype)


def add_black_edge(image):
    return np.pad(image, ((0, 2), (0, 2)))


def add_white_edge(image):
    return np.pad(image, ((2, 2), (2, 2)), constant_values=np.iinfo(image.dtype).max)


def add_unscanned_corner(image):
    return np.pad(image, ((0, 60), (0, 60)), constant_values=240)


def add_scale_bar(image):
    image = image.copy()
    image[130:140, 60:180] = np.iinfo(image.dtype).max
    return image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "add", [add_black_edge, add_white_edge, add_unscanned_corner, add_scale_bar]
)
def test_what_is_no_specimen_does_not_change_the_grey_range(add, dtype):
    image = draw_specimen(dtype)
    middle, gain = _images.grey_range(image)
    framed, its_gain = _images.grey_range(add(image))
    assert framed == pytest.approx(middle, rel=0.02)
    assert its_gain == pytest.approx(gain, rel=0.02)


def test_runs_are_found_pixel_by_pixel():
    rng = np.random.default_rng(0)
    for shape in [(40, 50, 1), (16, 17, 3), (15, 60, 1), (60, 15, 2)]:
        band = rng.integers(0, 2, shape)
        band[3:6, 5:], band[:, :2], band[10:, 7] = 1, 0, 1
        expected = np.zeros(shape[:2], dtype=bool)
        for lines, marks in [(band, expected), (band.swapaxes(0, 1), expected.T)]:
            for line, mark in zip(lines, marks, strict=True):
                ends = np.flatnonzero((line[1:] != line[:-1]).any(axis=1)) + 1
                for run in np.split(np.arange(len(line)), ends):
                    mark[run] |= len(run) >= RUN
        assert np.array_equal(_in_constant_runs(band), expected)


def test_an_image_that_is_nearly_all_constant_keeps_its_range():
    image = np.zeros((60, 80), dtype=np.uint16)
    image[20:23, 30:33] = 900
    middle, gain = _images.grey_range(image)
    assert (middle, gain) == (450, pytest.approx(2 / 900))
