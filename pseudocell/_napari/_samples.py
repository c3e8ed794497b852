"""Drawn images to try the plugin on."""

from pseudocell.datasets import make_brightfield, make_phase_contrast

__all__ = ["brightfield", "phase_contrast"]

N_IMAGES, SHAPE = 4, (384, 384)


def brightfield():
    """Draw round cells among debris in bright field.

    Returns
    -------
    layers : list of tuple
        A layer for each of four images, as napari wants them.
    """
    images, _ = make_brightfield(N_IMAGES, SHAPE, n_cells=60, random_state=0)
    return _layers(images, "bright field, drawn")


def phase_contrast():
    """Draw long adherent cells with halos in phase contrast.

    Returns
    -------
    layers : list of tuple
        A layer for each of four images, as napari wants them.
    """
    images, _ = make_phase_contrast(N_IMAGES, SHAPE, random_state=0)
    return _layers(images, "phase contrast, drawn")


def _layers(images, name):
    return [
        (image, {"name": f"{name} {number}"}, "image")
        for number, image in enumerate(images, start=1)
    ]
