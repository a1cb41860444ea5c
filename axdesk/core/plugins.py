"""Plugin files as the rest of the house sees them: descriptions and choices, never classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from axdesk.core.errors import NotFoundError, UnusablePluginError

TOptionValue = int | float | str | bool | None
"""The value of one constructor option; None only where the option allows it."""


class PluginKind(StrEnum):
    """What a plugin class is."""

    RUNNER = "runner"
    METRIC = "metric"


class PluginState(StrEnum):
    """Where a plugin file stands."""

    LOADED = "loaded"
    ERROR = "error"
    UNTRUSTED = "untrusted"
    CHANGED = "changed"
    DISABLED = "disabled"


class Hold(StrEnum):
    """Why a plugin file is not run, though nothing is wrong with it."""

    NOTHING = ""
    UNTRUSTED = "untrusted"
    CHANGED = "changed"
    IN_USE = "in use"
    DISABLED = "disabled"


HOLD_REASONS: Mapping[Hold, str] = {
    Hold.UNTRUSTED: "It is not trusted yet, and nothing of it was run.",
    Hold.CHANGED: "It was changed since it was trusted, and nothing of it was run.",
    Hold.IN_USE: "It was changed while a run goes on, which keeps the version that it has loaded. "
    "It is loaded when the run is over, or by Reload.",
    Hold.DISABLED: "It is disabled.",
}


@dataclass(frozen=True, slots=True)
class OptionDescription:
    """One constructor argument of a plugin class.

    Attributes:
        name: The argument's name.
        kind: What its type hint says.
        is_required: Whether it has no default.
        default: Its default; None if it has none or the default is None.
        choices: The allowed values of kind "choice".
        is_optional: Whether None is allowed.
        help: From the docstring; empty if it says nothing.
        low: The lowest value of a number that is allowed; None for any.
        high: The highest.
        unit: Of a number; empty for none.
    """

    name: str
    kind: Literal["int", "float", "str", "bool", "path", "choice"]
    is_required: bool = False
    default: TOptionValue = None
    choices: tuple[TOptionValue, ...] = ()
    is_optional: bool = False
    help: str = ""
    low: float | None = None
    high: float | None = None
    unit: str = ""

    @property
    def range_text(self) -> str:
        """Which numbers are allowed, such as `0 to 60 s`; empty for any."""
        unit = f"\u00a0{self.unit}" if self.unit else ""
        if self.low is None:
            return "" if self.high is None else f"at most {self.high:.15g}{unit}"
        if self.high is None:
            return f"at least {self.low:.15g}{unit}"
        return f"{self.low:.15g} to {self.high:.15g}{unit}"

    def allows(self, number: float) -> bool:
        """Whether a number lies in the range."""
        is_low = self.low is not None and number < self.low
        return not is_low and (self.high is None or number <= self.high)


@dataclass(frozen=True, slots=True)
class PluginDescription:
    """One runner or metric class of a plugin file.

    Attributes:
        reference: `"hartmann6.py:Hartmann6Runner"`.
        kind: Runner or metric.
        summary: First line of the class's docstring.
        options: Constructor arguments; a metric's `name` is not among them.
        can_stop: Whether the runner overrides `stop_trial`.
        can_find: Whether the runner overrides `find_trial`.
        can_fetch_early: Whether the metric overrides `is_available_while_running`.
    """

    reference: str
    kind: PluginKind
    summary: str = ""
    options: tuple[OptionDescription, ...] = ()
    can_stop: bool = False
    can_find: bool = False
    can_fetch_early: bool = False

    @property
    def class_name(self) -> str:
        """The class's name."""
        return self.reference.partition(":")[2]


@dataclass(frozen=True, slots=True)
class PluginFile:
    """One file of the plugin folder.

    Attributes:
        name: File name, such as `"hartmann6.py"`.
        sha256: Of its bytes, in hex.
        plugins: The public runner and metric classes that it defines.
        error: Why it cannot be used; empty if it can.
        details: The traceback of that error.
        hold: Why it was not run, though it may be good.
        path: Where it lies; empty where nobody says.
        size: In bytes.
    """

    name: str
    sha256: str
    plugins: tuple[PluginDescription, ...] = ()
    error: str = ""
    details: str = ""
    hold: Hold = Hold.NOTHING
    path: str = ""
    size: int = 0

    @property
    def state(self) -> PluginState:
        """Where it stands."""
        match self.hold:
            case Hold.NOTHING:
                is_broken = self.error and not self.plugins
                return PluginState.ERROR if is_broken else PluginState.LOADED
            case Hold.IN_USE:
                return PluginState.CHANGED
            case hold:
                return PluginState(hold.value)


@dataclass(frozen=True, slots=True)
class PluginCheck:
    """What came of checking one class against its contract; the instrument is never asked to move.

    Attributes:
        reference: `"hartmann6.py:Hartmann6Runner"`.
        problem: What is wrong; empty if nothing is.
        note: What could not be checked, and why; empty if all was.
        details: The traceback; empty if there is none.
    """

    reference: str
    problem: str = ""
    note: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class PluginCatalogue:
    """What a plugin folder offers.

    Attributes:
        folder: The folder as text.
        files: In order of name.
    """

    folder: str
    files: tuple[PluginFile, ...] = ()

    def of_kind(self, kind: PluginKind) -> tuple[PluginDescription, ...]:
        """Return the usable runners or metrics, in order."""
        return tuple(p for file in self.files for p in file.plugins if p.kind is kind)

    def find(self, reference: str) -> PluginDescription:
        """Return a class's description.

        Raises:
            NotFoundError: If there is none; `UnusablePluginError` if its file cannot be used.
        """
        for file in self.files:
            for plugin in file.plugins:
                if plugin.reference == reference:
                    return plugin
        file_name = reference.partition(":")[0]
        broken = next((f for f in self.files if f.name == file_name and f.error), None)
        if broken is not None:
            text = f"The plugin file {file_name} cannot be used: {broken.error}"
            raise UnusablePluginError(text, details=broken.details)
        known = ", ".join(p.reference for f in self.files for p in f.plugins) or "none"
        raise NotFoundError(
            f"The plugin {reference!r} is not in {self.folder}.", f"Found there: {known}."
        )


@dataclass(frozen=True, slots=True)
class PluginChoice:
    """A plugin class and the values of its options.

    Attributes:
        reference: `"hartmann6.py:Hartmann6Runner"`.
        options: Option name → value; options left out keep their defaults.
    """

    reference: str
    options: Mapping[str, TOptionValue]

    @property
    def file_name(self) -> str:
        """The plugin file's name."""
        return self.reference.partition(":")[0]


@dataclass(frozen=True, slots=True)
class TrustedPlaces:
    """What the operator said may be run.

    Attributes:
        folders: Folders of which every file is run, whatever becomes of it.
        files: Files that are run as long as they stay as they were.
    """

    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
