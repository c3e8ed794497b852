"""Images and points: from files and to files."""

import io
import os
import pickle
from contextlib import nullcontext

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image

from pseudocell.io import (
    PointTable,
    UnreadableImageError,
    points_for_images,
    read_images,
    read_points,
    write_counts,
    write_points,
)
from pseudocell.io._output import prepare_folder, saved_together, whole_file

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (30, 40), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (30, 40, 3), dtype=np.uint8)
STACK = RNG.integers(0, 256, (5, 30, 40), dtype=np.uint8)
CHANNELS = RNG.integers(0, 65536, (4, 2, 30, 40), dtype=np.uint16)
ALPHA = np.dstack([COLOUR, GREY])
DEEP = RNG.integers(0, 65536, (30, 40, 3), dtype=np.uint16)


def tiff(pixels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def pillow(image, kind, **options):
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def deep_png(pixels):
    return imagecodecs.png_encode(np.ascontiguousarray(pixels))


def pages(frames, **options):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for frame in frames:
            writer.write(frame, metadata=None, **options)
    return file.getvalue()


def palette(colours):
    image = Image.new("P", (40, 30))
    image.putdata((GREY % 16).ravel().tolist())
    image.putpalette(colours.tobytes())
    return image


PALETTE = RNG.integers(0, 256, (256, 3), dtype=np.uint8)
GREY_PALETTE = np.repeat(PALETTE[:, :1], 3, axis=1)
LUT = RNG.integers(0, 256, (3, 256)).astype(np.uint16) * 256

# Name, bytes of the file, and the images in it.
FILES = {
    "grey.tif": (tiff(GREY), [GREY]),
    "lzw.tif": (tiff(GREY, compression="lzw"), [GREY]),
    "zlib.tif": (tiff(GREY, compression="zlib"), [GREY]),
    "deep.tif": (tiff(CHANNELS[0, 0]), [CHANNELS[0, 0]]),
    "big_endian.tif": (tiff(CHANNELS[0, 0], byteorder=">"), [CHANNELS[0, 0]]),
    "big.tif": (tiff(GREY, bigtiff=True), [GREY]),
    "float.tif": (tiff(GREY / np.float32(7)), [GREY / np.float32(7)]),
    "bool.tif": (
        tiff(GREY > 9, photometric="minisblack"),
        [np.uint8(255 * (GREY > 9))],
    ),
    "stack.tif": (tiff(STACK), STACK),
    "stack_lzw.tif": (tiff(STACK, compression="lzw"), STACK),
    "pages.tif": (pages(STACK), STACK),
    "pages_lzw.tif": (pages(STACK, compression="lzw"), STACK),
    "pillow.tif": (
        pillow(
            Image.fromarray(STACK[0]),
            "tiff",
            compression="tiff_lzw",
            save_all=True,
            append_images=[Image.fromarray(frame) for frame in STACK[1:]],
        ),
        STACK,
    ),
    "colour.tif": (tiff(COLOUR, photometric="rgb"), [COLOUR]),
    "colour_lzw.tif": (tiff(COLOUR, photometric="rgb", compression="lzw"), [COLOUR]),
    "planar.tif": (
        tiff(np.moveaxis(COLOUR, 2, 0), photometric="rgb", planarconfig="separate"),
        [COLOUR],
    ),
    "colour_stack.tif": (
        tiff(
            np.stack([COLOUR, 255 - COLOUR]),
            photometric="rgb",
            metadata={"axes": "TYXS"},
        ),
        [COLOUR, 255 - COLOUR],
    ),
    "imagej.tif": (
        tiff(CHANNELS[:, None], imagej=True, metadata={"axes": "TZCYX"}),
        np.moveaxis(CHANNELS, 1, 3),
    ),
    "time.ome.tif": (
        tiff(CHANNELS, ome=True, metadata={"axes": "TCYX"}),
        np.moveaxis(CHANNELS, 1, 3),
    ),
    "palette.tif": (
        tiff(GREY, photometric="palette", colormap=LUT),
        [np.moveaxis(np.uint8(LUT >> 8)[:, GREY], 0, 2)],
    ),
    "grey.png": (pillow(Image.fromarray(GREY), "png"), [GREY]),
    "colour.png": (pillow(Image.fromarray(COLOUR), "png"), [COLOUR]),
    "alpha.png": (pillow(Image.fromarray(ALPHA), "png"), [COLOUR]),
    "grey_alpha.png": (
        pillow(Image.fromarray(np.dstack([GREY, GREY // 2]), "LA"), "png"),
        [GREY],
    ),
    "deep.png": (deep_png(DEEP[..., 0]), [DEEP[..., 0]]),
    "deep_colour.png": (deep_png(DEEP), [DEEP]),
    "deep_alpha.png": (deep_png(np.dstack([DEEP, DEEP])[..., :4]), [DEEP]),
    "deep_grey_alpha.png": (deep_png(DEEP[..., :2]), [DEEP[..., 0]]),
    "bilevel.png": (
        pillow(Image.fromarray(GREY > 9), "png"),
        [np.uint8(255 * (GREY > 9))],
    ),
    "palette.png": (pillow(palette(PALETTE), "png"), [PALETTE[GREY % 16]]),
    "grey_palette.png": (
        pillow(palette(GREY_PALETTE), "png"),
        [GREY_PALETTE[GREY % 16, 0]],
    ),
    "transparent_palette.png": (
        pillow(palette(PALETTE), "png", transparency=bytes(range(16))),
        [PALETTE[GREY % 16]],
    ),
    "flat.jpg": (
        pillow(Image.new("RGB", (40, 30), (90, 90, 90)), "jpeg", quality=95),
        [np.full((30, 40, 3), 90, np.uint8)],
    ),
    "flat_grey.jpeg": (
        pillow(Image.new("L", (40, 30), 90), "jpeg"),
        [np.full((30, 40), 90, np.uint8)],
    ),
}


@pytest.fixture
def folder(tmp_path):
    """Make a folder with two good images."""
    for number in (1, 2):
        (tmp_path / f"good_{number}.tif").write_bytes(tiff(GREY))
    return tmp_path


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_pixels_that_were_saved(tmp_path, name):
    content, expected = FILES[name]
    images = read_images(put(tmp_path / name, content))
    assert len(images) == len(expected)
    for image, pixels in zip(images, expected, strict=True):
        assert_array_equal(np.asarray(image), pixels)
        # The header promises what the pixels are.
        assert (image.shape, image.dtype) == (pixels.shape, np.asarray(image).dtype)


@pytest.mark.parametrize("name", FILES)
def test_frames_are_numbered_in_stacks_only(tmp_path, name):
    images = read_images(put(tmp_path / name, FILES[name][0]))
    if len(images) == 1:
        assert images[0].label == name
    else:
        assert [image.label for image in images] == [
            f"{name}[{frame}]" for frame in range(len(images))
        ]


@pytest.mark.parametrize("share", [0.02, 0.5, 0.85])
@pytest.mark.parametrize("name", FILES)
def test_truncated_files_are_named_and_left_out(folder, name, share):
    content = FILES[name][0]
    bad = put(folder / f"a_{name}", content[: int(len(content) * share)])
    with pytest.warns(
        UserWarning, match="1 file cannot be read and is left out"
    ) as log:
        images = read_images(folder)
    assert f"{bad} (" in str(log[0].message)
    assert [image.name for image in images] == ["good_1.tif", "good_2.tif"]


@pytest.mark.parametrize("n_bytes", [1, 20, 60])
@pytest.mark.parametrize("name", FILES)
def test_files_cut_at_their_last_bytes_are_left_out_or_complete(
    tmp_path, name, n_bytes
):
    content, expected = FILES[name]
    path = put(tmp_path / name, content[:-n_bytes])
    try:
        images = [np.asarray(image) for image in read_images(path)]
    except ValueError:
        return
    for image, pixels in zip(images, expected, strict=True):
        assert_array_equal(image, pixels)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"not an image", "it is not an image of a format that is read"),
        (b"II*\0", "the file is truncated"),
    ],
)
def test_foreign_files_are_named_with_the_reason(folder, content, reason):
    put(folder / "bad.tif", content)
    with pytest.warns(UserWarning, match=rf"bad\.tif \({reason}\)"):
        assert len(read_images(folder)) == 2


def test_unreadable_files_alone_are_an_error(tmp_path):
    put(tmp_path / "bad.png", "nothing")
    with pytest.raises(ValueError, match=r"No image can be read: .*bad\.png"):
        read_images(tmp_path)


@pytest.mark.parametrize("name", ["colour.png", "zlib.tif"])
def test_damage_in_the_middle_is_found_when_the_pixels_are_read(tmp_path, name):
    content = bytearray(FILES[name][0])
    middle = content.find(b"IDAT") + 200 if name.endswith("png") else len(content) // 2
    content[middle : middle + 40] = bytes(40)
    images = read_images(put(tmp_path / name, bytes(content)))
    with pytest.raises(UnreadableImageError, match=f"{name} cannot be read") as info:
        np.asarray(images[0])
    assert info.value.path == str(tmp_path / name)
    # Dask sends them along; not all can be pickled.
    assert info.value.__cause__ is info.value.__context__ is None
    again = pickle.loads(pickle.dumps(info.value))
    assert str(again) == str(info.value)


@pytest.mark.parametrize("name", ["stack.tif", "pages_lzw.tif", "grey.png"])
def test_pixels_are_read_each_time_that_they_are_touched(tmp_path, name):
    path = put(tmp_path / name, FILES[name][0])
    image = read_images(path)[-1]
    before = np.asarray(image)
    path.unlink()
    with pytest.raises(UnreadableImageError, match=name):
        np.asarray(image)
    put(path, FILES[name][0])
    assert_array_equal(np.asarray(pickle.loads(pickle.dumps(image))), before)


def test_an_image_file_behaves_like_an_array(tmp_path):
    (image,) = read_images(put(tmp_path / "a.png", FILES["grey.png"][0]))
    assert image.ndim == 2
    assert image.__array__(np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy=False"):
        image.__array__(copy=False)


def test_order_is_natural_whatever_the_case(tmp_path):
    names = ["t1.png", "t2.png", "T10.png", "t11.PNG", "u1.png"]
    for name in reversed(names):
        put(tmp_path / name, FILES["grey.png"][0])
    assert [image.name for image in read_images(tmp_path)] == names


def test_folders_patterns_and_files_give_each_image_once(folder):
    expected = ["good_1.tif", "good_2.tif"]
    for source in (
        folder,
        str(folder / "good_*.tif"),
        [folder / "good_1.tif", str(folder / "*"), folder],
    ):
        assert [image.name for image in read_images(source)] == expected
    put(folder / "sub" / "deep.png", FILES["deep.png"][0])
    found = [image.name for image in read_images(str(folder / "**" / "*.*"))]
    assert found == [*expected, "deep.png"]


def test_equal_names_get_the_folders_that_tell_them_apart(tmp_path):
    for plate in ("plate_1", "plate_2"):
        put(tmp_path / "data" / plate / "well.png", FILES["grey.png"][0])
    images = read_images([tmp_path / "data" / f"plate_{n}" for n in (1, 2)])
    assert [image.name for image in images] == ["plate_1/well.png", "plate_2/well.png"]


def test_sources_without_images_are_named(tmp_path):
    with pytest.raises(ValueError, match="nowhere is neither a file, a folder nor"):
        read_images(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="The folder .* holds no image"):
        read_images(tmp_path)
    with pytest.raises(ValueError, match=r"No image matches .*x\*"):
        read_images(str(tmp_path / "x*"))
    with pytest.raises(ValueError, match="No images are given"):
        read_images([])


LAYOUTS = {
    "row_col": "image,row,col\na.png,4,30\na.png,6,9.5\n",
    "x_y": "x,y,image\n30,4,a.png\n9.5,6,a.png\n",
    "axes": "image,index,axis-0,axis-1\na.png,0.0,4,30\na.png,1.0,6,9.5\n",
    "extra": "label,Row , COL,score,Image\ncell,4,30,.5,a.png\n\n,6,9.5,.1,a.png\n",
    "mark": "\ufeffimage,row,col\r\na.png,4,30\r\na.png,6,9.5\r\n",
    "quotes": '"image","row","col"\n"a.png","4","30"\n"a.png","6","9.5"\n',
    "semicolon": "image;row;col\na.png;4;30\na.png;6;9,5\n",
    "tab": "image\trow\tcol\na.png\t4\t30\na.png\t6\t9.5\n",
    "row_col_first": "image,y,x,row,col\na.png,0,0,4,30\na.png,0,0,6,9.5\n",
}
NAPARI = "index,axis-0,axis-1\n0.0,4,30\n1.0,6,9.5\n"
NAPARI_STACK = "index,axis-0,axis-1,axis-2\n0.0,2.0,4,30\n1.0,2.0,6,9.5\n2.0,0.0,1,2\n"
POINTS = [[4, 30], [6, 9.5]]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_columns_are_found_by_their_names(tmp_path, layout):
    table = read_points(put(tmp_path / "clicks.csv", LAYOUTS[layout]))
    points = points_for_images(table, ["b.png", "a.png"])
    assert_array_equal(points[1], POINTS)
    assert points[0].shape == (0, 2)


def test_a_file_of_napari_belongs_to_the_only_image(tmp_path):
    table = read_points(put(tmp_path / "Points layer.csv", NAPARI))
    assert_array_equal(points_for_images(table, ["a.png"])[0], POINTS)
    with pytest.raises(ValueError, match="not named after an image that is here"):
        points_for_images(table, ["a.png", "b.png"])


def test_a_file_of_napari_named_after_its_image_is_not_moved(tmp_path):
    table = read_points(put(tmp_path / "b.csv", NAPARI))
    points = points_for_images(table, ["a.png", "b.png"])
    assert [len(some) for some in points] == [0, 2]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Points.csv", NAPARI_STACK),
        ("c.csv", "image,frame,row,col\na,2,4,30\na,2,6,9.5\na,0,1,2\n"),
        ("c.csv", "image,row,col\na.tif[2],4,30\na.tif[2],6,9.5\na.tif[0],1,2\n"),
    ],
)
def test_frames_of_a_stack_get_their_own_points(tmp_path, name, content):
    table = read_points(put(tmp_path / name, content))
    points = points_for_images(table, ["a.tif[0]", "a.tif[1]", "a.tif[2]"])
    assert_array_equal(points[0], [[1, 2]])
    assert_array_equal(points[1], np.zeros((0, 2)))
    assert_array_equal(points[2], POINTS)


def test_a_single_image_may_be_frame_0_of_a_napari_view(tmp_path):
    content = NAPARI_STACK.replace(",2.0,", ",0.0,")
    table = read_points(put(tmp_path / "Points.csv", content))
    assert len(points_for_images(table, ["a.png"])[0]) == 3


def test_points_of_a_stack_need_a_frame(tmp_path):
    table = read_points(put(tmp_path / "Points.csv", NAPARI))
    with pytest.raises(ValueError, match=r"the stack a\.tif without a frame"):
        points_for_images(table, ["a.tif[0]", "a.tif[1]"])


def test_frames_beyond_the_end_are_refused(tmp_path):
    table = read_points(put(tmp_path / "Points.csv", NAPARI_STACK))
    with pytest.raises(ValueError, match="frame 2 of a.tif.* count from 1"):
        points_for_images(table, ["a.tif[0]", "a.tif[1]"])


def test_a_folder_of_files_is_sorted_by_their_names(folder):
    put(folder / "good_2.csv", NAPARI)
    put(folder / "counts.csv", "image,count\ngood_2.tif,2\n")
    with pytest.warns(UserWarning, match=r"hold no points: counts\.csv"):
        table = read_points(folder)
    points = points_for_images(table, ["good_1.tif", "good_2.tif"])
    assert [len(some) for some in points] == [0, 2]


@pytest.mark.parametrize(
    "written",
    [
        "a.tif",
        "a",
        "/home/me/a.tif",
        "C:\\data\\a.tif",
        "plate/a",
        "a.png",
        "a.ome.tif",
    ],
)
def test_names_may_lack_suffix_or_folder(written):
    table = PointTable("clicks.csv", {written: np.ones((1, 2))})
    points = points_for_images(table, ["b.tif", "a.tif", "ba.tif"])
    assert [len(some) for some in points] == [0, 1, 0]


def test_the_closest_name_counts():
    labels = ["a.png", "y/a.png", "y/a.tif", "cell[1].png"]
    written = ["data/y/a.png", "a.png", "y/a.tif", "cell[1]"]
    table = PointTable(
        "c.csv", {name: np.full((1, 2), 9.0 * i) for i, name in enumerate(written)}
    )
    points = points_for_images(table, labels)
    assert [len(some) for some in points] == [1, 1, 1, 1]


@pytest.mark.parametrize("written", ["a", "a.png"])
def test_names_that_fit_several_images_are_an_error(written):
    table = PointTable("c.csv", {written: np.ones((1, 2))})
    with pytest.raises(
        ValueError, match="which may be x/a.png, y/a.png; write the whole"
    ):
        points_for_images(table, ["x/a.png", "y/a.png"])


def test_unknown_names_are_a_warning_and_all_unknown_an_error():
    table = PointTable("c.csv", {name: np.ones((1, 2)) for name in ("a", "b")})
    with pytest.warns(UserWarning, match=r"c\.csv has points of images .* left out: b"):
        points = points_for_images(table, ["a.tif"])
    assert len(points[0]) == 1
    with pytest.raises(ValueError, match=r"no image that is here: a, b; .* here are d"):
        points_for_images(table, ["d.tif"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "1,2\n3,4\n",
            r"have the columns 1, 2; expected image and row, col \(or y, x\)",
        ),
        ("image,a,b\nx,1,2\n", "have the columns image, a, b; expected"),
        ("image,row,x\nx,1,2\n", "have the columns image, row, x; expected"),
        ("", "are an empty file"),
        ("image,row,col\na,1,two\n", "line 2 has col 'two'; expected a number"),
        ("image,row,col\na,1,2\na,nan,3\n", "line 3 has row 'nan'; expected a number"),
        ("image,row,col\na,1\n", "line 2 has 2 cells; some columns are missing"),
        ("image,row,col\n,1,2\n", "line 2 has no image name"),
        ("image,row,col,row\na,1,2,3\n", "have a column twice: row"),
        ("image,frame,row,col\na,0.5,1,2\n", "line 2 has the frame 0.5; expected 0, 1"),
        ("axis-0,axis-1,axis-2,axis-3\n0,0,1,2\n", "more than one axis before row"),
        (b"\x89PNG\r\n\x1a\n\xff", "cannot be read: it is not text"),
    ],
)
def test_wrong_files_of_points_get_one_clear_sentence(tmp_path, content, message):
    path = put(tmp_path / "clicks.csv", content)
    with pytest.raises(ValueError, match=message) as info:
        read_points(path)
    assert "clicks.csv" in str(info.value)


