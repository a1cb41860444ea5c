"""A request in numbers, prepared once for all its candidates."""

import logging
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from axdesk.core.errors import SearchSpaceExhaustedError, UserInputError
from axdesk.core.parameters import DerivedParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.suggestions import Parameters, SuggestionRequest
from axdesk.generation.encoding import Array, Encoding, Mask
from axdesk.generation.feasibility import MAX_LISTED, Region, check_feasible

logger = logging.getLogger(__name__)


def narrowed(space: SearchSpace, held: Parameters) -> SearchSpace:
    """Return the part of a search space where parameters have given values.

    A parameter on which one of them depends is held, too: at the first value at which that exists.

    Raises:
        UserInputError: If there is no such parameter, a value is not allowed, or none is left; if
            a parameter does not exist where another one is held, or no point there is allowed.
    """
    searched = {parameter.name: parameter for parameter in space.tunable}
    for name, value in held.items():
        if name not in searched:
            raise UserInputError(
                f"There is no parameter {name!r} to be held at a value.",
                f"The parameters are {', '.join(searched)}.",
            )
        parameter = searched[name]
        if parameter.is_fixed and parameter.checked(value) != parameter.fixed_value:
            raise UserInputError(
                f"Parameter {name!r} cannot be held at {value!r}: it is {parameter.fixed_value!r} "
                "in all trials."
            )
    held = _with_parents(space, held)
    if all(parameter.is_fixed or parameter.name in held for parameter in space.tunable):
        raise UserInputError(
            "Every parameter is held at a value, and none is left to be searched.",
            "Add a trial whose values are all known with attach_trial.",
        )
    parameters = tuple(
        p
        if isinstance(p, DerivedParameterConfig) or p.name not in held or p.is_fixed
        else replace(p, is_on=False, start_value=p.checked(held[p.name]))  # type: ignore[arg-type]  # its own type
        for p in space.parameters
    )
    narrow = SearchSpace(parameters, space.constraints)
    try:
        check_feasible(narrow)
    except UserInputError as error:
        values = ", ".join(f"{name} = {value!r}" for name, value in held.items())
        raise UserInputError(
            f"No point with {values} is allowed. {error.message}", "Hold other values."
        ) from error
    return narrow


def _with_parents(space: SearchSpace, held: Parameters) -> Parameters:
    """Return what is held, and what that depends on."""
    whole, parents = dict(held), space.parents
    fixed = {p.name: p.fixed_value for p in space.tunable if p.is_fixed}
    for name in held:
        child = name
        while child in parents:
            parent, needed = parents[child]
            value = fixed.get(parent, whole.get(parent, needed[0]))
            if value not in needed:
                raise UserInputError(
                    f"Parameter {name!r} cannot be held at {held[name]!r}: {child!r} exists only "
                    f"where {parent!r} is {' or '.join(map(repr, needed))}, and {parent!r} is "
                    f"{value!r}.",
                    f"Leave one of {name!r} and {parent!r} out.",
                )
            if parent not in fixed:
                whole[parent] = value
            child = parent
    return whole


class Problem:
    """The search space of a request, and what was tried in it.

    Attributes:
        encoding: Of what is searched: the search space without what is held at a value.
        whole: Of the whole search space.
        region: Its allowed rows.
        listed: Every allowed row of a small finite space; None for others.
    """

    def __init__(self, request: SuggestionRequest) -> None:
        self.whole = self.encoding = Encoding(request.search_space)
        if request.held:
            self.encoding = Encoding(narrowed(request.search_space, request.held))
        self.region = Region(self.encoding)
        self.listed = None if self.encoding.floats else self.region.all_rows(MAX_LISTED)
        done = [(point.trial_index, point.parameters) for point in request.observed]
        done += [*request.pending, *request.abandoned]
        held = request.held.items()
        done = [(i, point) for i, point in done if all(point.get(n) == v for n, v in held)]
        self._tried = set(self.encoding.keys(self._rows(done)))

    def _rows(self, trials: Iterable[tuple[int, Parameters]]) -> Array:
        rows = list[Array]()
        for index, parameters in trials:
            row = self.encoding.row(parameters)
            if row is None:
                logger.info("Trial %d does not fit the search space and is left out.", index)
            else:
                rows.append(row)
        return np.array(rows).reshape(len(rows), self.encoding.dimension)

    def are_new(self, rows: Array) -> Mask:
        """Return for each row whether no trial that counts was made there."""
        return np.array([key not in self._tried for key in self.encoding.keys(rows)], bool)

    def is_new(self, row: Array) -> bool:
        """Whether no trial that counts was made there."""
        return bool(self.are_new(row[None])[0])

    @property
    def is_exhausted(self) -> bool:
        """Whether the space is known to be finite and every allowed point was tried."""
        return self.listed is not None and not self.are_new(self.listed).any()

    def add(self, row: Array) -> None:
        """Count a row as tried."""
        self._tried.update(self.encoding.keys(row[None]))

    def untried(self, rng: np.random.Generator, n: int) -> Array:
        """Return random rows that are allowed and new, at least one.

        Raises:
            SearchSpaceExhaustedError: If none is left.
        """
        if self.listed is None:
            rows = self.region.sample(n, rng)
        else:
            rows = self.listed[rng.permutation(len(self.listed))]
        new = rows[self.are_new(rows)][:n]
        if not len(new):
            raise SearchSpaceExhaustedError(
                f"Every allowed point of the search space was tried: {len(self._tried)} points.",
                "Widen the bounds, or add levels.",
            )
        return np.asarray(new)
