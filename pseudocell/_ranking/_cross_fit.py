"""Rank candidates, and clicked cells by rankers that have not seen them."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .._threads import map_threads

__all__ = ["Ranking", "rank_candidates"]

# Most unlabelled candidates to learn from: several times more than the net for the
# features sees in all its batches, and 90 MB of patches of 21 x 21 pixels.
LARGEST_SAMPLE = 50_000


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
    clicked_heights : float ndarray of shape (n_clicked,)
        Their heights.
    pseudo : float ndarray of shape (n_pseudo, 2)
        Mean of both scores, and height, of pseudo positives; none unless rankers were
        kept off places.
    """

    top: np.ndarray
    bottom: np.ndarray
    clicked_top: np.ndarray
    clicked_bottom: np.ndarray
    clicked_heights: np.ndarray
    pseudo: np.ndarray


def rank_candidates(
    images, candidates, *, extractor, featurizer, ranker, by_height, room, rng, n_jobs
):
    """Learn features and rankers once for each fold of the clicks, and rank with them.

    In memory are the patches to learn from, and those of one image for each thread.

    Parameters
    ----------
    images : Images
        The images.
    candidates : Candidates
        What to rank. The clicked cells of one fold are held out at a time.
    extractor, featurizer, ranker : estimator
        The parts; clones of them are fitted.
    by_height : bool
        Whether the height in the heatmap is one of the features.
    room : int
        Most unlabelled candidates for each positive to learn from, drawn at random:
        among thousands of trivial ones the interesting ones would not count. Never
        more than 50 000.
    rng : RandomState
        Draws them.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    ranking : Ranking
        The mean over the folds.
    """
    room = min(LARGEST_SAMPLE, room * sum(map(len, candidates.positive)))
    sample = _draw(candidates.unlabelled, room, rng)
    extractor = _fit_extractor(extractor, images, candidates.positive)
    positive, unlabelled = _cut(
        extractor,
        images,
        [candidates.positive, _take(candidates.unlabelled, sample)],
        n_jobs,
    )
    positive_heights = np.concatenate(candidates.positive_heights)
    heights = np.concatenate(_take(candidates.unlabelled_heights, sample))

    chosen = _number(candidates.unlabelled, sample)

    def learn(fold):
        learnt = fold.learnt[chosen]
        y = np.repeat([1, 0], [len(fold.seen), learnt.sum()])
        patches = np.concatenate([positive[fold.seen], unlabelled[learnt]])
        scorer = _Scorer(clone(featurizer), clone(ranker), by_height)
        its = np.concatenate([positive_heights[fold.seen], heights[learnt]])
        scorer.fit(patches, its, y)
        return scorer, scorer.score(positive[fold.asked], positive_heights[fold.asked])

    learnt = map_threads(learn, candidates.folds, n_jobs)
    scorers, asked = zip(*learnt, strict=True)
    top, bottom = _score_unlabelled(images, candidates, extractor, scorers, n_jobs)
    number = np.concatenate([fold.asked for fold in candidates.folds])
    asked, is_clicked = np.concatenate(asked, axis=1), candidates.is_clicked[number]
    high = positive_heights[number]
    return Ranking(
        top,
        bottom,
        *asked[:, is_clicked],
        high[is_clicked],
        np.column_stack([asked.mean(axis=0), high])[~is_clicked],
    )


def _score_unlabelled(images, candidates, extractor, scorers, n_jobs):
    """Return both scores of all unlabelled candidates, of shape (2, n_unlabelled)."""
    ends = np.cumsum([*map(len, candidates.unlabelled)])[:-1]
    ranked = [np.split(fold.ranked, ends) for fold in candidates.folds]

    def score(index):
        points = candidates.unlabelled[index]
        scores, counts = np.zeros((2, len(points))), np.zeros(len(points))
        if len(points) == 0:
            return scores
        patches = extractor.transform([(images[index], points)])
        heights = candidates.unlabelled_heights[index]
        for scorer, of_fold in zip(scorers, ranked, strict=True):
            some = of_fold[index]
            scores[:, some] += scorer.score(patches[some], heights[some])
            counts += some
        # A place where no click was held out is ranked by none, and is no cell.
        return np.where(counts, scores / np.maximum(counts, 1), -np.inf)

    numbers = range(len(candidates.unlabelled))
    return np.concatenate(map_threads(score, numbers, n_jobs), axis=1)


class _Scorer:
    """Features and two rankers, for the top and for the bottom of the list."""

    def __init__(self, featurizer, ranker, by_height):
        self.featurizer = featurizer
        self.ranker = ranker
        self.by_height = by_height

    def fit(self, patches, heights, y):
        self.featurizer.fit(patches, y)
        table = self._describe(patches, heights)
        # One that scales features by itself is given them as they are.
        scales = getattr(self.ranker, "scales_features", False)
        self.ends = [
            make_pipeline(
                "passthrough" if scales else StandardScaler(),
                clone(self.ranker).set_params(concentrate=end),
            ).fit(table, y)
            for end in ("top", "bottom")
        ]
        return self

    def score(self, patches, heights):
        """Return the scores for the top and for the bottom, of shape (2, n)."""
        if len(patches) == 0:
            return np.zeros((2, 0))
        table = self._describe(patches, heights)
        return np.array([end.decision_function(table) for end in self.ends])

    def _describe(self, patches, heights):
        features = np.asarray(self.featurizer.transform(patches))
        return np.column_stack([features, heights]) if self.by_height else features


def _draw(points, room, rng):
    """Draw candidates of all images; return their numbers, one array an image."""
    owner = np.repeat(np.arange(len(points)), [len(array) for array in points])
    chosen = np.sort(rng.permutation(len(owner))[:room])
    first = np.cumsum([0, *map(len, points)])
    ends = np.searchsorted(owner[chosen], np.arange(1, len(points)))
    return [
        numbers - start
        for numbers, start in zip(np.split(chosen, ends), first, strict=False)
    ]


def _number(points, sample):
    """Return the numbers of a sample, counted over all images."""
    first = np.cumsum([0, *map(len, points)])
    return np.concatenate(
        [some + start for some, start in zip(sample, first, strict=False)]
    )


def _take(arrays, numbers):
    return [array[some] for array, some in zip(arrays, numbers, strict=True)]


def _fit_extractor(extractor, images, points):
    """Fit it on the images that have a point."""
    pairs = [(images[index], some) for index, some in enumerate(points) if len(some)]
    return clone(extractor).fit(pairs)


def _cut(extractor, images, kinds, n_jobs):
    """Cut patches of several kinds of points; each image is read once, if at all."""
    counts = np.array([[len(points) for points in kind] for kind in kinds])

    def cut(index):
        points = np.concatenate([kind[index] for kind in kinds])
        patches = extractor.transform([(images[index], points)])
        return np.split(patches, np.cumsum(counts[:-1, index]))

    several = map_threads(cut, np.flatnonzero(counts.sum(axis=0)), n_jobs)
    return [np.concatenate(patches) for patches in zip(*several, strict=True)]
