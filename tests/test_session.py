"""A session: nothing that a person has said is lost, and all of it can be undone."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import tifffile

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.datasets import make_brightfield
from pseudocell.io import load_model, read_points
from pseudocell.session import Session
from pseudocell.session._model import SMALLEST_SAMPLE, labels_to_fit
from pseudocell.session._next_place import choose_place, describe_looks

RADIUS = 7


@pytest.fixture(scope="module")
def data():
    return make_brightfield(2, (80, 96), n_cells=12, random_state=0)


@pytest.fixture
def session(data, tmp_path):
    with Session.create(tmp_path / "project", data[0], RADIUS) as made:
        made.template = template()
        yield made


def template(max_steps=3):
    detector = HeatmapDetector(max_steps=max_steps, batch_size=2, n_nets=2)
    return PseudoLabelCellDetector(
        max_iter=1, detector=detector, featurizer=NNPUFeaturizer(max_steps=2),
        device="cpu", n_jobs=1, random_state=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A project with clicks and a model; tests copy what they change."""
    folder = tmp_path_factory.mktemp("trained") / "project"
    with Session.create(folder, data[0], RADIUS) as made:
        made.template = template()
        for i, points in enumerate(data[1]):
            made.set_points(i, points[:5], [])
        assert made.fit()
    return folder


def state(session):
    return [
        (one.clicks.tolist(), one.is_correction.tolist(), one.not_cells.tolist())
        for one in session._annotations
    ]


def on_disk(session):
    """What another process would read."""
    return [
        (one.clicks.tolist(), one.is_correction.tolist(), one.not_cells.tolist())
        for one in session._project.read_points(session.names)
    ]


# ------------------------------------------------------------------------- edits
def test_each_edit_is_on_the_disk_and_is_undone_and_redone(session):
    edits = [
        lambda: session.click(0, (10, 20.25)),
        lambda: session.click(1, (1 / 3, 40)),
        lambda: session.mark_not_cell(0, (50, 50)),
        lambda: session.remove(1, (2, 41)),
        lambda: session.click(0, (51, 50)),  # takes the mark back
        lambda: session.set_points(1, [(5, 5), (6, 30)], [(60, 60)]),
        lambda: session.mark_not_cell(1, (6, 31)),  # takes the click back
    ]
    states = [state(session)]
    for edit in edits:
        edit()
        states.append(state(session))
        assert on_disk(session) == states[-1]
    assert states[5][0] == ([[10, 20.25], [51, 50]], [False, False], [])
    assert states[7][1] == ([[5, 5]], [False], [[60, 60], [6, 31]])
    for expected in states[-2::-1]:
        session.undo()
        assert state(session) == on_disk(session) == expected
    assert (session.can_undo, session.undo()) == (False, None)
    for expected in states[1:]:
        session.redo()
        assert state(session) == on_disk(session) == expected
    assert (session.can_redo, session.redo()) == (False, None)
    session.undo()
    session.click(0, (70, 70))
    assert not session.can_redo


def test_undo_tells_which_image(session):
    session.click(0, (10, 10))
    session.click(1, (10, 10))
    assert (session.undo(), session.undo(), session.redo()) == (1, 0, 0)


@pytest.mark.parametrize("point", [(-0.6, 5), (79.5, 5), (5, 96), (np.nan, 5)])
def test_a_point_outside_is_one_sentence_and_changes_nothing(session, point):
    session.click(0, (5, 5))
    before = state(session)
    for edit in (session.click, session.mark_not_cell):
        with pytest.raises(ValueError, match="is outside of the image image_000.tif"):
            edit(0, point)
    with pytest.raises(ValueError, match="outside"):
        session.set_points(0, [(1, 1), point], [])
    assert state(session) == on_disk(session) == before


def test_nothing_is_removed_where_nothing_is_near(session):
    session.click(0, (5, 5))
    assert not session.remove(0, (5, 5 + RADIUS + 1))
    assert len(session.clicks[0]) == 1


def test_arrays_of_a_session_cannot_be_written(session):
    session.click(0, (5, 5))
    with pytest.raises(ValueError, match="read-only"):
        session.clicks[0][0] = 9


