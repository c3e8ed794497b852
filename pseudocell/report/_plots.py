"""Plots for a page, as addresses of SVG pictures that need no other file."""

import base64
import io

import numpy as np

__all__ = [
    "plot_chances",
    "plot_counts",
    "plot_heights",
    "plot_measures",
    "plot_threshold",
]

# Inches: a plot is read on a telephone, too.
SIZE = (4.2, 2.8)
# After Okabe, Ito, "Color Universal Design", 2008.
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#767c82"
# Images of which each has a place of its own in the plot of the counts.
MOST_SINGLE = 60
# Points of a curve.
MOST_DOTS = 200
# Finds of a bin of the reliability curve, and standard deviations of 90 %.
LEAST_IN_BIN, N_BINS, DEVIATIONS = 10, 8, 1.645
# Text stays text, and the same plot is the same file.
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "pseudocell",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def plot_counts(counts, numbers):
    """Plot the number of cells of each image, or how often which number is.

    Parameters
    ----------
    counts : ndarray of shape (n,)
        Number of cells.
    numbers : list of (float, float, float) or None
        How many there should be, from where to where, if that is known.

    Returns
    -------
    address : str
    """

    def draw(axes):
        if len(counts) > MOST_SINGLE:
            axes.hist(counts, bins=30, color=BLUE)
            axes.set(xlabel="cells in an image", ylabel="images")
            return
        at = np.arange(1, len(counts) + 1)
        for x, number in zip(at, numbers, strict=True):
            if number is not None:
                axes.plot([x, x], number[1:], color=GREY, linewidth=2)
        axes.plot(at, counts, "o", color=BLUE, markersize=4)
        tops = [counts.max(), *(number[2] for number in numbers if number)]
        axes.set(xlabel="number of the image", ylabel="cells")
        axes.set_ylim(0, 1.08 * max(tops) + 1)
        axes.xaxis.get_major_locator().set_params(integer=True)

    return _picture(draw)


def plot_threshold(calibration, threshold, heights):
    """Plot which precision and recall each threshold should give.

    Parameters
    ----------
    calibration : Calibration
        Has `precision` and `recall`.
    threshold : float
        The one that is used.
    heights : ndarray of shape (n,)
        Of the cells found.

    Returns
    -------
    address : str
    """

    def draw(axes):
        top = max(float(np.max(heights, initial=0.0)), 1.5 * threshold, 0.1)
        tried = np.linspace(0.05, min(1.0, top), 60)
        for name, color, style in (("precision", BLUE, "-"), ("recall", ORANGE, "--")):
            values = [float(getattr(calibration, name)(t)) for t in tried]
            axes.plot(tried, values, style, color=color, label=f"expected {name}")
        axes.axvline(threshold, color=GREY, linestyle=":", label="threshold")
        axes.set(xlabel="threshold", ylabel="share", ylim=(-0.02, 1.02))
        axes.legend()

    return _picture(draw)


def plot_chances(chances, is_cell):
    """Plot how often a candidate of each probability is a cell: the reliability curve.

    Parameters
    ----------
    chances : ndarray of shape (n,)
        What was said.
    is_cell : bool ndarray of shape (n,)
        What was true.

    Returns
    -------
    address : str
    """

    def draw(axes):
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="as it should be")
        n_bins = int(np.clip(len(chances) // LEAST_IN_BIN, 1, N_BINS))
        parts = np.array_split(np.argsort(chances, kind="stable"), n_bins)
        said = [chances[part].mean() for part in parts]
        shares = [wilson(is_cell[part].sum(), len(part)) for part in parts]
        for x, (_, low, high) in zip(said, shares, strict=True):
            axes.plot([x, x], [low, high], color=BLUE, linewidth=2)
        seen = [share for share, _, _ in shares]
        axes.plot(said, seen, "o-", color=BLUE, markersize=4, label="as it is")
        axes.set(xlabel="expected share of cells", ylabel="true share of cells")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.legend()

    return _picture(draw)


def plot_heights(heights, chances, threshold):
    """Plot how probably a candidate of each height is a cell, or only the heights.

    Parameters
    ----------
    heights : ndarray of shape (n,)
        Of candidates.
    chances : ndarray of shape (n,) or None
        How probably they are cells.
    threshold : float
        The one that is used.

    Returns
    -------
    address : str
    """

    def draw(axes):
        axes.axvline(threshold, color=GREY, linestyle=":", label="threshold")
        if chances is None:
            axes.hist(heights, bins=30, color=BLUE)
            axes.set(xlabel="height in the heatmap", ylabel="cells found")
        else:
            order = np.argsort(heights)
            order = order[
                np.linspace(0, len(order) - 1, min(len(order), 200), dtype=int)
            ]
            axes.plot(heights[order], chances[order], color=BLUE)
            axes.set(xlabel="height in the heatmap", ylabel="chance to be a cell")
            axes.set(ylim=(-0.02, 1.02))
        axes.legend()

    return _picture(draw)


def plot_measures(groups, label):
    """Plot how a measure is spread over the cells found, and over those clicked.

    Parameters
    ----------
    groups : dict of str to ndarray of shape (n,)
        Values of each group.
    label : str
        What they are.

    Returns
    -------
    address : str
    """

    def draw(axes):
        groups_here = {name: v for name, v in groups.items() if len(v)}
        values = np.concatenate([*groups_here.values(), np.zeros(0)])
        limits = np.percentile(values, (0.5, 99.5)) if len(values) else (0, 1)
        bins = np.linspace(limits[0], max(limits[1], limits[0] + 1e-9), 31)
        looks = {"found": (BLUE, "-"), "clicked": (ORANGE, "--")}
        for name, its in groups_here.items():
            color, style = looks[name]
            weights = np.full(len(its), 1 / len(its))
            how = {"histtype": "step", "color": color, "linestyle": style}
            axes.hist(its, bins, weights=weights, linewidth=1.6, label=name, **how)
        axes.set(xlabel=label, ylabel="share of the cells")
        axes.legend()

    return _picture(draw)


def wilson(n_hits, n):
    """Return a share and its 90 % interval, by Wilson's score.

    Parameters
    ----------
    n_hits, n : int
        How often, of how many.

    Returns
    -------
    share, low, high : float
    """
    share, z2 = n_hits / n, DEVIATIONS**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = DEVIATIONS * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    half /= 1 + z2 / n
    return float(share), float(max(0, middle - half)), float(min(1, middle + half))


def _picture(draw):
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(SIZE, layout="constrained")
        draw(figure.subplots())
        content = io.BytesIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
    data = base64.b64encode(content.getvalue()).decode()
    return f"data:image/svg+xml;base64,{data}"
