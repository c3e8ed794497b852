"""Each check passes where its contract is kept, and fails where it is broken."""

import random
import warnings

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import nn

from pseudocell import (
    HeatmapDetector,
    NNPUFeaturizer,
    PatchExtractor,
    PseudoLabelCellDetector,
)
from pseudocell._geometry._peaks import find_peaks
from pseudocell._validation import (
    check_image,
    check_images,
    check_points,
    check_points_inside,
)
from pseudocell.baselines import (
    BlobDetector,
    PUDetector,
    ReconstructionDetector,
    TunedThresholdDetector,
)
from pseudocell.estimator_checks import (
    DETECTOR_CHECKS,
    LOOP_DETECTOR_CHECKS,
    check_detector,
    check_loop_detector,
)
from pseudocell.estimator_checks._problem import draw_problem


# ---------------------------------------------------------- detectors of the package
class PixelNet(nn.Module):
    """The heatmap is nearly the image, and a little of what was drawn and learnt."""

    stride, reach = 1, 1

    def __init__(self, in_channels):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.5))
        self.offset = nn.Parameter(torch.tensor(0.5))
        self.more = nn.Conv2d(in_channels, 1, 3, padding=1)

    def forward(self, images):
        pixels = self.gain * images.mean(dim=1) + self.offset
        return pixels + 0.01 * self.more(images)[:, 0]


class Keep(TransformerMixin, BaseEstimator):
    """A step that changes nothing."""

    def fit(self, images, points=None):
        return self

    def transform(self, images):
        return images

    def __sklearn_is_fitted__(self):
        return True


class MeanNet(nn.Module):
    """Two features of a patch: the mean of its pixels and that of their squares."""

    def __init__(self, in_channels):
        super().__init__()
        self.head = nn.Linear(2, 1)

    def features(self, patches):
        pixels = patches.flatten(1)
        return torch.stack([pixels.mean(dim=1), pixels.square().mean(dim=1)], dim=1)

    def forward(self, patches):
        return self.head(self.features(patches))[:, 0]


def heatmap_detector(kind=HeatmapDetector, **parameters):
    parameters = {"module": PixelNet, "max_steps": 1, "batch_size": 1, **parameters}
    parameters = {"lr": 1e-4, "device": "cpu", "n_jobs": 1, **parameters}
    parameters["nominal_radius"] = 4  # small images, small crops
    return kind(6, **parameters)


FEATURIZER = NNPUFeaturizer(module=MeanNet, max_steps=1, batch_size=4)
LOOP = {
    "extractor": PatchExtractor(nominal_radius=4, size=9),
    "featurizer": FEATURIZER,
    "candidate_threshold": 0.3,
    "max_candidates": 5,
    "device": "cpu",
    "n_jobs": 1,
}


DETECTORS = {
    "heatmap": heatmap_detector(),
    "heatmap of two nets": heatmap_detector(n_nets=2, masked=False, warm_start=True),
    "loop": PseudoLabelCellDetector(6, max_iter=1, detector=heatmap_detector(), **LOOP),
    "blobs": BlobDetector(6, scales=[1.0]),
    "reconstruction": ReconstructionDetector(
        6, cores=[1.0], reaches=[1.0], levels=[1.0], max_iter=5
    ),
    "PU": PUDetector(6, class_prior=0.5, detector=heatmap_detector(), **LOOP),
    "tuned": TunedThresholdDetector(heatmap_detector()),
}


@pytest.mark.parametrize("check", DETECTOR_CHECKS)
@pytest.mark.parametrize("name", DETECTORS)
def test_detectors_of_the_package_keep_every_contract(name, check):
    check(DETECTORS[name])


@pytest.mark.parametrize("check", LOOP_DETECTOR_CHECKS)
@pytest.mark.parametrize("name", ["heatmap", "heatmap of two nets"])
def test_heatmap_detectors_can_be_that_of_the_loop(name, check):
    check(DETECTORS[name])


def test_pipeline_keeps_every_contract():
    check_detector(make_pipeline(Keep(), BlobDetector(6, scales=[1.0])))


# ----------------------------------------------------------------- one honest detector
class Smoother(BaseEstimator):
    """A part of a detector."""

    def __init__(self, sigma=2.0):
        self.sigma = sigma

    def fit(self):
        self.sigma_ = self.sigma
        return self


