"""Work tells how far it is, and ends early when nobody waits for it any more."""

import threading
from contextlib import contextmanager, nullcontext

__all__ = [
    "Crew",
    "NoLongerWanted",
    "Watch",
    "check_wanted",
    "enter_part",
    "expect_steps",
    "take_step",
]

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

    @property
    def watch(self):
        """The `Watch` that this crew works for, None if there is none."""
        return None if self._above is None else self._above.watch

    @contextmanager
    def joined(self):
        """Work for the call in this thread, inside a ``with`` block."""
        _this_thread.crew = self
        try:
            check_wanted()
            yield
        finally:
            del _this_thread.crew


class Watch(Crew):
    """A call that somebody watches, and may stop.

    Inside ``with watch.joined():`` a fit or a prediction ends with `NoLongerWanted`,
    within a step of a training or a tile of an image, after `stop` was called from
    any thread or `listen` has returned True.

    Parameters
    ----------
    listen : callable, optional
        Called as ``listen(fraction, text)`` after each step, one call at a time, in a
        thread that works. The fraction never falls.
    n_parts : int, default=1
        Number of parts of the work, where the call knows of no more.

    Examples
    --------
    >>> from pseudocell import HeatmapDetector
    >>> from pseudocell._stopping import NoLongerWanted, Watch
    >>> from pseudocell.datasets import make_brightfield
    >>> images, points = make_brightfield(1, (96, 96), n_cells=6, random_state=0)
    >>> watch = Watch(lambda fraction, text: fraction > 0.5)
    >>> try:
    ...     with watch.joined():
    ...         HeatmapDetector(8, max_steps=4, random_state=0).fit(images, points)
    ... except NoLongerWanted:
    ...     print(f"Stopped at {watch.fraction}.")
    Stopped at 0.75.
    """

    def __init__(self, listen=None, n_parts=1):
        super().__init__()
        self.fraction = 0.0
        self._listen = listen
        self._lock = threading.Lock()
        self._part, self._n_parts = 0, n_parts
        self._n_steps, self._n_done, self._text = 0, 0, ""

    @property
    def watch(self):
        """Itself."""
        return self

    def enter_part(self, number, n_parts, text):
        """Say which of how many parts of the work begins, and what it is."""
        with self._lock:
            self._part, self._n_parts = number, max(self._n_parts, n_parts)
        self._tell(0.0, text)

    @contextmanager
    def steps(self, n_steps, text):
        """Say how many steps follow inside of the ``with`` block."""
        with self._lock:
            self._n_steps, self._n_done, self._text = n_steps, 0, text
        try:
            yield
        finally:
            with self._lock:
                self._n_steps = 0

    def take_step(self):
        """Say that one of them is done."""
        with self._lock:
            if self._n_steps == 0:
                return
            self._n_done += 1
            share = min(1.0, self._n_done / self._n_steps)
        self._tell(share, self._text)

    def _tell(self, share, text):
        with self._lock:
            fraction = (self._part + share) / self._n_parts
            self.fraction = max(self.fraction, fraction)
            if self._listen is not None and not self._is_over:
                self._is_over = bool(self._listen(self.fraction, text))
        check_wanted()


def check_wanted():
    """End the work of this thread if nobody waits for it: call it at each step.

    Raises
    ------
    NoLongerWanted
        If another part of the same call has failed, was interrupted or stopped.
    """
    crew = getattr(_this_thread, "crew", None)
    if crew is not None and crew.is_over():
        raise NoLongerWanted


def expect_steps(n_steps, text):
    """Return a context in which so many calls of `take_step` are to come.

    Parameters
    ----------
    n_steps : int
        Number of steps.
    text : str
        What is done, for a person.
    """
    watch = _find_watch()
    return nullcontext() if watch is None else watch.steps(n_steps, text)


def enter_part(number, n_parts, text):
    """Say to whoever watches which part of the work begins, from 0."""
    watch = _find_watch()
    if watch is not None:
        watch.enter_part(number, n_parts, text)


def take_step():
    """Say that a step is done; end the work if nobody waits for it."""
    check_wanted()
    watch = _find_watch()
    if watch is not None:
        watch.take_step()


def _find_watch():
    crew = getattr(_this_thread, "crew", None)
    return None if crew is None else crew.watch
