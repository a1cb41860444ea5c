"""The set of allowed parameterizations."""

from dataclasses import dataclass

from axdesk.core.constraints import ParameterConstraint
from axdesk.core.errors import UserInputError
from axdesk.core.names import first_duplicate
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    TParameterization,
    TParameterValue,
)


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Parameters and the linear constraints between them.

    Attributes:
        parameters: At least one, each name once.
        constraints: Over numeric parameters of this space.
    """

    parameters: tuple[ParameterConfig, ...]
    constraints: tuple[ParameterConstraint, ...] = ()

    def __post_init__(self) -> None:
        if not self.parameters:
            raise UserInputError("A search space needs at least one parameter.")
        twice = first_duplicate(self.names)
        if twice is not None:
            raise UserInputError(
                f"Two parameters are called {twice!r}.", "Give each a name of its own."
            )
        for constraint in self.constraints:
            for name in constraint.names:
                self._check_constrained(constraint, name)

    def _check_constrained(self, constraint: ParameterConstraint, name: str) -> None:
        if name not in self.names:
            raise UserInputError(
                f"The constraint {constraint} names {name!r}, which is no parameter.",
                f"The parameters are {', '.join(self.names)}.",
            )
        parameter = self[name]
        if isinstance(parameter, ChoiceParameterConfig) and not parameter.is_numeric:
            raise UserInputError(
                f"The constraint {constraint} names {name!r}, whose values are no numbers."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    def __getitem__(self, name: str) -> ParameterConfig:
        """Return the parameter called `name`; a KeyError if there is none."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)

    @property
    def is_finite(self) -> bool:
        """Whether only finitely many parameterizations exist."""
        return not any(
            isinstance(p, RangeParameterConfig) and p.parameter_type == "float"
            for p in self.parameters
        )

    def checked(self, parameterization: TParameterization) -> dict[str, TParameterValue]:
        """Return the values in the parameters' order and types.

        Raises:
            UserInputError: If a parameter is missing or unknown, or a value is not allowed.
        """
        missing = [name for name in self.names if name not in parameterization]
        unknown = [name for name in parameterization if name not in self.names]
        if missing or unknown:
            raise UserInputError(
                f"The parameters given do not match: missing {missing}, unknown {unknown}.",
                f"Give exactly {', '.join(self.names)}.",
            )
        return {p.name: p.checked(parameterization[p.name]) for p in self.parameters}

    def broken_constraints(
        self, parameterization: TParameterization
    ) -> tuple[ParameterConstraint, ...]:
        """Return the constraints that the values break."""
        return tuple(c for c in self.constraints if not c.is_met(parameterization))