class Peaks(BaseEstimator):
    """Peaks of the smoothed image, above half of the mean height of the clicks."""

    def __init__(self, radius=6, smoother=None, random_state=None):
        self.radius = radius
        self.smoother = smoother
        self.random_state = random_state

    def fit(self, images, points):
        clicks = self.check(images, points)
        self.smoother_ = clone(self.smoother or Smoother()).fit()
        # Less than what noise does to a height, but another number for another seed.
        self.shift_ = check_random_state(self.random_state).uniform(0, 0.1)
        self.n_channels_, heights = None, []
        for index, rows in enumerate(clicks):
            image = self.read(images[index], index)
            self.check_inside(rows, image.shape, index)
            rows, cols = np.round(rows).astype(int).T
            heights.append(self.smooth(image)[rows, cols])
        self.threshold_ = self.choose(heights)
        return self

    def check(self, images, points):
        clicks = check_points(points, len(check_images(images)))
        if sum(map(len, clicks)) == 0:
            raise ValueError("points holds no click in any image.")
        return clicks

    def check_inside(self, points, shape, index):
        check_points_inside(points, shape, index)

    def read(self, image, index):
        image = check_image(image, index, self.n_channels_)
        self.n_channels_ = 1 if image.ndim == 2 else image.shape[2]
        return image

    def smooth(self, image):
        image = image.astype(float).reshape(*image.shape[:2], -1).mean(axis=2)
        return gaussian_filter(image, self.smoother_.sigma_) + self.shift_

    def choose(self, heights):
        return 0.5 * np.concatenate(heights).mean()

    def predict_scored(self, images):
        check_is_fitted(self)
        found = []
        for index in range(len(check_images(images))):
            image = self.smooth(self.read(images[index], index))
            found.append(find_peaks(image, self.radius, self.threshold_))
        return found

    def predict(self, images):
        return [points for points, _ in self.predict_scored(images)]


def broken_contracts(detector):
    """Return the names of the checks that fail, and what they say."""
    broken = {}
    for check in DETECTOR_CHECKS:
        try:
            check(detector)
        except AssertionError as error:
            broken[check.__name__.removeprefix("check_")] = str(error)
    return broken


def test_honest_detector_keeps_every_contract():
    assert broken_contracts(Peaks(smoother=Smoother())) == {}
    check_detector(Peaks())


# ------------------------------------------------------------------------- broken ones
class ReturnsNothing(Peaks):
    def fit(self, images, points):
        super().fit(images, points)


class WritesParameter(Peaks):
    def fit(self, images, points):
        self.radius = float(self.radius)
        return super().fit(images, points)


class FitsItsPart(Peaks):
    def fit(self, images, points):
        self.smoother.fit()
        return super().fit(images, points)


class SortsItsParameter(Peaks):
    """Its radius is a list of radii, of which it takes the smallest."""

    def predict_scored(self, images):
        check_is_fitted(self)
        self.radius.sort()
        found = []
        for index in range(len(check_images(images))):
            image = self.smooth(self.read(images[index], index))
            found.append(find_peaks(image, self.radius[0], self.threshold_))
        return found


class PredictsUnfitted(Peaks):
    def predict(self, images):
        if not hasattr(self, "threshold_"):
            return [np.zeros((0, 2)) for _ in images]
        return super().predict(images)


class ScoresByAttribute(Peaks):
    def score(self, images, points):
        return self.threshold_


class HoldsLambda(Peaks):
    def choose(self, heights):
        self.rule_ = lambda: 0.5
        return super().choose(heights)


class LosesItsThreshold(Peaks):
    def __setstate__(self, state):
        super().__setstate__(state)
        self.threshold_ = 0.0


class SubtractsInPlace(Peaks):
    def read(self, image, index):
        image = super().read(image, index)
        image -= image.min()
        return image


class SortsThePoints(Peaks):
    def check(self, images, points):
        for rows in points:
            if isinstance(rows, list):
                rows.sort()
        return super().check(images, points)


class KeepsTheHighest(Peaks):
    def choose(self, heights):
        return max(super().choose(heights), getattr(self, "threshold_", 0))


class KeepsChannels(Peaks):
    def check(self, images, points):
        clicks = super().check(images, points)
        self.first_channels_ = getattr(self, "first_channels_", np.ndim(images[0]))
        if np.ndim(images[0]) != self.first_channels_:
            raise ValueError("images[0] has other channels than before.")
        return clicks


class LeavesAnAttribute(Peaks):
    def read(self, image, index):
        image = super().read(image, index)
        if self.n_channels_ == 3:
            self.is_colour_ = True
        return image


