"""The place whose answer would tell most about how many cells there are."""

import numpy as np
from scipy.ndimage import map_coordinates

from pseudocell._geometry._peaks import are_far
from pseudocell._images import Images

__all__ = ["choose_place", "describe_looks"]

# Rings around a place that its look is made of, out to this many cell radii.
N_RINGS, N_ANGLES, REACH = 6, 12, 1.5
# Probabilities that differ so much are those of unlike places.
UNLIKE = 0.25
# Places that are compared with each other.
MOST_PLACES = 3000


def describe_looks(image, points, radius):
    """Return what places look like, however they are turned.

    Parameters
    ----------
    image : array-like of shape (H, W) or (H, W, C)
        The image.
    points : ndarray of shape (n, 2)
        (row, col) in pixels.
    radius : float
        Radius of a cell in pixels.

    Returns
    -------
    looks : ndarray of shape (n, 12 C)
        Mean and spread of the grey values on six rings, between -1 and 1 for most of
        the image.
    """
    pixels, (middle, gain) = Images([image])[0].measure()
    pixels = np.asarray(pixels, dtype=np.float32)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    away = REACH * radius * (np.arange(N_RINGS) + 0.5) / N_RINGS
    angle = 2 * np.pi * np.arange(N_ANGLES) / N_ANGLES
    ring = np.stack([np.outer(away, np.sin(angle)), np.outer(away, np.cos(angle))])
    where = np.asarray(points).T[:, :, np.newaxis, np.newaxis] + ring[:, np.newaxis]
    looks = []
    for channel in range(pixels.shape[2]):
        values = map_coordinates(pixels[..., channel], where, order=1, mode="mirror")
        values = (values - middle[channel]) * gain[channel]
        looks += [values.mean(axis=2), values.std(axis=2)]
    return np.concatenate(looks, axis=1)


def choose_place(points, probabilities, looks, answered, answered_looks, radius):
    r"""Choose the place to ask a person about.

    An answer tells of places that look alike and are as probable. With the likeness
    :math:`k_{xj}` of two places and the doubt :math:`u_j = 4 w_j (1 - w_j)` about one
    that is a cell with the probability w, the place is

    .. math:: \arg\max_x u_x \sum_j u_j \max\big(0, k_{xj} - \max_{a} k_{aj}\big)

    over the places a that have been answered: one that stands for many doubtful ones,
    of a look that nobody was asked about.

    Parameters
    ----------
    points : list of ndarray of shape (n_i, 2)
        Places that may be cells, one array an image.
    probabilities : list of ndarray of shape (n_i,)
        How probable that is.
    looks : list of ndarray of shape (n_i, d)
        From `describe_looks`.
    answered : list of ndarray of shape (m_i, 2)
        Places of which is known what they are.
    answered_looks : list of ndarray of shape (m_i, d)
        From `describe_looks`, too.
    radius : float
        A place within it of an answered one is the same.

    Returns
    -------
    place : (int, int, float) or None
        Number of the image, of the place there, and its probability; None if all are
        answered.

    References
    ----------
    The sum, a facility location function: Wei, Iyer, Bilmes, "Submodularity in Data
    Subset Selection and Active Learning", ICML 2015.
    """
    numbers, chances, features, its, known = [], [], [], [], []
    for index, some in enumerate(points):
        open_ = np.flatnonzero(are_far(some, answered[index], radius))
        numbers += [(index, number) for number in open_]
        chances.append(probabilities[index][open_])
        features.append(looks[index][open_])
        known.append(answered_looks[index])
        its.append(_chances_at(some, probabilities[index], answered[index], radius))
    if not numbers:
        return None
    chances, features = np.concatenate(chances), np.concatenate(features)
    chosen = np.argsort(-chances * (1 - chances), kind="stable")[:MOST_PLACES]
    doubt = 4 * chances[chosen] * (1 - chances[chosen])
    spread = features.std(axis=0)
    unit = np.where(spread > 0, spread, 1) * np.sqrt(features.shape[1])
    these = np.column_stack([features[chosen] / unit, chances[chosen] / UNLIKE])
    those = np.column_stack(
        [np.concatenate(known) / unit, np.concatenate(its) / UNLIKE]
    )
    told = _likeness(those, these).max(axis=0, initial=0)
    gain = doubt * (np.maximum(_likeness(these, these) - told, 0) @ doubt)
    best = int(np.argmax(gain))
    index, number = numbers[chosen[best]]
    return index, int(number), float(chances[chosen[best]])


def _chances_at(points, probabilities, answered, radius):
    """Return how probable the answered places are, 0 where nothing was found."""
    if len(points) == 0:
        return np.zeros(len(answered))
    apart = np.linalg.norm(answered[:, np.newaxis] - points, axis=2)
    nearest = apart.argmin(axis=1)
    near = apart[np.arange(len(answered)), nearest] <= radius
    return np.where(near, probabilities[nearest], 0.0)


def _likeness(some, others):
    """Return the likeness of each to each, 1 for equals."""
    squares = (some**2).sum(axis=1)[:, np.newaxis] + (others**2).sum(axis=1)
    return np.exp(-np.maximum(squares - 2 * some @ others.T, 0))
