"""ReconstructionDetector: the optics, the inverse problem, and the cells behind it."""

import numpy as np
import pytest
from cells import draw_discs, in_order
from scipy.integrate import quad
from scipy.ndimage import convolve
from scipy.special import j0
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from pseudocell.baselines import ReconstructionDetector
from pseudocell.baselines._phase_contrast import phase_contrast_kernel, restore_object

RADIUS = 6
CENTRES = np.array([[14.0, 15], [15, 45], [40, 22], [44, 52], [18, 78], [46, 80]])


def draw_object(shape=(60, 96), centres=CENTRES):
    """Soft discs: how much the cells delay the light."""
    return draw_discs(shape, centres, RADIUS, 2.0)


def photograph(drawn, kernel, noise=0.01):
    """H f + C: the object through the optics, on a slope, with slight noise."""
    row, col = np.mgrid[: drawn.shape[0], : drawn.shape[1]] / 100
    background = 5 + row - 2 * col + row**2
    rng = np.random.default_rng(0)
    seen = convolve(drawn, kernel, mode="reflect")
    return seen + background + noise * rng.normal(size=drawn.shape)


@pytest.fixture(scope="module")
def kernel():
    return phase_contrast_kernel(0.08, 0.016, reach=5)


@pytest.fixture(scope="module")
def image(kernel):
    return photograph(draw_object(), kernel)


def solve(image, kernel, smoothness=0.1, sparsity=0.02, max_iter=200, tolerance=0):
    return restore_object(
        image,
        kernel,
        smoothness=smoothness,
        sparsity=sparsity,
        gamma=0.1,
        max_iter=max_iter,
        tolerance=tolerance,
    )


# --------------------------------------------------------------------- optics
def pattern_by_integration(outer, width, distance):
    """The Hankel transform of the ring, of which the published formula is the value."""
    return quad(
        lambda u: 2 * np.pi * u * j0(2 * np.pi * u * distance), outer - width, outer
    )[0]


@pytest.mark.parametrize(("outer", "width"), [(0.2, 0.04), (0.08, 0.016), (0.1, 0.1)])
def test_kernel_is_a_point_minus_the_transform_of_the_ring(outer, width):
    reach = 4
    expected = np.array(
        [
            [
                pattern_by_integration(outer, width, np.hypot(row, col))
                for col in range(-reach, reach + 1)
            ]
            for row in range(-reach, reach + 1)
        ]
    )
    # The spectral norm of a symmetric matrix is its largest absolute eigenvalue.
    expected /= -np.abs(np.linalg.eigvalsh(expected)).max()
    expected[reach, reach] += 1
    kernel = phase_contrast_kernel(outer, width, reach)
    np.testing.assert_allclose(kernel, expected, atol=1e-9)


def test_kernel_of_no_ring_tends_to_a_thin_ring():
    """W -> 0: the pattern is J0, whatever W, because it is normalised."""
    thin = phase_contrast_kernel(0.1, 1e-6, 5)
    distance = np.hypot(*np.mgrid[-5:6, -5:6])
    ring = j0(2 * np.pi * 0.1 * distance)
    expected = -ring / np.linalg.norm(ring, 2)
    expected[5, 5] += 1
    np.testing.assert_allclose(thin, expected, atol=1e-4)


def test_kernel_is_symmetric(kernel):
    for other in (kernel.T, kernel[::-1], kernel[:, ::-1]):
        np.testing.assert_array_equal(kernel, other)


def test_cell_is_dark_in_a_bright_halo(kernel):
    seen = convolve(draw_object(centres=CENTRES[:1]), kernel, mode="reflect")
    assert seen[14, 15] < -0.5
    wide = phase_contrast_kernel(0.08, 0.016, reach=8)
    assert convolve(draw_object(centres=CENTRES[:1]), wide, mode="reflect").max() > 0.05


# ----------------------------------------------------------- inverse problem
def test_inverse_recovers_the_object(image, kernel):
    found, _ = solve(image, kernel)
    assert found.dtype == np.float32
    assert np.corrcoef(found.ravel(), draw_object().ravel())[0, 1] > 0.99


def test_image_itself_is_not_the_object(image):
    """Otherwise the test above would show nothing."""
    drawn = draw_object().ravel()
    assert abs(np.corrcoef(image.ravel(), drawn)[0, 1]) < 0.9


