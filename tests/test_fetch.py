"""Downloads from a server on this machine, in the layouts of the real archives."""

import hashlib
import io
import socket
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from local_server import serve
from PIL import Image

from pseudocell.datasets import (
    _bbbc039,
    _cell_tracking,
    _download,
    fetch_bbbc039,
    fetch_cell_tracking,
    get_data_home,
)

CONTENT = np.random.default_rng(0).bytes(5000)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server():
    with serve() as server:
        server.files["/file.bin"] = CONTENT
        yield server


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def zipped(files):
    """Return a zip archive of name -> bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tiff(pixels, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


# One file


def test_a_download_is_the_file(server, tmp_path):
    path = tmp_path / "file.bin"
    assert _download.download(f"{server.url}/file.bin", path, sha256(CONTENT)) == path
    assert path.read_bytes() == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == ["file.bin"]


def test_a_file_that_is_there_is_not_downloaded_again(server, tmp_path):
    for _ in range(2):
        _download.download(f"{server.url}/file.bin", tmp_path / "file.bin")
    assert server.paths == ["/file.bin"]


@pytest.mark.parametrize("checksum", [None, sha256(CONTENT)])
def test_a_broken_download_is_tried_again_and_never_half_a_file(
    server, tmp_path, checksum
):
    url, path = f"{server.url}/file.bin", tmp_path / "file.bin"
    server.breaks = [2000, 10]
    assert _download.download(url, path, checksum).read_bytes() == CONTENT
    path.unlink()
    server.breaks = [2000, 10, 500]
    with pytest.raises(OSError, match=r"file.bin cannot be downloaded \("):
        _download.download(url, path, checksum)
    assert not list(tmp_path.iterdir())


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.status["/file.bin"] = [503, 429]
    path = _download.download(f"{server.url}/file.bin", tmp_path / "file.bin")
    assert path.read_bytes() == CONTENT


def test_a_missing_file_says_so(server, tmp_path):
    with pytest.raises(OSError, match=r"other.bin cannot be downloaded \(404 "):
        _download.download(f"{server.url}/other.bin", tmp_path / "other.bin")
    assert not list(tmp_path.iterdir())


def test_a_wrong_checksum_leaves_no_file_behind(server, tmp_path):
    url = f"{server.url}/file.bin"
    with pytest.raises(ValueError, match="was damaged on its way, or its publisher"):
        _download.download(url, tmp_path / "file.bin", sha256(b"something else"))
    assert not list(tmp_path.iterdir())


def test_offline_says_what_to_do(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/file.bin"
    with pytest.raises(
        OSError, match=r"cannot be downloaded .* Connect to the network"
    ):
        _download.download(url, tmp_path / "file.bin")


def test_without_pooch_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"pip install 'pseudocell\[data\]'"):
        fetch_cell_tracking(data_home=tmp_path)


def test_data_home_is_the_argument_the_variable_or_the_cache(monkeypatch):
    monkeypatch.setenv("PSEUDOCELL_DATA", "/somewhere")
    assert get_data_home("/here") == Path("/here")
    assert get_data_home() == Path("/somewhere")
    monkeypatch.delenv("PSEUDOCELL_DATA")
    assert "pseudocell" in str(get_data_home())


# One archive


def test_an_archive_becomes_a_folder_in_one_step(server, tmp_path):
    server.files["/set.zip"] = zipped({"set/a/b.txt": b"1", "__MACOSX/c": b"2"})
    for _ in range(2):
        folder = _download.download_folder(f"{server.url}/set.zip", tmp_path, "set")
    assert (folder / "a" / "b.txt").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert server.paths == ["/set.zip"]


@pytest.mark.parametrize("is_late", [False, True])
def test_what_breaks_off_leaves_no_archive(server, tmp_path, monkeypatch, is_late):
    """Before the folder appears, or just after it did."""
    server.files["/cells.zip"] = zipped({"cells/a.txt": b"a"})
    rename = _download._rename_durably

    def break_off(source, target):
        if target == tmp_path / "cells" and not is_late:
            raise KeyboardInterrupt
        rename(source, target)
        if target == tmp_path / "cells":
            raise KeyboardInterrupt

    monkeypatch.setattr(_download, "_rename_durably", break_off)
    with pytest.raises(KeyboardInterrupt):
        _download.download_folder(server.url + "/cells.zip", tmp_path, "cells")
    assert [one.name for one in tmp_path.iterdir()] == ["cells"] * is_late


def test_what_a_killed_download_left_goes_though_the_folder_is_there(tmp_path):
    (tmp_path / "cells").mkdir()
    (tmp_path / ".pseudocell-left").mkdir()
    (tmp_path / ".pseudocell-left" / ".in-use").touch()
    _download.download_folder("http://nowhere/cells.zip", tmp_path, "cells")
    assert [one.name for one in tmp_path.iterdir()] == ["cells"]


def test_files_that_another_program_removes_are_missed(server, tmp_path, monkeypatch):
    server.files["/cells.zip"] = zipped({"cells/a.txt": b"a", "cells/b.txt": b"b"})

    class Leaky(zipfile.ZipFile):
        def extractall(self, path):
            super().extractall(path)
            (path / "cells" / "a.txt").unlink()

    monkeypatch.setattr(_download.zipfile, "ZipFile", Leaky)
    with pytest.raises(OSError, match="Another program removed files"):
        _download.download_folder(server.url + "/cells.zip", tmp_path, "cells")
    assert not list(tmp_path.iterdir())


def test_a_damaged_archive_is_deleted(server, tmp_path):
    good = zipped({"set/a.txt": b"0123456789" * 100})
    damaged = good.replace(b"0123456789", b"9876543210", 1)
    for content in (damaged, good[:-30], b""):
        server.files["/set.zip"] = content
        with pytest.raises(ValueError, match="damaged .* and was deleted. Call again"):
            _download.download_folder(f"{server.url}/set.zip", tmp_path, "set")
        assert not list(tmp_path.iterdir())


def test_an_archive_without_the_folder_says_what_is_in_it(server, tmp_path):
    server.files["/set.zip"] = zipped({"other/a.txt": b"1"})
    with pytest.raises(ValueError, match=r"holds \['other'\]; expected a folder set"):
        _download.download_folder(f"{server.url}/set.zip", tmp_path, "set")


# Whole sets


def test_cell_tracking_comes_over_the_network(server, tmp_path, monkeypatch):
    markers = np.zeros((20, 30), np.uint16)
    markers[4:7, 9:12] = 3
    name = "BF-C2DL-HSC"
    archive = zipped(
        {
            f"{name}/02/t0000.tif": tiff(markers.astype(np.uint8), compression="lzw"),
            f"{name}/02_GT/TRA/man_track0000.tif": tiff(markers, compression="lzw"),
            f"{name}/02_GT/TRA/man_track.txt": b"3 0 0 0\n",
        }
    )
    server.files[f"/{name}.zip"] = archive
    monkeypatch.setattr(_cell_tracking, "ADDRESS", f"{server.url}/")
    with pytest.raises(ValueError, match="publisher has replaced it"):
        fetch_cell_tracking(name, "02", data_home=tmp_path)
    monkeypatch.setitem(_cell_tracking.CHECKSUMS, name, sha256(archive))
    for _ in range(2):
        images, points = fetch_cell_tracking(name, "02", data_home=tmp_path)
    assert server.paths == [f"/{name}.zip"] * 4  # three attempts, and one
    np.testing.assert_array_equal(images[0], markers)
    np.testing.assert_array_equal(points, [[[5.0, 10.0]]])


def test_verify_false_takes_what_comes(server, tmp_path, monkeypatch):
    name = "PhC-C2DL-PSC"
    pixels = tiff(np.ones((9, 9), np.uint16))
    server.files[f"/{name}.zip"] = zipped(
        {f"{name}/01/t000.tif": pixels, f"{name}/01_GT/TRA/man_track000.tif": pixels}
    )
    monkeypatch.setattr(_cell_tracking, "ADDRESS", f"{server.url}/")
    _, points = fetch_cell_tracking(name, data_home=tmp_path, verify=False)
    np.testing.assert_array_equal(points, [[[4.0, 4.0]]])


def test_an_unknown_set_is_refused_before_any_download(tmp_path):
    with pytest.raises(ValueError, match="name is 'HSC'; expected one of BF-C2DL-HSC"):
        fetch_cell_tracking("HSC", data_home=tmp_path)
    with pytest.raises(ValueError, match="subset is 'train'; expected one of training"):
        fetch_bbbc039("train", data_home=tmp_path)


def test_bbbc039_comes_over_the_network(server, tmp_path, monkeypatch):
    mask = np.zeros((52, 69, 4), np.uint8)
    mask[2:9, 3:10, 0] = 1  # two nuclei that touch have different values
    mask[9:16, 3:10, 0] = 2
    mask[30, 30, 0] = 1  # a speck
    names = {"training": "a.png\nb.png\n", "validation": "", "test": "c.png\n"}
    archives = {
        "images": {
            f"images/{n}.tif": tiff(np.full((52, 69), ord(n), np.uint16)) for n in "abc"
        },
        "masks": {f"masks/{n}.png": png(mask) for n in "ab"}
        | {"masks/c.png": png(0 * mask), "__MACOSX/masks/._c.png": b""},
        "metadata": {f"metadata/{n}.txt": text for n, text in names.items()},
    }
    monkeypatch.setattr(_bbbc039, "ADDRESS", f"{server.url}/")
    for name, files in archives.items():
        content = server.files[f"/{name}.zip"] = zipped(files)
        monkeypatch.setitem(_bbbc039.CHECKSUMS, name, sha256(content))
    images, points = fetch_bbbc039(data_home=tmp_path)
    assert [np.asarray(image)[0, 0] for image in images] == [ord("a"), ord("b")]
    for rows in points:
        np.testing.assert_array_equal(rows, [[5.0, 6.0], [12.0, 6.0]])
    images, points = fetch_bbbc039("test", data_home=tmp_path)
    assert (len(images), points[0].shape) == (1, (0, 2))
    assert sorted(server.paths) == ["/images.zip", "/masks.zip", "/metadata.zip"]
