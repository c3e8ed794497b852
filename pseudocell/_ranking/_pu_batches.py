"""Patches to batches: changed at random to train on, as they are to validate on."""

import numpy as np

__all__ = ["PUBatches", "PlainBatches"]

# Standard deviation of the gain and of the offset that a patch gets while training,
# in units of the standard deviation of all pixels.
INTENSITY_JITTER = 0.1


class PUBatches:
    """Batches of half positive and half unlabelled patches, changed at random.

    Batch `step` depends on the seed and `step` alone. The risk weights the two halves,
    so that their shares in a batch do not matter; equal shares serve both means best.
    """

    def __init__(self, X, y, n_steps, batch_size, seed):
        self.X, self.n_steps, self.seed = X, n_steps, int(seed)
        self.half = max(1, batch_size // 2)
        self.positive, self.unlabelled = np.flatnonzero(y == 1), np.flatnonzero(y == 0)

    def __len__(self):
        return self.n_steps

    def __getitem__(self, step):
        rng = np.random.default_rng([self.seed, step])
        index = np.concatenate(
            [rng.choice(kind, self.half) for kind in (self.positive, self.unlabelled)]
        )
        return _augment(self.X[index], rng), np.repeat([1, 0], self.half)


class PlainBatches:
    """Patches as they are, a like share of them positive in each batch."""

    def __init__(self, X, y, batch_size):
        self.X, self.y = X.astype(np.float32), y
        place = np.empty(len(y))
        for kind in np.unique(y):
            place[y == kind] = np.linspace(0, 1, np.sum(y == kind))
        n_batches = -(-len(y) // batch_size)
        self.parts = np.array_split(np.argsort(place, kind="stable"), n_batches)

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, number):
        part = self.parts[number]
        return self.X[part], self.y[part]


def _augment(X, rng):
    """Apply one of the 8 symmetries of the square and an intensity change to each."""
    turns, mirrored = rng.integers(4, size=len(X)), rng.random(len(X)) < 0.5
    X = np.where(mirrored[:, None, None, None], X[..., ::-1], X)
    for turn in range(1, 4):
        X[turns == turn] = np.rot90(X[turns == turn], turn, axes=(2, 3))
    gain = rng.normal(1, INTENSITY_JITTER, (len(X), 1, 1, 1))
    offset = rng.normal(0, INTENSITY_JITTER, (*X.shape[:2], 1, 1))
    return (gain * X + offset).astype(np.float32)
