"""Parameters of an estimator that trains nets: skorch's, by its names and prefixes."""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import StrOptions

from ._parameters import CheckedMixin, Number

__all__ = ["EPOCH", "NET", "NetParametersMixin", "split_samples"]

# Batches in an epoch: after so many, callbacks are told and held-out samples looked at.
EPOCH = 30
# What is handed on to skorch as it is, unless it is None.
HANDED_ON = ("module", "criterion", "optimizer", "lr", "batch_size", "callbacks")
# What further names may begin with, as in ``module__depth``.
PREFIXES = (
    "module",
    "criterion",
    "optimizer",
    "callbacks",
    "iterator_train",
    "iterator_valid",
)
NET = {
    "module": [callable, None],
    "criterion": [callable, None],
    "optimizer": [callable, None],
    "lr": [Number(low=0, closed="neither")],
    "batch_size": [Number(Integral, 1)],
    "max_steps": [Number(Integral, 1)],
    "max_epochs": [Number(Integral, 1), None],
    "train_split": [callable, None],
    "callbacks": [list, tuple, StrOptions({"disable"}), None],
}


class NetParametersMixin(CheckedMixin):
    """An estimator whose further parameters are those that skorch knows by a prefix.

    They are attributes of the estimator, as in skorch, so that `clone`, `set_params`
    and searches reach them.
    """

    def _set_further(self, given):
        """Store what `__init__` was given by other names than its own."""
        for name in given:
            if not _is_further(name):
                raise TypeError(
                    f"{type(self).__name__} got an unexpected argument "
                    f"{name!r}{_suggest(name)}; expected one of its parameters, or one "
                    f"of skorch that begins with {_listed(PREFIXES)}."
                )
        vars(self).update(given)

    def get_params(self, deep=True):
        """Return the parameters, those of skorch that were set among them.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return those of nested estimators, too.

        Returns
        -------
        params : dict
            Names and values.
        """
        further = {
            name: value for name, value in vars(self).items() if _is_further(name)
        }
        return {**super().get_params(deep), **further}

    def set_params(self, **params):
        """Set parameters, also those that skorch knows by a prefix.

        Parameters
        ----------
        **params
            Names such as ``lr`` and ``module__depth``, and values.

        Returns
        -------
        self : estimator
        """
        further = {name: params.pop(name) for name in [*params] if _is_further(name)}
        super().set_params(**params)
        vars(self).update(further)
        return self

    def _net_settings(self, **defaults):
        """Return what a net of skorch is made with.

        Parameters
        ----------
        **defaults
            Names and values for what is None or not set.

        Returns
        -------
        settings : dict
            Names and values.
        """
        mine = {name: getattr(self, name) for name in HANDED_ON}
        mine = {name: value for name, value in mine.items() if value is not None}
        further = {
            name: value for name, value in vars(self).items() if _is_further(name)
        }
        settings = {**defaults, **mine, **further}
        if hasattr(self.module, "state_dict") and not isinstance(self.module, type):
            # It is there already, with its weights.
            del settings["module__in_channels"]
            arguments = [name for name in settings if name.startswith("module__")]
            if arguments:
                raise ValueError(
                    f"{arguments[0]} is given, but module is a "
                    f"{type(self.module).__name__} that is built already; expected its "
                    "class, or no such argument."
                )
        return settings

    @property
    def history_(self):
        """What skorch recorded of the last training: of the net, or a list of nets."""
        if hasattr(self, "net_"):
            return self.net_.history_
        return [net.history_ for net in self.nets_]

    def _count_batches(self):
        """Return the number of batches of a fit: whole epochs where these are given."""
        return self.max_steps if self.max_epochs is None else self.max_epochs * EPOCH


def split_samples(train_split, n_samples, y=None, name="samples"):
    """Split samples as skorch splits a data set.

    Parameters
    ----------
    train_split : callable or None
        Called with a data set and, if there is one, its target; returns two parts of
        it, as `skorch.dataset.ValidSplit` does. None keeps all samples.
    n_samples : int
        Number of samples.
    y : ndarray of shape (n_samples,), optional
        The target.
    name : str
        What the samples are, for an error.

    Returns
    -------
    train, valid : int ndarray of shape (n,) and (m,)
        Numbers of the samples, increasing.

    Raises
    ------
    ValueError
        If it does not give two parts of the samples, the first not empty.
    """
    if train_split is None:
        return np.arange(n_samples), np.arange(0)
    numbers = np.arange(n_samples)
    try:
        parts = train_split(numbers) if y is None else train_split(numbers, y)
        train, valid = ([] if part is None else [*map(int, part)] for part in parts)
    except Exception as error:
        raise ValueError(
            f"train_split cannot split {n_samples} {name}: {error}"
        ) from error
    every = train + valid
    if not train or len({*every}) < len(every) or not {*every} <= {*numbers.tolist()}:
        raise ValueError(
            f"train_split gave {len(train)} and {len(valid)} samples that are not two "
            f"parts of the {n_samples} {name}; expected what "
            "skorch.dataset.ValidSplit(5) gives."
        )
    return np.sort(np.array(train)), np.sort(np.array(valid, dtype=int))


def _is_further(name):
    """Whether a name is one of skorch that no signature lists."""
    prefix, _, rest = name.partition("__")
    return prefix in PREFIXES and (bool(rest) or name.startswith("iterator_"))


def _suggest(name):
    for prefix in PREFIXES:
        if name.startswith(f"{prefix}_"):
            return f" (did you mean {prefix}__{name[len(prefix) :].lstrip('_')}?)"
    return ""


def _listed(names):
    *most, last = (f"{name}__" for name in names)
    return f"{', '.join(most)} or {last}"
