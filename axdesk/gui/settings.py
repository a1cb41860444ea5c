"""What the window keeps for this user between two starts: one name, type and default each.

Experiments, run settings and plugin trust are no such settings; they live in the database and in
the trust file. Whoever needs a setting is handed the `WindowSettings` of the window.
"""

import json
import logging
from collections.abc import Mapping
from typing import Generic, TypeVar, overload

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

MOST_RECENT_COMMANDS = 20
"""Commands of the palette that are remembered."""


MOST_EXPERIMENTS = 200
"""Experiments of which it is remembered how their plots were shown."""


class Setting(Generic[T]):
    """One setting: reads as its default until it was given a value, which is kept at once.

    Values are kept as JSON text, so that a list of one entry, an empty text and a number come back
    as what they were on every system; `bytes` are kept as they are. A value of another type than
    the default's, from a file that was edited by hand, is logged and reads as the default.
    """

    def __init__(self, key: str, default: T) -> None:
        self.key = key
        self.default = default

    @overload
    def __get__(self, owner: None, kind: type) -> "Setting[T]": ...
    @overload
    def __get__(self, owner: "WindowSettings", kind: type) -> T: ...
    def __get__(self, owner: "WindowSettings | None", kind: type) -> "T | Setting[T]":
        if owner is None:
            return self
        stored = owner.stored(self.key)
        if stored is None:
            return self.default
        value: object = stored
        if not isinstance(stored, bytes):
            try:
                value = json.loads(str(stored))
            except ValueError:
                value = stored
        if type(value) is not type(self.default):
            _LOG.warning("setting %s is %r; %r is used instead", self.key, stored, self.default)
            return self.default
        return value

    def __set__(self, owner: "WindowSettings", value: T) -> None:
        if value != self.__get__(owner, type(owner)):
            owner.store(self.key, value if isinstance(value, bytes) else json.dumps(value))


class WindowSettings(QObject):
    """The settings of the window, kept in a `QSettings` or, without one, in memory.

    GUI thread only.

    Signals:
        changed: A setting has another value; carries its key.
    """

    changed = Signal(str)

    theme = Setting("theme", "system")
    """`system`, or the name of a theme."""
    zoom = Setting("zoom", 100)
    """Size of the text in percent of its usual size, 80 to 160."""
    lock_setup = Setting("lock_setup", False)
    """Whether the set-up is greyed, for people who only run."""
    plugin_folder = Setting("plugin_folder", "")
    """The folder of new experiments' plugin files; empty for the one in the user's data folder."""
    notifications_system = Setting("notifications.system", True)
    """Whether the system tells that a run ended, or waits for somebody."""
    notifications_sound = Setting("notifications.sound", False)
    """Whether it beeps then."""
    geometry = Setting("geometry", b"")
    """Place and size of the window, as Qt writes them."""
    hidden_setup_columns = Setting[list[str]]("hidden_setup_columns", ["step", "description"])
    """The columns that the table of parameters does not show."""
    export_kind = Setting("export_kind", "")
    """Key of the kind of file that trials were exported to last; empty before the first time."""
    arrangement = Setting[dict[str, object]]("arrangement", {})
    """Where the docks stood when the window was closed; see `models.layout`."""
    layouts = Setting[dict[str, object]]("layouts", {})
    """The user's own layouts by name; see `models.layout`."""
    recent_commands = Setting[list[str]]("recent_commands", [])
    """Keys of the palette's commands, the one used last first."""
    trial_columns_shown = Setting[dict[str, bool]]("trial_columns_shown", {})
    """By key of a column of the table of trials: whether the operator wants to see it."""
    trial_columns_order = Setting[list[str]]("trial_columns_order", [])
    """Keys of the columns as the operator put them; those of all experiments."""
    trial_columns_widths = Setting[dict[str, int]]("trial_columns_widths", {})
    """By key of a column: how wide the operator drew it, at a 16 pixel line."""
    monitor_options = Setting[dict[str, object]]("monitor_options", {})
    """By database and experiment: what was chosen for its plots, the one chosen last at the end."""

    def __init__(self, kept: QSettings | None = None) -> None:
        super().__init__()
        self._kept = kept
        self._memory: dict[str, object] = {}

    def stored(self, key: str) -> object | None:
        """What is kept under a key: text or bytes; None for nothing."""
        value = self._memory.get(key) if self._kept is None else self._kept.value(key)
        return bytes(value.data()) if isinstance(value, QByteArray) else value

    def store(self, key: str, value: bytes | str) -> None:
        """Keep a value under a key."""
        if self._kept is None:
            self._memory[key] = value
        else:
            self._kept.setValue(key, QByteArray(value) if isinstance(value, bytes) else value)
        self.changed.emit(key)

    def reset(self, *names: str) -> None:
        """Give settings their defaults again, by the names of their attributes."""
        for name in names:
            setattr(self, name, getattr(type(self), name).default)

    def flush(self) -> None:
        """Write what is kept to the disk now."""
        if self._kept is not None:
            self._kept.sync()

    def remember_command(self, key: str) -> None:
        """Put a command at the head of those used last."""
        others = [known for known in self.recent_commands if known != key]
        self.recent_commands = [key, *others][:MOST_RECENT_COMMANDS]

    def remember_monitor_options(self, experiment: str, options: Mapping[str, object]) -> None:
        """Keep what was chosen for an experiment's plots; nothing where all is as at first."""
        others = {k: v for k, v in self.monitor_options.items() if k != experiment}
        chosen = {**others, **({experiment: dict(options)} if options else {})}
        self.monitor_options = dict(list(chosen.items())[-MOST_EXPERIMENTS:])


def defaults() -> Mapping[str, object]:
    """The default of each setting, by the name of its attribute."""
    return {
        name: found.default
        for name, found in vars(WindowSettings).items()
        if isinstance(found, Setting)
    }
