"""One page that says what a detector was told, what it found, and how sure that is."""

from pseudocell.report._write import check_extras, write_report

__all__ = ["check_extras", "write_report"]
