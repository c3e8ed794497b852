"""Can I bring a net of my own?
============================

Any torch module from images to heatmaps will do. Here a net of two layers, next to the
U-Net of the package.
"""

from functools import partial

import matplotlib.pyplot as plt
from torch import nn

from pseudocell import HeatmapDetector
from pseudocell.datasets import make_brightfield
from pseudocell.nets import UNet

CELL_RADIUS = 8

# %%
# A net is called with the number of channels. `stride` and `reach` say how large images
# may be cut into tiles: heights and widths are multiples of the one, and an output
# pixel depends on no input pixel farther away than the other.


class Shallow(nn.Sequential):
    """Two convolutions see 11 pixels: enough for spots, not for cells."""

    stride, reach = 1, 5

    def __init__(self, in_channels):
        super().__init__(
            nn.Conv2d(in_channels, 16, 9, padding=4),
            nn.ReLU(),
            nn.Conv2d(16, 1, 3, padding=1),
            nn.Flatten(1, 2),
        )


# %%
# Both learn from two images in which every cell is known. Look at the heatmaps: the
# small net answers to every rim, the U-Net to whole cells.

images, points = make_brightfield(4, (160, 160), n_cells=24, random_state=0)
nets = {"two layers": Shallow, "U-Net": partial(UNet, base_channels=8, depth=2)}
figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
axes[0].imshow(images[2], cmap="gray")
axes[0].set_title("unseen image")
for ax, (name, net) in zip(axes[1:], nets.items(), strict=True):
    detector = HeatmapDetector(
        CELL_RADIUS,
        masked=False,
        module=net,
        max_steps=150,
        batch_size=4,
        random_state=0,
    )
    detector.fit(images[:2], points[:2])
    ax.imshow(detector.predict_heatmap(images[2:3])[0], vmin=0, vmax=1)
    ax.set_title(f"{name}, F1 {detector.score(images[2:], points[2:]):.2f}")
for ax in axes:
    ax.axis("off")
plt.show()
