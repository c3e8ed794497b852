"""Points in JSON: QuPath's GeoJSON, LabelMe, COCO and Label Studio."""

import json

import numpy as np

from pseudocell.io._marks import Marks, NotPointsError
from pseudocell.io._names import image_name
from pseudocell.io._point_formats import FORMATS
from pseudocell.io._table_points import centre_of_outline

__all__ = ["read_json_points"]

# Python needs ten times as much memory for what it reads.
MAX_SIZE = 2**27


def read_json_points(path, content):
    """Read points from a JSON file of QuPath, LabelMe, COCO or Label Studio.

    Parameters
    ----------
    path : pathlib.Path
        The file, for names and messages.
    content : bytes
        What is in it.

    Returns
    -------
    marks : Marks
        The points; boxes and outlines by their centres.

    Raises
    ------
    ValueError
        If it is another file, or too large.
    """
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The points {path} cannot be read: {error}.") from error
    try:
        if isinstance(tree, dict) and "shapes" in tree:
            return _read_labelme(path, tree)
        if isinstance(tree, dict) and "annotations" in tree and "images" in tree:
            return _read_coco(path, tree)
        tasks = tree if isinstance(tree, list) else [tree]
        if tasks and all(
            isinstance(one, dict) and "annotations" in one for one in tasks
        ):
            return _read_label_studio(path, tasks)
        features = tree.get("features", tree) if isinstance(tree, dict) else tree
        features = features if isinstance(features, list) else [features]
        if all("geometry" in one for one in features):
            return _read_geojson(path, features)
    except (
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        ZeroDivisionError,
    ) as error:
        raise ValueError(
            f"The points {path} cannot be read: {type(error).__name__} at {error}."
        ) from error
    raise NotPointsError(
        f"The file {path} holds no points; expected GeoJSON, LabelMe, COCO or Label "
        "Studio."
    )


def _read_geojson(path, features):
    marks = Marks.of(path, "qupath")
    n_outlines = 0
    for feature in features:
        geometry = feature["geometry"]
        properties = feature.get("properties") or {}
        kind = (properties.get("classification") or {}).get("name", "")
        plane = geometry.get("plane") or feature.get("plane") or {}
        moving = [plane[axis] for axis in "zt" if plane.get(axis)]
        if len(moving) > 1:
            raise ValueError(
                f"{path} has points on a slice and a frame; expected one of them."
            )
        frame = (moving or [0])[0] if plane else None
        places, outlines = _corners(geometry)
        n_outlines += len(outlines)
        for x, y in places + [centre_of_outline(one) for one in outlines]:
            marks.add(path.stem, frame, y, x, kind)
    if n_outlines:
        marks.notes.append(
            f"{path} holds {n_outlines} outlines; their centres are taken for points."
        )
    return marks


def _corners(geometry):
    """Points and outlines of a geometry, (x, y)."""
    kind, places = geometry["type"], geometry.get("coordinates")
    if kind == "Point":
        return [tuple(places[:2])], []
    if kind == "MultiPoint":
        return [tuple(one[:2]) for one in places], []
    if kind == "Polygon":
        return [], [[one[:2] for one in places[0]]]
    if kind == "MultiPolygon":
        # Of a cell in several pieces the first one counts.
        return [], [[one[:2] for one in places[0][0]]]
    if kind == "GeometryCollection":
        parts = [_corners(one) for one in geometry["geometries"]]
        return [x for a, _ in parts for x in a], [x for _, b in parts for x in b]
    raise ValueError(f"a geometry of the type {kind}; expected points or polygons")


def _read_labelme(path, tree):
    name = image_name(str(tree.get("imagePath") or path.stem))
    marks = Marks.of(path, "labelme", has_names=bool(tree.get("imagePath")))
    for shape in tree["shapes"]:
        corners = np.asarray(shape["points"], dtype=float)
        kind = shape.get("shape_type", "polygon")
        if kind == "point":
            x, y = corners[0]
        elif kind == "rectangle":
            x, y = corners.mean(axis=0)
        elif kind == "circle":
            x, y = corners[0]
        elif kind == "polygon":
            x, y = centre_of_outline(corners)
        else:
            raise ValueError(
                f"{path} has a shape of the type {kind}; expected points, circles, "
                "rectangles or polygons."
            )
        marks.add(name, None, y, x, shape.get("label", ""))
    return marks


def _read_coco(path, tree):
    names = {one["id"]: one["file_name"] for one in tree["images"]}
    kinds = {one["id"]: one.get("name", "") for one in tree.get("categories", [])}
    marks = Marks.of(path, "coco", has_names=True)
    # Boxes have their origin at the corner, key points are numbers of pixels.
    half = FORMATS["coco-area"].unit.half
    for one in tree["annotations"]:
        name, kind = names[one["image_id"]], kinds.get(one.get("category_id"), "")
        keys = one.get("keypoints") or []
        for x, y, seen in zip(keys[::3], keys[1::3], keys[2::3], strict=True):
            if seen:
                marks.add(name, None, y, x, kind)
        if not keys:
            x, y, width, height = one["bbox"]
            marks.add(name, None, y + height / 2 - half, x + width / 2 - half, kind)
    return marks


def _read_label_studio(path, tasks):
    marks = Marks.of(path, "labelstudio", has_names=True)
    # The size of the image is beside each point, so that pixels are known here.
    unit = marks.unit
    marks.unit = FORMATS["csv"].unit
    for task in tasks:
        source = next(str(one) for one in task["data"].values() if "." in str(one))
        name = image_name(source.split("?d=")[-1])
        # An upload is given eight digits and a dash before its name.
        head, dash, rest = name.partition("-")
        if dash and len(head) == 8 and set(head) <= set("0123456789abcdef"):
            name = rest
        for annotation in task["annotations"]:
            if annotation.get("was_cancelled"):
                continue
            for one in annotation["result"]:
                value = one["value"]
                if "x" not in value:
                    continue
                shape = one["original_height"], one["original_width"]
                # Key points have a width, too: that of the mark.
                is_box = one.get("type", "").startswith("rectangle")
                extra = np.array([value.get("height", 0), value.get("width", 0)]) / 2
                place = np.array([value["y"], value["x"]]) + extra * is_box
                row, col = place * unit.scale(shape, None) - unit.half
                kind = (value.get("keypointlabels") or value.get("labels") or [""])[0]
                marks.add(name, None, row, col, kind)
    return marks
