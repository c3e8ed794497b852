"""Patches: the point on the centre pixel, reflection at the border."""

import numpy as np
import pytest

from pseudocell._geometry._patches import cut_patches


@pytest.fixture
def image():
    return np.random.default_rng(0).random((17, 23, 2)).astype(np.float32)


@pytest.fixture
def points():
    rng = np.random.default_rng(1)
    return rng.uniform(-0.5, [16.5, 22.5], size=(40, 2))


def test_patch_is_the_window_of_the_padded_image(image, points):
    half = 4
    padded = np.pad(image, ((half, half), (half, half), (0, 0)), mode="reflect")
    for point, patch in zip(points, cut_patches(image, points, 9), strict=True):
        row, col = np.floor(point + 0.5).astype(int)
        np.testing.assert_array_equal(patch, padded[row : row + 9, col : col + 9])


@pytest.mark.parametrize("size", [1, 3, 21, 101])
def test_point_is_on_the_centre_pixel(image, size):
    points = np.argwhere(image[..., 0] > -1)
    centres = cut_patches(image, points, size)[:, size // 2, size // 2]
    np.testing.assert_array_equal(centres, image.reshape(-1, 2))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 3), (4, 1)])
def test_image_smaller_than_the_patch_is_reflected_again_and_again(shape):
    image = np.random.default_rng(2).random(shape).astype(np.float32)
    patch = cut_patches(image, np.zeros((1, 2)), 21)[0]
    expected = np.pad(image, ((10, 21), (10, 21)), mode="reflect")[:21, :21]
    np.testing.assert_array_equal(patch, expected)


def test_whole_shift_leaves_patches_as_they_are(image):
    """Halves too: rounding half to even would send 4.5 and 5.5 the same way."""
    points = np.array([[4.5, 7.5], [5.5, 8.5], [6.25, 9.0]])
    shifted = np.pad(image, ((1, 0), (3, 0), (0, 0)))
    np.testing.assert_array_equal(
        cut_patches(shifted, points + [1, 3], 5), cut_patches(image, points, 5)
    )


def test_half_goes_to_the_pixel_that_it_opens():
    image = np.arange(5.0)[:, np.newaxis]
    points = np.column_stack([np.arange(5) - 0.5, np.zeros(5)])
    np.testing.assert_array_equal(cut_patches(image, points, 1).ravel(), np.arange(5))


def test_transposed_image_gives_transposed_patches(image, points):
    np.testing.assert_array_equal(
        cut_patches(image.swapaxes(0, 1), points[:, ::-1], 7),
        cut_patches(image, points, 7).swapaxes(1, 2),
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64, bool])
def test_patches_are_float32_and_inputs_unchanged(dtype):
    image = (np.arange(30).reshape(5, 6) % 2).astype(dtype)
    points = np.array([[1, 2], [4, 5]])
    image.flags.writeable = points.flags.writeable = False
    patches = cut_patches(image, points, 3)
    assert patches.dtype == np.float32
    assert patches.flags.writeable
    assert patches[0, 1, 1] == image[1, 2]


def test_no_points_give_no_patches(image):
    assert cut_patches(image, np.zeros((0, 2)), 5).shape == (0, 5, 5, 2)
    assert cut_patches(image[..., 0], [], 5).shape == (0, 5, 5)


@pytest.mark.parametrize("size", [0, 4, -3])
def test_even_size_is_an_error(image, size):
    with pytest.raises(ValueError, match=f"size is {size}; expected an odd number"):
        cut_patches(image, np.zeros((1, 2)), size)
