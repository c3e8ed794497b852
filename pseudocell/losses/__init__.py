"""Losses: one idea each, no optimiser, no metric, no device."""

from ._masked import MaskedMSELoss
from ._p_classification import p_classification_loss
from ._pu import NonNegativePULoss

__all__ = ["MaskedMSELoss", "NonNegativePULoss", "p_classification_loss"]
