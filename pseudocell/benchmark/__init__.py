"""The paper's tables and figures, for any methods on any sets."""

from pseudocell.benchmark._methods import METHODS, Method
from pseudocell.benchmark._page import write_report
from pseudocell.benchmark._run import BenchmarkResult, run_benchmark
from pseudocell.benchmark._sets import DetectionSet, read_set
from pseudocell.benchmark._tables import method_table, tidy_rows

__all__ = [
    "METHODS",
    "BenchmarkResult",
    "DetectionSet",
    "Method",
    "method_table",
    "read_set",
    "run_benchmark",
    "tidy_rows",
    "write_report",
]
