"""What image files say is obeyed: the same picture, however it was saved."""

import io
import os
import unicodedata
import warnings

import imagecodecs
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from numpy.testing import assert_array_equal
from PIL import Image, ImageOps

from pseudocell.cli import main
from pseudocell.cli._pixel_size import common_pixel_size, radii_for
from pseudocell.cli._results import write_picture
from pseudocell.io import Reading, read_images

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 256, (48, 60), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (48, 60, 3), dtype=np.uint8)
TWO = RNG.integers(0, 65536, (48, 60, 2), dtype=np.uint16)
DEPTH = RNG.integers(0, 256, (5, 48, 60), dtype=np.uint8)
FIRST = np.moveaxis(TWO, 2, 0)
RAMP = np.repeat(np.arange(256, dtype=np.uint16)[None] * 257, 3, axis=0)
GREEN = RAMP * np.array([[0], [1], [0]], np.uint16)


def tiff(pixels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def pillow(pixels, kind, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format=kind, **options)
    return file.getvalue()


def turned(pixels, orientation, kind):
    """Store a picture as a camera does that lay so."""
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    exif = Image.Exif()
    exif[0x0112] = inverse
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png", exif=exif)
    stored = np.array(ImageOps.exif_transpose(Image.open(file)))
    if kind == "tif":
        extra = [(274, "H", 1, orientation, True)]
        options = {"photometric": "rgb" if pixels.ndim == 3 else "minisblack"}
        return tiff(stored, extratags=extra, metadata=None, **options)
    exif[0x0112] = orientation
    return pillow(stored, kind, exif=exif)


# The picture, and files of it: every layout gives the one array.
SAVED = {
    "grey": (
        GREY,
        {
            "plain.tif": tiff(GREY),
            "white_is_zero.tif": tiff(255 - GREY, photometric="miniswhite"),
            "packed.tif": tiff(GREY, photometric="minisblack", compression="packbits"),
            "tiles.tif": tiff(GREY, tile=(16, 16)),
            "imagej.tif": tiff(GREY, imagej=True),
            "ome.tif": tiff(GREY, ome=True),
            "lut.tif": tiff(GREY, imagej=True, colormap=GREEN.astype(np.uint16)),
            "grey_palette.tif": tiff(GREY, photometric="palette", colormap=RAMP),
            "flat_axes.tif": tiff(GREY[None, None]),
            "pillow.tif": pillow(GREY, "tiff"),
            "a.bmp": pillow(GREY, "bmp"),
            "a.png": pillow(GREY, "png"),
            "lossless.jp2": pillow(GREY, "jpeg2000", irreversible=False),
            "UPPER.TIF": tiff(GREY),
            **{f"turned_{n}.png": turned(GREY, n, "png") for n in range(1, 9)},
            **{f"turned_{n}.tif": turned(GREY, n, "tif") for n in range(1, 9)},
        },
    ),
    "colour": (
        COLOUR,
        {
            "plain.tif": tiff(COLOUR, photometric="rgb"),
            "planes.tif": tiff(
                np.moveaxis(COLOUR, 2, 0), photometric="rgb", planarconfig="separate"
            ),
            "ome.tif": tiff(COLOUR, ome=True, photometric="rgb"),
            "imagej.tif": tiff(COLOUR, imagej=True),
            "pages.tif": tiff(COLOUR[None], photometric="rgb"),
            "pillow.tif": pillow(COLOUR, "tiff"),
            "a.bmp": pillow(COLOUR, "bmp"),
            "a.png": pillow(COLOUR, "png"),
            "turned.png": turned(COLOUR, 6, "png"),
            "turned.tif": turned(COLOUR, 7, "tif"),
        },
    ),
    "deep colour": (
        np.dstack([TWO, TWO[..., :1]]),
        {
            "a.tif": tiff(np.dstack([TWO, TWO[..., :1]]), photometric="rgb"),
            "a.png": imagecodecs.png_encode(np.dstack([TWO, TWO[..., :1]])),
            "a.jp2": imagecodecs.jpeg2k_encode(
                np.dstack([TWO, TWO[..., :1]]), reversible=True, level=0
            ),
        },
    ),
    "two channels": (
        TWO,
        {
            "contiguous.tif": tiff(
                TWO, photometric="minisblack", planarconfig="contig", metadata=None
            ),
            "separate.tif": tiff(
                FIRST, photometric="minisblack", planarconfig="separate"
            ),
            "axes.tif": tiff(FIRST, metadata={"axes": "CYX"}, photometric="minisblack"),
            "imagej.tif": tiff(FIRST, imagej=True, metadata={"axes": "CYX"}),
            "ome.tif": tiff(FIRST, ome=True, metadata={"axes": "CYX"}),
            "ome_samples.tif": tiff(
                TWO,
                ome=True,
                metadata={"axes": "YXS"},
                planarconfig="contig",
                photometric="minisblack",
            ),
        },
    ),
}
CASES = [(kind, name) for kind, (_, files) in SAVED.items() for name in files]


def put(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_the_same_picture_saved_in_every_way_is_the_same_array(tmp_path, kind, name):
    picture, files = SAVED[kind]
    (image,) = read_images(put(tmp_path / name, files[name]))
    assert_array_equal(np.asarray(image), picture)
    assert (image.shape, image.dtype) == (picture.shape, picture.dtype)
    assert image.frame is None


@pytest.mark.parametrize(
    "how", [{}, {"imagej": True}, {"ome": True}, {"compression": 8}]
)
def test_channels_that_lie_last_in_a_pile_of_pages_are_channels(tmp_path, how):
    wide = np.dstack([GREY, 255 - GREY])
    path = put(tmp_path / "a.tif", tiff(wide, **how))
    with pytest.warns(UserWarning, match="read as 2 channels of 48 x 60 pixels"):
        (image,) = read_images(path)
    assert_array_equal(np.asarray(image), wide)
    (again,) = read_images(path, Reading(axes="YXC", channel=1))
    assert_array_equal(np.asarray(again), wide[..., 1])


def test_few_pages_without_a_name_are_frames_with_a_sentence(tmp_path):
    path = put(tmp_path / "a.tif", tiff(FIRST))
    with pytest.warns(UserWarning, match="2 pages have no names .* --axes CYX"):
        assert len(read_images(path)) == 2
    (image,) = read_images(path, Reading(axes="CYX"))
    assert_array_equal(np.asarray(image), TWO)


def test_alpha_is_left_out_with_a_sentence_and_can_be_chosen(tmp_path):
    four = np.dstack([COLOUR, GREY])
    path = put(tmp_path / "a.tif", tiff(four, photometric="rgb"))
    with pytest.warns(UserWarning, match="alpha and no channel.*--channel 0,1,2,3"):
        (image,) = read_images(path)
    assert_array_equal(np.asarray(image), COLOUR)
    (image,) = read_images(path, Reading(channel=(0, 1, 2, 3)))
    assert_array_equal(np.asarray(image), four)


@pytest.mark.parametrize("how", [{"imagej": True}, {"ome": True}])
@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ("max", DEPTH.max(0)),
        ("mean", DEPTH.mean(0, dtype=np.float32)),
        (3, DEPTH[3]),
    ],
)
def test_a_stack_in_depth_is_projected_or_refused(tmp_path, how, projection, expected):
    path = put(tmp_path / "z.tif", tiff(DEPTH, metadata={"axes": "ZYX"}, **how))
    with pytest.raises(ValueError, match="5 planes in depth .* --projection max"):
        read_images(path)
    (image,) = read_images(path, Reading(projection=projection))
    np.testing.assert_allclose(np.asarray(image), expected, rtol=1e-6)
    assert image.dtype == expected.dtype
    assert len(read_images(path, Reading(projection="frames"))) == 5
    assert len(read_images(path, Reading(axes="TYX"))) == 5