class FitsAtRandom(Peaks):
    def choose(self, heights):
        self.shift_ = np.random.default_rng().uniform(0, 0.1)
        return super().choose(heights)


class PredictsAtRandom(Peaks):
    def smooth(self, image):
        return super().smooth(image) + np.random.default_rng().uniform(0, 0.1)


class SeedsPython(Peaks):
    def choose(self, heights):
        random.seed(0)
        return super().choose(heights)


class SeedsNumPy(Peaks):
    def choose(self, heights):
        np.random.seed(0)
        return super().choose(heights)


class DrawsFromTorch(Peaks):
    def predict_scored(self, images):
        torch.rand(1)
        return super().predict_scored(images)


class FindsNothing(Peaks):
    def choose(self, heights):
        return 1e9


class ReturnsTuple(Peaks):
    def predict(self, images):
        return tuple(super().predict(images))


class ReturnsIntegers(Peaks):
    def predict(self, images):
        return [points.astype(int) for points in super().predict(images)]


class ReturnsColumnFirst(Peaks):
    def predict_scored(self, images):
        return [(points[:, ::-1], s) for points, s in super().predict_scored(images)]


class ReturnsFlatNothing(Peaks):
    def predict(self, images):
        found = super().predict(images)
        return [points if len(points) else np.zeros(0) for points in found]


class WeakestFirst(Peaks):
    def predict(self, images):
        return [points[::-1] for points in super().predict(images)]


class ScoresRise(Peaks):
    def predict_scored(self, images):
        return [(points, -scores) for points, scores in super().predict_scored(images)]


class NeedsTwoImages(Peaks):
    def choose(self, heights):
        if len(heights) < 2:
            raise IndexError("There is no second image.")
        return super().choose(heights)


class NeedsClicksEverywhere(Peaks):
    def choose(self, heights):
        return 0.5 * min(array.min() for array in heights)


class StacksImages(Peaks):
    def fit(self, images, points):
        super().fit(images, points)
        np.stack([np.asarray(image) for image in images])
        return self


class NeedsShapes(Peaks):
    def fit(self, images, points):
        super().fit(images, points)
        self.shapes_ = [image.shape for image in images]
        return self


class NeedsOneChannel(Peaks):
    def smooth(self, image):
        if self.n_channels_ == 3:
            raise TypeError("colour?")
        return super().smooth(image)


class MirrorsFloats(Peaks):
    def smooth(self, image):
        if image.dtype == np.float32:
            image = image[::-1]
        return super().smooth(image)


class AcceptsInfinity(Peaks):
    def read(self, image, index):
        image = np.asarray(image)
        return super().read(np.nan_to_num(image), index)


class NamesNoImage(Peaks):
    def read(self, image, index):
        if not np.isfinite(np.asarray(image)).all():
            raise ValueError("There is infinity in the images.")
        return super().read(image, index)


class AcceptsOtherChannels(Peaks):
    def read(self, image, index):
        self.n_channels_ = None
        return super().read(image, index)


class AcceptsBareImage(Peaks):
    def predict_scored(self, images):
        bare = isinstance(images, np.ndarray) and images.ndim == 2
        return super().predict_scored([images] if bare else images)


class FillsPointLists(Peaks):
    def check(self, images, points):
        check_images(images)
        points = [*points, *[[]] * len(images)][: len(images)]
        return super().check(images, points)


class RaisesTypeError(Peaks):
    def check(self, images, points):
        if any(np.ndim(rows) == 2 and np.shape(rows)[1] == 3 for rows in points):
            raise TypeError("points[1] is bad")
        return super().check(images, points)


class MovesPointsInside(Peaks):
    def check_inside(self, points, shape, index):
        np.clip(points, 0, np.array(shape[:2]) - 1, out=points)


class NamesNoPoints(Peaks):
    def check_inside(self, points, shape, index):
        try:
            super().check_inside(points, shape, index)
        except ValueError as error:
            raise ValueError("Coordinates are too large.") from error


class LearnsFromNothing(Peaks):
    def check(self, images, points):
        return check_points(points, len(check_images(images)))

    def choose(self, heights):
        return super().choose(heights) if sum(map(len, heights)) else 0.0


SAME = {"refit_forgets", "same_seed_same_result", "any_sequence"}
FORM = {"one_image", "image_without_clicks", "mixed_sizes", "grey_and_colour"}
FORM = FORM | {"predicted_points"}

