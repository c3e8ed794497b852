"""Features of patches, learnt from positive and unlabelled patches."""

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
from sklearn.utils.validation import check_is_fitted

from .._callbacks import CallbackSupportMixin, with_callbacks
from .._inference import choose_device, forward_net
from .._net_parameters import EPOCH, NET, NetParametersMixin, split_samples
from .._parameters import HOW_TO_RUN, Number
from .._skorch import build_module, fit_net
from .._threads import one_thread
from .._validation import check_patches, check_pu_target
from .._watched import shows_progress
from ..losses import NonNegativePULoss
from ..nets import PatchCNN
from ._class_prior import estimate_class_prior
from ._pu_batches import PlainBatches, PUBatches

__all__ = ["NNPUFeaturizer"]

# An estimated prior is clipped to this interval. On real cells a prior of 0.7 or 0.9
# ranks as well as the true one where the truth is 0.17, but 0.5 does harm where it is
# 0.7: the negative part of the risk is then cut off at once.
LOWEST_PRIOR, HIGHEST_PRIOR = 0.6, 0.9
# Used where there is one positive or one unlabelled patch, too few for an estimate.
PRIOR_WITHOUT_ESTIMATE = 0.7
# The classifier for the estimate: principal components that it sees, folds.
PRIOR_COMPONENTS, PRIOR_FOLDS = 20, 5
# L2 penalty of the weights, as in the published code.
WEIGHT_DECAY = 0.005


class NNPUFeaturizer(
    NetParametersMixin,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
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
    module : callable, default=None
        Called as ``module(in_channels=C)``; returns a torch module with ``forward``
        (patches of shape (n, C, size, size) to logits of shape (n,)) and ``features``.
        Or such a module, which is copied. None takes `pseudocell.nets.PatchCNN`.
    criterion : callable, default=None
        Called as ``criterion(class_prior=pi)``; returns a torch module that is called
        with logits and labels of shape (n,). None takes
        `pseudocell.losses.NonNegativePULoss`.
    optimizer : callable, default=None
        None takes `torch.optim.Adam` with the published ``weight_decay=0.005``.
    lr : float, default=1e-3
        The learning rate; the largest of one cycle, unless an `LRScheduler` is among
        the callbacks.
    batch_size : int, default=128
        Patches in a batch, half of them positive; even.
    max_steps : int, default=150
        Number of batches.
    max_epochs : int, default=None
        Number of epochs, of 30 batches each, in place of `max_steps`.
    train_split : callable, default=None
        Which patches the net is validated on after each epoch instead of learning
        them, as `skorch.dataset.ValidSplit(5, stratified=True)`. None trains on all.
    callbacks : list of skorch callbacks, default=None
        Told of the training, as shallow copies. "disable" takes none, not even skorch's
        own.
    device : str, default="auto"
        "auto", "cpu", "cuda" or "mps".
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the batches and the estimate of the prior. The same
        seed gives the same features on any number of threads.
    verbose : int, default=None
        1 shows a progress bar, 0 none; None shows it in a terminal or a notebook. 2
        prints skorch's table of epochs, too.
    **skorch
        What skorch knows by a prefix, as ``module__width=64``,
        ``optimizer__weight_decay=0`` or ``criterion__beta=0.1``; also ``callbacks__``,
        ``iterator_train__`` and ``iterator_valid__``.

    Attributes
    ----------
    class_prior_ : float
        The prior that was used.
    net_ : skorch.NeuralNet
        The fitted net; the torch module is ``net_.module_``.
    history_ : skorch.history.History
        The record of its training.
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
        **NET,
        **{name: HOW_TO_RUN[name] for name in ("device", "random_state", "verbose")},
    }

    def __init__(
        self,
        class_prior=None,
        *,
        module=None,
        criterion=None,
        optimizer=None,
        lr=1e-3,
        batch_size=128,
        max_steps=150,
        max_epochs=None,
        train_split=None,
        callbacks=None,
        device="auto",
        random_state=None,
        verbose=None,
        **skorch,
    ):
        self.class_prior = class_prior
        self.module = module
        self.criterion = criterion
        self.optimizer = optimizer
        self.lr = lr
        self.batch_size = batch_size
        self.max_steps = max_steps
        self.max_epochs = max_epochs
        self.train_split = train_split
        self.callbacks = callbacks
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self._set_further(skorch)

    @with_callbacks
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
        n_steps = self._count_batches()
        tasks = self._init_callback_context(max_subtasks=-(-n_steps // EPOCH))
        tasks.call_on_fit_task_begin(estimator=self, X=X, y=y)
        X = self._standardise(X)
        with one_thread():
            if self.class_prior is None:
                prior = estimate_patch_prior(X, y, seeds[0])
                self.class_prior_ = float(np.clip(prior, LOWEST_PRIOR, HIGHEST_PRIOR))
            else:
                self.class_prior_ = self.class_prior
            self.net_ = self._train(X, y, seeds[1:], tasks)
            # The features are a table: `get_feature_names_out` and `set_output`.
            one = forward_net(self.net_, X[:1], "features", self.device)
            self._n_features_out = one.shape[1]
        tasks.call_on_fit_task_end(
            estimator=self, X=None, y=y, reconstruction_attributes=None
        )
        return self

    def _train(self, X, y, seeds, tasks):
        """Train a net on standardised patches."""
        settings = self._net_settings(
            module=PatchCNN,
            module__in_channels=self.n_channels_,
            criterion=NonNegativePULoss,
            criterion__class_prior=self.class_prior_,
            **({"optimizer__weight_decay": WEIGHT_DECAY} if not self.optimizer else {}),
        )
        train, valid = split_samples(self.train_split, len(y), y, "patches")
        if len({*y[train]}) < 2:
            raise ValueError(
                "train_split leaves no positive or no unlabelled patch to train on; "
                "expected some of both, as from skorch.dataset.ValidSplit(5, "
                "stratified=True)."
            )
        return fit_net(
            build_module(settings, seeds[0]),
            PUBatches(
                X[train], y[train], self._count_batches(), self.batch_size, seeds[1]
            ),
            settings,
            valid=PlainBatches(X[valid], y[valid], self.batch_size)
            if len(valid)
            else None,
            device=choose_device(self.device),
            description="Learning how cells look",
            verbose=shows_progress(self.verbose),
            tasks=(tasks, self),
        )

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
