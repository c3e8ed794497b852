"""Rank candidates, and clicked cells by rankers that have not seen them."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ._skorch import map_threads

__all__ = ["Ranking", "rank_candidates"]


@dataclass
class Ranking:
    """Scores, larger = more like a cell.

    Attributes
    ----------
    top, bottom : float ndarray of shape (n_unlabelled,)
        Of the unlabelled candidates, by rankers that concentrate on the top and on the
        bottom of the list.
    clicked_top, clicked_bottom : float ndarray of shape (n_clicked,)
        Of clicked cells, by rankers that have not seen them.
    """

    top: np.ndarray
    bottom: np.ndarray
    clicked_top: np.ndarray
    clicked_bottom: np.ndarray


def rank_candidates(
    images, candidates, *, extractor, featurizer, ranker, by_height, room, rng, n_jobs
):
    """Learn features and rankers once for each fold of the clicks, and rank with them.

    Parameters
    ----------
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images.
    candidates : Candidates
        What to rank. The clicks of one fold are held out at a time.
    extractor, featurizer, ranker : estimator
        The parts; clones of them are fitted.
    by_height : bool
        Whether the height in the heatmap is one of the features.
    room : int
        Most unlabelled candidates for each positive to learn from, drawn at random:
        among thousands of trivial ones the interesting ones would not count.
    rng : RandomState
        Draws them.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    ranking : Ranking
        The mean over the folds.
    """
    extractor = clone(extractor)
    positive = extractor.fit_transform(
        list(zip(images, candidates.positive, strict=True))
    )
    unlabelled = extractor.transform(
        list(zip(images, candidates.unlabelled, strict=True))
    )
    fold = np.concatenate(candidates.fold)
    heights = [
        np.concatenate(candidates.positive_heights),
        np.concatenate(candidates.unlabelled_heights),
    ]
    n_sampled = min(len(unlabelled), room * len(positive))
    sample = np.sort(rng.permutation(len(unlabelled))[:n_sampled])

    def rank(held_out):
        seen = (fold != held_out) | (held_out == -1)
        asked = fold > -2 if held_out == -1 else fold == held_out
        tables = [positive, unlabelled]
        y = np.repeat([1, 0], [seen.sum(), n_sampled])
        learnt = clone(featurizer).fit(_learn_from(tables, seen, sample), y)
        tables = [np.asarray(learnt.transform(patches)) for patches in tables]
        if by_height:
            tables = [
                np.column_stack(pair) for pair in zip(tables, heights, strict=True)
            ]
        scores = []
        for end in ("top", "bottom"):
            linear = make_pipeline(
                StandardScaler(), clone(ranker).set_params(concentrate=end)
            ).fit(_learn_from(tables, seen, sample), y)
            scores.append(linear.decision_function(tables[1]))
            scores.append(linear.decision_function(tables[0][asked]))
        return scores

    # -2 marks pseudo positives, which are never held out.
    ranked = map_threads(rank, _folds(fold), n_jobs)
    top, clicked_top, bottom, clicked_bottom = zip(*ranked, strict=True)
    return Ranking(
        np.mean(top, axis=0),
        np.mean(bottom, axis=0),
        np.concatenate(clicked_top),
        np.concatenate(clicked_bottom),
    )


def _learn_from(tables, seen, sample):
    return np.concatenate([tables[0][seen], tables[1][sample]])


def _folds(fold):
    """Return the folds to hold out, or -1 for none where one would leave no click."""
    folds = np.unique(fold[fold >= 0])
    return folds if len(folds) > 1 else np.array([-1])
