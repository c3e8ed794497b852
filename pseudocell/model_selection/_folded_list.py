"""FoldedList: a list of whole items, and behind its end the parts of folds."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np

from pseudocell._parameters import Number

# At least 2, so that there is something to train on and something to hold out.
N_SPLITS = Number(Integral, 2)

__all__ = ["FoldedList"]


class FoldedList(list):
    """A list, with the parts of its items for cross-validation behind its end.

    scikit-learn takes the training and the test set of a fold out of the same lists, by
    index. To hold out clicks or tiles the two need different parts of one
    image, so that there must be more indices than images. Here the indices from
    ``len(self)`` on are those parts. They belong to the folds alone: length, iteration,
    slices and negative indices are those of the list of whole items. So the last fit
    of `GridSearchCV` (``refit=True``) sees each image once, with all its clicks.

    Made by `split_clicks` and `split_tiles`; a copy by ``list(...)`` has the whole
    items only.

    Parameters
    ----------
    items : iterable
        The whole items.
    parts : sequence
        What the indices ``len(items)``, ``len(items) + 1``, ... stand for.

    Attributes
    ----------
    parts : list
        The parts.

    Examples
    --------
    >>> from pseudocell.model_selection import FoldedList
    >>> folded = FoldedList(["cat"], parts=["c", "at"])
    >>> len(folded), list(folded), folded[0], folded[1], folded[2]
    (1, ['cat'], 'cat', 'c', 'at')
    """

    def __init__(self, items: Any, parts: Any):
        for name, given in (("items", items), ("parts", parts)):
            if not isinstance(given, Iterable) or getattr(given, "shape", None) == ():
                raise TypeError(f"{name} is a {type(given).__name__}; expected a list.")
        super().__init__(items)
        self.parts = list(parts)

    def __getitem__(self, index):
        if isinstance(index, Integral) and index >= len(self):
            return self.parts[index - len(self)]
        return super().__getitem__(index)


def fold(images, clicks, folds):
    """Put the parts of all folds into two lists and give each fold its indices.

    Parameters
    ----------
    images : list
        The whole images.
    clicks : list of ndarray of shape (n_i, 2)
        Their clicks.
    folds : list of (train, test)
        Both lists of (image, clicks) pairs.

    Returns
    -------
    images, clicks : FoldedList
        The whole images and clicks, with the parts.
    cv : list of (train, test)
        Two int arrays of indices a fold.
    """
    parts, cv = [], []
    for sides in folds:
        indices = []
        for side in sides:
            start = len(images) + len(parts)
            indices.append(np.arange(start, start + len(side)))
            parts.extend(side)
        cv.append(tuple(indices))
    image_parts, click_parts = zip(*parts, strict=True)
    return FoldedList(images, image_parts), FoldedList(clicks, click_parts), cv
