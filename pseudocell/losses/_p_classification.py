"""The P-classification loss: a classification loss that ranks like the P-norm push."""

import numpy as np
from scipy.special import logsumexp

from pseudocell._parameters import Number, as_numbers, checked


@checked(p=[Number(low=1)])
def p_classification_loss(scores, positive, p=4.0, *, sample_weight=None):
    """Return the P-classification loss of scores, and its gradient.

    With scores ``f`` and weights ``v``::

        L = sum over positives of v exp(-f)  +  1/p * sum over negatives of v exp(p f)

    A negative with a high score costs ``exp(p f)``, so the larger `p`, the more
    the loss concentrates on the negatives at the very top of the list. ``p = 1`` is the
    exponential loss of AdaBoost. The sum is not normalised; a class without samples
    adds zero.

    Parameters
    ----------
    scores : array of shape (n,)
        Scores `f`, intercept included; larger means more positive-like.
    positive : bool array of shape (n,)
        True for the samples of the positive class.
    p : float, default=4.0
        Push exponent, at least 1.
    sample_weight : array of shape (n,), default=None
        Weights `v`, not negative; None means 1 everywhere.

    Returns
    -------
    value : float
        The loss; infinite where it is beyond the range of a float, which takes a
        positive of score below -700 or a negative of score above 700 / `p`.
    gradient : array of shape (n,)
        Derivative of the value by each score.

    References
    ----------
    .. [1] S. Ertekin, C. Rudin, "On Equivalence Relationships Between Classification
       and Ranking Algorithms", Journal of Machine Learning Research 12:2905-2929,
       2011. https://jmlr.org/papers/v12/ertekin11a.html

    Examples
    --------
    >>> from pseudocell.losses import p_classification_loss
    >>> value, gradient = p_classification_loss([0.0, 0.0], [True, False], p=4.0)
    >>> value
    1.25
    >>> gradient
    array([-1.,  1.])
    """
    scores = as_numbers(scores, "scores")
    positive = as_numbers(positive, "positive")
    weight = np.ones_like(scores)
    if sample_weight is not None:
        weight = as_numbers(sample_weight, "sample_weight")
    given = {"positive": positive, "sample_weight": weight}
    for name, array in {"scores": scores, **given}.items():
        if array.shape != scores.shape or array.ndim != 1 or np.isnan(array).any():
            raise ValueError(
                f"{name} has shape {array.shape} and scores {scores.shape}, or NaN; "
                "expected one number for each sample."
            )
    positive = positive.astype(bool)
    with np.errstate(over="ignore"):
        terms = weight * np.exp(np.where(positive, -scores, p * scores))
    value = terms[positive].sum() + terms[~positive].sum() / p
    return float(value), np.where(positive, -terms, terms)


def profile_intercept(scores, positive, p=4.0, *, sample_weight=None):
    r"""Return the intercept that minimises the P-classification loss of the scores.

    .. math:: b = \frac{\log A - \log B}{1 + p}, \qquad
              A = \sum_{i \in +} v_i e^{-s_i}, \quad B = \sum_{k \in -} v_k e^{p s_k}

    At this intercept :math:`\sum_+ v_i e^{-f_i} = \sum_- v_k e^{p f_k}` with
    :math:`f = s + b`. It is computed with log-sum-exp and does not overflow.

    Parameters
    ----------
    scores : array of shape (n,)
        Scores `s` without an intercept.
    positive : bool array of shape (n,)
        True for the samples of the positive class. Both classes must occur.
    p : float, default=4.0
        Push exponent, at least 1.
    sample_weight : array of shape (n,), default=None
        Weights `v`, not negative; None means 1 everywhere.

    Returns
    -------
    intercept : float
        The best `b`.

    Examples
    --------
    >>> round(profile_intercept([2.0, 0.0], [True, False], p=1.0), 6)
    -1.0
    """
    log_a, log_b, _, _ = _log_sums(scores, positive, p, sample_weight)
    return float((log_a - log_b) / (1.0 + p))


def log_profiled_loss(scores, positive, p=4.0, *, sample_weight=None):
    r"""Return the logarithm of the loss at its best intercept, and its gradient.

    With the intercept profiled out, the P-classification loss is
    :math:`(1 + 1/p)\, A^{p/(1+p)} B^{1/(1+p)}`, that is, the P-norm push
    :math:`\sum_k (\sum_i e^{-(s_i - s_k)})^p = A^p B` up to a monotone function. Here
    `A` and `B` are the weighted means (not sums) of :math:`e^{-s_i}` and of
    :math:`e^{p s_k}`: the value is log(1 + 1/p) at equal scores, whatever the number
    of samples of each class. The logarithm is convex in the scores and cannot overflow.

    Parameters
    ----------
    scores : array of shape (n,)
        Scores `s`; adding a constant to them changes nothing.
    positive : bool array of shape (n,)
        True for the samples of the positive class. Both classes must occur.
    p : float, default=4.0
        Push exponent, at least 1.
    sample_weight : array of shape (n,), default=None
        Weights, not negative; None means 1 everywhere.

    Returns
    -------
    value : float
        Logarithm of the profiled loss.
    gradient : array of shape (n,)
        Derivative of the value by each score. It sums to zero.

    References
    ----------
    .. [1] C. Rudin, "The P-Norm Push: A Simple Convex Ranking Algorithm that
       Concentrates at the Top of the List", Journal of Machine Learning Research
       10:2233-2271, 2009. https://jmlr.org/papers/v10/rudin09b.html

    Examples
    --------
    >>> value, gradient = log_profiled_loss([0.0, 0.0, 0.0], [True, False, False], p=4)
    >>> round(value, 6)  # log(1 + 1/4)
    0.223144
    >>> gradient
    array([-0.8,  0.4,  0.4])
    """
    log_a, log_b, exponents, weight = _log_sums(scores, positive, p, sample_weight)
    positive = np.asarray(positive, dtype=bool)
    log_mean_a = log_a - np.log(weight[positive].sum())
    log_mean_b = log_b - np.log(weight[~positive].sum())
    value = np.log1p(1.0 / p) + (p * log_mean_a + log_mean_b) / (1.0 + p)
    # Each class's share of its own sum; a score moves the value by its share alone.
    shares = weight * np.exp(exponents - np.where(positive, log_a, log_b))
    return float(value), np.where(positive, -shares, shares) * (p / (1.0 + p))


def _log_sums(scores, positive, p, sample_weight):
    """Return log A, log B, the exponent of each sample, and the weights."""
    scores, positive = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    if sample_weight is None:
        weight = np.ones_like(scores)
    else:
        weight = np.asarray(sample_weight, dtype=float)
    exponents = np.where(positive, -scores, p * scores)
    log_a = logsumexp(exponents[positive], b=weight[positive])
    log_b = logsumexp(exponents[~positive], b=weight[~positive])
    return log_a, log_b, exponents, weight
