"""The size of a pixel in micrometres, from what formats say about it."""

import math

__all__ = ["MICROMETRES", "from_dots", "one_size"]

# Micrometres in a unit, by the names that OME, ImageJ and Zarr have for it.
MICROMETRES = {
    "nm": 1e-3,
    "nanometer": 1e-3,
    "µm": 1.0,
    "μm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "mm": 1e3,
    "millimeter": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "m": 1e6,
    "meter": 1e6,
    "Å": 1e-4,
    "angstrom": 1e-4,
    "pm": 1e-6,
}
# No microscope; a size outside is a default or a mistake.
SMALLEST, LARGEST = 1e-3, 1e3
# Dots per inch of screens and printers, 72 to 1200, are 21 to 353 micrometres.
LARGEST_OF_DOTS = 20.0
TOLERANCE = 0.02


def one_size(x, y, unit="um", largest=LARGEST):
    """Return the size of a pixel in micrometres, None if nothing plausible is said.

    Parameters
    ----------
    x, y : float or None
        Width and height of a pixel in this unit.
    unit : str or float
        Name of the unit, or micrometres in it.
    largest : float
        Micrometres; more is no size of a pixel.

    Returns
    -------
    size : float or None
        None also if the pixels are not square.
    """
    if isinstance(unit, str):
        unit = MICROMETRES.get(unit.replace("\\u00B5", "µ").strip())
    try:
        x, y = float(x) * unit, float(y if y is not None else x) * unit
    except (TypeError, ValueError):
        return None
    if not (math.isfinite(x) and math.isfinite(y) and min(x, y) >= SMALLEST):
        return None
    if max(x, y) > largest or abs(x - y) > TOLERANCE * max(x, y):
        return None
    return (x + y) / 2


def from_dots(x, y, unit):
    """Return the size of a pixel from dots in a unit of length.

    Parameters
    ----------
    x, y : float
        Dots in each unit.
    unit : float
        Micrometres in it.

    Returns
    -------
    size : float or None
        None if it is that of a screen or a printer.
    """
    if not (x and y and x > 0 and y > 0):
        return None
    return one_size(1 / x, 1 / y, unit, LARGEST_OF_DOTS)