# What breaks; all that must fail, the first one with these words.
BROKEN = [
    (ReturnsNothing, "fit_returns_self", "`fit` returns the .* it returned None"),
    (WritesParameter, "parameters_are_kept", "fit or predict changed radius"),
    (FitsItsPart, "parameters_are_kept", r"smoother itself .* it has \['sigma_'\]"),
    (SortsItsParameter, "parameters_are_kept", "fit or predict changed radius"),
    (PredictsUnfitted, "unfitted_raises", "raise NotFittedError. But predict did not"),
    (ScoresByAttribute, "unfitted_raises", "But score raised AttributeError"),
    (HoldsLambda, "pickle_round_trip", "when the estimator is pickled. But there was"),
    (LosesItsThreshold, "pickle_round_trip", "it gave others"),
    (SubtractsInPlace, "inputs_are_unchanged", "images given as lists changed"),
    (SortsThePoints, "inputs_are_unchanged", "points given as lists changed"),
    (KeepsTheHighest, "refit_forgets", "`fit` on B. But it gave another"),
    (KeepsChannels, "refit_forgets", "But there was ValueError"),
    (LeavesAnAttribute, "refit_forgets", r"\['is_colour_'\] were left from A"),
    (FitsAtRandom, "same_seed_same_result", "a second fit gave another", SAME),
    (
        PredictsAtRandom,
        "same_seed_same_result",
        "a second fit gave another",
        SAME | {"pickle_round_trip"},
    ),
    (SeedsPython, "global_generators_are_unchanged", "that of Python changed"),
    (SeedsNumPy, "global_generators_are_unchanged", "that of NumPy changed"),
    (DrawsFromTorch, "global_generators_are_unchanged", "that of PyTorch changed"),
    (FindsNothing, "finds_something", "there were none. Train it for longer"),
    (ReturnsTuple, "predicted_points", "predict gave a tuple of 3", FORM),
    (ReturnsIntegers, "predicted_points", "is not an array of floats", FORM),
    (ReturnsColumnFirst, "predicted_points", "has points outside its image", FORM),
    (ReturnsFlatNothing, "predicted_points", r"predict\(images\)\[2\] has shape \(0,"),
    (WeakestFirst, "predicted_points", r"predict\(images\)\[0\] is not in the order"),
    (ScoresRise, "predicted_points", r"scores of predict_scored\(images\)\[0\] do not"),
    (NeedsTwoImages, "one_image", "But there was IndexError", {"refit_forgets"}),
    (NeedsClicksEverywhere, "image_without_clicks", "But there was ValueError"),
    (StacksImages, "mixed_sizes", "differ in size.* But there was ValueError"),
    (NeedsShapes, "any_sequence", "with lazy items there was AttributeError"),
    (
        NeedsOneChannel,
        "grey_and_colour",
        r"with \(64, 80, 3\) there was TypeError",
        {"refit_forgets"},
    ),
    (MirrorsFloats, "pixel_types", "float32 gave other points than uint8"),
    (AcceptsInfinity, "infinity_named", r"it was accepted \(images\[1\]\)"),
    (NamesNoImage, "infinity_named", r"does not name images\[1\]: There is infinity"),
    (AcceptsOtherChannels, "other_channels_named", "it was accepted"),
    (AcceptsBareImage, "a_bare_image_or_none_named", "it was accepted"),
    (FillsPointLists, "another_number_of_lists_named", "it was accepted"),
    (RaisesTypeError, "bad_points_named", "But there was TypeError"),
    (MovesPointsInside, "points_outside_named", r"it was accepted \(points\[1\]"),
    (NamesNoPoints, "points_outside_named", r"not name points\[1\]: Coord"),
    (LearnsFromNothing, "no_click_named", "it was accepted"),
]


@pytest.mark.parametrize(
    ("kind", "contract", "words", "others"),
    [(*row, set())[:4] for row in BROKEN],
    ids=[kind.__name__ for kind, *_ in BROKEN],
)
def test_broken_contract_is_found_and_named(kind, contract, words, others):
    radius = [9, 6] if kind is SortsItsParameter else 6
    broken = broken_contracts(kind(radius, smoother=Smoother()))
    assert set(broken) == {contract} | others
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(broken[contract])


def test_every_check_has_been_seen_to_fail():
    """A contract is added together with a detector that breaks it."""
    names = {check.__name__.removeprefix("check_") for check in DETECTOR_CHECKS}
    assert {contract for _, contract, *_ in BROKEN} == names


