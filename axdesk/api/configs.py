"""Configuration values, under the names of the tutorial."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from axdesk.core.errors import UserInputError
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    RangeParameterConfig,
)
from axdesk.core.run import CallDeadlines, OrchestrationConfig, RetryBudget
from axdesk.core.stopping import EarlyStopping, GlobalStopping

__all__ = [
    "CallDeadlines",
    "ChoiceParameterConfig",
    "DerivedParameterConfig",
    "EarlyStopping",
    "GlobalStopping",
    "OrchestrationConfig",
    "RangeParameterConfig",
    "RetryBudget",
    "StorageConfig",
]


@dataclass(frozen=True, slots=True)
class StorageConfig:
    """Where a client keeps its experiment; without one it keeps it in memory only.

    Attributes:
        url: SQLAlchemy URL of an SQLite database, such as `sqlite:////data/lab.sqlite`.
        creator: Returns a new DB-API connection to an SQLite database; instead of `url`.

    Raises:
        UserInputError: If both are given, or none.
    """

    url: str | None = None
    creator: Callable[[], Any] | None = None

    def __post_init__(self) -> None:
        if (self.url is None) == (self.creator is None):
            raise UserInputError(
                "A StorageConfig needs either a url or a creator, and not both.",
                "Write such as StorageConfig(url='sqlite:///lab.sqlite').",
            )
