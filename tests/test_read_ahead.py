"""Reading ahead: the same images in order, a few at a time, on a thread."""

import threading
import time
import weakref

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pseudocell._validation import check_image
from pseudocell.io import read_ahead

N_IMAGES = 12
LONG = 20.0  # seconds until a test that waits in vain fails


class Folder:
    """A sequence of images that counts what is read and what is still in memory."""

    def __init__(self, damaged=()):
        self.damaged = damaged
        self.n_read = 0
        self.alive = 0
        self.changed = threading.Condition()

    def __len__(self):
        return N_IMAGES

    def __getitem__(self, index):
        with self.changed:
            self.n_read += 1
            self.alive += 1
            self.changed.notify_all()
        if index in self.damaged:
            raise ValueError(f"image {index} is damaged")
        image = np.full((4, 5), index)
        weakref.finalize(image, self._forget)
        return image

    def _forget(self):
        self.alive -= 1

    def wait_for(self, n_read):
        with self.changed:
            assert self.changed.wait_for(lambda: self.n_read >= n_read, LONG)
        time.sleep(0.005)  # for a thread that reads too much to show it


@pytest.mark.parametrize("n_ahead", [0, 1, 3, 100])
def test_images_come_in_order_and_whole(n_ahead):
    images = [np.asarray(image) for image in read_ahead(Folder(), n_ahead)]
    assert_array_equal(images, [np.full((4, 5), index) for index in range(N_IMAGES)])


@pytest.mark.parametrize("n_ahead", [0, 1, 3])
def test_the_next_images_are_read_while_one_is_worked_on_and_no_more(n_ahead):
    folder = Folder()
    for index, image in enumerate(read_ahead(folder, n_ahead)):
        expected = min(index + 1 + n_ahead, N_IMAGES)
        folder.wait_for(expected)
        assert folder.n_read == expected
        # Those ahead, the one at hand, and nothing of what was worked on before.
        assert folder.alive == expected - index
        assert np.asarray(image)[0, 0] == index


def test_a_damaged_image_does_not_end_the_loop():
    good = []
    for index, image in enumerate(read_ahead(Folder(damaged=[0, 5]), 2)):
        if index in (0, 5):
            with pytest.raises(ValueError, match=f"image {index} is damaged"):
                np.asarray(image)
        else:
            good.append(int(np.asarray(image)[0, 0]))
    assert good == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11]


def test_nothing_is_read_after_the_loop_was_left():
    folder = Folder()
    images = read_ahead(folder, 1)
    next(images)
    folder.wait_for(2)
    images.close()
    time.sleep(0.02)
    assert folder.n_read == 2


def test_estimators_take_what_comes_without_a_copy():
    frames = np.arange(24.0).reshape(2, 3, 4)
    image, _ = read_ahead(frames)
    assert np.shares_memory(check_image(image, 0), frames)
    assert not np.shares_memory(np.array(image, copy=True), frames)
    assert np.asarray(image, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("images", "n_ahead", "message"),
    [
        (np.zeros((3, 4, 4)), -1, "n_ahead is -1; expected an integer of at least 0"),
        (np.zeros((3, 4, 4)), 0.5, "n_ahead is 0.5; expected an integer"),
        (np.zeros((4, 4)), 1, r"images has shape \(4, 4\)"),
        ([], 1, "images"),
    ],
)
def test_a_mistake_is_found_at_the_call(images, n_ahead, message):
    with pytest.raises(ValueError, match=message):
        read_ahead(images, n_ahead)
