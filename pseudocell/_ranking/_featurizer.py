"""Features of patches, learnt from positive and unlabelled patches."""

from numbers import Integral

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.decomposition import PCA
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from .._inference import choose_device, forward_net
from .._parameters import HOW_TO_RUN, CheckedMixin, Number
from .._skorch import build_module, fit_net
from .._threads import one_thread
from .._validation import check_patches, check_pu_target
from .._watched import shows_progress
from ..losses import NonNegativePULoss
from ..nets import PatchCNN
from ._class_prior import estimate_class_prior

__all__ = ["NNPUFeaturizer"]

# An estimated prior is clipped to this interval. On real cells a prior of 0.7 or 0.9
# ranks as well as the true one where the truth is 0.17, but 0.5 does harm where it is
# 0.7: the negative part of the risk is then cut off at once.
LOWEST_PRIOR, HIGHEST_PRIOR = 0.6, 0.9
# Used where there is one positive or one unlabelled patch, too few for an estimate.
PRIOR_WITHOUT_ESTIMATE = 0.7
# The classifier for the estimate: principal components that it sees, folds.
PRIOR_COMPONENTS, PRIOR_FOLDS = 20, 5
# Standard deviation of the gain and of the offset that a patch gets while training,
# in units of the standard deviation of all pixels.
INTENSITY_JITTER = 0.1


