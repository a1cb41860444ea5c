"""A request in numbers, prepared once for all its candidates."""

import logging
from collections.abc import Iterable

import numpy as np

from axdesk.core.errors import SearchSpaceExhaustedError
from axdesk.core.suggestions import Parameters, SuggestionRequest
from axdesk.generation.encoding import Array, Encoding
from axdesk.generation.feasibility import Region

logger = logging.getLogger(__name__)

_MAX_LISTED = 10_000
"""Points up to which a finite space is listed and searched exhaustively."""


class Problem:
    """The search space of a request, and what was tried in it.

    Attributes:
        encoding: Of the search space.
        region: Its allowed rows.
        listed: Every allowed row of a small finite space; None for others.
    """

    def __init__(self, request: SuggestionRequest) -> None:
        self.encoding = Encoding(request.search_space)
        self.region = Region(self.encoding)
        self.listed = None if self.encoding.floats else self.region.all_rows(_MAX_LISTED)
        done = [(point.trial_index, point.parameters) for point in request.observed]
        done += [*request.pending, *request.abandoned]
        self._tried = {self.encoding.key(row) for row in self._rows(done)}

    def _rows(self, trials: Iterable[tuple[int, Parameters]]) -> list[Array]:
        rows = []
        for index, parameters in trials:
            row = self.encoding.row(parameters)
            if row is None:
                logger.info("Trial %d does not fit the search space and is left out.", index)
            else:
                rows.append(row)
        return rows

    def is_new(self, row: Array) -> bool:
        """Whether no trial that counts was made there."""
        return self.encoding.key(row) not in self._tried

    @property
    def is_exhausted(self) -> bool:
        """Whether the space is known to be finite and every allowed point was tried."""
        return self.listed is not None and not any(map(self.is_new, self.listed))

    def add(self, row: Array) -> None:
        """Count a row as tried."""
        self._tried.add(self.encoding.key(row))

    def untried(self, rng: np.random.Generator, n: int) -> Array:
        """Return random rows that are allowed and new, at least one.

        Raises:
            SearchSpaceExhaustedError: If none is left.
        """
        if self.listed is None:
            rows = self.region.sample(n, rng)
        else:
            rows = self.listed[rng.permutation(len(self.listed))]
        new = [row for row in rows if self.is_new(row)][:n]
        if not new:
            raise SearchSpaceExhaustedError(
                f"Every allowed point of the search space was tried: {len(self._tried)} points.",
                "Widen the bounds, or add levels.",
            )
        return np.array(new)
