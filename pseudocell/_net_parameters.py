"""Parameters of an estimator that trains nets: skorch's, by its names and prefixes."""

from numbers import Integral

from sklearn.utils._param_validation import StrOptions

from ._parameters import CheckedMixin, Number

__all__ = ["EPOCH", "NET", "NetParametersMixin"]

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
        further = {name: value for name, value in vars(self).items() if _is_further(name)}
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
        further = {name: value for name, value in vars(self).items() if _is_further(name)}
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

    def _count_batches(self):
        """Return the number of batches of a fit: whole epochs where these are given."""
        return self.max_steps if self.max_epochs is None else self.max_epochs * EPOCH


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
