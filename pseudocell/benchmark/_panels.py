"""Panels side by side, and the figure as PNG."""

import math
from io import BytesIO

from matplotlib.figure import Figure

__all__ = ["make_panels", "save_png"]


def make_panels(count, n_columns, width, height):
    """Return a figure and its axes, `width` by `height` inches each."""
    n_columns = min(count, n_columns)
    n_rows = math.ceil(count / n_columns)
    figure = Figure(
        (max(width * n_columns, 6.5), height * n_rows + 0.5), layout="constrained"
    )
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax in axes[count:]:
        ax.set_visible(False)
    return figure, axes[:count]


def save_png(figure):
    """Return the bytes of a PNG file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=130, facecolor="white")
    return buffer.getvalue()
