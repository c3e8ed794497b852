"""What images, points, patches and labels must look like, and what is said if not."""

from pathlib import Path

import numpy as np
import pytest

from pseudocell._images import Images
from pseudocell._validation import (
    check_image,
    check_images,
    check_patches,
    check_points,
    check_points_inside,
    check_pu_target,
)


class Unread:
    """A sequence of images that must not be read yet."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        raise AssertionError("an image was read")


class Lazy:
    """An image that becomes an array when asked to."""

    def __array__(self, dtype=None, copy=None):
        return np.arange(6.0).reshape(2, 3)


# --------------------------------------------------------------------- images
@pytest.mark.parametrize(
    "images", [Unread(), [np.eye(3)], (np.eye(3),), np.zeros((2, 3, 3))]
)
def test_sequence_of_images_is_taken_without_reading_it(images):
    assert check_images(images) is images


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            np.zeros((5, 4)),
            r"images has shape \(5, 4\); .* For one image pass \[image\]",
        ),
        ([], "images is empty; expected at least one image"),
        (np.zeros((0, 4, 4)), "images is empty; expected at least one image"),
        ((np.eye(3) for _ in "ab"), "images is a generator; .* into a list first"),
        (7, "images is a int; expected a sequence of images"),
        ("cells.tif", "images is a string; .* pseudocell.io.read_images"),
    ],
)
def test_what_is_no_sequence_of_images_is_named(images, message):
    with pytest.raises(ValueError, match=message):
        check_images(images)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int32, np.float64])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (1, 1)])
def test_pixels_are_taken_as_they_are(dtype, shape):
    image = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    checked = check_image(image, 0)
    assert checked.dtype == dtype
    np.testing.assert_array_equal(checked, image)


def test_lazy_image_is_read():
    np.testing.assert_array_equal(check_image(Lazy(), 0), [[0, 1, 2], [3, 4, 5]])


def with_pixel(value):
    image = np.zeros((4, 5))
    image[1, 2] = image[3, 4] = value
    return image


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros(5), r"images\[7\] has shape \(5,\); expected \(H, W\)"),
        (np.zeros((2, 3, 4, 5)), r"images\[7\] has shape .* frames of a stack"),
        (np.zeros((0, 5)), r"images\[7\] has shape \(0, 5\); it holds no pixel"),
        (np.zeros((5, 5, 0)), r"images\[7\] has shape .* it holds no pixel"),
        (np.full((2, 2), "a"), r"images\[7\] has dtype .* expected real numbers"),
        (np.full((2, 2), None), r"images\[7\] has dtype object; expected real"),
        (np.ones((2, 2)) * 1j, r"images\[7\] is complex"),
        (with_pixel(-np.inf), r"images\[7\] has 2 infinite pixels; .*masked_invalid"),
        (np.zeros((3, 40, 40)), r"images\[7\] has shape .* reads as 40 channels"),
        ("a.tif", r"images\[7\] is the path 'a.tif'; .* pseudocell.io.read_images"),
        (Path("a.tif"), r"images\[7\] is the path 'a.tif'; expected pixels"),
    ],
)
def test_what_is_no_image_is_named(image, message):
    with pytest.raises(ValueError, match=message):
        check_image(image, 7)


class Shaped:
    """A lazy image of known shape that must not be read yet."""

    def __init__(self, *shape):
        self.shape = shape

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("an image was read")


class UnreadStack(Unread):
    """Images of one shape in one array, such as a Zarr array."""

    shape = (3, 8, 9)


def dask_images():
    array = pytest.importorskip("dask.array")
    delayed = pytest.importorskip("dask").delayed(Shaped.__array__)
    return [
        array.from_delayed(delayed(Shaped()), shape, float)
        for shape in [(8, 9), (4, 5, 1)]
    ]


def test_shapes_are_told_without_reading_pixels():
    expected = [(8, 9), (4, 5, 1)]
    assert Images([Shaped(*shape) for shape in expected]).shapes == expected
    assert Images(UnreadStack()).shapes == [(8, 9)] * 3
    assert Images([Shaped(4, 5, 3), np.eye(3)[..., None] * np.ones(3)]).shapes == [
        (4, 5, 3),
        (3, 3, 3),
    ]
    # Others have to be read.
    assert Images([Lazy(), [[1, 2, 3]]]).shapes == [(2, 3), (1, 3)]


def test_shapes_of_dask_arrays_are_told_without_computing_them():
    assert Images(dask_images()).shapes == [(8, 9), (4, 5, 1)]


@pytest.mark.parametrize(
    ("images", "n_channels", "message"),
    [
        ([Shaped(4, 5), Shaped(4, 5, 3)], None, r"images\[1\] has 3 .* expected 1"),
        ([Shaped(4, 5, 3), Shaped(4, 5)], None, r"images\[1\] has 1 .* expected 3"),
        ([Shaped(4, 5)], 3, r"images\[0\] has 1 channel\(s\); expected 3"),
        ([Shaped(4, 5), Shaped(4)], None, r"images\[1\] has shape \(4,\); expected"),
        ([Shaped(0, 5)], None, r"images\[0\] has shape \(0, 5\); it holds no pixel"),
        ([Shaped(3, 40, 40)], None, r"images\[0\] .* reads as 40 channels"),
        (["a.tif"], None, r"images\[0\] is the path 'a.tif'; expected pixels"),
    ],
)
def test_shape_that_is_of_no_image_is_named(images, n_channels, message):
    with pytest.raises(ValueError, match=message):
        list(Images(images, n_channels).shapes)


@pytest.mark.parametrize(("shape", "channels"), [((4, 5), 1), ((4, 5, 1), 1)])
def test_grey_image_has_one_channel(shape, channels):
    assert check_image(np.zeros(shape), 0, channels).shape == shape
    with pytest.raises(ValueError, match=r"images\[2\] has 1 channel\(s\); expected 3"):
        check_image(np.zeros(shape), 2, 3)


# --------------------------------------------------------------------- points
def test_points_become_float_copies():
    given = [np.array([[1, 2], [3, 4]]), np.array([[0.5, 1.5]])]
    checked = check_points(given, 2)
    for old, new in zip(given, checked, strict=True):
        assert new.dtype == float
        np.testing.assert_array_equal(new, old)
        new += 1
    assert (given[0][0, 0], given[1][0, 0]) == (1, 0.5)


@pytest.mark.parametrize("nothing", [[], (), np.zeros((0, 2)), np.zeros(0)])
def test_image_without_points_has_none(nothing):
    assert check_points([nothing])[0].shape == (0, 2)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([[], [[1, 2, 3]]], r"clicks\[1\] has shape \(1, 3\); expected \(n, 2\)"),
        ([[1, 2], []], r"clicks\[0\] has shape \(2,\); expected \(n, 2\)"),
        ([[[1, np.nan]], []], r"clicks\[0\] has coordinates that are NaN"),
        ([[], [[np.inf, 1]]], r"clicks\[1\] has coordinates that are NaN or infinite"),
        ([[]], "clicks has 1 lists of points for 2 images; .*an empty one"),
        ([[], [], []], "clicks has 3 lists of points for 2 images"),
    ],
)
def test_what_are_no_points_is_named(points, message):
    with pytest.raises(ValueError, match=message):
        check_points(points, 2, "clicks")


def test_image_reaches_half_a_pixel_beyond_the_outer_pixel_centres():
    inside = np.array([[-0.5, -0.5], [0, 0], [9, 19], [9.49, 19.49]])
    check_points_inside(inside, (10, 20, 3), 0)
    check_points_inside(np.zeros((0, 2)), (10, 20), 0)
    for point in ([-0.51, 0], [0, -0.51], [9.5, 0], [0, 19.5]):
        with pytest.raises(ValueError, match=r"points\[4\] has 1 of 5 points outside"):
            check_points_inside(np.vstack([inside, point]), (10, 20), 4)


def test_swapped_points_are_recognised():
    swapped = np.array([[15.0, 5.0], [3.0, 4.0]])
    with pytest.raises(ValueError, match=r"example \(15, 5\). Swapped they would fit"):
        check_points_inside(swapped, (10, 20), 0)
    with pytest.raises(ValueError, match="Are they in pixels of this image") as error:
        check_points_inside(np.vstack([swapped, [30, 30]]), (10, 20), 0)
    assert "10 x 20 pixels" in str(error.value)


# -------------------------------------------------------- patches and PU labels
def test_patches_become_float32():
    patches = check_patches(np.ones((2, 5, 5, 3), dtype=np.uint8))
    assert (patches.dtype, patches.shape) == (np.float32, (2, 5, 5, 3))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 4, 4)), r"X has shape \(2, 4, 4\); .* an odd size"),
        (np.zeros((2, 5, 7)), r"X has shape \(2, 5, 7\)"),
        (np.zeros((5, 5)), r"X has shape \(5, 5\)"),
        (np.zeros((0, 5, 5)), r"X has shape \(0, 5, 5\); it holds no patch"),
        (np.full((2, 5, 5), np.nan), "X has NaN or infinite values"),
    ],
)
def test_what_are_no_patches_is_named(X, message):
    with pytest.raises(ValueError, match=message):
        check_patches(X)


def test_pu_labels_become_integers():
    y = check_pu_target([True, False, True], 3)
    assert y.dtype == int
    assert y.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, 0], r"y has shape \(2,\); expected \(3,\)"),
        ([1, -1, 0], r"y has the values \[-1, 0, 1\]; expected 1 \(positive\) and 0"),
        ([1, 1, 1], r"y has no unlabelled \(0\) sample"),
        ([0, 0, 0], r"y has no positive \(1\) sample"),
    ],
)
def test_what_are_no_pu_labels_is_named(y, message):
    with pytest.raises(ValueError, match=message):
        check_pu_target(y, 3)


def test_one_image_in_colour_is_not_taken_for_many():
    with pytest.raises(ValueError, match=r"reads as 40 images .* pass \[image\]"):
        check_images(np.zeros((40, 50, 3)))
    assert len(check_images(np.zeros((5, 40, 50)))) == 5


def test_a_mask_is_kept_and_what_is_under_it_may_be_infinite():
    image = np.ma.masked_invalid([[1.0, np.inf], [2.0, 3.0]])
    checked = check_image(image, 3)
    np.testing.assert_array_equal(checked.mask, [[False, True], [False, False]])
