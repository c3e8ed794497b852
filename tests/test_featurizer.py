"""From images and points to patches, and from patches to PU features."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from pseudocell._ranking._extractor import PatchExtractor
from pseudocell._ranking._featurizer import NNPUFeaturizer
from pseudocell.nets import PaperPatchCNN, PatchCNN

NETS = [(PatchCNN, 9), (PatchCNN, 11), (PatchCNN, 21), (PaperPatchCNN, 27)]


# ------------------------------------------------------------------ extractor
@pytest.fixture
def images():
    """Smooth images: discs of radius 8 on a slope."""
    rows, cols = np.mgrid[:60, :80]
    disc = np.hypot(rows - 30, cols - 40) < 8
    return [disc * 100.0 + rows, disc * 50.0 - cols, 0.0 + rows]


@pytest.fixture
def points():
    return [np.array([[30, 40], [0, 0], [12.3, 70.7]]), np.zeros((0, 2)), [[59, 79]]]


def test_patches_come_in_the_order_of_images_and_points(images, points):
    X = list(zip(images, points, strict=True))
    extractor = PatchExtractor(cell_radius=8, size=11).fit(X)
    patches = extractor.transform(X)
    alone = [
        extractor.transform([(image, [point])])
        for image, of_image in X
        for point in of_image
    ]
    np.testing.assert_array_equal(patches, np.concatenate(alone))
    assert patches.shape == (4, 11, 11)
    assert patches.dtype == np.float32


def test_colour_patches_keep_their_channels(images):
    colour = np.stack(images, axis=-1)
    extractor = PatchExtractor(cell_radius=6, size=11)
    patches = extractor.fit_transform([(colour, [[30, 40]])])
    assert patches.shape == (1, 11, 11, 3)
    for channel, image in enumerate(images):
        grey = extractor.fit_transform([(image, [[30, 40]])])
        np.testing.assert_array_equal(patches[..., channel], grey)


def test_cell_of_twice_the_size_gives_the_same_patch(images):
    """Each pixel four times and the radius doubled: the nominal image is the same."""
    image = images[0]
    large = np.kron(image, np.ones((2, 2)))
    point = np.array([[30.0, 40.0], [22.0, 40.0]])
    small_patch = PatchExtractor(8).fit_transform([(image, point)])
    large_patch = PatchExtractor(16).fit_transform([(large, 2 * point + 0.5)])
    assert np.abs(large_patch - small_patch).mean() < 0.01 * np.ptp(small_patch)


def test_enlarged_cell_stays_in_the_middle():
    """A pixel becomes 3 x 3; its centre is the middle one, not the first."""
    image = np.zeros((7, 7))
    image[2:5, 2:5] = 1
    patch = PatchExtractor(2, size=11).fit_transform([(image, [[3, 3]])])[0]
    np.testing.assert_allclose(patch, patch[::-1, ::-1], atol=1e-6)
    assert np.ptp(patch) > 1


def test_nominal_cells_are_cut_from_the_pixels_as_they_are(images):
    point = [[30, 40]]
    patch = PatchExtractor(6, size=21).fit_transform([(images[2], point)])[0]
    np.testing.assert_allclose(np.diff(patch[:, 0]), np.diff(patch[:, 0])[0], rtol=1e-4)
    assert (patch[10] == patch[10, 0]).all()
    assert patch[10, 10] == pytest.approx(1 / 59, abs=0.03)  # row 30 of 0 .. 59


def test_radius_is_estimated_from_the_points_when_not_given(images):
    X = [(images[0], [[30, 40]]), (images[1], [[30, 40]])]
    assert 4 < PatchExtractor().fit(X).cell_radius_ < 16
    assert PatchExtractor(5).fit(X).cell_radius_ == 5


class Unread:
    """An image of known shape that must not be read."""

    shape = (60, 80)

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("an image was read")


def test_images_without_points_are_not_read(images):
    X = [(Unread(), []), (images[1], [[30, 40]]), (Unread(), [])]
    extractor = PatchExtractor(cell_radius=8, size=11)
    patches = extractor.fit_transform(X)
    alone = extractor.transform([(images[1], [[30, 40]])])
    np.testing.assert_array_equal(patches, alone)
    assert extractor.transform(X[:1]).shape == (0, 11, 11)
    colour = extractor.fit([(np.zeros((9, 9, 3)), [])])
    assert colour.transform([(np.zeros((9, 9, 3)), [])]).shape == (0, 11, 11, 3)


def test_extractor_leaves_its_input_unchanged(images, points):
    for image in images:
        image.flags.writeable = False
    before = [np.array(p) for p in points]
    PatchExtractor(8).fit_transform(list(zip(images, points, strict=True)))
    for old, new in zip(before, points, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("parameters", "X", "message"),
    [
        ({"cell_radius": 0}, [(np.eye(9), [[1, 1]])], "cell_radius is 0; expected"),
        ({"nominal_radius": -1}, [(np.eye(9), [[1, 1]])], "nominal_radius is -1"),
        ({"size": 20}, [(np.eye(9), [[1, 1]])], "size is 20; expected an odd"),
        ({}, [np.eye(9)], r"X\[0\] is a ndarray; expected a pair \(image, points\)"),
        ({}, [(np.eye(9), [[1, 1, 1]])], r"points\[0\] has shape \(1, 3\)"),
        ({}, [(np.eye(9), [[1, 9]])], r"points\[0\] has 1 of 1 points outside"),
        (
            {},
            [(np.eye(9), [[1, 1]]), (np.ones((9, 9, 3)), [[1, 1]])],
            r"images\[1\] has 3 channel\(s\); expected 1",
        ),
    ],
)
def test_extractor_names_what_is_wrong(parameters, X, message):
    extractor = PatchExtractor(**{"cell_radius": 5, **parameters})
    with pytest.raises(ValueError, match=message):
        extractor.fit_transform(X)


# ----------------------------------------------------------------------- nets
@pytest.mark.parametrize(("net", "size"), NETS)
@pytest.mark.parametrize("channels", [1, 3])
def test_logit_is_the_last_layer_on_the_features(net, size, channels):
    module = net(in_channels=channels).eval()
    patches = torch.rand(5, channels, size, size)
    features = module.features(patches)
    assert features.shape == (5, module.n_features)
    assert module(patches).shape == (5,)
    torch.testing.assert_close(module(patches), module.head(features)[:, 0])


@pytest.mark.parametrize(("net", "size"), NETS)
def test_patch_scores_the_same_in_any_company(net, size):
    """Once trained: the statistics of the batch norm are fixed."""
    module = net(in_channels=1)
    patches = torch.rand(6, 1, size, size)
    module(patches)
    module.eval()
    together = module(patches)
    alone = torch.cat([module(patch[None]) for patch in patches])
    torch.testing.assert_close(together, alone)


# ----------------------------------------------------------------- featurizer
def draw_patches(n, bright, rng, shape=(11, 11)):
    """Noise, with a spot in the middle when bright."""
    patches = rng.normal(size=(n, *shape))
    patches[:, 4:7, 4:7] += 2.0 * bright
    return patches.astype(np.float32)


@pytest.fixture
def spots():
    """20 labelled spots; 60 spots and 60 backgrounds unlabelled; the truth."""
    rng = np.random.default_rng(0)
    X = np.concatenate([draw_patches(80, True, rng), draw_patches(60, False, rng)])
    return X, np.repeat([1, 0], [20, 120]), np.repeat([1, 0], [80, 60])


def quick(class_prior=0.5, **parameters):
    parameters = {"max_steps": 40, "batch_size": 32, "random_state": 0, **parameters}
    return NNPUFeaturizer(class_prior, device="cpu", **parameters)


def test_spots_rank_above_background_among_the_unlabelled(spots):
    X, y, truth = spots
    scores = quick(max_steps=100, lr=3e-3).fit(X, y).decision_function(X)
    assert roc_auc_score(truth[y == 0], scores[y == 0]) > 0.9


def test_same_seed_gives_the_same_features_on_one_thread_and_on_two(spots):
    X, y, _ = spots
    before = torch.get_num_threads()
    features = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            features.append(quick(max_steps=5).fit(X, y).transform(X))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*features)
    assert (quick(max_steps=5, random_state=1).fit(X, y).transform(X) != features).any()


def test_global_generators_and_inputs_stay_unchanged(spots):
    X, y, _ = spots
    X.flags.writeable = y.flags.writeable = False
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    quick(max_steps=3).fit(X, y).transform(X)
    assert torch.equal(torch.get_rng_state(), torch_before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)


def test_fit_forgets_the_fit_before(spots):
    X, y, _ = spots
    other = np.random.default_rng(1).normal(size=(30, 11, 11, 3))
    refitted = quick(max_steps=3).fit(other, np.arange(30) % 2).fit(X, y)
    fresh = quick(max_steps=3).fit(X, y)
    np.testing.assert_array_equal(refitted.transform(X), fresh.transform(X))


def test_gain_and_offset_of_the_patches_do_not_matter(spots):
    X, y, _ = spots
    one = quick(max_steps=5).fit(X, y).decision_function(X)
    other = quick(max_steps=5).fit(4 * X + 8, y).decision_function(4 * X + 8)
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_parameters_are_stored_and_never_written(spots):
    X, y, _ = spots
    featurizer = quick(class_prior=None, max_steps=2, module=PatchCNN)
    before = featurizer.get_params()
    featurizer.fit(X, y)
    assert featurizer.get_params() == before
    assert not hasattr(clone(featurizer), "net_")


def test_prior_is_given_or_estimated(spots):
    X, y, _ = spots
    assert quick(0.3, max_steps=1).fit(X, y).class_prior_ == 0.3
    assert 0 < quick(None, max_steps=1).fit(X, y).class_prior_ < 1


def test_constant_channel_gives_finite_features(spots):
    X, y, _ = spots
    X = np.stack([X, np.full_like(X, 7)], axis=-1)
    assert np.isfinite(quick(max_steps=2).fit(X, y).transform(X)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_prior": 1.0}, "class_prior is 1.0; expected"),
        ({"y": np.zeros(140)}, r"y has no positive \(1\) sample"),
        ({"y": np.ones(140)}, r"y has no unlabelled \(0\) sample"),
        ({"X": np.zeros((140, 10, 10))}, "an odd size"),
        ({"module": PaperPatchCNN}, "patches are 11 x 11 pixels; expected 27 x 27"),
    ],
)
def test_featurizer_names_what_is_wrong(spots, change, message):
    X, y = change.pop("X", spots[0]), change.pop("y", spots[1])
    with pytest.raises(ValueError, match=message):
        quick(**change).fit(X, y)


def test_patches_of_another_depth_are_an_error(spots):
    X, y, _ = spots
    with pytest.raises(ValueError, match=r"X has 3 channel\(s\); expected 1 as in fit"):
        quick(max_steps=1).fit(X, y).transform(np.zeros((2, 11, 11, 3)))
