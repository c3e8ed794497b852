"""Whether somebody watches, so that progress is worth showing."""

import sys

from joblib.parallel import get_active_backend

__all__ = ["shows_progress"]


def shows_progress(verbose):
    """Tell whether to show progress bars.

    Parameters
    ----------
    verbose : int or None
        0 never shows them, another number always; None does in a terminal and in a
        notebook, but not in one of the workers of a search.

    Returns
    -------
    shows : int or bool
        The number itself, if there is one.
    """
    if verbose is not None:
        return int(verbose)
    is_worker = bool(get_active_backend()[0].nesting_level)
    in_terminal = sys.stderr is not None and sys.stderr.isatty()
    return not is_worker and (in_terminal or _in_notebook())


def _in_notebook():
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
