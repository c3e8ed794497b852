"""A large image tile by tile gives what the whole image gives."""

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter

from pseudocell._geometry._tiling import apply_in_window, cut_windows, map_tiles
from pseudocell.nets import UNet


class BoxFilter:
    """Mean over (2 reach + 1)^2 pixels; beyond the border is zero."""

    stride = 1

    def __init__(self, reach):
        self.reach = reach

    def __call__(self, tile):
        size = 2 * self.reach + 1
        return uniform_filter(tile[0].astype(float), size, mode="constant")


class BlockMeans:
    """The mean of the block of 8 x 8 pixels that a pixel lies in."""

    stride, reach = 8, 7

    def __call__(self, tile):
        channels, height, width = tile.shape
        blocks = tile.reshape(channels, height // 8, 8, width // 8, 8)
        return np.kron(blocks.mean(axis=(0, 2, 4)), np.ones((8, 8)))


class Net:
    """A net with random weights."""

    def __init__(self, depth):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(depth)
            self.module = UNet(2, base_channels=4, depth=depth).eval()
        self.stride, self.reach = self.module.stride, self.module.reach

    def __call__(self, tile):
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(tile)[np.newaxis])
            return self.module(batch)[0].numpy()


FUNCTIONS = [BoxFilter(1), BoxFilter(5), BlockMeans(), Net(1), Net(2)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("function", FUNCTIONS)
def test_tiled_is_untiled(function, seed):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(*rng.integers(1, 130, 2), 2)).astype(np.float32)
    layout = {"stride": function.stride, "reach": function.reach}
    whole = map_tiles(function, image, **layout, tile=10**6)
    for tile in rng.integers(10, 80, 3):
        tiled = map_tiles(function, image, **layout, tile=int(tile))
        assert tiled.dtype == np.float32
        np.testing.assert_allclose(tiled, whole, atol=1e-5)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_image_that_fits_is_one_call(function):
    image = np.random.default_rng(0).normal(size=(48, 64, 2)).astype(np.float32)
    result = map_tiles(function, image, stride=function.stride, reach=function.reach)
    np.testing.assert_allclose(result, function(np.moveaxis(image, 2, 0)), atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (16, 9), (100, 33)])
@pytest.mark.parametrize("stride", [1, 4, 16])
def test_every_pixel_is_written_once_at_its_place(shape, stride):
    image = np.random.default_rng(0).random((*shape, 3)).astype(np.float32)
    result = map_tiles(lambda x: x.sum(axis=0), image, stride=stride, reach=3, tile=16)
    np.testing.assert_allclose(result, image.sum(axis=2), rtol=1e-6)


def test_tiles_are_bounded_and_multiples_of_the_stride():
    """At most tile + 2 reach, and less than a stride more on either side."""
    seen = []

    def look(tile):
        seen.append(tile.shape[1:])
        return tile[0]

    map_tiles(look, np.zeros((150, 203, 1)), stride=8, reach=9, tile=50)
    sizes = np.array(seen)
    assert (sizes % 8 == 0).all()
    assert sizes.max() <= 50 + 2 * 9 + 2 * 7
    assert len(seen) == 3 * 5


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("function", FUNCTIONS)
def test_any_window_is_the_window_of_the_whole(function, seed):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(*rng.integers(1, 130, 2), 2)).astype(np.float32)
    layout = {"stride": function.stride, "reach": function.reach}
    whole = map_tiles(function, image, **layout, tile=10**6)
    corner = [rng.integers(0, length) for length in whole.shape]
    window = tuple(
        slice(start, rng.integers(start, length) + 1)
        for start, length in zip(corner, whole.shape, strict=True)
    )
    found = apply_in_window(function, image, window, **layout)
    np.testing.assert_allclose(found, whole[window], atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (16, 9), (100, 33)])
@pytest.mark.parametrize("tile", [1, 7, 16, 1000])
def test_windows_are_apart_and_cover_the_image(shape, tile):
    covered = np.zeros(shape, dtype=int)
    windows = cut_windows(shape, tile)
    for window in windows:
        covered[window] += 1
        assert max(part.stop - part.start for part in window) <= tile
    assert (covered == 1).all()
    rows, cols = (-(-length // tile) for length in shape)
    assert len(windows) == rows * cols


def test_image_stays_unchanged():
    image = np.random.default_rng(0).random((20, 30, 2))
    before = image.copy()
    image.flags.writeable = False
    map_tiles(BlockMeans(), image, stride=8, reach=8, tile=16)
    np.testing.assert_array_equal(image, before)
