"""The record of a fit: what each round was trained on, and what came of it."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from ._detection._unseen import LOWEST_PEAK
from ._images import Images
from ._labels import Labels
from ._parameters import lend_settings

__all__ = [
    "Round",
    "RoundsMixin",
    "check_goes_on",
    "new_detector",
    "round_settings",
    "with_threshold",
]

# What a file holds of the rounds, and of the labels that `fit` was given.
SAVED = ("detectors_", "history_", "labels_", "candidates_")
GIVEN = {
    "partial_points": "clicks",
    "positives": "positives",
    "negatives": "negatives",
}
# By how much less unlabelled places count where cells of one kind were clicked.
WEIGHT_IF_ODD = 0.2
# What the background weighs where all cells are labelled. From round 2 on the labels
# come from detectors that know the background.
FULL_WEIGHT = 1 / 3


@dataclass(frozen=True, eq=False)
class Round:
    """One training, what it was made from, and how it ended.

    Attributes
    ----------
    number : int
        0 is the round that knows the clicks alone.
    labels : Labels
        What the detector was trained on.
    detector : estimator
        The fitted detector.
    candidates : list of float ndarray of shape (m_i, 2) or None
        The unlabelled candidates that the labels were chosen from, which stay
        candidates; None in round 0.
    n_candidates : int
        Their number.
    seconds : float
        What the training took.
    ended : {"odd_clicks", "callback"} or None
        Why the rounds end with this one; None if they need not.
    """

    number: int
    labels: Labels
    detector: Any
    candidates: list | None
    n_candidates: int
    seconds: float
    ended: str | None = None


def round_settings(
    number,
    *,
    learn_background,
    cell_radius=None,
    background_weight=None,
    is_rated=False,
    odd=False,
):
    """Return which parameters of the detector a round sets, whatever was before it.

    Parameters
    ----------
    number : int
        Number of the round.
    learn_background : bool
        Whether unlabelled pixels count once there are pseudo labels.
    cell_radius : float, optional
        The radius that round 0 used: it is estimated once, if at all.
    background_weight : float, optional
        That of the detector.
    is_rated : bool, default=False
        Whether all that may be a cell has a probability.
    odd : bool, default=False
        Whether the clicks were found to be of one kind: of the cells of other kinds a
        smaller share has a label.

    Returns
    -------
    settings : dict
        Names and values.
    """
    settings = {}
    if number > 0 and learn_background:
        settings["masked"] = False
    if cell_radius is not None:
        settings["cell_radius"] = cell_radius
    if odd:
        settings["background_weight"] = WEIGHT_IF_ODD * background_weight
    elif is_rated and number > 1:
        settings["background_weight"] = max(FULL_WEIGHT, background_weight)
    return settings


def new_detector(template, rounds):
    """Return a detector to fit: a new one, or one that goes on from the last round.

    Parameters
    ----------
    template : estimator
        The part with its parameters; it stays as it is.
    rounds : list of Round
        The rounds to go on from, if the template has ``warm_start=True``.

    Returns
    -------
    detector : estimator
        The detector of the last round is copied, never fitted again.
    """
    if not (rounds and getattr(template, "warm_start", False)):
        return clone(template)
    detector = copy.deepcopy(rounds[-1].detector)
    return detector.set_params(**template.get_params(deep=False))


def with_threshold(detector, threshold):
    """Return a fitted detector with another threshold.

    Parameters
    ----------
    detector : estimator
        Has `threshold_`; it stays as it is.
    threshold : float
        The other one.

    Returns
    -------
    changed : estimator
        A shallow copy.
    """
    changed = copy.copy(detector)
    changed.threshold_ = threshold
    return changed


def check_goes_on(labels, before, max_iter, n_rounds):
    """Check that a fit can go on from the fit before.

    Parameters
    ----------
    labels, before : Labels
        What `fit` was given now and then, which must be the same.
    max_iter : int
        The rounds that are wanted.
    n_rounds : int
        The rounds that there are.

    Raises
    ------
    ValueError
        If labels differ, or fewer rounds are wanted.
    """
    for argument, name in GIVEN.items():
        now, then = getattr(labels, name), getattr(before, name)
        same = [*map(np.array_equal, now, then)]
        if len(now) != len(then) or not all(same):
            where = f"[{same.index(False)}]" if False in same else ""
            raise ValueError(
                f"{argument}{where} is not what it was in the fit before; expected "
                "the same images and clicks, since warm_start=True adds rounds to that "
                "fit. Use warm_start=False to start anew."
            )
    if max_iter < n_rounds:
        raise ValueError(
            f"max_iter is {max_iter}; expected at least {n_rounds}, the "
            "rounds of the fit before, since warm_start=True adds rounds to it."
        )


class RoundsMixin:
    """Prediction of an estimator with the record `rounds_`, and what it tells of it."""

    def _begin(self, labels):
        """Forget the fit before, or go back to its end; return why it was final."""
        if not (self.warm_start and getattr(self, "rounds_", [])):
            for name in ("n_iter_", "termination_condition_", "searched_"):
                vars(self).pop(name, None)
            self.clicks_, self.rounds_ = labels.clicks, []
            return None
        before = self.rounds_[0].labels
        check_goes_on(labels, before, self.max_iter, len(self.rounds_) - 1)
        self.detector_ = self.rounds_[-1].detector  # Also if it was refused.
        # Further rounds would learn the unclicked kinds as background again.
        reason = getattr(self, "termination_condition_", None)
        return reason if reason == "odd_clicks" else None

    def find_candidates(self, images, threshold=LOWEST_PEAK):
        """Return what the kept detector finds above any threshold.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.
        threshold : float, default=0.05
            Peaks at or below it are left out.

        Returns
        -------
        candidates : list of (points, heights)
            Points of shape (n_i, 2) as (row, col) in pixels and heights of shape
            (n_i,) in the heatmap, about 1 for a sure cell, the highest first.
        """
        check_is_fitted(self)
        detector = lend_settings(self, "detector", self.detector_)
        return detector.find_candidates(images, threshold)

    @property
    def threshold_(self):
        """The threshold of the kept detector: a peak is a cell if it is higher."""
        check_is_fitted(self)
        return self.detector_.threshold_

    def staged_predict(self, images):
        """Find the cells with the detector of each round.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.

        Yields
        ------
        points : list of float ndarray of shape (n_i, 2)
            As from `predict`, for round 0, 1, ... `n_iter_`.
        """
        check_is_fitted(self)
        images = Images(images)
        for detector in self.detectors_:
            yield lend_settings(self, "detector", detector).predict(images)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "n_iter_")

    @property
    def detectors_(self):
        """The detectors of all rounds, from round 0, which knows the clicks alone."""
        return [one.detector for one in self.rounds_]

    @property
    def history_(self):
        """A dict a round: its number, how many points it had, the seconds it took.

        The points are clicked, pseudo positive, pseudo negative and candidates.
        """
        return _records_of(self.rounds_)

    @property
    def labels_(self):
        """The pseudo labels of round 1 and later.

        A dict each of "positives", "negatives" and "undecided", which may be cells but
        were not chosen: one array of points an image.
        """
        names = ("positives", "negatives", "undecided")
        return [
            {name: getattr(one.labels, name) for name in names}
            for one in self.rounds_[1:]
        ]

    @property
    def labeled_iter_(self):
        """In which round each point was labelled.

        For the clicks and pseudo positives of each image, in this order, int ndarray of
        shape (n_i + k_i,), 0 for the clicks.
        """
        return _label_rounds(self.rounds_)

    @property
    def candidates_(self):
        """The unlabelled candidates of the last round, one array an image.

        They stay candidates in the next one; None before the first.
        """
        return self.rounds_[-1].candidates

    def to_plain(self):
        """Return the attributes that a file holds, by their released names."""
        state = {key: value for key, value in vars(self).items() if key != "rounds_"}
        if hasattr(self, "rounds_"):
            state |= {name: getattr(self, name) for name in SAVED}
            first = self.rounds_[0].labels
            if first.sure is not None:
                state["given_labels_"] = [first.positives, first.negatives]
        return state

    @classmethod
    def from_plain(cls, state):
        """Return the detector of what `to_plain` returned."""
        state = dict(state)
        if "detectors_" in state:
            saved = [state.pop(name) for name in SAVED]
            given = state.pop("given_labels_", ())
            first = Labels.from_clicks(state["clicks_"], *given)
            state["rounds_"] = _rounds_from_records(*saved, first)
            state.pop("labeled_iter_", None)
        made = cls.__new__(cls)
        vars(made).update(state)
        return made


def _label_rounds(rounds):
    """Return the attribute `labeled_iter_`: in which round each point was labelled."""
    numbers = []
    for index, clicks in enumerate(rounds[0].labels.clicks):
        since = {}
        for one in rounds:
            points = [*map(tuple, one.labels.positives[index])]
            since = {point: since.get(point, one.number) for point in points}
        numbers.append(np.array([0] * len(clicks) + [*since.values()], dtype=int))
    return numbers


def _records_of(rounds):
    """Return the attribute `history_`."""
    return [
        {
            "iteration": one.number,
            "n_clicked": sum(map(len, one.labels.clicks)),
            "n_positive": sum(map(len, one.labels.positives)),
            "n_negative": sum(map(len, one.labels.negatives)),
            "n_candidates": one.n_candidates,
            "seconds": one.seconds,
        }
        for one in rounds
    ]


def _rounds_from_records(detectors, history, labels, candidates, first):
    """Return the rounds that a file tells of: it holds the last candidates alone."""
    every = [first]
    every += [Labels(first.clicks, **their, sure=first.sure) for their in labels]
    last = len(detectors) - 1
    return [
        Round(
            number,
            every[number],
            detector,
            candidates if number == last else None,
            history[number]["n_candidates"],
            history[number]["seconds"],
        )
        for number, detector in enumerate(detectors)
    ]
