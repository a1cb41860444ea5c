"""Checking the classes of a plugin file against what axdesk asks of them; nothing moves."""

import inspect
from collections.abc import Mapping

from axdesk.core.errors import AxdeskError
from axdesk.core.laboratory import IMetric
from axdesk.core.plugins import PluginCheck, PluginChoice, TOptionValue
from axdesk.plugins.build import build_metric, build_runner
from axdesk.plugins.describe import TPluginClass, constructor_options
from axdesk.plugins.loader import LoadedPlugins

_RUNNER_CALLS = {
    "run_trial": ("trial_index", "parameterization"),
    "poll_trial": ("trial_index", "trial_metadata"),
    "stop_trial": ("trial_index", "trial_metadata"),
    "find_trial": ("trial_index", "parameterization"),
}
_METRIC_CALLS: Mapping[str, tuple[str, ...]] = {
    "fetch": ("trial_index", "trial_metadata"),
    "is_available_while_running": (),
}


def checked_classes(
    plugins: LoadedPlugins, options: Mapping[str, Mapping[str, TOptionValue]]
) -> list[PluginCheck]:
    """Check each class: that its methods take what they are given, and that it can be made.

    Args:
        plugins: Of one file.
        options: Reference → values of options; of others the defaults are taken.
    """
    return [
        _checked(plugins, cls, PluginChoice(reference, options.get(reference, {})))
        for reference, cls in plugins.classes.items()
    ]


def _checked(plugins: LoadedPlugins, cls: TPluginClass, choice: PluginChoice) -> PluginCheck:
    wrong = _wrong_method(cls)
    if wrong:
        return PluginCheck(choice.reference, wrong)
    missing = [
        option.description.name
        for option in constructor_options(cls)
        if option.description.is_required and option.description.name not in choice.options
    ]
    if missing:
        note = f"Not made: it needs a value of {', '.join(missing)}."
        return PluginCheck(choice.reference, note=note)
    try:
        if issubclass(cls, IMetric):
            build_metric(plugins, choice, _name_of(cls))
        else:
            build_runner(plugins, choice)
    except AxdeskError as error:
        return PluginCheck(choice.reference, str(error), details=getattr(error, "details", ""))
    return PluginCheck(choice.reference)


def _name_of(cls: type[IMetric]) -> str:
    """Return the name that a metric class gives itself, or any."""
    own = getattr(cls, "name", None)
    return own if isinstance(own, str) else "metric"


def _wrong_method(cls: TPluginClass) -> str:
    calls = _METRIC_CALLS if issubclass(cls, IMetric) else _RUNNER_CALLS
    for name, arguments in calls.items():
        method = inspect.getattr_static(cls, name)
        if inspect.iscoroutinefunction(method):
            return f"{cls.__name__}.{name} is async; it is called as a plain function."
        try:
            signature = inspect.signature(getattr(cls, name))
        except (TypeError, ValueError):
            continue  # written in C: only a call can tell
        is_bound = isinstance(method, staticmethod | classmethod)
        try:
            signature.bind(*(() if is_bound else (None,)), *arguments)
        except TypeError as error:
            given = f"({', '.join(arguments)})"
            return f"{cls.__name__}.{name} is called with {given}: {error}."
    return ""
