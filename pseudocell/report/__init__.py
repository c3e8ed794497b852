"""One page that says what a detector was told, what it found, and how sure that is."""

from pseudocell.report._write import write_report

__all__ = ["write_report"]
