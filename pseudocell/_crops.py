"""Random crops around the labels: what the detector is trained on."""

import numpy as np

__all__ = ["CropBatches"]

# Standard deviations of the change of contrast (logarithmic) and of brightness, in
# units of the normalised image, whose grey values lie between -1 and 1.
CONTRAST_JITTER, BRIGHTNESS_JITTER = 0.2, 0.15


class CropBatches:
    """Batches of crops with their heatmaps and weights, turned and mirrored.

    Batch `step` depends on the seed and on `step` alone. The cost of a training
    depends on the number of batches and not on the size of the images.

    Parameters
    ----------
    images : list of float32 ndarray of shape (H_i, W_i, C)
        Normalised images at the nominal cell size.
    heatmaps, weights : list of float32 ndarray of shape (H_i, W_i)
        Target and weight of each pixel.
    centres : list of ndarray of shape (n_k, 3)
        Groups of (image, row, col): half of the crops, or all if `anywhere` is 0,
        lie around one of them; each group is taken equally often.
    n_steps : int
        Number of batches.
    first_step : int
        Number of the first one: a training that goes on sees other crops.
    batch_size : int
        Crops in a batch.
    size : int
        Height and width of a crop in pixels.
    anywhere : float
        Share of crops at uniformly random places.
    random_state : int
        Seed.
    """

    def __init__(
        self,
        images,
        heatmaps,
        weights,
        centres,
        *,
        n_steps,
        first_step=0,
        batch_size,
        size,
        anywhere,
        random_state,
    ):
        self.layers = [
            [_at_least(array, size) for array in arrays]
            for arrays in (images, heatmaps, weights)
        ]
        self.centres = [group for group in centres if len(group)]
        self.n_steps = n_steps
        self.first_step = first_step
        self.batch_size = batch_size
        self.size = size
        self.anywhere = anywhere if self.centres else 1.0
        self.random_state = int(random_state)
        area = np.array([image.shape[0] * image.shape[1] for image in images], float)
        self.share_of_area = area / area.sum()

    def __len__(self):
        return self.n_steps

    def __getitem__(self, step):
        rng = np.random.default_rng((self.random_state, self.first_step + step))
        crops = [self._crop(rng) for _ in range(self.batch_size)]
        image, heatmap, weight = (np.stack(layer) for layer in zip(*crops, strict=True))
        return np.moveaxis(image, 3, 1), (heatmap, weight)

    def _crop(self, rng):
        index, top, left = self._place(rng)
        window = slice(top, top + self.size), slice(left, left + self.size)
        turns, mirrored = rng.integers(4), rng.random() < 0.5
        layers = []
        for arrays in self.layers:
            crop = np.rot90(arrays[index][window], turns)
            layers.append(crop[:, ::-1] if mirrored else crop)
        contrast = np.exp(rng.normal(0, CONTRAST_JITTER))
        brightness = rng.normal(0, BRIGHTNESS_JITTER, layers[0].shape[2])
        layers[0] = (layers[0] * contrast + brightness).astype(np.float32)
        return layers

    def _place(self, rng):
        """Choose image, top and left of a crop."""
        if rng.random() < self.anywhere:
            index = rng.choice(len(self.share_of_area), p=self.share_of_area)
            corner = None
        else:
            group = self.centres[rng.integers(len(self.centres))]
            index, row, col = group[rng.integers(len(group))]
            # The point lies anywhere in the crop but in its outermost pixels.
            margin = self.size // 16
            offset = rng.integers(margin, self.size - margin, size=2)
            corner = np.round([row, col]).astype(int) - offset
        room = np.array(self.layers[1][int(index)].shape) - self.size
        if corner is None:
            corner = rng.integers(0, room + 1)
        return int(index), *np.clip(corner, 0, room)


def _at_least(array, size):
    """Extend an image that is smaller than a crop; what is added has no weight."""
    short = [max(0, size - length) for length in array.shape[:2]]
    if not any(short):
        return array
    pads = [(0, length) for length in short] + [(0, 0)] * (array.ndim - 2)
    return np.pad(array, pads, mode="symmetric" if array.ndim == 3 else "constant")
