"""All the checks of a kind of estimator, at once."""

from ._contract import run_all
from ._detector import DETECTOR_CHECKS
from ._extractor import EXTRACTOR_CHECKS
from ._featurizer import FEATURIZER_CHECKS
from ._loop_detector import LOOP_DETECTOR_CHECKS
from ._ranker import RANKER_CHECKS
from ._selector import SELECTOR_CHECKS

__all__ = [
    "check_detector",
    "check_extractor",
    "check_featurizer",
    "check_loop_detector",
    "check_ranker",
    "check_selector",
]


def check_detector(detector):
    """Check that a detector keeps every contract of a detector.

    It is fitted some thirty times on two images of 64 x 80 pixels with bright cells of
    radius 6, three of six clicked: give it few steps and a small net.

    Parameters
    ----------
    detector : estimator
        Has ``fit(images, points)`` and ``predict(images)``, and may have
        ``predict_scored(images)``, ``find_candidates(images)`` and
        ``score(images, points)``. Clones of it are fitted, with `random_state` 0 where
        there is one and `warm_start` off. A UserWarning of it is no failure.

    Raises
    ------
    AssertionError
        If a contract is broken; names all that are.

    Notes
    -----
    Each check of the tuple `DETECTOR_CHECKS` is a function of a detector. For one test
    each::

        @pytest.mark.parametrize("check", DETECTOR_CHECKS)
        def test_contracts(check):
            check(MyDetector())

    Examples
    --------
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.estimator_checks import check_detector
    >>> check_detector(BlobDetector(cell_radius=6, scales=[1.0]))

    The `fit` of this one returns nothing, so that ``fit(...).predict(...)`` fails:

    >>> class Silent(BlobDetector):
    ...     def fit(self, images, points):
    ...         super().fit(images, points)
    >>> from pseudocell.estimator_checks import DETECTOR_CHECKS
    >>> DETECTOR_CHECKS[0](Silent(cell_radius=6, scales=[1.0]))
    Traceback (most recent call last):
    AssertionError: `fit` returns the estimator itself. But it returned None.
    """
    run_all(DETECTOR_CHECKS, detector)


def check_loop_detector(detector):
    """Check that a detector can be that of `PseudoLabelCellDetector`.

    Besides the contracts of `check_detector`, it learns from pseudo labels, finds
    candidates down to any threshold, and tells how high each click stands for a net
    that has not seen it. It is fitted some forty times: give it few steps.

    Parameters
    ----------
    detector : estimator
        As in `check_detector`, with parameters `cell_radius`, `masked` and
        `background_weight`; ``fit(images, points, *, positives=None, negatives=None)``;
        ``find_candidates(images, threshold=..., known=None)``; after `fit` with
        `cell_radius_`, `click_folds_`, `click_heights_` and `threshold_`.

    Raises
    ------
    AssertionError
        If a contract is broken; names all that are. Those that `DETECTOR_CHECKS` does
        not hold are in the tuple `LOOP_DETECTOR_CHECKS`.

    Examples
    --------
    >>> from pseudocell import HeatmapDetector
    >>> from pseudocell.estimator_checks import LOOP_DETECTOR_CHECKS
    >>> detector = HeatmapDetector(6, nominal_radius=4, max_steps=2, batch_size=2)
    >>> for check in LOOP_DETECTOR_CHECKS:
    ...     check(detector)
    """
    run_all((*DETECTOR_CHECKS, *LOOP_DETECTOR_CHECKS), detector)


def check_extractor(extractor):
    """Check that an extractor keeps every contract of one.

    Parameters
    ----------
    extractor : estimator
        Has a parameter `cell_radius`, ``fit(pairs)`` and ``transform(pairs)``, of a
        list of (image, points), to one row a point. Clones of it are fitted some ten
        times.

    Raises
    ------
    AssertionError
        If a contract is broken; names all that are. The checks one by one are in the
        tuple `EXTRACTOR_CHECKS`.

    Examples
    --------
    >>> from pseudocell import PatchExtractor
    >>> from pseudocell.estimator_checks import check_extractor
    >>> check_extractor(PatchExtractor(cell_radius=6, size=9))
    """
    run_all(EXTRACTOR_CHECKS, extractor)


def check_featurizer(featurizer):
    """Check that a featurizer keeps every contract of one.

    Parameters
    ----------
    featurizer : estimator
        Has ``fit(X, y)`` and ``transform(X)``, of patches of shape (n, size, size) or
        (n, size, size, C) and labels, 1 for positive and 0 for unlabelled. Clones of
        it are fitted some twenty times on 40 patches of 9 x 9 pixels, with
        `random_state` 0 where there is one: give it few steps.

    Raises
    ------
    AssertionError
        If a contract is broken; names all that are. The checks one by one are in the
        tuple `FEATURIZER_CHECKS`.

    Examples
    --------
    >>> from pseudocell import NNPUFeaturizer
    >>> from pseudocell.estimator_checks import check_featurizer
    >>> check_featurizer(NNPUFeaturizer(0.5, max_steps=1, batch_size=4))
    """
    run_all(FEATURIZER_CHECKS, featurizer)


def check_ranker(ranker):
    """Check that a ranker keeps every contract of one.

    `X` is a table here, so that scikit-learn's own `check_estimator` is for rankers
    too; this checks what the loop needs besides.

    Parameters
    ----------
    ranker : estimator
        Has a parameter `concentrate`, "top" or "bottom", ``fit(X, y)`` of features and
        labels, 1 for positive and 0 for unlabelled, and ``decision_function(X)``.
        Clones of it are fitted some twenty times.

    Raises
    ------
    AssertionError
        If a contract is broken; names all that are. The checks one by one are in the
        tuple `RANKER_CHECKS`.

    Examples
    --------
    >>> from pseudocell import PClassificationRanker
    >>> from pseudocell.estimator_checks import check_ranker
    >>> check_ranker(PClassificationRanker(l2=0.5))
    """
    run_all(RANKER_CHECKS, ranker)


def check_selector(selector):
    """Check that a selector keeps every contract of one.

    Parameters
    ----------
    selector : estimator
        Has ``select(top, bottom, clicked_top, clicked_bottom)``, of two scores of each
        candidate and of each clicked cell, to one label a candidate.

    Raises
    ------
    AssertionError
        If a contract is broken; names all that are. The checks one by one are in the
        tuple `SELECTOR_CHECKS`.

    Examples
    --------
    >>> from pseudocell import CalibratedSelector
    >>> from pseudocell.estimator_checks import check_selector
    >>> check_selector(CalibratedSelector())
    """
    run_all(SELECTOR_CHECKS, selector)