def test_every_scene_is_an_image_and_a_copy_is_none(tmp_path):
    path = tmp_path / "scenes.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for plane in (DEPTH[0], DEPTH[1, :40], DEPTH[2]):
            writer.write(plane, photometric="minisblack")
    with pytest.warns(UserWarning, match="its 3 scenes are read as frames"):
        images = read_images(path)
    assert [image.frame for image in images] == [0, 1, 2]
    assert_array_equal(np.asarray(images[1]), DEPTH[1, :40])
    (image,) = read_images(path, Reading(scene=2))
    assert_array_equal(np.asarray(image), DEPTH[2])
    assert image.label == "scenes.ome.tif"
    with pytest.raises(ValueError, match="no scene 3; it has 3"):
        read_images(path, Reading(scene=3))


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("copy_first", [True, False])
def test_a_smaller_copy_is_no_image(tmp_path, marked, copy_first):
    path = tmp_path / "a.tif"
    pages = [(GREY[::4, ::4].copy(), 1 if marked else 0), (GREY, 0)]
    with tifffile.TiffWriter(path) as writer:
        for page, kind in pages if copy_first else pages[::-1]:
            writer.write(page, metadata=None, subfiletype=kind)
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        (image,) = read_images(path)
    assert not (marked and log)
    assert all("12 x 15 pixels in it are left out" in str(one.message) for one in log)
    assert_array_equal(np.asarray(image), GREY)


