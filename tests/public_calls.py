"""Every public function with arguments that are right, and values that are wrong."""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from pseudocell import (
    CalibratedSelector,
    HeatmapDetector,
    NNPUFeaturizer,
    PatchExtractor,
    PClassificationRanker,
    PseudoLabelCellDetector,
    ShareSelector,
    baselines,
    benchmark,
    datasets,
    io,
    losses,
    metrics,
    model_selection,
    nets,
    paper_recipe,
    plotting,
)

__all__ = ["CALLS", "CLICKS", "IMAGES", "WRONG", "detectors"]

RNG = np.random.default_rng(0)
IMAGES, POINTS = datasets.make_brightfield(
    2, (40, 44), n_cells=3, cell_radius=6, random_state=0
)
IMAGES = [(60 * image + 120).clip(0, 255).astype(np.uint8) for image in IMAGES]
CLICKS = [array[:2] for array in POINTS]
PATCHES = RNG.normal(size=(20, 9, 9)).astype(np.float32)
TABLE = RNG.normal(size=(20, 3))
POSITIVE = np.repeat([1, 0], [5, 15])
SMALL_NET = partial(nets.UNet, base_channels=4, depth=1)
SCORES = np.linspace(1, 0, 20)


def heatmap_detector():
    return HeatmapDetector(
        6, module=SMALL_NET, max_steps=2, batch_size=2, device="cpu", random_state=0
    )


def featurizer():
    return NNPUFeaturizer(0.5, max_steps=2, batch_size=8, device="cpu", random_state=0)


def loop_detector():
    return PseudoLabelCellDetector(
        6, max_iter=0, detector=heatmap_detector(), device="cpu", random_state=0
    )


# Cheap to fit, and of every kind.
DETECTORS = {
    "HeatmapDetector": heatmap_detector,
    "PseudoLabelCellDetector": loop_detector,
    "BlobDetector": lambda: baselines.BlobDetector(6, scales=(0.7,)),
    "ReconstructionDetector": lambda: baselines.ReconstructionDetector(
        6, cores=(1.0,), reaches=(1.0,), levels=(1.0,), max_iter=2
    ),
    "TunedThresholdDetector": lambda: baselines.TunedThresholdDetector(
        baselines.BlobDetector(6, scales=(0.7,))
    ),
}


def detectors():
    """Return each detector, fitted."""
    return {name: make().fit(IMAGES, CLICKS) for name, make in DETECTORS.items()}


def set_and_fit(make, data, **parameters):
    return make().set_params(**parameters).fit(*data)


def parameters_of(make, data):
    """Return a call that sets parameters and fits, and the values that are set."""
    estimator = make()
    return partial(set_and_fit, make, data), estimator.get_params(deep=False)


def method(make, data, name):
    return getattr(make().fit(*data), name)


def writer(function, **names):
    """Return a call that writes into a folder of its own."""

    def call(**arguments):
        with tempfile.TemporaryDirectory() as folder:
            paths = {key: Path(folder, name) for key, name in names.items()}
            return function(**{**paths, **arguments})

    return call


def score(function):
    """Return a scorer with the estimator given."""
    blob = baselines.BlobDetector(6, scales=(0.7,)).fit(IMAGES, CLICKS)
    return partial(function, blob)


FIT = {"images": IMAGES, "partial_points": CLICKS}
PAIRS = [*zip(IMAGES, CLICKS, strict=True)]
LOGITS = torch.linspace(-1, 1, 20)
MAPS = torch.zeros(2, 8, 8)
THREE = [0.5, 0.7, 0.9]
RANKED = {"clicked_top": THREE, "clicked_bottom": THREE}
BLOB_SET = {
    "sets": [
        datasets.DetectionSet("a", IMAGES, CLICKS, POINTS, IMAGES, POINTS, 6, 7.5)
    ],
    "methods": {"blob": lambda cell_radius, seed: DETECTORS["BlobDetector"]()},
}

