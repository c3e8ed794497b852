"""Pixels that are masked or NaN do not count, wherever an image is looked at."""

import re

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from pseudocell import HeatmapDetector
from pseudocell._detection._training import Targets
from pseudocell._geometry._scale import NominalImage, normalise_image
from pseudocell._images import Images, check_clicked
from pseudocell._mask import find_mask
from pseudocell.baselines import BlobDetector
from pseudocell.datasets import make_brightfield
from pseudocell.io import Reading, read_ahead, read_images

(PICTURE,), (CELLS,) = make_brightfield(1, (96, 112), n_cells=12, random_state=0)
ROWS, COLS = np.mgrid[:96, :112]
OUTSIDE = (ROWS - 40) ** 2 + (COLS - 60) ** 2 > 38**2
INSIDE = CELLS[~OUTSIDE[tuple(np.round(CELLS).astype(int).T)]]


def masked(garbage, picture=PICTURE):
    return np.ma.masked_array(np.where(OUTSIDE, garbage, picture), OUTSIDE)


class Sliced:
    """An array that is read where it is sliced, as those of Zarr are."""

    def __init__(self, pixels):
        self.pixels, self.shape, self.dtype = pixels, pixels.shape, pixels.dtype
        self.ndim = pixels.ndim

    def __getitem__(self, window):
        return self.pixels[window]


def ways():
    """Ways of saying that the pixels outside do not count."""
    nan = np.where(OUTSIDE, np.nan, PICTURE)
    return {
        "numpy.ma": masked(0),
        "masked_invalid": np.ma.masked_invalid(np.where(OUTSIDE, np.inf, PICTURE)),
        "nan": nan,
        "nan in one channel": np.dstack([nan, PICTURE.astype(float)]),
        "sliced": Sliced(nan),
    }


@pytest.mark.parametrize("way", ways())
def test_every_way_of_masking_is_the_same_mask(way):
    image = Images([ways()[way]])[0]
    pixels = np.asarray(image.open()[:, :])
    assert_array_equal(image.mask[:, :], OUTSIDE)
    first = pixels if pixels.ndim == 2 else pixels[..., 0]
    assert_array_equal(first[~OUTSIDE], PICTURE[~OUTSIDE])
    # What is not seen is as bright as the middle of what is.
    assert_allclose(first[OUTSIDE], np.median(PICTURE[~OUTSIDE]))


def test_what_is_in_masked_pixels_does_not_matter():
    zeros, noise = (normalise_image(Images([masked(x)])[0]) for x in (0, 255))
    assert_array_equal(zeros, noise)
    # The range is that of the pixels that count.
    part = PICTURE[~OUTSIDE].reshape(1, -1)
    assert_allclose(zeros[~OUTSIDE], normalise_image(part)[0], atol=1e-6)


def test_a_fit_learns_nothing_from_masked_pixels_and_finds_nothing_there():
    found = []
    for garbage in (0, 255):
        detector = HeatmapDetector(
            8, masked=False, max_steps=3, batch_size=2, random_state=0, n_jobs=1
        )
        image = masked(garbage)
        detector.fit([image], [INSIDE])
        ((points, _),) = detector.find_candidates([image], 0.05)
        found.append(points)
        assert not OUTSIDE[tuple(np.round(points).astype(int).T)].any()
    assert_array_equal(*found)


def test_masked_pixels_have_no_weight_in_the_training(monkeypatch):
    weights = []
    draw = Targets.draw

    def watch(self, index, corner, part):
        heatmap, weight = draw(self, index, corner, part)
        weights.append((corner, weight))
        return heatmap, weight

    monkeypatch.setattr(Targets, "draw", watch)
    detector = HeatmapDetector(
        6, masked=False, background_weight=1, max_steps=1, random_state=0, n_jobs=1
    )
    detector.fit([masked(0)], [INSIDE])
    # A radius of 6 is the nominal one: pixels are those of the image.
    for (top, left), weight in weights:
        part = OUTSIDE[top:, left:][: weight.shape[0], : weight.shape[1]]
        assert_array_equal(weight == 0, part)


def test_other_detectors_find_nothing_in_masked_pixels():
    detector = BlobDetector(8).fit([masked(0)], [INSIDE])
    ((points, _),) = detector.find_candidates([masked(0)])
    assert len(points)
    assert not OUTSIDE[tuple(np.round(points).astype(int).T)].any()


def test_clicks_on_masked_pixels_are_refused():
    message = r"clicks\[1\] has \d+ of 12 points on pixels that are masked"
    images = Images([PICTURE, masked(0)])
    # No image is read for that: its first reader meets the error.
    check_clicked(images, [CELLS, CELLS], "clicks")
    images[0].open()
    with pytest.raises(ValueError, match=message):
        images[1].open()
    # Now it is known.
    with pytest.raises(ValueError, match=message):
        check_clicked(images, [CELLS, CELLS], "clicks")
    check_clicked(images, [CELLS, INSIDE], "clicks")
    with pytest.raises(ValueError, match=r"partial_points\[0\] has \d+ of 12"):
        BlobDetector(8).fit([masked(0)], [CELLS])


