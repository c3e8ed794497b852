"""What takes long, for a thread of its own: nothing here knows of layers or widgets."""

from pathlib import Path
from typing import NamedTuple

from pseudocell.session import Found

__all__ = [
    "Look",
    "ask_place",
    "export",
    "learn",
    "look",
    "run_on_folder",
    "write_report",
]

# Share of the progress that each part of learning gets.
FIRST, THEN = 0.15, 0.85
STOPPED = "Stopped; the last model stays."


def learn(work, session, number):
    """Train a model, show a first answer at once, and look at all images at the end.

    Parameters
    ----------
    work : Work
        Gets what is found in each image.
    session : Session
        Whose clicks are learned from.
    number : int
        The image that is looked at first.

    Returns
    -------
    said : str
        How it ended.
    """
    start = 0.0
    if not session.has_model:
        start = FIRST
        if not session.fit(_part(work, 0, FIRST), quick=True):
            return STOPPED
        look(work, session, number)
    before = session.model_number
    is_finished = session.fit(_part(work, start, THEN))
    if session.model_number != before and not is_finished:
        # The rounds that are done are a better model than the first answer.
        look(work, session, number)
    if not is_finished:
        return STOPPED
    n_images = len(session.names)
    order = [number, *(i for i in range(n_images) if i != number)]
    for place, i in enumerate(order):
        if work.report(THEN + (1 - THEN) * place / n_images, "Looking at the images"):
            return STOPPED
        look(work, session, i)
    return "Correct what is wrong, or ask for the next place."


def look(work, session, number):
    """Hand out what the model finds in an image, unless it is stopped."""
    found = session.find(number, lambda fraction, text: work.is_stopped)
    if found is not None:
        look = Look(number, found, session.threshold, session.model_number)
        work.arrived.emit(look)


class Look(NamedTuple):
    """What a model finds in an image.

    Attributes
    ----------
    number : int
        The image.
    found : Found
        All places that may be cells.
    threshold : float
        Height above which they are.
    model_number : int
        Which of the models of the session it was.
    """

    number: int
    found: Found
    threshold: float
    model_number: int


def ask_place(work, session):
    """Return what shows the place to look at next on a desk."""
    work.report(0, "Choosing a place")
    place = session.next_place()
    return lambda desk: desk.ask(place)


def export(work, session, path, kind):
    """Write the cells of all images in a format; return where they are."""
    work.report(0, "Looking at the images")
    paths = session.export(path, kind)
    n_cells = sum(session.count(i) for i in range(len(session.names)))
    where = paths[0] if len(paths) == 1 else f"{len(paths)} files in {path}"
    return f"{n_cells} cells: {where}"


def run_on_folder(work, session, folder, out):
    """Find the cells in a folder of images; return where the table is."""
    if not session.predict_folder(folder, out, work.report):
        return f"Stopped; what is done is in {out}, and the same again goes on."
    return f"The table is {Path(out) / 'points.csv'}, counts.csv lies beside it."


def write_report(work, session, path):
    """Write a page about the model and what it finds; return where it is."""
    from pseudocell import report

    work.report(0, "Writing the report")
    report.write_report(
        path, session.detector, session.images, session.clicks, names=session.names
    )
    return f"The report is {path}."


def _part(work, start, stop):
    """Return a listener for a part of the work."""
    return lambda share, text: work.report(start + share * (stop - start), text)
