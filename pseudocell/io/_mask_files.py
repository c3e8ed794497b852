"""Files that say which pixels of images do not count: whose mask each of them is."""

import os
import re
from dataclasses import replace

from pseudocell.io._names import NameFinder, shorten

__all__ = ["give_masks"]

# What programs put behind the name of an image for its mask.
MARKS = re.compile(r"[ ._-]*(roi|(cp_)?masks?)$", re.I)


def give_masks(images, masks, source):
    """Give each image its mask.

    Parameters
    ----------
    images : list of ImageFile
        The images.
    masks : list of ImageFile
        One for all images; or one each, with the name of the image, to which "_mask"
        may be added. The mask of a stack may be a stack, or one for all frames.
    source : str
        Where the masks come from, for messages.

    Returns
    -------
    images : list of ImageFile
        Those whose mask can be used.
    problems : list of str
        The other images, each with the reason in brackets.
    notes : list of str
        What has no partner.

    Raises
    ------
    ValueError
        If no image has a mask, or an image has several.
    """
    if len(masks) == 1:
        mask_of = dict.fromkeys((one.label for one in images), masks[0])
        spare = []
    else:
        mask_of, spare = _match(images, masks, source)
    bare = [one.label for one in images if one.label not in mask_of]
    if len(bare) == len(images):
        raise ValueError(
            f"{source} has no mask for any of the images: {shorten(spare)} there, "
            f"{shorten(bare)} here; expected masks with the names of the images."
        )
    notes = []
    if bare:
        notes.append(f"{shorten(bare)}: no mask in {source}; all pixels count.")
    if spare:
        notes.append(f"{shorten(spare)}: masks in {source} of images not given.")
    kept, problems = [], []
    for image in images:
        mask = mask_of.get(image.label)
        if mask is None or mask.shape[:2] == image.shape[:2]:
            kept.append(image if mask is None else replace(image, mask=mask))
            continue
        sizes = [
            f"{height} x {width}" for height, width, *_ in (mask.shape, image.shape)
        ]
        problems.append(
            f"{image.label} (its mask {mask.label} has {sizes[0]} pixels, and it has "
            f"{sizes[1]})"
        )
    return kept, problems, notes


def _match(images, masks, source):
    """Return the mask by the label of each image, and the masks that are left."""
    finder = NameFinder({one.name for one in images}, source)
    found, spare = {}, []
    for mask in masks:
        stem = os.path.splitext(mask.name)[0]
        name = finder.find(mask.name) or finder.find(MARKS.sub("", stem))
        its = [
            one.label
            for one in images
            if one.name == name and mask.frame in (None, one.frame)
        ]
        for label in its:
            if label in found:
                raise ValueError(
                    f"{source} has two masks of {label}, {found[label].label} and "
                    f"{mask.label}; leave one of them out."
                )
            found[label] = mask
        if not its:
            spare.append(mask.label)
    return found, spare
