"""Random crops around the labels: what the detector is trained on."""

from dataclasses import dataclass

import numpy as np

__all__ = ["CropBatches"]

# Standard deviations of the change of contrast (logarithmic) and of brightness, in
# units of the normalised image, whose grey values lie between -1 and 1.
CONTRAST_JITTER, BRIGHTNESS_JITTER = 0.2, 0.15
# Images that crops at random places come from. More of them would cost the reading of
# a whole image for every crop, and teach little.
MOST_IMAGES = 200
# Draws of a place until its middle is where the net is trained.
MOST_TRIES = 20


@dataclass(frozen=True)
class Crop:
    """Where a crop lies, and how it is changed.

    Attributes
    ----------
    index, top, left : int
        Its image, and its first row and column there.
    turns : int
        Number of quarter turns.
    mirrored : bool
        Whether it is mirrored after that.
    contrast : float
        Factor of the grey values.
    brightness : float ndarray of shape (C,)
        What is added to each channel then.
    """

    index: int
    top: int
    left: int
    turns: int
    mirrored: bool
    contrast: float
    brightness: np.ndarray


class CropBatches:
    """Batches of crops with their heatmaps and weights, turned and mirrored.

    All crops are drawn beforehand, from the shapes of the images alone. `cut` then
    takes from one image at a time what falls on it, so that the images need not be in
    memory together; those of `images_needed` must have come before the first batch.

    Batch `step` depends on the seed and on `step` alone. Memory and cost of a training
    depend on the number of batches and not on the number and the size of the images.

    Parameters
    ----------
    shapes : list of (H_i, W_i)
        Shapes of the images at the nominal cell size.
    n_channels : int
        Number of their channels.
    centres : list of ndarray of shape (n_k, 3)
        Groups of (image, row, col): half of the crops, or all if `anywhere` is 0,
        lie around one of them; each group is taken equally often.
    draw_target : callable
        Called as ``draw_target(index, corner, shape)``; returns the float32 heatmap and
        weights of a part of an image, which begins at the pixel `corner`.
    n_steps : int
        Number of batches.
    first_step : int
        Number of the first one: a training that goes on sees other crops.
    batch_size : int
        Crops in a batch.
    size : int
        Height and width of a crop in pixels.
    anywhere : float
        Share of crops at uniformly random places, of 200 images at most.
    where : bool ndarray of shape (n_images,), optional
        Of which images these are; of all if not given.
    is_seen : callable, optional
        Called as ``is_seen(index, point)``; whether a crop at a random place may have
        this pixel in its middle. All may if not given.
    random_state : int
        Seed.
    """

    def __init__(
        self,
        shapes,
        n_channels,
        centres,
        draw_target,
        *,
        n_steps,
        first_step=0,
        batch_size,
        size,
        anywhere,
        where=None,
        is_seen=None,
        random_state,
    ):
        self.shapes = np.array(shapes)
        self.n_channels = n_channels
        self.centres = [group for group in centres if len(group)]
        self.draw_target = draw_target
        self.size = size
        self.anywhere = anywhere if self.centres else 1.0
        self.is_seen = is_seen
        order = np.random.default_rng(int(random_state)).permutation(len(shapes))
        chosen = order if where is None else order[where[order]]
        chosen = chosen[:MOST_IMAGES]
        area = np.zeros(len(shapes))
        area[chosen] = self.shapes[chosen].prod(axis=1)
        self.share_of_area = area / area.sum()
        self.crops = []
        for step in range(first_step, first_step + n_steps):
            rng = np.random.default_rng((int(random_state), step))
            self.crops.append([self._draw(rng) for _ in range(batch_size)])
        self.places = {}
        for step, batch in enumerate(self.crops):
            for number, crop in enumerate(batch):
                self.places.setdefault(crop.index, []).append((step, number))
        self.pixels = {}

    @property
    def images_needed(self):
        """Numbers of the images that a crop falls on, increasing."""
        return sorted(self.places)

    def cut(self, index, image):
        """Take the pixels of all crops of one image.

        Parameters
        ----------
        index : int
            Number of the image.
        image : float32 ndarray of shape (H, W, C)
            The normalised image at the nominal cell size.
        """
        places = self.places.get(index, [])
        image = self._at_least(image, mode="symmetric")
        for step, number in places:
            crop = self.crops[step][number]
            rows, cols = (slice(x, x + self.size) for x in (crop.top, crop.left))
            pixels = image[rows, cols]
            # A view keeps the whole image in memory: well if that is the smaller.
            several = len(places) * self.size**2 < image.shape[0] * image.shape[1]
            self.pixels[step, number] = pixels.copy() if several else pixels

    def __len__(self):
        return len(self.crops)

    def __getitem__(self, step):
        layers = [
            self._layers(crop, self.pixels[step, number])
            for number, crop in enumerate(self.crops[step])
        ]
        image, heatmap, weight = (
            np.stack(layer) for layer in zip(*layers, strict=True)
        )
        return np.moveaxis(image, 3, 1), np.stack((heatmap, weight), axis=1)

    def _layers(self, crop, pixels):
        """Return image, heatmap and weight of a crop."""
        shape = np.minimum(self.shapes[crop.index], self.size)
        target = self.draw_target(crop.index, (crop.top, crop.left), tuple(shape))
        layers = []
        for array in (pixels, *(self._at_least(array) for array in target)):
            turned = np.rot90(array, crop.turns)
            layers.append(turned[:, ::-1] if crop.mirrored else turned)
        layers[0] = (layers[0] * crop.contrast + crop.brightness).astype(np.float32)
        return layers

    def _draw(self, rng):
        index, top, left = self._place(rng)
        turns, mirrored = rng.integers(4), rng.random() < 0.5
        contrast = np.exp(rng.normal(0, CONTRAST_JITTER))
        brightness = rng.normal(0, BRIGHTNESS_JITTER, self.n_channels)
        return Crop(index, top, left, turns, mirrored, contrast, brightness)

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
        room = np.maximum(self.shapes[int(index)] - self.size, 0)
        if corner is None:
            corner = self._anywhere(rng, int(index), room)
        top, left = np.clip(corner, 0, room)
        return int(index), int(top), int(left)

    def _anywhere(self, rng, index, room):
        """Draw a corner; a crop on a narrow image may have its middle anywhere."""
        corner = rng.integers(0, room + 1)
        for _ in range(MOST_TRIES):
            middle = corner + np.minimum(self.shapes[index], self.size) / 2
            if self.is_seen is None or self.is_seen(index, middle):
                break
            corner = rng.integers(0, room + 1)
        return corner

    def _at_least(self, array, mode="constant"):
        """Extend what is smaller than a crop; what is added has no weight."""
        short = [max(0, self.size - length) for length in array.shape[:2]]
        if not any(short):
            return array
        pads = [(0, length) for length in short] + [(0, 0)] * (array.ndim - 2)
        return np.pad(array, pads, mode=mode)
