"""Closed-loop laboratory experiments: suggest a trial, run it, measure it, suggest again.

Three front doors lead to the same program: the window (``axdesk``), the command line
(``axdesk --headless``) and the Python library (``axdesk.api``), whose usual names are here as well.
Importing this package loads neither Qt nor torch.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from axdesk.api.client import Client
    from axdesk.api.configs import (
        CallDeadlines,
        ChoiceParameterConfig,
        OrchestrationConfig,
        RangeParameterConfig,
        RetryBudget,
        StorageConfig,
    )
    from axdesk.api.protocols.metric import IMetric
    from axdesk.api.protocols.runner import IRunner, TrialStatus

__version__ = "0.1.0"

__all__ = [
    "CallDeadlines",
    "ChoiceParameterConfig",
    "Client",
    "IMetric",
    "IRunner",
    "OrchestrationConfig",
    "RangeParameterConfig",
    "RetryBudget",
    "StorageConfig",
    "TrialStatus",
    "__version__",
]

_HOMES = {
    "Client": "axdesk.api.client",
    "IMetric": "axdesk.api.protocols.metric",
    "IRunner": "axdesk.api.protocols.runner",
    "TrialStatus": "axdesk.api.protocols.runner",
}


def __getattr__(name: str) -> object:
    # Importing axdesk must stay cheap: the window paints before anything else is loaded.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES.get(name, "axdesk.api.configs")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
