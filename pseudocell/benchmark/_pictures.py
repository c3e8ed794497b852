"""Pictures of detections and of pseudo labels, as PNG."""

import numpy as np
from matplotlib.lines import Line2D

from pseudocell._geometry._matching import match_points
from pseudocell.benchmark._panels import make_panels, save_png
from pseudocell.benchmark._scores import right_negatives, right_positives
from pseudocell.plotting import CLICK, DETECTION, MISSED, WRONG, draw_points

__all__ = ["draw_detections", "draw_rounds"]

# Side of the enlarged part of an image in cell radii, and of its panel in inches.
WINDOW, PANEL = 22, 2.6
MOST_COLUMNS = 5
BACKGROUND = (190, 150, 255)


def draw_detections(result, name):
    """Draw an enlarged part of a test image: the truth, and each method beside it.

    None if there is no test image, or no method is finished on the set called `name`.
    """
    data, records = result.sets[name], _main_records(result, name)
    if not records or not len(data.test_images):
        return None
    truth = None if data.test_points is None else data.test_points[0]
    found = {
        record["method"]: _points(record["test"][record["kept"]][0])
        for record in records
    }
    shown = np.concatenate(list(found.values())) if truth is None else truth
    view = _View(data, data.test_images[0], shown)
    figure, axes = _blank_panels(len(found) + (truth is not None))
    if truth is not None:
        view.show(next(axes), f"truth: {len(truth)} cells", [(truth, DETECTION, "o")])
    for record in records:
        points = found[record["method"]]
        groups = [(points, DETECTION, "o")]
        title = f"{record['method']}: {len(points)}"
        if truth is not None:
            right, hit = match_points(points, truth, result.distance(record))
            groups = [
                (points[right], DETECTION, "o"),
                (np.delete(points, right, axis=0), WRONG, "x"),
                (np.delete(truth, hit, axis=0), MISSED, "s"),
            ]
            f1 = 2 * len(hit) / max(1, len(points) + len(truth))
            title = f"{record['method']}: F1 {f1:.2f}"
        view.show(next(axes), title, groups)
    meaning = [("cell", DETECTION, "o")]
    if truth is not None:
        meaning += [("not a cell", WRONG, "x"), ("missed", MISSED, "s")]
    return _finish(figure, axes, meaning)


def draw_rounds(result, name, method):
    """Draw the labels of each round on an enlarged part of a training image.

    None if the method has chosen no label there.
    """
    data = result.sets[name]
    records = [r for r in _main_records(result, name) if r["method"] == method]
    if not records or not records[0]["rounds"]:
        return None
    (record,) = records
    counts = [len(points) for points in record["rounds"][-1]["positives"]]
    index = int(np.argmax(counts))
    clicks = _points(record["clicks"][index])
    last = record["rounds"][-1]
    # Not where most of the background is: there is nothing to see there.
    cells = np.concatenate([clicks, _points(last["positives"][index])])
    view = _View(data, data.train_images[index], cells)
    figure, axes = _blank_panels(1 + len(record["rounds"]))
    view.show(next(axes), f"given: {len(clicks)} clicks", [(clicks, CLICK, "*")])
    truth = None if data.train_points is None else data.train_points[index]
    for number, labels in enumerate(record["rounds"], 1):
        labels = {kind: _points(points[index]) for kind, points in labels.items()}
        groups = _label_groups(labels, truth, data, result.distance(record))
        title = f"round {number}: {len(labels['positives'])} + "
        title += f"{len(labels['negatives'])} chosen"
        view.show(next(axes), title, [*groups, (clicks, CLICK, "*")])
    meaning = [
        ("click", CLICK, "*"),
        ("chosen as cell", DETECTION, "o"),
        ("chosen as background", BACKGROUND, "D"),
    ]
    if truth is not None:
        meaning += [
            ("wrongly as cell", WRONG, "o"),
            ("wrongly as background", WRONG, "D"),
        ]
    if "undecided" in last:
        meaning.append(("undecided", MISSED, "."))
    return _finish(figure, axes, meaning)


