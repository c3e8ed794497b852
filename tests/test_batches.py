"""What the detector is trained on: crops around labels, turned with their targets."""

import numpy as np
import pytest

from pseudocell._detection import _batches
from pseudocell._detection._batches import CropBatches

EMPTY = np.zeros((0, 3))


def make_batches(shapes=((80, 100), (70, 64)), n_channels=1, **changes):
    """Images whose target and weight are the images themselves."""
    rng = np.random.default_rng(0)
    images = [rng.random((*shape, n_channels), dtype=np.float32) for shape in shapes]
    heatmaps = changes.pop("heatmaps", [image[..., 0].copy() for image in images])
    weights = changes.pop("weights", [image[..., 0] + 1 for image in images])
    batches = plan(shapes, n_channels, heatmaps, weights, **changes)
    for index, image in enumerate(images):
        image.flags.writeable = False
        batches.cut(index, image)
    return batches


def plan(shapes, n_channels, heatmaps, weights, **changes):
    """Batches whose pixels are to come."""

    def draw_target(index, corner, shape):
        window = tuple(
            slice(begin, begin + length)
            for begin, length in zip(corner, shape, strict=True)
        )
        return heatmaps[index][window], weights[index][window]

    parameters = {
        "centres": [np.array([[0, 40.0, 50.0], [1, 10.2, 20.7]])],
        "n_steps": 6,
        "batch_size": 5,
        "size": 32,
        "anywhere": 0.0,
        "random_state": 3,
        **changes,
    }
    centres = parameters.pop("centres")
    return CropBatches(shapes, n_channels, centres, draw_target, **parameters)


def all_crops(batches):
    """Image, target and weight of each crop of all batches."""
    steps = [batches[step] for step in range(len(batches))]
    layers = [(X, *np.moveaxis(target, 1, 0)) for X, target in steps]
    return [np.concatenate(layer) for layer in zip(*layers, strict=True)]


def test_batch_has_the_asked_shape():
    batches = make_batches(n_channels=3)
    assert len(batches) == 6
    X, target = batches[5]
    heatmap, weight = np.moveaxis(target, 1, 0)
    assert X.shape == (5, 3, 32, 32)
    assert heatmap.shape == weight.shape == (5, 32, 32)
    assert X.dtype == heatmap.dtype == weight.dtype == np.float32


def test_batch_depends_on_seed_and_step_alone():
    one, other = make_batches(), make_batches()
    later = [other[step] for step in (4, 2, 0)]
    for step, (X, target) in zip((4, 2, 0), later, strict=True):
        np.testing.assert_array_equal(one[step][0], X)
        np.testing.assert_array_equal(one[step][1], target)
    assert (one[0][0] != one[1][0]).any()
    assert (one[0][0] != make_batches(random_state=4)[0][0]).any()


def test_image_target_and_weight_are_turned_together():
    """Image and target are equal but for contrast and brightness: correlation 1."""
    for image, heatmap, weight in zip(*all_crops(make_batches()), strict=True):
        together = np.corrcoef(image.ravel(), heatmap.ravel())[0, 1]
        assert together == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(weight, heatmap + 1)


def test_crop_is_a_turned_or_mirrored_part_of_the_image():
    heatmap = np.random.default_rng(1).random((32, 32), dtype=np.float32)
    batches = make_batches(
        [(32, 32)], heatmaps=[heatmap], centres=[[[0, 9.0, 9.0]]], n_steps=20
    )
    turned = [np.rot90(side, k) for side in (heatmap, heatmap.T) for k in range(4)]
    found = {
        next(i for i, candidate in enumerate(turned) if (candidate == crop).all())
        for crop in all_crops(batches)[1]
    }
    assert found == set(range(8))


def test_crop_contains_the_label_it_was_cut_for():
    """Also at the border and in images that are smaller than a crop."""
    shapes = [(80, 100), (33, 90), (20, 15)]
    points = [(0, 0, 0), (0, 79, 99), (0, 40, 31), (1, 32, 89), (1, 0, 45), (2, 19, 14)]
    heatmaps = [np.zeros(shape, dtype=np.float32) for shape in shapes]
    for number, (index, row, col) in enumerate(points, start=1):
        heatmaps[index][row, col] = number
    batches = make_batches(
        shapes, heatmaps=heatmaps, centres=[np.array(points, float)], n_steps=40
    )
    labels = all_crops(batches)[1]
    assert (labels.max(axis=(1, 2)) > 0).all()
    assert set(np.unique(labels)) == set(range(7))


def test_point_lies_anywhere_in_the_crop_but_at_its_edge():
    heatmap = np.zeros((200, 200), dtype=np.float32)
    heatmap[100, 100] = 1
    batches = make_batches(
        [(200, 200)], heatmaps=[heatmap], centres=[[[0, 100.0, 100.0]]], n_steps=100
    )
    _, rows, cols = np.nonzero(all_crops(batches)[1])
    assert len(rows) == 500
    assert min(rows.min(), cols.min()) == 2
    assert max(rows.max(), cols.max()) == 32 - 1 - 2


def test_groups_are_taken_equally_often():
    """One label in a group counts as much as a hundred in the other."""
    many = np.insert(np.random.default_rng(0).uniform(0, 99, (100, 2)), 0, 0, axis=1)
    weights = [np.zeros((100, 100), np.float32), np.ones((40, 40), np.float32)]
    batches = make_batches(
        [(100, 100), (40, 40)],
        weights=weights,
        centres=[many, np.array([[1, 20.0, 20.0]]), EMPTY],
        n_steps=100,
    )
    share = all_crops(batches)[2].mean(axis=(1, 2)).mean()
    assert share == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 500))