@pytest.mark.parametrize("smoothness", [0.0, 1.0])
@pytest.mark.parametrize("sparsity", [0.01, 1.0])
def test_objective_falls_at_every_iteration(image, kernel, smoothness, sparsity):
    found, objective = solve(image, kernel, smoothness, sparsity, max_iter=60)
    assert (np.diff(objective) <= 0).all()
    assert len(objective) > 20
    assert objective[-1] < 0.9 * objective[0]
    assert found.min() == 0
    assert found.max() > 0


def flatten(image):
    """Subtract the surface of second order that fits best."""
    row, col = np.indices(image.shape)
    terms = [np.ones(image.shape), row, col, row**2, col**2, row * col]
    terms = np.stack([term.ravel() for term in terms], axis=1)
    weights = np.linalg.lstsq(terms, image.ravel(), rcond=None)[0]
    return image - (terms @ weights).reshape(image.shape)


def objective_by_definition(found, image, kernel, smoothness, sparsity, gamma=0.1):
    """E, with a convolution, the best C, and a loop over the edges."""
    residual = flatten(convolve(found, kernel, mode="reflect") - image)
    flat = flatten(image)
    height, width = flat.shape
    pairs = [
        ((row, col), (row + down, col + right))
        for row in range(height)
        for col in range(width)
        for down, right in ((0, 1), (1, -1), (1, 0), (1, 1))
        if row + down < height and 0 <= col + right < width
    ]
    squares = np.array([(flat[i] - flat[j]) ** 2 for i, j in pairs])
    weights = np.exp(-squares / squares.mean())
    edges = np.array([(found[i] - found[j]) ** 2 for i, j in pairs])
    sparse = gamma * np.log(1 + found / gamma).sum()
    return (residual**2).sum() + smoothness * weights @ edges + sparsity * sparse


@pytest.mark.parametrize("shape", [(20, 27), (1, 30), (4, 3)])
def test_objective_is_that_of_the_publication(kernel, shape):
    """The cosine transform is the convolution on the mirrored image, at any size."""
    image = np.random.default_rng(1).normal(size=shape)
    found, objective = solve(image, kernel, 0.3, 0.2, max_iter=30)
    expected = objective_by_definition(found.astype(float), image, kernel, 0.3, 0.2)
    assert found.max() > 0
    np.testing.assert_allclose(objective[-1], expected, rtol=1e-4)
    np.testing.assert_allclose(objective[0], (flatten(image) ** 2).sum(), rtol=1e-5)


def test_no_step_from_the_solution_lowers_the_objective(kernel):
    rng = np.random.default_rng(2)
    image = photograph(draw_object((16, 18), [(8, 8)]), kernel)
    found = solve(image, kernel, 0.1, 0.1, max_iter=2000)[0].astype(float)
    best = objective_by_definition(found, image, kernel, 0.1, 0.1)
    for size in (0.01, 0.1):
        for _ in range(5):
            moved = np.maximum(found + size * rng.normal(size=found.shape), 0)
            other = objective_by_definition(moved, image, kernel, 0.1, 0.1)
            assert other > best * (1 - 1e-5)


def test_more_sparsity_leaves_fewer_pixels(image, kernel):
    none, some, more = (
        (solve(image, kernel, sparsity=sparsity)[0] > 0).sum()
        for sparsity in (0.0, 0.3, 2.0)
    )
    assert none > some > more > 0


def test_background_of_second_order_does_not_matter(image, kernel):
    row, col = np.indices(image.shape) / 100
    surface = 30 + 10 * row - 20 * col + 10 * row**2 - 20 * row * col
    expected, _ = solve(image, kernel, max_iter=30)
    found, _ = solve(image + surface, kernel, max_iter=30)
    np.testing.assert_allclose(found, expected, atol=0.01)


# ------------------------------------------------------------------- detector
def ready(**parameters):
    """Three clicks cannot tell many kernels apart, so there are two to choose from."""
    parameters = {"cell_radius": RADIUS, "cores": (1.0, 0.35), **parameters}
    return ReconstructionDetector(**parameters)


@pytest.fixture(scope="module")
def fitted(image):
    return ready().fit([image], [CENTRES[:3]])


def test_unclicked_cells_are_found(fitted, image, kernel):
    assert fitted.score([image], [CENTRES]) == 1
    unseen = photograph(draw_object(centres=CENTRES[1:4]), kernel)
    assert fitted.score([unseen], [CENTRES[1:4]]) == 1


