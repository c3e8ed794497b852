"""All the checks of each kind of part, at once."""

from ._contract import run_all
from ._extractor import EXTRACTOR_CHECKS
from ._featurizer import FEATURIZER_CHECKS
from ._ranker import RANKER_CHECKS
from ._selector import SELECTOR_CHECKS

__all__ = ["check_extractor", "check_featurizer", "check_ranker", "check_selector"]


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
