"""Callbacks of scikit-learn, or nothing where it has none yet (before 1.9)."""

from functools import wraps

__all__ = ["CallbackSupportMixin", "with_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class _NobodyListens:
        """Takes what callbacks would be told."""

        def subcontext(self, task_name="", task_id=None, max_subtasks=0):
            return self

        def call_on_fit_task_begin(self, *, estimator, X, y):
            pass

        def call_on_fit_task_end(self, *, estimator, X, y, reconstruction_attributes):
            return False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """An estimator without `set_callbacks`, whose `fit` is the same."""

        def _init_callback_context(self, max_subtasks=0, sequential_subtasks=True):
            return _NobodyListens()

    def with_callbacks(method):
        """Return the method, with one more frame for `stacklevel` as in 1.9."""

        @wraps(method)
        def same_method(self, *args, **kwargs):
            return method(self, *args, **kwargs)

        return same_method
