"""pseudocell predict: from images and a saved detector to points, counts, overlays."""

import math
import warnings
from contextlib import closing
from itertools import islice

from joblib import effective_n_jobs

from pseudocell._stopping import expect_steps, take_step
from pseudocell.cli._found_points import FoundPoints
from pseudocell.cli._goal import at_goal, calibration_of
from pseudocell.cli._pixel_size import radii_for, with_radius
from pseudocell.cli._report import check_report, save_report
from pseudocell.cli._results import (
    is_whole_picture,
    overlay_files,
    write_layers,
    write_picture,
    write_results,
)
from pseudocell.cli._terminal import Stopped, counted, progress, say, tell
from pseudocell.io import load_model, read_ahead, read_images
from pseudocell.io._content import hash_content, stamp
from pseudocell.io._names import shorten
from pseudocell.io._output import prepare_folder, saved_together
from pseudocell.plotting import draw_points

__all__ = ["run_predict", "use_machine"]

# Pixels in work at a time, and as many read ahead, in bytes: images that are larger
# than that are taken one by one, however many cores there are.
BATCH_BYTES = 2**29


def run_predict(
    sources,
    model,
    output,
    overlays,
    device,
    n_jobs,
    restart=False,
    cell_radius=None,
    reading=None,
    report=None,
    precision=None,
    recall=None,
):
    """Find the cells in images, and write what was found.

    What is found in an image is written before the next ones are looked at. A second
    run goes on where the first has stopped.

    Parameters
    ----------
    sources : sequence of str
        Folders, files and patterns of images.
    model : str
        File of the detector.
    output : str
        Folder for the results.
    overlays : bool
        Whether to draw the points on the images.
    device : str
        Where to compute.
    n_jobs : int
        Processor cores.
    restart : bool, default=False
        Whether to forget what was found before.
    cell_radius : float, optional
        Radius of a cell in these images, in pixels.
    reading : Reading, optional
        How image files are read that leave it open.
    report : str, optional
        File for a report.
    precision, recall : float, optional
        What the threshold is chosen for, if not for the best balance of both.
    """
    from pseudocell._inference import choose_device

    folder = prepare_folder(output)
    choose_device(device)
    detector = load_model(model)
    use_machine(detector, device=device, n_jobs=n_jobs, verbose=0)
    wanted = at_goal(detector, precision, recall)
    images = read_images(sources, reading)
    radii = radii_for(detector, images, cell_radius)
    check_report(report, radii)
    with FoundPoints(folder / "found.jsonl", model, restart) as found:
        run = _Run(folder, images, found, overlays, radii)
        calibration = calibration_of(wanted)
        run.probability = calibration and calibration.probability
        if wanted is not detector:
            detector = wanted
            run.how = f" threshold {detector.threshold_:.6g}"
        stopped = False
        with saved_together():
            try:
                run.find(detector, n_jobs)
            except KeyboardInterrupt:
                stopped = True
            run.write()
        run.report(stopped)
        save_report(report, detector, *run.done())


