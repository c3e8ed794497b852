"""PUDetector: PU learning says which candidates are cells, in one round."""

from functools import partial
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from pseudocell._detection._detector import HeatmapDetector
from pseudocell._detection._mixin import DetectorMixin
from pseudocell._geometry._matching import match_points
from pseudocell._geometry._peaks import are_far, thin
from pseudocell._images import Images, check_clicked
from pseudocell._parameters import (
    HOW_TO_RUN,
    RADIUS,
    Number,
    PartsMixin,
    lend_settings,
)
from pseudocell._ranking._extractor import PatchExtractor
from pseudocell._ranking._featurizer import (
    HIGHEST_PRIOR,
    LOWEST_PRIOR,
    NNPUFeaturizer,
    estimate_patch_prior,
)
from pseudocell._threads import map_threads

__all__ = ["PUDetector"]


class PUDetector(PartsMixin, DetectorMixin, BaseEstimator):
    """Find all cells by classifying the candidates of a masked detector.

    A detector trained around the clicks finds nearly all cells, and too much else. Its
    peaks near clicks are positive, the others are unlabelled. A net learns from their
    patches by positive-unlabelled (PU) learning, and the peaks that are positive for it
    are the cells. Nothing is labelled and no detector is trained again: this
    is what `PseudoLabelCellDetector` has to beat.

    Parameters
    ----------
    cell_radius : float, default=None
        Radius of a cell in pixels of the images; every length follows from it. None
        estimates it from the images around the clicks.
    class_prior : float, default=None
        Share of cells **among the unlabelled candidates**, in (0, 1): not among the
        pixels, and not the share of the cells that is clicked. None estimates it.
    detector : estimator, default=None
        None takes `HeatmapDetector` with two nets, as `PseudoLabelCellDetector` does.
    extractor : estimator, default=None
        None takes `PatchExtractor`.
    featurizer : estimator, default=None
        The PU classifier, by its `decision_function`; has the parameter `class_prior`.
        None takes `NNPUFeaturizer`.
    candidate_threshold : float, default=0.5
        Peaks above this height are candidates, in `fit` and in `predict`. 0.5 is the
        paper's; far below it too few of them are cells to estimate the prior.
    max_candidates : int, default=50
        Most unlabelled candidates for each positive one that are learnt from, drawn at
        random.
    device : str, default="auto"
        "auto", "cpu", "cuda" or "mps".
    n_jobs : int, default=None
        Number of threads. None means all cores, but one inside a worker of joblib.
    random_state : int, RandomState instance or None, default=None
        Seed; the same seed gives the same points on any number of threads.
    verbose : int, default=None
        1 shows progress bars, 0 none; None shows them in a terminal or a notebook.

    Attributes
    ----------
    cell_radius_ : float
        The radius that is used, in pixels of the images.
    class_prior_ : float
        The prior that is used.
    detector_ : estimator
        The fitted detector of the candidates.
    extractor_, featurizer_ : estimator
        The fitted parts of the classifier.
    border_ : float
        The logit above which a candidate is a cell.
    threshold_ : float
        0: scores are logits above the border.
    n_positive_, n_unlabelled_ : int
        Numbers of candidates at clicks and elsewhere.

    Notes
    -----
    The border is where the share of the unlabelled candidates above it is
    `class_prior_`. At a logit of 0, where the risk has it, a net trained with a small
    prior and few clicks takes everything for negative: its risk can only be as large as
    the prior then. For the same reason the prior in the risk is at least 0.6, which
    changes the border but not the ranking.

    Of several positive candidates within one radius the strongest is kept.

    References
    ----------
    Positive-unlabelled detection: Yang, Liang, Carin, "Object Detection as a
    Positive-Unlabeled Problem", BMVC 2020, arXiv:2002.04672; there the proposals of a
    two-stage detector are classified. On the candidates of a masked detector PU
    learning is what is called Yang in Fujii, Suehiro, Nishimura, Bise, "Cell Detection
    from Imperfect Annotation by Pseudo Label Selection Using P-classification", MICCAI
    2021,
    doi 10.1007/978-3-030-87237-3_41. The risk: Kiryo, Niu, du Plessis, Sugiyama,
    "Positive-Unlabeled Learning with Non-Negative Risk Estimator", NeurIPS 2017,
    arXiv:1703.00593. The prior: du Plessis, Niu, Sugiyama, "Class-prior estimation for
    learning from positive and unlabeled data", Machine Learning 2017,
    doi 10.1007/s10994-016-5604-6.

    Examples
    --------
    >>> from pseudocell import HeatmapDetector, NNPUFeaturizer
    >>> from pseudocell.baselines import PUDetector
    >>> from pseudocell.datasets import make_brightfield
    >>> images, points = make_brightfield(1, (96, 96), n_cells=6, random_state=0)
    >>> detector = PUDetector(
    ...     cell_radius=8,
    ...     class_prior=0.3,
    ...     detector=HeatmapDetector(max_steps=15),
    ...     featurizer=NNPUFeaturizer(max_steps=5),
    ...     candidate_threshold=0.05,
    ...     random_state=0,
    ... )
    >>> len(detector.fit(images, [points[0][:3]]).predict(images))
    1
    """

    # Scores are logits above the border.
    threshold_ = 0.0
    _parts = {
        "detector": (partial(HeatmapDetector, n_nets=2), ("cell_radius",)),
        "extractor": (PatchExtractor, ("cell_radius",)),
        "featurizer": (NNPUFeaturizer, ()),
    }
    _parameter_constraints = {
        "cell_radius": [RADIUS, None],
        "class_prior": [Number(low=0, high=1, closed="neither"), None],
        "detector": [HasMethods(["fit", "find_candidates"]), None],
        "extractor": [HasMethods(["fit", "transform"]), None],
        "featurizer": [HasMethods(["fit", "decision_function"]), None],
        "candidate_threshold": [Number()],
        "max_candidates": [Number(Integral, 1)],
        **HOW_TO_RUN,
    }

    def __init__(
        self,
        cell_radius=None,
        *,
        class_prior=None,
        detector=None,
        extractor=None,
        featurizer=None,
        candidate_threshold=0.5,
        max_candidates=50,
        device="auto",
        n_jobs=None,
        random_state=None,
        verbose=None,
    ):
        self.cell_radius = cell_radius
        self.class_prior = class_prior
        self.detector = detector
        self.extractor = extractor
        self.featurizer = featurizer
        self.candidate_threshold = candidate_threshold
        self.max_candidates = max_candidates
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, images, partial_points):
        """Train the detector of candidates, then the classifier.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images; sizes may differ, items may be lazy.
        partial_points : sequence of array-like of shape (n_i, 2)
            Clicked cells as (row, col) in pixels; an image may have none.

        Returns
        -------
        self : PUDetector

        Raises
        ------
        ValueError
            If images, points or parameters are not as described, nothing is clicked, or
            there is no candidate at a click or none elsewhere.
        """
        self._validate_params()
        images = Images(images)
        clicks = check_clicked(images, partial_points)
        rng = check_random_state(self.random_state)
        self.detector_ = self._part("detector")
        self.cell_radius_ = self.detector_.fit(images, clicks).cell_radius_
        positive, unlabelled = self._sort(
            self.detector_.find_candidates(images, self.candidate_threshold), clicks
        )
        self.n_positive_ = sum(map(len, positive))
        self.n_unlabelled_ = sum(map(len, unlabelled))
        self._check_candidates()
        self.extractor_ = self._part("extractor")
        if self.extractor_.cell_radius is None:
            self.extractor_.set_params(cell_radius=self.cell_radius_)
        X = self.extractor_.fit_transform(list(zip(images, positive, strict=True)))
        room = self.max_candidates * self.n_positive_
        sample = _draw(unlabelled, min(self.n_unlabelled_, room), rng)
        more = self.extractor_.transform(list(zip(images, sample, strict=True)))
        y = np.repeat([1, 0], [len(X), len(more)])
        X = np.concatenate([X, more])
        self.class_prior_ = self.class_prior
        if self.class_prior is None:
            self.class_prior_ = estimate_patch_prior(X, y, rng.randint(2**31 - 1))
        self.featurizer_ = self._part("featurizer")
        prior = float(np.clip(self.class_prior_, LOWEST_PRIOR, HIGHEST_PRIOR))
        self.featurizer_.set_params(class_prior=prior).fit(X, y)
        logits = self.featurizer_.decision_function(X[y == 0])
        self.border_ = float(np.quantile(logits, 1 - self.class_prior_))
        return self

    def find_candidates(self, images, threshold=-np.inf):
        """Return the candidates above any score, with their scores.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.
        threshold : float, default=-inf
            Candidates at or below it are left out; 0 is the border.

        Returns
        -------
        candidates : list of (points, scores)
            Points of shape (n_i, 2) as (row, col) in pixels, more than one radius
            apart, and their logits less `border_`, of shape (n_i,), the highest first.
        """
        check_is_fitted(self)
        images = Images(images)
        detector = lend_settings(self, "detector", self.detector_)
        featurizer = lend_settings(self, "featurizer", self.featurizer_)
        peaks = detector.find_candidates(images, self.candidate_threshold)

        def classify(index):
            points, _ = peaks[index]
            if len(points) == 0:
                return points, np.zeros(0)
            patches = self.extractor_.transform([(images[index], points)])
            scores = featurizer.decision_function(patches) - self.border_
            best_first = np.argsort(-scores, kind="stable")
            best_first = best_first[scores[best_first] > threshold]
            points, scores = points[best_first], scores[best_first]
            keep = thin(points, self.cell_radius_)
            return points[keep], scores[keep]

        return map_threads(classify, range(len(peaks)), self.n_jobs)

    def _sort(self, peaks, clicks):
        """Return the peaks matched to clicks, and those that are near none."""
        positive, unlabelled = [], []
        for (points, _), clicked in zip(peaks, clicks, strict=True):
            at_click, _ = match_points(points, clicked, self.cell_radius_)
            positive.append(points[at_click])
            unlabelled.append(points[are_far(points, clicked, self.cell_radius_)])
        return positive, unlabelled

    def _check_candidates(self):
        if self.n_positive_ == 0:
            raise ValueError(
                "No peak of the detector is at a clicked cell: there is no cell to "
                "learn from. Click more cells, train the detector longer, or check "
                f"cell_radius ({self.cell_radius_:g} px)."
            )
        if self.n_unlabelled_ == 0:
            raise ValueError(
                "Every peak of the detector is at a clicked cell: there is nothing to "
                "tell cells from. Lower candidate_threshold "
                f"({self.candidate_threshold:g})."
            )


def _draw(points, n_drawn, rng):
    """Draw points from all images, without replacement."""
    owner = np.repeat(np.arange(len(points)), [len(array) for array in points])
    chosen = np.sort(rng.permutation(len(owner))[:n_drawn])
    ends = np.searchsorted(owner[chosen], np.arange(1, len(points)))
    return np.split(np.concatenate(points)[chosen], ends)
