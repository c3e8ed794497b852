"""The plugin of napari: a thin shell over a session, in the window where people click.

Nothing but napari imports it, by the names in ``napari.yaml``.
"""
