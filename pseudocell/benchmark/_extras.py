"""What tables and pages need beyond the package itself."""

from importlib import import_module

__all__ = ["check_extras"]


def check_extras():
    """Raise a ValueError if no tables can be made; call it before the long work."""
    for package in ("pandas", "matplotlib", "jinja2"):
        try:
            import_module(package)
        except ImportError as error:
            raise ValueError(
                f"The tables of a benchmark need {error.name}, which is not "
                "installed: pip install 'pseudocell[benchmark]'."
            ) from error