def test_missing_points_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"c\.csv cannot be read: No such file"):
        read_points(tmp_path / "c.csv")
    with pytest.raises(ValueError, match="holds no file of points"):
        read_points(tmp_path)
    put(tmp_path / "counts.csv", "image,count\n")
    with pytest.raises(ValueError, match="No file in .* holds points"):
        read_points(tmp_path)


def test_a_header_alone_stands_for_no_points(tmp_path):
    table = read_points(put(tmp_path / "c.csv", "image,row,col\n"))
    assert [len(some) for some in points_for_images(table, ["a", "b"])] == [0, 0]


@pytest.mark.parametrize("labels", [["a.png", "b.png"], ["s.tif[0]", "s.tif[12]", "c"]])
def test_written_points_can_be_read(tmp_path, labels):
    points = [RNG.uniform(0, 500, (n, 2)).round(2) for n in (3, 0, 1)[: len(labels)]]
    scores = [np.linspace(1, 0.5, len(some)) for some in points]
    write_points(tmp_path / "points.csv", labels, points, scores)
    again = points_for_images(read_points(tmp_path / "points.csv"), labels)
    for some, others in zip(points, again, strict=True):
        assert_array_equal(some, others)
    write_counts(tmp_path / "counts.csv", labels, points)
    lines = (tmp_path / "counts.csv").read_text().splitlines()
    assert lines[0] == ("image,frame,count" if "[" in labels[0] else "image,count")
    assert [int(line.split(",")[-1]) for line in lines[1:]] == [
        len(some) for some in points
    ]


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = put(tmp_path / "points.csv", "old")

    def fail_halfway():
        with whole_file(path) as temporary:
            temporary.write_text("half")
            assert path.read_text() == "old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_halfway()
    assert path.read_text() == "old"
    with whole_file(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["points.csv"]


def test_what_a_killed_process_left_goes_and_what_is_being_written_stays(tmp_path):
    put(tmp_path / ".pseudocell-x1.csv", "half")
    put(tmp_path / ".hidden", "of the user")
    with whole_file(tmp_path / "points.csv") as temporary:
        prepare_folder(tmp_path)
        assert sorted(os.listdir(tmp_path)) == [".hidden", temporary.name]
    assert sorted(os.listdir(tmp_path)) == [".hidden", "points.csv"]


@pytest.mark.parametrize("together", [True, False])
def test_what_is_reported_is_on_the_disk(tmp_path, monkeypatch, together):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append("file"))
    monkeypatch.setattr(os, "sync", lambda: synced.append("all"), raising=False)
    with saved_together() if together else nullcontext():
        for name in "abc":
            with whole_file(tmp_path / name) as temporary:
                temporary.write_text(name)
        assert len(synced) == 0 if together else len(synced) >= 3
    assert synced == ["all"] if together else "all" not in synced


def test_a_folder_that_cannot_be_written_is_found_at_once(tmp_path):
    put(tmp_path / "file", "")
    with pytest.raises(ValueError, match="Cannot write to the folder .*file.sub: "):
        prepare_folder(tmp_path / "file" / "sub")
    assert prepare_folder(tmp_path / "new" / "sub").is_dir()
    assert os.listdir(tmp_path / "new" / "sub") == []
