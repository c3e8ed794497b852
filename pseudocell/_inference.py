"""Nets as functions of arrays, and the devices that they are computed on."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from ._stopping import check_wanted

__all__ = [
    "choose_device",
    "deal_devices",
    "forward_net",
    "nearest_device",
    "prepare_net",
]


def choose_device(device="auto"):
    """Return the name of the device to compute on.

    Parameters
    ----------
    device : str, default="auto"
        "auto" takes a CUDA GPU, then Apple's, then the processor.

    Returns
    -------
    device : str
        A name that torch knows.

    Raises
    ------
    ValueError
        If the device is not there.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device={device!r} cannot be used here ({str(error).splitlines()[0]}). "
            "Use device='auto' or 'cpu'."
        ) from error
    return device


def deal_devices(device, n_nets):
    """Return the name of a device for each net: several GPUs share them out.

    Parameters
    ----------
    device : str
        From `choose_device`. A GPU that is named, as in "cuda:1", takes all nets.
    n_nets : int
        Number of nets.

    Returns
    -------
    devices : list of str
        One name a net.
    """
    n_gpus = torch.cuda.device_count() if device == "cuda" else 1
    if n_gpus <= 1:
        return [device] * n_nets
    return [f"cuda:{number % n_gpus}" for number in range(n_nets)]


def nearest_device(device):
    """Return the device that is here and next to the one that is asked for.

    A net that was trained on a GPU predicts on another one or on the processor where
    there is no such GPU: the points are the same but for rounding.

    Parameters
    ----------
    device : str
        "auto", or a name that torch knows.

    Returns
    -------
    device : str
        A name that torch knows, of a device that is here.
    """
    for name in (device, str(device).partition(":")[0]):
        try:
            return choose_device(name)
        except ValueError:
            continue
    return "cpu"


def forward_net(net, X, method="forward", device="auto", batch_size=256):
    """Apply a fitted net to an array, in evaluation mode and without gradients.

    Parameters
    ----------
    net : skorch.NeuralNet
        From `fit_net`.
    X : float32 ndarray of shape (n, C, H, W)
        The input.
    method : str, default="forward"
        Method of the module to call.
    device : str, default="auto"
        Where to compute, as for `prepare_net`.
    batch_size : int, default=256
        Samples at a time.

    Returns
    -------
    output : float32 ndarray of shape (n, ...)
        The output.
    """
    forward = prepare_net(net, method, nearest_device(device))
    starts = range(0, len(X), batch_size)
    return np.concatenate([forward(X[start : start + batch_size]) for start in starts])


def prepare_net(net, method="forward", device="cpu"):
    """Return a fitted net as a function of arrays, made ready for many calls.

    A batch norm behind a convolution is folded into its weights, in a copy of the net:
    what is computed differs by rounding only.

    Parameters
    ----------
    net : skorch.NeuralNet
        From `fit_net`.
    method : str, default="forward"
        Method of the module to call.
    device : str, default="cpu"
        A name that torch knows; wherever the net was trained.

    Returns
    -------
    forward : callable
        From float32 (n, C, H, W) to float32 (n, ...), in evaluation mode and without
        gradients. It can be called by several threads.
    """
    module = _fold_batch_norm(copy.deepcopy(net.module_).eval())
    module = module.to(device, memory_format=torch.channels_last)

    def forward(X):
        check_wanted()
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(X))
            batch = batch.to(device, memory_format=torch.channels_last)
            return getattr(module, method)(batch).float().cpu().numpy()

    return forward


def _fold_batch_norm(module):
    """Fold, in place, each batch norm behind a convolution of a plain sequence."""
    for block in module.modules():
        if type(block).forward is not nn.Sequential.forward:
            continue
        layers = list(block)
        for place, (first, second) in enumerate(zip(layers, layers[1:], strict=False)):
            is_pair = type(first) is nn.Conv2d and type(second) is nn.BatchNorm2d
            if is_pair and second.running_mean is not None:
                block[place] = fuse_conv_bn_eval(first, second)
                block[place + 1] = nn.Identity()
    return module
