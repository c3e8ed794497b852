"""Parameters: what is refused, before anything is trained, and what stands for None."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold

from pseudocell import (
    CalibratedSelector,
    HeatmapDetector,
    NNPUFeaturizer,
    PatchExtractor,
    PClassificationRanker,
    PseudoLabelCellDetector,
)
from pseudocell.baselines import PUDetector

IMAGES = [np.zeros((40, 40), dtype=np.uint8)] * 2
CLICKS = [[[10, 10]], [[20, 20]]]


def refuse_training(*arguments, **keywords):
    raise AssertionError("something was trained.")


@pytest.mark.parametrize("whole", [PseudoLabelCellDetector, PUDetector])
@pytest.mark.parametrize(
    ("name", "value"),
    [("cell_radius", value) for value in ("12", -3, True, np.ones(3), {6}, np.nan)]
    + [("class_prior", value) for value in (1.5, 0, "0.5", [0.5])]
    + [("max_candidates", value) for value in (0, None, 2.5, True)]
    + [("candidate_threshold", value) for value in (None, "low", {"low": 1}, np.inf)]
    + [("n_jobs", 1.5), ("device", 0), ("random_state", "now"), ("verbose", -1)]
    + [("detector", 3), ("extractor", "PatchExtractor"), ("featurizer", np.ones(2))]
    + [("detector__max_steps", 0), ("detector__masked", 2), ("extractor__size", 20)]
    + [("extractor__nominal_radius", None), ("featurizer__max_steps", "many")],
)
def test_bad_value_is_named_before_anything_is_trained(monkeypatch, whole, name, value):
    monkeypatch.setattr(HeatmapDetector, "fit", refuse_training)
    detector = whole().set_params(**{name: value})
    with pytest.raises(ValueError, match=f"^{name.split('__')[-1]} is .*; expected "):
        detector.fit(IMAGES, CLICKS)


@pytest.mark.parametrize(
    ("name", "value"),
    [("p", 0.5), ("p", "4"), ("p", True), ("alpha", "0.1"), ("beta", 1.2)]
    + [("max_iter", 1.5), ("max_iter", None), ("max_search", 0), ("warm_start", "no")]
    + [("ranker__l2", -1), ("ranker__concentrate", "middle"), ("selector__beta", [1])]
    + [("ranker", 4.0), ("selector", "share"), ("learn_background", None)],
)
def test_bad_value_of_the_loop_is_named_before_anything_is_trained(
    monkeypatch, name, value
):
    monkeypatch.setattr(HeatmapDetector, "fit", refuse_training)
    detector = PseudoLabelCellDetector().set_params(**{name: value})
    with pytest.raises(ValueError, match=f"^{name.split('__')[-1]} is .*; expected "):
        detector.fit(IMAGES, CLICKS)


DOCUMENTED = {
    "detector": HeatmapDetector(n_nets=2, held_out="places", warm_start=True),
    "extractor": PatchExtractor(),
    "featurizer": NNPUFeaturizer(),
    "ranker": PClassificationRanker(),
    "selector": CalibratedSelector(),
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_default_given_as_a_part_is_the_default(name):
    """All that the rounds do follows from the parameters of the parts."""
    whole = PseudoLabelCellDetector(9, alpha=0.1, p=3.0, class_prior=0.4, n_jobs=1)
    given = clone(whole).set_params(**{name: DOCUMENTED[name]})
    one, other = given._part(name), whole._part(name)
    assert type(one) is type(other)
    assert one.get_params() == other.get_params()


def test_parameter_of_a_default_part_can_be_set_and_searched():
    whole = PseudoLabelCellDetector().set_params(ranker__p=8.0, detector__n_nets=3)
    assert whole._part("ranker").get_params() == PClassificationRanker(8.0).get_params()
    assert whole._part("detector").n_nets == 3
    assert whole._part("detector").held_out == "places"
    search = GridSearchCV(
        PseudoLabelCellDetector(),
        {"ranker__p": [2.0, 4.0]},
        scoring=lambda detector, images, points: detector._part("ranker").p,
        cv=KFold(2),
        refit=False,
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PseudoLabelCellDetector, "fit", lambda self, *_: self)
        search.fit(IMAGES, CLICKS)
    assert search.cv_results_["mean_test_score"].tolist() == [2.0, 4.0]
    with pytest.raises(ValueError, match="Invalid parameter 'q'"):
        PseudoLabelCellDetector().set_params(ranker__q=8.0)


def test_parameters_that_other_kinds_of_parts_have_are_their_own():
    """The alpha of a ranker is no share of candidates."""
    from sklearn.linear_model import RidgeClassifier

    whole = PseudoLabelCellDetector(alpha=0.2, ranker=RidgeClassifier(alpha=1.0))
    assert whole._part("ranker").alpha == 1.0
