"""Readers of real data sets, on small folders in their layouts."""

import hashlib
import json
from urllib.parse import quote

import numpy as np
import pytest
import tifffile
from local_server import serve

from pseudocell._validation import check_images
from pseudocell.datasets import (
    CONDITIONS,
    DetectionSet,
    _osf,
    _splits,
    fetch_c2c12,
    paper_split,
    read_bbbc039,
    read_c2c12,
    read_c2c12_annotation,
    read_cell_tracking,
)
from pseudocell.datasets._frames import Frame, label_centroids

SHAPE = (24, 36)


def write_tiff(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, pixels, **options)


def write_tracking(folder, sequence, markers, digits=4):
    """Write frame -> markers as a set of the Cell Tracking Challenge."""
    for frame, labels in markers.items():
        number = f"{frame:0{digits}d}.tif"
        image = np.full(labels.shape, frame % 256, np.uint8)
        write_tiff(folder / sequence / f"t{number}", image)
        truth = folder / f"{sequence}_GT" / "TRA"
        write_tiff(truth / f"man_track{number}", labels.astype(np.uint16))
    (truth / "man_track.txt").write_text("1 0 0 0\n")


def annotation(tracks, layer="Annotate DarkSpot Center"):
    """Return an annotation of C2C12; each track is [(frame, row, col)], daughters."""

    def cell(track, daughters=()):
        states = "".join(
            f'<s i="{frame}" x="{col}" y="{row}" s="1"/>' for frame, row, col in track
        )
        inner = "".join(cell(daughter) for daughter in daughters)
        return f'<a id="1"><ss>{states}</ss>{inner and f"<as>{inner}</as>"}</a>'

    cells = "".join(cell(*track) for track in tracks)
    return f'<root><fs><f name="{layer}"><as>{cells}</as></f></fs></root>'


def write_film(folder, experiment, field, frames, text, kind="Human"):
    """Write a film of C2C12 as it is on OSF; text is its annotation."""
    film = folder / f"{experiment}-C2C12-FGF2,BMP2" / f"exp1_F{field:04d} Data"
    for frame in frames:
        name = f"exp1_F{field:04d}-{frame + 1:05d}.tif"
        write_tiff(film / name, np.full(SHAPE, frame, np.uint16))
    place = film.parent / f"Annotation_{kind.split()[0]}"
    place.mkdir(exist_ok=True)
    joint = "_" if "Full" in kind else " "
    (place / f"{kind}{joint}exp1_F{field:04d} Data.xml").write_text(text)
    return folder


# Images and labels


def test_images_are_read_when_touched_and_not_before(tmp_path):
    image = np.arange(24, dtype=np.uint16).reshape(4, 6)
    for name, options in [("a", {}), ("b", {"compression": "lzw"})]:
        write_tiff(tmp_path / f"{name}.tif", image, **options)
        frame = Frame(str(tmp_path / f"{name}.tif"))
        assert (frame.shape, frame.ndim, frame.dtype) == ((4, 6), 2, np.uint16)
        np.testing.assert_array_equal(frame, image)
        assert np.asarray(frame, dtype=float).dtype == float
    check_images([Frame("nowhere.tif")])


@pytest.mark.parametrize("length", [0, 50, -10])
def test_a_damaged_image_is_named(tmp_path, length):
    path = tmp_path / "t000.tif"
    write_tiff(path, np.ones((40, 50), np.uint16))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match="t000.tif cannot be read .* damaged"):
        np.asarray(Frame(str(path)))


def test_centroids_do_not_depend_on_the_labels():
    rng = np.random.default_rng(0)
    labels = np.kron(np.arange(12).reshape(3, 4), np.ones((5, 7), int))
    expected = [[5 * r + 2, 7 * c + 3] for r in range(3) for c in range(4)][1:]
    np.testing.assert_allclose(label_centroids(labels), expected)
    renamed = np.append(0, rng.choice(np.arange(1, 60000), 11, replace=False))
    centroids = label_centroids(renamed[labels])
    np.testing.assert_allclose(centroids[np.lexsort(centroids.T[::-1])], expected)


