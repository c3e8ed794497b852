"""Figures 2 and 3: detections beside the truth, and pseudo labels by round, as PNG."""

import numpy as np

from pseudocell._geometry._matching import match_points
from pseudocell._geometry._peaks import are_far
from pseudocell.benchmark._scores import right_negatives, right_positives
from pseudocell.benchmark._view import View, inside, window_of

__all__ = ["draw_detections", "draw_rounds"]

# Test images among which the part that is shown is chosen, evenly spread.
MOST_IMAGES = 10


def draw_detections(result, name):
    """Draw a typical part of a test image: the truth, and each method beside it.

    Of all parts around a cell that with the median F1, mean over the methods, is
    shown; without truth that with the median number of detections. Returned are the
    picture and in words what is seen; None if there is no test image, or no method is
    finished on the set called `name`.
    """
    data, records = result.sets[name], _main_records(result, name)
    if not records or not len(data.test_images):
        return None
    n_images = len(data.test_images)
    some = np.linspace(0, n_images - 1, min(n_images, MOST_IMAGES)).astype(int)
    marked = {
        index: [_mark(result, data, record, index) for record in records]
        for index in some
    }
    index, corner = _typical(data, marked)
    known = data.test_points is not None
    image = data.test_images[index]
    view = View(image, data.cell_radius, corner, len(records) + known)
    if known:
        truth = data.test_points[index]
        n_cells = inside(truth, corner, view.size).sum()
        view.show(f"truth: {n_cells} cells\n", {"cell": truth})
    for record, groups in zip(records, marked[index], strict=True):
        title = _title(result, record["method"])
        n_found, f1 = _score(groups, corner, view.size)
        score = f"F1 {f1:.2f}" if known else f"{n_found} found"
        view.show(f"{title}\n{score}", groups)
    return view.finish()


def draw_rounds(result, name, method):
    """Draw the labels of each round on a part of a training image, as Fig. 3 does.

    In iteration k are shown what its detector finds there, and which pseudo labels the
    next one learns from. Returned are the picture and in words what is seen; None if
    the method has chosen no label.
    """
    data = result.sets[name]
    records = [r for r in _main_records(result, name) if r["method"] == method]
    if not records or not records[0]["rounds"]:
        return None
    (record,) = records
    index, corner = _most_kinds(data, record, result.distance(record))
    clicks = _points(record["clicks"][index])
    stages = _stages(data, record, index, result.distance(record))
    view = View(data.train_images[index], data.cell_radius, corner, 1 + len(stages))
    n_clicks = int(inside(clicks, corner, view.size).sum())
    view.show(f"given\n{n_clicks} click{'s' * (n_clicks != 1)}", {"click": clicks})
    for number, groups in enumerate(stages):
        chosen, others, undecided = (
            inside(groups[kind], corner, view.size).sum()
            for kind in (
                "chosen as cell",
                "chosen as background",
                "detected, not chosen",
            )
        )
        title = f"iteration {number}\n{chosen} cells, {others} background, "
        view.show(f"{title}{undecided} open", {**groups, "click": clicks})
    return view.finish()


def _mark(result, data, record, index):
    """Return the finds of a method by their kinds, and the cells that it misses."""
    points = _points(record["test"][record["kept"]][index])
    nothing = points[:0]
    if data.test_points is None:
        return {"cell": points, "not a cell": nothing, "missed": nothing}
    truth = data.test_points[index]
    right, hit = match_points(points, truth, result.distance(record))
    return {
        "cell": points[right],
        "not a cell": np.delete(points, right, axis=0),
        "missed": np.delete(truth, hit, axis=0),
    }


def _score(groups, corner, size):
    """Return how many are found in a part, and the F1 there."""
    right, wrong, missed = (
        inside(groups[kind], corner, size).sum()
        for kind in ("cell", "not a cell", "missed")
    )
    return right + wrong, 2 * right / max(1, 2 * right + wrong + missed)


def _typical(data, marked):
    """Return the image and the corner of the part to show."""
    found, values = [], []
    known = data.test_points is not None
    kinds = ("cell", "missed") if known else ("cell",)
    for index, of_methods in marked.items():
        shape = np.asarray(data.test_images[index]).shape
        size = window_of(shape, data.cell_radius)
        centres = np.concatenate([g[kind] for g in of_methods for kind in kinds])
        for corner in _corners(centres, size, shape):
            scores = [_score(groups, corner, size) for groups in of_methods]
            n_found, f1 = np.mean(scores, axis=0)
            found.append((index, corner))
            values.append(f1 if known else n_found)
    values = np.array(values)
    return found[int(np.argmin(np.abs(values - np.median(values))))]


def _most_kinds(data, record, distance):
    """Return the training image and the corner of the part with most kinds of points.

    Of several it is the one with the median number of points.
    """
    found, kinds, counts = [], [], []
    for index, clicks in enumerate(record["clicks"]):
        clicks = _points(clicks)
        stages = _stages(data, record, index, distance)
        shape = np.asarray(data.train_images[index]).shape
        size = window_of(shape, data.cell_radius)
        last = stages[-1]
        centres = np.concatenate([clicks, last["chosen as cell"]])
        for corner in _corners(centres, size, shape):
            there = [
                [
                    inside(points, corner, size).sum()
                    for points in (clicks, *groups.values())
                ]
                for groups in stages
            ]
            found.append((index, corner))
            kinds.append(np.count_nonzero(there))
            counts.append(np.sum(there))
    kinds, counts = np.array(kinds), np.array(counts)
    most = np.flatnonzero(kinds == kinds.max())
    middle = np.median(counts[most])
    return found[most[int(np.argmin(np.abs(counts[most] - middle)))]]


def _stages(data, record, index, distance):
    """Return, for each iteration, the points of an image by their kinds."""
    labels = [
        {kind: _points(points[index]) for kind, points in one.items()}
        for one in record["rounds"]
    ]
    clicks, stages = _points(record["clicks"][index]), []
    truth = None if data.train_points is None else data.train_points[index]
    for number, found in enumerate(record["train"]):
        # After the last training nothing more is chosen.
        its = labels[min(number, len(labels) - 1)]
        chosen = its["positives"], its["negatives"]
        known = np.concatenate([clicks, *chosen])
        found = _points(found[index])
        wrong = [points[:0] for points in chosen]
        if truth is not None:
            right = (
                right_positives(chosen[0], truth, distance),
                right_negatives(chosen[1], truth, data.cell_radius),
            )
            wrong = [p[~good] for p, good in zip(chosen, right, strict=True)]
        stages.append(
            {
                "detected, not chosen": found[are_far(found, known, data.cell_radius)],
                "chosen as background": chosen[1],
                "chosen as cell": chosen[0],
                "wrongly chosen": np.concatenate(wrong),
            }
        )
    return stages


def _corners(centres, size, shape):
    """Return the corners of the parts around points, on the image."""
    room = np.maximum(np.array(shape[:2]) - size, 0)
    if len(centres) == 0:
        return [np.floor(room / 2)]
    corners = np.clip(np.round(centres - size / 2), 0, np.floor(room))
    return np.unique(corners, axis=0)


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


def _title(result, method):
    """Return the name of a method, with the paper's in brackets."""
    in_paper = result.methods[method].in_paper
    return f"{method} ({in_paper})" if in_paper else method


def _points(lists):
    return np.reshape(np.asarray(lists, dtype=float), (-1, 2))
