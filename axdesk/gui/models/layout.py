"""Where the docks stand, as a value that is kept: for each central tab what is open, and where."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """What the middle shows; each has docks of its own."""

    START = "start"
    SETUP = "setup"
    MONITOR = "monitor"


@dataclass(frozen=True, slots=True)
class Layout:
    """An arrangement of the docks.

    Attributes:
        opened: The docks that are open, for each tab.
        states: Places and sizes for each tab as Qt writes them; a tab without one has the usual
            places.
        width_class: How wide the window was: 2 wide, 1 medium, 0 narrow.
    """

    opened: Mapping[Mode, frozenset[str]]
    states: Mapping[Mode, bytes] = field(default_factory=dict)
    width_class: int = 2

    def to_plain(self) -> dict[str, object]:
        """The layout as JSON knows it."""
        return {
            "open": {mode.value: sorted(names) for mode, names in self.opened.items()},
            "states": {
                mode.value: base64.b64encode(state).decode() for mode, state in self.states.items()
            },
            "width_class": self.width_class,
        }


def layout_of(plain: object) -> Layout | None:
    """Return what `to_plain` made; None if it is nothing of the kind."""
    match plain:
        case {"open": dict(opened), "states": dict(states), "width_class": int(width_class)}:
            pass
        case _:
            return None
    try:
        return Layout(
            {Mode(mode): frozenset(map(str, names)) for mode, names in opened.items()},
            {Mode(mode): _bytes(state) for mode, state in states.items()},
            width_class,
        )
    except (ValueError, TypeError, binascii.Error):
        return None


def _bytes(state: object) -> bytes:
    if not isinstance(state, str):
        raise TypeError("a state is text")
    return base64.b64decode(state, validate=True)
