"""Make a set for ``pseudocell benchmark`` of images with all their cells segmented.

The left half of each image is to learn from, the right half to be judged on.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import tifffile
from skimage.measure import regionprops


def main():
    """Cut the images and write the set."""
    options = read_options()
    files = (options.images, options.labels)
    images, labels = (tifffile.imread(file) for file in files)
    if images.ndim == 2:
        images, labels = images[np.newaxis], labels[np.newaxis]
    middle = images.shape[2] // 2
    halves = {"train": slice(None, middle), "test": slice(middle, None)}
    for split, columns in halves.items():
        folder = options.output / split
        (folder / "images").mkdir(parents=True, exist_ok=True)
        rows = []
        for number in options.frames:
            name = f"{number}.tif"
            tifffile.imwrite(folder / "images" / name, images[number][:, columns])
            # A cell on the middle belongs to the half that its centre is in.
            begin, end, _ = columns.indices(images.shape[2])
            for cell in regionprops(labels[number].astype(int)):
                row, col = cell.centroid
                if begin <= col < end:
                    rows.append([name, row, col - begin])
        with open(folder / "points.csv", "w", newline="") as file:
            csv.writer(file).writerows([["image", "row", "col"], *rows])
        print(f"{folder}: {len(options.frames)} images, {len(rows)} cells")


def read_options():
    """Read the options from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", help="a TIFF of shape (H, W) or (T, H, W)")
    parser.add_argument("labels", help="a TIFF of that shape: 0, or the cell's number")
    parser.add_argument("output", type=Path, help="the folder of the set")
    parser.add_argument("--frames", type=int, nargs="+", default=[0])
    return parser.parse_args()


if __name__ == "__main__":
    main()
