"""A person at the plugin of napari, simulated by mouse: clicks, corrects, exports.

    xvfb-run -a -s "-screen 0 1600x1000x24" \
        python experiments/napari_session.py SET -o OUT [--steps 60] [--radius 12]

SET holds ``images`` and ``points.csv`` with all cells, from which the clicks are drawn.
Prints the F1 score on all images after each step, and saves a picture of each.
``--kills 20`` starts the same again and again instead, kills it at a random moment, and
counts the clicks that are lost.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from pseudocell.io import points_for_images, read_images, read_points
from pseudocell.metrics import detection_scores

N_CLICKS, N_ASKED = 20, 10
WINDOW = (1300, 860)
PATIENCE = 3000  # seconds, of the longest training


def main():
    """Do what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("set")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--radius", type=float)
    parser.add_argument("--distance", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args()
    if options.kills:
        kill_often(options)
    else:
        Person(options).work()


class Since:
    """A stopwatch, which also knows how much the processor has worked."""

    def __init__(self):
        self.start, self.work = time.perf_counter(), time.process_time()

    def __str__(self):
        wall, work = time.perf_counter() - self.start, time.process_time() - self.work
        return f"{wall:.1f} s ({work:.1f} s of a processor)"


class Person:
    """Somebody who knows where the cells are, and has a mouse."""

    def __init__(self, options):
        import napari
        from qtpy.QtWidgets import QApplication

        self.options, self.app = options, QApplication.instance()
        self.folder = Path(options.output)
        self.folder.mkdir(parents=True, exist_ok=True)
        os.environ["HOME"] = str(self.folder.resolve())
        paths = read_images(str(Path(options.set) / "images"))
        self.images = paths
        self.truth = points_for_images(
            read_points(Path(options.set) / "points.csv"), paths
        )
        self.rng = np.random.default_rng(options.seed)
        self.viewer = napari.Viewer()
        self.app = QApplication.instance()
        self.viewer.window._qt_window.resize(*WINDOW)
        self.n_clicked = self.n_pictures = 0

    def work(self):
        """Go from an empty window to files for other programs."""
        since = Since()
        _, self.panel = self.viewer.window.add_plugin_dock_widget("pseudocell")
        self.wait(0.2)
        print(f"the panel is open after {since}")
        self.picture("empty")
        # As arrays: the project is then in the folder of the output, whole.
        for image in self.images:
            self.viewer.add_image(np.asarray(image), name=Path(image.name).stem)
        self.wait(1)
        self.desk = self.panel.desk
        self.order = [self.find_image(name) for name in self.desk.session.names]
        self.prepare()
        self.click_some()
        self.picture("clicked")
        self.find("first answer", wants_first=True)
        self.answer_some()
        self.find("second answer")
        self.correct()
        self.score("corrected")
        self.picture("corrected")
        self.export()
        self.panel.stop()
        self.viewer.close()

    def find_image(self, name):
        """Return which image of the set one of the project is."""
        stems = [Path(image.name).stem for image in self.images]
        return stems.index(Path(name).stem)

    def prepare(self):
        """Make the trainings shorter, if that is wanted."""
        from pseudocell import HeatmapDetector, PseudoLabelCellDetector

        options, session = self.options, self.desk.session
        if options.radius:
            session.cell_radius = options.radius
        if options.steps:
            part = HeatmapDetector(n_nets=2, held_out="places", max_steps=options.steps)
            session.template = PseudoLabelCellDetector(
                max_iter=1, detector=part, random_state=0
            )

    def click_some(self):
        """Click cells at random, spread over all images."""
        cells = [(i, p) for i, k in enumerate(self.order) for p in self.truth[k]]
        chosen = self.rng.choice(len(cells), N_CLICKS, replace=False)
        for number, point in sorted((cells[i] for i in chosen), key=lambda one: one[0]):
            if number != self.desk.number:
                self.panel.show_image(number)
                self.wait(0.1)
            self.click("clicks", point)

    def find(self, title, wants_first=False):
        """Press Find every cell, and look at what comes first and last."""
        since = Since()
        self.press("Find every cell")
        if wants_first:
            self.wait(PATIENCE, lambda: self.desk.finds)
            print(f"first rings after {since}", flush=True)
            self.picture("first rings")
        self.wait(PATIENCE, lambda: not self.panel.work.is_running)
        print(f"{title} after {since}", flush=True)
        self.score(title)
        self.picture(title)

    def answer_some(self):
        """Answer where the panel asks, by the buttons."""
        for number in range(N_ASKED):
            if number == 0:
                self.press("Next place")
            self.wait(PATIENCE, lambda: not self.panel.work.is_running)
            if self.desk.asked is None:
                break
            if number == 2:
                self.picture("next place")
            image, point, _ = self.desk.asked
            near = np.hypot(*(self.truth[self.order[image]] - point).T).min(initial=99)
            self.press("A cell" if near <= self.options.distance else "No cell")
            self.note()
        self.wait(PATIENCE, lambda: not self.panel.work.is_running)

    def correct(self):
        """Mark what is wrong and click what is missing, in the image on the canvas."""
        number = self.desk.number
        truth, distance = self.truth[self.order[number]], self.options.distance
        self.press("Click what is none")
        found = self.viewer.layers["found"]
        for point in np.array(found.data):
            if np.hypot(*(truth - point).T).min(initial=np.inf) > distance:
                self.click("not cells", point)
        self.press("Click cells")
        for point in truth:
            cells = self.desk.cells(number)[0]
            if np.hypot(*(cells - point).T).min(initial=np.inf) > distance:
                self.click("clicks", point)

    def export(self):
        """Write for Fiji and QuPath, and read both back."""
        from qtpy.QtWidgets import QFileDialog

        for kind in ("roi", "geojson"):
            folder = self.folder / kind
            QFileDialog.getExistingDirectory = lambda *_, to=folder: str(to)
            self.panel.export(kind)
            self.wait(PATIENCE, lambda: not self.panel.work.is_running)
            table = read_points(folder)
            points = points_for_images(table, self.desk.session.names)
            pairs = [(self.desk.cells(i)[0], some) for i, some in enumerate(points)]
            same = all(len(one) == len(other) for one, other in pairs)
            apart = max(
                np.abs(one[np.lexsort(one.T)] - other[np.lexsort(other.T)]).max()
                for one, other in pairs
            )
            print(f"{kind}: {sum(map(len, points))} cells, same {same}, {apart:.3f} px")

    # The hand

    def click(self, name, point):
        """Click with the mouse on a point of the image."""
        from qtpy.QtCore import QPoint, Qt
        from qtpy.QtTest import QTest

        layer, native = self.viewer.layers[name], self.canvas
        camera = getattr(self.viewer, "scene", self.viewer).camera
        away = np.asarray(layer.data_to_world(point))[-2:] - camera.center[-2:]
        row, col = away * camera.zoom + np.array([native.height(), native.width()]) / 2
        place = QPoint(round(col), round(row))
        QTest.mouseMove(native, place)
        QTest.mouseClick(native, Qt.LeftButton, Qt.NoModifier, place)
        self.wait(0.02)
        self.note()

    @property
    def canvas(self):
        """The widget that the image is drawn on."""
        return self.viewer.window._qt_viewer.canvas.native

    def press(self, name):
        """Press a button of the panel."""
        self.panel.buttons[name].click()
        self.wait(0.05)

    def note(self):
        """Say how many clicks the person has made, for whoever kills this."""
        session = self.desk.session
        n_marks = sum(map(len, [*session.clicks, *session.not_cells]))
        print(f"marks {n_marks} in {session.folder}", file=sys.stderr, flush=True)

    def wait(self, seconds, until=None):
        """Let the window work."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end and not (until and until()):
            self.app.processEvents()
            time.sleep(0.005)

    def score(self, title):
        """Print the F1 score on all images."""
        points = [self.desk.cells(i)[0] for i in range(self.desk.n_images)]
        truth = [self.truth[k] for k in self.order]
        its = detection_scores(truth, points, self.options.distance)
        print(
            f"{title}: F1 {its.f1:.3f}, precision {its.precision:.3f}, recall "
            f"{its.recall:.3f}, {its.n_predicted} of {its.n_true} cells",
            flush=True,
        )

    def picture(self, title):
        """Save a picture of the window."""
        self.wait(0.3)
        self.n_pictures += 1
        name = f"{self.n_pictures}_{title.replace(' ', '_')}.png"
        self.viewer.screenshot(str(self.folder / name), canvas_only=False, flash=False)


def kill_often(options):
    """Kill the same work at random moments, and count the clicks that are lost."""
    from pseudocell.session import Session

    rng = np.random.default_rng(options.seed)
    worst = 0
    for number in range(options.kills):
        with tempfile.TemporaryDirectory() as folder:
            line = [sys.executable, "-W", "ignore", __file__, options.set, "-o", folder]
            line += ["--steps", str(options.steps or 5), "--seed", str(number)]
            line += ["--radius", str(options.radius)] if options.radius else []
            work = subprocess.Popen(
                line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            said = next((one for one in work.stderr if one.startswith("marks")), "")
            seconds = rng.choice([rng.uniform(0, 2), rng.uniform(0, 25)])
            time.sleep(seconds)
            work.send_signal(signal.SIGKILL)
            said = [said, *(one for one in work.stderr if one.startswith("marks"))][-1]
            work.wait()
            n_marks, where = said.split()[1], said.split(" in ", 1)[1].strip()
            with Session.open(where) as session:
                n_kept = sum(map(len, [*session.clicks, *session.not_cells]))
            worst = max(worst, int(n_marks) - n_kept)
            print(f"{number}: killed after {seconds:.1f} s, {n_marks} marks, {n_kept}")
    print(f"At most {worst} clicks were lost in {options.kills} kills.")


if __name__ == "__main__":
    main()