# Cell Tracking Challenge


@pytest.mark.parametrize("digits", [3, 4])
def test_cell_tracking_markers_become_points(tmp_path, digits):
    markers = np.zeros((3, *SHAPE), int)
    markers[0, 2:5, 3:6], markers[0, 10, 20] = 1, 4
    markers[2, 1:3, 1:3] = 1  # frame 1 has no cells
    write_tracking(tmp_path, "02", dict(enumerate(markers)), digits)
    images, points = read_cell_tracking(tmp_path, "02")
    assert [np.asarray(image)[0, 0] for image in images] == [0, 1, 2]
    np.testing.assert_array_equal(points[0], [[3, 4], [10, 20]])
    assert points[1].shape == (0, 2)
    np.testing.assert_array_equal(points[2], [[1.5, 1.5]])
    images, points = read_cell_tracking(tmp_path, "02", frames=[2, 0])
    assert [np.asarray(image)[0, 0] for image in images] == [2, 0]
    assert [len(rows) for rows in points] == [1, 2]


@pytest.mark.parametrize(
    ("missing", "what"),
    [("01/t0002.tif", "image"), ("01_GT/TRA/man_track0002.tif", "markers")],
)
def test_a_missing_frame_is_named(tmp_path, missing, what):
    write_tracking(tmp_path, "01", dict(enumerate(np.ones((4, *SHAPE)))))
    (tmp_path / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"no {what} of frame 2; it holds"):
        read_cell_tracking(tmp_path)
    assert len(read_cell_tracking(tmp_path, frames=[0, 1, 3])[0]) == 3
    with pytest.raises(FileNotFoundError, match="of frame 4, 5, 6, 7, 8 and 2 more"):
        read_cell_tracking(tmp_path, frames=range(3, 11))


def test_a_truth_that_is_not_there_or_empty_is_an_error(tmp_path):
    write_tracking(tmp_path, "01", {0: np.ones(SHAPE), 1: np.ones((2, *SHAPE))})
    with pytest.raises(FileNotFoundError, match="There is no folder .*02"):
        read_cell_tracking(tmp_path, "02")
    with pytest.raises(ValueError, match=r"have shape \(2, 24, 36\); expected \(H, W"):
        read_cell_tracking(tmp_path)
    (tmp_path / "01_GT" / "TRA" / "man_track0000.tif").write_bytes(b"")
    with pytest.raises(ValueError, match="man_track0000.tif cannot be read .* empty"):
        read_cell_tracking(tmp_path, frames=[0])
    for path in (tmp_path / "01").iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError, match="holds no file with a name like t"):
        read_cell_tracking(tmp_path)


# BBBC039


