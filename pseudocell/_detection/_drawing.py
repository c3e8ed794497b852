"""Fitted nets as one function from a tile to heatmaps, and how tiles may be cut."""

from dataclasses import dataclass

import numpy as np

from .._inference import deal_devices, nearest_device, prepare_net
from ._tiled_peaks import find_peaks_in_tiles

__all__ = ["Drawing"]

# Two peaks are farther apart than this, in cell radii.
PEAK_DISTANCE = 0.5


@dataclass(frozen=True, eq=False)
class Drawing:
    """Nets that draw heatmaps of images at the nominal size.

    Attributes
    ----------
    functions : list of callable
        Each net as a function from (1, C, h, w) to (1, h, w).
    stride, reach : int
        Tiles begin at multiples of the first; no pixel farther away than the second
        matters.
    """

    functions: list
    stride: int
    reach: int

    @classmethod
    def prepare(cls, nets, device):
        """Make nets ready for many calls, on a device that is here.

        Parameters
        ----------
        nets : list of skorch.NeuralNet
            Fitted.
        device : str
            Where to compute; several GPUs share the nets out.

        Returns
        -------
        drawing : Drawing
        """
        devices = deal_devices(nearest_device(device), len(nets))
        modules = [net.module_ for net in nets]
        return cls(
            [
                prepare_net(net, device=its)
                for net, its in zip(nets, devices, strict=True)
            ],
            stride=max(module.stride for module in modules),
            reach=max(module.reach for module in modules),
        )

    def mean(self, tile):
        """Return the mean heatmap (h, w) of a tile (C, h, w)."""
        return np.mean(self._each(tile), axis=0)

    def each_and_mean(self, tile):
        """Return the heatmap of each net and the mean, which of one net is that."""
        drawn = self._each(tile)
        mean = [np.mean(drawn, axis=0)] if len(drawn) > 1 else []
        return np.array([*drawn, *mean])

    def find_peaks(self, draw, image, nominal_radius, threshold, places=(), n_jobs=1):
        """Return the peaks of heatmaps of an image, as `find_peaks_in_tiles` does.

        Parameters
        ----------
        draw : callable
            Makes heatmaps (k, h, w) of a tile.
        image : NominalImage
            The image.
        nominal_radius : float
            Radius of a cell.
        threshold : float
            Peaks at or below it are left out.
        places : array-like of shape (m, 2)
            Places to return as well.
        n_jobs : int, default=1
            Number of threads.

        Returns
        -------
        found : list of (points, heights)
            Of each heatmap.
        """
        return find_peaks_in_tiles(
            draw,
            image,
            threshold,
            places,
            distance=PEAK_DISTANCE * nominal_radius,
            stride=self.stride,
            reach=self.reach,
            n_jobs=n_jobs,
        )

    def _each(self, tile):
        return [forward(tile[np.newaxis])[0] for forward in self.functions]
