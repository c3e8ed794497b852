"""BlobDetector, and how clicks choose settings and thresholds."""

import numpy as np
import pytest
from cells import draw_discs, in_order
from skimage.feature import blob_log
from sklearn.base import clone

from pseudocell.baselines import BlobDetector
from pseudocell.baselines._click_tuned import choose_threshold
from pseudocell.metrics import lee_liu_score

RADIUS = 6
CENTRES = np.array(
    [[14.0, 15], [15, 45], [40, 22], [44, 52], [18, 78], [46, 80], [70, 30], [72, 64]]
)


def draw(centres=CENTRES, radius=RADIUS, shape=(90, 100), noise=0.1):
    """Bright discs with a soft edge on a noisy ground."""
    rng = np.random.default_rng(0)
    return draw_discs(shape, centres, radius, 1.0) + noise * rng.normal(size=shape)


@pytest.fixture(scope="module")
def image():
    return draw()


@pytest.fixture(scope="module")
def fitted(image):
    return BlobDetector(RADIUS).fit([image], [CENTRES[:4]])


# ------------------------------------------------------------------ detection
def test_unclicked_cells_are_found(fitted, image):
    assert fitted.score([image], [CENTRES]) == 1


@pytest.mark.parametrize(("gain", "polarity"), [(1, "bright"), (-1, "dark")])
def test_clicks_tell_dark_from_bright(image, gain, polarity):
    detector = BlobDetector(RADIUS).fit([gain * image], [CENTRES[:4]])
    assert detector.filter_[1] == polarity
    assert detector.score([gain * image], [CENTRES]) == 1


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_clicks_choose_the_channel(image, channel):
    """The others show discs in other places, which are nobody's cells."""
    rng = np.random.default_rng(1)
    others = draw(rng.uniform(8, 80, size=(30, 2)))
    colour = np.dstack([others, others[::-1], others[:, ::-1]])
    colour[..., channel] = image
    detector = BlobDetector(RADIUS).fit([colour], [CENTRES[:4]])
    assert detector.filter_[0] == channel
    assert detector.score([colour], [CENTRES]) == 1


@pytest.mark.parametrize("radius", [4, 6, 9])
def test_response_is_largest_at_the_scale_of_the_disc(radius):
    """The Laplacian of a Gaussian answers most at sigma = radius / sqrt(2)."""
    image = draw([(45, 50)], radius, noise=0)[..., np.newaxis]
    detector = BlobDetector(RADIUS)
    scales = np.geomspace(0.3, 3, 40)
    heights = [
        detector._filter(image, (None, "bright", scale))[45, 50] for scale in scales
    ]
    assert scales[np.argmax(heights)] == pytest.approx(radius / RADIUS, rel=0.1)


def test_points_are_those_of_scikit_image(image):
    """At the nominal size and one scale, blob_log has the same peaks."""
    detector = BlobDetector(RADIUS, scales=(1.0,)).fit([image], [CENTRES[:4]])
    response = detector._filter(detector._to_nominal(image), detector.filter_)
    assert detector.filter_[1] == "bright"
    sigma = RADIUS / np.sqrt(2)
    expected = blob_log(
        detector._to_nominal(image)[..., 0],
        min_sigma=sigma,
        max_sigma=sigma,
        num_sigma=1,
        threshold=detector.threshold_,
        exclude_border=False,
    )[:, :2]
    found = detector.predict([image])[0]
    np.testing.assert_array_equal(in_order(found), in_order(expected))
    heights = response[tuple(found.astype(int).T)]
    assert (np.diff(heights) <= 0).all()


@pytest.mark.parametrize("factor", [2, 3])
def test_points_are_in_pixels_of_the_image(image, factor):
    larger = np.kron(image, np.ones((factor, factor)))
    centres = (CENTRES + 0.5) * factor - 0.5
    detector = BlobDetector(RADIUS * factor).fit([larger], [centres[:4]])
    found = in_order(detector.predict([larger])[0])
    np.testing.assert_allclose(found, in_order(centres), atol=1.5 * factor)


def test_transposed_image_gives_transposed_points(fitted, image):
    expected = fitted.predict([image])[0]
    found = fitted.predict([image.T])[0]
    np.testing.assert_allclose(in_order(found[:, ::-1]), in_order(expected))


@pytest.mark.parametrize("camera", [lambda x: 500 + 90 * x, lambda x: x[..., None]])
def test_gain_offset_and_axis_do_not_matter(fitted, image, camera):
    found = fitted.predict([camera(image)])[0]
    np.testing.assert_allclose(in_order(found), in_order(fitted.predict([image])[0]))


