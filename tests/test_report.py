"""The report: what the page says is what was found, and it needs no other file."""

from html.parser import HTMLParser

import numpy as np
import pytest
from cells import draw_discs, draw_squares
from click.testing import CliRunner
from numpy.testing import assert_allclose
from PIL import Image
from scipy import ndimage
from sklearn.base import BaseEstimator

from pseudocell._detection._mixin import DetectorMixin
from pseudocell._labels import Labels
from pseudocell._rounds import Round
from pseudocell.cli import main
from pseudocell.io import _plain, save_model
from pseudocell.metrics import detection_scores
from pseudocell.report import _write, write_report
from pseudocell.report._look import MOST_IMAGES
from pseudocell.report._measure import measure_cells
from pseudocell.report._pictures import fullest_part
from pseudocell.report._plots import DEVIATIONS, wilson

SHAPE = (48, 64)
POINTS = [np.array([(10, 10), (20, 40)]), np.array([(30, 20), (8, 50), (40, 55)])]
IMAGES = [draw_squares(SHAPE, points) for points in POINTS]


class Known:
    """A calibration: half of the finds of height 0.5 are cells, all of height 1."""

    def probability(self, heights):
        return np.asarray(heights, dtype=float)

    def precision(self, threshold):
        return 0.75

    def recall(self, threshold):
        return 0.9

    def count(self, heights):
        return sum(heights), sum(heights) - 1, sum(heights) + 1


class Spots(DetectorMixin, BaseEstimator):
    """Find bright squares, without training."""

    cell_radius_, threshold_ = 3.0, 0.4

    def __init__(self, n_jobs=1, device="cpu", tag="a<b"):
        self.n_jobs = n_jobs
        self.device = device
        self.tag = tag

    def fit(self, images, points):
        self.fitted_ = True
        return self

    def find_candidates(self, images, threshold=0.0):
        found = []
        for image in images:
            pixels = np.asarray(image)
            if pixels.max() == 255:
                raise ValueError(f"images[{image.index}] is burnt out.")
            spots, n_spots = ndimage.label(pixels > 100)
            points = ndimage.center_of_mass(spots, spots, range(1, n_spots + 1))
            heights = np.linspace(1, 0.5, n_spots)
            found.append((np.reshape(points, (-1, 2)), heights))
        return found


