"""Points of other programs: what a file says is obeyed, and doubt is said."""

import json
import unicodedata
import warnings
import zipfile

import numpy as np
import pytest
import roifile
import tifffile
from click.testing import CliRunner
from numpy.testing import assert_allclose, assert_array_equal

from pseudocell._images import Images
from pseudocell._validation import check_points
from pseudocell.cli import main
from pseudocell.io import _imagej_points, points_for_images, read_points, write_points
from pseudocell.io._names import NameFinder, printable
from pseudocell.io._point_formats import FORMATS
from pseudocell.io.point_writers import WRITERS, write_files

# (row, col) of the centres of cells.
PLACES = np.array([[10.0, 20.0], [30.5, 41.25], [77.0, 5.0]])


class Image:
    """What a reader of points asks of an image."""

    def __init__(self, label="a.tif", shape=(100, 120), pixel_size=None):
        self.label, self.shape, self.pixel_size = label, shape, pixel_size


def many(shape, seed=0):
    """Places all over an image, none near another one."""
    grid = np.stack(np.meshgrid(*map(np.arange, (7, 7)), indexing="ij"), axis=-1)
    shift = np.random.default_rng(seed).uniform(0.1, 0.9, (49, 2))
    return (grid.reshape(-1, 2) + shift) / 7 * np.array(shape)


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def table_of(path, places, header="image,row,col", name="a.tif"):
    rows = "".join(f"{name},{row},{col}\n" for row, col in places)
    return put(path, f"{header}\n{rows}")


def roi(places, kind=roifile.ROI_TYPE.POINT, **options):
    one = roifile.ImagejRoi.frompoints(
        np.asarray(places, np.float32)[:, ::-1], **options
    )
    one.roitype = kind
    return one.tobytes()


def xy(half=0.0, scale=1.0):
    """(x, y) of the places in a format with this origin and unit."""
    return ((PLACES[:, ::-1] + half) * scale).tolist()


def features(half=0.5):
    geometry = {"type": "MultiPoint", "coordinates": xy(half)}
    return json.dumps({"features": [{"type": "Feature", "geometry": geometry}]})


def counter(name="a.tif", z=1):
    marks = "".join(
        f"<Marker><MarkerX>{x}</MarkerX><MarkerY>{y}</MarkerY><MarkerZ>{z}</MarkerZ>"
        "</Marker>"
        for x, y in xy()
    )
    return (
        f"<CellCounter_Marker_File><Image_Properties><Image_Filename>{name}"
        "</Image_Filename></Image_Properties><Marker_Data><Marker_Type><Type>2</Type>"
        f"{marks}</Marker_Type></Marker_Data></CellCounter_Marker_File>"
    )


def label_studio():
    value = [
        {
            "original_width": 120,
            "original_height": 100,
            "type": "keypointlabels",
            "value": {"x": x / 1.2, "y": y, "width": 0.5, "keypointlabels": ["cell"]},
        }
        for x, y in xy(0.5)
    ]
    task = {"data": {"image": "/data/upload/1/0a1b2c3d-a.tif"}}
    return json.dumps([task | {"annotations": [{"result": value}]}])


def square(x, y):
    """Corners of a square around a point, in corners of pixels."""
    return [[x + 0.5 + i, y + 0.5 + j] for i, j in ((-2, -2), (2, -2), (2, 2), (-2, 2))]


