def estimate_cell_radius(images, points):
    raise ValueError("not yet")
