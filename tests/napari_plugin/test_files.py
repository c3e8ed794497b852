"""What napari opens and saves by itself, and what it knows of the plugin."""

import napari
import numpy as np
import pytest
from npe2 import PluginManager

from pseudocell._napari._pictures import Picture
from pseudocell._napari._project import file_of
from pseudocell._napari._readers import read_point_file, read_project
from pseudocell._napari._samples import brightfield, phase_contrast
from pseudocell._napari._writers import write_csv, write_geojson, write_roi_set
from pseudocell.session import Session

POINTS = np.array([[3.0, 4.5], [20.25, 7.0]])
STACK = np.insert(np.concatenate([POINTS, POINTS + 1]), 0, [2, 2, 5, 5], axis=1)


@pytest.mark.parametrize("write", [write_csv, write_roi_set, write_geojson])
def test_a_layer_is_written_and_read_whatever_its_scale(tmp_path, write):
    suffix = {write_csv: "csv", write_roi_set: "zip", write_geojson: "geojson"}[write]
    (path,) = write(
        str(tmp_path / f"a.{suffix}"), POINTS, {"name": "cells", "scale": (9, 9)}
    )
    ((points, _, kind),) = read_point_file(path)
    assert kind == "points"
    np.testing.assert_allclose(points, POINTS, atol=0.01)


def test_frames_stay_frames(tmp_path):
    (path,) = write_csv(str(tmp_path / "a.csv"), STACK, {"name": "cells"})
    ((points, _, _),) = read_point_file(path)
    np.testing.assert_allclose(points, STACK)
    with pytest.raises(ValueError, match="between two frames"):
        write_csv(str(tmp_path / "b.csv"), STACK + 0.5, {"name": "cells"})
    with pytest.raises(ValueError, match="4 axes"):
        write_csv(str(tmp_path / "b.csv"), np.zeros((1, 4)), {"name": "cells"})


def test_points_in_micrometres_are_refused_without_an_image(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("image,x [um],y [um]\na.tif,1,2\n")
    with pytest.raises(ValueError, match="are in um"):
        read_point_file(str(path))


def test_a_project_opens_with_its_points(tmp_path):
    images = {"a": np.zeros((30, 40)), "b": np.ones((30, 40))}
    with Session.create(tmp_path / "one.pseudocell", images) as session:
        session.click(1, (3, 4))
        session.mark_not_cell(1, (20, 7))
    image, clicks, marks = read_project(str(tmp_path / "one.pseudocell"))
    assert (image[0] == 1).all()
    np.testing.assert_array_equal(clicks[0], [(3, 4)])
    np.testing.assert_array_equal(marks[0], [(20, 7)])
    for data, attributes, kind in (image, clicks, marks):
        napari.layers.Layer.create(data, attributes, kind)
    (tmp_path / "model.pseudocell").touch()
    with pytest.raises(ValueError, match="is a model"):
        read_project(str(tmp_path / "model.pseudocell"))


@pytest.mark.parametrize("sample", [brightfield, phase_contrast])
def test_samples_are_images(sample):
    layers = sample()
    assert len(layers) == 4
    assert all(data.ndim == 2 and kind == "image" for data, _, kind in layers)


def test_a_file_is_that_of_a_layer_only_if_the_pixels_are_the_same(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (30, 30), dtype=np.uint8)
    with Session.create(tmp_path / "one", {"a": image}) as session:
        path = session.images[0].path
    layer = napari.layers.Image(image)
    layer._source = layer.source.model_copy(update={"path": path})
    assert file_of([Picture((layer,))]) == path
    layer.data = image[::-1]
    assert file_of([Picture((layer,))]) is None


def test_napari_finds_every_part_of_the_plugin():
    manager = PluginManager.instance()
    manager.discover()
    manifest = manager.get_manifest("pseudocell")
    commands = [one.id for one in manifest.contributions.commands]
    assert len(commands) >= 8
    for command in commands:
        assert callable(manager.commands.get(command))
