"""PseudoLabelCellDetector: from a few clicks to every cell, in rounds."""

import time
import warnings
from functools import partial
from numbers import Integral

from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import has_fit_parameter

from ._callbacks import CallbackSupportMixin, with_callbacks
from ._detection._detector import HeatmapDetector
from ._detection._held_out import weigh
from ._detection._mixin import DetectorMixin
from ._images import Images
from ._labels import Labels
from ._parameters import HOW_TO_RUN, RADIUS, Number, PartsMixin
from ._ranking._candidates import choose_images, random_places, search, sort_candidates
from ._ranking._cross_fit import rank_candidates
from ._ranking._extractor import PatchExtractor
from ._ranking._featurizer import NNPUFeaturizer
from ._ranking._probability import rate_candidates
from ._ranking._ranker import PClassificationRanker
from ._ranking._selector import CalibratedSelector
from ._rounds import (
    Round,
    RoundsMixin,
    new_detector,
    round_settings,
    with_threshold,
)
from ._safeguards import WARNINGS, clicks_stand_out, is_worse, threshold_without_clicks
from ._stopping import enter_part

__all__ = ["PseudoLabelCellDetector"]

# Each rates what it was kept off, and goes on from round to round.
DETECTOR = partial(HeatmapDetector, n_nets=2, held_out="places", warm_start=True)


