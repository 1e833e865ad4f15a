"""What each ONNX operator is made of: one table, filled by a module for each kind."""

from . import elementwise, matrix, movement, quantised, recurrent, reductions, spatial  # noqa: F401  (they fill the table)
from .table import OPERATORS, Call, Operator

__all__ = ["OPERATORS", "Call", "Operator"]