class NNPUFeaturizer(
    CheckedMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Learn features that tell positive patches from the unlabelled negative ones.

    A small convolutional net is trained with the non-negative PU risk on batches that
    hold as many positive as unlabelled patches. The input of its last layer are the
    features; its output is a score by itself. Patches are standardised by channel, and
    turned, mirrored and slightly changed in intensity while training.

    Parameters
    ----------
    class_prior : float, default=None
        Share of positives **among the unlabelled patches**, in (0, 1). Too high costs
        little, too low costs much: the net then learns its positives by heart. None
        estimates it and clips the estimate to 0.6 .. 0.9.
    surrogate : {"sigmoid", "log"}, default="sigmoid"
        The loss in the risk, see `pseudocell.losses.NonNegativePULoss`.
    correction : bool, default=True
        Whether a negative part of the risk below zero is undone, instead of left.
    net : callable, default=None
        Called as ``net(in_channels=C)``; returns a torch module with ``forward``
        (patches of shape (n, C, size, size) to logits of shape (n,)) and ``features``.
        None takes `pseudocell.nets.PatchCNN`.
    max_steps : int, default=150
        Number of batches.
    batch_size : int, default=128
        Patches in a batch, half of them positive; even.
    learning_rate : float, default=1e-3
        The largest learning rate of the cycle.
    weight_decay : float, default=0.005
        L2 penalty of the weights, as in the published code.
    device : str, default="auto"
        "auto", "cpu", "cuda" or "mps".
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the batches and the estimate of the prior. The same
        seed gives the same features on any number of threads.
    verbose : int, default=None
        1 shows a progress bar, 0 none; None shows it in a terminal or a notebook.

    Attributes
    ----------
    class_prior_ : float
        The prior that was used.
    net_ : skorch.NeuralNet
        The fitted net; the torch module is ``net_.module_``.
    n_channels_ : int
        Number of channels of the patches.
    mean_, scale_ : ndarray of shape (`n_channels_`,)
        Mean and standard deviation of the pixels, by channel.

    References
    ----------
    Kiryo, Niu, du Plessis, Sugiyama, "Positive-Unlabeled Learning with Non-Negative
    Risk Estimator", NeurIPS 2017, arXiv:1703.00593. Its use on cells: Fujii, Suehiro,
    Nishimura, Bise, "Cell Detection from Imperfect Annotation by Pseudo Label
    Selection Using P-classification", MICCAI 2021, doi 10.1007/978-3-030-87237-3_41.

    Examples
    --------
    Half of the patches have a bright centre, a few of them are known:

    >>> import numpy as np
    >>> from pseudocell import NNPUFeaturizer
    >>> X = np.random.default_rng(0).normal(size=(60, 9, 9))
    >>> X[:30, 3:6, 3:6] += 3
    >>> y = np.repeat([1, 0], [10, 50])
    >>> featurizer = NNPUFeaturizer(0.4, max_steps=50, device="cpu", random_state=0)
    >>> scores = featurizer.fit(X, y).decision_function(X)
    >>> bool(scores[10:30].mean() > scores[30:].mean())
    True
    >>> featurizer.transform(X).shape
    (60, 128)
    """

    _parameter_constraints = {
        "class_prior": [Number(low=0, high=1, closed="neither"), None],
        "surrogate": [StrOptions({"sigmoid", "log"})],
        "correction": ["boolean"],
        "net": [callable, None],
        "max_steps": [Number(Integral, 1)],
        "batch_size": [Number(Integral, 1)],
        "learning_rate": [Number(low=0, closed="neither")],
        "weight_decay": [Number(low=0)],
        **{name: HOW_TO_RUN[name] for name in ("device", "random_state", "verbose")},
    }

    def __init__(
        self,
        class_prior=None,
        *,
        surrogate="sigmoid",
        correction=True,
        net=None,
        max_steps=150,
        batch_size=128,
        learning_rate=1e-3,
        weight_decay=0.005,
        device="auto",
        random_state=None,
        verbose=None,
    ):
        self.class_prior = class_prior
        self.surrogate = surrogate
        self.correction = correction
        self.net = net
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y):
        """Learn the features.

        Parameters
        ----------
        X : array-like of shape (n, size, size) or (n, size, size, C)
            Patches, `size` odd.
        y : array-like of shape (n,)
            1 for a positive patch, 0 for an unlabelled one; at least one of each.

        Returns
        -------
        self : NNPUFeaturizer

        Raises
        ------
        ValueError
            If the patches, the labels or a parameter are not as described.
        """
        self._validate_params()
        X = check_patches(X)
        y = check_pu_target(y, len(X))
        seeds = check_random_state(self.random_state).randint(2**31 - 1, size=3)
        pixels = X.reshape(-1, X.shape[3] if X.ndim == 4 else 1)
        self.n_channels_ = pixels.shape[1]
        self.mean_, self.scale_ = pixels.mean(axis=0), pixels.std(axis=0)
        self.scale_[self.scale_ == 0] = 1
        X = self._standardise(X)
        with one_thread():
            if self.class_prior is None:
                prior = estimate_patch_prior(X, y, seeds[0])
                self.class_prior_ = float(np.clip(prior, LOWEST_PRIOR, HIGHEST_PRIOR))
            else:
                self.class_prior_ = self.class_prior
            self.net_ = fit_net(
                build_module(
                    PatchCNN if self.net is None else self.net,
                    seeds[1],
                    in_channels=self.n_channels_,
                ),
                NonNegativePULoss(
                    self.class_prior_,
                    surrogate=self.surrogate,
                    correction=self.correction,
                ),
                _PUBatches(X, y, self.max_steps, self.batch_size, seeds[2]),
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                device=choose_device(self.device),
                description="Learning how cells look",
                verbose=shows_progress(self.verbose),
            )
            # The features are a table: `get_feature_names_out` and `set_output`.
            one = forward_net(self.net_, X[:1], "features", self.device)
            self._n_features_out = one.shape[1]
        return self

    def transform(self, X):
        """Return the features, the input of the last layer of the net.

        Parameters
        ----------
        X : array-like of shape (n, size, size) or (n, size, size, C)
            Patches.

        Returns
        -------
        features : float32 ndarray of shape (n, n_features)
        """
        return self._forward(X, "features")

    def decision_function(self, X):
        """Return the output of the net, larger = more positive.

        Parameters
        ----------
        X : array-like of shape (n, size, size) or (n, size, size, C)
            Patches.

        Returns
        -------
        scores : float32 ndarray of shape (n,)
            Logits; 0 is the border between positive and negative.
        """
        return self._forward(X, "forward")

    def _forward(self, X, method):
        check_is_fitted(self)
        X = self._standardise(check_patches(X))
        with one_thread():
            return forward_net(self.net_, X, method, self.device)

    def _standardise(self, X):
        """Return patches as (n, C, size, size), each channel with mean 0 and std 1."""
        X = X.reshape(*X.shape[:3], -1)
        if X.shape[3] != self.n_channels_:
            raise ValueError(
                f"X has {X.shape[3]} channel(s); expected {self.n_channels_} as in fit."
            )
        return np.moveaxis((X - self.mean_) / self.scale_, 3, 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags


def estimate_patch_prior(X, y, seed):
    """Estimate the class prior on held-out scores of a quick classifier.

    The estimate fails on more than a few features, raw patches or their principal
    components. Scores of a classifier of positives against unlabelled patches have the
    same class prior, if no patch is scored by a classifier that has seen it.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Patches.
    y : int ndarray of shape (n,)
        1 for a positive patch, 0 for an unlabelled one.
    seed : int
        Seed of the classifier and of the folds.

    Returns
    -------
    class_prior : float
        Estimated share of positives among the unlabelled, from 0.05 to 0.95; 0.7 where
        there is one positive or one unlabelled patch.
    """
    n_folds = min(PRIOR_FOLDS, np.bincount(y).min())
    if n_folds < 2:
        return PRIOR_WITHOUT_ESTIMATE
    X = X.reshape(len(X), -1)
    classifier = make_pipeline(
        PCA(min(PRIOR_COMPONENTS, X.shape[1], len(X) // 2), random_state=seed),
        StandardScaler(),
        Nystroem(gamma=0.02, n_components=min(200, len(X) // 2), random_state=seed),
        LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000),
    )
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    scores = cross_val_predict(classifier, X, y, cv=folds, method="decision_function")
    scores = scores[:, np.newaxis]
    return estimate_class_prior(scores[y == 1], scores[y == 0], random_state=seed)


class _PUBatches:
    """Batches of half positive and half unlabelled patches, changed at random.

    Batch `step` depends on the seed and `step` alone. The risk weights the two halves,
    so that their shares in a batch do not matter; equal shares serve both means best.
    """

    def __init__(self, X, y, n_steps, batch_size, seed):
        self.X, self.n_steps, self.seed = X, n_steps, int(seed)
        self.half = max(1, batch_size // 2)
        self.positive, self.unlabelled = np.flatnonzero(y == 1), np.flatnonzero(y == 0)

    def __len__(self):
        return self.n_steps

    def __getitem__(self, step):
        rng = np.random.default_rng([self.seed, step])
        index = np.concatenate(
            [rng.choice(kind, self.half) for kind in (self.positive, self.unlabelled)]
        )
        return _augment(self.X[index], rng), (np.repeat([1, 0], self.half),)


def _augment(X, rng):
    """Apply one of the 8 symmetries of the square and an intensity change to each."""
    turns, mirrored = rng.integers(4, size=len(X)), rng.random(len(X)) < 0.5
    X = np.where(mirrored[:, None, None, None], X[..., ::-1], X)
    for turn in range(1, 4):
        X[turns == turn] = np.rot90(X[turns == turn], turn, axes=(2, 3))
    gain = rng.normal(1, INTENSITY_JITTER, (len(X), 1, 1, 1))
    offset = rng.normal(0, INTENSITY_JITTER, (*X.shape[:2], 1, 1))
    return (gain * X + offset).astype(np.float32)
