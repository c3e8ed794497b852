"""Non-negative risk of a classifier that learns from positives and unlabelled data."""

import torch
from torch import nn
from torch.nn import functional

from pseudocell._parameters import Number, checked

__all__ = ["NonNegativePULoss"]


class NonNegativePULoss(nn.Module):
    r"""Risk of a classifier that sees positives and unlabelled examples only.

    With the sigmoid loss ``l(z) = sigmoid(-z)``, so that ``l(-z) = sigmoid(z)``, and
    the class prior ``pi``::

        R_p^+ = mean over positives  of l(z)     a positive called negative
        R_p^- = mean over positives  of l(-z)    a positive called positive
        R_u^- = mean over unlabelled of l(-z)    an unlabelled called positive

        R     = pi * R_p^+  +  max(-beta, R_u^- - pi * R_p^-)

    The second term estimates the risk on the negatives, which cannot be below zero. It
    falls below when the network learns the single unlabelled examples by heart.

    **The value and the gradient differ** (Algorithm 1 of the reference). While the
    second term is at least ``-beta`` the gradient is that of ``R``. Below ``-beta`` it
    is that of ``-gamma * (R_u^- - pi * R_p^-)`` alone: the step moves away from the
    overfit instead of standing still.

    The sigmoid loss satisfies ``l(z) + l(-z) = 1``. When the unlabelled examples are
    the positives and the negatives together and ``pi`` is the share of the positives
    among them, ``R`` is therefore exactly the supervised risk.

    Parameters
    ----------
    class_prior : float
        ``pi``, the share of positives **among the unlabelled examples**, in (0, 1).
    beta : float, default=0.0
        How far below zero the negative risk may fall before it is corrected, at
        least 0.
    gamma : float, default=1.0
        Size of the correcting step, in [0, 1].
    surrogate : {"sigmoid", "log"}, default="sigmoid"
        The loss ``l`` in place of the zero-one loss, which has no gradient: the sigmoid
        loss, or ``l(z) = log(1 + exp(-z))``, as in the published code of Fujii et al.
        2021.
    correction : bool, default=True
        Whether the gradient below ``-beta`` is that of the correcting step. False
        takes the gradient of ``R``, as that paper prints it, there too.

    Raises
    ------
    ValueError
        If a parameter is outside of its interval.

    References
    ----------
    Kiryo, Niu, du Plessis, Sugiyama, "Positive-Unlabeled Learning with Non-Negative
    Risk Estimator", NeurIPS 2017, arXiv:1703.00593.

    Examples
    --------
    A positive that is called positive and an unlabelled that is called negative:

    >>> import torch
    >>> from pseudocell.losses import NonNegativePULoss
    >>> loss = NonNegativePULoss(class_prior=0.5)
    >>> right = loss(torch.tensor([9.0, -9.0]), torch.tensor([1, 0]))
    >>> wrong = loss(torch.tensor([-9.0, 9.0]), torch.tensor([1, 0]))
    >>> f"{right:.2f} {wrong:.2f}"
    '0.00 1.50'
    """

    @checked(
        class_prior=[
            Number(
                low=0,
                high=1,
                closed="neither",
                words="a number between 0 and 1, both excluded: the share of positives "
                "among the unlabelled examples",
            )
        ],
        beta=[Number(low=0, words="a number of at least 0")],
        gamma=[Number(low=0, high=1, words="a number from 0 to 1")],
    )
    def __init__(
        self, class_prior, beta=0.0, gamma=1.0, surrogate="sigmoid", correction=True
    ):
        super().__init__()
        if not isinstance(surrogate, str) or surrogate not in ("sigmoid", "log"):
            raise ValueError(
                f"surrogate is {surrogate!r:.80}; expected 'sigmoid' or 'log'."
            )
        self.class_prior = class_prior
        self.beta = beta
        self.gamma = gamma
        self.surrogate = surrogate
        self.correction = correction

    def forward(self, logits, y_pu):
        """Return the risk of a batch; its gradient follows the correction rule.

        Parameters
        ----------
        logits : torch.Tensor of shape (n,)
            ``z``, larger = more positive.
        y_pu : torch.Tensor of shape (n,)
            1 for a positive, 0 for an unlabelled example; an example with any other
            value counts nowhere.

        Returns
        -------
        torch.Tensor of shape ()
            The non-negative risk. A batch without positives has ``R_p^+ = R_p^- = 0``.
            A batch without unlabelled examples says nothing about the negatives: the
            second term is left out. An empty batch has risk 0 and gradient 0.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        if logits.shape != y_pu.shape:
            raise ValueError(
                f"logits has shape {tuple(logits.shape)} and y_pu "
                f"{tuple(y_pu.shape)}; expected one logit and one label per patch."
            )
        if self.surrogate == "log":
            called_positive = functional.softplus(logits)
            called_negative = functional.softplus(-logits)
        else:
            called_positive = torch.sigmoid(logits)
            called_negative = 1 - called_positive
        positive, unlabelled = y_pu == 1, y_pu == 0
        risk_of_positives = self.class_prior * _mean(called_negative, positive)
        risk_of_negatives = _mean(called_positive, unlabelled) - (
            self.class_prior * _mean(called_positive, positive) * unlabelled.any()
        )
        value = risk_of_positives + risk_of_negatives.clamp(min=-self.beta)
        if not self.correction:
            return value
        surrogate = torch.where(
            risk_of_negatives < -self.beta,
            -self.gamma * risk_of_negatives,
            risk_of_positives + risk_of_negatives,
        )
        return value.detach() + (surrogate - surrogate.detach())


def _mean(losses, chosen):
    """Mean of the chosen losses, 0 when none is chosen."""
    return losses[chosen].sum() / chosen.sum().clamp(min=1)