@pytest.mark.parametrize(("gain", "polarity"), [(1, "dark"), (-1, "bright")])
def test_clicks_tell_dark_from_bright(image, gain, polarity):
    """The same cells under negative phase contrast."""
    detector = ready().fit([gain * image], [CENTRES[:3]])
    assert detector.filter_[0] == polarity
    assert detector.score([gain * image], [CENTRES]) == 1


def test_transposed_image_gives_transposed_points(fitted, image):
    expected = fitted.predict([image])[0]
    found = fitted.predict([image.T.copy()])[0]
    assert len(found) > 0
    np.testing.assert_allclose(in_order(found[:, ::-1]), in_order(expected))


def test_strongest_first(image, kernel):
    """A cell that delays the light more comes first, where brightness ranks."""
    detector = ready().fit([image], [CENTRES[:3]])
    level = detector.finder_[0]
    for ranking in ("size", "brightness"):
        filtered = detector.transform([image])[0]
        _, strengths = detector._find(filtered, (level, ranking))
        assert len(strengths) > 1
        assert (np.diff(strengths) <= 0).all()


def test_restored_images_are_non_negative_and_of_the_same_shape(fitted, image):
    restored = fitted.transform([image])[0]
    assert restored.shape == image.shape
    assert restored.dtype == np.float32
    assert restored.min() >= 0
    assert restored[tuple(CENTRES.astype(int).T)].min() > restored.mean()


def test_transform_needs_no_clicks_and_predict_does(image):
    detector = ready(cores=(0.8,), nominal_radius=6.0).fit([image])
    restored = detector.transform([image])[0]
    drawn = draw_object().ravel()
    assert np.corrcoef(restored.ravel(), drawn)[0, 1] > 0.8
    with pytest.raises(NotFittedError):
        detector.predict([image])


def test_fit_without_clicks_forgets_the_fit_before(image):
    detector = ready().fit([image], [CENTRES[:3]]).fit([image])
    with pytest.raises(NotFittedError):
        detector.predict([image])


def test_colour_is_taken_as_grey(fitted, image):
    colour = np.dstack([image] * 3)
    detector = ready().fit([colour], [CENTRES[:3]])
    np.testing.assert_allclose(
        detector.predict([colour])[0], fitted.predict([image])[0]
    )


def test_empty_image_has_no_cell(fitted):
    for blank in (np.zeros((30, 40)), np.full((30, 40), 7, np.uint8), np.ones((1, 1))):
        assert fitted.predict([blank])[0].shape == (0, 2)


def test_only_empty_images_are_fine():
    blank = np.zeros((30, 40))
    detector = ready().fit([blank], [[(10, 10)]])
    assert detector.predict([blank])[0].shape == (0, 2)


def test_inputs_stay_unchanged(image):
    images, points = [image.copy()], [CENTRES[:3].copy()]
    images[0].flags.writeable = points[0].flags.writeable = False
    detector = clone(ready()).fit(images, points)
    detector.predict(images)
    detector.transform(images)
    np.testing.assert_array_equal(images[0], image)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cell_radius": -1}, "cell_radius is -1"),
        ({"nominal_radius": 0}, "nominal_radius is 0"),
        ({"cores": ()}, r"cores is \(\)"),
        ({"reaches": (1, -2)}, "reaches is"),
        ({"sparsities": (0,)}, "sparsities is"),
        ({"smoothness": -1}, "smoothness is -1; expected a number of at least 0"),
        ({"gamma": 0}, "gamma is 0; expected a number above 0"),
        ({"max_iter": 0}, "max_iter is 0"),
    ],
)
def test_bad_parameter_is_named(image, parameters, message):
    for points in (None, [CENTRES[:3]]):
        with pytest.raises(ValueError, match=message):
            ready(**parameters).fit([image], points)


def test_bad_input_is_named(fitted, image):
    with pytest.raises(ValueError, match="cell_radius and partial_points are None"):
        ReconstructionDetector().fit([image])
    with pytest.raises(ValueError, match="points holds no click"):
        ready().fit([image], [[]])
    with pytest.raises(ValueError, match="Swapped they would fit"):
        ready().fit([image], [CENTRES[:, ::-1]])
    with pytest.raises(ValueError, match=r"images\[0\] has 3 channel"):
        fitted.predict([np.dstack([image] * 3)])
    with pytest.raises(ValueError, match=r"images\[0\] has 3 channel"):
        fitted.transform([np.dstack([image] * 3)])
