"""The U-Net that turns an image into a heatmap of cell positions."""

from numbers import Integral

import torch
from torch import nn
from torch.nn import functional

from pseudocell._parameters import Number, checked

__all__ = ["UNet"]


class UNet(nn.Module):
    """A U-Net with bilinear upsampling and a linear output.

    Parameters
    ----------
    in_channels : int
        Channels of the images.
    base_channels : int, default=16
        Channels of the first level; they double from level to level.
    depth : int, default=3
        Number of poolings by 2. Heights and widths must be multiples of
        ``2**depth``.

    References
    ----------
    Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image
    Segmentation", MICCAI 2015, doi 10.1007/978-3-319-24574-4_28.

    Examples
    --------
    >>> import torch
    >>> from pseudocell.nets import UNet
    >>> net = UNet(in_channels=3, base_channels=4, depth=2)
    >>> net(torch.zeros(1, 3, 32, 48)).shape
    torch.Size([1, 32, 48])
    """

    @checked(
        in_channels=[Number(Integral, 1, 65536)],
        base_channels=[Number(Integral, 1, 4096)],
        depth=[Number(Integral, 0, 16)],
    )
    def __init__(self, in_channels, base_channels=16, depth=3):
        super().__init__()
        widths = [base_channels * 2**level for level in range(depth + 1)]
        # As in the published code the lowest level keeps the width of the one
        # above it, because bilinear upsampling cannot change it.
        if depth > 0:
            widths[-1] = widths[-2]
        self.depth = depth
        self.down = nn.ModuleList(
            _double_convolution(previous, width)
            for previous, width in zip([in_channels, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(
            _double_convolution(widths[level] + below, widths[max(level - 1, 0)])
            for level, below in _upward(widths)
        )
        self.head = nn.Conv2d(widths[0], 1, kernel_size=1)

    def forward(self, images):
        """Return heatmaps (n, H, W) of images (n, C, H, W)."""
        skips = []
        x = images
        for level, block in enumerate(self.down):
            if level > 0:
                x = functional.max_pool2d(x, 2)
            x = block(x)
            skips.append(x)
        skips.pop()
        for block in self.up:
            x = _upsample(x)
            if torch.is_grad_enabled():
                x = block(torch.cat([skips.pop(), x], dim=1))
            else:
                x = block[1:](_convolve_both(block[0], skips.pop(), x))
        return self.head(x)[:, 0]

    @property
    def stride(self):
        """Heights and widths must be multiples of this, in pixels."""
        return 2**self.depth

    @property
    def reach(self):
        """No input pixel farther than this changes an output pixel, in pixels.

        Two 3 x 3 convolutions at each level on the way down and up reach 4 pixels of
        that level, 2 at the lowest one. A pixel that is made larger takes from the
        nearest pixel beside its own below, which pooling made of two: 2 pixels more
        of each level but the lowest. With depth d the sum of ``6 * 2**level`` over
        the levels above the lowest and ``2 * 2**d`` is ``8 * 2**d - 6``.
        """
        return 2 ** (self.depth + 3) - 6


def _upsample(maps):
    return functional.interpolate(maps, scale_factor=2, mode="bilinear")


def _convolve_both(convolution, first, second):
    """Return the convolution of two stacks of maps without putting them together.

    The result is the same. To put them together needs the largest piece of memory of
    all, and above 32 MiB the system hands out new pages each time, which takes as long
    as the convolution.
    """
    n_first = first.shape[1]
    weight, padding = convolution.weight, convolution.padding
    result = functional.conv2d(
        first, weight[:, :n_first], convolution.bias, padding=padding
    )
    result += functional.conv2d(second, weight[:, n_first:], padding=padding)
    return result


def _upward(widths):
    """Yield (level, channels that come from below) from the lowest skip up."""
    below = widths[-1]
    for level in range(len(widths) - 2, -1, -1):
        yield level, below
        below = widths[max(level - 1, 0)]


def _double_convolution(in_channels, out_channels):
    layers = []
    for channels in (in_channels, out_channels):
        layers += [
            nn.Conv2d(channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
