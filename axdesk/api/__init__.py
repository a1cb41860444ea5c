"""The public face of axdesk, and the one place that wires the rooms together.

`axdesk.api.client` drives one experiment from Python; `axdesk.api.workspace` serves the window and
the command line, which work on a database of many. The library's usual names are here as well, and
loaded with their first use. Nothing here loads Qt, and torch is loaded only when a model-based
suggestion is asked for.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from axdesk.api.client import Client
    from axdesk.api.configs import (
        CallDeadlines,
        ChoiceParameterConfig,
        DerivedParameterConfig,
        EarlyStopping,
        GlobalStopping,
        OrchestrationConfig,
        RangeParameterConfig,
        RetryBudget,
        StorageConfig,
    )
    from axdesk.api.protocols import IMetric, IRunner, TrialFailedError, TrialStatus
    from axdesk.api.stores import delete_experiment, list_experiments
    from axdesk.api.types import TOutcome, TParameterization, TParameterValue

_HOMES = {
    "CallDeadlines": "configs",
    "ChoiceParameterConfig": "configs",
    "Client": "client",
    "DerivedParameterConfig": "configs",
    "EarlyStopping": "configs",
    "GlobalStopping": "configs",
    "IMetric": "protocols",
    "IRunner": "protocols",
    "OrchestrationConfig": "configs",
    "RangeParameterConfig": "configs",
    "RetryBudget": "configs",
    "StorageConfig": "configs",
    "TOutcome": "types",
    "TParameterValue": "types",
    "TParameterization": "types",
    "TrialFailedError": "protocols",
    "TrialStatus": "protocols",
    "delete_experiment": "stores",
    "list_experiments": "stores",
}

__all__ = [
    "CallDeadlines",
    "ChoiceParameterConfig",
    "Client",
    "DerivedParameterConfig",
    "EarlyStopping",
    "GlobalStopping",
    "IMetric",
    "IRunner",
    "OrchestrationConfig",
    "RangeParameterConfig",
    "RetryBudget",
    "StorageConfig",
    "TOutcome",
    "TParameterValue",
    "TParameterization",
    "TrialFailedError",
    "TrialStatus",
    "delete_experiment",
    "list_experiments",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