SPOTS = "".join(
    f'<Spot FRAME="0" POSITION_X="{x}" POSITION_Y="{y}" VISIBILITY="1"/>'
    for x, y in xy(0, 0.5)
)
FILES = {
    "a.roi": roi(PLACES),
    "a.geojson": features(),
    "b.geojson": json.dumps(
        [
            {"geometry": {"type": "Polygon", "coordinates": [square(x, y)]}}
            for x, y in xy()
        ]
    ),
    "a.tsv": "x\ty\tclass\tname\tcolor\n"
    + "".join(f"{x}\t{y}\t\t\t-1\n" for x, y in xy(0.5)),
    "um.tsv": "Image\tCentroid X µm\tCentroid Y µm\n"
    + "".join(f"a.tif\t{x}\t{y}\n" for x, y in xy(0.5, 0.5)),
    "counter.xml": counter(),
    "cells.xml": counter("placeholder.tif", z=0),
    "cells.yml": "candidate_cells:\n"
    + "".join(f"- {{x: {x}, y: {y}, z: 0, type: 2}}\n" for x, y in xy()),
    "labelme.json": json.dumps(
        {
            "imagePath": "..\\a.tif",
            "shapes": [{"points": [p], "shape_type": "point"} for p in xy(0.5)],
        }
    ),
    "coco.json": json.dumps(
        {
            "images": [{"id": 1, "file_name": "a.tif"}],
            "annotations": [{"image_id": 1, "keypoints": [*p, 2]} for p in xy()],
        }
    ),
    "boxes.json": json.dumps(
        {
            "images": [{"id": 1, "file_name": "a.tif"}],
            "annotations": [
                {"image_id": 1, "bbox": [x - 1.5, y - 1.5, 4, 4]} for x, y in xy()
            ],
        }
    ),
    "studio.json": label_studio(),
    "cvat.xml": '<annotations><image name="a.tif"><points label="cell" points="'
    + ";".join(f"{x},{y}" for x, y in xy(0.5))
    + '"/></image></annotations>',
    "track.xml": '<TrackMate><Model spatialunits="micron"><AllSpots>'
    f"<SpotsInFrame>{SPOTS}</SpotsInFrame></AllSpots></Model><Settings>"
    '<ImageData filename="a.tif" pixelwidth="0.5" pixelheight="0.5"/></Settings>'
    "</TrackMate>",
    "spots.csv": "LABEL,POSITION_X,POSITION_Y,FRAME\nLabel,X,Y,Frame\n,X,Y,\n"
    ",(micron),(micron),\n" + "".join(f"ID,{x},{y},0\n" for x, y in xy(0, 0.5)),
    "results.csv": " ,Label,X,Y\n"
    + "".join(f"1,a.tif,{x},{y}\n" for x, y in xy(0, 0.5)),
    "areas.csv": " ,Label,Area,X,Y\n"
    + "".join(f"1,a.tif:0001-0010,9,{x},{y}\n" for x, y in xy(0.5, 0.5)),
    "shapes.csv": "index,shape-type,vertex-index,axis-0,axis-1\n"
    + "".join(
        f"{i},ellipse,{j},{y - 0.5},{x - 0.5}\n"
        for i, place in enumerate(xy())
        for j, (x, y) in enumerate(square(*place))
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_every_program_means_the_same_places(tmp_path, name):
    path = put(tmp_path / name, FILES[name])
    with warnings.catch_warnings():
        # Outlines, and units that a table does not name, are said.
        warnings.simplefilter("ignore", UserWarning)
        table = read_points(path)
        (points,) = points_for_images(table, [Image(pixel_size=0.5)])
    assert_allclose(points, PLACES, atol=1e-4)


# Cell Counter and cellfinder have whole pixels.
ROUNDED = {"cellcounter": 0.501, "cellfinder": 0.501}
READ = [(kind, writer) for kind, writer in WRITERS.items()]


@pytest.mark.parametrize(("kind", "writer"), READ)
@pytest.mark.parametrize("labels", [["x.tif"], ["s.tif[0]", "s.tif[1]"], ["s.tif[4]"]])
def test_what_is_written_is_read_back(tmp_path, kind, writer, labels):
    images = [Image(label, pixel_size=0.325) for label in labels]
    points = [PLACES + number for number in range(len(labels))]
    path = tmp_path / f"out{writer.suffix}"
    if labels != ["x.tif"] and writer.is_sized:
        with pytest.raises(
            ValueError, match=rf"{kind} is for images, and s\.tif is a s"
        ):
            write_files(path, kind, labels, points, images)
        return
    write_files(path, kind, labels, points, images)
    again = points_for_images(read_points(path), images)
    for some, others in zip(points, again, strict=True):
        assert_allclose(others, some, atol=ROUNDED.get(kind, 0.006))


@pytest.mark.parametrize(("kind", "writer"), READ)
def test_folders_of_images_come_back_from_folders_of_points(tmp_path, kind, writer):
    labels = ["day1/a.tif", "day2/a.tif"]
    images = [Image(label, pixel_size=0.5) for label in labels]
    out = tmp_path / (f"out{writer.suffix}" if writer.is_one else "out")
    write_files(out, kind, labels, [PLACES, PLACES + 1], images)
    again = points_for_images(read_points(out), images)
    atol = ROUNDED.get(kind, 0.006)
    assert_allclose(np.stack(again), [PLACES, PLACES + 1], atol=atol)


@pytest.mark.parametrize("kind", ["labelme", "cvat", "coco", "labelstudio"])
def test_formats_with_the_size_of_the_image_need_it(tmp_path, kind):
    with pytest.raises(ValueError, match="the size of each image.*--images"):
        write_files(tmp_path / "out", kind, ["a.tif"], [PLACES])


def test_the_corner_is_half_a_pixel_before_the_first_centre(tmp_path):
    """By the layout of each program: where it draws the first pixel of an image."""
    corner = [np.zeros((1, 2))]
    images = [Image("a.tif", (50, 100))]
    for kind in WRITERS:
        write_files(tmp_path / kind, kind, ["a.tif"], corner, images, 1.0)
    there = {kind: (tmp_path / kind) for kind in WRITERS}
    labelme = json.loads((there["labelme"] / "a.tif.json").read_text())
    assert labelme["shapes"][0]["points"] == [[0.5, 0.5]]
    assert (labelme["imageHeight"], labelme["imageWidth"]) == (50, 100)
    assert 'points="0.5000,0.5000"' in there["cvat"].read_text()
    coco = json.loads(there["coco"].read_text())["annotations"][0]
    assert (coco["keypoints"], coco["bbox"]) == ([0, 0, 2], [0, 0, 1, 1])
    (task,) = json.loads(there["labelstudio"].read_text())
    value = task["annotations"][0]["result"][0]["value"]
    assert (value["x"], value["y"]) == (0.5, 1.0)
    assert "0.5\t0.5\t\n" in (there["qupath"] / "a.tif.tsv").read_text()


def test_the_written_zip_is_points_to_the_library_of_imagej(tmp_path):
    write_files(tmp_path / "a.zip", "roi", ["s[0]", "s[4]"], [PLACES, PLACES])
    first, last = roifile.roiread(tmp_path / "a.zip")
    assert first.roitype == roifile.ROI_TYPE.POINT
    assert (first.position, last.position) == (1, 5)
    assert_allclose(first.coordinates()[:, ::-1], PLACES)


def test_an_overlay_in_a_tiff_is_read(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        np.zeros((100, 120), np.uint8),
        imagej=True,
        metadata={"Overlays": [roi(PLACES)]},
    )
    (points,) = points_for_images(read_points(path), [Image()])
    assert_allclose(points, PLACES)


def test_regions_are_centred_half_a_pixel_before_their_corners(tmp_path):
    content = roi([[10, 10], [10, 13], [13, 13], [13, 10]], roifile.ROI_TYPE.POLYGON)
    path = put(tmp_path / "a.roi", content)
    with pytest.warns(UserWarning, match="1 areas, taken by their centres"):
        table = read_points(path)
    # Pixels 10, 11 and 12.
    assert_allclose(table.points["a"], [[11, 11]])


def test_origins_are_whole_or_half_pixels():
    assert {one.unit.half for one in FORMATS.values()} == {0, 0.5}
    assert {one.first_frame for one in FORMATS.values()} == {0, 1}


def in_unit(unit, places, shape, pixel_size):
    factor = {"um": pixel_size, "fraction": 1 / np.array(shape)}
    factor["percent"] = 100 * factor["fraction"]
    return places * factor[unit]


@pytest.mark.parametrize("unit", ["um", "fraction", "percent"])
@pytest.mark.parametrize("pixel_size", [0.2, 0.5, 3.0])
def test_other_units_are_refused_or_converted_when_they_are_said(
    tmp_path, unit, pixel_size
):
    shape = (300, 400)
    places, image = many(shape), Image(shape=shape, pixel_size=pixel_size)
    path = table_of(tmp_path / "c.csv", in_unit(unit, places, shape, pixel_size))
    words = {"um": "micrometres", "fraction": "fractions", "percent": "percent"}
    with pytest.raises(ValueError, match=words[unit]):
        points_for_images(read_points(path), [image])
    (points,) = points_for_images(read_points(path, unit), [image])
    assert_allclose(points, places)
    if unit == "um":
        table_of(path, places * pixel_size, "image,row [µm],col_um")
        (points,) = points_for_images(read_points(path), [image])
        assert_allclose(points, places)


@pytest.mark.parametrize("seed", range(5))
def test_pixels_are_no_other_unit(tmp_path, seed):
    shape = (300, 400)
    image = Image(shape=shape, pixel_size=0.5)
    for places in (many(shape, seed=seed), many((60, 60), seed)[:6]):
        path = table_of(tmp_path / "c.csv", places)
        (points,) = points_for_images(read_points(path), [image])
        assert_allclose(points, places)


def test_a_results_table_in_pixels_is_left_alone_where_it_must_be(tmp_path):
    path = put(tmp_path / "r.csv", " ,X,Y\n1,110,90\n2,20,10\n3,50,60\n")
    with pytest.warns(UserWarning, match="in pixels, though"):
        (points,) = points_for_images(read_points(path), [Image(pixel_size=0.5)])
    assert_array_equal(points[0], [90, 110])


def test_double_clicks_are_said(tmp_path):
    path = table_of(tmp_path / "c.csv", [*PLACES, PLACES[0] + 0.5])
    with pytest.warns(UserWarning, match=r"double clicks make.* a\.tif \(2\)"):
        points_for_images(read_points(path), [Image()])


def test_clicks_outside_are_told_from_swapped_ones(tmp_path):
    path = table_of(tmp_path / "c.csv", [[10, 90], [20, 115]])
    with pytest.raises(ValueError, match=r"Swapped they would fit: are they \(x, y\)"):
        points_for_images(read_points(path), [Image(shape=(120, 100))])


@pytest.mark.parametrize(
    ("text", "code", "name", "place"),
    [
        ("image\trow\tcol\nä.tif\t10\t20\n", "utf-16", "ä.tif", [10, 20]),
        ("image;row;col\nä.tif;10,5;2.048,5\n", "cp1252", "ä.tif", [10.5, 2048.5]),
        ("sep=;\nimage;row;col\na;10;20\n", "utf-8", "a", [10, 20]),
        ('# mine\nimage,row,col\na,"1,024","2,048.5"\n', "utf-8", "a", [1024, 2048.5]),
        ('"image";"row";"col";"a, b"\n"a";10;20;""\n', "utf-8", "a", [10, 20]),
        ("image,row,col\na,1 024,2'048\n", "utf-8", "a", [1024, 2048]),
    ],
)
def test_spreadsheets_of_many_countries(tmp_path, text, code, name, place):
    table = read_points(put(tmp_path / "c.csv", text.encode(code)))
    assert_array_equal(table.points[name], [place])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image,row,col\n细胞,1,2\n".encode("gbk"), "neither UTF-8 nor Windows-1252"),
        ("image;row;col\na;1,5;2.5\n", "both decimal points and decimal commas"),
        ("image\trow\tcol\na\t1,024\t2,048\n", "may have a decimal comma or a comma"),
        ("x [um],y [px]\n1,2\n", "row and col in different units"),
        ("X,Y,Slice,Frame\n1,2,2,3\n", "several frames of two axes"),
    ],
)
def test_doubtful_tables_are_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_points(put(tmp_path / "c.csv", content))


