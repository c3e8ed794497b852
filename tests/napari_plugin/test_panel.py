"""Click, find, correct and export in a window, with a mouse."""

import csv
import json

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt

from pseudocell import HeatmapDetector, PseudoLabelCellDetector
from pseudocell._napari._panel import PseudocellPanel
from pseudocell.datasets import make_brightfield
from pseudocell.io import read_points
from pseudocell.session import Session

IMAGES, TRUTH = make_brightfield(2, (160, 160), n_cells=20, debris=0, random_state=0)
RADIUS = 8


def small():
    """Return a detector that is trained in seconds."""
    part = HeatmapDetector(n_nets=2, held_out="places", max_steps=40, n_jobs=1)
    return PseudoLabelCellDetector(
        RADIUS, max_iter=0, detector=part, n_jobs=1, random_state=0
    )


def inner(points):
    """Take the points that are not at the border."""
    return points[((points > 12) & (points < 148)).all(axis=1)]


@pytest.fixture
def panel(viewer, open_panel):
    viewer.add_image(IMAGES[0], name="cells", scale=(0.5, 0.5), translate=(7, 3))
    panel = open_panel()
    panel.desk.session.template = small()
    panel.desk.session.cell_radius = RADIUS
    return panel


def rest(panel, qtbot):
    qtbot.waitUntil(lambda: not panel.work.is_running, timeout=600_000)
    qtbot.wait(50)


@pytest.fixture
def found(panel, viewer, mouse, qtbot):
    """The panel after twelve clicks and Find every cell."""
    for point in inner(TRUTH[0])[:12]:
        mouse.click(viewer.layers["clicks"], point)
    qtbot.mouseClick(panel.buttons["Find every cell"], Qt.LeftButton)
    rest(panel, qtbot)
    return panel


def test_clicks_lie_on_the_cells_and_are_saved_at_once(panel, viewer, mouse):
    points = inner(TRUTH[0])[:5]
    for number, point in enumerate(points, start=1):
        mouse.click(viewer.layers["clicks"], point)
        with open(panel.desk.session.folder / "clicks.csv", newline="") as file:
            rows = [
                (float(one["row"]), float(one["col"])) for one in csv.DictReader(file)
            ]
        assert len(rows) == number
        assert np.abs(rows - points[:number]).max() < 1
    assert panel.desk.rows()[0][1] == 5


def test_control_z_takes_a_click_back_and_forth(panel, viewer, mouse, qtbot):
    for point in inner(TRUTH[0])[:2]:
        mouse.click(viewer.layers["clicks"], point)
    qtbot.keyClick(mouse.native, Qt.Key_Z, Qt.ControlModifier)
    assert len(viewer.layers["clicks"].data) == len(panel.desk.session.clicks[0]) == 1
    qtbot.mouseClick(panel.buttons["Redo"], Qt.LeftButton)
    assert len(viewer.layers["clicks"].data) == len(panel.desk.session.clicks[0]) == 2


def test_found_cells_are_rings_coloured_by_probability(found, viewer):
    layer = viewer.layers["found"]
    assert len(layer.data) + 12 == found.desk.rows()[0][2]
    assert len(np.unique(layer.features["probability"])) > 1
    assert len(np.unique(layer.border_color, axis=0)) > 1
    assert "cells in this image" in found.counts.text()


def test_the_threshold_acts_at_once_and_is_reset(found, viewer, qtbot):
    n_before, before = len(viewer.layers["found"].data), found.desk.threshold
    found.threshold.slider.setValue(found.threshold.slider.maximum())
    assert len(viewer.layers["found"].data) < n_before
    qtbot.mouseClick(found.threshold.button, Qt.LeftButton)
    assert len(viewer.layers["found"].data) == n_before
    assert found.desk.threshold == before


def test_a_ring_that_is_marked_no_cell_goes_and_comes_back(found, viewer, mouse, qtbot):
    layer = viewer.layers["found"]
    n_before, point = len(layer.data), layer.data[0]
    qtbot.mouseClick(found.buttons["Click what is none"], Qt.LeftButton)
    mouse.click(layer, point)
    assert len(found.desk.session.not_cells[0]) == 1
    assert len(layer.data) == n_before - 1
    qtbot.mouseClick(found.buttons["Undo"], Qt.LeftButton)
    assert len(layer.data) == n_before


def test_the_next_place_is_asked_and_answered(found, viewer, mouse, qtbot):
    qtbot.mouseClick(found.buttons["Next place"], Qt.LeftButton)
    rest(found, qtbot)
    number, point, _ = found.desk.asked
    assert np.allclose(viewer.layers["next place"].data[0], point)
    qtbot.keyClick(mouse.native, Qt.Key_N)
    rest(found, qtbot)
    np.testing.assert_allclose(found.desk.session.not_cells[number][-1], point)
    assert not np.allclose(found.desk.asked[1], point)