class _Run:
    """The images of one call, and which of them are done."""

    def __init__(self, folder, images, found, overlays, radii):
        self.folder, self.images, self.found = folder, images, found
        self.pictures = overlay_files(folder / "overlays", images) if overlays else {}
        self.stamps = {path: stamp(path) for path in {one.path for one in images}}
        self.states = {}
        self.radii = dict(zip((image.label for image in images), radii, strict=True))
        self.failed = []
        self.probability, self.how = None, ""

    def find(self, detector, n_jobs):
        """Find the cells in the images that are left, and write them at once."""
        left = [image for image in self.images if not self._is_finished(image)]
        if len(left) < len(self.images):
            say(f"{len(self.images) - len(left)} of {len(self.images)} done before.")
        if not left:
            return
        size = _batch_size(left, n_jobs)
        steps = expect_steps(len(left), "Finding cells")
        with steps, closing(read_ahead(left, size)) as coming:
            for batch in progress(_batches(left, size), len(left), "Finding cells"):
                self._find_in(batch, list(islice(coming, len(batch))), detector)

    def write(self):
        """Write the tables and layers of all that is done."""
        done = self._done()
        if done:
            labels = [image.label for image in done]
            found = map(self.found.read, labels)
            write_results(self.folder, labels, found, self.probability)
            write_layers(self.folder / "napari", done, self.found)

    def report(self, stopped):
        """Say what was found, what was left out, and how to go on."""
        done, n_images = self._done(), len(self.images)
        if self.failed:
            left_out = f"{len(self.failed)} of {n_images} images left out: "
            left_out += f"{shorten(self.failed)}."
            if len(self.failed) == n_images:
                raise ValueError(left_out)
            warnings.warn(left_out, stacklevel=2)
        if stopped:
            where = f"their points are in {self.folder}; run it again to go on"
            where = where if done else "nothing was written"
            raise Stopped(f"Stopped after {len(done)} of {n_images} images; {where}.")
        n_points = sum(self.found.count(image.label) for image in done)
        where = self.folder / "points.csv"
        found_in = counted(len(done), "image")
        tell(f"{counted(n_points, 'cell')} in {found_in}: {where}")

    def done(self):
        """Return the images that are done, no clicks or truth, radii and counts."""
        done = self._done()
        labels = [image.label for image in done]
        radii = [self.radii[label] for label in labels]
        return done, None, None, radii, [self.found.count(label) for label in labels]

    def _find_in(self, images, pixels, detector):
        """Find the cells in a few images; their pixels are forgotten afterwards."""
        for radius in sorted({self.radii[image.label] for image in images}):
            here = [
                i for i, one in enumerate(images) if self.radii[one.label] == radius
            ]
            self._find_alike(
                [images[i] for i in here],
                [pixels[i] for i in here],
                with_radius(detector, radius),
            )

    def _find_alike(self, images, pixels, detector):
        """Find the cells in images with cells of one size."""
        for index, points, scores in _detect(detector, images, pixels, self.failed):
            label, path = images[index].label, images[index].path
            state = self._state(images[index])
            # Stamped, read, hashed and stamped again, or its points could be those of
            # another content, as while a microscope still writes.
            if state is None or stamp(path) != self.stamps[path]:
                self.failed.append(f"{label} (it was changed while it was read)")
                continue
            if self.pictures:
                picture = draw_points(pixels[index], points, detector.cell_radius_)
                write_picture(self.pictures[label], picture)
            self.found.add(label, state, points, scores)
            take_step()

    def _done(self):
        return [image for image in self.images if self._is_done(image)]

    def _is_done(self, image):
        state = self.found.state(image.label)
        return state is not None and state == self._state(image)

    def _is_finished(self, image):
        picture = self.pictures.get(image.label)
        return self._is_done(image) and (picture is None or is_whole_picture(picture))

    def _state(self, image):
        """Return what tells an image from others: content, and how it is searched."""
        content = self._content(image.path)
        if content and image.mask is not None:
            content = f"{content} {self._content(image.mask.path)}"
        radius = self.radii[image.label]
        return content and f"{content} {image.how} {radius:.6g}{self.how}"

    def _content(self, path):
        """Return what tells the content of a file from others; None if it is gone."""
        if path not in self.states:
            try:
                self.states[path] = hash_content(path)
            except OSError:
                self.states[path] = None
        return self.states[path]


def use_machine(detector, **settings):
    """Set what depends on the machine, on a detector and on its fitted parts.

    Parameters
    ----------
    detector : estimator
        Fitted.
    **settings
        Parameters; those that an estimator does not have are left out.
    """
    while detector is not None:
        known = detector.get_params(deep=False)
        known = {name: settings[name] for name in settings if name in known}
        detector = getattr(detector.set_params(**known), "detector_", None)


def _batch_size(images, n_jobs):
    """Return one image for each core, fewer of images that are large."""
    largest = max(math.prod(one.shape) * one.dtype.itemsize for one in images)
    return max(1, min(effective_n_jobs(n_jobs), BATCH_BYTES // largest))


def _batches(images, size):
    """Cut a list into pieces."""
    return [images[start : start + size] for start in range(0, len(images), size)]


def _detect(detector, images, pixels, failed):
    """Return (index, points, scores) of the images that can be used."""
    try:
        found = detector.predict_scored(pixels)
    except ValueError as error:
        if len(images) == 1:
            reason = str(error).replace("images[0]", "it").rstrip(".")
            failed.append(f"{images[0].label} ({reason})")
            return []
        pairs = zip(images, pixels, strict=True)
        one_by_one = [_detect(detector, [one], [its], failed) for one, its in pairs]
        return [
            (index, points, scores)
            for index, found in enumerate(one_by_one)
            for _, points, scores in found
        ]
    return [(index, *one) for index, one in enumerate(found)]
