"""Points in JSON for QuPath, LabelMe, COCO and Label Studio."""

import json

import numpy as np

from pseudocell.io._output import whole_file

__all__ = ["write_coco", "write_geojson", "write_label_studio", "write_labelme"]

CELL = "cell"


def write_geojson(path, sheets):
    """Write GeoJSON of QuPath: an annotation for each image or frame."""
    features = []
    for sheet in sheets:
        if len(sheet.points) == 0:
            continue
        geometry = {"type": "MultiPoint", "coordinates": _xy(sheet)}
        if sheet.frame is not None:
            geometry["plane"] = {"c": -1, "z": 0, "t": int(sheet.frame)}
        properties = {"objectType": "annotation"}
        features.append(
            {"type": "Feature", "geometry": geometry, "properties": properties}
        )
    _write(path, {"type": "FeatureCollection", "features": features})


def write_labelme(path, sheets):
    """Write a file of LabelMe: a shape for each point of an image."""
    (sheet,) = sheets
    height, width = sheet.shape[:2]
    shapes = [
        {
            "label": CELL,
            "points": [place],
            "group_id": None,
            "shape_type": "point",
            "flags": {},
        }
        for place in _xy(sheet)
    ]
    about = {"imagePath": sheet.name, "imageData": None}
    size = {"imageHeight": int(height), "imageWidth": int(width)}
    _write(path, {"version": "5.0.1", "flags": {}, "shapes": shapes} | about | size)


def write_coco(path, sheets):
    """Write a file of COCO: an annotation with one key point for each point."""
    images, annotations = [], []
    for number, sheet in enumerate(sheets, 1):
        height, width = (int(length) for length in sheet.shape[:2])
        size = {"width": width, "height": height}
        images.append({"id": number, "file_name": sheet.name} | size)
        for x, y in _xy(sheet):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "keypoints": [x, y, 2],
                    "num_keypoints": 1,
                    # The pixel around the point: boxes begin at corners.
                    "bbox": [x, y, 1, 1],
                    "area": 1,
                    "iscrowd": 0,
                }
            )
    kind = {"id": 1, "name": CELL, "keypoints": ["centre"], "skeleton": []}
    tree = {"images": images, "annotations": annotations, "categories": [kind]}
    _write(path, tree)


def write_label_studio(path, sheets):
    """Write tasks of Label Studio, each with one annotation."""
    tasks = []
    for sheet in sheets:
        height, width = (int(length) for length in sheet.shape[:2])
        result = [
            {
                "type": "keypointlabels",
                "from_name": "label",
                "to_name": "image",
                "original_width": width,
                "original_height": height,
                "image_rotation": 0,
                "value": {"x": x, "y": y, "width": 0.5, "keypointlabels": [CELL]},
            }
            for x, y in _xy(sheet, digits=9)
        ]
        data = {"image": sheet.name}
        tasks.append({"data": data, "annotations": [{"result": result}]})
    _write(path, tasks)


def _xy(sheet, digits=4):
    return np.round(np.reshape(sheet.points, (-1, 2))[:, ::-1], digits).tolist()


def _write(path, tree):
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(tree), encoding="utf-8")
