"""The sections of the page, as the template takes them."""

import numpy as np

from pseudocell._geometry._matching import match_points
from pseudocell.metrics import MATCHING_DISTANCE, detection_scores
from pseudocell.report._look import count_all
from pseudocell.report._measure import join
from pseudocell.report._pictures import close_up, cut_picture, fullest_part, mark
from pseudocell.report._plots import (
    plot_chances,
    plot_counts,
    plot_heights,
    plot_measures,
    plot_threshold,
)

__all__ = [
    "certainty_section",
    "count_section",
    "finds_section",
    "measure_section",
    "score_section",
    "training_section",
    "uncertain_finds",
]

# Images with pictures, rows of the table, and finds with a picture each.
MOST_PICTURES, MOST_ROWS, MOST_DOUBTS = 4, 200, 20
# By how many pixels a click in a file may differ from the one that was learnt.
ROUNDING = 0.5


def count_section(detector, looks, names, counts):
    """Return how many cells there are in each image and in all of them."""
    by_index = {look.index: look for look in looks}
    listed = list(counts)[:MOST_ROWS]
    rows = []
    for index in listed:
        look = by_index.get(index)
        number = look.number if look is not None else None
        rows.append((index + 1, names[index], counts[index], number))
    calibration = getattr(detector, "calibration_", None)
    numbers = [row[3] for row in rows]
    values = np.array([*counts.values()])
    return {
        "rows": rows,
        "has_numbers": calibration is not None,
        "total": None if calibration is None else count_all(calibration, looks),
        "n_left": len(counts) - len(rows),
        "plot": plot_counts(values, numbers) if len(counts) > 1 else None,
        "median": float(np.median(values)),
        "range": (int(values.min()), int(values.max())),
    }


def score_section(detector, looks, truth):
    """Return the scores against all cells; None if these are not known."""
    known = _with_truth(looks, truth)
    if not known:
        return None
    distance = MATCHING_DISTANCE * detector.cell_radius_
    true = [truth[look.index] for look in known]
    return detection_scores(true, [look.points for look in known], distance)


def _with_truth(looks, truth):
    if truth is None:
        return []
    return [look for look in looks if truth[look.index] is not None]


def training_section(detector, images, looks, clicks):
    """Return pictures of the clicks and of what each round has chosen.

    None without clicks. The rounds are known if the detector was fitted on them.
    """
    if clicks is None or not any(map(len, clicks)):
        return None
    rounds = getattr(detector, "rounds_", []) if _is_of_fit(detector, clicks) else []
    found = {look.index: look for look in looks}
    order = sorted(found, key=lambda index: -len(clicks[index]))
    pictures = [
        _training_picture(detector, images, found[index], clicks[index], rounds)
        for index in order[:MOST_PICTURES]
        if len(clicks[index])
    ]
    table = [
        (
            one.number,
            *(
                sum(map(len, getattr(one.labels, kind)))
                for kind in ("clicks", "positives", "negatives", "undecided")
            ),
            one.n_candidates,
            f"{one.seconds:.0f}",
        )
        for one in rounds
    ]
    n_clicked = sum(len(some) > 0 for some in clicks)
    return {
        "pictures": pictures,
        "rounds": table,
        "n_clicks": sum(map(len, clicks)),
        "n_clicked": n_clicked,
    }


def _is_of_fit(detector, clicks):
    """Whether clicks are those of the fit, but for what a file has rounded."""
    fitted = getattr(detector, "clicks_", [])
    return len(fitted) == len(clicks) and all(
        len(some) == len(others) and np.allclose(some, others, rtol=0, atol=ROUNDING)
        for some, others in zip(fitted, clicks, strict=True)
    )


def _training_picture(detector, images, look, clicks, rounds):
    radius, image = detector.cell_radius_, images[look.index]
    labels = [one.labels for one in rounds]
    chosen = [one.positives[look.index] for one in labels[1:]]
    window = fullest_part(image.shape, np.concatenate([clicks, *chosen]), radius)
    picture = cut_picture(image, window)
    clicked = mark("click", picture, clicks, radius)
    panels = [("Clicked", [clicked])]
    for number, one in enumerate(labels[1:], start=1):
        kinds = ("undecided", "negative", "positive")
        lists = (one.undecided, one.negatives, one.positives)
        marks = [
            mark(kind, picture, points[look.index], radius)
            for kind, points in zip(kinds, lists, strict=True)
        ]
        panels.append((f"Chosen in round {number}", [*marks, clicked]))
    found = mark("found", picture, look.points, radius)
    panels.append(("Found", [found, clicked]))
    return _figure(f"train-{look.index}", look, picture, image, panels)


