"""What a notebook shows of a fitted detector, below scikit-learn's own diagram."""

from html import escape

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

__all__ = ["SummaryMixin"]

# Words for `termination_condition_`.
ENDS = {
    "max_iter": "all rounds done",
    "no_change": "nothing more to choose",
    "no_candidates": "no candidate could be chosen: click more cells",
    "odd_clicks": "the clicked cells stand out: click cells of every kind",
    "worse": "the rounds made it worse and were undone: click more cells",
    "callback": "ended by a callback",
}


class SummaryMixin:
    """A detector that says in a notebook what came of its fit."""

    def _repr_html_inner(self):
        return super()._repr_html_inner() + _summary(self)

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] = bundle["text/html"] + _summary(self)
        return bundle


def _summary(detector):
    """Return a short list of facts as HTML; nothing of a detector without a fit."""
    try:
        check_is_fitted(detector)
    except NotFittedError:
        return ""
    items = "".join(
        f'<li style="margin:0"><b>{escape(name)}</b> {escape(value)}</li>'
        for name, value in _facts(detector)
    )
    style = "list-style:none;padding:0;margin:.4em 0;line-height:1.5"
    return f'<ul aria-label="What came of the fit" style="{style}">{items}</ul>'


def _facts(detector):
    yield "Radius of a cell:", f"{detector.cell_radius_:.3g} px"
    yield "A peak is a cell above:", f"{detector.threshold_:.3g}"
    clicks = getattr(detector, "clicks_", None)
    if clicks is not None:
        yield "Clicks:", f"{sum(map(len, clicks))} in {len(clicks)} images"
    rounds = getattr(detector, "n_iter_", None)
    if rounds is not None:
        reason = getattr(detector, "termination_condition_", None)
        yield "Rounds:", f"{rounds} ({ENDS.get(reason, reason)})"
    calibration = getattr(detector, "calibration_", None)
    if calibration is not None:
        threshold = detector.threshold_
        precision = calibration.precision(threshold)
        recall = calibration.recall(threshold)
        yield "Expected precision and recall:", f"{precision:.2f}, {recall:.2f}"
