"""Further images come into a project, and nothing of those before is lost."""

import numpy as np
import pytest

from pseudocell.session import Session

RNG = np.random.default_rng(0)


def noise(size=40):
    return RNG.integers(0, 255, (size, size), dtype=np.uint8)


def test_points_and_undo_follow_their_image(tmp_path):
    with Session.create(tmp_path / "one", {"m": noise()}) as session:
        session.click(0, (3, 4))
        session.click(0, (20, 30))
        # Natural order: one before, one after.
        assert session.add_images({"a": noise(), "z": noise()}) == [1]
        assert session.names == ["a.tif", "m.tif", "z.tif"]
        np.testing.assert_array_equal(session.clicks[1], [(3, 4), (20, 30)])
        assert session.undo() == 1
        session.click(2, (7, 7))
    with Session.open(tmp_path / "one") as session:
        assert [len(some) for some in session.clicks] == [0, 1, 1]


def test_what_is_there_is_neither_added_nor_replaced(tmp_path):
    first = noise()
    with Session.create(tmp_path / "one", {"m": first}) as session:
        path = session.images[0].path
        assert session.add_images([path]) == [0]
        assert session.names == ["m.tif"]
        with pytest.raises(ValueError, match="the name m"):
            session.add_images({"m": noise()})
        np.testing.assert_array_equal(session.images[0], first)


def test_two_files_of_one_name_keep_their_points(tmp_path):
    paths = []
    for folder in "ab":
        with Session.create(tmp_path / folder, {"m": noise()}) as other:
            paths.append(other.images[0].path)
    with Session.create(tmp_path / "both", paths[1:]) as session:
        session.click(0, (3, 4))
        session.add_images(paths[:1])
        assert session.names == ["a/images/m.tif", "b/images/m.tif"]
    with Session.open(tmp_path / "both") as session:
        assert [len(some) for some in session.clicks] == [0, 1]
