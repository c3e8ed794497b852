"""Progress is shown where somebody watches, and nowhere else."""

import io
import sys

import pytest
from joblib import Parallel, delayed

from pseudocell._watched import shows_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_without_a_terminal_nothing_is_shown(monkeypatch):
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        assert not shows_progress(None)


def test_in_a_terminal_it_is_shown_unless_verbose_says_no(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert shows_progress(None)
    assert not shows_progress(0)


def test_in_a_notebook_it_is_shown(monkeypatch):
    class Shell:
        kernel = None

    class IPython:
        get_ipython = staticmethod(Shell)

    monkeypatch.setitem(sys.modules, "IPython", IPython)
    assert shows_progress(None)


@pytest.mark.parametrize("verbose", [1, True, 2])
def test_verbose_shows_it_anywhere(verbose):
    assert shows_progress(verbose)


def test_workers_of_a_search_show_none(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    jobs = [delayed(shows_progress)(None)] * 2
    assert Parallel(2, backend="threading")(jobs) == [False, False]
