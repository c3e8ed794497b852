"""A linear ranker that concentrates on one end of the list."""

import warnings
from numbers import Integral

import numpy as np
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from .._parameters import CheckedMixin, Number
from ..losses._p_classification import log_profiled_loss, profile_intercept

# The push exponent of the paper.
PUSH = 4.0
# A smaller decrease of the objective is rounding noise, on which a line search fails.
_SMALLEST_DECREASE = 64 * np.finfo(float).eps
# A line search that fails where the relative gradient is smaller has met that noise.
_GRADIENT_OF_NOISE = 1e-6


class PClassificationRanker(CheckedMixin, ClassifierMixin, BaseEstimator):
    """Rank samples so that one end of the list is as pure as possible.

    A linear score ``f(x) = w x + b`` that minimises the P-classification loss [1]_ ::

        1/c * (sum over positives of exp(-f) + 1/p * sum over negatives of exp(p f))
            + l2/2 * |w|^2,       c = n_positive^(p/(1+p)) * n_negative^(1/(1+p))

    The larger `p`, the more a negative costs near the top of the list. The best
    intercept for given `w` is known in closed form; what is left is convex in `w` and
    has the minimiser of the P-norm push [2]_. It is solved by L-BFGS on all samples,
    without randomness and without overflow.

    Dividing by `c` makes the loss at ``w = 0`` equal to ``1 + 1 / p`` for any number
    of samples in either class: `l2` means the same for ten samples and for ten
    thousand, and for balanced and unbalanced classes.

    Parameters
    ----------
    p : float, default=None
        Push exponent, at least 1; None takes 4, or what the whole says of which the
        ranker is a part. 1 is the exponential loss of AdaBoost, that is, no
        concentration; the larger, the more attention to the end of the list.
    l2 : float, default=1.0
        Weight of the squared norm of the coefficients, at least 0. The intercept is not
        penalised. The published code has 0.1; of 129 features and a few dozen clicks,
        it is then the top of the list that is learnt by heart first.
    loss : {"ertekin-rudin", "printed"}, default="ertekin-rudin"
        "printed" leaves `p` out of the exponent, as equation 2 of Fujii et al. 2021
        does: then `p` is but a weight of the negatives, and no list depends on it.
    concentrate : {"top", "bottom"}, default="top"
        Which end of the list should be pure. "bottom" swaps the roles of the classes
        and flips the sign back: the scores are still larger for the positive class, and
        it is the samples with the lowest scores that are purely negative.
    max_iter : int, default=1000
        Largest number of L-BFGS iterations.
    tol : float, default=1e-8
        Iterations stop when one of them lowers the objective by less than this
        fraction.

    Attributes
    ----------
    classes_ : array of shape (2,)
        The two labels, sorted; the second one is the positive class.
    coef_ : array of shape (1, n_features)
        Coefficients `w`, in the units of the features that were given.
    intercept_ : array of shape (1,)
        Intercept `b`.
    n_iter_ : int
        Number of L-BFGS iterations.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : array of shape (`n_features_in_`,)
        Names of the features, when `X` has some.

    Notes
    -----
    Features are not scaled, so `l2` acts in their units: put a
    :class:`~sklearn.preprocessing.StandardScaler` in front, as for any penalised linear
    model. A constant added to a feature changes nothing.

    At the optimum the sum of ``exp(-f)`` over the positives is that of ``exp(p f)``
    over the negatives ("bottom": that of ``exp(f)`` over the negatives is that of
    ``exp(-p f)`` over the positives). Scores are no log odds, hence there is no
    `predict_proba`; `predict` cuts them at zero.

    With ``l2=0`` and classes that a plane separates, the loss has no minimum: it falls
    towards zero while the coefficients grow. Iterations then stop, with a
    ConvergenceWarning, and the coefficients get the length at which the loss is about
    `tol`. Any ``l2 > 0`` has one finite solution.

    References
    ----------
    .. [1] S. Ertekin, C. Rudin, "On Equivalence Relationships Between Classification
       and Ranking Algorithms", Journal of Machine Learning Research 12:2905-2929,
       2011. https://jmlr.org/papers/v12/ertekin11a.html
    .. [2] C. Rudin, "The P-Norm Push: A Simple Convex Ranking Algorithm that
       Concentrates at the Top of the List", Journal of Machine Learning Research
       10:2233-2271, 2009. https://jmlr.org/papers/v10/rudin09b.html

    Examples
    --------
    >>> import numpy as np
    >>> from pseudocell import PClassificationRanker
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> y = np.array([0, 0, 0, 1, 0, 1])
    >>> ranker = PClassificationRanker().fit(X, y)
    >>> np.argsort(-ranker.decision_function(X)).tolist()
    [5, 4, 3, 2, 1, 0]
    """

    _parameter_constraints = {
        "p": [Number(low=1), None],
        "l2": [Number(low=0)],
        "loss": [StrOptions({"ertekin-rudin", "printed"})],
        "concentrate": [StrOptions({"top", "bottom"})],
        "max_iter": [Number(Integral, 1)],
        "tol": [Number(low=0, closed="neither")],
    }

    def __init__(
        self,
        p=None,
        *,
        l2=1.0,
        loss="ertekin-rudin",
        concentrate="top",
        max_iter=1000,
        tol=1e-8,
    ):
        self.p = p
        self.l2 = l2
        self.loss = loss
        self.concentrate = concentrate
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X, y, sample_weight=None):
        """Find the ranking of two labelled classes.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Finite features.
        y : array of shape (n_samples,)
            Two different labels, in any type; the larger one is the positive class
            (1 against 0 for positive and unlabelled samples).
        sample_weight : array of shape (n_samples,), default=None
            Weights, not negative. A weight of 2 is the same as the sample given twice.

        Returns
        -------
        self : PClassificationRanker
            The fitted ranker.

        Raises
        ------
        ValueError
            If a parameter is out of range, `y` does not hold exactly two classes, or
            `X`, `y` and `sample_weight` do not belong together.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` did not suffice, or the classes are separable and `l2` is 0.
        """
        self._validate_params()
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.classes_, codes, weight = check_target(y, sample_weight)
        used = weight > 0
        bottom = self.concentrate == "bottom"
        # "bottom" is "top" for the other class.
        positive = (codes == 0) if bottom else (codes == 1)
        X, positive, weight = X[used], positive[used], weight[used]
        if self.loss == "printed":
            weight[~positive] /= PUSH if self.p is None else self.p

        coefficients, self.n_iter_ = self._minimise(X, positive, weight)
        intercept = profile_intercept(
            X @ coefficients, positive, self._push, sample_weight=weight
        )
        sign = -1.0 if bottom else 1.0
        self.coef_ = sign * coefficients[np.newaxis]
        self.intercept_ = np.array([sign * intercept])
        return self

    def decision_function(self, X):
        """Return the score of each sample.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Finite features.

        Returns
        -------
        scores : array of shape (n_samples,)
            Larger means more like the positive class, for both values of `concentrate`.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return X @ self.coef_[0] + self.intercept_[0]

    def predict(self, X):
        """Return the class of each sample: the positive class where the score is > 0.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Finite features.

        Returns
        -------
        labels : array of shape (n_samples,)
            Elements of `classes_`.
        """
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    @property
    def _push(self):
        """What stands in the exponent."""
        if self.loss == "printed":
            return 1.0
        return PUSH if self.p is None else self.p

    def _minimise(self, X, positive, weight):
        """Return the coefficients and the number of iterations."""
        scale = _feature_scales(X, positive, weight, self._push, self.l2)

        def objective(scaled):
            value, gradient = _log_objective(
                scaled / scale, X, positive, weight, self._push, self.l2
            )
            return value, gradient / scale

        def stop_without_minimum(intermediate_result):
            if self._is_loss_exhausted(intermediate_result.fun):
                raise StopIteration

        result = minimize(
            objective,
            np.zeros(X.shape[1]),
            jac=True,
            method="L-BFGS-B",
            callback=stop_without_minimum,
            options={
                "maxiter": self.max_iter,
                "maxfun": 20 * self.max_iter,
                "gtol": self.tol,
                "ftol": max(self.tol, _SMALLEST_DECREASE),
                "maxcor": 20,  # pairs of vectors; two thirds of the time of 10
            },
        )
        self._warn_unless_converged(result)
        coefficients = result.x / scale
        if self._is_loss_exhausted(result.fun):
            # The logarithm of the loss falls in proportion to the length.
            coefficients *= np.log(self.tol) / result.fun
        return coefficients, int(result.nit)

    def _is_loss_exhausted(self, log_loss):
        """Tell a loss that falls to zero: it has no minimum, see the Notes."""
        return self.l2 == 0 and log_loss < np.log(self.tol)

    def _warn_unless_converged(self, result):
        if self._is_loss_exhausted(result.fun):
            message = (
                "A plane separates the classes and l2=0, so the loss has no minimum "
                "and the length of the coefficients means nothing. Use l2 > 0."
            )
        elif not result.success and np.abs(result.jac).max() > _GRADIENT_OF_NOISE:
            message = (
                f"PClassificationRanker stopped after {result.nit} of "
                f"max_iter={self.max_iter} iterations without reaching tol={self.tol} "
                f"({result.message}). Increase max_iter, l2 or tol."
            )
        else:
            return
        warnings.warn(message, ConvergenceWarning, stacklevel=4)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _feature_scales(X, positive, weight, p, l2):
    """Return the root of the objective's curvature along each coefficient, at zero.

    Only the steps of the solver are taken in these units; the solution is the same.
    Without them, features of very different sizes took thousands of iterations.
    """
    curvature = np.full(X.shape[1], float(l2))
    for mask, factor in [(positive, 1.0), (~positive, float(p))]:
        mean = np.average(X[mask], axis=0, weights=weight[mask])
        curvature += factor * np.average(
            (X[mask] - mean) ** 2, axis=0, weights=weight[mask]
        )
    # Rounding gives a constant feature a tiny variance: do not divide by that.
    curvature[(np.ptp(X, axis=0) == 0) | (curvature == 0)] = 1.0
    return np.sqrt(curvature)


def _log_objective(coefficients, X, positive, weight, p, l2):
    """Return the logarithm of the penalised loss, and its gradient.

    The logarithm has the same minimiser, no other stationary point, and no overflow
    however far the line search looks. Its gradient is the relative one.
    """
    log_loss, by_score = log_profiled_loss(
        X @ coefficients, positive, p, sample_weight=weight
    )
    gradient = by_score @ X
    if l2 == 0:
        return log_loss, gradient
    penalty = 0.5 * l2 * (coefficients @ coefficients)
    log_value = np.logaddexp(log_loss, np.log(penalty) if penalty > 0 else -np.inf)
    gradient *= np.exp(log_loss - log_value)
    gradient += l2 * np.exp(-log_value) * coefficients
    return log_value, gradient


def check_target(y, sample_weight):
    """Return the two classes, the class of each sample, and the weights.

    Parameters
    ----------
    y : array of shape (n_samples,)
        The labels.
    sample_weight : array of shape (n_samples,) or None
        Their weights.

    Returns
    -------
    classes : array of shape (2,)
        Sorted.
    codes : int array of shape (n_samples,)
        0 or 1.
    weight : float array of shape (n_samples,)
        1 where none was given.
    """
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind != "binary":
        raise ValueError(
            "Only binary classification is supported. The type of the target is "
            f"{kind}. Give y two different labels, such as 1 and 0."
        )
    classes, codes = np.unique(y, return_inverse=True)
    weight = _check_weight(sample_weight, len(codes))
    present = np.unique(codes[weight > 0])
    if len(present) < 2:
        raise ValueError(
            f"y has 1 class, {classes[present[0]]!r}, among the samples whose weight "
            "is not zero; expected 2. Give samples of both classes."
        )
    return classes, codes, weight


def _check_weight(sample_weight, n_samples):
    if sample_weight is None:
        return np.ones(n_samples)
    weight = check_array(
        sample_weight, dtype=np.float64, ensure_2d=False, input_name="sample_weight"
    )
    if weight.shape != (n_samples,):
        raise ValueError(
            f"sample_weight has shape {weight.shape}; expected ({n_samples},), one "
            "weight per sample."
        )
    if (weight < 0).any():
        index = int(np.argmax(weight < 0))
        raise ValueError(
            f"sample_weight[{index}] is {weight[index]}; expected a weight >= 0."
        )
    if not weight.any():
        raise ValueError("sample_weight is zero everywhere; expected a weight > 0.")
    return weight