def test_frames_count_from_1_where_imagej_counts(tmp_path):
    path = put(tmp_path / "r.csv", " ,X,Y,Slice\n1,3,4,1\n2,5,6,2\n")
    points = points_for_images(read_points(path), ["m.tif[0]", "m.tif[1]"])
    assert [some.tolist() for some in points] == [[[4, 3]], [[6, 5]]]


def test_frames_that_may_count_from_1_are_said(tmp_path):
    path = put(tmp_path / "c.csv", "frame,x,y\n1,3,4\n2,5,6\n")
    with pytest.warns(UserWarning, match="no frame 0.*name the column slice"):
        assert list(read_points(path).points) == ["c[1]", "c[2]"]
    table = read_points(put(path, path.read_text().replace("frame", "slice")))
    assert list(table.points) == ["c[0]", "c[1]"]


def test_composed_and_decomposed_letters_are_the_same():
    composed, apart = (unicodedata.normalize(f, "Kö_パ.tif") for f in ("NFC", "NFD"))
    assert composed != apart
    assert NameFinder([apart], "c").find(composed) == apart
    # Both are on the disk: each is meant by its own spelling.
    both = NameFinder([apart, composed], "c")
    assert [both.find(one) for one in (apart, composed)] == [apart, composed]


def test_layers_that_predict_names_are_found_again():
    finder = NameFinder(["a.ome.tif", "a.tif", "x.y.odd", "b.png", "b.tif"], "c")
    written = ["a.ome", "a", "x.y", "b.png", "b.tif", "A.OME.TIF"]
    found = ["a.ome.tif", "a.tif", "x.y.odd", "b.png", "b.tif", "a.ome.tif"]
    assert [finder.find(one) for one in written] == found


