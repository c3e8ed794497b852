"""Where do the cells of a film go?
================================

A detector that has learnt from two frames finds the cells of all frames, and each cell
is linked with the nearest one of the next frame.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.spatial import KDTree

from pseudocell import HeatmapDetector, NNPUFeaturizer, PseudoLabelCellDetector
from pseudocell.datasets import make_brightfield

CELL_RADIUS = 8

# %%
# The film: a window that drifts over a larger image, 4 pixels to the right and 2 down
# with each frame, as a stage does. In the frames the cells move the other way.

(field,), (cells,) = make_brightfield(1, (180, 220), n_cells=40, random_state=0)
starts = [(2 * time, 4 * time) for time in range(8)]
film = [field[row : row + 160, col : col + 176] for row, col in starts]

# %%
# Every third cell is clicked in the first and in the last frame.

clicks = [np.empty((0, 2)) for _ in film]
for time in (0, 7):
    inside = cells - starts[time]
    visible = ((inside > 0) & (inside < (159, 175))).all(axis=1)
    clicks[time] = inside[visible][::3]

detector = PseudoLabelCellDetector(
    CELL_RADIUS,
    max_iter=1,
    detector=HeatmapDetector(
        module__base_channels=8,
        module__depth=2,
        n_nets=2,
        max_steps=80,
        batch_size=4,
    ),
    featurizer=NNPUFeaturizer(max_steps=40),
    random_state=0,
)
found = detector.fit(film, clicks).predict(film)
print("cells by frame:", [len(points) for points in found])

# %%
# Links: the nearest cell of the next frame, within a cell radius. Their mean is the
# drift. For real tracking there are programs that also know divisions; `pseudocell
# convert --format trackmate` writes the points for one of them.

plt.figure(figsize=(6, 5), layout="constrained")
plt.imshow(film[0], cmap="gray")
steps = []
for now, then in zip(found, found[1:], strict=False):
    distance, index = KDTree(then).query(now, distance_upper_bound=CELL_RADIUS)
    linked = np.isfinite(distance)
    ends = then[index[linked]]
    steps.append(ends - now[linked])
    plt.plot(*np.stack([now[linked], ends])[..., ::-1].transpose(2, 0, 1), "c-")
plt.title("The way of each cell")
plt.axis("off")
plt.show()
print("mean step (row, col):", np.mean(np.concatenate(steps), axis=0).round(1))