def test_radius_can_be_estimated(image):
    detector = BlobDetector().fit([image], [CENTRES[:4]])
    assert detector.cell_radius_ == pytest.approx(RADIUS, rel=0.25)
    assert detector.score([image], [CENTRES]) == 1


# ---------------------------------------------------------------- the clicks
def test_threshold_is_as_good_as_the_best_when_clicks_are_many():
    """Cells and background overlap; against the score without smoothing."""
    rng = np.random.default_rng(3)
    for _ in range(5):
        cells = rng.normal(5, 1, size=2000)
        strengths = np.abs(np.append(cells, rng.normal(2, 1, size=4000)))
        clicks = cells[:500]
        threshold, _ = choose_threshold(strengths, clicks)

        def true_score(tried, clicks=clicks, strengths=strengths):
            return lee_liu_score((clicks > tried).mean(), (strengths > tried).sum())

        best = max(true_score(tried) for tried in np.linspace(1, 6, 100))
        assert true_score(threshold) > 0.97 * best


def test_threshold_leaves_room_below_the_weakest_click():
    """Of 40 cells 4 are clicked: the weakest cell is hardly among them."""
    rng = np.random.default_rng(4)
    shares = []
    for _ in range(21):
        cells = rng.uniform(6, 9, size=40)
        strengths = np.append(cells, rng.uniform(0, 3, size=200))
        threshold, _ = choose_threshold(strengths, cells[:4])
        shares.append((cells > threshold).mean())
        assert threshold > 2.5
    assert np.median(shares) == 1


def test_one_lucky_click_does_not_set_the_threshold():
    """Otherwise the threshold were above all but the strongest cell."""
    strengths = np.append(np.linspace(1, 2, 30), 9.0)
    threshold, _ = choose_threshold(strengths, np.array([9.0, 1.0, 1.0]))
    assert threshold < 1.2


def test_no_click_found_gives_no_detection():
    assert choose_threshold(np.array([1.0, 2.0]), np.array([-1.0])) == (np.inf, -1.0)
    assert choose_threshold(np.zeros(0), np.array([-1.0])) == (np.inf, -1.0)


def test_images_without_clicks_are_not_read(fitted, image):
    detector = BlobDetector(RADIUS).fit(["unread", image], [[], CENTRES[:4]])
    assert detector.threshold_ == fitted.threshold_


def test_fit_depends_on_the_last_data_only(fitted, image):
    detector = BlobDetector(RADIUS).fit([-image], [CENTRES[:4]])
    detector.fit([image], [CENTRES[:4]])
    assert detector.filter_ == fitted.filter_
    assert detector.threshold_ == fitted.threshold_


# ------------------------------------------------------------------ bad input
def test_empty_image_has_no_cell(fitted):
    for blank in (np.zeros((30, 40)), np.full((30, 40), 7, np.uint8), np.ones((1, 1))):
        assert fitted.predict([blank])[0].shape == (0, 2)


def test_only_empty_images_are_fine():
    detector = BlobDetector(RADIUS).fit([np.zeros((30, 40))], [[(10, 10)]])
    assert detector.predict([np.zeros((30, 40))])[0].shape == (0, 2)


def test_inputs_stay_unchanged(image):
    images, points = [image.copy()], [CENTRES[:4].copy()]
    images[0].flags.writeable = points[0].flags.writeable = False
    clone(BlobDetector(RADIUS)).fit(images, points).predict(images)
    np.testing.assert_array_equal(images[0], image)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cell_radius": 0}, "cell_radius is 0"),
        ({"nominal_radius": -1}, "nominal_radius is -1"),
        ({"scales": ()}, r"scales is \(\)"),
        ({"scales": (1, 0)}, "scales is"),
    ],
)
def test_bad_parameter_is_named(image, parameters, message):
    with pytest.raises(ValueError, match=message):
        BlobDetector(**{"cell_radius": RADIUS, **parameters}).fit([image], [CENTRES])


def test_bad_input_is_named(fitted, image):
    with pytest.raises(ValueError, match="points holds no click"):
        BlobDetector(RADIUS).fit([image], [[]])
    with pytest.raises(ValueError, match="2 lists of points for 1 images"):
        BlobDetector(RADIUS).fit([image], [CENTRES, CENTRES])
    with pytest.raises(ValueError, match="outside its image"):
        BlobDetector(RADIUS).fit([image], [CENTRES * 10])
    with pytest.raises(ValueError, match=r"images\[0\] has 3 channel"):
        fitted.predict([np.dstack([image] * 3)])
