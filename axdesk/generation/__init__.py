"""Where candidates come from: search space and observations in, suggested arms out.

The door is a pure function of its arguments and a seed: same input, same output, on any thread or
process. Encoding, space-filling points and feasibility need NumPy and SciPy only, which are loaded
at their first use, and so does the model of the usual path; importing this package loads neither
them nor torch, which is imported at the first suggestion whose model has no closed form.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from axdesk.generation.feasibility import check_feasible
    from axdesk.generation.share import feasible_share
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
    "feasible_share",
    "next_source",
    "predict",
    "space_filling",
    "suggest",
    "warm_up",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = {"check_feasible": "feasibility", "feasible_share": "share"}.get(name, "strategy")
    return getattr(import_module(f"{__name__}.{home}"), name)
