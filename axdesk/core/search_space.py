"""The set of allowed parameterizations."""

import math
from dataclasses import dataclass

from axdesk.core.constraints import ParameterConstraint
from axdesk.core.errors import UserInputError
from axdesk.core.expressions import LinearExpression
from axdesk.core.names import first_duplicate
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    TParameterization,
    TParameterValue,
    TunableParameterConfig,
)


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Parameters and the linear constraints between them.

    A parameter on which others depend decides which of them a parameterization has: those that
    do not exist at its value are left out of it.

    Attributes:
        parameters: At least one that is on and not derived, each name once.
        constraints: Over numeric parameters of this space that always exist.
    """

    parameters: tuple[ParameterConfig, ...]
    constraints: tuple[ParameterConstraint, ...] = ()

    def __post_init__(self) -> None:
        if not self.parameters:
            raise UserInputError("A search space needs at least one parameter.")
        if not any(parameter.is_on for parameter in self.tunable):
            raise UserInputError(
                "A search space needs at least one parameter that is on.",
                "Derived parameters do not count.",
            )
        twice = first_duplicate(self.names)
        if twice is not None:
            raise UserInputError(
                f"Two parameters are called {twice!r}.", "Give each a name of its own."
            )
        self._check_dependents()
        for constraint in self.constraints:
            for name in constraint.names:
                self._check_number(name, f"The constraint {constraint}")
        for derived in self.derived:
            for name in derived.expression.names:
                self._check_number(name, f"The derived parameter {derived.name!r}")
            self._check_size(derived)

    def _check_size(self, derived: DerivedParameterConfig) -> None:
        """Refuse a derived parameter that could be too large for a float."""
        try:
            largest = [
                LinearExpression(((name, abs(coefficient)),)).value({name: self.largest(name)})
                for name, coefficient in derived.expression.terms
            ]
            is_finite = math.isfinite(math.fsum([abs(derived.expression.constant), *largest]))
        except OverflowError:
            is_finite = False
        if not is_finite:
            raise UserInputError(
                f"The derived parameter {derived.name!r} can become too large for a number.",
                "Narrow the bounds of the parameters that it follows from.",
            )

    def largest(self, name: str) -> float:
        """Return the largest size of a numeric parameter's values."""
        parameter = self[name]
        assert not isinstance(parameter, DerivedParameterConfig)
        if isinstance(parameter, ChoiceParameterConfig):
            return max(abs(float(value)) for value in parameter.values)
        return max(map(abs, parameter.bounds))

    def _check_number(self, name: str, user: str) -> None:
        """Refuse a name in an expression that is not always a number that is searched."""
        if name not in self.names:
            raise UserInputError(
                f"{user} names {name!r}, which is no parameter.",
                f"The parameters are {', '.join(self.names)}.",
            )
        parameter = self[name]
        if isinstance(parameter, ChoiceParameterConfig) and not parameter.is_numeric:
            raise UserInputError(f"{user} names {name!r}, whose values are no numbers.")
        if isinstance(parameter, DerivedParameterConfig):
            raise UserInputError(
                f"{user} names {name!r}, which is derived itself.",
                f"Write {parameter.expression_str} in its place.",
            )
        if name in self.parents:
            parent, _ = self.parents[name]
            raise UserInputError(
                f"{user} names {name!r}, which exists only at some values of {parent!r}."
            )

    def _check_dependents(self) -> None:
        for parameter in self.tunable:
            if not isinstance(parameter, ChoiceParameterConfig):
                continue
            for name in dict.fromkeys(
                n for ns in parameter.dependent_parameters.values() for n in ns
            ):
                what = f"{parameter.name!r} names {name!r} as depending on it"
                if name not in self.names or isinstance(self[name], DerivedParameterConfig):
                    raise UserInputError(
                        f"{what}, which is no parameter that is searched.",
                        f"These are: {', '.join(p.name for p in self.tunable)}.",
                    )
                if self.parents[name][0] != parameter.name:
                    raise UserInputError(
                        f"{what}, but it depends on {self.parents[name][0]!r} already.",
                        "A parameter can depend on one other.",
                    )
        for name in self.parents:
            seen = [name]
            while seen[-1] in self.parents:
                parent, _ = self.parents[seen[-1]]
                if parent in seen:
                    raise UserInputError(f"The parameter {parent!r} depends on itself.")
                seen.append(parent)

    @property
    def tunable(self) -> tuple[TunableParameterConfig, ...]:
        """The parameters that are not derived, in order."""
        return tuple(p for p in self.parameters if not isinstance(p, DerivedParameterConfig))

    @property
    def derived(self) -> tuple[DerivedParameterConfig, ...]:
        """The parameters that follow from others, in order."""
        return tuple(p for p in self.parameters if isinstance(p, DerivedParameterConfig))

    @property
    def parents(self) -> dict[str, tuple[str, tuple[TParameterValue, ...]]]:
        """Parameter → what it depends on, and the values at which it exists."""
        found: dict[str, tuple[str, tuple[TParameterValue, ...]]] = {}
        for parameter in self.parameters:
            if not isinstance(parameter, ChoiceParameterConfig):
                continue
            for value, names in parameter.dependent_parameters.items():
                for name in names:
                    parent, values = found.get(name, (parameter.name, ()))
                    if parent == parameter.name:
                        found[name] = (parent, (*values, value))
        return found

    def existing(self, values: TParameterization) -> tuple[str, ...]:
        """Return the parameters, without derived ones, that exist where others are these."""
        parents = self.parents

        def exists(name: str) -> bool:
            while name in parents:
                name, needed = parents[name]
                if values.get(name) not in needed:
                    return False
            return True

        return tuple(p.name for p in self.tunable if exists(p.name))

    def completed(self, values: TParameterization) -> dict[str, TParameterValue]:
        """Return a parameterization: without what does not exist there, with what is derived.

        Args:
            values: A value of each parameter that exists and is not derived; others do no harm.
        """
        whole = {name: values[name] for name in self.existing(values)}
        whole |= {derived.name: derived.value(values) for derived in self.derived}
        return {name: whole[name] for name in self.names if name in whole}

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
            isinstance(p, RangeParameterConfig) and not p.is_fixed and p.last_step is None
            for p in self.parameters
        )

    def typed(self, parameterization: TParameterization) -> dict[str, TParameterValue]:
        """Return the values in the parameters' order and types, wherever they lie.

        Args:
            parameterization: A value of each parameter that exists there; derived ones may be left
                out, and are computed anyway.

        Raises:
            UserInputError: If a parameter is missing or unknown, a value is of another type, or
                that of a derived parameter does not follow from the others.
        """
        return self._matched(parameterization, is_checked=False)

    def checked(self, parameterization: TParameterization) -> dict[str, TParameterValue]:
        """Return the values as `typed` does, and refuse those that are not allowed.

        Raises:
            UserInputError: If a parameter is missing or unknown, or a value is not allowed.
        """
        return self._matched(parameterization, is_checked=True)

    def _matched(
        self, parameterization: TParameterization, *, is_checked: bool
    ) -> dict[str, TParameterValue]:
        typed = {
            p.name: p.checked(value) if is_checked else p.typed(value)
            for p in self.tunable
            if (value := parameterization.get(p.name)) is not None
        }
        needed = self.existing(typed)
        missing = [name for name in needed if name not in typed]
        allowed = {*needed, *(p.name for p in self.derived)}
        unknown = [name for name in parameterization if name not in allowed]
        if missing or unknown:
            parts = {"missing": missing, "unknown": unknown}
            told = ", ".join(f"{word} {names}" for word, names in parts.items() if names)
            raise UserInputError(
                f"The parameters given do not match: {told}.",
                f"Give exactly {', '.join(needed)}.",
            )
        whole = self.completed(typed)
        for derived in self.derived:
            given = parameterization.get(derived.name, whole[derived.name])
            if not isinstance(given, int | float) or not math.isclose(
                given, float(whole[derived.name]), rel_tol=1e-6, abs_tol=1e-9
            ):
                raise UserInputError(
                    f"Parameter {derived.name!r} is {whole[derived.name]}, which follows from "
                    f"{derived.expression_str}, and not {given!r}.",
                    "Leave it out.",
                )
        return whole

    def broken_constraints(
        self, parameterization: TParameterization
    ) -> tuple[ParameterConstraint, ...]:
        """Return the constraints that the values break."""
        return tuple(c for c in self.constraints if not c.is_met(parameterization))

    def deviations(self, parameterization: TParameterization) -> tuple[str, ...]:
        """Return a sentence for each value that is not allowed, and each constraint it breaks.

        Args:
            parameterization: Such as `typed` returns.
        """
        found = []
        for parameter in self.tunable:
            value = parameterization.get(parameter.name)
            if value is None:
                continue
            try:
                parameter.checked(value)
            except UserInputError as error:
                found.append(error.message)
            else:
                if parameter.is_fixed and value != parameter.fixed_value:
                    found.append(
                        f"Parameter {parameter.name!r}: the value {value} is not "
                        f"{parameter.fixed_value}, which all other trials have."
                    )
        broken = self.broken_constraints(parameterization)
        return (*found, *(f"The constraint {constraint} is broken." for constraint in broken))
