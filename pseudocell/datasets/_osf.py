"""Files of the C2C12 project on the Open Science Framework (osf.io)."""

from pseudocell.datasets._download import download, read_json

__all__ = ["download_files"]

ADDRESS = "https://api.osf.io/v2"
PROJECT = "ysaq2"
BY_HAND = (
    "Download it by hand from https://osf.io/ysaq2 and pass its folder to read_c2c12."
)


def download_files(titles, is_wanted, folder):
    """Download files of one component of the project.

    The project has a component an experiment, and these have one a film and one for
    each kind of annotation: `titles` are how their titles begin, from the project
    downwards, and become folders in `folder`. `is_wanted` is called with the name of a
    file; those that are there stay. The interface is documented at
    https://developer.osf.io.
    """
    node = PROJECT
    for title in titles:
        node, title = _find_component(node, title)
        folder = folder / title
    found = False
    for entry in _pages(f"{ADDRESS}/nodes/{node}/files/osfstorage/"):
        file = entry["attributes"]
        if file["kind"] == "file" and is_wanted(file["name"]):
            found = True
            hashes = file.get("extra", {}).get("hashes", {})
            path = folder / file["name"]
            if not path.is_file():
                folder.mkdir(parents=True, exist_ok=True)
                download(entry["links"]["download"], path, hashes.get("sha256"))
    if not found:
        raise FileNotFoundError(
            f"{folder.name!r} on https://osf.io/{node} holds none of the files that "
            f"are looked for. {BY_HAND}"
        )


def _find_component(node, beginning):
    children = list(_pages(f"{ADDRESS}/nodes/{node}/children/"))
    titles = [(child["attributes"]["title"], child["id"]) for child in children]
    for title, identifier in titles:
        if title.startswith(beginning):
            # A title becomes the name of a folder.
            return identifier, title.replace("/", "_")
    raise FileNotFoundError(
        f"https://osf.io/{node} has no component {beginning!r}, but "
        f"{sorted(title for title, _ in titles)}. {BY_HAND}"
    )


def _pages(url):
    """Yield the entries of a list that comes in pages."""
    url += "?page[size]=100"
    while url:
        page = read_json(url)
        yield from page["data"]
        url = page["links"].get("next")