def test_folders_that_differ_are_other_images():
    finder = NameFinder(["day1/a.tif"], "c")
    assert finder.find("/data/day1/a.tif") == finder.find("a") == "day1/a.tif"
    assert finder.find("day2/a.tif") is None


def test_a_name_that_is_no_utf_8_can_be_written_and_read(tmp_path):
    name = b"Pr\x84p.tif".decode("utf-8", "surrogateescape")
    write_points(tmp_path / "p.csv", [name], [PLACES], [np.ones(3)])
    assert_allclose(
        points_for_images(read_points(tmp_path / "p.csv"), [name])[0], PLACES
    )
    assert printable(name) == "Pr%84p.tif"


def test_a_file_may_have_the_longest_name(tmp_path):
    write_points(tmp_path / f"{'a' * 251}.csv", ["a"], [PLACES], [np.ones(3)])


def test_two_names_for_one_image_are_refused(tmp_path):
    path = put(tmp_path / "c.csv", "image,row,col\nday1/a.tif,1,2\nday2/a.tif,3,4\n")
    with pytest.raises(ValueError, match="both may be a.tif"):
        points_for_images(read_points(path), [Image()])
    put(path, "image,row,col\nday1/a.tif,1,2\na,30,4\n")
    assert len(points_for_images(read_points(path), [Image()])[0]) == 2
    put(path, "image,row,col\na.png,1,2\na.tif,30,4\n")
    with pytest.raises(ValueError, match="both may be a.tif"):
        points_for_images(read_points(path), [Image()])
    table_of(tmp_path / "f" / "all.csv", PLACES)
    table_of(tmp_path / "f" / "sub" / "more.CSV", PLACES)
    with pytest.raises(ValueError, match=r"twice, in all.csv and in sub/more.CSV"):
        read_points(tmp_path / "f")


