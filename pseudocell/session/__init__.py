"""A project of images, clicks and a model: click, train, look, correct. No window."""

from pseudocell.session._found import Found
from pseudocell.session._session import Session

__all__ = ["Found", "Session"]
