"""Making the runner and the metrics that an experiment has chosen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from axdesk.core.errors import PluginError, RefusedOptionsError, UserInputError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.plugins import PluginChoice, TOptionValue
from axdesk.plugins.describe import (
    ConstructorOption,
    TPluginClass,
    checked_option,
    constructor_options,
    takes_name,
)
from axdesk.plugins.failures import reason_of, traceback_of
from axdesk.plugins.loader import LoadedPlugins

_T = TypeVar("_T", IRunner, IMetric)


def build_runner(plugins: LoadedPlugins, choice: PluginChoice) -> IRunner:
    """Make the chosen runner.

    Raises:
        NotFoundError: If the folder has no such class.
        UserInputError: If it is no runner, or an option is unknown, missing or not allowed.
        PluginError: If its constructor raises.
    """
    cls = _class(plugins, choice)
    if not issubclass(cls, IRunner):
        raise UserInputError(f"{choice.reference} is a metric; a runner is needed.")
    return _instance(cls, choice, _arguments(choice, constructor_options(cls)))


def build_metric(plugins: LoadedPlugins, choice: PluginChoice, name: str) -> IMetric:
    """Make the chosen metric.

    Args:
        plugins: Where its class is.
        choice: Which class, with which options.
        name: What the objective and the limits call it.

    Raises:
        NotFoundError: If the folder has no such class.
        UserInputError: If it is no metric, goes by another name, or an option is unknown, missing
            or not allowed.
        PluginError: If its constructor raises or leaves it without a name.
    """
    cls = _class(plugins, choice)
    if not issubclass(cls, IMetric):
        raise UserInputError(f"{choice.reference} is a runner; a metric is needed.")
    arguments = _arguments(choice, constructor_options(cls))
    if takes_name(cls):
        arguments["name"] = name
    metric = _instance(cls, choice, arguments)
    own_name = getattr(metric, "name", None)
    if own_name is None:
        raise PluginError(
            f"{choice.reference} has no name.", "Call super().__init__(name) in its constructor."
        )
    if own_name != name:
        raise UserInputError(
            f"{choice.reference} calls itself {own_name!r} and cannot fetch {name!r}.",
            f"Use the name {own_name!r} in the objective and the limits.",
        )
    return metric


def _class(plugins: LoadedPlugins, choice: PluginChoice) -> TPluginClass:
    return plugins.classes[plugins.catalogue.find(choice.reference).reference]


def _arguments(choice: PluginChoice, options: tuple[ConstructorOption, ...]) -> dict[str, Any]:
    names = [option.description.name for option in options]
    for name in choice.options:
        if name not in names:
            raise UserInputError(
                f"{choice.reference} has no option {name!r}.",
                f"Its options: {', '.join(names) or 'none'}.",
            )
    return {
        option.description.name: _argument(choice, option, choice.options)
        for option in options
        if option.description.name in choice.options or option.description.is_required
    }


def _argument(
    choice: PluginChoice, option: ConstructorOption, values: Mapping[str, TOptionValue]
) -> object:
    description = option.description
    if description.name not in values:
        raise UserInputError(f"{choice.reference} needs the option {description.name!r}.")
    try:
        value = checked_option(description, values[description.name])
    except UserInputError as error:
        raise UserInputError(f"{choice.reference}: {error.message}", error.hint) from None
    if value is None:
        return None
    if description.kind == "path":
        return Path(str(value)).expanduser()
    return value if option.enum is None else option.enum(value)


def _instance(cls: type[_T], choice: PluginChoice, arguments: Mapping[str, Any]) -> _T:
    try:
        return cls(**arguments)
    except BaseException as error:  # noqa: BLE001  # plugin border
        # What Python raises for a value that is not allowed; anything else may pass by itself.
        kind = RefusedOptionsError if isinstance(error, ValueError | TypeError) else PluginError
        failure = kind(
            f"{choice.reference} cannot be made: {reason_of(error)}.", details=traceback_of(error)
        )
    raise failure