def test_folders_are_read_whole_and_what_is_left_out_is_named(tmp_path):
    layer = "index,axis-0,axis-1\n0,4,5\n"
    put(tmp_path / "a.CSV", layer)
    put(tmp_path / "b.tsv", layer.replace(",", "\t"))
    put(tmp_path / "day2" / "c.csv", layer)
    put(tmp_path / "._a.csv", b"\0\5\x16\7")
    put(tmp_path / "clicks.xlsx", b"PK")
    with pytest.warns(UserWarning, match=r"hold no points: clicks\.xlsx\."):
        table = read_points(tmp_path)
    assert list(table.points) == ["a", "b", "day2/c"]


BOMB = '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + counter("&b;")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bomb.xml", BOMB, "declares entities or a DTD"),
        ("half.xml", counter()[:90], "cannot be read"),
        ("other.xml", "<svg/>", "XML of svg; expected"),
        ("half.geojson", features()[:50], "cannot be read"),
        ("other.json", '{"a": 1}', "holds no points"),
        ("half.roi", roi(PLACES)[:30], "cannot be read"),
        ("other.zip", b"PK\5\6" + bytes(18), "holds no .roi"),
        ("sheet.xlsx", b"PK", "Save a spreadsheet as CSV"),
        ("line.csv", "index,shape-type,axis-0,axis-1\n0,path,1,2\n", "with path"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path, name, content, message):
    with pytest.raises(ValueError, match=message):
        read_points(put(tmp_path / name, content))


