"""Work on other threads ends early when nobody waits for its result any more."""

import threading
from contextlib import contextmanager

__all__ = ["Crew", "check_wanted"]

_this_thread = threading.local()


class NoLongerWanted(BaseException):
    """Ends work that nobody waits for; no ``except Exception`` may keep it going."""


class Crew:
    """Threads that work for one call, and stop together.

    A thread of a crew can have a crew of its own, which stops with it.
    """

    def __init__(self):
        self._above = getattr(_this_thread, "crew", None)
        self._is_over = False

    def stop(self):
        """Let all that works for the call end at its next step."""
        self._is_over = True

    def is_over(self):
        """Tell whether nobody waits for the work any more."""
        return self._is_over or (self._above is not None and self._above.is_over())

    @contextmanager
    def joined(self):
        """Work for the call in this thread, inside a ``with`` block."""
        _this_thread.crew = self
        try:
            check_wanted()
            yield
        finally:
            del _this_thread.crew


def check_wanted():
    """End the work of this thread if nobody waits for it: call it at each step.

    Raises
    ------
    NoLongerWanted
        If another part of the same call has failed or was interrupted.
    """
    crew = getattr(_this_thread, "crew", None)
    if crew is not None and crew.is_over():
        raise NoLongerWanted