XML = (
    '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'
    ' UUID="urn:uuid:{me}">{images}</OME>'
)
XML_IMAGE = (
    '<Image ID="Image:{k}"><Pixels DimensionOrder="XYCZT" Type="uint8" SizeX="60" '
    'SizeY="{h}" SizeC="1" SizeZ="1" SizeT="1" ID="Pixels:{k}"><TiffData IFD="0" '
    'PlaneCount="1"><UUID FileName="s{k}.ome.tif">urn:uuid:{k}</UUID></TiffData>'
    "</Pixels></Image>"
)


def test_a_file_of_a_set_gives_its_own_pixels(tmp_path):
    planes = [DEPTH[0, :40], DEPTH[1], DEPTH[2]]
    images = "".join(XML_IMAGE.format(k=k, h=len(one)) for k, one in enumerate(planes))
    for me, plane in enumerate(planes):
        xml = XML.format(me=me, images=images)
        content = tiff(plane, description=xml, metadata=None, photometric="minisblack")
        put(tmp_path / f"s{me}.ome.tif", content)
    for image, plane in zip(read_images(tmp_path), planes, strict=True):
        assert_array_equal(np.asarray(image), plane)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"imagej": True, "resolution": (2, 2), "metadata": {"unit": "um"}}, 0.5),
        ({"imagej": True, "resolution": (2, 2), "metadata": {"unit": "\\u00B5m"}}, 0.5),
        ({"imagej": True, "resolution": (72, 72), "metadata": {"unit": "inch"}}, None),
        ({"imagej": True, "resolution": (1, 1)}, None),
        (
            {
                "ome": True,
                "metadata": {"PhysicalSizeX": 250, "PhysicalSizeXUnit": "nm"},
            },
            0.25,
        ),
        ({"ome": True, "metadata": {"PhysicalSizeX": 0.65}}, 0.65),
        ({"ome": True}, None),
        ({"resolution": (20000, 20000), "resolutionunit": 3}, 0.5),
        ({"resolution": (300, 300), "resolutionunit": 2}, None),
        ({"resolution": (0, 0), "resolutionunit": 3}, None),
    ],
)
def test_the_size_of_a_pixel_is_in_micrometres_or_unknown(tmp_path, options, expected):
    (image,) = read_images(put(tmp_path / "a.tif", tiff(GREY, **options)))
    assert image.pixel_size == (expected and pytest.approx(expected))


def test_what_is_left_out_of_a_folder_is_named_and_counted(tmp_path):
    put(tmp_path / "a.tif", tiff(GREY))
    put(tmp_path / "notes.xyz", b"no image")
    put(tmp_path / "._a.tif", b"of macOS")
    os.symlink(tmp_path / "gone.tif", tmp_path / "b.tif")
    with pytest.warns(UserWarning, match="3 files are no image and left out") as log:
        assert len(read_images(tmp_path)) == 1
    for part in ("b.tif (a link to nothing)", "notes.xyz (no suffix", "._a.tif (a hid"):
        assert part in str(log[0].message)


def test_pictures_that_were_drawn_are_no_images_on_the_next_search(tmp_path):
    put(tmp_path / "a.png", pillow(COLOUR, "png"))
    (tmp_path / "found").mkdir()
    write_picture(tmp_path / "found" / "a.png", COLOUR)
    with pytest.warns(UserWarning, match=r"found/a\.png \(drawn by this package\)"):
        (image,) = read_images(str(tmp_path / "**" / "*.png"))
    assert image.name == "a.png"


def test_arrays_of_numpy_and_zarr_are_read_as_they_are(tmp_path):
    np.save(tmp_path / "grey.npy", GREY)
    np.save(tmp_path / "two.npy", TWO)
    np.save(tmp_path / "four.npy", DEPTH[:, None])
    (image,) = read_images(tmp_path / "grey.npy")
    assert_array_equal(np.asarray(image), GREY)
    (image,) = read_images(tmp_path / "two.npy")
    assert_array_equal(np.asarray(image), TWO)
    with pytest.raises(ValueError, match=r"shape \(5, 1, 48, 60\); name its --axes"):
        read_images(tmp_path / "four.npy")
    images = read_images(tmp_path / "four.npy", Reading(axes="TYX"))
    assert_array_equal(np.asarray(images[4]), DEPTH[4])


