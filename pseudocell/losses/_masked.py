"""The masked heatmap loss: mean squared error where the labels are known."""

from torch import nn

__all__ = ["MaskedMSELoss"]


class MaskedMSELoss(nn.Module):
    """Squared error of a heatmap, averaged over the pixels that count.

    With the predicted heatmap ``f``, its target ``h`` and the weight ``w >= 0`` of
    each pixel::

        L = sum(w * (f - h) ** 2) / sum(w)

    In the paper the weight is 1 inside the discs around labelled points and 0
    elsewhere. Where it is 0, neither the loss nor its gradient depends on the
    prediction. If it is 0 everywhere the loss is 0.

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi 10.1007/978-3-030-87237-3_41.

    Examples
    --------
    The second pixel does not count:

    >>> import torch
    >>> from pseudocell.losses import MaskedMSELoss
    >>> heatmap, target = torch.tensor([0.5, 9.0]), torch.tensor([1.0, 0.0])
    >>> MaskedMSELoss()(heatmap, target, torch.tensor([1.0, 0.0]))
    tensor(0.2500)
    """

    def forward(self, prediction, target, weight):
        """Return the loss, a scalar tensor, of three tensors of the same shape."""
        weight = weight.to(prediction.dtype)
        # 0 * inf would be NaN, in the loss and in its gradient.
        error = (prediction - target).masked_fill(weight == 0, 0.0)
        return (weight * error**2).sum() / weight.sum().clamp_min(1e-12)
