"""Checks of a selector: scores to pseudo labels."""

import numpy as np
from sklearn.base import clone

from ._contract import contract, require

__all__ = ["SELECTOR_CHECKS"]


def _draw(seed=0):
    """Return two scores of 60 candidates, and two of 20 clicked cells."""
    rng = np.random.default_rng(seed)
    top = np.concatenate([rng.normal(2, 1, 30), rng.normal(-2, 1, 30)])
    clicked = rng.normal(2, 1, 20)
    return top, top + rng.normal(0, 0.2, 60), clicked, clicked + 0.1


@contract
def check_labels(selector):
    """`select` gives one integer a candidate: 1, -1 or 0."""
    scores = _draw()
    labels = np.asarray(clone(selector).select(*scores))
    n = len(scores[0])
    require(labels.shape == (n,), f"of {n} candidates they have shape {labels.shape}.")
    require(labels.dtype.kind == "i", f"they are of type {labels.dtype}.")
    require(np.isin(labels, (1, -1, 0)).all(), f"there are {np.unique(labels)}.")


@contract
def check_cells_are_better_than_background(selector):
    """Cells that are chosen score higher than background, in both scores."""
    top, bottom, *clicked = _draw()
    labels = np.asarray(clone(selector).select(top, bottom, *clicked))
    for scores in (top, bottom):
        cells, background = scores[labels == 1], scores[labels == -1]
        if len(cells) and len(background):
            require(cells.mean() > background.mean(), "they score lower.")


@contract
def check_order_does_not_matter(selector):
    """Candidates and clicks in another order get the same labels."""
    top, bottom, clicked_top, clicked_bottom = _draw()
    labels = np.asarray(clone(selector).select(*_draw()))
    order = np.random.default_rng(1).permutation(len(top))
    clicks = slice(None, None, -1)
    shuffled = clone(selector).select(
        top[order], bottom[order], clicked_top[clicks], clicked_bottom[clicks]
    )
    require(np.array_equal(shuffled, labels[order]), "they get others.")


@contract
def check_nothing_is_changed_or_kept(selector):
    """`select` changes no score and no parameter, and a second call gives the same."""
    selector, scores = clone(selector), _draw()
    before = {name: repr(value) for name, value in selector.get_params().items()}
    labels = np.array(selector.select(*scores))
    selector.select(*_draw(seed=1))
    again = selector.select(*scores)
    require(np.array_equal(again, labels), "the second call gave others.")
    require(all(map(np.array_equal, scores, _draw())), "the scores changed.")
    now = {name: repr(value) for name, value in selector.get_params().items()}
    require(now == before, "the parameters changed.")


SELECTOR_CHECKS = (
    check_labels,
    check_cells_are_better_than_background,
    check_order_does_not_matter,
    check_nothing_is_changed_or_kept,
)