@pytest.mark.parametrize("kind", ["csv", "roi", "geojson"])
def test_what_is_exported_reads_back(found, qtbot, tmp_path, monkeypatch, kind):
    suffix = {"csv": "csv", "roi": "zip", "geojson": "geojson"}[kind]
    path = tmp_path / f"cells.{suffix}"
    monkeypatch.setattr(
        "pseudocell._napari._panel.QFileDialog.getSaveFileName",
        lambda *_: (str(path), ""),
    )
    found.export(kind)
    rest(found, qtbot)
    (points,) = read_points(path).points.values()
    expected, _ = found.desk.cells(0)
    order = [np.lexsort(some.round(1).T) for some in (points, expected)]
    np.testing.assert_allclose(points[order[0]], expected[order[1]], atol=0.01)
    if kind == "geojson":
        assert json.loads(path.read_text())


def test_cells_in_a_region_are_counted(found, viewer):
    box = [[0, 0], [0, 80], [160, 80], [160, 0]]
    viewer.add_shapes([box], scale=(0.5, 0.5), translate=(7, 3))
    found.refresh()
    points, _ = found.desk.cells(0)
    assert f"{(points[:, 1] < 80).sum()} in the region" in found.counts.text()


def test_cancel_ends_the_work_and_keeps_the_model(found, qtbot):
    session = found.desk.session
    number, n_cells = session.model_number, found.desk.rows()[0][2]
    session.template = small().set_params(detector__max_steps=3000)
    found.find()
    qtbot.wait(500)
    qtbot.mouseClick(found.buttons["Cancel"], Qt.LeftButton)
    qtbot.waitUntil(lambda: not found.work.is_running, timeout=60_000)
    assert "Stopped" in found.message.text()
    assert (session.model_number, found.desk.rows()[0][2]) == (number, n_cells)


def test_another_window_goes_on_where_this_one_was_left(
    panel, viewer, mouse, open_panel
):
    for point in inner(TRUTH[0])[:3]:
        mouse.click(viewer.layers["clicks"], point)
    folder, clicks = panel.desk.session.folder, panel.desk.session.clicks[0]
    panel.stop()
    for name in ("clicks", "not cells", "found"):
        viewer.layers.remove(name)
    again = PseudocellPanel(viewer)
    assert again.desk.session.folder == folder
    np.testing.assert_array_equal(viewer.layers["clicks"].data, clicks)
    again.stop()


def test_clicks_of_each_plane_of_a_stack(viewer, open_panel, mouse):
    viewer.add_image(np.stack([IMAGES[0], IMAGES[1], IMAGES[0]]), name="movie")
    viewer.dims.set_current_step(0, 0)
    panel = open_panel()
    for plane in (0, 1):
        viewer.dims.set_current_step(0, plane)
        assert len(viewer.layers["clicks"].data) == 0
        for point in inner(TRUTH[plane])[: 3 - plane]:
            mouse.click(viewer.layers["clicks"], point)
    assert panel.desk.session.names == ["movie_000.tif", "movie_001.tif"]
    assert [one[1] for one in panel.desk.rows()] == [3, 2]
    viewer.dims.set_current_step(0, 0)
    assert len(viewer.layers["clicks"].data) == 3
    np.testing.assert_array_equal(panel.desk.session.images[1], IMAGES[1])


def test_several_images_are_looked_at_one_by_one(viewer, open_panel, mouse, qtbot):
    for number, image in enumerate(IMAGES):
        viewer.add_image(image, name=f"image {number}")
    panel = open_panel()
    assert [one[0] for one in panel.desk.rows()] == ["image 0.tif", "image 1.tif"]
    mouse.click(viewer.layers["clicks"], inner(TRUTH[1])[0])
    qtbot.mouseClick(panel.buttons["Next image"], Qt.LeftButton)
    assert viewer.layers["image 0"].visible
    assert not viewer.layers["image 1"].visible
    assert len(viewer.layers["clicks"].data) == 0
    viewer.layers.remove("image 1")
    panel.next_image()
    assert len(viewer.layers["clicks"].data) == 1
    np.testing.assert_array_equal(viewer.layers["image 1.tif"].data, IMAGES[1])
    mouse.click(viewer.layers["clicks"], inner(TRUTH[1])[1])
    assert len(panel.desk.session.clicks[1]) == 2


def says(panel, text):
    assert text in panel.message.text()
    assert panel.message.text().count(".") <= 3


