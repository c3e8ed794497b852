"""F1 against the number of answers, for suggested places and for random clicks.

A person is simulated from the truth, in a session as the plugin has it. Both ways begin
with the same random clicks. One then clicks more cells at random; the other answers
the places that the session suggests: a click on the cell, or a mark "not a cell".
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell._geometry._matching import match_points
from pseudocell.io import points_for_images, read_images, read_points
from pseudocell.session import Session


def main():
    """Measure each set, and print a line a step."""
    options = read_options()
    warnings.simplefilter("ignore")
    print("| set | seed | way | answers | F1 | cells | no cells |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for folder, radius, distance in map(parse_set, options.sets):
        for seed in range(options.seeds):
            for way in ("random", "suggested"):
                for row in walk(folder, radius, distance, seed, way, options):
                    cells = [folder.name, str(seed), way, *row]
                    print("| " + " | ".join(cells) + " |", flush=True)


def walk(folder, radius, distance, seed, way, options):
    """Yield what a session has reached after each step."""
    train, truth = load(folder, "train")
    test, wanted = load(folder, "test")
    rng = np.random.default_rng(seed)
    with (
        tempfile.TemporaryDirectory() as place,
        Session.create(Path(place) / "p", [i.path for i in train], radius) as session,
    ):
        session.template = new_detector(seed, options)
        click_at_random(session, truth, options.step, rng)
        for n_answers in range(options.step, options.most + 1, options.step):
            if n_answers > options.step and way == "random":
                click_at_random(session, truth, options.step, rng)
            elif n_answers > options.step:
                answer(session, truth, options.step, distance)
            session.fit()
            f1 = score(session.detector, test, wanted, distance)
            cells = sum(map(len, session.clicks))
            marks = sum(map(len, session.not_cells))
            yield str(n_answers), f"{f1:.3f}", str(cells), str(marks)


def click_at_random(session, truth, number, rng):
    """Click cells that nobody has clicked, each as likely as any other."""
    clicked = [{tuple(point) for point in some} for some in session.clicks]
    free = [
        (i, point)
        for i, some in enumerate(truth)
        for point in some
        if tuple(point) not in clicked[i]
    ]
    for one in rng.permutation(len(free))[:number]:
        session.click(*free[one])


def answer(session, truth, number, distance):
    """Answer suggested places as somebody who knows."""
    for _ in range(number):
        i, point, _ = session.next_place()
        away = np.hypot(*(truth[i] - point).T)
        clicked = {tuple(one) for one in session.clicks[i]}
        nearest = truth[i][away.argmin()] if len(away) else point
        if away.min(initial=np.inf) <= distance and tuple(nearest) not in clicked:
            session.click(i, nearest)
        else:
            session.mark_not_cell(i, point)


def score(detector, images, truth, distance):
    """Return F1 over all images."""
    found = detector.predict(images)
    pairs = zip(found, truth, strict=True)
    hits = sum(len(match_points(some, cells, distance)[0]) for some, cells in pairs)
    return 2 * hits / (sum(map(len, found)) + sum(map(len, truth)))


def load(folder, part):
    """Return the images of a part of a set, and all their cells."""
    images = read_images(folder / part / "images")
    table = read_points(folder / part / "points.csv")
    return images, points_for_images(table, images)


def new_detector(seed, options):
    """Return what is trained; fewer steps than by default are quicker and worse."""
    steps = options.max_steps
    if steps is None:
        return PseudoLabelCellDetector(random_state=seed, n_jobs=options.jobs)
    detector = HeatmapDetector(
        n_nets=2,
        held_out="places",
        warm_start=True,
        max_steps=steps,
        warm_steps=steps,
        max_epochs=15,
    )
    return PseudoLabelCellDetector(
        max_iter=1,
        detector=detector,
        featurizer=NNPUFeaturizer(max_steps=steps),
        random_state=seed,
        n_jobs=options.jobs,
    )


def parse_set(text):
    """Split FOLDER:RADIUS:DISTANCE."""
    folder, radius, distance = text.rsplit(":", 2)
    return Path(folder), float(radius), float(distance)


def read_options():
    """Read the options from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="FOLDER:RADIUS:DISTANCE")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--step", type=int, default=10, help="answers between fits")
    parser.add_argument("--most", type=int, default=40, help="answers at the end")
    parser.add_argument("--max-steps", type=int, help="of each net, and one round only")
    parser.add_argument("--jobs", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
