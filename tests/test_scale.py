"""Grey values from any camera, and pixels of any size, come to a common scale."""

import numpy as np
import pytest
from cells import draw_blobs
from scipy.ndimage import gaussian_filter
from skimage.transform import resize

from pseudocell import _grey, _validation
from pseudocell._geometry import _scale
from pseudocell._geometry._scale import (
    NominalImage,
    nominal_shape,
    normalise_image,
    points_from_nominal,
    points_to_nominal,
    to_nominal,
)

# What cameras and file formats do to the grey values 0 .. 255.
CAMERAS = {
    "uint16": lambda image: image.astype(np.uint16) * 257,
    "twelve bits above an offset": lambda image: image.astype(np.uint16) * 10 + 1500,
    "int32": lambda image: image.astype(np.int32) - 128,
    "float32 to 1": lambda image: (image / 255).astype(np.float32),
    "float64": lambda image: image * 0.37 - 12.0,
    "column-major": np.asfortranarray,
    "one channel": lambda image: image[..., np.newaxis],
}


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    smooth = gaussian_filter(rng.normal(size=(50, 70)), 2)
    return np.interp(smooth, (smooth.min(), smooth.max()), (0, 255)).astype(np.uint8)


# ---------------------------------------------------------------- grey values
@pytest.mark.parametrize("camera", CAMERAS)
def test_gain_offset_and_dtype_do_not_matter(image, camera):
    other = normalise_image(CAMERAS[camera](image))
    assert other.dtype == np.float32
    assert other.shape == (50, 70, 1)
    np.testing.assert_allclose(other, normalise_image(image), atol=1e-4)


def test_first_and_last_percentile_become_minus_one_and_one(image):
    normalised = normalise_image(image)
    np.testing.assert_allclose(np.percentile(normalised, (1, 99)), (-1, 1), atol=0.03)


def test_negative_image_becomes_the_negative(image):
    np.testing.assert_allclose(
        normalise_image(255 - image), -normalise_image(image), atol=1e-5
    )


def test_order_of_grey_values_is_kept(image):
    grey, normalised = image.ravel().astype(int), normalise_image(image).ravel()
    order = np.argsort(normalised, kind="stable")
    assert (np.diff(grey[order]) >= 0).all()
    assert len(np.unique(normalised)) == len(np.unique(grey))


def test_saturated_speck_does_not_dwarf_the_cells(image):
    """A pixel of 65535 among grey values to 255 lands at 1 + log of its distance."""
    speck = image.astype(np.uint16)
    speck[3, 4] = 65535
    before, after = normalise_image(image), normalise_image(speck)
    low, high = np.percentile(speck, (1, 99))
    expected = 1 + np.log((65535 - (high + low) / 2) * 2 / (high - low))
    assert after[3, 4, 0] == pytest.approx(expected, rel=1e-4)
    others = np.ones(image.shape, dtype=bool)
    others[3, 4] = False
    np.testing.assert_allclose(after[others], before[others], atol=0.03)