def test_bad_input_is_one_sentence_and_nothing_is_lost(panel, viewer, mouse):
    clicks = viewer.layers["clicks"]
    mouse.click(clicks, (20, 20))
    mouse.click(clicks, (-8, 20))
    says(panel, "outside of the image")
    mouse.click(clicks, (20, 20))
    says(panel, "a mark already")
    for layer, text in (
        (viewer.add_labels(np.zeros((9, 9), int)), "layer of labels"),
        (viewer.add_points([[1, 2, 3]], name="deep"), "have 3 axes"),
        (viewer.add_points([[900, 900]], name="far"), "No point of far"),
    ):
        viewer.layers.selection.active = layer
        panel.import_clicks()
        says(panel, text)
    assert len(panel.desk.session.clicks[0]) == len(clicks.data) == 1


def test_points_of_a_layer_become_clicks(panel, viewer):
    image = viewer.layers["cells"]
    world = [image.data_to_world(point) for point in TRUTH[0]]
    layer = viewer.add_points(world, name="mine")
    viewer.layers.selection.active = layer
    panel.import_clicks()
    np.testing.assert_allclose(panel.desk.session.clicks[0], TRUTH[0])


def test_without_an_image_the_panel_says_what_to_do(viewer, open_panel, qtbot):
    panel = open_panel()
    panel.find()
    says(panel, "Nothing is clicked yet")
    panel.add_layers()
    says(panel, "No image layer is selected")
    viewer.add_image(IMAGES[0], name="late")
    qtbot.waitUntil(lambda: panel.desk.session is not None)
    assert panel.desk.rows()[0][0] == "late.tif"


def test_a_project_that_cannot_be_opened_stays_as_it_is(panel, monkeypatch, tmp_path):
    session = panel.desk.session
    other = tmp_path / "newer.pseudocell"
    other.mkdir()
    (other / "project.json").write_text('{"format": 99, "files": [], "images": []}')
    monkeypatch.setattr(
        "pseudocell._napari._panel.QFileDialog.getExistingDirectory",
        lambda *_: str(other),
    )
    panel.open_project()
    says(panel, "newer pseudocell")
    assert panel.desk.session is session


@pytest.mark.parametrize("agrees", [False, True])
def test_an_image_that_was_changed_is_asked_about(panel, monkeypatch, tmp_path, agrees):
    folder, before = tmp_path / "one.pseudocell", panel.desk.session
    with Session.create(folder, {"a": IMAGES[0]}) as session:
        session.click(0, (30, 40))
        path = session.images[0].path
    tifffile.imwrite(path, IMAGES[1])
    monkeypatch.setattr(
        "pseudocell._napari._panel.QFileDialog.getExistingDirectory",
        lambda *_: str(folder),
    )
    monkeypatch.setattr(panel, "_agrees", lambda text: agrees)
    panel.open_project()
    if agrees:
        assert panel.desk.session.folder == folder
        assert len(panel.desk.session.clicks[0]) == 1
    else:
        says(panel, "was changed since")
        assert panel.desk.session is before


def test_a_layer_that_is_deleted_comes_back_with_its_points(panel, viewer, mouse):
    mouse.click(viewer.layers["clicks"], inner(TRUTH[0])[0])
    viewer.layers.remove("clicks")
    panel.arm("clicks")
    panel.desk.refresh()
    assert len(viewer.layers["clicks"].data) == 1
    mouse.click(viewer.layers["clicks"], inner(TRUTH[0])[1])
    assert len(panel.desk.session.clicks[0]) == 2


def test_of_a_whole_slide_the_part_that_is_seen_takes_part(viewer, open_panel, mouse):
    # Zeros that nobody touches take no memory.
    levels = [np.zeros((20_000 // n, 20_000 // n), np.uint8) for n in (1, 4, 16)]
    levels[0][9_000:9_160, 12_000:12_160] = IMAGES[0]
    slide = viewer.add_image(levels, name="slide", multiscale=True, scale=(0.5, 0.5))
    camera = getattr(viewer, "scene", viewer).camera
    camera.center, camera.zoom = (4_540, 6_040), 4
    mouse.qtbot.wait(300)
    panel = open_panel()
    session = panel.desk.session
    assert max(session.images[0].shape) <= 2048
    point = inner(TRUTH[0])[0]
    mouse.click(slide, point + (9_000, 12_000))
    (click,) = session.clicks[0]
    offset = panel.desk.canvas.picture.offset
    assert np.abs(click + offset - point - (9_000, 12_000)).max() < 1
    row, col = np.subtract((9_000, 12_000), offset)
    pixels = np.asarray(session.images[0])
    np.testing.assert_array_equal(pixels[row : row + 160, col : col + 160], IMAGES[0])