def test_a_mask_that_leaves_nothing_is_refused():
    everything = np.ma.masked_array(PICTURE, np.ones_like(OUTSIDE))
    for image in (everything, np.full((5, 5), np.nan)):
        with pytest.raises(ValueError, match=r"images\[0\] has no pixel that counts"):
            Images([image])[0].open()


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7])
def test_a_mask_at_another_size_is_that_of_the_nearest_pixels(scale):
    image = NominalImage(Images([masked(0)])[0], scale)
    height, width, _ = image.shape
    rows = ((np.arange(height) + 0.5) * 96 / height).astype(int)
    cols = ((np.arange(width) + 0.5) * 112 / width).astype(int)
    expected = OUTSIDE[np.ix_(rows, cols)]
    whole = image.mask.resampled((0, 0), (height, width), (height, width))
    assert_array_equal(whole, expected)
    part = image.mask.resampled((3, 5), (7, 9), (height, width))
    assert_array_equal(part, expected[3:10, 5:14])


def test_points_on_masked_pixels_are_told():
    mask = find_mask(masked(0), "it")
    points = np.stack([ROWS.ravel(), COLS.ravel()], axis=1) + 0.4
    assert_array_equal(mask.at(points), OUTSIDE.ravel())


def stored(folder, way):
    """Files of the picture that say what is outside, and how to read them."""
    clear = np.where(OUTSIDE, 0, 255).astype(np.uint8)
    grey = np.dstack([PICTURE, clear])
    colour = np.dstack([PICTURE] * 3 + [clear])
    path = folder / f"a.{'png' if 'png' in way else 'tif'}"
    reading = None
    if way == "grey png":
        Image.fromarray(grey).save(path)
    elif way == "png":
        Image.fromarray(colour).save(path)
    elif way == "deep png":
        path.write_bytes(imagecodecs.png_encode(grey.astype(np.uint16) * 257))
    elif way == "palette png":
        picture = Image.fromarray(np.where(OUTSIDE, 255, np.minimum(PICTURE, 254)))
        picture.putpalette(np.repeat(np.arange(256), 3).tolist())
        picture.save(path, transparency=255)
    elif way == "tiff":
        tifffile.imwrite(path, colour, photometric="rgb", extrasamples=["unassalpha"])
    elif way == "nan tiff":
        tifffile.imwrite(path, np.where(OUTSIDE, np.nan, PICTURE).astype(np.float32))
    else:
        tifffile.imwrite(path, PICTURE)
        (folder / "masks").mkdir()
        name = {"one mask": "any.png"}.get(way, "a_mask.png")
        Image.fromarray(clear // 255).save(folder / "masks" / name)
        if way == "masks":
            Image.fromarray(clear).save(folder / "masks" / "b_mask.png")
        reading = Reading(mask=folder / "masks")
    return path, reading


@pytest.mark.filterwarnings("ignore:.*marked as alpha", "ignore:.*masks in .* of imag")
@pytest.mark.parametrize(
    "way",
    [
        *("grey png", "png", "deep png", "palette png", "tiff", "nan tiff"),
        *("one mask", "masks"),
    ],
)
def test_what_a_file_says_of_its_mask_is_obeyed(tmp_path, way):
    path, reading = stored(tmp_path, way)
    (file,) = read_images(path, reading)
    image = Images([file])[0]
    assert_array_equal(image.mask[:, :], OUTSIDE)
    assert image.shape[:2] == PICTURE.shape
    # The mask goes along with an image that is read ahead.
    (coming,) = read_ahead([file], 1)
    assert_array_equal(Images([coming])[0].mask[:, :], OUTSIDE)


def test_alpha_that_is_none_masks_nothing(tmp_path):
    rng = np.random.default_rng(0)
    fourth = rng.poisson(1, PICTURE.shape).astype(np.uint8) * 20
    for alpha in (np.zeros_like(PICTURE), np.full_like(PICTURE, 255), fourth):
        Image.fromarray(np.dstack([PICTURE] * 3 + [alpha])).save(tmp_path / "a.png")
        (file,) = read_images(tmp_path / "a.png")
        assert file.shape == (*PICTURE.shape, 3)
        assert Images([file])[0].mask is None


def test_masks_and_images_that_do_not_fit_are_named(tmp_path):
    for name in ("a", "b", "c"):
        tifffile.imwrite(tmp_path / f"{name}.tif", PICTURE)
    masks = tmp_path / "masks"
    masks.mkdir()
    tifffile.imwrite(masks / "a.tif", np.ones_like(PICTURE))
    tifffile.imwrite(masks / "b-mask.tif", np.ones((5, 7), np.uint8))
    with pytest.warns(UserWarning, match="mask") as said:
        images = read_images(tmp_path / "?.tif", Reading(mask=masks))
    assert [image.label for image in images] == ["a.tif", "c.tif"]
    said = [str(one.message) for one in said]
    assert any(
        re.match(r"c\.tif: no mask in .*masks; all pixels count", x) for x in said
    )
    assert any("b.tif (its mask b-mask.tif has 5 x 7 pixels, and" in x for x in said)
    tifffile.imwrite(masks / "a_mask.tif", np.ones_like(PICTURE))
    with pytest.raises(ValueError, match=r"two masks of a\.tif, a\.tif and a_mask"):
        read_images(tmp_path / "?.tif", Reading(mask=masks))
    other = tmp_path / "other"
    other.mkdir()
    for name in ("x.tif", "y.tif"):
        tifffile.imwrite(other / name, np.ones_like(PICTURE))
    with pytest.raises(
        ValueError, match=r"no mask for any of the images: x\.tif, y\.t"
    ):
        read_images(tmp_path / "?.tif", Reading(mask=other))
