"""Fitted nets and images -> heatmaps and their peaks."""

from dataclasses import dataclass

import numpy as np

from .._geometry._peaks import stretch_heights, strongest_apart
from .._geometry._scale import NominalImage, points_from_nominal, points_to_nominal
from .._geometry._tiling import map_tiles
from .._inference import deal_devices, nearest_device, prepare_net
from .._threads import map_threads, share_threads
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
    nominal_radius : float
        Radius of a cell at the nominal size.
    scale : float
        That over the cell radius in pixels of the images.
    stretch : bool
        Whether the heatmap of an image is stretched to 0 .. 1.
    """

    functions: list
    stride: int
    reach: int
    nominal_radius: float
    scale: float
    stretch: bool

    @classmethod
    def prepare(cls, nets, device, nominal_radius, scale, stretch):
        """Make nets ready for many calls, on a device that is here.

        Parameters
        ----------
        nets : list of skorch.NeuralNet
            Fitted.
        device : str
            Where to compute; several GPUs share the nets out.
        nominal_radius, scale, stretch : float and bool
            As the attributes.

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
            nominal_radius=nominal_radius,
            scale=scale,
            stretch=stretch,
        )

    def find(self, images, threshold, known, n_jobs):
        """Return the peaks of the mean heatmaps, and known places off them.

        Parameters
        ----------
        images : Images
            The images.
        threshold : float
            Peaks at or below it are left out.
        known : sequence of array-like of shape (m_i, 2) or None
            Further places, in pixels of the images.
        n_jobs : int or None
            Number of threads.

        Returns
        -------
        found : list of (points, heights)
            Of each image, in its pixels.
        """
        n_outer, n_inner = share_threads(len(images), n_jobs)

        def find(index):
            image = NominalImage(images[index], self.scale)
            shape = images[index].shape  # Known now, if it was not before.
            extra = np.zeros((0, 2)) if known is None else known[index]
            ((points, heights),) = self._find_peaks(
                lambda tile: self._mean(tile)[np.newaxis],
                image,
                threshold,
                points_to_nominal(extra, shape, self.scale),
                n_inner,
            )
            return points_from_nominal(points, shape, self.scale), heights

        return map_threads(find, range(len(images)), n_outer)

    def find_by_each(self, images, indices, threshold, n_jobs):
        """Return the peaks of the heatmap of each net, and of the mean, in one look.

        Parameters
        ----------
        images : Images
            The images.
        indices : sequence of int
            Which of them to look at.
        threshold : float
            Peaks at or below it are left out.
        n_jobs : int or None
            Number of threads.

        Returns
        -------
        found : dict of int to list of (points, heights)
            Of each of those images, in pixels at the nominal size, the mean last.
        """

        def look(index):
            image = NominalImage(images[index], self.scale)
            return self._find_peaks(self._each_and_mean, image, threshold)

        return dict(zip(indices, map_threads(look, indices, n_jobs), strict=True))

    def find_unseen(self, images, indices, places, threshold, known, n_jobs):
        """Return the peaks of each place by the net that was not trained there.

        Parameters
        ----------
        images : Images
            The images of the fit.
        indices : sequence of int
            Which of them to look at.
        places : Places
            Which net was kept off which place.
        threshold : float
            Peaks at or below it are left out.
        known : sequence of array-like of shape (m_i, 2) or None
            Further places, in pixels of the images.
        n_jobs : int or None
            Number of threads.

        Returns
        -------
        found : list of (points, heights)
            Of each of those images, in its pixels.
        """

        def find(index):
            image = NominalImage(images[index], self.scale)
            shape = images[index].shape
            extra = np.zeros((0, 2)) if known is None else known[index]
            extra = points_to_nominal(extra, shape, self.scale)
            of_each = self._find_peaks(self._each, image, threshold, extra)
            points, heights = [], []
            for number, (there, high) in enumerate(of_each):
                there = points_from_nominal(there, shape, self.scale)
                unseen = places.fold_of(index, there, shape) == number
                points.append(there[unseen])
                heights.append(high[unseen])
            distance = PEAK_DISTANCE * self.nominal_radius / self.scale
            return strongest_apart(
                np.concatenate(points), np.concatenate(heights), distance
            )

        return map_threads(find, indices, n_jobs)

    def render(self, images, n_jobs):
        """Return the mean heatmaps, float32 arrays at the nominal size."""

        def render(image):
            image = NominalImage(image, self.scale)
            layout = {"stride": self.stride, "reach": self.reach}
            heatmap = map_tiles(self._mean, image, **layout)
            if not self.stretch:
                return heatmap
            return stretch_heights(heatmap, heatmap.min(), heatmap.max())

        return map_threads(render, images, n_jobs)

    def _find_peaks(self, draw, image, threshold, places=(), n_jobs=1):
        """Return the peaks of each heatmap, but none on a pixel that does not count."""
        found = find_peaks_in_tiles(
            draw,
            image,
            threshold,
            places,
            distance=PEAK_DISTANCE * self.nominal_radius,
            stride=self.stride,
            reach=self.reach,
            stretch=self.stretch,
            n_jobs=n_jobs,
        )
        return [image.keep_counting(*peaks) for peaks in found]

    def _mean(self, tile):
        """Return the mean heatmap (h, w) of a tile (C, h, w)."""
        return np.mean(self._each(tile), axis=0)

    def _each_and_mean(self, tile):
        """Return the heatmap of each net and the mean, which of one net is that."""
        drawn = self._each(tile)
        mean = [np.mean(drawn, axis=0)] if len(drawn) > 1 else []
        return np.array([*drawn, *mean])

    def _each(self, tile):
        return np.array([forward(tile[np.newaxis])[0] for forward in self.functions])