class Page(HTMLParser):
    """What is in a page: its text, its elements, and their attributes."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.text = [], ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] != "style":
            self.text += f" {data}"

    def labels(self):
        return [its["aria-label"] for _, its in self.elements if "aria-label" in its]


@pytest.fixture
def detector():
    return Spots().fit(IMAGES, POINTS)


@pytest.fixture
def report(tmp_path, detector):
    def write(images=IMAGES, *args, **kwargs):
        its = kwargs.pop("detector", detector)
        return Page(write_report(tmp_path / "r.html", its, images, *args, **kwargs))

    return write


def with_rounds(detector, clicks):
    """Give a detector the record of a fit with one round."""
    first = Labels.from_clicks(clicks)
    chosen = [[(5.0, 5.0)], [(6.0, 6.0), (7.0, 30.0)]]
    none = [np.zeros((0, 2)) for _ in clicks]
    second = Labels(clicks, [*map(np.array, chosen)], none, none)
    detector.clicks_ = clicks
    detector.rounds_ = [Round(0, first, detector, None, 0, 1.0)]
    detector.rounds_.append(Round(1, second, detector, none, 0, 1.0))
    return detector


def test_page_needs_no_other_file(report, detector):
    detector.calibration_ = Known()
    page = report(IMAGES, POINTS, POINTS)
    for _, its in page.elements:
        for name in ("src", "href", "action", "data"):
            assert its.get(name, "#").startswith(("data:", "#"))
    assert "url(" not in page.source
    assert "@import" not in page.source


def test_every_picture_is_told_in_words(report, detector):
    detector.calibration_ = Known()
    page = report(IMAGES, POINTS, POINTS)
    assert all(its["alt"] for tag, its in page.elements if tag == "img")
    for tag, its in page.elements:
        if tag == "svg":
            assert its.get("aria-label") or its.get("aria-hidden") == "true"


def test_names_and_settings_with_html_are_text(report):
    name = "<script>alert('$x$')</script>&.tif"
    page = report(IMAGES, names=[name, "b"], command=f"pseudocell '{name}'")
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.text.count(name) >= 2
    assert "'a<b'" in page.text


def test_counts_are_those_found(report):
    page = report(IMAGES, names=["first.png", "second.png"])
    assert "5 cells in 2 images" in page.text
    assert "1 first.png 2" in page.text
    assert "2 second.png 3" in page.text


def test_estimates_are_those_of_the_calibration(report, detector):
    detector.calibration_ = Known()
    # Heights 1 and 0.5; 1, 0.75 and 0.5.
    page = report(IMAGES, names=["a", "b"])
    assert "1 a 2 2 0 2" in page.text.replace("1.5", "2")
    assert "2 b 3 2 1 3" in page.text
    assert "3–5 cells, 9 times in 10" in page.text
    assert "0.75 expected precision" in page.text
    assert "The expected precision is 0.75 only." in page.text


def test_without_calibration_nothing_is_made_up(report):
    page = report()
    assert "expected precision" not in page.text
    assert "How sure each find is was not measured" in page.text


def test_scores_are_those_against_the_truth(report, detector):
    truth = [POINTS[0][:1], np.vstack([POINTS[1], [(20.0, 20.0)]])]
    page = report(IMAGES, truth=truth)
    found = [points for points, _ in detector.find_candidates(IMAGES)]
    scores = detection_scores(truth, found, 1.25 * detector.cell_radius_)
    assert f"{scores.f1:.2f} F1 against the truth" in page.text
    assert "images[0], Found: 1 found, 1 wrong, 0 missed" in page.labels()
    assert "images[1], Found: 3 found, 0 wrong, 1 missed" in page.labels()


def test_images_without_truth_are_not_scored(report):
    page = report(IMAGES, truth=[POINTS[0], None])
    assert "1.00 F1 against the truth" in page.text
    assert "images[1], Found: 3 found" in page.labels()


def test_rounds_are_shown_for_the_clicks_of_the_fit(report, detector):
    clicks = [points[:1].astype(float) for points in POINTS]
    with_rounds(detector, clicks)
    rounded = [points + 0.3 for points in clicks]  # as a file may hold them
    shown = report(IMAGES, rounded).labels()
    wanted = "0 undecided, 0 chosen as no cells, 2 chosen as cells, 1 clicked"
    assert f"images[1], Chosen in round 1: {wanted}" in shown


def test_rounds_of_other_clicks_are_not_shown(report, detector):
    with_rounds(detector, [points[:1].astype(float) for points in POINTS])
    page = report(IMAGES, POINTS)
    assert "not fitted on just these clicks" in page.text
    assert not any("Chosen in round" in label for label in page.labels())


def test_one_image_without_a_cell(report):
    page = report([np.zeros(SHAPE, np.uint8)])
    assert "0 cells in 1 image" in page.text
    assert "No cell was found in images[0]." in page.text


def test_thousands_of_images_in_bounded_time_and_size(report):
    read = []

    class Lazy:
        shape = SHAPE

        def __init__(self, index):
            self.index = index

        def __array__(self, dtype=None, copy=None):
            read.append(self.index)
            return IMAGES[self.index % 2]

    images = [Lazy(index) for index in range(5000)]
    counts = [2 + index % 2 for index in range(5000)]
    clicks = [np.zeros((0, 2)) for _ in images]
    clicks[4321] = POINTS[1]
    page = report(images, clicks, names=[*map(str, range(5000))], counts=counts)
    assert len(set(read)) == MOST_IMAGES
    assert 4321 in read
    assert len(page.source) < 3e6
    assert "12,500 cells in 5,000 images" in page.text
    assert "200 of the 5,000 images were looked at" in page.text
    assert "4,800 more images" in page.text


def test_an_image_that_cannot_be_used_is_named(report):
    burnt = np.full(SHAPE, 255, np.uint8)
    page = report([IMAGES[0], burnt], names=["good", "bad"])
    assert "bad could not be used: images[1] is burnt out." in page.text
    assert "2 cells in 1 image" in page.text
    with pytest.raises(ValueError, match=r"No image can be used.*images\[0\] is burnt"):
        report([burnt])


def test_an_odd_image_is_named(report):
    rng = np.random.default_rng(0)
    counts = [*rng.poisson(100, 20), 5]
    images = [IMAGES[0]] * 21
    page = report(images, names=[f"n{i}" for i in range(21)], counts=counts)
    assert "The counts of n20 are far from" in page.text


def test_why_the_rounds_ended_is_said(report, detector):
    detector.termination_condition_ = "odd_clicks"
    assert "The clicked cells stand out" in report().text


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"names": ["a"]}, "names has 1 items for 2 images"),
        ({"counts": [1]}, "counts has 1 items for 2 images"),
        ({"truth": [POINTS[0]]}, "truth has 1"),
        ({"points": [[(99, 0)], ()]}, r"points\[0\]"),
    ],
)
def test_arguments_that_do_not_fit(report, argument, message):
    with pytest.raises(ValueError, match=message):
        report(IMAGES, **argument)


def test_a_missing_package_is_said_in_one_sentence(report, monkeypatch):
    def import_nothing(name):
        raise ImportError(name)

    monkeypatch.setattr(_write, "import_module", import_nothing)
    with pytest.raises(ValueError, match=r"pip install 'pseudocell\[report\]'"):
        report()


@pytest.mark.parametrize("radius", [4, 9])
@pytest.mark.parametrize("height", [-50, 80])
def test_size_and_intensity_of_discs(radius, height):
    points = np.array([(40.0, 30.0), (40.0, 80.0)])
    image = 100 + height * draw_discs((80, 110), points, radius)
    sizes, intensities = measure_cells(image, points, cell_radius=6)
    assert_allclose(sizes, radius, atol=0.6)
    assert_allclose(intensities, 100 + height)


def test_the_fullest_part_has_the_most_points():
    points = np.array([(5, 5), (90, 90), (95, 95), (92, 97)])
    (row, col), shape = fullest_part((100, 100, 3), points, 2.0, side=10)
    assert shape == (20, 20)
    inside = (points >= (row, col)) & (points < np.add((row, col), shape))
    assert inside.all(axis=1).sum() == 3


def test_wilson_interval_ends_where_the_share_is_just_not_unlikely():
    share, *ends = wilson(7, 20)
    for end in ends:
        assert_allclose(abs(share - end), DEVIATIONS * np.sqrt(end * (1 - end) / 20))


@pytest.fixture
def plate(tmp_path, monkeypatch, detector):
    """Make a folder of images, their points, and a model of a detector."""
    for name, image in zip("ab", IMAGES, strict=True):
        (tmp_path / "plate").mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / "plate" / f"{name}.png")
    rows = [f"{n}.png,{r},{c}" for n, p in zip("ab", POINTS, strict=True) for r, c in p]
    (tmp_path / "all.csv").write_text("\n".join(["image,row,col", *rows]))
    model = tmp_path / "m.pseudocell"
    monkeypatch.setitem(_plain.OBJECTS, "Spots", __name__)
    save_model(detector, model)
    return tmp_path


def test_commands_write_the_page_with_the_command(plate):
    files = [plate / "plate", "-m", plate / "m.pseudocell"]
    page, other = plate / "my report.html", plate / "p.html"
    args = ["report", *files, "-o", page, "-p", plate / "all.csv"]
    more = ["predict", *files, "-o", plate / "out", "--report", other]
    for command in (args, more):
        done = CliRunner().invoke(main, [*map(str, command)])
        assert done.exit_code == 0, done.output
        assert "Report: " in done.output
    text = Page(page).text
    assert f"pseudocell report {plate / 'plate'}" in text
    assert f"-o '{page}'" in text
    assert "5 cells were clicked in 2 images" in text
    counts = [row.split(",") for row in (plate / "out/counts.csv").read_text().split()]
    assert f"1 a.png {counts[1][-1]}" in Page(other).text


def test_a_page_that_cannot_be_is_refused_before_the_work(plate):
    command = ["predict", plate / "plate", "-m", plate / "m.pseudocell"]
    command += ["-o", plate / "out", "--report", plate]
    done = CliRunner().invoke(main, [*map(str, command)])
    assert done.exit_code == 2
    assert "is a folder; expected a file name" in done.output
    assert not (plate / "out" / "points.csv").exists()