def test_points_of_files_are_added_in_one_step(session, tmp_path):
    table = tmp_path / "clicks.csv"
    table.write_text("image,row,col\nimage_000,9,8\nimage_001.tif,7,6\n")
    assert session.add_points(table) == 2
    assert [one.tolist() for one in session.clicks] == [[[9, 8]], [[7, 6]]]
    session.undo()
    assert not any(map(len, session.clicks))


# ----------------------------------------------------------------------- project
def test_a_project_is_opened_as_it_was(data, tmp_path):
    images = dict(zip("ab", data[0], strict=True))
    with Session.create(tmp_path / "p", images) as one:
        one.click(0, (1 / 3, 20))
        one.mark_not_cell(1, (30, 40))
        one.threshold, one.cell_radius = 0.4, 6.5
        before = state(one)
    with Session.open(tmp_path / "p") as other:
        assert state(other) == before
        assert other.names == ["a.tif", "b.tif"]
        assert (other.threshold, other.cell_radius) == (0.4, 6.5)
        for image, given in zip(other.images, data[0], strict=True):
            np.testing.assert_array_equal(image, given)


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 2), (20, 30, 3), (20, 30, 4)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_arrays_are_saved_as_they_are(tmp_path, shape, dtype):
    image = np.random.default_rng(0).integers(0, 99, shape).astype(dtype)
    with Session.create(tmp_path / "p", [image]) as session:
        np.testing.assert_array_equal(np.asarray(session.images[0]), image)


def test_points_of_stacks_go_back_to_their_frames(tmp_path):
    stack = np.random.default_rng(0).integers(0, 99, (3, 20, 30)).astype("uint8")
    axes = {"photometric": "minisblack", "metadata": {"axes": "TYX"}}
    tifffile.imwrite(tmp_path / "movie.tif", stack, **axes)
    with Session.create(tmp_path / "p", tmp_path / "movie.tif") as session:
        session.click(2, (5, 6))
        assert session.names[2] == "movie.tif[2]"
    with Session.open(tmp_path / "p") as session:
        assert [len(one) for one in session.clicks] == [0, 0, 1]
    table = read_points(tmp_path / "p" / "clicks.csv")
    assert table.points["movie.tif[2]"].tolist() == [[5, 6]]


