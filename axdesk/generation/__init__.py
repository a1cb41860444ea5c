"""Where candidates come from: search space and observations in, suggested arms out.

The door is a pure function of its arguments and a seed: same input, same output, on any thread or
process. Encoding, space-filling points and feasibility need NumPy and SciPy only; importing this
package loads no torch, which is imported at the first model-based suggestion.
"""

from axdesk.generation.feasibility import check_feasible
from axdesk.generation.strategy import (
    best_point,
    next_source,
    predict,
    space_filling,
    suggest,
    warm_up,
)

__all__ = [
    "best_point",
    "check_feasible",
    "next_source",
    "predict",
    "space_filling",
    "suggest",
    "warm_up",
]
