"""Detection scores follow from pooled one-to-one counts."""

import dataclasses

import numpy as np
import pytest

from pseudocell.metrics import (
    click_scores,
    detection_f1,
    detection_scores,
    lee_liu_score,
)

EMPTY = np.empty((0, 2))


def random_sets(seed, n_images=4):
    rng = np.random.default_rng(seed)
    return [rng.random((rng.integers(1, 40), 2)) * 100 for _ in range(n_images)]


def test_scores_are_the_ratios_of_the_counts():
    true = [np.array([[0.0, 0], [0, 50]]), np.array([[0.0, 0]])]
    pred = [np.array([[0.0, 3]]), np.array([[0.0, 1], [0, 2], [50, 50]])]
    scores = detection_scores(true, pred, 5)
    assert (scores.n_true, scores.n_predicted, scores.n_matched) == (3, 4, 2)
    assert scores.precision == 2 / 4
    assert scores.recall == 2 / 3
    assert scores.f1 == pytest.approx(2 / (4 / 2 + 3 / 2))
    assert scores.max_distance == 5


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    scores = detection_scores(random_sets(0), random_sets(1), 8)
    assert scores.n_matched > 0
    harmonic = 2 / (1 / scores.precision + 1 / scores.recall)
    assert scores.f1 == pytest.approx(harmonic)
    assert detection_f1(random_sets(0), random_sets(1), 8) == scores.f1


def test_exchanging_truth_and_prediction_exchanges_precision_and_recall():
    there = detection_scores(random_sets(0), random_sets(1), 8)
    back = detection_scores(random_sets(1), random_sets(0), 8)
    assert (there.precision, there.recall) == (back.recall, back.precision)
    assert there.f1 == back.f1


def test_images_do_not_match_across_each_other():
    one, two = np.array([[0.0, 0]]), np.array([[60.0, 60]])
    assert detection_scores([one, two], [two, one], 5).n_matched == 0


def test_counts_are_pooled_before_they_are_divided():
    # Per image: 1 of 1 and 0 of 3; the mean of the recalls would be 0.5.
    true = [np.array([[0.0, 0]]), np.array([[0.0, 0], [0, 20], [0, 40]])]
    assert detection_scores(true, [true[0], EMPTY], 5).recall == 1 / 4


def test_shuffling_points_changes_no_score():
    rng = np.random.default_rng(0)
    shuffled = [rng.permutation(points) for points in random_sets(1)]
    expected = detection_scores(random_sets(0), random_sets(1), 8)
    assert detection_scores(random_sets(0), shuffled, 8) == expected


@pytest.mark.parametrize(
    ("true", "pred", "expected"),
    [
        (EMPTY, EMPTY, (1.0, 1.0, 1.0)),
        (np.zeros((2, 2)), EMPTY, (1.0, 0.0, 0.0)),
        (EMPTY, np.zeros((2, 2)), (0.0, 1.0, 0.0)),
        ([], [], (1.0, 1.0, 1.0)),
    ],
)
def test_zero_by_zero_counts_as_one(true, pred, expected):
    scores = detection_scores([true], [pred], 5)
    assert (scores.precision, scores.recall, scores.f1) == expected


def test_no_image_at_all_counts_as_perfect():
    assert detection_scores([], [], 5).f1 == 1.0


def test_empty_images_change_no_score():
    true, pred = random_sets(0), random_sets(1)
    expected = detection_scores(true, pred, 8)
    assert detection_scores([*true, EMPTY], [*pred, EMPTY], 8) == expected


def test_scores_cannot_be_changed():
    scores = detection_scores([EMPTY], [EMPTY], 5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        scores.f1 = 0.5


def test_different_numbers_of_images_are_refused():
    message = "points_true has 4 point sets and points_pred has 3; expected one"
    with pytest.raises(ValueError, match=message):
        detection_scores(random_sets(0), random_sets(1, n_images=3), 8)


def test_a_malformed_set_is_named_with_its_image():
    pred = random_sets(1)
    pred[2] = np.zeros((5, 3))
    with pytest.raises(ValueError, match=r"points_pred\[2\] has shape \(5, 3\)"):
        detection_scores(random_sets(0), pred, 8)


def test_one_array_instead_of_a_list_is_refused():
    with pytest.raises(ValueError, match=r"points_true\[0\] has shape \(2,\)"):
        detection_scores(np.zeros((4, 2)), np.zeros((4, 2)), 8)


def test_weights_of_images_in_f1_are_repetitions():
    true, pred = random_sets(0), random_sets(1)
    repeats = [2, 0, 1, 3]
    many = [[array for array, n in zip(each, repeats, strict=True) for _ in range(n)]
            for each in (true, pred)]  # fmt: skip
    weighted = detection_f1(true, pred, 8, sample_weight=repeats)
    assert weighted == detection_f1(*many, 8) != detection_f1(true, pred, 8)
    assert detection_f1(true, pred, 8, sample_weight=[0.5] * 4) == pytest.approx(
        detection_f1(true, pred, 8)
    )


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0], r"sample_weight has shape \(1,\); expected \(4,\)"),
        ([1, 1, -1, 1], r"sample_weight\[2\] is -1.0; expected a finite weight"),
        ([1, np.nan, 1, 1], r"sample_weight\[1\] is nan"),
    ],
)
def test_bad_weights_are_named(weight, message):
    with pytest.raises(ValueError, match=message):
        detection_f1(random_sets(0), random_sets(1), 8, sample_weight=weight)