def finds_section(detector, images, looks, truth, training):
    """Return pictures of images with few, usual and many finds, but those shown."""
    radius = detector.cell_radius_
    shown = {one["name"] for one in training["pictures"]} if training else set()
    order = [look for look in looks if truth is not None or look.name not in shown]
    order.sort(key=lambda look: len(look.points))
    at = np.linspace(0, len(order) - 1, min(len(order), MOST_PICTURES - 1), dtype=int)
    figures = []
    for look in (order[position] for position in at):
        image = images[look.index]
        window = fullest_part(image.shape, look.points, radius)
        picture = cut_picture(image, window)
        groups = [("found", look.points)]
        if _with_truth([look], truth):
            cells, distance = truth[look.index], MATCHING_DISTANCE * radius
            there, right = match_points(cells, look.points, distance)
            wrong = np.delete(look.points, right, axis=0)
            missed = np.delete(cells, there, axis=0)
            groups = [
                ("found", look.points[right]),
                ("wrong", wrong),
                ("missed", missed),
            ]
        marks = [mark(kind, picture, points, radius) for kind, points in groups]
        panels = [("The image", []), ("Found", marks)]
        figures.append(_figure(f"found-{look.index}", look, picture, image, panels))
    return figures


def _figure(key, look, picture, image, panels):
    return {
        "key": key,
        "name": look.name,
        "picture": picture,
        "is_part": picture.shape != tuple(image.shape[:2]),
        "panels": panels,
        "n_found": len(look.points),
    }


def certainty_section(detector, looks, truth):
    """Return what is known of how sure the finds are."""
    calibration = getattr(detector, "calibration_", None)
    threshold = float(detector.threshold_)
    heights = np.concatenate([look.heights for look in looks])
    section = {
        "threshold": threshold,
        "precision": None,
        "recall": None,
        "plots": [],
    }
    if calibration is not None:
        section["precision"] = float(calibration.precision(threshold))
        section["recall"] = float(calibration.recall(threshold))
        section["plots"].append(
            (
                "Expected precision and recall by threshold.",
                plot_threshold(calibration, threshold, heights),
            )
        )
        heights = np.concatenate([look.candidates[1] for look in looks])
    chances = None if calibration is None else calibration.probability(heights)
    caption = "How probably a candidate of each height is a cell."
    if calibration is None:
        caption = "Heights of the cells found. How probable each is, is not known."
    section["plots"].append((caption, plot_heights(heights, chances, threshold)))
    known = _with_truth(looks, truth)
    if calibration is not None and sum(len(look.candidates[1]) for look in known):
        is_cell = [_is_cell(detector, look, truth[look.index]) for look in known]
        said = calibration.probability(
            np.concatenate([look.candidates[1] for look in known])
        )
        section["plots"].append(
            (
                "Reliability: of the candidates of each expected share, how many are "
                "cells in truth; bars are intervals of 90 %.",
                plot_chances(np.asarray(said), np.concatenate(is_cell)),
            )
        )
    return section


def _is_cell(detector, look, cells):
    points, distance = look.candidates[0], MATCHING_DISTANCE * detector.cell_radius_
    is_cell = np.zeros(len(points), dtype=bool)
    is_cell[match_points(cells, points, distance)[1]] = True
    return is_cell


def uncertain_finds(detector, images, looks):
    """Return the least certain finds, each with a picture."""
    finds = [
        (height, look, number)
        for look in looks
        for number, height in list(enumerate(look.heights))[-MOST_DOUBTS:]
    ]
    finds.sort(key=lambda find: find[0])
    doubts = []
    for height, look, number in finds[:MOST_DOUBTS]:
        point, radius = look.points[number], detector.cell_radius_
        picture = close_up(images[look.index], point, radius)
        chance = None if look.chances is None else float(look.chances[number])
        doubts.append(
            {
                "name": look.name,
                "picture": picture,
                "mark": mark("found", picture, point, radius),
                "place": tuple(round(float(x)) for x in point),
                "height": float(height),
                "chance": chance,
            }
        )
    return doubts


def measure_section(looks):
    """Return plots of size and intensity, and their quartiles; None without cells."""
    kinds = {}
    for kind in ("found", "clicked"):
        parts = [look.measures[kind] for look in looks if kind in look.measures]
        if sum(len(part.radii) for part in parts):
            kinds[kind] = join(parts)
    if not kinds:
        return None
    labels = {"radii": "radius in pixels", "intensities": "intensity in grey values"}
    plots, rows = [], []
    for name, label in labels.items():
        groups = {kind: getattr(its, name) for kind, its in kinds.items()}
        plots.append((label.capitalize(), plot_measures(groups, label)))
        for kind, values in groups.items():
            quartiles = [f"{x:.4g}" for x in np.percentile(values, (25, 50, 75))]
            rows.append((f"{label.capitalize()}, {kind}", len(values), *quartiles))
    return {"plots": plots, "rows": rows}
