"""From scores to pseudo labels: who is chosen, and who never is."""

import numpy as np
import pytest
from sklearn.base import clone

from pseudocell import CalibratedSelector, ShareSelector

SELECTORS = [ShareSelector(), CalibratedSelector()]


def draw(seed=0, n=200, n_clicked=15):
    """Scores of candidates, and of clicked cells that stand higher."""
    rng = np.random.default_rng(seed)
    top = rng.normal(size=n)
    clicked = rng.normal(2, 1, n_clicked)
    return top, top + rng.normal(0, 0.3, n), clicked, clicked + 0.1


@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("alpha", "beta"), [(0.05, 0.05), (0.2, 0.4), (0.0, 1.0)])
def test_at_most_the_share_is_chosen(selector, seed, alpha, beta):
    scores = draw(seed)
    labels = clone(selector).set_params(alpha=alpha, beta=beta).select(*scores)
    assert labels.shape == (200,)
    assert set(labels.tolist()) <= {-1, 0, 1}
    assert (labels == 1).sum() <= np.ceil(alpha * 200)
    assert (labels == -1).sum() <= np.ceil(beta * 200)


@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.parametrize("seed", range(5))
def test_chosen_score_better_than_all_that_are_not(selector, seed):
    top, bottom, *clicked = draw(seed)
    labels = clone(selector).set_params(alpha=0.1, beta=0.2)
    labels = labels.select(top, bottom, *clicked)
    assert (labels == -1).any()
    assert top[labels == 1].min(initial=9) >= top[labels < 1].max()
    assert bottom[labels == -1].max() <= bottom[labels > -1].min()


@pytest.mark.parametrize("selector", SELECTORS)
def test_order_of_the_candidates_does_not_matter(selector):
    top, bottom, *clicked = draw()
    order = np.random.default_rng(1).permutation(len(top))
    selector = clone(selector).set_params(alpha=0.2, beta=0.2)
    labels = selector.select(top, bottom, *clicked)
    shuffled = selector.select(top[order], bottom[order], *clicked)
    np.testing.assert_array_equal(shuffled, labels[order])


@pytest.mark.parametrize("selector", SELECTORS)
def test_increasing_map_of_the_scores_does_not_matter(selector):
    """Scores of another unit, an odd number of clicks: the median is one of them."""
    scores = draw()
    selector = clone(selector).set_params(alpha=0.2, beta=0.2)
    mapped = [3 * score + 5 for score in scores]
    np.testing.assert_array_equal(selector.select(*mapped), selector.select(*scores))


@pytest.mark.parametrize("selector", SELECTORS)
def test_candidate_at_both_ends_is_undecided(selector):
    """The first is best by the one score and worst by the other."""
    top, bottom = np.array([9.0, 1, 2, 3]), np.array([0.0, 1, 2, 3])
    selector = clone(selector).set_params(alpha=0.5, beta=0.25)
    labels = selector.select(top, bottom, [0.0, 3.0], [5.0, 6.0])
    assert labels.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("selector", SELECTORS)
def test_one_candidate_is_enough_and_none_is_no_error(selector):
    assert selector.select([], [], [1.0], [1.0]).shape == (0,)
    one = clone(selector).set_params(beta=0.0)
    assert one.select([2.0], [2.0], [1.0], [1.0]).tolist() == [1]


@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": 5}, r"alpha is 5; expected a number in \[0, 1\]"),
        ({"beta": -0.1}, "beta is -0.1; expected a number"),
        ({"alpha": float("nan")}, "alpha is nan; expected a number"),
    ],
)
def test_share_outside_of_its_interval_is_an_error(selector, parameters, message):
    with pytest.raises(ValueError, match=message):
        clone(selector).set_params(**parameters).select(*draw())


@pytest.mark.parametrize("selector", SELECTORS)
def test_scores_stay_unchanged(selector):
    scores = draw()
    before = [score.copy() for score in scores]
    for score in scores:
        score.flags.writeable = False
    selector.select(*scores)
    for old, new in zip(before, scores, strict=True):
        np.testing.assert_array_equal(old, new)


# ---------------------------------------------------------------- share alone
def test_share_is_rounded_up():
    labels = ShareSelector(0.05, 0.11).select(*draw(n=21))
    assert ((labels == 1).sum(), (labels == -1).sum()) == (2, 3)


def test_share_asks_no_clicked_cell():
    top, bottom, *clicked = draw()
    alone = ShareSelector().select(top, bottom)
    np.testing.assert_array_equal(alone, ShareSelector().select(top, bottom, *clicked))


# ----------------------------------------------------------------- calibrated
def test_calibrated_choice_is_part_of_the_share():
    for seed in range(10):
        scores = draw(seed)
        chosen = CalibratedSelector(0.3, 0.3).select(*scores)
        share = ShareSelector(0.3, 0.3).select(*scores)
        assert ((chosen == share) | (chosen == 0)).all()


def test_new_positive_beats_seven_of_ten_clicks_and_new_negative_19_of_20():
    scores = np.linspace(0, 1, 101)
    clicked = np.linspace(0.405, 0.805, 21)  # 70 % at most 0.685, 5 % 0.425
    labels = CalibratedSelector(1.0, 0.0).select(scores, scores, clicked, clicked)
    np.testing.assert_array_equal(labels == 1, scores > 0.685)
    labels = CalibratedSelector(0.0, 1.0).select(scores, scores, clicked, clicked)
    np.testing.assert_array_equal(labels == -1, scores < 0.425)


def test_where_all_candidates_are_cells_hardly_one_becomes_negative():
    """However large beta: clicked and unlabelled scores have one distribution."""
    rng = np.random.default_rng(0)
    cells, clicked = rng.normal(size=2000), rng.normal(size=500)
    labels = CalibratedSelector(0.0, 1.0).select(cells, cells, clicked, clicked)
    assert (labels == -1).mean() == pytest.approx(0.05, abs=0.03)
    assert (ShareSelector(0.0, 1.0).select(cells, cells) == -1).all()


def test_where_no_candidate_is_a_cell_none_becomes_positive():
    background, clicked = np.linspace(-3, -1, 50), np.linspace(1, 3, 9)
    labels = CalibratedSelector(1.0, 0.0).select(
        background, background, clicked, clicked
    )
    assert not labels.any()


def test_calibration_needs_a_clicked_cell():
    with pytest.raises(ValueError, match="clicked_top is empty; expected the score"):
        CalibratedSelector().select([1.0], [1.0], [], [])


def test_a_share_of_less_than_one_is_rounded_as_asked():
    scores = np.arange(19.0)
    up, down = ShareSelector(), ShareSelector(rounding="down")
    assert (up.select(scores, scores) != 0).sum() == 2
    assert not down.select(scores, scores).any()
    # int(0.05 * 45), as in the published code.
    scores = np.arange(45.0)
    assert np.flatnonzero(down.select(scores, scores)).tolist() == [0, 1, 43, 44]