class Careless(ReturnsNothing, SeedsNumPy):
    pass


def test_all_broken_contracts_are_named_at_once():
    with pytest.raises(AssertionError) as caught:
        check_detector(Careless())
    lines = str(caught.value).splitlines()
    assert lines[0] == f"Careless breaks 2 of {len(DETECTOR_CHECKS)} contracts:"
    assert lines[1].startswith("- check_fit_returns_self: `fit` returns the estimator")
    assert lines[2].startswith("- check_global_generators_are_unchanged: Global gen")


def test_constructor_that_changes_a_parameter_is_found():
    class Rounds(Peaks):
        def __init__(self, radius=6, smoother=None, random_state=None):
            super().__init__(radius + 0.5, smoother, random_state)

    assert "constructor" in broken_contracts(Rounds())["parameters_are_kept"]


class Centres(Peaks):
    """Has another word for the points, and uses it in its messages."""

    def fit(self, images, centres):
        try:
            return super().fit(images, centres)
        except ValueError as error:
            raise ValueError(str(error).replace("points", "centres")) from error


def test_argument_may_have_another_name():
    check_detector(Centres())


class Warns(Peaks):
    def fit(self, images, points):
        warnings.warn("few steps", UserWarning, stacklevel=2)
        return super().fit(images, points)


def test_a_warning_is_no_failure():
    check_detector(Warns())


def test_detector_that_is_checked_stays_as_it_is():
    detector = Peaks(smoother=Smoother())
    check_detector(detector)
    assert not hasattr(detector, "threshold_")
    assert detector.random_state is None
    fitted = Peaks().fit(*draw_problem())
    threshold = fitted.threshold_
    check_detector(fitted)
    assert fitted.threshold_ == threshold


# ------------------------------------------------------- broken detectors of the loop
class HasNoWeight(HeatmapDetector):
    def get_params(self, deep=True):
        parameters = super().get_params(deep)
        return {k: v for k, v in parameters.items() if k != "background_weight"}


class ForgetsPseudoLabels(HeatmapDetector):
    def fit(self, images, points, **labels):
        super().fit(images, points, **labels)
        return super().fit(images, points)


class TakesLabelsAnywhere(HeatmapDetector):
    def fit(self, images, points, **labels):
        try:
            return super().fit(images, points, **labels)
        except ValueError:
            return self


class IgnoresTheThreshold(HeatmapDetector):
    def find_candidates(self, images, threshold=0.05, known=None):
        return super().find_candidates(images, 0.05, known)


class ForgetsKnownPlaces(HeatmapDetector):
    def find_candidates(self, images, threshold=0.05, known=None):
        return super().find_candidates(images, threshold)


class HoldsNoClickOut(HeatmapDetector):
    def fit(self, images, points, **labels):
        super().fit(images, points, **labels)
        self.click_folds_ = [None for _ in self.click_folds_]
        return self


BROKEN_IN_LOOP = [
    (HasNoWeight, "has_parameters_of_the_loop", "it has no background_weight"),
    (ForgetsPseudoLabels, "pseudo_labels_teach", "as positives the mean is"),
    (TakesLabelsAnywhere, "bad_pseudo_labels_are_named", "was accepted .positives"),
    (IgnoresTheThreshold, "candidates_go_down_to_the_threshold", "at or below it"),
    (ForgetsKnownPlaces, "known_places_stay_candidates", "are not"),
    (HoldsNoClickOut, "clicks_are_held_out", "of 3 clicks and none, click_folds_"),
]


@pytest.mark.parametrize(("kind", "contract", "words"), BROKEN_IN_LOOP)
def test_broken_contract_of_the_loop_is_found_and_named(kind, contract, words):
    checks = {check.__name__: check for check in LOOP_DETECTOR_CHECKS}
    with pytest.raises(AssertionError, match=words):
        checks[f"check_{contract}"](heatmap_detector(kind))


def test_every_check_of_the_loop_has_been_seen_to_fail():
    names = {check.__name__.removeprefix("check_") for check in LOOP_DETECTOR_CHECKS}
    assert {contract for _, contract, _ in BROKEN_IN_LOOP} == names


def test_a_detector_of_another_kind_cannot_be_that_of_the_loop():
    with pytest.raises(AssertionError, match="^Peaks breaks 6 of 29 contracts"):
        check_loop_detector(Peaks())