@pytest.mark.parametrize("version", [2, 3])
def test_ome_zarr_is_read_at_its_full_size(tmp_path, version):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=version)
    group.create_array("0", data=FIRST[:, None], chunks=(1, 1, 48, 60))
    group.create_array("1", data=FIRST[:, None, ::2, ::2], chunks=(1, 1, 24, 30))
    um = {"type": "space", "unit": "micrometer"}
    axes = [{"name": "c", "type": "channel"}, *({"name": n, **um} for n in "zyx")]
    levels = [
        {
            "path": str(k),
            "coordinateTransformations": [
                {"type": "scale", "scale": [1, 1, 0.5 * 2**k, 0.5 * 2**k]}
            ],
        }
        for k in (0, 1)
    ]
    about = {"multiscales": [{"axes": axes, "datasets": levels}]}
    group.attrs.update(about if version == 2 else {"ome": {"version": "0.5", **about}})
    (image,) = read_images(tmp_path)
    assert_array_equal(np.asarray(image), TWO)
    assert image.pixel_size == pytest.approx(0.5)
    (image,) = read_images(tmp_path / "a.zarr", Reading(channel=1))
    assert_array_equal(np.asarray(image), TWO[..., 1])


def test_names_are_composed_and_can_be_written(tmp_path):
    name = "Körper_パ.tif"
    put(tmp_path / unicodedata.normalize("NFD", name), tiff(GREY))
    with open(os.fsencode(tmp_path) + b"/Pr\x84p.tif", "wb") as file:
        file.write(tiff(GREY))
    names = [image.name for image in read_images(tmp_path)]
    assert names == [unicodedata.normalize("NFC", name), "Pr%84p.tif"]


def test_a_shape_that_the_file_cannot_hold_is_refused_at_once(tmp_path):
    content = bytearray(pillow(GREY, "bmp"))
    content[18:26] = np.array([180_000, 180_000], "<i4").tobytes()
    with pytest.raises(ValueError, match="header is damaged"):
        read_images(put(tmp_path / "a.bmp", bytes(content)))
    path = put(tmp_path / "a.tif", tiff(GREY))
    with tifffile.TiffFile(path, mode="r+") as tif:
        tif.pages[0].tags["ImageLength"].overwrite(48 * 10**6)
    with pytest.raises(ValueError, match=r"header (says|is damaged)|truncated"):
        read_images(path)


def test_radii_follow_the_size_of_a_pixel(tmp_path):
    class Detector:
        cell_radius_, pixel_size_ = 8.0, 0.5

    sizes = {"a.tif": 0.5, "b.tif": 1.0, "c.tif": None}
    for name, size in sizes.items():
        put(
            tmp_path / name,
            tiff(GREY, ome=True, metadata={"PhysicalSizeX": size} if size else {}),
        )
    images = read_images(tmp_path)
    assert radii_for(Detector, images) == [8, pytest.approx(4), 8]
    assert radii_for(Detector, images, 5) == [5, 5, 5]
    assert common_pixel_size(images[:1]) == 0.5
    assert common_pixel_size(images[1:]) is None
    with pytest.warns(UserWarning, match="pixels of 0.5 to 1 micrometres"):
        assert common_pixel_size(images[:2]) is None


def test_info_says_how_a_file_is_read(tmp_path):
    options = {
        "imagej": True,
        "resolution": (2, 2),
        "metadata": {"unit": "um", "axes": "CYX"},
    }
    path = put(tmp_path / "a.tif", tiff(FIRST, **options))
    result = CliRunner().invoke(main, ["info", str(path)])
    assert result.exit_code == 0, result.output
    for part in (
        "axes: C=2 Y=48 X=60, uint16 (TIFF (ImageJ))",
        "1 image of 48 x 60 pixels (rows x columns), 2 channels",
        "pixel size: 0.5 micrometres",
        f"range of a.tif: {TWO.min()} to {TWO.max()}",
    ):
        assert part in result.output
    result = CliRunner().invoke(main, ["info", str(path), "--channel", "x"])
    assert "expected numbers from 0" in result.output


@pytest.mark.parametrize(
    "wrong", [{"axes": "TY"}, {"axes": "YXY"}, {"channel": -1}, {"projection": "sum"}]
)
def test_a_reading_that_means_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        Reading(**wrong)
