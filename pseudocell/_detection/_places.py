"""Places: each image is cut into strips, and each net is kept off one of them."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Places", "deal_places"]

# How far a cut may lie from an even one to share out the clicks evenly, in widths of a
# strip: every net still learns from about as large an area.
SLACK = 0.3


@dataclass(frozen=True, eq=False)
class Places:
    """Which net is not trained where.

    A click, an unclicked cell and the background of a strip are alike unknown to the
    net that is kept off it. So how the clicks stand there tells how all cells stand
    there, and in new images.

    Attributes
    ----------
    axes : int ndarray of shape (n_images,)
        Along which axis an image is cut: the longer one.
    cuts : float ndarray of shape (n_images, n_nets - 1)
        Where, as a share of the length, so that it holds at any size of the pixels.
    owners : int ndarray of shape (n_images, n_nets)
        For each strip the number of the net that is kept off it.
    """

    axes: np.ndarray
    cuts: np.ndarray
    owners: np.ndarray

    def fold_of(self, index, points, shape):
        """Return which net is kept off each point.

        Parameters
        ----------
        index : int
            Number of the image.
        points : ndarray of shape (n, 2)
            (row, col) in pixels.
        shape : tuple of int
            (H, W) of the image in the same pixels.

        Returns
        -------
        fold : int ndarray of shape (n,)
        """
        axis = self.axes[index]
        share = (np.reshape(points, (-1, 2))[:, axis] + 0.5) / shape[axis]
        return self.owners[index][np.searchsorted(self.cuts[index], share, "right")]

    def seen_by(self, number, index, corner, part, shape):
        """Return which pixels of a part of an image a net is trained on.

        Parameters
        ----------
        number : int
            Number of the net.
        index : int
            Number of the image.
        corner, part : tuple of int
            First pixel of the part, and its height and width.
        shape : tuple of int
            (H, W) of the image.

        Returns
        -------
        seen : bool ndarray that can be broadcast to the part
        """
        axis = self.axes[index]
        line = np.zeros((part[axis], 2))
        line[:, axis] = corner[axis] + np.arange(part[axis])
        seen = self.fold_of(index, line, shape) != number
        return seen[np.newaxis] if axis == 1 else seen[:, np.newaxis]


def deal_places(clicks, shapes, n_nets):
    """Cut each image into a strip for each net, with about as many clicks in each.

    Parameters
    ----------
    clicks : list of ndarray of shape (n_i, 2)
        Clicked cells.
    shapes : list of (H_i, W_i, ...)
        Shapes of the images, in the same pixels.
    n_nets : int
        Number of nets.

    Returns
    -------
    places : Places or None
        None if there is one net, or a net would see no click.
    """
    even = np.arange(1, n_nets) / n_nets
    load = np.zeros(n_nets, dtype=int)
    axes, cuts, owners = [], [], []
    for points, shape in zip(clicks, shapes, strict=True):
        axis = int(shape[1] > shape[0])
        share = (points[:, axis] + 0.5) / shape[axis]
        cut = even
        if len(share) >= n_nets:
            slack = SLACK / n_nets
            cut = np.clip(np.quantile(share, even), even - slack, even + slack)
        counts = np.bincount(np.searchsorted(cut, share, "right"), minlength=n_nets)
        # The strip with the most clicks goes to the net that is kept off the fewest.
        owner = np.empty(n_nets, dtype=int)
        owner[np.argsort(-counts, kind="stable")] = np.argsort(load, kind="stable")
        load[owner] += counts
        axes.append(axis)
        cuts.append(cut)
        owners.append(owner)
    if n_nets == 1 or load.max() == load.sum():
        return None
    return Places(np.array(axes), np.array(cuts), np.array(owners))