def test_bbbc039_names_what_is_missing_or_damaged(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file .*training.txt"):
        read_bbbc039(tmp_path)
    for name in ("images", "masks", "metadata"):
        (tmp_path / name).mkdir()
    (tmp_path / "metadata" / "training.txt").write_text("a.png\n\n")
    with pytest.raises(FileNotFoundError, match=r"There is no file .*a.tif"):
        read_bbbc039(tmp_path)
    write_tiff(tmp_path / "images" / "a.tif", np.ones(SHAPE, np.uint16))
    with pytest.raises(FileNotFoundError, match=r"There is no file .*a.png"):
        read_bbbc039(tmp_path)
    (tmp_path / "masks" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ValueError, match=r"a.png cannot be read .*damaged"):
        read_bbbc039(tmp_path)


# C2C12


def test_c2c12_annotation_has_mothers_and_daughters(tmp_path):
    mother = [(0, 5, 7.5), (1, 5, 8)]
    daughters = [([(2, 4, 7)],), ([(2, 6, 9)],)]
    text = annotation([(mother, [d[0] for d in daughters]), ([(1, 9, 1)],)])
    path = tmp_path / "a.xml"
    path.write_text(text)
    points = read_c2c12_annotation(path)
    assert {frame: rows.tolist() for frame, rows in points.items()} == {
        0: [[5, 7.5]],
        1: [[5, 8], [9, 1]],
        2: [[4, 7], [6, 9]],
    }


def test_c2c12_takes_the_layer_of_cell_centres(tmp_path):
    path = tmp_path / "a.xml"
    cells, other = annotation([([(0, 1, 2)],)]), annotation([([(0, 8, 9)],)], "Beads")
    path.write_text(f"<all>{other}{cells}</all>")
    np.testing.assert_array_equal(read_c2c12_annotation(path)[0], [[1, 2]])
    path.write_text(f"<all>{other}{other}</all>")
    with pytest.raises(ValueError, match=r"2 layers of cells \('Beads', 'Beads'\)"):
        read_c2c12_annotation(path)
    path.write_text(annotation([]))
    with pytest.raises(ValueError, match=r"0 layers of cells \(none\); expected one"):
        read_c2c12_annotation(path)


@pytest.mark.parametrize(
    "text", ["", "<root><fs>", annotation([([(0, 1, 2)],)]).replace("x=", "z=")]
)
def test_a_damaged_annotation_is_named(tmp_path, text):
    path = tmp_path / "a.xml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"a.xml cannot be read .* damaged"):
        read_c2c12_annotation(path)


def test_c2c12_frames_count_from_the_first_file(tmp_path):
    # Frame f has its cell in column f; that of frame 3 has left the image.
    text = annotation([([(0, 2, 0), (1, 2, 1), (3, 2, 36)],)])
    write_film(tmp_path, "090303", 9, range(4), text)
    images, points = read_c2c12(tmp_path)
    assert [np.asarray(image)[0, 0] for image in images] == [0, 1, 2, 3]
    assert [rows.tolist() for rows in points] == [[[2, 0]], [[2, 1]], [], []]
    assert all(rows.shape[1] == 2 for rows in points)


def test_c2c12_finds_the_film_that_is_meant(tmp_path):
    for row, (experiment, field, kind) in enumerate(
        [
            ("090303", 9, "Human"),
            ("090303", 9, "Human Full Annotation"),
            ("090303", 9, "Computer"),
            ("090318", 9, "Human"),
            ("090318", 10, "Human"),
        ]
    ):
        text = annotation([([(0, row, 0)],)])
        write_film(tmp_path, experiment, field, [0], text, kind)

    def row_of(*arguments, **options):
        return read_c2c12(tmp_path, *arguments, **options)[1][0][0, 0]

    assert row_of() == 1
    assert row_of(annotation="computer") == 2
    assert row_of("090318") == 3
    assert row_of("090318", 10) == 4
    own = next(tmp_path.rglob("Human exp1_F0010 Data.xml"))
    assert row_of(annotation=own) == 4
    with pytest.raises(ValueError, match="fit in 2 places"):
        row_of("100101")
    with pytest.raises(FileNotFoundError, match="no images: .*exp1_F0011"):
        row_of(field=11)
    with pytest.raises(FileNotFoundError, match="no computer annotation: "):
        row_of("090318", 10, annotation="computer")
    with pytest.raises(ValueError, match="annotation is 'own.xml'; expected 'human'"):
        row_of(annotation="own.xml")


def test_c2c12_names_a_missing_frame(tmp_path):
    text = annotation([([(0, 2, 0)],)])
    write_film(tmp_path, "090303", 9, [0, 1, 3], text)
    with pytest.raises(FileNotFoundError, match="no image of frame 2; it holds fra"):
        read_c2c12(tmp_path)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def publish(server, folder):
    """Serve a folder of films as OSF does: components in components, in pages."""

    def page(path, entries):
        server.files[path] = entries[:2]
        server.files[path + "more"] = entries[2:]

    def node(path):
        return "ysaq2" if path == folder else path.name.replace(" ", "")

    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            below = sorted(path.iterdir())
            children = [
                {"id": node(child), "attributes": {"title": child.name}}
                for child in below
                if child.is_dir()
            ]
            files = [
                {
                    "attributes": {
                        "kind": "file",
                        "name": child.name,
                        "extra": {"hashes": {"sha256": sha256(child)}},
                    },
                    "links": {"download": f"{server.url}/file/{quote(child.name)}"},
                }
                for child in below
                if child.is_file()
            ]
            page(f"/v2/nodes/{node(path)}/children/", children)
            page(f"/v2/nodes/{node(path)}/files/osfstorage/", files)
            for child in below:
                if child.is_file():
                    server.files[f"/file/{child.name}"] = child.read_bytes()
    for path, entries in server.files.items():
        if isinstance(entries, list):
            after = None if path.endswith("more") else f"{server.url}{path}more"
            text = json.dumps({"data": entries, "links": {"next": after}})
            server.files[path] = text.encode()


@pytest.fixture
def osf(tmp_path, monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    text = annotation([([(f, 2, f) for f in range(6)],)])
    write_film(tmp_path / "osf", "090303", 9, range(6), text)
    with serve() as server:
        publish(server, tmp_path / "osf")
        monkeypatch.setattr(_osf, "ADDRESS", f"{server.url}/v2")
        yield server


def test_c2c12_downloads_the_frames_that_are_asked_for_once(osf, tmp_path):
    home = tmp_path / "home"
    images, points = fetch_c2c12(frames=[1, 4], data_home=home)
    assert [np.asarray(image)[0, 0] for image in images] == [1, 4]
    assert [rows.tolist() for rows in points] == [[[2, 1]], [[2, 4]]]
    downloads = [path for path in osf.paths if path.endswith(".tif")]
    assert downloads == [f"/file/exp1_F0009-0000{n}.tif" for n in (2, 5)]
    osf.paths.clear()
    fetch_c2c12(frames=[4], data_home=home)
    assert osf.paths == []
    fetch_c2c12(frames=[4, 5], data_home=home)
    downloads = [path for path in osf.paths if path.endswith((".tif", ".xml"))]
    assert downloads == ["/file/exp1_F0009-00006.tif"]


def test_c2c12_checks_what_it_downloads(osf, tmp_path):
    name = "/file/exp1_F0009-00002.tif"
    osf.files[name] = osf.files[name][::-1]
    with pytest.raises(ValueError, match="00002.tif was damaged on its way"):
        fetch_c2c12(frames=[1], data_home=tmp_path / "home")
    osf.files[name] = osf.files[name][::-1]
    fetch_c2c12(frames=[1], data_home=tmp_path / "home")


def test_c2c12_says_what_osf_lacks(osf, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no component '090325', but \['0903"):
        fetch_c2c12("090325", frames=[0], data_home=tmp_path / "home")
    with pytest.raises(FileNotFoundError, match="none of the files that are looked"):
        fetch_c2c12(frames=[17], data_home=tmp_path / "home")
    with pytest.raises(FileNotFoundError, match="no image of frame 17"):
        fetch_c2c12(frames=[0, 17], data_home=tmp_path / "home")
    with pytest.raises(ValueError, match="annotation is 'mine'"):
        fetch_c2c12(annotation="mine", data_home=tmp_path / "home")


# The paper's splits, section 4: images to train on and to test on.
PAPER = {
    "control": (10, 90),
    "fgf2": (38, 342),
    "bmp2": (10, 90),
    "fgf2+bmp2": (10, 90),
    "hsc": (13, 251),
}


def draw_frames(frames, n_cells=96):
    """Return frames of which nothing is read, and cells in each."""
    cells = np.stack(np.divmod(np.arange(n_cells), 36), axis=1) % SHAPE + 0.0
    return [np.zeros(SHAPE, np.uint8) + f % 251 for f in frames], [cells] * len(frames)


@pytest.fixture
def reads(monkeypatch):
    """Stands in for the films, and keeps what was asked for."""
    asked = []

    def read(*what, frames, **options):
        asked.append((what, frames, options))
        return draw_frames(frames)

    for name in ("read_c2c12", "fetch_c2c12", "read_cell_tracking"):
        monkeypatch.setattr(_splits, name, read)
    tracks = dict.fromkeys(range(1500), 80) | dict.fromkeys(range(1500, 1764), 81)
    monkeypatch.setattr(_splits, "count_tracks", lambda *_: tracks)
    return asked


@pytest.mark.filterwarnings("ignore:The computer annotation")
@pytest.mark.parametrize("name", CONDITIONS)
def test_the_numbers_of_a_split_are_the_papers(reads, name):
    split = paper_split(name, "folder")
    assert isinstance(split, DetectionSet)
    assert (len(split.train_images), len(split.test_images)) == PAPER[name]
    assert (len(split.train_points), len(split.test_points)) == PAPER[name]
    # No frame is left out, and training takes every 20th of a film, as the code does.
    train, test = (
        {image[0, 0] for image in part}
        for part in (split.train_images, split.test_images)
    )
    ((_, frames, _),) = reads
    assert {frame % 251 for frame in frames} == train | test
    assert [image[0, 0] for image in split.train_images[:2]] == [
        frames[0] % 251,
        (frames[0] + 20) % 251,
    ]
    for clicks, points in zip(split.train_clicks, split.train_points, strict=True):
        assert len(clicks) == np.ceil(len(points) / 10)
        assert set(map(tuple, clicks)) <= set(map(tuple, points))
    assert (split.cell_radius, split.max_distance) == (12, 15)


def test_the_seed_of_a_split_draws_its_clicks(reads):
    same, again, other = (
        paper_split("hsc", "folder", random_state=seed).train_clicks
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(same, again)
    assert not np.array_equal(same, other)


def test_a_split_says_what_its_truth_is_worth(reads, tmp_path):
    paper_split("bmp2", "folder")
    paper_split("fgf2", "folder", annotation=tmp_path / "own.xml")
    kinds = [options["annotation"] for _, _, options in reads]
    assert kinds == ["human", tmp_path / "own.xml"]
    with pytest.warns(UserWarning, match="computer annotation .* what a program"):
        paper_split("control", "folder")
    with pytest.warns(UserWarning, match="human annotation .* only a few cells"):
        paper_split("control", "folder", annotation="human")
    with pytest.warns(UserWarning, match="not those of the paper"):
        paper_split("bmp2", "folder", annotation="computer")
    with pytest.raises(ValueError, match="annotation is 'human'; expected None"):
        paper_split("hsc", "folder", annotation="human")
    with pytest.raises(ValueError, match="name is 'HSC'; expected one of .*'hsc'"):
        paper_split("HSC")


def test_without_a_folder_a_split_is_downloaded(reads, monkeypatch, tmp_path):
    def download(*what):
        return what

    monkeypatch.setattr(_splits, "download_cell_tracking", download)
    monkeypatch.setattr(_splits, "Path", str)
    paper_split("bmp2", data_home=tmp_path)
    assert reads[0][2]["data_home"] == tmp_path
    paper_split("hsc", data_home=tmp_path)
    assert reads[1][0] == (("BF-C2DL-HSC", tmp_path), "02")


def test_hsc_takes_the_frames_with_more_than_80_cells(tmp_path):
    labels = np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    labels[labels > 81] = 0
    write_tracking(tmp_path, "02", dict.fromkeys(range(3), labels))
    table = tmp_path / "02_GT" / "TRA" / "man_track.txt"
    rows = [(1, 0, 0, 0)] + [(label, 0, 2, 0) for label in range(2, 81)]
    table.write_text("".join("{} {} {} {}\n".format(*row) for row in rows))
    with pytest.raises(ValueError, match="No frame of .* holds more than 80 cells"):
        paper_split("hsc", tmp_path)
    table.write_text(table.read_text() + "81 1 1 0\n82 1 2 0\n")
    with pytest.warns(UserWarning, match="^1 frames of .* the paper had 264"):
        (image,) = paper_split("hsc", tmp_path).train_images
    assert image.label == "t0001.tif"
    table.write_text("1 0\n")
    with pytest.raises(ValueError, match="man_track.txt cannot be read .* damaged"):
        paper_split("hsc", tmp_path)
    table.unlink()
    with pytest.raises(FileNotFoundError, match="There is no file .*man_track.txt"):
        paper_split("hsc", tmp_path)
