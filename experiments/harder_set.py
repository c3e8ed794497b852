"""Make a harder set for ``pseudocell benchmark`` of one that there is.

As another microscope would see the same cells: one channel of 16 bits, smaller,
blurred, lit from one side, noisy, and dark for bright if asked for.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import skimage.io
import tifffile
from scipy.ndimage import gaussian_filter
from skimage.transform import rescale
from skimage.util import img_as_float

# Grey levels of black and of white, of 65,535.
BLACK, WHITE = 1_000, 5_000


def main():
    """Change the images, and the points with them."""
    options = read_options()
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        source, target = options.set / split, options.output / split
        (target / "images").mkdir(parents=True, exist_ok=True)
        for file in sorted((source / "images").iterdir()):
            image = change(img_as_float(skimage.io.imread(file)), options, rng)
            tifffile.imwrite(target / "images" / f"{file.stem}.tif", image)
        for table in source.glob("*.csv"):
            copy_points(table, target / table.name, options.scale)


def change(image, options, rng):
    """Return the image as the other microscope would see it, of 16 bits."""
    if image.ndim == 3:
        image = image[..., options.channel]
    if options.invert:
        image = 1 - image
    image = rescale(image, options.scale, anti_aliasing=True)
    image = gaussian_filter(image, options.blur)
    light = np.linspace(1.0, 0.5, image.shape[1])
    image = image * light + rng.normal(0, options.noise, image.shape)
    return np.clip(BLACK + (WHITE - BLACK) * image, 0, 65_535).astype(np.uint16)


def copy_points(source, target, scale):
    """Copy points, scaled, with the names of the new files."""
    with open(source, newline="") as file:
        header, *rows = csv.reader(file)
    at = {name: header.index(name) for name in ("image", "row", "col")}
    for row in rows:
        row[at["image"]] = f"{Path(row[at['image']]).stem}.tif"
        for name in ("row", "col"):
            # The centre of the first pixel is at 0.
            row[at[name]] = (float(row[at[name]]) + 0.5) * scale - 0.5
    with open(target, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def read_options():
    """Read the options from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", type=Path, help="the folder of a set")
    parser.add_argument("output", type=Path, help="the folder of the new set")
    parser.add_argument("--channel", type=int, default=0, help="of colour images")
    parser.add_argument("--invert", action="store_true", help="dark for bright")
    parser.add_argument("--scale", type=float, default=0.5, help="of the size")
    parser.add_argument("--blur", type=float, default=1.0, help="sigma, in new pixels")
    parser.add_argument("--noise", type=float, default=0.03, help="of the range")
    return parser.parse_args()


if __name__ == "__main__":
    main()