def test_large_files_are_refused_before_they_are_read(tmp_path, monkeypatch):
    with open(tmp_path / "big.geojson", "wb") as file:
        file.truncate(500 * 2**20)
    with pytest.raises(ValueError, match=r"have 500 MB; at most 128 MB"):
        read_points(tmp_path / "big.geojson")
    monkeypatch.setattr(_imagej_points, "MAX_UNFOLDED", 2**20)
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../out.roi", bytes(2 * 2**20))
    with pytest.raises(ValueError, match="unfolds to more than 1 MB"):
        read_points(tmp_path / "z.zip")


class Frame(dict):
    """A data frame as far as it matters: columns by name."""

    @property
    def columns(self):
        return list(self)


class Series(list):
    """A Series whose labels are not its positions."""

    iloc = None

    def __getitem__(self, label):
        return list(self)[1 - label]


def test_data_frames_are_taken_by_the_names_of_their_columns():
    x, y = PLACES[:, 1], PLACES[:, 0]
    places = [Frame(x=x, y=y), Frame(Col=x, score=y, Row=y), PLACES]
    for points in check_points(places):
        assert_array_equal(points, PLACES)
    with pytest.raises(ValueError, match=r"points\[0\] has the columns a, b; expected"):
        check_points([Frame(a=x, b=y)])
    with pytest.raises(ValueError, match=r"frame tells several apart"):
        check_points([Frame(frame=x, x=x, y=y)])
    with pytest.raises(ValueError, match="points is one Frame"):
        check_points(Frame(x=x, y=y))


def test_a_series_is_taken_by_position_not_by_label():
    assert_array_equal(check_points(Series([PLACES, PLACES[:1]]))[1], PLACES[:1])
    images = Images(Series([np.zeros((3, 4)), np.zeros((5, 6))]))
    assert images.shapes == [(3, 4), (5, 6)]


def call(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_convert_goes_round(tmp_path):
    start = table_of(tmp_path / "c.csv", PLACES)
    for before, after in (("c.csv", "a.zip"), ("a.zip", "b.geojson")):
        result = call("convert", tmp_path / before, tmp_path / after)
        assert result.exit_code == 0, result.output
    assert "3 points of 1 image" in result.output
    points = read_points(tmp_path / "b.geojson").points["b"]
    assert_allclose(points, PLACES, atol=1e-3)
    table_of(tmp_path / "two.csv", PLACES, "image,row,col", "b")
    with open(tmp_path / "two.csv", "a") as file:
        file.write("c,1,2\n")
    result = call("convert", tmp_path / "two.csv", tmp_path / "two.zip")
    assert "there are 2. Give the name of a folder" in result.stderr
    result = call("convert", start, tmp_path / "t.csv", "--format", "trackmate")
    assert result.exit_code == 2
    assert "the pixel size of a.tif is not known" in result.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p * 0.5, "multiplied by about 0.5"),
        (lambda p: p[:, ::-1], "row and col change places"),
        (lambda p: p / 400, "within one pixel"),
    ],
)
def test_evaluate_refuses_points_in_another_unit(tmp_path, change, message):
    places = many((300, 400))
    truth = table_of(tmp_path / "t.csv", change(places))
    found = table_of(tmp_path / "p.csv", places)
    result = call("evaluate", "-p", found, "-t", truth, "-d", 4)
    assert result.exit_code == 2
    assert message in result.stderr
