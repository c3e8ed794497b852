"""PseudoLabelCellDetector: from a few clicks to every cell, in rounds."""

import time
import warnings

import numpy as np
from scipy.spatial import cKDTree
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from ._detector import MATCHING_DISTANCE, HeatmapDetector
from ._extractor import PatchExtractor
from ._featurizer import NNPUFeaturizer
from ._matching import match_points
from ._ranker import PClassificationRanker
from ._selector import ShareSelector
from ._skorch import one_thread
from .metrics import detection_f1

__all__ = ["PseudoLabelCellDetector"]


class PseudoLabelCellDetector(BaseEstimator):
    def __init__(
        self,
        cell_radius=None,
        *,
        alpha=0.05,
        beta=0.05,
        p=4.0,
        max_iter=2,
        class_prior=None,
        detector=None,
        extractor=None,
        featurizer=None,
        ranker=None,
        selector=None,
        learn_background=True,
        rank_by_height=True,
        candidate_threshold=0.05,
        max_candidates=50,
        device="auto",
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.cell_radius = cell_radius
        self.alpha = alpha
        self.beta = beta
        self.p = p
        self.max_iter = max_iter
        self.class_prior = class_prior
        self.detector = detector
        self.extractor = extractor
        self.featurizer = featurizer
        self.ranker = ranker
        self.selector = selector
        self.learn_background = learn_background
        self.rank_by_height = rank_by_height
        self.candidate_threshold = candidate_threshold
        self.max_candidates = max_candidates
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, images, partial_points):
        self.history_, self.detectors_, self.labels_ = [], [], []
        detector = self._part("detector", HeatmapDetector(n_nets=2))
        labels = {}
        pool = None
        for iteration in range(self.max_iter + 1):
            began = time.perf_counter()
            detector = clone(detector).fit(images, partial_points, **labels)
            detector.set_params(cell_radius=detector.cell_radius_)
            self.detectors_.append(detector)
            self._record(iteration, labels, pool, began)
            if iteration == self.max_iter:
                break
            pool = self._collect(images, partial_points, pool)
            scores = self._rank(images, partial_points, pool)
            labels = self._select(pool, scores)
            self.labels_.append(labels)
        self.detector_ = detector
        self.cell_radius_ = detector.cell_radius_
        self.threshold_ = detector.threshold_
        self.n_iter_ = iteration
        return self

    def _part(self, name, default):
        part = clone(default if getattr(self, name) is None else getattr(self, name))
        common = ("cell_radius", "class_prior", "p", "alpha", "beta")
        common += ("device", "n_jobs", "random_state", "verbose")
        accepted = part.get_params()
        return part.set_params(
            **{key: getattr(self, key) for key in common if key in accepted}
        )

    def _collect(self, images, clicks, pool):
        """Find the candidates of this iteration: X_P near the clicks, X_U elsewhere."""
        detector = self.detectors_[-1]
        known = None if pool is None else pool["unlabelled"]
        found = detector.find_candidates(images, self.candidate_threshold, known)
        radius = detector.cell_radius_
        pool = {"positive": [], "positive_heights": [], "unlabelled": [], "heights": []}
        for (points, heights), clicked, click_heights in zip(
            found, clicks, detector.click_heights_, strict=True
        ):
            clicked = np.reshape(clicked, (-1, 2))
            i, j = match_points(points, clicked, radius)
            pool["positive"].append(points[i])
            pool["positive_heights"].append(click_heights[j])
            free = ~near(points, clicked, radius)
            pool["unlabelled"].append(points[free])
            pool["heights"].append(heights[free])
        n_clicks = sum(map(len, clicks))
        all_heights = np.concatenate(pool["heights"])
        room = n_clicks * self.max_candidates
        if len(all_heights) > room:
            limit = np.partition(all_heights, -room)[-room]
            for index, heights in enumerate(pool["heights"]):
                keep = heights >= limit
                pool["unlabelled"][index] = pool["unlabelled"][index][keep]
                pool["heights"][index] = heights[keep]
        return pool

    def _rank(self, images, clicks, pool):
        extractor = self._part("extractor", PatchExtractor())
        extractor.set_params(cell_radius=self.detectors_[-1].cell_radius_)
        positive = extractor.fit_transform(list(zip(images, pool["positive"])))
        unlabelled = extractor.transform(list(zip(images, pool["unlabelled"])))
        y = np.repeat([1, 0], [len(positive), len(unlabelled)])
        patches = np.concatenate([positive, unlabelled])
        featurizer = self._part("featurizer", NNPUFeaturizer()).fit(patches, y)
        features = featurizer.transform(patches)
        self.pu_ = featurizer.decision_function(patches)
        heights = np.concatenate(pool["positive_heights"] + pool["heights"])
        if self.rank_by_height:
            features = np.column_stack([features, heights])
        scores = []
        with one_thread():
            for end in ("top", "bottom"):
                ranker = make_pipeline(
                    StandardScaler(),
                    self._part("ranker", PClassificationRanker()).set_params(
                        concentrate=end
                    ),
                )
                scores.append(ranker.fit(features, y).decision_function(features))
        self.scores_, self.y_, self.heights_ = scores, y, heights
        return scores[0][y == 0], scores[1][y == 0]

    def _select(self, pool, scores):
        choice = self._part("selector", ShareSelector()).select(*scores)
        radius = self.detectors_[-1].cell_radius_
        split = np.cumsum([len(p) for p in pool["unlabelled"]])[:-1]
        labels = {"positives": [], "negatives": [], "undecided": []}
        cut = np.quantile(np.concatenate(self.detectors_[-1].click_heights_), 0.05)
        for points, heights, top, label in zip(
            pool["unlabelled"],
            pool["heights"],
            np.split(scores[0], split),
            np.split(choice, split),
            strict=True,
        ):
            order = np.argsort(-top, kind="stable")
            chosen = order[label[order] == 1]
            positives = points[chosen][thin(points[chosen], radius)]
            negatives = points[label == -1]
            open_ = (heights >= cut) & (label == 0)
            labels["positives"].append(positives)
            labels["negatives"].append(negatives)
            labels["undecided"].append(points[open_ & ~near(points, positives, radius)])
        if not self.learn_background:
            del labels["undecided"]
        return labels

    def _record(self, iteration, labels, pool, began):
        count = {name: sum(map(len, lists)) for name, lists in labels.items()}
        self.history_.append(
            {
                "iteration": iteration,
                "n_positive": count.get("positives", 0),
                "n_negative": count.get("negatives", 0),
                "n_undecided": count.get("undecided", 0),
                "n_candidates": 0 if pool is None else sum(map(len, pool["heights"])),
                "threshold": self.detectors_[-1].threshold_,
                "seconds": time.perf_counter() - began,
            }
        )

    def predict(self, images):
        check_is_fitted(self)
        return self.detector_.predict(images)

    def staged_predict(self, images):
        check_is_fitted(self)
        for detector in self.detectors_:
            yield detector.predict(images)


def near(points, others, radius):
    if len(others) == 0 or len(points) == 0:
        return np.zeros(len(points), dtype=bool)
    return cKDTree(others).query(points)[0] <= radius


def thin(points, radius):
    keep = np.ones(len(points), dtype=bool)
    if len(points) > 1:
        for i, j in np.sort(cKDTree(points).query_pairs(radius, output_type="ndarray"), axis=1)[:]:
            if keep[i]:
                keep[j] = False
    return keep
