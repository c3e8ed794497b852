"""HeatmapDetector: what training and prediction may depend on, and what not."""

import copy
import io
import tracemalloc

import joblib
import numpy as np
import pytest
import torch
from cells import draw_blobs, in_order, scatter_points
from scipy.ndimage import gaussian_filter
from sklearn.base import clone
from tiny_nets import PixelNet, small_unet
from torch import nn

from pseudocell import HeatmapDetector, _validation
from pseudocell._detection import _nets, _tiled_peaks, _training
from pseudocell._detection._threshold import share_seen, threshold_from_clicks
from pseudocell._detection._training import crop_size
from pseudocell._geometry import _scale, _tiling

SHAPES = [(72, 96), (64, 64), (90, 70)]


def draw(shape, seed, n_cells=8):
    """Bright blobs of radius 6 on a noisy ground, 8-bit, apart and off the border."""
    rng = np.random.default_rng(seed)
    points = scatter_points(rng, shape, n_cells, 14)
    image = draw_blobs(shape, points)
    noise = gaussian_filter(rng.normal(size=shape), 1.0)
    return np.clip(30 + 180 * image + 10 * noise, 0, 255).astype(np.uint8), points


@pytest.fixture(scope="module")
def data():
    """Three images of different sizes, and all their cells."""
    drawn = [draw(shape, seed) for seed, shape in enumerate(SHAPES)]
    return [image for image, _ in drawn], [points for _, points in drawn]


def quick(**parameters):
    """A detector whose training is short, and not long enough to be good."""
    parameters = {"cell_radius": 6, "module": small_unet, "max_steps": 3, **parameters}
    parameters = {"batch_size": 2, "device": "cpu", "n_jobs": 1, **parameters}
    return HeatmapDetector(**{"random_state": 0, **parameters})


def ready(**parameters):
    """A detector that is good without training."""
    parameters = {"module": PixelNet, "max_steps": 1, "lr": 1e-6, **parameters}
    return quick(**parameters)


@pytest.fixture(scope="module")
def fitted(data):
    parameters = {"max_steps": 60, "batch_size": 4, "lr": 1e-2}
    return quick(masked=False, **parameters).fit(*data)


def assert_same_points(found, expected, atol=0.0):
    assert len(found) == len(expected)
    assert sum(map(len, found)) > 0
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


def assert_same_predictions(one, other, images):
    """Exactly, in the heatmaps too, which exist where no cell is found."""
    pairs = zip(one.predict_heatmap(images), other.predict_heatmap(images), strict=True)
    for first, second in pairs:
        np.testing.assert_array_equal(first, second)
    for first, second in zip(one.predict(images), other.predict(images), strict=True):
        np.testing.assert_array_equal(first, second)


# ------------------------------------------------------------------ prediction
def test_cells_are_found(fitted, data):
    images, points = data
    assert fitted.score(images, points) > 0.9
    unseen, cells = draw((80, 80), 9)
    assert fitted.score([unseen], [cells]) > 0.8


def test_score_is_the_f1_within_a_quarter_more_than_a_radius(data):
    images, points = data
    detector = ready().fit(images, points)
    assert detector.score(images, points) == 1
    near, far = (
        [array + (0, shift) for array in detector.predict(images)]
        for shift in (1.24 * 6, 1.26 * 6)
    )
    assert detector.score(images, near) == 1
    assert detector.score(images, far) < 0.2


@pytest.mark.parametrize("radius", [3.0, 6.0, 11.0])
def test_points_are_in_pixels_of_the_image(radius):
    """Cells of any size are found where they are, although the net sees one size."""
    image, points = draw((96, 120), 5)
    factor = radius / 6
    shape = [round(length * factor) for length in image.shape]
    rows, cols = (
        np.clip(((np.arange(n) + 0.5) / factor - 0.5).round().astype(int), 0, m - 1)
        for n, m in zip(shape, image.shape, strict=True)
    )
    resized = image[np.ix_(rows, cols)]
    points = (points + 0.5) * np.array(shape) / image.shape - 0.5
    found = ready(cell_radius=radius).fit([resized], [points]).predict([resized])[0]
    assert len(found) == len(points)
    apart = np.linalg.norm(points[:, np.newaxis] - found, axis=2)
    assert (apart.min(axis=1) < 1.5 * factor).all()