@pytest.mark.parametrize("centres", [[EMPTY, EMPTY], []])
def test_without_labels_crops_lie_anywhere(centres):
    batches = make_batches(centres=centres)
    assert all_crops(batches)[0].shape == (30, 1, 32, 32)


def test_crops_anywhere_follow_the_area_of_the_images():
    """A third of the area, a third of the crops."""
    weights = [np.zeros((80, 100), np.float32), np.ones((100, 40), np.float32)]
    batches = make_batches(
        [(80, 100), (100, 40)], weights=weights, anywhere=1.0, n_steps=100
    )
    share = all_crops(batches)[2].mean(axis=(1, 2)).mean()
    assert share == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / 500))


def test_crops_anywhere_come_from_a_limited_number_of_images(monkeypatch):
    """So that not a whole image is read for every crop; others for another net."""
    shapes = [(40, 40)] * 30
    layers = [np.zeros(shape, np.float32) for shape in shapes]
    every = plan(shapes, 1, layers, layers, anywhere=1.0, n_steps=60)
    assert every.images_needed == list(range(30))
    monkeypatch.setattr(_batches, "MOST_IMAGES", 10)
    needed = [
        plan(
            shapes, 1, layers, layers, anywhere=1.0, n_steps=60, random_state=seed
        ).images_needed
        for seed in (1, 1, 2)
    ]
    assert list(map(len, needed)) == [10, 10, 10]
    assert needed[0] == needed[1] != needed[2]
    some = np.arange(30) % 2 == 1
    batches = plan(shapes, 1, layers, layers, anywhere=1.0, where=some, n_steps=60)
    assert len(batches.images_needed) == 10
    assert all(some[batches.images_needed])
    # Labels are looked at wherever they are.
    around = np.insert(np.full((30, 2), 20.0), 0, np.arange(30), axis=1)
    batches = plan(shapes, 1, layers, layers, centres=[around], n_steps=60)
    assert batches.images_needed == list(range(30))


def test_what_is_added_to_a_small_image_has_no_weight():
    ones = [np.ones((20, 15), dtype=np.float32)]
    batches = make_batches(
        [(20, 15)], heatmaps=ones, weights=ones, centres=[[[0, 3.0, 4.0]]]
    )
    image, heatmap, weight = all_crops(batches)
    np.testing.assert_array_equal(weight.sum(axis=(1, 2)), 20 * 15)
    np.testing.assert_array_equal(heatmap, weight)
    assert np.isfinite(image).all()
    assert image.std(axis=(1, 2, 3)).min() > 0.1


def test_intensity_changes_by_one_gain_and_an_offset_a_channel():
    """image = gain * original + offset; the gain differs from crop to crop."""
    batches = make_batches(n_channels=2, n_steps=20)
    image, heatmap, _ = all_crops(batches)
    gains = [
        np.polyfit(target.ravel(), crop[0].ravel(), 1)[0]
        for crop, target in zip(image, heatmap, strict=True)
    ]
    assert np.std(np.log(gains)) == pytest.approx(0.2, rel=0.3)
    assert np.mean(np.log(gains)) == pytest.approx(0, abs=0.1)


def pixels_in_memory(batches):
    """Pixels of the crops, and of all that they are views of, each counted once."""
    bases = [
        pixels if pixels.base is None else pixels.base
        for pixels in batches.pixels.values()
    ]
    return sum({id(base): base.size for base in bases}.values())


@pytest.mark.parametrize("shape", [(40, 50), (300, 400), (2000, 1000)])
def test_no_more_is_kept_than_images_or_crops(shape):
    """30 crops of 32 x 32 pixels, on one image of two."""
    batches = make_batches([shape, shape], centres=[np.array([[1, 20.0, 20.0]])])
    assert pixels_in_memory(batches) == min(np.prod(shape), 30 * 32**2)


def test_only_images_that_a_crop_falls_on_are_needed():
    shapes = [(80, 100), (70, 64), (50, 50)]
    layers = [np.zeros(shape, np.float32) for shape in shapes]
    group = np.array([[2, 9.0, 9.0], [0, 40.0, 50.0]])
    batches = plan(shapes, 1, layers, layers, centres=[group])
    assert batches.images_needed == [0, 2]
    for index in (2, 0):
        batches.cut(index, layers[index][..., np.newaxis])
    assert all_crops(batches)[0].shape == (30, 1, 32, 32)
    anywhere = plan(shapes, 1, layers, layers, centres=[group], anywhere=1.0)
    assert anywhere.images_needed == [0, 1, 2]


def test_batches_are_the_same_however_often_they_are_asked_for():
    """Nothing is changed in place, and images may be read-only."""
    batches = make_batches()
    for one, other in zip(all_crops(batches), all_crops(batches), strict=True):
        np.testing.assert_array_equal(one, other)


def test_crops_go_on_where_another_training_stopped():
    whole, rest = make_batches(n_steps=6), make_batches(n_steps=2, first_step=4)
    for step in range(2):
        for one, other in zip(_flat(whole[4 + step]), _flat(rest[step]), strict=True):
            np.testing.assert_array_equal(one, other)


def _flat(batch):
    X, target = batch
    return X, *target
