"""Points of ImageJ and Fiji: .roi files, zips of them, and overlays in TIFF files."""

import io
import zipfile

import numpy as np
import roifile
import tifffile

from pseudocell.io._marks import Marks, NotPointsError
from pseudocell.io._output import whole_file
from pseudocell.io._table_points import centre_of_outline

__all__ = ["read_overlay", "read_roi", "read_roi_set", "write_roi_set"]

# One ROI is a few kB; a zip that unfolds to more is made to fill the memory.
MAX_UNFOLDED = 2**28
AREAS = (
    roifile.ROI_TYPE.POLYGON,
    roifile.ROI_TYPE.RECT,
    roifile.ROI_TYPE.OVAL,
    roifile.ROI_TYPE.FREEHAND,
    roifile.ROI_TYPE.TRACED,
)


def read_roi(path, content):
    """Read the points of a .roi file."""
    return _read(path, [content])


def read_roi_set(path, content):
    """Read the points of a zip of .roi files, in memory only."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [
                one for one in archive.infolist() if one.filename.endswith(".roi")
            ]
            if not members:
                raise NotPointsError(f"The zip {path} holds no .roi file.")
            if sum(one.file_size for one in members) > MAX_UNFOLDED:
                raise ValueError(
                    f"The zip {path} unfolds to more than {MAX_UNFOLDED // 2**20} MB; "
                    "ROI files are small."
                )
            rois = []
            for one in members:
                with archive.open(one) as file:
                    rois.append(file.read(one.file_size))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"The points {path} cannot be read: {error}.") from error
    return _read(path, rois)


def read_overlay(path):
    """Read the points in the overlay and the selection of an ImageJ TIFF file."""
    try:
        with tifffile.TiffFile(path) as file:
            metadata = file.imagej_metadata or {}
    except Exception as error:  # whatever the decoder meets
        raise ValueError(f"The points {path} cannot be read: {error}.") from error
    found = []
    for key in ("Overlays", "ROI"):
        some = metadata.get(key, [])
        found += some if isinstance(some, list | tuple) else [some]
    if not found:
        raise NotPointsError(f"The image {path} holds no points (ImageJ overlay).")
    marks = _read(path, found)
    marks.has_names = True
    # The name of the image is that of the file, whole.
    marks.points = {
        label.replace(path.stem, path.name, 1): some
        for label, some in marks.points.items()
    }
    return marks


def write_roi_set(path, sheets):
    """Write a zip with one multi-point ROI of ImageJ for each image or frame."""
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for sheet in sheets:
            if len(sheet.points) == 0:
                continue
            is_stack = sheet.frame is not None
            name = f"points_{sheet.frame:04d}" if is_stack else "points"
            places = np.asarray(sheet.points, dtype=np.float32)[:, ::-1]
            # roifile counts from 0.
            place = sheet.frame - 1 if is_stack else None
            roi = roifile.ImagejRoi.frompoints(places, name=name, position=place)
            roi.roitype = roifile.ROI_TYPE.POINT
            roi.options = roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION
            archive.writestr(zipfile.ZipInfo(f"{name}.roi"), roi.tobytes())


def _read(path, contents):
    """Return the marks of the bytes of ROIs; areas by their centres."""
    marks = Marks.of(path, "roi")
    half_of_areas = Marks.of(path, "roi-area").unit.half
    others = {}
    for content in contents:
        try:
            roi = roifile.ImagejRoi.frombytes(content)
            outlines = roi.coordinates(multi=True)
        except Exception as error:  # whatever the decoder meets
            raise ValueError(f"The points {path} cannot be read: {error}.") from error
        if roi.roitype == roifile.ROI_TYPE.POINT:
            _add_points(marks, path.stem, roi, outlines[0])
        elif roi.roitype in AREAS and len(outlines) == 1 and len(outlines[0]):
            col, row = _centre(roi, outlines[0]) - half_of_areas
            marks.add(path.stem, _frame(roi), row, col)
            others["areas, taken by their centres"] = (
                others.get("areas, taken by their centres", 0) + 1
            )
        else:
            kind = f"ROIs of the kind {roi.roitype.name.lower()}, left out"
            others[kind] = others.get(kind, 0) + 1
    if not marks.points:
        raise NotPointsError(f"{path} holds no points.")
    marks.notes += [f"{path} holds {n} {kind}." for kind, n in others.items()]
    return marks


def _add_points(marks, name, roi, places):
    counters = [""] * len(places) if roi.counters is None else roi.counters
    positions = roi.counter_positions
    for number, (col, row) in enumerate(places):
        frame = None if positions is None else int(positions[number])
        marks.add(name, frame or _frame(roi), row, col, str(counters[number]))


def _frame(roi):
    """Frame of a ROI, from 1; None if it is on all of them."""
    places = [one for one in (roi.t_position, roi.z_position) if one > 1]
    if len(places) > 1:
        raise ValueError(
            f"The ROI {roi.name} is in slice {roi.z_position} of frame "
            f"{roi.t_position}; expected a stack with one of the two axes."
        )
    if places:
        return places[0]
    return roi.position or roi.t_position or roi.z_position or None


def _centre(roi, outline):
    if roi.roitype in (roifile.ROI_TYPE.OVAL, roifile.ROI_TYPE.RECT):
        return np.array([roi.left + roi.right, roi.top + roi.bottom]) / 2
    return centre_of_outline(outline)
