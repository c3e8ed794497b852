"""Panels side by side, and the figure as PNG."""

import math
from io import BytesIO

from matplotlib.figure import Figure

__all__ = ["make_panels", "save_png"]


def make_panels(count, n_columns, width, height):
    """Return a figure and its axes, `width` by `height` inches each."""
    most = min(count, n_columns)
    # As few empty places as can be, and as wide as can be.
    n_columns = min(range((most + 1) // 2, most + 1), key=lambda n: (-count % n, -n))
    n_rows = math.ceil(count / n_columns)
    # Large enough for a legend below, and filled.
    zoom = max(1.0, 6.5 / (width * n_columns))
    size = zoom * width * n_columns, zoom * height * n_rows + 0.5
    figure = Figure(size, layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax in axes[count:]:
        ax.set_visible(False)
    return figure, axes[:count]


def save_png(figure):
    """Return the bytes of a PNG file."""
    buffer = BytesIO()
    # Tight, so that no title of two lines is cut off, and nothing is left empty.
    look = {"bbox_inches": "tight", "pad_inches": 0.1, "facecolor": "white"}
    figure.savefig(buffer, format="png", dpi=130, **look)
    return buffer.getvalue()
