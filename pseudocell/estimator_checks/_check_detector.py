"""All the checks of a detector, at once or one by one."""

from . import _bad_input, _conventions, _images
from ._contract import run_all

__all__ = ["DETECTOR_CHECKS", "check_detector"]

# Each is called with a detector, and raises AssertionError if its contract is broken.
DETECTOR_CHECKS = (
    _conventions.check_fit_returns_self,
    _conventions.check_parameters_are_kept,
    _conventions.check_unfitted_raises,
    _conventions.check_pickle_round_trip,
    _conventions.check_inputs_are_unchanged,
    _conventions.check_refit_forgets,
    _conventions.check_same_seed_same_result,
    _conventions.check_global_generators_are_unchanged,
    _images.check_finds_something,
    _images.check_predicted_points,
    _images.check_one_image,
    _images.check_image_without_clicks,
    _images.check_mixed_sizes,
    _images.check_any_sequence,
    _images.check_grey_and_colour,
    _images.check_pixel_types,
    _bad_input.check_nan_is_named,
    _bad_input.check_other_channels_are_named,
    _bad_input.check_no_sequence_is_named,
    _bad_input.check_number_of_point_lists_is_named,
    _bad_input.check_bad_points_are_named,
    _bad_input.check_points_outside_are_named,
    _bad_input.check_no_click_is_named,
)


def check_detector(detector):
    """Check that a detector keeps every contract of a detector.

    It is fitted some thirty times on two images of 64 x 80 pixels with bright cells of
    radius 6, three of six clicked: give it few steps and a small net.

    Parameters
    ----------
    detector : estimator
        Has ``fit(images, points)`` and ``predict(images)``, and may have
        ``predict_scored(images)``, ``find_candidates(images)`` and
        ``score(images, points)``. Clones of it are fitted, with `random_state` 0 where
        there is one and `warm_start` off. A UserWarning of it is no failure.

    Raises
    ------
    AssertionError
        If a contract is broken; names all that are.

    Notes
    -----
    Each check of the tuple `DETECTOR_CHECKS` is a function of a detector. For one test
    each::

        @pytest.mark.parametrize("check", DETECTOR_CHECKS)
        def test_contracts(check):
            check(MyDetector())

    Examples
    --------
    >>> from pseudocell.baselines import BlobDetector
    >>> from pseudocell.estimator_checks import check_detector
    >>> check_detector(BlobDetector(cell_radius=6, scales=[1.0]))

    The `fit` of this one returns nothing, so that ``fit(...).predict(...)`` fails:

    >>> class Silent(BlobDetector):
    ...     def fit(self, images, points):
    ...         super().fit(images, points)
    >>> from pseudocell.estimator_checks import DETECTOR_CHECKS
    >>> DETECTOR_CHECKS[0](Silent(cell_radius=6, scales=[1.0]))
    Traceback (most recent call last):
    AssertionError: `fit` returns the detector itself. But it returned None.
    """
    run_all(DETECTOR_CHECKS, detector)
