"""A page for a lab notebook, in one file that needs no other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from pseudocell._images import Images, check_clicked
from pseudocell._validation import ListLike
from pseudocell.io._output import prepare_folder, whole_file
from pseudocell.report._advice import advise
from pseudocell.report._look import choose_images, look_at
from pseudocell.report._origin import settings_of, versions_here
from pseudocell.report._sections import (
    certainty_section,
    count_section,
    finds_section,
    measure_section,
    score_section,
    training_section,
    uncertain_finds,
)

__all__ = ["check_extras", "write_report"]


def write_report(
    path: str | Path,
    detector: Any,
    images: ListLike,
    points: Sequence[ArrayLike] | None = None,
    truth: Sequence[ArrayLike] | None = None,
    names: Sequence[str] | None = None,
    command: str | None = None,
    counts: Sequence[int] | None = None,
) -> Path:
    """Write what a detector was told, what it finds, and how sure that is.

    The page shows the clicks and what was chosen from round to round, the counts with
    their intervals, the expected precision and recall, the least certain finds, size
    and intensity of the cells, what is to be doubted and what to do about it, and all
    that is needed to do it again. It is one HTML file with everything in it.

    Parameters
    ----------
    path : str or path
        The file; its folder is made if it is not there.
    detector : estimator
        A fitted detector. What it does not have (rounds, `calibration_`) the page says
        is not known.
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images to look at; items may be lazy. Of more than 200, those with clicks
        and others spread evenly are looked at.
    points : sequence of array-like of shape (n_i, 2), optional
        The clicks on these images as (row, col) in pixels. If they are those of the
        fit, the page shows what was chosen in each round.
    truth : sequence of array-like of shape (m_i, 2) or None, optional
        All cells of these images, None for an image where they are not known: the page
        then has scores, and how true the probabilities are.
    names : sequence of str, optional
        Names of the images. By default the label of an `ImageFile`, or its number.
    command : str, optional
        What made the detector or the page, to be repeated.
    counts : sequence of int, optional
        How many cells were found in each image, where that is known before: then all
        images count, however many.

    Returns
    -------
    page : pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If an argument is not as described, no image can be used, the file cannot be
        written, or Matplotlib or Jinja2 is missing.
    NotFittedError
        If the detector is not fitted.

    Examples
    --------
    >>> import os
    >>> import tempfile
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.datasets import make_brightfield
    >>> from pseudocell.report import write_report
    >>> images, points = make_brightfield(1, (96, 96), n_cells=6, random_state=0)
    >>> detector = BlobDetector(cell_radius=8).fit(images, points)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "a.html")
    ...     page = write_report(path, detector, images, points)
    ...     page.read_text(encoding="utf-8").startswith("<!doctype html>")
    True
    """
    check_extras()
    check_is_fitted(detector)
    page = Path(path)
    prepare_folder(page.parent)
    raw, images = images, Images(images)
    names = _check_names(names, raw)
    clicks = points
    if points is not None:
        clicks = check_clicked(images, points, "points", needed=False)
    truth = _check_truth(images, truth)
    if counts is not None and len(counts) != len(images):
        raise ValueError(
            f"counts has {len(counts)} items for {len(images)} images; expected one "
            "for each image."
        )
    given = enumerate([] if clicks is None else clicks)
    wanted = [index for index, some in given if np.size(some)]
    chosen = choose_images(len(images), wanted)
    looks, failed = look_at(detector, images, chosen, names, clicks)
    if not looks:
        reason = failed[0][1]
        raise ValueError(f"No image can be used for the report: {reason}")
    text = _render(
        detector, images, names, looks, failed, clicks, truth, command, counts
    )
    with whole_file(page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return page


def check_extras() -> None:
    """Raise a ValueError if no report can be made; call it before the long work.

    Raises
    ------
    ValueError
        If Matplotlib or Jinja is not installed.
    """
    for package in ("matplotlib", "jinja2"):
        try:
            import_module(package)
        except ImportError as error:
            raise ValueError(
                f"A report needs {package}, which is not installed: "
                "pip install 'pseudocell[report]'."
            ) from error


def _check_truth(images, truth):
    """Check the cells, which need not be known of each image."""
    if truth is None:
        return None
    known = [one is not None for one in truth]
    some = [() if one is None else one for one in truth]
    checked = check_clicked(images, some, "truth", needed=False)
    return [
        one if is_known else None for one, is_known in zip(checked, known, strict=True)
    ]


def _check_names(names, images):
    if names is None:
        return [
            getattr(images[index], "label", f"images[{index}]")
            if isinstance(images, list | tuple)
            else f"images[{index}]"
            for index in range(len(images))
        ]
    if len(names) != len(images):
        raise ValueError(
            f"names has {len(names)} items for {len(images)} images; expected one for "
            "each image."
        )
    return [*map(str, names)]


def _render(detector, images, names, looks, failed, clicks, truth, command, counts):
    from jinja2 import Environment, StrictUndefined

    seen = {look.index: len(look.points) for look in looks}
    counts = dict(enumerate(map(int, counts))) if counts is not None else seen
    template = resources.files("pseudocell.report") / "report.html"
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    training = training_section(detector, images, looks, clicks)
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        n_images=len(images),
        n_seen=len(looks),
        total=sum(counts.values()),
        n_counted=len(counts),
        radius=f"{detector.cell_radius_:.3g}",
        when=datetime.now().astimezone().strftime("%d %B %Y, %H:%M"),
        warnings=advise(detector, looks, failed, names, counts),
        counting=count_section(detector, looks, names, counts),
        scores=score_section(detector, looks, truth),
        training=training,
        finds=finds_section(detector, images, looks, truth, training),
        certainty=certainty_section(detector, looks, truth),
        doubts=uncertain_finds(detector, images, looks),
        measures=measure_section(looks),
        settings=settings_of(detector),
        versions=versions_here(),
        command=command or _in_python(detector),
    )


def _in_python(detector):
    return f"detector = {detector!r}\ndetector.fit(images, points)"