def _label_groups(labels, truth, data, distance):
    good = {kind: np.ones(len(points), bool) for kind, points in labels.items()}
    if truth is not None:
        good["positives"] = right_positives(labels["positives"], truth, distance)
        good["negatives"] = right_negatives(
            labels["negatives"], truth, data.cell_radius
        )
    groups = [(labels.get("undecided", np.zeros((0, 2))), MISSED, ".")]
    for kind, color, marker in (
        ("negatives", BACKGROUND, "D"),
        ("positives", DETECTION, "o"),
    ):
        groups.append((labels[kind][good[kind]], color, marker))
        groups.append((labels[kind][~good[kind]], WRONG, marker))
    return groups


class _View:
    """The enlarged part of an image."""

    def __init__(self, data, image, points):
        image = np.asarray(image)
        height, width = image.shape[:2]
        side = WINDOW * data.cell_radius
        self.size = np.minimum([side, side], [height, width])
        self.corner = _fullest(points, self.size, (height, width))
        self.radius = data.cell_radius
        self.picture = draw_points(image, [], data.cell_radius, zoom=1)

    def show(self, ax, title, groups):
        """Draw groups of (points, color, marker)."""
        ax.imshow(self.picture, interpolation="nearest")
        # The area of a marker is in points squared, of which 72 make an inch.
        scale = 72 * PANEL / self.size.max()
        for points, color, marker in groups:
            small = {".": 0.35, "D": 0.55, "*": 0.8, "x": 0.75}.get(marker, 1.0)
            area = (2 * self.radius * scale * small) ** 2
            hollow = marker in "osD"
            rgb = np.array(color) / 255
            for line, paint in ((2.6, "black"), (1.3, rgb)):  # a dark edge below
                ax.scatter(
                    points[:, 1],
                    points[:, 0],
                    s=area,
                    marker=marker,
                    linewidths=line,
                    alpha=0.5 if line > 2 else 1,
                    **(
                        {"facecolors": "none", "edgecolors": [paint]}
                        if hollow
                        else {"c": [paint]}
                    ),
                )
        top, left = self.corner
        ax.set_xlim(left - 0.5, left + self.size[1] - 0.5)
        ax.set_ylim(top + self.size[0] - 0.5, top - 0.5)
        ax.set_title(title, fontsize=9)


def _fullest(points, size, shape):
    """Return the corner of the window with the most points, on the image."""
    room = np.maximum(np.array(shape) - size, 0)
    if len(points) == 0:
        return room / 2
    corners = np.clip(points - size / 2, 0, room)
    inside = [
        ((points >= corner) & (points < corner + size)).all(axis=1).sum()
        for corner in corners
    ]
    return corners[int(np.argmax(inside))]


def _main_records(result, name):
    """Return the first finished record of each method on a set."""
    first = {}
    for record in result.records:
        method = record["method"]
        share = 1.0 if result.methods[method].labels == "all" else result.share
        usual = (
            record["share"] == share
            and record["clicking"] in ("random", None)
            and record["radius_factor"] == 1
            and record["parameter"] is None
        )
        if usual and record["set"] == name and record["status"] == "done":
            first.setdefault(method, record)
    return list(first.values())


def _points(lists):
    return np.reshape(np.asarray(lists, dtype=float), (-1, 2))


def _blank_panels(count):
    figure, axes = make_panels(count, MOST_COLUMNS, PANEL, PANEL + 0.25)
    for ax in axes:
        ax.set_axis_off()
    return figure, iter(axes)


def _finish(figure, axes, meaning):
    """Add the legend and return the picture."""
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
            label=text,
        )
        for text, color, marker in meaning
    ]
    legend = figure.legend(
        handles=handles, loc="outside lower center", ncols=3, fontsize=9
    )
    # White rings are to be seen in the legend, too.
    legend.get_frame().set(facecolor="#555", edgecolor="none")
    for text in legend.get_texts():
        text.set_color("white")
    return save_png(figure)
