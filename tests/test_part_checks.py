"""Checks of the parts pass where a contract is kept, and fail where it is broken."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from pseudocell import (
    CalibratedSelector,
    NNPUFeaturizer,
    PatchExtractor,
    PClassificationRanker,
    ShareSelector,
)
from pseudocell._geometry._patches import cut_patches
from pseudocell._validation import check_patches, check_pu_target
from pseudocell.estimator_checks import (
    EXTRACTOR_CHECKS,
    FEATURIZER_CHECKS,
    RANKER_CHECKS,
    SELECTOR_CHECKS,
    check_extractor,
    check_featurizer,
    check_ranker,
    check_selector,
)


# ----------------------------------------------------------------------- honest parts
class RawPatches(PatchExtractor):
    """Nothing is resampled; without `fit_transform` of a mixin."""

    def fit_transform(self, X):
        return self.fit(X).transform(X)


class Pixels(TransformerMixin, BaseEstimator):
    """The pixels are the features."""

    def fit(self, X, y):
        self.mean_ = check_patches(X).mean()
        check_pu_target(y, len(X))
        return self

    def transform(self, X):
        check_is_fitted(self)
        return check_patches(X).reshape(len(X), -1) - self.mean_


class Means(BaseEstimator):
    """Ranks by the direction from the mean of one class to that of the other."""

    def __init__(self, concentrate="top"):
        self.concentrate = concentrate

    def fit(self, X, y):
        check_pu_target(y, len(X))
        if not np.isfinite(X).all():
            raise ValueError("X has NaN.")
        self.coef_ = X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0)
        return self

    def decision_function(self, X):
        check_is_fitted(self)
        return X @ self.coef_


class Extremes(BaseEstimator):
    """Selects those at the ends of the list."""

    def __init__(self, count=2):
        self.count = count

    def select(self, top, bottom, clicked_top, clicked_bottom):
        labels = np.zeros(len(top), dtype=int)
        labels[np.argsort(top)[-self.count :]] = 1
        labels[np.argsort(bottom)[: self.count]] = -1
        return labels


QUICK = NNPUFeaturizer(0.5, max_steps=2, batch_size=4, device="cpu")
PARTS = [
    (PatchExtractor(6, size=9), EXTRACTOR_CHECKS),
    (PatchExtractor(size=9), EXTRACTOR_CHECKS),
    (RawPatches(6), EXTRACTOR_CHECKS),
    (QUICK, FEATURIZER_CHECKS),
    (Pixels(), FEATURIZER_CHECKS),
    (PClassificationRanker(), RANKER_CHECKS),
    (Means(), RANKER_CHECKS),
    (ShareSelector(), SELECTOR_CHECKS),
    (CalibratedSelector(alpha=0.5, beta=0.5), SELECTOR_CHECKS),
    (Extremes(), SELECTOR_CHECKS),
]


@pytest.mark.parametrize(
    ("part", "check"), [(part, check) for part, checks in PARTS for check in checks]
)
def test_honest_parts_keep_every_contract(part, check):
    check(part)


# ----------------------------------------------------------------------- broken parts
class ReturnsNothing(Means):
    def fit(self, X, y):
        super().fit(X, y)


class WritesParameter(Means):
    def fit(self, X, y):
        self.concentrate = self.concentrate.upper()
        return super().fit(X, y)


class ScoresUnfitted(Means):
    def decision_function(self, X):
        return X @ getattr(self, "coef_", np.zeros(X.shape[1]))


class HoldsLambda(Means):
    def fit(self, X, y):
        self.function_ = lambda X: X
        return super().fit(X, y)


class WritesData(Means):
    def fit(self, X, y):
        X -= X.mean()
        return super().fit(X, y)


class KeepsTheFirst(Means):
    def fit(self, X, y):
        return self if hasattr(self, "coef_") else super().fit(X, y)


class FitsAtRandom(Means):
    def fit(self, X, y):
        super().fit(X, y)
        self.coef_ = self.coef_ + np.random.default_rng().normal(scale=1e-6)
        return self


class DrawsFromNumPy(Means):
    def fit(self, X, y):
        np.random.normal()
        return super().fit(X, y)


class AcceptsNaN(Means):
    def fit(self, X, y):
        return super().fit(np.nan_to_num(X), y)


class AcceptsNoPositive(Means):
    def fit(self, X, y):
        self.coef_ = np.ones(X.shape[1])
        return super().fit(X, y) if y.any() else self


class AcceptsAnyLabels(Pixels):
    def fit(self, X, y):
        return super().fit(X, np.arange(len(X)) % 2)


class SaysNothing(PatchExtractor):
    """What it refuses, it does not name."""

    def fit(self, X, y=None):
        try:
            return super().fit(X, y)
        except ValueError as error:
            raise ValueError("no") from error

    def transform(self, X):
        try:
            return super().transform(X)
        except ValueError as error:
            raise ValueError("no") from error


class ScoresInColumns(Means):
    def decision_function(self, X):
        return super().decision_function(X)[:, np.newaxis]


class RanksBottomBackwards(Means):
    def decision_function(self, X):
        sign = 1 if self.concentrate == "top" else -1
        return sign * super().decision_function(X)


class SortsPoints(PatchExtractor):
    def transform(self, X):
        return super().transform(
            [(image, points[np.argsort(points[:, 0])]) for image, points in X]
        )


class NeedsPoints(PatchExtractor):
    def transform(self, X):
        if not all(len(points) for _, points in X):
            raise ValueError("no point")
        return super().transform(X)


class HasNoRadius(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.concatenate([cut_patches(image, points, 9) for image, points in X])


class KeepsPatches(Pixels):
    def transform(self, X):
        super().transform(X)
        return X


class CentresTogether(Pixels):
    def transform(self, X):
        return super().transform(X) - X.mean()


class LabelsAreFloats(Extremes):
    def select(self, *scores):
        return super().select(*scores).astype(float)


class Swapped(Extremes):
    def select(self, *scores):
        return -super().select(*scores)


class TakesTheFirst(Extremes):
    def select(self, top, *others):
        return np.repeat([1, 0], [1, len(top) - 1])


class TakesMoreEachTime(Extremes):
    def select(self, *scores):
        self.count += 1
        return super().select(*scores)


BROKEN = [
    (ReturnsNothing(), RANKER_CHECKS, "check_fit_returns_self"),
    (WritesParameter(), RANKER_CHECKS, "check_parameters_are_kept"),
    (ScoresUnfitted(), RANKER_CHECKS, "check_unfitted_raises"),
    (HoldsLambda(), RANKER_CHECKS, "check_pickle_round_trip"),
    (WritesData(), RANKER_CHECKS, "check_inputs_are_unchanged"),
    (KeepsTheFirst(), RANKER_CHECKS, "check_refit_forgets"),
    (FitsAtRandom(), RANKER_CHECKS, "check_same_seed_same_result"),
    (DrawsFromNumPy(), RANKER_CHECKS, "check_global_generators_are_unchanged"),
    (AcceptsNaN(), RANKER_CHECKS, "check_nan_named"),
    (AcceptsNoPositive(), RANKER_CHECKS, "check_no_positive_sample_named"),
    (AcceptsAnyLabels(), FEATURIZER_CHECKS, "check_bad_labels_named"),
    (SaysNothing(6), EXTRACTOR_CHECKS, "check_no_pair_named"),
    (SaysNothing(6), EXTRACTOR_CHECKS, "check_points_outside_named"),
    (ScoresInColumns(), RANKER_CHECKS, "check_scores_are_one_a_sample"),
    (RanksBottomBackwards(), RANKER_CHECKS, "check_larger_is_more_positive"),
    (SortsPoints(6), EXTRACTOR_CHECKS, "check_rows_are_points"),
    (NeedsPoints(6), EXTRACTOR_CHECKS, "check_image_without_points"),
    (HasNoRadius(), EXTRACTOR_CHECKS, "check_has_cell_radius"),
    (KeepsPatches(), FEATURIZER_CHECKS, "check_features_are_a_table"),
    (CentresTogether(), FEATURIZER_CHECKS, "check_patches_do_not_mix"),
    (LabelsAreFloats(), SELECTOR_CHECKS, "check_labels"),
    (Swapped(), SELECTOR_CHECKS, "check_cells_are_better_than_background"),
    (TakesTheFirst(), SELECTOR_CHECKS, "check_order_does_not_matter"),
    (TakesMoreEachTime(), SELECTOR_CHECKS, "check_nothing_is_changed_or_kept"),
]


def failures(part, checks):
    """Names of the checks that fail."""
    failed = set()
    for check in checks:
        try:
            check(part)
        except AssertionError:
            failed.add(check.__name__)
    return failed


@pytest.mark.parametrize(("part", "checks", "name"), BROKEN)
def test_broken_contract_is_found(part, checks, name):
    failed = failures(part, checks)
    assert name in failed
    # It is this contract that is broken, and not a part that does nothing right.
    assert len(failed) <= len(checks) / 2


def test_every_check_has_been_seen_to_fail():
    every = [*EXTRACTOR_CHECKS, *FEATURIZER_CHECKS, *RANKER_CHECKS, *SELECTOR_CHECKS]
    assert {check.__name__ for check in every} == {name for _, _, name in BROKEN}


@pytest.mark.parametrize(
    ("check", "part"),
    [
        (check_extractor, SortsPoints(6)),
        (check_featurizer, KeepsPatches()),
        (check_ranker, ReturnsNothing()),
        (check_selector, Swapped()),
    ],
)
def test_all_broken_contracts_of_a_part_are_named(check, part):
    with pytest.raises(AssertionError, match=f"^{type(part).__name__} breaks [1-4] of"):
        check(part)


def test_message_says_contract_and_problem():
    message = "^`fit` returns the estimator itself. But it returned None.$"
    with pytest.raises(AssertionError, match=message):
        RANKER_CHECKS[0](ReturnsNothing())