class PseudoLabelCellDetector(
    RoundsMixin, PartsMixin, CallbackSupportMixin, DetectorMixin, BaseEstimator
):
    """Find all cells when only some of them are clicked.

    A detector trained around the clicks finds nearly all cells, and too much else. Its
    peaks are ranked by how much they look like clicked cells; the best become pseudo
    positives, the worst pseudo negatives, those between count as probable as they are,
    the rest of the images is background, and the detector is trained again.

    Parameters
    ----------
    cell_radius : float, default=None
        Radius of a cell in pixels of the images; every length follows from it. None
        estimates it from the images around the clicks.
    alpha : float, default=0.05
        Largest share of the unlabelled candidates that become pseudo positives in a
        round; in [0, 1].
    beta : float, default=0.05
        Largest share that become pseudo negatives in a round; in [0, 1].
    p : float, default=4.0
        Push exponent of the ranker: the larger, the purer the top of its list.
    max_iter : int, default=2
        Rounds of pseudo labelling; 0 is the detector that knows the clicks alone.
    class_prior : float, default=0.5
        Share of cells among the unlabelled candidates, for the features. Rather too
        high than too low. None estimates it.
    detector : estimator, default=None
        None takes ``HeatmapDetector(n_nets=2, held_out="places", warm_start=True)``:
        two nets that go on learning from round to round.
    extractor : estimator, default=None
        None takes `PatchExtractor`.
    featurizer : estimator, default=None
        None takes `NNPUFeaturizer`.
    ranker : estimator, default=None
        None takes `PClassificationRanker`.
    selector : object, default=None
        Has a method `select`. None takes `CalibratedSelector`; `ShareSelector` is the
        rule of the paper.
    learn_background : bool, default=True
        Whether unlabelled pixels count as background once there are pseudo labels, in
        images with clicks. False trains on discs around labels only, as in the paper.
    rank_by_height : bool, default=True
        Whether the height of a candidate in the heatmap is one of its features. False
        ranks by the look of its patch alone, as in the paper.
    candidate_threshold : float, default=0.05
        Peaks above it are candidates: low, so that there is always background among
        them.
    max_candidates : int, default=50
        Most unlabelled candidates for each positive that the ranking learns from, and
        never more than 50 000; all are ranked.
    max_search : float, default=50.0
        How much is searched for candidates in a round, in megapixels at a cell radius
        of 6 pixels: where the images are more, those with clicks first, then others,
        drawn at random once for all rounds. The rest gets no pseudo labels. None
        searches all images.
    warm_start : bool, default=False
        Whether `fit`, on the images and clicks of the fit before, adds the rounds that
        it lacks of `max_iter`; also after an interrupted fit.
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
    detector_ : estimator
        The detector of the last round; of round 0 if that was "worse".
    rounds_ : list of Round
        The record of each round, from round 0.
    clicks_ : list of float ndarray of shape (n_i, 2)
        The clicks that it was fitted on.
    searched_ : bool ndarray of shape (n_images,)
        Which images are searched for candidates: all that `max_search` holds.
    n_iter_ : int
        Number of rounds of pseudo labelling.
    termination_condition_ : {"max_iter", "no_candidates", "no_change", "callback", \
            "odd_clicks", "worse"}
        Why the rounds ended; "odd_clicks" if the clicked cells stand out from what
        else is found, so that the last round was repeated with less background and a
        threshold chosen without them; "worse" if, by held-out clicks, the last
        detector is clearly worse than that of round 0.

    See Also
    --------
    paper_recipe : The rules and sizes of the published code.

    Notes
    -----
    The whole hands `cell_radius` to detector and extractor, `class_prior` to the
    featurizer, `p` to the ranker, `alpha` and `beta` to the selector, where they are
    None there. What is set in a part holds: ``ranker__p`` can be set and searched, and
    where the whole is set to something else, as in ``p=2`` with ``ranker__p=8``, `fit`
    raises. `device`, `n_jobs`, `random_state` and `verbose` are those of the whole
    where a part is at its default. The rounds alone set `masked` of the detector, by
    `learn_background`, and `concentrate` of the ranker, to both of its values.

    From scikit-learn 1.9 on, its callbacks, as in
    ``detector.set_callbacks(ScoringMonitor(scoring=click_scorer))``, are told of each
    round as a task of `fit`; one that returns True ends the rounds.

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi 10.1007/978-3-030-87237-3_41.

    Examples
    --------
    >>> from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
    >>> from pseudocell.datasets import drop_points, make_brightfield
    >>> images, points = make_brightfield(1, (96, 96), n_cells=10, random_state=0)
    >>> detector = PseudoLabelCellDetector(
    ...     cell_radius=8,
    ...     max_iter=1,
    ...     detector=HeatmapDetector(max_steps=20),
    ...     featurizer=NNPUFeaturizer(max_steps=2),
    ...     random_state=0,
    ... )
    >>> detector.fit(images, drop_points(points, 0.3, random_state=0)).n_iter_
    1
    """

    _parts = {
        "detector": (DETECTOR, ("cell_radius",)),
        "extractor": (PatchExtractor, ("cell_radius",)),
        "featurizer": (NNPUFeaturizer, ("class_prior",)),
        "ranker": (PClassificationRanker, ("p",)),
        "selector": (CalibratedSelector, ("alpha", "beta")),
    }
    _parameter_constraints = {
        "cell_radius": [RADIUS, None],
        "alpha": [Number(low=0, high=1)],
        "beta": [Number(low=0, high=1)],
        "p": [Number(low=1)],
        "max_iter": [Number(Integral, 0)],
        "class_prior": [Number(low=0, high=1, closed="neither"), None],
        "detector": [HasMethods(["fit", "find_candidates"]), None],
        "extractor": [HasMethods(["fit", "transform"]), None],
        "featurizer": [HasMethods(["fit", "transform"]), None],
        "ranker": [HasMethods(["fit", "decision_function"]), None],
        "selector": [HasMethods(["select"]), None],
        "learn_background": ["boolean"],
        "rank_by_height": ["boolean"],
        "candidate_threshold": [Number()],
        "max_candidates": [Number(Integral, 1)],
        "max_search": [Number(low=0, closed="neither"), None],
        "warm_start": ["boolean"],
        **HOW_TO_RUN,
    }

    def __init__(
        self,
        cell_radius=None,
        *,
        alpha=0.05,
        beta=0.05,
        p=4.0,
        max_iter=2,
        class_prior=0.5,
        detector=None,
        extractor=None,
        featurizer=None,
        ranker=None,
        selector=None,
        learn_background=True,
        rank_by_height=True,
        candidate_threshold=0.05,
        max_candidates=50,
        max_search=50.0,
        warm_start=False,
        device="auto",
        n_jobs=None,
        random_state=None,
        verbose=None,
    ):
        self.cell_radius = cell_radius
        self.alpha = alpha
        self.beta = beta
        self.p = p
        self.max_iter = max_iter
        self.class_prior = class_prior
        self.detector = detector
        self.extractor = extractor
        self.featurizer = featurizer
        self.ranker = ranker
        self.selector = selector
        self.learn_background = learn_background
        self.rank_by_height = rank_by_height
        self.candidate_threshold = candidate_threshold
        self.max_candidates = max_candidates
        self.max_search = max_search
        self.warm_start = warm_start
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    def fit(self, images, partial_points, *, positives=None, negatives=None):
        """Learn from images in which some of the cells are clicked.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images; sizes may differ, items may be lazy.
        partial_points : sequence of array-like of shape (n_i, 2)
            Clicked cells as (row, col) in pixels; an image may have none. They stand
            for all cells: threshold and probabilities follow from them alone.
        positives : sequence of array-like of shape (m_i, 2), optional
            Further cells, which stand for no others: those that an earlier detector has
            missed, or was unsure of, so that somebody was asked.
        negatives : sequence of array-like of shape (k_i, 2), optional
            Places that are surely no cell.

        Returns
        -------
        self : PseudoLabelCellDetector

        Raises
        ------
        ValueError
            If images, points or parameters are not as described, nothing is clicked,
            a place is said to be a cell and none, a parameter is set to two values, or
            a warm start meets other clicks or more rounds than `max_iter`.

        Warns
        -----
        UserWarning
            If no candidate could be labelled, the clicked cells are of one kind, or the
            last detector was refused.
        """
        self._validate_params()
        images = Images(images)
        labels = Labels.check(images, partial_points, positives, negatives)
        tasks = self._init_callback_context(max_subtasks=self.max_iter + 1)
        tasks.call_on_fit_task_begin(estimator=self, X=images, y=labels.clicks)
        detector, selector = self._part("detector"), self._part("selector")
        reason, n_before = self._begin(labels), len(self.rounds_)
        if n_before == 0:
            reason = self._train(tasks, detector, images, labels)
        while reason is None and len(self.rounds_) <= self.max_iter:
            labels, candidates = self._find_candidates(images)
            if not candidates.can_be_ranked():
                reason = "no_candidates"
                break
            ranking = self._rank(images, candidates)
            choice = selector.select(
                ranking.top,
                ranking.bottom,
                ranking.clicked_top,
                ranking.clicked_bottom,
            )
            if len(self.rounds_) > 1 and not choice.any():
                reason = "no_change"
                break
            chances = self._rate(candidates, ranking)
            labels = labels.add(candidates, ranking, choice, chances, self.cell_radius_)
            unlabelled = candidates.unlabelled
            reason = self._train(tasks, detector, images, labels, unlabelled)
        if reason is None and len(self.rounds_) == n_before:
            reason = getattr(self, "termination_condition_", None)
        self._keep_the_better(images, reason or "max_iter")
        tasks.call_on_fit_task_end(
            estimator=self, X=images, y=self.clicks_, reconstruction_attributes={}
        )
        return self

    def _train(self, tasks, template, images, labels, candidates=None):
        """Train and record a detector; return why the rounds end with it, or None."""
        number = len(self.rounds_)
        enter_part(number, self.max_iter + 1, f"Round {number}")
        task = tasks.subcontext(task_name="round")
        task.call_on_fit_task_begin(estimator=self, X=images, y=labels.clicks)
        began = time.perf_counter()
        detector = self._fit_detector(template, images, labels)
        ended = None
        if self._has_learnt_cells_as_background(detector, images):
            ended = "odd_clicks"
            # Once more, from what the clicks alone have taught.
            detector = self._fit_detector(template, images, labels, odd=True)
            held_out = self._held_out(detector, images)
            detector = with_threshold(detector, threshold_without_clicks(held_out))
        self.detector_ = detector
        self.cell_radius_ = detector.cell_radius_
        n_candidates = sum(map(len, candidates or []))
        seconds = time.perf_counter() - began
        self.rounds_.append(
            Round(number, labels, detector, candidates, n_candidates, seconds, ended)
        )
        stop = task.call_on_fit_task_end(
            estimator=self,
            X=images,
            y=labels.clicks,
            # A copy: the list grows.
            reconstruction_attributes=lambda: {
                "n_iter_": number,
                "rounds_": [*self.rounds_],
            },
        )
        return ended or ("callback" if stop else None)

    def _fit_detector(self, template, images, labels, odd=False):
        """Fit a detector on labels, with the settings of the round."""
        weight = template.get_params(deep=False).get("background_weight")
        settings = round_settings(
            len(self.rounds_),
            learn_background=self.learn_background,
            cell_radius=self.cell_radius_ if self.rounds_ else None,
            background_weight=weight,
            is_rated=labels.probabilities is not None,
            odd=odd,
        )
        detector = new_detector(template, self.rounds_[: 1 if odd else None])
        known = labels.to_fit(has_fit_parameter(detector, "centres"))
        return detector.set_params(**settings).fit(images, labels.clicks, **known)

    def _held_out(self, detector, images):
        """Return what held-out clicks say of a detector."""
        return weigh(
            detector,
            self.clicks_,
            lambda indices: detector.find_candidates(images.take(indices)),
        )

    def _has_learnt_cells_as_background(self, detector, images):
        """Whether the clicks stand out, in a round that takes them for a sample."""
        if not (self.learn_background and self.rounds_):
            return False
        held_out = self._held_out(detector, images)
        # Many finds that are no cells let the clicks stand out, too: that is worse.
        return clicks_stand_out(held_out) and not self._is_worse(detector, images)

    def _is_worse(self, detector, images):
        first = self.rounds_[0].detector
        return is_worse(*(self._held_out(one, images) for one in (detector, first)))

    def _find_candidates(self, images):
        """Find the candidates, and the labels to add to; known ones stay candidates."""
        last, known = self.rounds_[-1], self.rounds_[-1].candidates
        size, most = (self.clicks_, self.cell_radius_), self.max_candidates
        if known is None:
            rng = check_random_state(self.random_state)
            self.searched_ = choose_images(images, *size, self.max_search, rng)
        if known is None and self.learn_background:
            rng = check_random_state(self.random_state)
            known = random_places(images, *size, self.searched_, most, rng)
        limits = self.candidate_threshold, known, self.searched_
        peaks, labels = search(last.detector, images, *limits), last.labels
        sorted_by = labels
        if getattr(last.detector, "places_", None) is not None:
            # Chosen anew: clicks are a sample of all cells, not of those that are left.
            labels = self.rounds_[0].labels
            # So are candidates of all, with those that are known to be no cell.
            sorted_by = labels.with_open_negatives()
        sizes = images.shapes, self.cell_radius_
        return labels, sort_candidates(peaks, sorted_by, last.detector, *sizes)

    def _rate(self, candidates, ranking):
        """Return how probably each candidate is a cell, if clicks can tell."""
        if not (self.learn_background and candidates.are_by_place):
            return None
        return rate_candidates(candidates, ranking, self.cell_radius_)

    def _rank(self, images, candidates):
        extractor = self._part("extractor")
        if extractor.cell_radius is None:
            extractor.set_params(cell_radius=self.cell_radius_)
        return rank_candidates(
            images,
            candidates,
            extractor=extractor,
            featurizer=self._part("featurizer"),
            ranker=self._part("ranker"),
            by_height=self.rank_by_height,
            room=self.max_candidates,
            rng=check_random_state(self.random_state),
            n_jobs=self.n_jobs,
        )

    def _keep_the_better(self, images, reason):
        """Choose between first and last round; say it if something is wrong."""
        self.n_iter_ = len(self.rounds_) - 1
        if self.n_iter_ > 0 and self._is_worse(self.detector_, images):
            self.detector_, reason = self.rounds_[0].detector, "worse"
        self.termination_condition_ = reason
        some_were_labelled = reason == "no_candidates" and self.n_iter_ > 0
        if reason in WARNINGS and not some_were_labelled:
            check = f", or check cell_radius ({self.cell_radius_:g} px)."
            warnings.warn(WARNINGS[reason] + check, stacklevel=4)
