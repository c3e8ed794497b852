"""Read points from the files of many programs, and from folders of them."""

import warnings
from pathlib import Path

from pseudocell._parameters import File, checked
from pseudocell.io._imagej_points import read_overlay, read_roi, read_roi_set
from pseudocell.io._json_points import MAX_SIZE, read_json_points
from pseudocell.io._marks import NotPointsError
from pseudocell.io._names import printable, shorten
from pseudocell.io._point_formats import PointUnit
from pseudocell.io._table_points import EXPECTED, read_table_points
from pseudocell.io._units import check_unit
from pseudocell.io._xml_points import read_xml_points, read_yaml_points
from pseudocell.io.points import PointTable

__all__ = ["read_points"]

READERS = {
    ".csv": read_table_points,
    ".tsv": read_table_points,
    ".txt": read_table_points,
    ".roi": read_roi,
    ".zip": read_roi_set,
    ".json": read_json_points,
    ".geojson": read_json_points,
    ".xml": read_xml_points,
    ".yml": read_yaml_points,
    ".yaml": read_yaml_points,
}
# Their readers hold the whole file, as much as ten times.
LIMITED = (".roi", ".zip", ".json", ".geojson", ".yml", ".yaml")
OVERLAYS = (".tif", ".tiff")


@checked(source=[File()])
def read_points(source, unit=None):
    r"""Read points from a file, or from a folder of files.

    Parameters
    ----------
    source : str or path
        A table (CSV, TSV) with the columns ``image``, ``row`` and ``col`` (or ``y``
        and ``x``) and, for stacks, ``frame``; a file of napari, ImageJ and Fiji,
        QuPath, Cell Counter, cellfinder, TrackMate, LabelMe, CVAT, COCO or Label
        Studio, see docs/formats.md; an ImageJ TIFF with an overlay; or a folder of
        such files, each with the name of its image, in sub-folders too. Columns are
        found by their names, in any order and case. Frames count from 0, and from 1
        where ImageJ counts.
    unit : {"px", "um", "fraction", "percent", "calibrated"}, optional
        Of the coordinates, instead of what the file says. "calibrated" is the unit of
        the image.

    Returns
    -------
    table : PointTable
        The points by image. `points_for_images` converts them to pixels.

    Raises
    ------
    ValueError
        If the file cannot be read, lacks a column, or holds something that is not
        a finite number; or if two files of a folder have points of one image.

    Warns
    -----
    UserWarning
        For files that are left out, and for what is doubtful.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from pseudocell.io import read_points
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "clicks.csv"
    ...     _ = file.write_text("image,x,y\na.tif,30,4\na.tif,9.5,6\n")
    ...     read_points(file).points["a.tif"]
    array([[ 4. , 30. ],
           [ 6. ,  9.5]])
    """
    check_unit(unit)
    source = Path(source)
    if source.is_dir():
        return _read_folder(source, unit)
    if not source.exists():
        raise ValueError(
            f"The points {source} cannot be read: No such file or directory."
        )
    marks = _read_file(source, unit)
    points, units, notes = marks.finish()
    _say(notes)
    return PointTable(
        str(source), points, marks.has_names, units, is_stated=unit is not None
    )


def _read_file(path, unit):
    """Return the marks of one file."""
    suffix = path.suffix.lower()
    if suffix in OVERLAYS:
        marks = read_overlay(path)
    else:
        if suffix not in READERS:
            raise NotPointsError(
                f"The points {path} cannot be read: it ends in {suffix or 'nothing'}; "
                f"expected one of {', '.join(READERS)}. Save a spreadsheet as CSV."
            )
        marks = READERS[suffix](path, _read_bytes(path, suffix))
    if unit is not None:
        marks.unit = PointUnit(unit, marks.unit.half)
    return marks


def _read_bytes(path, suffix):
    try:
        size = path.stat().st_size
        if suffix in LIMITED and size > MAX_SIZE:
            raise ValueError(
                f"The points {path} have {size // 2**20} MB; at most "
                f"{MAX_SIZE // 2**20} MB of such a file are read. Export points or "
                "centroids only, best as a table (TSV, CSV)."
            )
        return path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"The points {path} cannot be read: {error.strerror or error}."
        ) from error


def _read_folder(folder, unit):
    """Read all files of a folder and its sub-folders."""
    files = [one for one in sorted(folder.rglob("*")) if not one.is_dir()]
    kinds = [
        [one for one in files if one.suffix.lower() in suffixes and _is_seen(one)]
        for suffixes in (READERS, OVERLAYS)
    ]
    known = kinds[0] or kinds[1]
    if not known:
        raise ValueError(
            f"The folder {folder} holds no file of points; expected names that end in "
            f"{', '.join(READERS)}."
        )
    points, units, notes, foreign, origin = {}, {}, [], [], {}
    for file in known:
        name = file.relative_to(folder).as_posix()
        try:
            marks = _read_file(file, unit)
        except NotPointsError:
            foreign.append(name)
            continue
        its, its_units, its_notes = marks.finish()
        notes += its_notes
        # A file in a sub-folder is named as its image is, with the folder.
        stem, inner = file.stem, Path(name).with_suffix("").as_posix()
        for label, some in its.items():
            if not marks.has_names and label.startswith(stem):
                label = inner + label[len(stem) :]
            if label in points:
                raise ValueError(
                    f"{folder} has points of {label} twice, in {origin[label]} and in "
                    f"{name}; leave one of them out."
                )
            points[label], origin[label] = some, name
            if its_units:
                units[label] = marks.unit
    others = [one.relative_to(folder).as_posix() for one in files if one not in known]
    seen = [one for one in others if not Path(one).name.startswith(".")]
    if not points and foreign:
        raise ValueError(
            f"No file in {folder} holds points, not {shorten(foreign)}; {EXPECTED}."
        )
    if foreign + seen:
        left = [printable(one) for one in foreign + seen]
        notes.append(f"Left out, because they hold no points: {shorten(left)}.")
    _say(notes)
    return PointTable(str(folder), points, True, units, is_stated=unit is not None)


def _is_seen(path):
    """Tell whether a file is not hidden: macOS leaves "._name" files everywhere."""
    return not path.name.startswith(".")


def _say(notes):
    for note in notes:
        warnings.warn(note, stacklevel=3)
