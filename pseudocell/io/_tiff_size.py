"""The size of a pixel in a TIFF file, by the program that wrote it."""

import math

from pseudocell.io._pixel_size import MICROMETRES, from_dots, one_size

__all__ = ["tiff_pixel_size"]

# TIFF 6.0, ResolutionUnit: inch and centimetre, in micrometres.
UNITS = {2: 25400.0, 3: 1e4}


def tiff_pixel_size(tif, page):
    """Return the size of a pixel, in micrometres.

    Parameters
    ----------
    tif : tifffile.TiffFile
        An open file.
    page : tifffile.TiffPage
        One with the tags of the scene.

    Returns
    -------
    size : float or None
        None if the file does not say, or nothing plausible.
    """
    dots = [_ratio(page.tags.valueof(code)) for code in (282, 283)]
    if tif.is_imagej:
        unit = str((tif.imagej_metadata or {}).get("unit", "")).replace("\\u00B5", "µ")
        if None in dots or 0 in dots or unit not in MICROMETRES:
            return None
        return one_size(1 / dots[0], 1 / dots[1], unit)
    if tif.is_lsm:
        about = tif.lsm_metadata or {}
        return one_size(about.get("VoxelSizeX"), about.get("VoxelSizeY"), "m")
    if tif.is_svs:
        about = _noted_size(page.description)
        if about:
            return one_size(about, about)
    unit = UNITS.get(int(page.tags.valueof(296, 2)))
    return None if None in dots or unit is None else from_dots(*dots, unit)


def _noted_size(description):
    """Return the micrometres of a pixel that a slide scanner has noted, or None."""
    for part in description.split("|"):
        name, _, value = part.partition("=")
        if name.strip() == "MPP":
            return value
    return None


def _ratio(value):
    if not isinstance(value, tuple) or len(value) != 2 or not value[1]:
        return None
    ratio = value[0] / value[1]
    return ratio if math.isfinite(ratio) else None