def test_project_and_images_move_together(data, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    tifffile.imwrite(home / "a.tif", data[0][0])
    with Session.create(home / "p", home / "a.tif") as session:
        session.click(0, (5, 5))
    home.rename(tmp_path / "elsewhere")
    with Session.open(tmp_path / "elsewhere" / "p") as session:
        assert len(session.clicks[0]) == 1


def test_one_window_at_a_time(session):
    with pytest.raises(ValueError, match="is open in another window; close it there"):
        Session.open(session.folder)
    session.close()
    Session.open(session.folder).close()


def test_a_project_is_not_made_twice(session):
    session.click(0, (5, 5))
    session.close()
    with pytest.raises(ValueError, match="holds a project already; open it"):
        Session.create(session.folder, [np.zeros((9, 9))])
    with Session.open(session.folder) as again:
        assert len(again.clicks[0]) == 1


def replace_format(folder):
    path = folder / "project.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))


def damage(folder):
    (folder / "project.json").write_text("{")


def change_image(folder):
    path = folder / "images" / "image_001.tif"
    tifffile.imwrite(path, np.asarray(tifffile.imread(path))[::-1])


def remove_image(folder):
    (folder / "images" / "image_001.tif").unlink()


def add_bad_line(folder):
    with open(folder / "clicks.csv", "a") as file:
        file.write("nobody.tif,1,2,0\n")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (replace_format, "was written by a newer pseudocell .*; install the newest"),
        (damage, "is damaged: .*project.json is not as .* still in clicks.csv"),
        (change_image, "image_001.tif was changed since the project was saved; put"),
        (remove_image, "image_001.tif"),
        (add_bad_line, "clicks.csv, line 3, is not a point of an image .*; mend"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_lost(session, how, message):
    session.click(0, (5, 5))
    session.close()
    how(session.folder)
    files = {one: one.read_bytes() for one in session.folder.rglob("*.[cj]s*")}
    for _ in range(2):  # the lock is given back
        with pytest.raises(ValueError, match=message) as caught:
            Session.open(session.folder)
    assert "\n" not in str(caught.value)
    assert all(one.read_bytes() == content for one, content in files.items())


def test_a_changed_image_can_be_accepted(session):
    session.click(1, (5, 5))
    session.close()
    change_image(session.folder)
    with Session.open(session.folder, accept_changed=True) as again:
        assert len(again.clicks[1]) == 1
    Session.open(session.folder).close()


def test_an_image_that_changes_while_it_is_open_is_refused(session):
    session.click(0, (5, 5))
    change_image(session.folder)
    with pytest.raises(ValueError, match="was changed or removed while the project is"):
        session.fit()


KILLED = """
import sys
from pseudocell.session import Session
session = Session.open(sys.argv[1])
for number in range(10_000):
    session.click(0, (number % 80, number // 80))
    print(number, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_kill_loses_at_most_the_last_click(session):
    session.close()
    for moment in (1, 9):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(session.folder)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        for _ in range(moment):
            said = process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        said = (said + process.stdout.read()).split()
        process.wait()
        process.stdout.close()
        with Session.open(session.folder) as again:
            n_clicks = len(again.clicks[0])
            assert n_clicks in (int(said[-1]) + 1, int(said[-1]) + 2)
            again.set_points(0, [], [])


# ------------------------------------------------------------------------- model
def test_no_model_and_no_click_are_one_sentence_each(session):
    with pytest.raises(ValueError, match="There is no model yet; click some cells"):
        session.find(0)
    with pytest.raises(ValueError, match="Nothing is clicked yet"):
        session.fit()
    assert (session.has_model, session.threshold) == (False, None)


def test_the_model_of_a_project_is_that_of_the_estimator(data, trained):
    """Round by round, with a copy kept of each, nothing changes."""
    clicks = [points[:5] for points in data[1]]
    alone = template().set_params(cell_radius=RADIUS).fit(data[0], clicks)
    found = load_model(trained / "model.pseudocell").predict_scored(data[0])
    for one, other in zip(alone.predict_scored(data[0]), found, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_what_a_person_says_holds(trained):
    with Session.open(trained) as session:
        before, found = session.count(0), session.find(0)
        above = found.points[found.heights > session.threshold]
        free = [x for x in above if np.hypot(*(session.clicks[0] - x).T).min() > RADIUS]
        session.mark_not_cell(0, free[0])
        assert session.count(0) == before - 1
        session.threshold = 1e9
        points, chances = session.cells(0)
        np.testing.assert_array_equal(points, session.clicks[0])
        assert (chances == 1).all()
        session.threshold = None
        session.undo()
        assert session.count(0) == before


def test_clicks_are_corrections_once_one_has_seen_the_finds(trained):
    with Session.open(trained) as session:
        session.click(0, (1, 1))
        assert not session.corrections[0].any()
        session.undo()
        session.find(0)
        session.click(0, (1, 1))
        session.click(1, (1, 1))
        assert session.corrections[0].tolist() == [False] * 5 + [True]
        assert not session.corrections[1].any()
        index, point, _ = session.next_place(1)
        assert index == 1
        session.click(1, point)
        assert session.corrections[1].tolist() == [False] * 6 + [True]
        labels = labels_to_fit(session._annotations)
        assert [len(one) for one in labels["partial_points"]] == [5, 6]
        assert [len(one) for one in labels["positives"]] == [1, 1]
        for _ in range(3):
            session.undo()


def test_too_few_clicks_are_helped_out_by_corrections(trained):
    with Session.open(trained) as session:
        annotations = session._annotations[:1]
        assert len(annotations[0].clicks) < SMALLEST_SAMPLE
        changed = [annotations[0].with_click((1, 1), 1.0, True)]
        labels = labels_to_fit(changed)
        assert (len(labels["partial_points"][0]), len(labels["positives"][0])) == (6, 0)


@pytest.mark.parametrize("quick", [True, False])
def test_a_stopped_fit_keeps_the_last_good_model(trained, quick):
    with Session.open(trained) as session:
        session.template = template(max_steps=10_000)
        before, content = session.find(0), session.model.read_bytes()
        assert not session.fit(lambda fraction, text: fraction > 0, quick)
        assert session.model.read_bytes() == content
        assert session.find(0) is before


def test_another_thread_cancels(trained):
    with Session.open(trained) as session:
        session.template = template(max_steps=10_000)
        begun = threading.Event()
        other = threading.Thread(target=lambda: begun.wait(30) and session.cancel())
        other.start()
        assert not session.fit(lambda *_: begun.set())
        other.join()


def test_rounds_that_are_done_are_kept_where_there_was_no_model(data, session):
    for i, points in enumerate(data[1]):
        session.set_points(i, points[:5], [])
    assert session.fit(quick=True)
    assert session.is_quick
    assert not session.fit(lambda fraction, text: fraction > 0.6)
    assert (session.is_quick, session.model_number) == (False, 2)
    assert session.find(0)


def test_exports_are_the_cells(trained, tmp_path):
    with Session.open(trained) as session:
        for kind, name in {"csv": "a.csv", "geojson": "g", "roi": "r"}.items():
            session.export(tmp_path / name, kind)
            table = read_points(tmp_path / name).points
            counts = sorted(map(len, table.values()))
            assert counts == sorted(session.count(i) for i in range(2))


def test_a_folder_is_predicted_with_the_threshold_of_the_session(trained, tmp_path):
    with Session.open(trained) as session:
        heights = session.find(0).heights
        session.threshold = (heights[2] + heights[3]) / 2
        told = []
        source = trained / "images" / "image_000.tif"
        out = tmp_path / "out"
        assert session.predict_folder(source, out, lambda *x: told.append(x))
        assert told[-1][0] == 1
        assert len(read_points(out / "points.csv").points["image_000.tif"]) == 3
        # Once more is no more work, and no other model.
        assert session.predict_folder(source, out)
        session.threshold = None


# -------------------------------------------------------------------- next place
def place(chances, looks, answered=(), answered_looks=()):
    n = len(chances)
    points = 100.0 * np.column_stack([np.arange(n), np.zeros(n)])
    answered = np.reshape(np.asarray(answered, dtype=float), (-1, 2))
    its = np.reshape(np.asarray(answered_looks, dtype=float), (len(answered), 1))
    return choose_place(
        [points], [np.array(chances)], [np.array(looks, dtype=float)], [answered],
        [its], 7.0,
    )  # fmt: skip


def test_the_most_doubtful_of_alike_places_is_next():
    assert place([0.95, 0.1, 0.52, 0.8], [[0.0]] * 4)[:2] == (0, 2)


def test_a_look_of_many_comes_before_that_of_one():
    looks = [[9.0], [0.0], [0.1], [0.2], [0.0]]
    assert place([0.5] * 5, looks)[1] > 0


def test_a_look_that_was_answered_waits():
    looks = [[9.0], [0.0], [0.1], [0.2], [0.0]]
    _, number, _ = place([0.5] * 5, looks, answered=[(100, 0)], answered_looks=[[0.0]])
    assert number == 0


def test_what_is_answered_is_not_asked():
    answered = [(100.0 * i, 0) for i in range(3)]
    assert place([0.5] * 3, [[0.0]] * 3, answered, [[0.0]] * 3) is None


def test_looks_do_not_depend_on_turns_and_contrast():
    rng = np.random.default_rng(0)
    rows, cols = np.mgrid[:61, :61]
    image = np.hypot(rows - 30, cols - 30) + rng.normal(0, 0.01, (61, 61))
    points = np.array([[30.0, 30.0], [20.0, 35.0]])
    looks = describe_looks(image, points, 6)
    turned = np.column_stack([60 - points[:, 1], points[:, 0]])
    other = describe_looks(np.rot90(image) * 7 + 3, turned, 6)
    np.testing.assert_allclose(looks, other, atol=0.02)
    assert np.abs(looks[0] - looks[1]).max() > 0.1