# Name: the function and its arguments.
CALLS = {
    "detection_scores": (
        metrics.detection_scores,
        {"points_true": POINTS, "points_pred": CLICKS, "max_distance": 5.0},
    ),
    "detection_f1": (
        metrics.detection_f1,
        {
            "points_true": POINTS,
            "points_pred": CLICKS,
            "max_distance": 5.0,
            "sample_weight": [1, 2],
        },
    ),
    "click_scores": (
        metrics.click_scores,
        {"clicks": CLICKS, "points_pred": POINTS, "max_distance": 5.0},
    ),
    "lee_liu_score": (
        metrics.lee_liu_score,
        {"recall": np.array([0.5, 1]), "n_predicted": np.array([3, 4])},
    ),
    "drop_points": (
        datasets.drop_points,
        {"points": POINTS, "fraction": 0.5, "random_state": 0},
    ),
    "bias_clicks": (
        datasets.bias_clicks,
        {
            "images": IMAGES,
            "points": POINTS,
            "kind": "brightest",
            "fraction": 0.5,
            "cell_radius": 6.0,
            "random_state": 0,
        },
    ),
    "make_brightfield": (
        datasets.make_brightfield,
        {
            "n_images": 1,
            "shape": (40, 40),
            "n_cells": 2,
            "cell_radius": 5.0,
            "clustering": 0.3,
            "debris": 1.0,
            "random_state": 0,
        },
    ),
    "make_phase_contrast": (
        datasets.make_phase_contrast,
        {
            "n_images": 1,
            "shape": (40, 40),
            "look": "control",
            "n_cells": 2,
            "cell_radius": 5.0,
            "random_state": 0,
        },
    ),
    "make_condition": (
        datasets.make_condition,
        {
            "name": "control",
            "n_train": 1,
            "n_test": 1,
            "shape": (64, 64),
            "fraction": 0.5,
            "random_state": 0,
        },
    ),
    "PhaseContrastLook": (
        datasets.PhaseContrastLook,
        {"density": 0.2, "elongation": 2.5, "clustering": 0.3, "halo": 45.0},
    ),
    "FoldedList": (
        model_selection.FoldedList,
        {"items": IMAGES, "parts": [1, 2]},
    ),
    "split_clicks": (
        model_selection.split_clicks,
        {"images": IMAGES, "clicks": CLICKS, "n_splits": 2, "random_state": 0},
    ),
    "split_images": (
        model_selection.split_images,
        {"images": IMAGES, "clicks": CLICKS, "n_splits": 2, "random_state": 0},
    ),
    "split_tiles": (
        model_selection.split_tiles,
        {"images": IMAGES, "clicks": CLICKS, "margin": 2, "n_splits": 2},
    ),
    **{
        name: (
            score(getattr(model_selection, name)),
            {"images": IMAGES, last: POINTS, **distance},
        )
        for name, last, distance in (
            ("click_recall_scorer", "clicks", {"max_distance": 5.0}),
            ("click_scorer", "clicks", {"max_distance": 5.0}),
            ("detection_count_scorer", "clicks", {}),
            ("detection_f1_scorer", "points", {"max_distance": 5.0}),
            ("lee_liu_scorer", "clicks", {"max_distance": 5.0}),
        )
    },
    "p_classification_loss": (
        losses.p_classification_loss,
        {
            "scores": SCORES,
            "positive": POSITIVE == 1,
            "p": 2.0,
            "sample_weight": SCORES,
        },
    ),
    "NonNegativePULoss": (
        losses.NonNegativePULoss,
        {"class_prior": 0.5, "beta": 0.0, "gamma": 1.0},
    ),
    "UNet": (nets.UNet, {"in_channels": 1, "base_channels": 4, "depth": 1}),
    "PatchCNN": (nets.PatchCNN, {"in_channels": 1, "width": 4}),
    "write_points": (
        writer(io.write_points, path="a.csv"),
        {"labels": ["a", "b"], "points": CLICKS, "scores": [np.ones(2), np.ones(2)]},
    ),
    "write_counts": (
        writer(io.write_counts, path="a.csv"),
        {"labels": ["a", "b"], "points": CLICKS},
    ),
    "write_layer": (
        writer(io.write_layer, path="a.csv"),
        {"points": CLICKS, "scores": [np.ones(2), np.ones(2)], "frames": [0, 1]},
    ),
    "save_model": (
        writer(io.save_model, path="a.pseudocell"),
        {"estimator": ShareSelector()},
    ),
    "load_model": (io.load_model, {"path": "nowhere.pseudocell"}),
    "read_images": (io.read_images, {"source": "nowhere.png"}),
    "read_points": (io.read_points, {"source": "nowhere.csv"}),
    "read_set": (benchmark.read_set, {"folder": "nowhere", "cell_radius": 6.0}),
    "draw_points": (
        plotting.draw_points,
        {
            "image": IMAGES[0],
            "points": CLICKS[0],
            "cell_radius": 6.0,
            "color": (1, 2, 3),
            "zoom": 1.0,
        },
    ),
    "draw_matches": (
        plotting.draw_matches,
        {
            "image": IMAGES[0],
            "points_true": POINTS[0],
            "points_pred": CLICKS[0],
            "cell_radius": 6.0,
            "max_distance": 5.0,
        },
    ),
    "draw_panels": (
        plotting.draw_panels,
        {
            "pictures": [np.zeros((9, 9, 3), np.uint8)] * 2,
            "captions": [("a", "b")] * 2,
            "gap": 4,
        },
    ),
    "run_benchmark": (
        benchmark.run_benchmark,
        {
            **BLOB_SET,
            "seeds": (0,),
            "shares": (0.5,),
            "vary": {},
            "clicks": ("random",),
            "radius_factors": (1.0,),
            "distances": (1.0,),
            "redraw": False,
            "device": "cpu",
            "n_jobs": 1,
            "verbose": 0,
        },
    ),
    "paper_recipe": (
        paper_recipe,
        {"cell_radius": 12.0, "full_size": False, "random_state": 0},
    ),
    "fit of HeatmapDetector": (
        partial(method(heatmap_detector, (IMAGES, CLICKS), "fit")),
        {
            **FIT,
            "positives": CLICKS,
            "negatives": [[], []],
            "undecided": CLICKS,
            "probabilities": [np.ones(2) / 2] * 2,
        },
    ),
    **{
        f"fit of {name}": (DETECTORS[name]().fit, FIT)
        for name in DETECTORS
        if name != "HeatmapDetector"
    },
    **{
        f"{name} of HeatmapDetector": (
            method(heatmap_detector, (IMAGES, CLICKS), name),
            {"images": IMAGES, **more},
        )
        for name, more in (
            ("find_candidates", {"threshold": 0.3, "known": CLICKS}),
            ("predict_heatmap", {}),
            ("score", {"points": POINTS, "sample_weight": [1, 2]}),
        )
    },
    **{
        f"predict of {name}": (
            method(DETECTORS[name], (IMAGES, CLICKS), "predict"),
            {"images": IMAGES},
        )
        for name in DETECTORS
    },
    "transform of ReconstructionDetector": (
        method(DETECTORS["ReconstructionDetector"], (IMAGES, CLICKS), "transform"),
        {"images": IMAGES},
    ),
    "fit of PatchExtractor": (PatchExtractor(6, size=9).fit, {"X": PAIRS}),
    "transform of PatchExtractor": (
        method(lambda: PatchExtractor(6, size=9), (PAIRS,), "transform"),
        {"X": PAIRS},
    ),
    "fit of NNPUFeaturizer": (featurizer().fit, {"X": PATCHES, "y": POSITIVE}),
    "transform of NNPUFeaturizer": (
        method(featurizer, (PATCHES, POSITIVE), "transform"),
        {"X": PATCHES},
    ),
    "fit of PClassificationRanker": (
        PClassificationRanker().fit,
        {"X": TABLE, "y": POSITIVE, "sample_weight": np.ones(20)},
    ),
    "decision_function of PClassificationRanker": (
        method(PClassificationRanker, (TABLE, POSITIVE), "decision_function"),
        {"X": TABLE},
    ),
    "select of ShareSelector": (
        ShareSelector(0.1, 0.1).select,
        {"top": SCORES, "bottom": SCORES, **RANKED},
    ),
    "select of CalibratedSelector": (
        CalibratedSelector(0.1, 0.1).select,
        {"top": SCORES, "bottom": SCORES, **RANKED},
    ),
    **{
        f"parameters of {type(make()).__name__}": parameters_of(make, data)
        for make, data in (
            *((make, (IMAGES, CLICKS)) for make in DETECTORS.values()),
            (featurizer, (PATCHES, POSITIVE)),
            (lambda: PatchExtractor(6, size=9), (PAIRS,)),
            (PClassificationRanker, (TABLE, POSITIVE)),
        )
    },
}


