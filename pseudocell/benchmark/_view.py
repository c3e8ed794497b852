"""The enlarged part of an image with points of several kinds, and their legend."""

import numpy as np
from matplotlib.lines import Line2D

from pseudocell.benchmark._panels import make_panels, save_png
from pseudocell.plotting import draw_points

__all__ = ["KINDS", "View", "inside", "window_of"]

# Side of the enlarged part in cell radii, and of its panel in inches.
WINDOW, PANEL = 22, 2.6
MOST_COLUMNS = 5
# Colour and marker of each kind of point, in the order of the legend. Those of the
# labels are the paper's; every kind has a marker of its own for who sees no colours.
KINDS = {
    "cell": ((64, 224, 255), "o"),
    "not a cell": ((255, 92, 30), "x"),
    "missed": ((255, 255, 255), "s"),
    "click": ((255, 200, 0), "*"),
    "chosen as cell": ((240, 60, 60), "o"),
    "chosen as background": ((90, 140, 255), "D"),
    "detected, not chosen": ((70, 210, 90), "."),
    "wrongly chosen": ((255, 255, 255), "x"),
}
SIZES = {".": 0.5, "D": 0.55, "*": 0.8, "x": 0.6}


class View:
    """Panels of one part of an image.

    Parameters
    ----------
    image : array-like of shape (H, W) or (H, W, C)
        The image.
    cell_radius : float
        In pixels.
    corner : ndarray of shape (2,)
        First row and column of the part.
    count : int
        Number of panels.
    """

    def __init__(self, image, cell_radius, corner, count):
        image = np.asarray(image)
        self.radius = cell_radius
        self.size = window_of(image.shape, cell_radius)
        self.corner = corner
        self.picture = draw_points(image, [], cell_radius, zoom=1)
        self.figure, axes = make_panels(count, MOST_COLUMNS, PANEL, PANEL + 0.4)
        for ax in axes:
            ax.set_axis_off()
        self.axes = iter(axes)
        self.seen, self.words = set(), []

    def show(self, title, groups):
        """Draw a panel of points by their kinds."""
        ax = next(self.axes)
        ax.imshow(self.picture, interpolation="nearest")
        # The area of a marker is in points squared, of which 72 make an inch.
        scale = 72 * PANEL / self.size.max()
        for kind, points in groups.items():
            points = points[inside(points, self.corner, self.size)]
            if len(points) == 0:
                continue
            self.seen.add(kind)
            color, marker = KINDS[kind]
            area = (2 * self.radius * scale * SIZES.get(marker, 1.0)) ** 2
            rgb = np.array(color) / 255
            for line, paint in ((2.6, "black"), (1.3, rgb)):  # a dark edge below
                hollow = {"facecolors": "none", "edgecolors": [paint]}
                ax.scatter(
                    points[:, 1],
                    points[:, 0],
                    s=area,
                    marker=marker,
                    linewidths=line,
                    alpha=0.5 if line > 2 else 1,
                    **(hollow if marker in "osD" else {"c": [paint]}),
                )
        top, left = self.corner
        ax.set_xlim(left - 0.5, left + self.size[1] - 0.5)
        ax.set_ylim(top + self.size[0] - 0.5, top - 0.5)
        ax.set_title(title, fontsize=9)
        self.words.append(title.strip().replace("\n", ", "))

    def finish(self):
        """Add the legend of what is shown; return the picture and what is seen."""
        handles = [
            Line2D(
                [],
                [],
                linestyle="",
                marker=marker,
                color=np.array(color) / 255,
                markerfacecolor="none" if marker in "osD" else np.array(color) / 255,
                markersize=8,
                markeredgewidth=1.5,
                label=kind,
            )
            for kind, (color, marker) in KINDS.items()
            if kind in self.seen
        ]
        if handles:
            legend = self.figure.legend(
                handles=handles, loc="outside lower center", ncols=3, fontsize=9
            )
            # White rings are to be seen in the legend, too.
            legend.get_frame().set(facecolor="#555", edgecolor="none")
            for text in legend.get_texts():
                text.set_color("white")
        return save_png(self.figure), "; ".join(self.words) + "."


def window_of(shape, cell_radius):
    """Return height and width of the enlarged part."""
    return np.minimum(WINDOW * cell_radius, shape[:2]).astype(float)


def inside(points, corner, size):
    """Return which points are in a window."""
    return ((points >= corner - 0.5) & (points < corner + size - 0.5)).all(axis=1)
