"""Places: every place is unknown to exactly one net, and clicks are shared out."""

import numpy as np
import pytest

from pseudocell import HeatmapDetector
from pseudocell._detection._places import deal_places
from pseudocell.nets import UNet

SHAPES = [(60, 90), (90, 60, 3), (70, 70)]


def small_unet(in_channels):
    return UNet(in_channels, base_channels=4, depth=2)


def draw_clicks(counts, seed=0):
    rng = np.random.default_rng(seed)
    return [
        rng.uniform(0, np.array(shape[:2]) - 1, size=(count, 2))
        for shape, count in zip(SHAPES, counts, strict=True)
    ]


@pytest.mark.parametrize("n_nets", [2, 3])
def test_each_pixel_is_unseen_by_one_net(n_nets):
    places = deal_places(draw_clicks([6, 6, 6]), SHAPES, n_nets)
    for index, (height, width, *_) in enumerate(SHAPES):
        seen = [
            np.broadcast_to(
                places.seen_by(number, index, (0, 0), (height, width), (height, width)),
                (height, width),
            )
            for number in range(n_nets)
        ]
        assert (np.sum(seen, axis=0) == n_nets - 1).all()


def test_masks_agree_with_folds_of_points():
    places = deal_places(draw_clicks([6, 6, 6]), SHAPES, 2)
    rows, cols = np.mgrid[10:20, 30:50]
    points = np.column_stack([rows.ravel(), cols.ravel()])
    for index, shape in enumerate(SHAPES):
        fold = places.fold_of(index, points, shape).reshape(rows.shape)
        for number in range(2):
            seen = places.seen_by(number, index, (10, 30), rows.shape, shape)
            expected = np.broadcast_to(seen, rows.shape)
            assert (expected == (fold != number)).all()


@pytest.mark.parametrize("counts", [[6, 6, 6], [1, 1, 0], [9, 1, 1], [0, 8, 0]])
def test_clicks_are_shared_out(counts):
    clicks = draw_clicks(counts)
    places = deal_places(clicks, SHAPES, 2)
    pairs = zip(clicks, SHAPES, strict=True)
    folds = [places.fold_of(i, *each) for i, each in enumerate(pairs)]
    load = np.bincount(np.concatenate(folds), minlength=2)
    assert load.min() >= 1
    assert abs(load[0] - load[1]) <= 0.25 * load.sum() + 1


def test_places_do_not_depend_on_the_size_of_pixels():
    clicks = draw_clicks([6, 6, 6])
    places = deal_places(clicks, SHAPES, 2)
    larger = [(points + 0.5) * 3 - 0.5 for points in clicks]
    shapes = [(3 * height, 3 * width) for height, width, *_ in SHAPES]
    for index in range(3):
        assert np.array_equal(
            places.fold_of(index, clicks[index], SHAPES[index]),
            places.fold_of(index, larger[index], shapes[index]),
        )


@pytest.mark.parametrize(("counts", "n_nets"), [([1, 0, 0], 2), ([6, 6, 6], 1)])
def test_nothing_is_held_out_where_a_net_would_see_no_click(counts, n_nets):
    assert deal_places(draw_clicks(counts), SHAPES, n_nets) is None


def fit(images, clicks, **more):
    detector = HeatmapDetector(
        6,
        masked=False,
        n_nets=2,
        held_out="places",
        module=small_unet,
        max_steps=3,
        batch_size=2,
        device="cpu",
        random_state=0,
    )
    return detector.fit(images, clicks, **more)


def weights_of(net):
    return np.concatenate(
        [p.detach().numpy().ravel() for p in net.module_.parameters()]
    )


def test_a_net_does_not_learn_labels_of_the_place_that_it_is_kept_off():
    rng = np.random.default_rng(0)
    image = rng.random((60, 180)).astype(np.float32)
    clicks = np.array([[20.0, 30.0], [40.0, 60.0], [20.0, 120.0], [40.0, 150.0]])
    label = np.array([[30.0, 20.0]])
    base = fit([image], [clicks])
    kept_off = int(base.fold_of(0, label, image.shape)[0])
    for name in ("negatives", "positives"):
        with_label = fit([image], [clicks], **{name: [label]})
        same = [
            np.array_equal(weights_of(one), weights_of(other))
            for one, other in zip(base.nets_, with_label.nets_, strict=True)
        ]
        # A positive far from the clicks also moves the crops of the net that sees it.
        assert same[kept_off]
        assert not same[1 - kept_off]


def test_heights_of_unseen_places_come_from_the_other_net():
    rng = np.random.default_rng(0)
    image = rng.random((60, 180)).astype(np.float32)
    clicks = np.array([[20.0, 30.0], [40.0, 60.0], [20.0, 120.0], [40.0, 150.0]])
    detector = fit([image], [clicks])
    ((points, heights),) = detector.find_unseen([image], -9.0)
    folds = detector.fold_of(0, points, image.shape)
    for number in range(2):
        alone = fit([image], [clicks])
        alone.nets_ = [alone.nets_[number]]
        ((its, its_heights),) = alone.find_candidates([image], -9.0)
        known = {tuple(p): h for p, h in zip(its.round(6), its_heights, strict=True)}
        mine = folds == number
        assert mine.any()
        for point, height in zip(points[mine].round(6), heights[mine], strict=True):
            assert known[tuple(point)] == height


def test_without_places_unseen_is_what_is_found():
    rng = np.random.default_rng(0)
    image = rng.random((60, 90)).astype(np.float32)
    detector = HeatmapDetector(
        6, module=small_unet, max_steps=2, batch_size=2, device="cpu", random_state=0
    ).fit([image], [[(20.0, 30.0)]])
    ((points, heights),) = detector.find_unseen([image], -9.0)
    ((same, high),) = detector.find_candidates([image], -9.0)
    assert np.array_equal(points, same)
    assert np.array_equal(heights, high)
    assert (detector.fold_of(0, points, image.shape) == -1).all()


@pytest.mark.parametrize(
    ("chances", "message"),
    [
        ([[0.5, 0.5]], r"probabilities\[0\] has shape \(2,\); expected \(1,\)"),
        ([[1.5]], r"probabilities\[0\] has values outside of \[0, 1\]"),
        ([[np.nan]], r"probabilities\[0\] has values outside"),
        ([], "probabilities has 0 lists for 1 images"),
    ],
)
def test_bad_probabilities_are_named(chances, message):
    image = np.zeros((60, 90), dtype=np.float32)
    with pytest.raises(ValueError, match=message):
        fit([image], [[(20.0, 30.0)]], undecided=[[(5.0, 5.0)]], probabilities=chances)
