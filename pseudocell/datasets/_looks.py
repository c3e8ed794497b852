"""How the cells of a culture look in phase contrast."""

from dataclasses import dataclass
from math import inf, pi
from types import MappingProxyType

from pseudocell._parameters import Number

__all__ = ["PHASE_CONTRAST_LOOKS", "PhaseContrastLook"]


@dataclass(frozen=True)
class PhaseContrastLook:
    """How the cells of one culture look in phase contrast.

    A look cannot be changed; ``dataclasses.replace(look, halo=10)`` makes another.

    Attributes
    ----------
    density : float, default=0.2
        Sum of the cell areas over the area of the image, from 0 to 0.3. The most
        that fits is less where cells are long and point in many directions.
    elongation : float, default=2.5
        Length of a mean cell over its width, from 1 to 8.
    clustering : float, default=0.3
        Share of the cells that are put next to another one, from 0 to 1.
    halo : float, default=45.0
        Brightness of the halo at a straight edge, in grey levels of 255.
    debris : float, default=4.0
        Pieces of what is no cell, for each cell; fewer where there is no room.
    disorder : float, default=0.5
        Standard deviation of the directions of the cells of an image, in radians.
    dividing : float, default=0.05
        Share of rounded, bright cells, from 0 to 1.

    Raises
    ------
    ValueError
        If a value is out of range.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from pseudocell.datasets import PHASE_CONTRAST_LOOKS
    >>> replace(PHASE_CONTRAST_LOOKS["fgf2"], debris=0).elongation
    5.0
    """

    density: float = 0.2
    elongation: float = 2.5
    clustering: float = 0.3
    halo: float = 45.0
    debris: float = 4.0
    disorder: float = 0.5
    dividing: float = 0.05

    def __post_init__(self):
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not Number(low=low, high=high).is_satisfied_by(value):
                wanted = f"{low:g} or more" if high == inf else f"{low:g} to {high:g}"
                raise ValueError(f"{name} is {value!r:.80}; expected {wanted}.")


_RANGES = {
    "density": (0, 0.3),
    "elongation": (1, 8),
    "clustering": (0, 1),
    "halo": (0, 255),
    "debris": (0, inf),
    "disorder": (0, pi),
    "dividing": (0, 1),
}

# In the order of the attributes.
PHASE_CONTRAST_LOOKS = MappingProxyType(
    {
        "control": PhaseContrastLook(0.20, 2.5, 0.3, 45.0, 4.0, 0.5, 0.05),
        "fgf2": PhaseContrastLook(0.14, 5.0, 0.1, 75.0, 4.0, 0.3, 0.08),
        "bmp2": PhaseContrastLook(0.10, 1.5, 0.2, 25.0, 5.0, 1.0, 0.02),
        "fgf2+bmp2": PhaseContrastLook(0.24, 3.5, 0.8, 60.0, 3.0, 0.15, 0.05),
    }
)
