"""pseudocell demo: the whole loop on synthetic images, a tenth of the cells clicked."""

import numpy as np

from pseudocell.cli._fit import new_detector
from pseudocell.cli._results import overlay_files, write_picture, write_results
from pseudocell.cli._terminal import Stopped, say, table_line, tell
from pseudocell.datasets import drop_points, make_brightfield
from pseudocell.io import read_images, save_model
from pseudocell.io._output import prepare_folder, write_table
from pseudocell.metrics import detection_scores
from pseudocell.plotting import (
    CLICK,
    DETECTION,
    MISSED,
    WRONG,
    draw_matches,
    draw_panels,
    draw_points,
)

__all__ = ["run_demo"]

N_CLICKED, N_UNSEEN = 4, 4
SHAPE, N_CELLS, CELL_RADIUS = (384, 384), 60, 8
FRACTION = 0.1
# Of a match, in pixels: one cell radius.
MAX_DISTANCE = float(CELL_RADIUS)
COLUMNS = (
    "iteration",
    "positives",
    "negatives",
    "candidates",
    "found",
    "precision",
    "recall",
    "F1",
)
KINDS = ("positive", "negative", "candidates")
WIDTHS = [max(6, len(name)) for name in COLUMNS]


def run_demo(output, seed, device, n_jobs):
    """Make images, fit on a few clicks, and report on unseen images.

    Parameters
    ----------
    output : str
        Folder for everything.
    seed : int
        Seed of the images and of the detector.
    device : str
        Where to compute.
    n_jobs : int
        Processor cores.
    """
    from pseudocell._inference import choose_device

    folder = prepare_folder(output)
    choose_device(device)
    try:
        clicked, clicks, unseen, truth = _make_images(folder, seed)
        say(
            f"Looking for {N_CELLS} cells in each of {len(clicked)} images, of which "
            f"{sum(map(len, clicks)) // len(clicks)} are clicked"
        )
        detector = new_detector(
            cell_radius=CELL_RADIUS, device=device, n_jobs=n_jobs, random_state=seed
        )
        detector.fit(clicked, clicks)
        save_model(detector, folder / "model.pseudocell")
        stages = _report_stages(detector, unseen, truth)
        _draw_overview(folder, clicked[0], clicks[0], unseen[0], truth[0], stages)
        _write_found(folder, detector, unseen)
    except KeyboardInterrupt as error:
        raise Stopped(f"Stopped; what is finished is in {folder}.") from error
    model, images = folder / "model.pseudocell", folder / "images" / "unseen"
    tell(f"Look at {folder / 'overview.png'} and {folder / 'iterations.png'}")
    tell(f"Try: pseudocell predict {images} -m {model} -o {folder / 'again'}")


def _make_images(folder, seed):
    """Write images, clicks and truth, and return the images as files."""
    images, points = make_brightfield(
        N_CLICKED + N_UNSEEN,
        SHAPE,
        n_cells=N_CELLS,
        cell_radius=CELL_RADIUS,
        random_state=seed,
    )
    clicks = drop_points(points[:N_CLICKED], FRACTION, random_state=seed)
    truth = points[N_CLICKED:]
    clicked = _write_images(folder / "images" / "clicked", images[:N_CLICKED])
    unseen = _write_images(folder / "images" / "unseen", images[N_CLICKED:])
    _write_clicks(folder / "clicks.csv", clicked, clicks)
    _write_clicks(folder / "truth.csv", unseen, truth)
    return clicked, clicks, unseen, truth


def _write_images(folder, images):
    prepare_folder(folder)
    files = [folder / f"{folder.name}_{n + 1}.png" for n in range(len(images))]
    for file, image in zip(files, images, strict=True):
        write_picture(file, image, is_drawn=False)
    return read_images(files)


def _write_clicks(path, images, points):
    rows = (
        [image.name, f"{row:.2f}", f"{col:.2f}"]
        for image, some in zip(images, points, strict=True)
        for row, col in some
    )
    write_table(path, ["image", "row", "col"], rows)


def _report_stages(detector, unseen, truth):
    """Print a line for each iteration; return its points and scores."""
    n_cells = sum(map(len, truth))
    tell(
        f"{len(unseen)} unseen images with {n_cells} cells; scores at a matching "
        f"distance of {MAX_DISTANCE:g} px"
    )
    tell(table_line(COLUMNS, WIDTHS))
    stages = []
    for points, record in zip(
        detector.staged_predict(unseen), detector.history_, strict=True
    ):
        scores = detection_scores(truth, points, MAX_DISTANCE)
        counts = [record.get(f"n_{kind}") for kind in KINDS]
        cells = [record["iteration"], *counts, scores.n_predicted]
        ratios = (scores.precision, scores.recall, scores.f1)
        tell(table_line([*cells, *map(float, ratios)], WIDTHS))
        stages.append((points, scores))
    return stages


def _draw_overview(folder, clicked, clicks, unseen, truth, stages):
    """Draw the clicks beside the result, and the iterations beside each other."""
    found, _ = stages[-1]
    right = detection_scores([truth], [found[0]], MAX_DISTANCE)
    n_wrong = right.n_predicted - right.n_matched
    panels = [
        draw_points(clicked, clicks, CELL_RADIUS, CLICK),
        draw_points(unseen, found[0], CELL_RADIUS),
    ]
    captions = [
        (
            "A few clicks in",
            f"{len(clicks)} of {N_CELLS} cells, in each of {N_CLICKED} images",
        ),
        (
            "All cells out",
            f"{right.n_matched} of {len(truth)} and {n_wrong} wrong on a new image",
        ),
    ]
    write_picture(folder / "overview.png", draw_panels(panels, captions))
    panels = [
        draw_matches(unseen, truth, points[0], CELL_RADIUS, MAX_DISTANCE)
        for points, _ in stages
    ]
    captions = [
        (
            "Before pseudo labels" if number == 0 else f"Iteration {number}",
            f"F1 {scores.f1:.2f}, precision {scores.precision:.2f}, "
            f"recall {scores.recall:.2f}",
        )
        for number, (_, scores) in enumerate(stages)
    ]
    legend = [(DETECTION, "found"), (WRONG, "wrong"), (MISSED, "missed")]
    figure = draw_panels(panels, captions, legend=legend)
    write_picture(folder / "iterations.png", figure)


def _write_found(folder, detector, images):
    found = detector.predict_scored(images)
    write_results(folder, [image.label for image in images], found)
    files = overlay_files(folder / "overlays", images)
    for image, (points, _) in zip(images, found, strict=True):
        picture = draw_points(np.asarray(image), points, CELL_RADIUS)
        write_picture(files[image.label], picture)
