"""A page of a TIFF file as a picture: bits, inverted scales, palettes and inks."""

import numpy as np
import tifffile

__all__ = ["n_alpha", "page_dtype", "page_shape", "to_picture"]

PHOTOMETRIC = tifffile.PHOTOMETRIC
# TIFF 6.0, ExtraSamples: associated and unassociated alpha.
ALPHA_SAMPLES = (1, 2)
READ_AS_THEY_ARE = {
    PHOTOMETRIC.MINISWHITE,
    PHOTOMETRIC.MINISBLACK,
    PHOTOMETRIC.RGB,
    PHOTOMETRIC.PALETTE,
    PHOTOMETRIC.MASK,
}
# Of YCbCr, what the decoder itself turns into RGB: JPEG in its kinds, JPEG 2000, WebP.
DECODED_TO_RGB = {6, 7, 33003, 33004, 33005, 34712, 50001}
# Weights of red, green and blue in brightness (ITU-R BT.601).
BRIGHTNESS = np.array([0.299, 0.587, 0.114])


def page_shape(page, is_imagej):
    """Return the axes of the picture on a page, and their lengths.

    Parameters
    ----------
    page : tifffile.TiffPage
        The page.
    is_imagej : bool
        Whether ImageJ's conventions hold.

    Returns
    -------
    axes : str
        S are the samples, those of a palette its three colours.
    sizes : dict of str to int
        Length of each axis.

    Raises
    ------
    ValueError
        If the colours are none that can be read.
    """
    _check_colours(page)
    axes, sizes = page.axes, dict(zip(page.axes, page.shape, strict=True))
    if _is_coloured(page, is_imagej):
        axes, sizes = axes + "S", sizes | {"S": 3}
    elif page.photometric == PHOTOMETRIC.SEPARATED:
        sizes["S"] = 3
    return axes, sizes


def page_dtype(page):
    """Return the type of the pixels that `to_picture` gives."""
    is_byte = page.dtype == bool or page.photometric == PHOTOMETRIC.PALETTE
    return np.dtype(np.uint8) if is_byte else page.dtype


def n_alpha(page):
    """Count the samples at the end that are alpha."""
    if page.photometric == PHOTOMETRIC.SEPARATED or "S" not in page.axes:
        return 0
    is_alpha = [one in ALPHA_SAMPLES for one in page.extrasamples]
    return len(is_alpha) - max(
        (i + 1 for i, one in enumerate(is_alpha) if not one), default=0
    )


def to_picture(pixels, page, is_imagej):
    """Turn the numbers of a page into those of the picture.

    Parameters
    ----------
    pixels : ndarray of shape (..., *page.shape)
        The numbers.
    page : tifffile.TiffPage
        Their page.
    is_imagej : bool
        Whether ImageJ's conventions hold.

    Returns
    -------
    picture : ndarray
        White is the largest number; less than 8 bits are spread over 8.
    """
    bits = page.bitspersample
    if page.photometric == PHOTOMETRIC.PALETTE:
        if is_imagej and not _is_coloured(page, is_imagej):
            return pixels
        # The colours of a palette have 16 bits (TIFF 6.0, ColorMap); 8 are in use.
        colours = (page.colormap >> 8).astype(np.uint8)
        if not _is_coloured(page, is_imagej):
            return colours[0][pixels]
        return np.moveaxis(colours[:, pixels], 0, -1)
    if page.photometric == PHOTOMETRIC.SEPARATED:
        return _inks_to_colours(pixels, page)
    if pixels.dtype == bool:
        pixels = pixels * np.uint8(255)
    elif bits < 8 and pixels.dtype == np.uint8:
        pixels = (pixels.astype(np.uint16) * 255 // (2**bits - 1)).astype(np.uint8)
    if page.photometric == PHOTOMETRIC.MINISWHITE and pixels.dtype.kind == "u":
        return np.array(2 ** max(bits, 8) - 1, pixels.dtype) - pixels
    return pixels


def _check_colours(page):
    colours = page.photometric
    if colours in READ_AS_THEY_ARE:
        return
    if colours == PHOTOMETRIC.SEPARATED:
        if page.shape[-1] == 4 and page.dtype.kind == "u":
            return
    elif colours == PHOTOMETRIC.YCBCR and int(page.compression) in DECODED_TO_RGB:
        return
    name = getattr(colours, "name", colours)
    raise ValueError(f"its colours are stored as {name}; save it as grey or RGB")


def _is_coloured(page, is_imagej):
    """Tell whether a page has a palette, and it means colours.

    ImageJ shows intensities in the colours of a lookup table, from dark to bright: the
    intensities are the picture.
    """
    if page.photometric != PHOTOMETRIC.PALETTE:
        return False
    table = page.colormap
    if (table == table[:1]).all():
        return False
    return not (is_imagej and (np.diff(BRIGHTNESS @ table) >= 0).mean() > 0.9)


def _inks_to_colours(pixels, page):
    """Cyan, magenta, yellow and black as red, green and blue (TIFF 6.0, section 16)."""
    most = 2**page.bitspersample - 1
    inks = pixels.astype(np.float64) / most
    colours = (1 - inks[..., :3]) * (1 - inks[..., 3:4]) * most
    return np.rint(colours).astype(pixels.dtype)