def test_points_are_sorted_by_height_above_the_threshold(fitted, data):
    images, _ = data
    found = fitted.find_candidates(images, 0.3)
    assert sum(len(points) for points, _ in found) > 0
    for (points, heights), heatmap in zip(
        found, fitted.predict_heatmap(images), strict=True
    ):
        rows, cols = points.astype(int).T  # Nominal size: the radius is 6.
        np.testing.assert_array_equal(heights, heatmap[rows, cols])
        assert (np.diff(heights) <= 0).all()
        assert (heights > 0.3).all()
    assert 0.3 < fitted.threshold_ < 0.9
    above = [points[heights > fitted.threshold_] for points, heights in found]
    assert_same_points(fitted.predict(images), above)


@pytest.mark.parametrize("n_nets", [1, 2, 3])
@pytest.mark.parametrize("step", [1, 8])
def test_threshold_follows_the_heights_of_clicked_cells(data, n_nets, step):
    """More so, where more cells are clicked: then unlabelled places are background.

    Nets that are ready stand at the same height at every cell.
    """
    images, points = data
    clicks = [array[::step] for array in points]
    detector = ready(n_nets=n_nets, masked=False, background_weight=0.1)
    detector.fit(images, clicks)
    heights = np.concatenate(detector.click_heights_)
    peaks = np.concatenate([h for _, h in detector.find_candidates(images)] * n_nets)
    # Of a single net that has seen all clicks, no share is known.
    share = share_seen(heights, peaks, n_nets, 1.0) if n_nets > 1 else 0.0
    expected = threshold_from_clicks(heights, share, 0.1)
    assert detector.threshold_ == pytest.approx(expected, rel=1e-6)
    above_two_thirds = expected > 1.2 * 2 / 3 * np.quantile(heights, 0.25)
    assert above_two_thirds == (n_nets > 1 and step == 1)


def test_threshold_allows_for_cells_of_images_without_clicks(data):
    """All clicked in one image of ten: few of all cells are."""
    images, points = data
    one = ready(n_nets=2, masked=False).fit(images[:1], points[:1])
    many = ready(n_nets=2, masked=False)
    many.fit([images[0]] * 10, [points[0]] + [[]] * 9)
    quartile = np.quantile(np.concatenate(many.click_heights_), 0.25)
    assert many.threshold_ == pytest.approx(quartile * 2 / 3)
    assert one.threshold_ > 1.1 * many.threshold_


def test_masked_and_given_thresholds_stay_as_they_are(data):
    # A masked net has not learnt any cell as background.
    assert ready(n_nets=2).fit(*data).threshold_ == 0.5
    assert ready(masked=False, threshold=0.7).fit(*data).threshold_ == 0.7


def distance_to(points, shape):
    grid = np.stack(np.mgrid[: shape[0], : shape[1]], axis=-1)
    return np.linalg.norm(grid[:, :, np.newaxis] - points, axis=3).min(axis=2)


def test_known_places_are_candidates_unless_a_peak_is_near(data):
    images, points = data
    detector = ready().fit(images, points)
    plain = detector.find_candidates(images)
    free = [
        np.column_stack(np.unravel_index(np.argmax(gap), gap.shape))[0]
        for gap in (
            distance_to(peaks, shape)
            for (peaks, _), shape in zip(plain, SHAPES, strict=True)
        )
    ]
    known = [
        np.vstack([place, peaks[0] + (1, 0)])
        for place, (peaks, _) in zip(free, plain, strict=True)
    ]
    for (peaks, heights), (more, their), place, heatmap in zip(
        plain,
        detector.find_candidates(images, known=known),
        free,
        detector.predict_heatmap(images),
        strict=True,
    ):
        np.testing.assert_allclose(more, np.vstack([peaks, place]))
        np.testing.assert_array_equal(their, np.append(heights, heatmap[tuple(place)]))


def test_transposed_image_and_kernels_give_transposed_points(fitted, data):
    """Images of odd sizes, padded and resampled on the way."""
    images, _ = data
    # A copy with another cell radius, so that the images are resampled.
    detector = joblib_copy(fitted).set_params(cell_radius=7.3)
    detector.cell_radius_ = 7.3
    expected = detector.predict(images)
    with torch.no_grad():
        for module in detector.nets_[0].module_.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.copy_(module.weight.transpose(2, 3).clone())
    found = detector.predict([image.T for image in images])
    assert_same_points(
        [in_order(points[:, ::-1].round(3)) for points in found],
        [in_order(points.round(3)) for points in expected],
        atol=2e-3,
    )


