"""Convolutional nets that tell small patches apart, with features to rank by."""

from numbers import Integral

import torch
from torch import nn

from pseudocell._parameters import Number, checked

__all__ = ["PaperPatchCNN", "PatchCNN"]


class PatchCNN(nn.Module):
    """Small net for patches of any odd size of at least 9 pixels.

    Four 3 x 3 convolutions, the first and the third with stride 2, each followed by a
    batch norm and a rectifier. The features are the mean over the whole patch (what
    surrounds the point) beside the mean over the middle of the patch (what is at the
    point), 64 channels each: few enough for a linear ranker that has seen fifty
    positives, and a patch whose cell is off centre differs from one whose cell is not.

    Batch norm, because it keeps what a patch is worth against the others: how bright it
    is and how strong its contrast is, which a norm of each patch on its own takes away.
    Positive and unlabelled patches must share the batches in training, so that both are
    measured by the same statistics; afterwards these are fixed, and a patch scores the
    same in any company.

    Parameters
    ----------
    in_channels : int
        Number of channels of a patch.
    width : int, default=16
        Channels of the first convolution; the others have 2, 4 and 4 times as many.

    Examples
    --------
    >>> import torch
    >>> from pseudocell.nets import PatchCNN
    >>> net = PatchCNN(in_channels=1)
    >>> patches = torch.zeros(2, 1, 27, 27)
    >>> net.features(patches).shape, net(patches).shape
    (torch.Size([2, 128]), torch.Size([2]))
    """

    @checked(
        in_channels=[Number(Integral, 1, 65536)], width=[Number(Integral, 1, 4096)]
    )
    def __init__(self, in_channels, width=16):
        super().__init__()
        self.blocks = nn.Sequential(
            *_block(in_channels, width, stride=2),
            *_block(width, 2 * width, stride=1),
            *_block(2 * width, 4 * width, stride=2),
            *_block(4 * width, 4 * width, stride=1),
        )
        self.n_features = 8 * width
        self.head = nn.Linear(self.n_features, 1)

    def features(self, patches):
        """Return the input of the last layer.

        Parameters
        ----------
        patches : torch.Tensor of shape (n, in_channels, size, size)
            Patches, `size` odd and at least 9 pixels.

        Returns
        -------
        torch.Tensor of shape (n, n_features)
            Mean over the patch, then mean over its middle.
        """
        maps = self.blocks(patches)
        return torch.cat([maps.mean((2, 3)), _mean_of_middle(maps)], dim=1)

    def forward(self, patches):
        """Return one logit a patch, larger = more positive.

        Parameters
        ----------
        patches : torch.Tensor of shape (n, in_channels, size, size)
            Patches, `size` odd and at least 9 pixels.

        Returns
        -------
        torch.Tensor of shape (n,)
        """
        return self.head(self.features(patches)).squeeze(1)


class PaperPatchCNN(nn.Module):
    """The net of the published code: AlexNet's convolutions, for 27 x 27 patches.

    Convolutions with 64, 192, 384, 256 and 256 channels, of 3 x 3 pixels but the second
    of 5 x 5, no norm, and a 2 x 2 maximum after the first, the second and the last. The
    features are the last map as it is, 256 x 3 x 3 = 2304 of them. About a hundred
    times as much work a patch as `PatchCNN`. The published settings are a learning rate
    of 1e-4 and a weight decay of 0.005.

    Parameters
    ----------
    in_channels : int
        Number of channels of a patch.

    References
    ----------
    Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi 10.1007/978-3-030-87237-3_41. Krizhevsky, Sutskever, Hinton, "ImageNet
    Classification with Deep Convolutional Neural Networks", NeurIPS 2012.

    Examples
    --------
    >>> import torch
    >>> from pseudocell.nets import PaperPatchCNN
    >>> net = PaperPatchCNN(in_channels=1)
    >>> patches = torch.zeros(2, 1, 27, 27)
    >>> net.features(patches).shape, net(patches).shape
    (torch.Size([2, 2304]), torch.Size([2]))
    """

    n_features = 2304

    @checked(in_channels=[Number(Integral, 1, 65536)])
    def __init__(self, in_channels):
        super().__init__()
        self.blocks = nn.Sequential(
            *_plain_block(in_channels, 64),
            nn.MaxPool2d(2),
            *_plain_block(64, 192, size=5),
            nn.MaxPool2d(2),
            *_plain_block(192, 384),
            *_plain_block(384, 256),
            *_plain_block(256, 256),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(self.n_features, 1)

    def features(self, patches):
        """Return the input of the last layer.

        Parameters
        ----------
        patches : torch.Tensor of shape (n, in_channels, 27, 27)
            Patches.

        Returns
        -------
        torch.Tensor of shape (n, 2304)
            The last map, channel by channel.

        Raises
        ------
        ValueError
            If the patches have another size.
        """
        if patches.shape[2:] != (27, 27):
            raise ValueError(
                f"patches are {patches.shape[2]} x {patches.shape[3]} pixels; expected "
                "27 x 27, or take PatchCNN, which works at any odd size."
            )
        return self.blocks(patches)

    def forward(self, patches):
        """Return one logit a patch, larger = more positive.

        Parameters
        ----------
        patches : torch.Tensor of shape (n, in_channels, 27, 27)
            Patches.

        Returns
        -------
        torch.Tensor of shape (n,)
        """
        return self.head(self.features(patches)).squeeze(1)


def _block(in_channels, out_channels, stride):
    return (
        nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


def _plain_block(in_channels, out_channels, size=3):
    layer = nn.Conv2d(in_channels, out_channels, size, padding=size // 2)
    return layer, nn.ReLU()


def _mean_of_middle(maps):
    """Mean over the 3 x 3 middle of a map of odd size, 2 x 2 of even size."""
    size = maps.shape[-1]
    start = (size - 2) // 2
    stop = size - start
    return maps[:, :, start:stop, start:stop].mean((2, 3))