def test_channels_are_normalised_one_by_one(image):
    colour = np.dstack([image, 1000.0 - 3 * image, image // 2])
    normalised = normalise_image(colour)
    for channel in range(3):
        alone = normalise_image(colour[..., channel])
        np.testing.assert_array_equal(normalised[..., [channel]], alone)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_constant_channel_gives_zeros(image, value):
    colour = np.dstack([np.full_like(image, value), image])
    assert (normalise_image(colour)[..., 0] == 0).all()
    assert (normalise_image(colour)[..., 1] != 0).any()


def test_few_spots_on_nothing_are_seen():
    """Fewer than 1 % of the pixels: the percentiles are equal, the extremes are not."""
    image = np.zeros((40, 40), dtype=np.uint8)
    image[5, 6] = image[20, 30] = 200
    expected = np.where(image > 0, 1, -1)
    np.testing.assert_array_equal(normalise_image(image)[..., 0], expected)
    np.testing.assert_array_equal(normalise_image(255 - image)[..., 0], -expected)


def test_large_image_is_normalised_by_a_sample_of_its_pixels(image, monkeypatch):
    whole = normalise_image(image)
    monkeypatch.setattr(_grey, "MAX_SAMPLES", 500)
    sampled = normalise_image(image)
    assert (sampled != whole).any()
    np.testing.assert_allclose(sampled, whole, atol=0.3)


def test_images_stay_unchanged(image):
    before = image.astype(np.float32)
    image = before.copy()
    normalise_image(image)
    to_nominal(image[..., np.newaxis], 0.5)
    np.testing.assert_array_equal(image, before)


# ----------------------------------------------------------------- cell sizes
def draw_blob(shape, point, sigma):
    return draw_blobs(shape, [point], sigma).astype(np.float32)[..., np.newaxis]


def centre_and_width(image):
    weights = image[..., 0] / image.sum()
    grid = np.stack(np.mgrid[: weights.shape[0], : weights.shape[1]], axis=-1)
    centre = (grid * weights[..., np.newaxis]).sum(axis=(0, 1))
    squared = ((grid - centre) ** 2).sum(axis=-1)
    return centre, np.sqrt((squared * weights).sum() / 2)


@pytest.mark.parametrize("scale", [0.37, 0.5, 0.81, 1.0, 1.5, 2.0])
def test_points_follow_the_cells(scale):
    """The blob is where its point goes, and `scale` times as wide."""
    shape, point = (83, 121), np.array([[37.0, 71.0]])
    nominal = to_nominal(draw_blob(shape, point[0], 8.0), scale)
    centre, width = centre_and_width(nominal)
    expected = points_to_nominal(point, shape, scale)[0]
    np.testing.assert_allclose(centre, expected, atol=0.05)
    assert width == pytest.approx(8.0 * scale, rel=0.1)


@pytest.mark.parametrize("seed", range(10))
def test_points_come_back(seed):
    rng = np.random.default_rng(seed)
    shape, scale = tuple(rng.integers(1, 300, 2)), np.exp(rng.uniform(-2, 2))
    points = rng.uniform(-0.5, np.array(shape) - 0.5, (20, 2))
    there = points_to_nominal(points, shape, scale)
    np.testing.assert_allclose(points_from_nominal(there, shape, scale), points)
    assert (there >= -0.5).all()
    assert (there <= np.array(nominal_shape(shape, scale)) - 0.5).all()


@pytest.mark.parametrize("scale", [0.3, 0.77, 1.9])
def test_corners_stay_corners(scale):
    """The outer edges of the outer pixels, although the size was rounded."""
    shape = (31, 53, 3)
    corners = np.array([[-0.5, -0.5], [30.5, 52.5]])
    there = points_to_nominal(corners, shape, scale)
    expected = [[-0.5, -0.5], np.array(nominal_shape(shape, scale)) - 0.5]
    np.testing.assert_allclose(there, expected)


def test_image_of_nominal_size_stays_as_it_is():
    image = draw_blob((40, 50), (20, 30), 4.0)
    for scale in (1.0, 1.001):
        nominal = to_nominal(image, scale)
        assert np.shares_memory(nominal, image)
        np.testing.assert_array_equal(nominal, image)


@pytest.mark.parametrize("scale", [0.001, 0.4, 1.7])
def test_resampling_keeps_constants_channels_and_dtype(scale):
    image = np.full((33, 47, 3), (1.0, -0.5, 3.0), dtype=np.float32)
    nominal = to_nominal(image, scale)
    assert nominal.dtype == np.float32
    assert nominal.shape == (*nominal_shape(image.shape, scale), 3)
    np.testing.assert_allclose(nominal - image[0, 0], 0, atol=1e-5)


@pytest.mark.parametrize("scale", [0.4, 1.7])
def test_resampling_commutes_with_transposing(image, scale):
    image = normalise_image(image)
    transposed = to_nominal(image.transpose(1, 0, 2), scale)
    np.testing.assert_allclose(
        transposed.transpose(1, 0, 2), to_nominal(image, scale), atol=1e-5
    )


def test_fine_stripes_do_not_alias():
    """Stripes of one pixel turn grey, not into broader stripes."""
    stripes = np.tile(np.float32([1, -1]), (60, 30))[..., np.newaxis]
    assert np.abs(to_nominal(stripes, 0.3)[:, 3:-3]).max() < 0.1


# ------------------------------------------------------------------ in windows
def draw_image(rng):
    """Any size, number of channels and dtype."""
    shape = (*rng.integers(1, 90, 2), rng.integers(1, 4))
    return rng.integers(0, 255, shape).astype(rng.choice(["uint8", "uint16", "f4"]))


@pytest.mark.parametrize("seed", range(20))
def test_resampling_is_that_of_scikit_image(seed):
    """Low-pass filter, then linear interpolation, here as one sum of pixels."""
    rng = np.random.default_rng(seed)
    image, scale = normalise_image(draw_image(rng)), np.exp(rng.uniform(-3, 1))
    shape = (*nominal_shape(image.shape, scale), image.shape[2])
    expected = resize(image, shape, order=1, mode="reflect", anti_aliasing=scale < 1)
    np.testing.assert_allclose(to_nominal(image, scale), expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_window_is_the_window_of_the_whole(seed):
    """To the last bit: tiles must not show."""
    rng = np.random.default_rng(seed)
    image, scale = draw_image(rng), np.exp(rng.uniform(-3, 1))
    whole = to_nominal(normalise_image(image), scale)
    lazy = NominalImage(image, scale)
    assert lazy.shape == whole.shape
    np.testing.assert_array_equal(np.asarray(lazy), whole)
    for _ in range(5):
        corner = [rng.integers(0, length) for length in whole.shape[:2]]
        window = tuple(slice(x, x + rng.integers(1, 50)) for x in corner)
        np.testing.assert_array_equal(lazy[window], whole[window])


class Reader:
    """An image on disk, of which only the parts asked for are read."""

    def __init__(self, image):
        self.image, self.shape, self.largest = image, image.shape, 0

    def __getitem__(self, window):
        part = self.image[window]
        self.largest = max(self.largest, part.size)
        return part


@pytest.mark.parametrize("flat", [False, True])
def test_only_what_is_needed_is_read(monkeypatch, flat):
    """Bands for the grey values, and the pixels under a window."""
    monkeypatch.setattr(_grey, "MAX_SAMPLES", 900)
    image = np.random.default_rng(0).integers(0, 255, (300, 400)).astype(np.uint8)
    if flat:
        image[:] = 0
        image[1, 2] = 9
    expected = to_nominal(normalise_image(image), 0.5)
    monkeypatch.setattr(_scale, "BAND", 1500)
    monkeypatch.setattr(_validation, "BAND", 1500)
    reader = Reader(image)
    lazy = NominalImage(reader, 0.5)
    assert 0 < reader.largest <= 1500
    reader.largest = 0
    np.testing.assert_array_equal(lazy[40:50, 60:75], expected[40:50, 60:75])
    # Each is made of two pixels, and the filter reaches two beyond on either side.
    assert reader.largest <= (2 * 10 + 4) * (2 * 15 + 4)
    # Bands of eight rows, if not even one fits.
    np.testing.assert_array_equal(lazy[:, :], expected)
    assert reader.largest <= (2 * 8 + 4) * 400
