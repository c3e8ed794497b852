"""The masked heatmap loss: mean squared error where the labels are known."""

from torch import nn

__all__ = ["MaskedMSELoss"]


class MaskedMSELoss(nn.Module):
    r"""Squared error of a heatmap, averaged over the pixels that count.

    .. math:: L = \frac{\sum_i w_i (\hat{h}_i - h_i)^2}{\sum_i w_i}

    with the predicted heatmap :math:`\hat{h}`, its target :math:`h` and the
    weight :math:`w_i \ge 0` of pixel :math:`i`. In the paper the weight is 1
    inside the discs around labelled points and 0 elsewhere. Where it is 0, neither
    the loss nor its gradient depends on the prediction. If it is 0 everywhere the
    loss is 0.

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi 10.1007/978-3-030-87237-3_41.
    """

    def forward(self, prediction, target, weight):
        """Return the loss, a scalar tensor, of three tensors of the same shape."""
        weight = weight.to(prediction.dtype)
        # 0 * inf would be NaN, in the loss and in its gradient.
        error = (prediction - target).masked_fill(weight == 0, 0.0)
        return (weight * error**2).sum() / weight.sum().clamp_min(1e-12)