def joblib_copy(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


def test_heatmap_is_the_mean_over_the_nets(data):
    images, points = data
    detector = quick(n_nets=2).fit(images, points)
    both = detector.predict_heatmap(images)
    nets, singles = detector.nets_, []
    for net in nets:
        detector.nets_ = [net]
        singles.append(detector.predict_heatmap(images))
    for mean, first, second in zip(both, *singles, strict=True):
        np.testing.assert_allclose(mean, (first + second) / 2, atol=1e-6)
        assert np.abs(first - second).max() > 1e-4


# ---------------------------------------------------------------- what images
@pytest.mark.parametrize(
    "camera",
    [
        lambda image: image.astype(np.uint16) * 257,
        lambda image: image / 255,
        lambda image: (image * 0.1 - 3).astype(np.float32),
        lambda image: image[..., np.newaxis],
    ],
)
def test_gain_offset_and_dtype_do_not_matter(fitted, data, camera):
    images, _ = data
    assert_same_points(
        fitted.predict([camera(x) for x in images]), fitted.predict(images)
    )


def test_training_on_16_bits_is_training_on_8_bits(data):
    """A power of two: exactly the same numbers."""
    images, points = data
    wide = [image.astype(np.uint16) * 256 for image in images]
    assert_same_predictions(
        quick().fit(wide, points), quick().fit(images, points), images
    )


def test_gain_and_offset_of_each_channel_do_not_matter(data):
    images, points = data
    colour = [np.dstack([image, image // 2, 255 - image]) for image in images]
    other = [x.astype(np.uint16) * np.array([4, 2, 8], np.uint16) for x in colour]
    one = quick().fit(colour, points)
    assert one.n_channels_ == 3
    assert_same_predictions(one, quick().fit(other, points), colour)
    for first, second in zip(
        one.predict_heatmap(colour),
        one.predict_heatmap([x / 7 - (1, 9, 2) for x in colour]),
        strict=True,
    ):
        np.testing.assert_allclose(first, second, atol=1e-3)


class Lazy:
    """An image on disk: it is an array only when asked to be."""

    def __init__(self, image):
        self.image, self.reads = image, 0

    def __array__(self, dtype=None, copy=None):
        self.reads += 1
        return np.array(self.image, dtype=dtype)


def test_lazy_images_are_images(data):
    images, points = data
    lazy = [Lazy(image) for image in images]
    detector = quick().fit(lazy, points)
    assert_same_predictions(detector, quick().fit(images, points), lazy)


class LazyWithShape(Lazy):
    """As most lazy arrays: the shape is known without the pixels."""

    @property
    def shape(self):
        return self.image.shape


@pytest.mark.parametrize("n_nets", [1, 3])
def test_images_are_read_for_crops_and_for_clicks(data, n_nets):
    """Once each, however many nets there are; a look at all tells what is found."""
    images, points = data
    lazy = [LazyWithShape(image) for image in images]
    clicks = [points[0], points[1][:0], points[2][:0]]
    labels = {"positives": [[], [[30, 30]], []]}
    parameters = {"n_nets": n_nets, "max_steps": 10}
    detector = quick(**parameters).fit(lazy, clicks, **labels)
    assert [image.reads for image in lazy] == [2, 2, 1]
    same = quick(**parameters).fit(images, clicks, **labels)
    assert_same_predictions(detector, same, images)


def peak_of_memory(n_images, shape, masked):
    """Largest number of bytes that Python and NumPy hold at a time while fitting."""
    image, points = draw(shape, 0)

    class Drawn(LazyWithShape):
        def __array__(self, dtype=None, copy=None):
            return np.roll(image, self.image.shape[0] % 7, axis=0)

    images = [Drawn(image) for _ in range(n_images)]
    clicks = [points if index < 2 else points[:0] for index in range(n_images)]
    detector = quick(masked=masked, module=PixelNet, n_nets=2)
    detector.fit(images[:2], clicks[:2])  # what is imported on the way is not counted
    tracemalloc.start()
    try:
        detector.fit(images, clicks)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("masked", [True, False])
def test_peak_of_memory_does_not_grow_with_the_number_of_images(masked):
    """An image is 480 000 bytes at the nominal size; there are 10 and 30 of them."""
    few, many = (peak_of_memory(n, (300, 400), masked) for n in (10, 30))
    assert many < few + 480_000


def test_stack_of_images_is_a_list_of_images(data):
    image, points = data[0][1], data[1][1]
    stack = np.stack([image, image[::-1]])
    clicks = [points, points]
    assert_same_predictions(
        quick().fit(stack, clicks), quick().fit(list(stack), clicks), stack
    )


@pytest.mark.parametrize("shape", [(1, 1), (7, 30), (20, 20)])
def test_image_smaller_than_a_crop_is_fine(shape):
    assert max(shape) < crop_size(6.0)
    image = np.random.default_rng(0).random(shape)
    detector = quick().fit([image], [[[0, 0]]])
    heatmap = detector.predict_heatmap([image])[0]
    assert heatmap.shape == shape
    assert np.isfinite(heatmap).all()


def test_cells_larger_than_the_image_are_fine(data):
    images, points = data
    detector = quick(cell_radius=500).fit(images, points)
    assert np.isfinite(detector.predict_heatmap(images)[0]).all()


def test_constant_image_is_fine(data):
    images, points = data
    blank = np.full((50, 60), 7, dtype=np.uint8)
    alone = quick().fit([blank], [[[20, 20]]])
    assert np.isfinite(alone.predict_heatmap([blank])[0]).all()
    with_others = ready().fit([*images, blank], [*points, []])
    assert with_others.predict([blank])[0].shape == (0, 2)


def test_one_click_on_nothing_is_fine(data):
    """It is learnt, as it cannot be known to be wrong."""
    image = data[0][1]
    for n_nets in (1, 2):
        detector = quick(n_nets=n_nets).fit([image], [[[1.0, 2.0]]])
        assert len(detector.nets_) == n_nets
        assert np.isfinite(detector.predict_heatmap([image])[0]).all()


# ------------------------------------------------------------------------ tiles
def in_tiles(monkeypatch, tile):
    monkeypatch.setattr(
        _tiled_peaks, "cut_windows", lambda shape: _tiling.cut_windows(shape, tile)
    )


@pytest.mark.parametrize("seed", range(12))
def test_no_peak_is_doubled_or_lost_at_a_seam(data, monkeypatch, seed):
    """Exactly: any size of image, tile and cell, and equal heights across seams."""
    rng = np.random.default_rng(seed)
    detector = ready(cell_radius=rng.uniform(3, 12), n_jobs=2).fit(*data)
    noise = rng.normal(size=rng.integers(5, 100, 2))
    image = gaussian_filter(noise, rng.uniform(0, 3))
    if seed % 2:
        image = np.round(3 * image / image.std())
    known = [rng.uniform(-0.5, np.array(image.shape) - 0.5, (9, 2))]
    in_tiles(monkeypatch, 10**6)
    ((expected, heights),) = detector.find_candidates([image], 0.3, known)
    assert len(expected) > 0
    for tile in rng.integers(4, 60, 3):
        in_tiles(monkeypatch, tile)
        ((found, their),) = detector.find_candidates([image], 0.3, known)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(their, heights)


def test_tiles_do_not_matter_to_a_net(fitted, data, monkeypatch):
    image = np.tile(data[0][0], (3, 2))
    in_tiles(monkeypatch, 10**6)
    ((expected, heights),) = fitted.find_candidates([image], 0.3)
    assert len(expected) > 20
    for tile in (30, 77, 100):
        in_tiles(monkeypatch, tile)
        ((found, their),) = fitted.find_candidates([image], 0.3)
        np.testing.assert_array_equal(in_order(found), in_order(expected))
        np.testing.assert_allclose(their, heights, atol=1e-5)


class OnDisk:
    """An image of which only parts can be read."""

    def __init__(self, image):
        self.image, self.shape, self.largest = image, image.shape, 0
        self.dtype, self.ndim = image.dtype, image.ndim

    def __getitem__(self, window):
        part = self.image[window]
        self.largest = max(self.largest, part.size)
        return part

    def __array__(self, dtype=None, copy=None):
        raise MemoryError("The whole image was asked for.")


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_large_image_is_read_in_parts(fitted, data, monkeypatch, dtype):
    image = np.tile(data[0][0], (3, 4)).astype(dtype)
    on_disk = OnDisk(image)
    in_tiles(monkeypatch, 64)
    monkeypatch.setattr(_scale, "BAND", 5000)
    monkeypatch.setattr(_validation, "BAND", 5000)
    assert_same_points(fitted.predict([on_disk]), fitted.predict([image]))
    # The tile, and the reach of a net of depth 2, which is 26.
    assert on_disk.largest <= (64 + 2 * 26 + 2 * 4) ** 2
    bad = image.astype(float)
    bad[3, 4] = bad[200, 300] = np.inf
    with pytest.raises(ValueError, match=r"images\[0\] has 2 infinite pixels"):
        fitted.predict([OnDisk(bad)])


# ------------------------------------------------------------------ the clicks
@pytest.mark.parametrize("n_nets", [2, 3])
def test_every_click_is_held_out_by_one_net_and_seen_by_the_others(data, n_nets):
    images, points = data
    detector = ready(n_nets=n_nets).fit(images, points)
    for fold, array in zip(detector.click_folds_, points, strict=True):
        assert fold.shape == (len(array),)
        counts = np.bincount(fold, minlength=n_nets)
        assert np.ptp(counts) <= 1
        assert counts.sum() == len(array)


def test_single_net_sees_every_click(data):
    images, points = data
    detector = ready().fit(images, points)
    assert all((fold == -1).all() for fold in detector.click_folds_)


def test_fewer_clicks_than_nets_are_seen_by_every_net(data):
    detector = ready(n_nets=2).fit(data[0][:1], [data[1][0][:1]])
    assert detector.click_folds_[0].tolist() == [-1]


@pytest.mark.parametrize("n_nets", [1, 2, 9])
@pytest.mark.parametrize("n_clicks", [1, 8])
def test_click_on_a_cell_stands_as_high_as_its_peak(data, n_nets, n_clicks):
    """Every net draws the image itself: it matters not which is asked."""
    image, points = data[0][0], data[1][0][:n_clicks]
    detector = ready(n_nets=n_nets).fit([image], [points])
    peaks, heights = detector.find_candidates([image])[0]
    near = np.linalg.norm(points[:, np.newaxis] - peaks, axis=2) <= 6
    expected = (near * heights).max(axis=1)
    assert (expected > 0.5).all()
    np.testing.assert_allclose(detector.click_heights_[0], expected, atol=1e-4)


def test_click_on_nothing_has_no_height(data):
    image, points = data[0][0], data[1][0]
    clicks = np.vstack([points, [[0.0, 0.0]]])
    blank = image.copy()
    blank[:12, :12] = blank.min()
    heights = ready().fit([blank], [clicks]).click_heights_[0]
    assert heights[-1] == 0


def targets(detector, images, points, monkeypatch, **labels):
    """Heatmaps and weights of whole images that the nets learn from."""
    seen = []

    class Recorder(_training.CropBatches):
        def __init__(self, shapes, n_channels, centres, draw_target, **parameters):
            drawn = [draw_target(i, (0, 0), shape) for i, shape in enumerate(shapes)]
            seen.append(list(zip(*drawn, strict=True)))
            super().__init__(shapes, n_channels, centres, draw_target, **parameters)

    monkeypatch.setattr(_training, "CropBatches", Recorder)
    detector.fit(images, points, **labels)
    return seen


def test_crops_hold_the_pixels_and_targets_of_the_whole_image(data, monkeypatch):
    """Cut first and drawn then, or the other way round: the same numbers."""
    kept = []

    class Recorder(_training.CropBatches):
        def __init__(self, shapes, *arguments, **parameters):
            kept.append((self, shapes))
            super().__init__(shapes, *arguments, **parameters)

    monkeypatch.setattr(_training, "CropBatches", Recorder)
    images, points = data
    detector = quick(cell_radius=4.3, masked=False, batch_size=8, n_nets=2)
    detector.fit(images, points, negatives=[[[9.4, 3.3]], [], []])
    assert len(kept) == 2
    n_labelled = 0
    for batches, shapes in kept:
        assert [size > 64 for shape in shapes for size in shape] == [True] * 6
        whole = [
            (
                np.asarray(_scale.NominalImage(images[i], detector._scale)),
                *batches.draw_target(i, (0, 0), shape),
            )
            for i, shape in enumerate(shapes)
        ]
        for step, batch in enumerate(batches.crops):
            heatmaps, weights = np.moveaxis(batches[step][1], 1, 0)
            for number, crop in enumerate(batch):
                rows, cols = (slice(x, x + 64) for x in (crop.top, crop.left))
                image, heatmap, weight = (
                    layer[rows, cols] for layer in whole[crop.index]
                )
                np.testing.assert_array_equal(batches.pixels[step, number], image)
                for drawn, array in ((heatmaps, heatmap), (weights, weight)):
                    array = np.rot90(array, crop.turns)
                    array = array[:, ::-1] if crop.mirrored else array
                    np.testing.assert_array_equal(drawn[number], array)
                n_labelled += (weight == 1).any()
    assert n_labelled > 20


@pytest.mark.parametrize(
    ("masked", "background_weight", "background"),
    [(True, 0.1, [0, 0, 0]), (False, 0.1, [0.1, 0, 0]), (False, 1.0, [1, 1, 1])],
)
def test_pixels_count_in_discs_and_where_cells_are_clicked(
    data, monkeypatch, masked, background_weight, background
):
    """If every cell is clicked (1), images without clicks have none, and count."""
    images, _ = data
    clicks = [np.array([[30.0, 40.0]]), np.zeros((0, 2)), np.zeros((0, 2))]
    positives = [np.zeros((0, 2)), np.array([[30.0, 30.0]]), np.zeros((0, 2))]
    negatives = [np.zeros((0, 2)), np.zeros((0, 2)), np.array([[20.0, 20.0]])]
    ((heatmaps, weights),) = targets(
        ready(masked=masked, background_weight=background_weight),
        images,
        clicks,
        monkeypatch,
        positives=positives,
        negatives=negatives,
    )
    centres = [(30, 40), (30, 30), (20, 20)]
    for weight, outside, (row, col), shape in zip(
        weights, background, centres, SHAPES, strict=True
    ):
        rows, cols = np.mgrid[: shape[0], : shape[1]]
        inside = (rows - row) ** 2 + (cols - col) ** 2 <= 6**2
        np.testing.assert_array_equal(weight, np.where(inside, 1, np.float32(outside)))
    peaks = [heatmap.max() for heatmap in heatmaps]
    assert peaks == [1, 1, 0]
    assert heatmaps[0][30, 40] == heatmaps[1][30, 30] == 1


def test_crops_lie_anywhere_in_images_with_clicks(data, monkeypatch):
    """What has no weight is not worth a crop, nor the reading of an image."""
    needed = []

    class Recorder(_training.CropBatches):
        def __init__(self, *arguments, **parameters):
            super().__init__(*arguments, **parameters)
            needed.append(self.images_needed)

    monkeypatch.setattr(_training, "CropBatches", Recorder)
    images, points = data
    for weight in (0.1, 1.0):
        detector = ready(masked=False, background_weight=weight, max_steps=20)
        detector.fit(images, [points[0], (), ()])
    assert needed == [[0], [0, 1, 2]]


def test_every_net_sees_pseudo_positives_and_not_its_own_clicks(data, monkeypatch):
    images, points = data
    extra = [np.array([[3.0, 3.0]])] * 3
    detector = ready(n_nets=2)
    seen = targets(detector, images, points, monkeypatch, positives=extra)
    assert len(seen) == 2
    for number, (heatmaps, _) in enumerate(seen):
        for heatmap, array, fold in zip(
            heatmaps, points, detector.click_folds_, strict=True
        ):
            assert heatmap[3, 3] == 1
            drawn = heatmap[tuple(array.astype(int).T)] == 1
            np.testing.assert_array_equal(drawn, fold != number)


# -------------------------------------------------------- what must not matter
@pytest.mark.parametrize("n_nets", [1, 2])
def test_same_seed_gives_the_same_on_any_number_of_threads(data, n_nets):
    images, points = data
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for n_jobs in (1, 2):
                detector = quick(n_nets=n_nets, n_jobs=n_jobs).fit(images, points)
                found.append(detector.predict_heatmap(images))
                assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        for first, second in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(first, second)
    other = quick(n_nets=n_nets, random_state=1).fit(images, points)
    assert (other.predict_heatmap(images)[0] != found[0][0]).any()


def test_global_generators_and_inputs_stay_unchanged(data):
    images, points = ([array.copy() for array in arrays] for arrays in data)
    for array in [*images, *points]:
        array.flags.writeable = False
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    detector = quick(cell_radius=None, n_nets=2).fit(images, points)
    detector.fit(images, points, positives=points, negatives=points)
    detector.predict(images)
    assert torch.equal(torch.get_rng_state(), torch_before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)
    for old, new in zip([*data[0], *data[1]], [*images, *points], strict=True):
        np.testing.assert_array_equal(old, new)


def test_fit_forgets_the_fit_before(data):
    images, points = data
    colour = [np.dstack([image] * 3) for image in images[:1]]
    refitted = quick(n_nets=2).fit(colour, points[:1]).fit(images, points)
    fresh = quick(n_nets=2).fit(images, points)
    assert_same_predictions(refitted, fresh, images)
    assert vars(refitted).keys() == vars(fresh).keys()


def test_detector_comes_back_from_a_file(fitted, data, tmp_path):
    joblib.dump(fitted, tmp_path / "detector.joblib")
    loaded = joblib.load(tmp_path / "detector.joblib")
    assert_same_predictions(loaded, fitted, data[0])
    assert loaded.get_params() == fitted.get_params()


def test_parameters_are_stored_and_never_written(data):
    detector = quick(cell_radius=None)
    before = detector.get_params()
    assert detector.fit(*data) is detector
    assert detector.get_params() == before
    copy = clone(detector)
    assert copy.get_params() == before
    assert not hasattr(copy, "nets_")
    assert copy.set_params(threshold=0.7).threshold == 0.7


def test_radius_is_given_or_estimated(data):
    assert quick(cell_radius=5).fit(*data).cell_radius_ == 5
    assert 3 < ready(cell_radius=None).fit(*data).cell_radius_ < 9


def test_silent_unless_asked(data, capfd):
    ready().fit(*data)
    assert capfd.readouterr() == ("", "")
    ready(n_nets=2, verbose=1).fit(*data)
    assert "Training net 2 of 2" in capfd.readouterr().err


# ------------------------------------------------------------------ warm start
def parameters_of(detector):
    return [p.detach() for net in detector.nets_ for p in net.module_.parameters()]


def farthest(one, other):
    """Largest difference between the parameters of two detectors' nets."""
    pairs = zip(parameters_of(one), parameters_of(other), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


def test_warm_start_goes_on_from_the_nets_of_the_fit_before(data):
    before = quick(n_nets=2, max_steps=5).fit(*data)
    copied = copy.deepcopy(before)
    still = {"lr": 1e-12}
    warm = copy.deepcopy(before).set_params(warm_start=True, **still).fit(*data)
    assert farthest(warm, before) < 1e-6
    assert (warm.n_steps_, before.n_steps_) == (10, 5)
    cold = copy.deepcopy(before).set_params(**still).fit(*data)
    assert farthest(cold, before) > 1e-3
    assert cold.n_steps_ == 5
    # The first fit with a warm start is like any other.
    first = quick(n_nets=2, max_steps=5, warm_start=True).fit(*data)
    assert farthest(first, before) == 0
    nets = first.nets_
    first.fit(*data)
    assert farthest(first, before) > 1e-3
    # What was fitted before is not trained on in place.
    assert nets[0] is not first.nets_[0]
    assert farthest(copied, before) == 0


@pytest.mark.parametrize("max_passes", [None, 0.1, 1, 2.5, 100])
@pytest.mark.parametrize("n_clicked", [1, 3])
def test_small_images_are_not_learnt_by_heart(data, monkeypatch, max_passes, n_clicked):
    """A batch is two crops of 64 x 64; the loss of a masked net is not limited.

    Only images with clicks are learnt as background, and three batches at least.
    """
    monkeypatch.setattr(_training, "FEWEST_STEPS", 3)
    images, points = data
    points = [*points[:n_clicked], *[()] * (len(images) - n_clicked)]
    parameters = {"max_passes": max_passes, "max_steps": 7}
    area = sum(image.size for image in images[:n_clicked])
    wanted = np.ceil((max_passes or 100) * area / (2 * 64 * 64))
    wanted = min(7, max(3, wanted))
    assert ready(masked=False, **parameters).fit(images, points).n_steps_ == wanted
    assert ready(**parameters).fit(images, points).n_steps_ == 7


@pytest.mark.parametrize(("masked", "wanted"), [(False, [3, 5]), (True, [8, 1])])
def test_many_pseudo_positives_do_not_crowd_out_the_clicks(monkeypatch, masked, wanted):
    """Groups are taken equally often; in the masked loss, cells against the others."""
    groups = []

    class Recorder(_training.CropBatches):
        def __init__(self, shapes, n_channels, centres, draw_target, **parameters):
            groups.append([len(group) for group in centres])
            super().__init__(shapes, n_channels, centres, draw_target, **parameters)

    monkeypatch.setattr(_training, "CropBatches", Recorder)
    image = np.random.default_rng(0).random((64, 64))
    clicks, positives = np.full((3, 2), 9.0), np.full((5, 2), 40.0)
    detector = quick(masked=masked, max_steps=1)
    detector.fit([image], [clicks], positives=[positives], negatives=[[[20.0, 50.0]]])
    assert groups == [wanted]


def test_each_net_is_trained_on_the_device_that_is_dealt_to_it(data, monkeypatch):
    # Two names of the processor, as there may be no GPU.
    monkeypatch.setattr(_nets, "deal_devices", lambda *_: ["cpu", "cpu:0"])
    detector = quick(n_nets=2, max_steps=1).fit(*data)
    assert [net.device for net in detector.nets_] == ["cpu", "cpu:0"]


def test_warm_start_sees_other_crops(data, monkeypatch):
    firsts = []

    class Recorder(_training.CropBatches):
        def __init__(self, *arguments, first_step, **parameters):
            firsts.append(first_step)
            super().__init__(*arguments, first_step=first_step, **parameters)

    monkeypatch.setattr(_training, "CropBatches", Recorder)
    detector = ready(max_steps=2, warm_start=True)
    detector.fit(*data).fit(*data).fit(*data)
    assert firsts == [0, 2, 4]


def test_warm_start_never_learns_a_click_that_it_is_tested_on(data):
    detector = ready(n_nets=2, warm_start=True, random_state=None).fit(*data)
    folds = [fold.copy() for fold in detector.click_folds_]
    for _ in range(3):
        detector.fit(*data)
        for fold, same in zip(folds, detector.click_folds_, strict=True):
            np.testing.assert_array_equal(fold, same)
    # Other images, other clicks.
    images, points = data
    detector.fit(images[:1], points[:1])
    assert list(map(len, detector.click_folds_)) == [len(points[0])]


def test_warm_start_needs_as_many_nets_and_channels(data):
    images, points = data
    detector = ready(n_nets=2, warm_start=True).fit(images, points)
    with pytest.raises(ValueError, match="n_nets is 3, but the fit before has 2"):
        copy.deepcopy(detector).set_params(n_nets=3).fit(images, points)
    colour = [np.dstack([image] * 3) for image in images]
    with pytest.raises(ValueError, match=r"images\[0\] has 3 channel"):
        detector.fit(colour, points)


# ------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": [[], [], []]}, "points holds no click in any image"),
        ({"points": [[], [[5, 5]]]}, "points has 2 lists of points for 3 images"),
        ({"points": [[], [], [[99, 5]]]}, r"points\[2\] has 1 of 1 points outside"),
        ({"points": [[[95, 60]], [], []]}, "Swapped they would fit"),
        ({"points": [[[5, 5, 5]], [], []]}, r"points\[0\] has shape \(1, 3\)"),
        ({"positives": [[]]}, "positives has 1 lists of points for 3 images"),
        ({"negatives": [[], [[0, 70]], []]}, r"negatives\[1\] has 1 of 1 points out"),
        ({"images": []}, "images is empty"),
        ({"image": np.full((64, 64), np.nan)}, r"images\[1\] has no pixel that counts"),
        ({"image": np.full((64, 64), np.inf)}, r"images\[1\] has 4096 infinite pixels"),
        ({"image": np.zeros((64, 64, 3))}, r"images\[1\] has 3 channel\(s\); exp"),
        ({"cell_radius": 0}, "cell_radius is 0; expected a number above 0"),
        ({"cell_radius": np.nan}, "cell_radius is nan"),
        ({"nominal_radius": -6}, "nominal_radius is -6"),
        ({"threshold": 1.5}, r"threshold is 1.5; expected a number in \[0, 1\]"),
        ({"background_weight": -1}, "background_weight is -1"),
        ({"threshold": -0.1}, "threshold is -0.1"),
        ({"n_nets": 0}, "n_nets is 0; expected an integer of at least 1"),
        ({"max_steps": 2.5}, "max_steps is 2.5"),
        ({"max_passes": 0}, "max_passes is 0; expected a number above 0 or None"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"device": "gpu"}, "device='gpu' cannot be used here"),
    ],
)
def test_bad_input_is_named(data, change, message):
    images, points = list(data[0]), data[1]
    change = dict(change)
    if "image" in change:
        images[1] = change.pop("image")
    images = change.pop("images", images)
    points = change.pop("points", points)
    labels = {k: change.pop(k) for k in ("positives", "negatives") if k in change}
    with pytest.raises(ValueError, match=message):
        ready(**change).fit(images, points, **labels)


def test_prediction_names_what_is_wrong(data):
    detector = ready().fit(*data)
    with pytest.raises(ValueError, match=r"images\[0\] has 3 channel\(s\); expected 1"):
        detector.predict([np.zeros((20, 20, 3))])
    with pytest.raises(ValueError, match=r"For one image pass \[image\]"):
        detector.predict(data[0][0])
    with pytest.raises(ValueError, match="is not fitted yet"):
        ready().predict(data[0])