class Odd:
    """An object that is none of anything."""

    def __bool__(self):
        raise RuntimeError("no truth value")


# Name: what makes a value that is wrong nearly everywhere.
WRONG = {
    "None": lambda: None,
    "object": object,
    "no truth value": Odd,
    "class": lambda: int,
    "function": lambda: print,
    "text": lambda: "12",
    "bytes": lambda: b"12",
    "empty text": lambda: "",
    "True": lambda: True,
    "zero": lambda: 0,
    "minus one": lambda: -1,
    "large": lambda: 10**400,
    "one and a half": lambda: 1.5,
    "NaN": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "complex": lambda: 1j,
    "empty list": list,
    "empty array": lambda: np.zeros(0),
    "array of 2": lambda: np.array([1.0, 2.0]),
    "array of 2 x 2": lambda: np.ones((2, 2)),
    "array of text": lambda: np.array(["a", "b"]),
    "array of objects": lambda: np.array([None, {}], dtype=object),
    "array of dates": lambda: np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"),
    "complex array": lambda: np.array([1j, 2]),
    "array without axes": lambda: np.array(3.0),
    "masked array": lambda: np.ma.masked_array([1.0, 2.0], [True, False]),
    "structured array": lambda: np.zeros(2, [("a", float), ("b", float)]),
    "list of None": lambda: [None, None],
    "list of text": lambda: ["ab", "cd"],
    "list of lists": lambda: [[[1, 2, 3]], [[1]]],
    "nested without end": lambda: _endless(),
    "set": lambda: {1.0, 2.0},
    "dict": lambda: {0: 1.0, 1: 2.0},
    "generator": lambda: (x for x in (1, 2)),
    "range": lambda: range(2),
    "tensor": lambda: torch.ones(2),
    "tensor with gradient": lambda: torch.ones(2, requires_grad=True),
    "empty tensor": lambda: torch.zeros(0),
    "tensor on meta": lambda: torch.ones(2, device="meta"),
    "Series": lambda: pd.Series([1.0, 2.0], index=["a", "b"]),
    "data frame": lambda: pd.DataFrame({"a": [1.0, 2.0]}),
    "path": lambda: Path("nowhere"),
}


def _endless():
    endless = []
    endless.append(endless)
    return endless
