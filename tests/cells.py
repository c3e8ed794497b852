"""The one place where cells are drawn; each test adds its own ground and noise."""

import numpy as np
from scipy.ndimage import gaussian_filter


def scatter_points(rng, shape, n_points, min_distance, border=8):
    """Draw whole pixels, farther than a distance apart and off the border."""
    points = np.zeros((0, 2))
    while len(points) < n_points:
        point = np.round(rng.uniform(border, np.array(shape) - border - 1))
        if (np.linalg.norm(points - point, axis=1) > min_distance).all():
            points = np.vstack([points, point])
    return points


def draw_blobs(shape, points, sigma=3.0):
    """Draw bumps of height 1; `sigma` may be a pair, along rows and columns."""
    rows, cols = np.indices(shape)
    high, wide = np.broadcast_to(sigma, 2)
    image = np.zeros(shape)
    for row, col in points:
        squared = ((rows - row) / high) ** 2 + ((cols - col) / wide) ** 2
        image += np.exp(-squared / 2)
    return image


def draw_discs(shape, points, radius, blur=0.0):
    """Draw discs of height 1, with a soft edge if `blur` is given."""
    rows, cols = np.indices(shape)
    image = np.zeros(shape)
    for row, col in points:
        image += np.hypot(rows - row, cols - col) < radius
    return gaussian_filter(image, blur)


def draw_squares(shape, points, grey=200):
    """Draw squares of 3 x 3 pixels on black, 8-bit."""
    image = np.zeros(shape, np.uint8)
    for row, col in points:
        image[row - 1 : row + 2, col - 1 : col + 2] = grey
    return image


def in_order(points):
    """Sort points, for a comparison of two sets."""
    return points[np.lexsort(points.T)]
