"""Points in XML for Cell Counter, cellfinder and CVAT."""

from xml.etree import ElementTree

import numpy as np

from pseudocell.io._output import whole_file

__all__ = [
    "CELL_TYPE",
    "PLACEHOLDER",
    "write_cell_counter",
    "write_cellfinder",
    "write_cvat",
]

# What cellfinder writes for the name of its image, and its number for a cell.
PLACEHOLDER, CELL_TYPE = "placeholder.tif", 2


def write_cell_counter(path, sheets):
    """Write markers of the Cell Counter of ImageJ, in whole pixels."""
    _write_markers(path, sheets, sheets[0].name, 1)


def write_cellfinder(path, sheets):
    """Write cells of cellfinder, in whole pixels."""
    _write_markers(path, sheets, PLACEHOLDER, CELL_TYPE)


def write_cvat(path, sheets):
    """Write annotations of CVAT for images, version 1.1."""
    root = ElementTree.Element("annotations")
    _add(root, "version", "1.1")
    for number, sheet in enumerate(sheets):
        height, width = sheet.shape[:2]
        about = {"id": number, "name": sheet.name, "width": width, "height": height}
        image = _add(root, "image", **about)
        for row, col in sheet.points:
            place = f"{col:.4f},{row:.4f}"
            how = {"source": "file", "occluded": 0, "points": place, "z_order": 0}
            _add(image, "points", label="cell", **how)
    _write(path, root)


def _write_markers(path, sheets, name, kind):
    root = ElementTree.Element("CellCounter_Marker_File")
    _add(_add(root, "Image_Properties"), "Image_Filename", name)
    data = _add(root, "Marker_Data")
    _add(data, "Current_Type", 1)
    markers = _add(data, "Marker_Type")
    _add(markers, "Type", kind)
    for sheet in sheets:
        for row, col in np.round(sheet.points).astype(int):
            marker = _add(markers, "Marker")
            for axis, value in zip("XYZ", (col, row, sheet.frame), strict=True):
                _add(marker, f"Marker{axis}", value)
    _write(path, root)


def _add(parent, tag, text=None, **attributes):
    texts = {name: str(value) for name, value in attributes.items()}
    element = ElementTree.SubElement(parent, tag, texts)
    element.text = None if text is None else str(text)
    return element


def _write(path, root):
    ElementTree.indent(root)
    with whole_file(path) as temporary:
        tree = ElementTree.ElementTree(root)
        tree.write(temporary, encoding="UTF-8", xml_declaration=True)