def test_lee_liu_is_proportional_to_precision_times_recall():
    true = random_sets(0)
    ratios = []
    for seed in (1, 2, 3):
        scores = detection_scores(true, random_sets(seed), 8)
        product = scores.precision * scores.recall
        ratios.append(product / lee_liu_score(scores.recall, scores.n_predicted))
    # The constant is the number of true cells, which clicks alone do not tell.
    assert ratios == pytest.approx([sum(map(len, true))] * 3)


def test_lee_liu_works_on_a_whole_curve():
    recall, count = np.array([1.0, 0.9, 0.5, 0.0]), np.array([400, 90, 40, 0])
    expected = [lee_liu_score(*pair) for pair in zip(recall, count, strict=True)]
    np.testing.assert_array_equal(lee_liu_score(recall, count), expected)
    np.testing.assert_allclose(expected, [1 / 400, 0.81 / 90, 0.25 / 40, 0.0])
    assert isinstance(expected[0], float)


@pytest.mark.parametrize(
    ("recall", "n_predicted", "message"),
    [
        (1.2, 10, "recall is 1.2; expected values from 0 to 1"),
        (np.nan, 10, "recall is nan; expected"),
        (0.5, -1, "n_predicted is -1.0; expected counts"),
        (0.5, 0, "recall is positive where n_predicted is 0"),
    ],
)
def test_lee_liu_refuses_impossible_counts(recall, n_predicted, message):
    with pytest.raises(ValueError, match=message):
        lee_liu_score(recall, n_predicted)


def row(n, offset=0.0):
    """Points 10 pixels apart."""
    return np.column_stack([np.full(n, offset), np.arange(n) * 10.0])


def found(n_right, n_wrong):
    """Detections: so many of the first cells of a row, and some off all cells."""
    return np.vstack([row(n_right), row(n_wrong, offset=50)])


def test_click_scores_are_the_ratios_of_the_counts():
    scores = click_scores([row(4), EMPTY], [found(3, 2), found(0, 1)], 5)
    assert (scores.n_clicks, scores.n_predicted, scores.n_matched) == (4, 6, 3)
    assert scores.recall == 3 / 4
    assert scores.detections_per_click == 6 / 4
    assert scores.lee_liu == pytest.approx((3 / 4) ** 2 / (6 / 4))
    assert scores.max_distance == 5


@pytest.mark.parametrize("n_cells", [20, 200])
@pytest.mark.parametrize("share", [2, 5])
def test_lee_liu_per_click_is_precision_times_recall_times_the_share(n_cells, share):
    cells = row(n_cells)
    pred = [found(n_cells // 2, n_cells // 4)]
    # Every second or fifth cell: the same recall as on all cells.
    scores = click_scores([cells[::share]], pred, 5)
    truth = detection_scores([cells], pred, 5)
    expected = truth.precision * truth.recall / share
    assert scores.lee_liu == pytest.approx(expected)


def test_twice_the_images_change_no_click_score():
    clicks, pred = [row(4)], [found(3, 5)]
    once, twice = click_scores(clicks, pred, 5), click_scores(clicks * 2, pred * 2, 5)
    for name in ("recall", "detections_per_click", "lee_liu"):
        assert getattr(once, name) == getattr(twice, name)


def test_a_fold_with_few_cells_does_not_outvote_the_others():
    clicks = {"few": row(4)[::2], "many": row(400)[::2]}
    # Precision 1 and 0.5 against 0.8 and 1, recall always 1.
    settings = [
        {"few": found(4, 0), "many": found(400, 400)},
        {"few": found(4, 1), "many": found(400, 0)},
    ]
    per_click, per_fold = [], []
    for pred in settings:
        folds = [click_scores([clicks[k]], [pred[k]], 5) for k in clicks]
        per_click.append(np.mean([fold.lee_liu for fold in folds]))
        raw = [lee_liu_score(fold.recall, fold.n_predicted) for fold in folds]
        per_fold.append(np.mean(raw))
    assert per_click == pytest.approx([np.mean([1, 0.5]) / 2, np.mean([0.8, 1]) / 2])
    assert per_click[0] < per_click[1]
    # What the score per fold would have chosen.
    assert per_fold[0] > per_fold[1]


def test_nothing_detected_is_the_worst_click_score():
    scores = click_scores([row(4)], [EMPTY], 5)
    assert (scores.recall, scores.detections_per_click, scores.lee_liu) == (0, 0, 0)


def test_no_click_at_all_is_refused():
    message = "clicks holds no click in any of 2 images; .*split_clicks"
    with pytest.raises(ValueError, match=message):
        click_scores([EMPTY, EMPTY], [row(3), row(4)], 5)


def test_clicks_of_another_number_of_images_are_refused():
    with pytest.raises(ValueError, match="clicks has 1 point sets and points_pred has"):
        click_scores([row(2)], [row(2), row(2)], 5)
