"""Long work beside the window: one piece at a time, with progress and Cancel."""

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

__all__ = ["Work", "sentence"]


class Work(QObject):
    """One thread that works while the window stays alive.

    What it finds on its way comes to the thread of the window as a signal; the work
    itself touches neither layers nor widgets.
    """

    progressed = Signal(float, str)
    arrived = Signal(object)
    ended = Signal(object)
    failed = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._worker, self._on_cancel, self.is_stopped = None, None, False

    @property
    def is_running(self):
        """Whether there is work in progress."""
        return self._worker is not None

    def start(self, function, *arguments, on_cancel=None):
        """Start some work.

        Parameters
        ----------
        function : callable
            Called in the other thread as ``function(work, *arguments)``. It hands
            results to ``work.arrived.emit``, and asks `report` whether to go on.
        *arguments : object
            Its arguments.
        on_cancel : callable, optional
            Called in this thread by `cancel`, to reach what reports nothing.

        Raises
        ------
        ValueError
            If there is work in progress.
        """
        if self.is_running:
            raise ValueError("Still at work; wait for it or press Cancel.")
        self.is_stopped, self._on_cancel = False, on_cancel
        self._worker = create_worker(
            _attempt, function, self, *arguments, _start_thread=False
        )
        self._worker.returned.connect(self._end)
        # What is no fault of the user: napari shows its traceback.
        self._worker.errored.connect(lambda error: self._end((None, error)))
        self._worker.start()

    def report(self, fraction, text):
        """Say how far the work is; return whether it shall stop.

        Parameters
        ----------
        fraction : float
            From 0 to 1.
        text : str
            What is being done.

        Returns
        -------
        stop : bool
            Whether somebody has pressed Cancel.
        """
        self.progressed.emit(float(fraction), str(text))
        return self.is_stopped

    def cancel(self):
        """Ask the work to stop; it ends at its next report."""
        self.is_stopped = True
        if self._on_cancel is not None:
            self._on_cancel()

    def _end(self, outcome):
        self._worker = None
        result, error = outcome
        if error is None:
            self.ended.emit(result)
        else:
            self.failed.emit(sentence(error))


def _attempt(function, *arguments):
    """Return what a function returns, and what was wrong with what it was given."""
    try:
        return function(*arguments), None
    except (ValueError, OSError, MemoryError) as error:
        return None, error


def sentence(error):
    """Return what an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
