"""Nets: callables that take the number of channels and return a torch module."""

from ._patch_cnn import PaperPatchCNN, PatchCNN
from ._unet import UNet

__all__ = ["PaperPatchCNN", "PatchCNN", "UNet"]
