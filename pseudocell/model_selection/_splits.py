"""Folds that hold out images, and folds that hold out clicks."""

from __future__ import annotations

import numpy as np

from pseudocell._parameters import SEED, checked
from pseudocell._validation import HeldOutClicks, ListLike, check_images, check_points

from ._folded_list import N_SPLITS, FoldedList, fold

__all__ = ["split_clicks", "split_images"]


@checked(n_splits=[N_SPLITS], random_state=[*SEED])
def split_images(
    images: ListLike,
    clicks: ListLike,
    n_splits: int = 5,
    random_state: int | np.random.Generator | None = None,
) -> tuple[ListLike, ListLike, list[tuple[np.ndarray, np.ndarray]]]:
    """Hold out images, in folds with about as many clicks each.

    The strictest test: nothing of a held-out image was seen in training. It needs as
    many clicked images as folds; with fewer take `split_clicks` or `split_tiles`.
    `sklearn.model_selection.KFold` works too, but does not look at the clicks: a fold
    may have none, and then it has no score.

    Parameters
    ----------
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images; none of them is read.
    clicks : sequence of array-like of shape (n_i, 2)
        Clicked cells of each image as (row, col) in pixels.
    n_splits : int, default=5
        Number of folds, at least 2.
    random_state : int or numpy.random.Generator, optional
        Seed of the draw among images with the same number of clicks.

    Returns
    -------
    images : list
        The same images.
    clicks : list of float ndarray of shape (n_i, 2)
        The same clicks.
    cv : list of (train, test)
        Two int arrays of indices a fold, for the parameter `cv` of scikit-learn.

    Raises
    ------
    ValueError
        If fewer images than `n_splits` have a click, or an argument is not as
        described.

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell.model_selection import split_images
    >>> clicks = [[[5, 5]], [[1, 2], [3, 4], [5, 6]], [[7, 7], [8, 8]], []]
    >>> images, clicks, cv = split_images(
    ...     [np.zeros((9, 9))] * 4, clicks, n_splits=2, random_state=0
    ... )
    >>> [test.tolist() for train, test in cv]
    [[1, 3], [0, 2]]
    """
    images, clicks = _check(images, clicks)
    n_clicks = np.array([len(rows) for rows in clicks])
    n_clicked = np.count_nonzero(n_clicks)
    if n_clicked < n_splits:
        raise ValueError(
            f"images holds {len(images)} images, {n_clicked} of them with clicks; "
            f"expected a clicked one for each of n_splits={n_splits} folds. Take fewer "
            "folds, or split_clicks, which needs one image only."
        )
    shuffled = np.random.default_rng(random_state).permutation(len(images))
    most_first = shuffled[np.argsort(-n_clicks[shuffled], kind="stable")]
    # There and back again: who gets the most in one turn gets the least in the next.
    turns = np.concatenate([np.arange(n_splits), np.arange(n_splits)[::-1]])
    fold_of = np.empty(len(images), int)
    fold_of[most_first] = np.resize(turns, len(images))
    cv = [
        (np.flatnonzero(fold_of != number), np.flatnonzero(fold_of == number))
        for number in range(n_splits)
    ]
    return images, clicks, cv


@checked(n_splits=[N_SPLITS], random_state=[*SEED])
def split_clicks(
    images: ListLike,
    clicks: ListLike,
    n_splits: int = 5,
    random_state: int | np.random.Generator | None = None,
) -> tuple[FoldedList, FoldedList, list[tuple[np.ndarray, np.ndarray]]]:
    """Hold out clicks: every fold has the same images and other clicks.

    For one image or a few, and whenever the cells of these very images are what
    counts. A held-out cell is in training what every unclicked cell is: an
    unlabelled one in a known image. So recall on held-out clicks is that on
    unclicked cells. It does not tell how well the detector does on new images.

    Parameters
    ----------
    images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
        The images; none of them is read or copied.
    clicks : sequence of array-like of shape (n_i, 2)
        Clicked cells of each image as (row, col) in pixels.
    n_splits : int, default=5
        Number of folds, at least 2: each trains without 1 / `n_splits` of the clicks
        of each image. The more there are, the nearer is training to that with all
        clicks, and the longer it takes.
    random_state : int or numpy.random.Generator, optional
        Seed by which the clicks are dealt out.

    Returns
    -------
    images : FoldedList
        The images, to be passed to `fit` of the search.
    clicks : FoldedList
        The clicks, to be passed to `fit` of the search.
    cv : list of (train, test)
        Two int arrays of indices a fold, for the parameter `cv` of scikit-learn.

    Raises
    ------
    ValueError
        If there are fewer clicks than `n_splits`, or an argument is not as described.

    Notes
    -----
    Each click is held out in one fold. In each fold an image is once in the
    training set, with the clicks that are not held out, and once in the test set, with
    those that are, even if there are none: detections on it count. Scores that need all
    cells, such as F1, refuse the clicks of a test set. The two lists
    serve as `images` and `clicks` from then on; see `FoldedList`.

    Examples
    --------
    One image with three clicks. In each of three folds it trains with two of them.

    >>> import numpy as np
    >>> from pseudocell.model_selection import split_clicks
    >>> images, clicks, cv = split_clicks(
    ...     [np.zeros((9, 9))], [[[1, 1], [5, 5], [8, 8]]], n_splits=3, random_state=0
    ... )
    >>> for train, test in cv:
    ...     print(clicks[train[0]].tolist(), clicks[test[0]].tolist())
    [[1.0, 1.0], [8.0, 8.0]] [[5.0, 5.0]]
    [[1.0, 1.0], [5.0, 5.0]] [[8.0, 8.0]]
    [[5.0, 5.0], [8.0, 8.0]] [[1.0, 1.0]]
    >>> len(images), len(clicks[0])
    (1, 3)
    """
    images, clicks = _check(images, clicks)
    n_clicks = sum(map(len, clicks))
    if n_clicks < n_splits:
        raise ValueError(
            f"clicks holds {n_clicks} clicks in all images; expected at least one for "
            f"each of n_splits={n_splits} folds. Take fewer folds or click more cells."
        )
    rng = np.random.default_rng(random_state)
    ends = np.cumsum([len(rows) for rows in clicks])
    # Dealt on from image to image, so that the folds differ by one click at most.
    dealt = np.split(np.arange(n_clicks) % n_splits, ends[:-1])
    fold_of = [rng.permutation(numbers) for numbers in dealt]
    folds = []
    for number in range(n_splits):
        train, test = [], []
        for image, rows, numbers in zip(images, clicks, fold_of, strict=True):
            held_out = numbers == number
            train.append((image, rows[~held_out]))
            # So that a score that needs all cells can refuse them.
            test.append((image, rows[held_out].view(HeldOutClicks)))
        folds.append((train, test))
    return fold(images, clicks, folds)


def _check(images, clicks):
    images = list(check_images(images))
    return images, check_points(clicks, len(images), name="clicks")
