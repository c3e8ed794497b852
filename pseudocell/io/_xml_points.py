"""Points in XML: Cell Counter, cellfinder (and its YAML), CVAT and TrackMate."""

import io
from collections import Counter

import yaml
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from pseudocell.io._marks import Marks, NotPointsError
from pseudocell.io._point_formats import CENTRE
from pseudocell.io._table_points import UNIT_OF, centre_of_outline
from pseudocell.io._xml_writers import PLACEHOLDER

__all__ = ["read_xml_points", "read_yaml_points"]

# The number of cellfinder for what is no cell.
NO_CELL = "1"


def read_xml_points(path, content):
    """Read points from an XML file, without keeping its tree.

    Parameters
    ----------
    path : pathlib.Path
        The file, for names and messages.
    content : bytes
        What is in it.

    Returns
    -------
    marks : Marks
        The points.

    Raises
    ------
    ValueError
        If it is another file, or has entities, which can unfold to any size.
    """
    try:
        events = iterparse(
            io.BytesIO(content), events=("start", "end"), forbid_dtd=True
        )
        _, root = next(events)
        readers = {
            "CellCounter_Marker_File": _read_cell_counter,
            "annotations": _read_cvat,
            "TrackMate": _read_trackmate,
        }
        if root.tag not in readers:
            raise NotPointsError(
                f"The file {path} is XML of {root.tag}; expected Cell Counter, "
                "cellfinder, CVAT or TrackMate."
            )
        return readers[root.tag](path, _ended(events, root))
    except DefusedXmlException as error:
        raise ValueError(
            f"The points {path} are refused: the XML declares entities or a DTD, which "
            "none of these programs writes."
        ) from error
    except ParseError as error:
        raise ValueError(f"The points {path} cannot be read: {error}.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"The points {path} cannot be read: {error} is missing or no number."
        ) from error


def read_yaml_points(path, content):
    """Read points from a YAML file of cellfinder.

    Parameters
    ----------
    path : pathlib.Path
        The file, for names and messages.
    content : bytes
        What is in it.

    Returns
    -------
    marks : Marks
        The points.
    """
    try:
        tree = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        cells = tree["candidate_cells"]
        marks = Marks.of(path, "cellfinder")
        _add_cells(marks, path, [(x["type"], x["x"], x["y"], x["z"]) for x in cells])
    except (yaml.YAMLError, KeyError, TypeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise NotPointsError(
            f"The points {path} cannot be read as those of cellfinder: {reason}."
        ) from error
    return marks


def _ended(events, root):
    """Elements that have ended, emptied after they were looked at."""
    open_elements = [root]
    for event, element in events:
        if event == "start":
            open_elements.append(element)
            continue
        yield element, [one.tag for one in open_elements]
        if open_elements:
            open_elements.pop()
        if element.tag not in KEPT:
            element.clear()
            if open_elements:
                open_elements[-1].remove(element)


# Children that are looked at with their parents.
KEPT = {"MarkerX", "MarkerY", "MarkerZ"}


def _read_cell_counter(path, elements):
    name, kind, cells = None, "", []
    for element, _ in elements:
        if element.tag == "Image_Filename":
            name = (element.text or "").strip()
        elif element.tag == "Type":
            kind = (element.text or "").strip()
        elif element.tag == "Marker":
            place = [float(element.find(f"Marker{axis}").text) for axis in "XYZ"]
            cells.append((kind, *place))
    if name == PLACEHOLDER:
        marks = Marks.of(path, "cellfinder")
        _add_cells(marks, path, cells)
        return marks
    marks = Marks.of(path, "cellcounter", has_names=bool(name))
    for kind, x, y, z in cells:
        marks.add(name or path.stem, z, y, x, kind)
    return marks


def _add_cells(marks, path, cells):
    """Add what cellfinder takes for cells."""
    types = Counter(str(kind) for kind, *_ in cells)
    if len(types) > 1 and NO_CELL in types:
        marks.notes.append(
            f"{path}: {types[NO_CELL]} candidates that are no cells to cellfinder "
            f"(type {NO_CELL}) are left out."
        )
        cells = [one for one in cells if str(one[0]) != NO_CELL]
    for kind, x, y, z in cells:
        marks.add(path.stem, float(z), y, x, kind)


def _read_cvat(path, elements):
    marks = Marks.of(path, "cvat", has_names=True)
    waiting, video = [], None
    for element, parents in elements:
        inside = parents[-2] if len(parents) > 1 else None
        tag, attributes = element.tag, element.attrib
        if tag in ("points", "box", "polygon", "ellipse") and inside != "skeleton":
            if attributes.get("outside") == "1":
                continue
            frame = attributes.get("frame")
            kind = attributes.get("label", "")
            places = _cvat_places(tag, attributes)
            waiting += [(frame, x, y, kind) for x, y in places]
        elif tag == "image":
            _add_waiting(marks, attributes["name"], waiting)
        elif tag == "track":
            _add_waiting(marks, video or path.stem, waiting)
        elif tag == "source":
            video = (element.text or "").strip()
    marks.has_names = any(marks.points) and path.stem not in marks.points
    return marks


def _cvat_places(tag, attributes):
    """(x, y) of the points of a shape, or of its centre."""
    if tag == "box":
        x = (float(attributes["xtl"]) + float(attributes["xbr"])) / 2
        return [(x, (float(attributes["ytl"]) + float(attributes["ybr"])) / 2)]
    if tag == "ellipse":
        return [(float(attributes["cx"]), float(attributes["cy"]))]
    places = [
        tuple(map(float, one.split(","))) for one in attributes["points"].split(";")
    ]
    return places if tag == "points" else [tuple(centre_of_outline(places))]


def _add_waiting(marks, name, waiting):
    for frame, x, y, kind in waiting:
        marks.add(name, None if frame is None else int(frame), y, x, kind)
    waiting.clear()


def _read_trackmate(path, elements):
    marks = Marks.of(path, "trackmate")
    spots, unit, size = [], None, None
    for element, _ in elements:
        its = element.attrib
        if element.tag == "Spot" and its.get("VISIBILITY", "1") == "1":
            place = float(its["POSITION_Y"]), float(its["POSITION_X"])
            spots.append((float(its["FRAME"]), *place))
        elif element.tag == "Model":
            unit = its.get("spatialunits", "").lower()
        elif element.tag == "ImageData":
            size = float(its["pixelheight"]), float(its["pixelwidth"])
            marks.has_names = bool(its.get("filename"))
            name = its.get("filename") or path.stem
    if size is not None:
        # The file knows its pixels, whatever their unit.
        spots = [(frame, row / size[0], col / size[1]) for frame, row, col in spots]
        marks.unit = CENTRE
    else:
        name = path.stem
        if UNIT_OF.get(unit) == "px":
            marks.unit = CENTRE
        elif UNIT_OF.get(unit) != "um":
            raise ValueError(f"The points {path} are in {unit}; expected micrometres.")
    for frame, row, col in spots:
        marks.add(name, frame, row, col)
    return marks
