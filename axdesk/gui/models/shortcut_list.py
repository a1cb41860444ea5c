"""All keys of the window as rows, to be searched, copied and printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from axdesk.gui.models.palette_model import Command

KEYS_OF_VIEWS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Everywhere", (
        ("Tab", "Next field"),
        ("Shift+Tab", "Field before"),
        ("Esc", "Leave a dialog or a menu"),
        ("Alt", "Menu bar"),
    )),
    ("Tables of the set-up", (
        ("Enter", "Next row; after the last one a new row"),
        ("Del", "Remove the selected rows"),
        ("Ctrl+D", "Duplicate the selected rows"),
        ("Alt+Up", "Move the selected rows up"),
        ("Alt+Down", "Move the selected rows down"),
        ("F2", "Edit the cell"),
        ("Space", "Open the choices of the cell, or switch the row on or off"),
    )),
)  # fmt: skip
"""Keys that views hear themselves, by where."""


@dataclass(frozen=True, slots=True)
class ShortcutRow:
    """One key: in which menu or view, what it does, and the keys."""

    place: str
    text: str
    keys: str


def shortcut_rows(commands: Sequence[Command]) -> tuple[ShortcutRow, ...]:
    """The keys of all commands that have some, then those of the views."""
    of_menus = tuple(
        ShortcutRow(command.place, command.text.rstrip("…"), command.keys)
        for command in commands
        if command.keys
    )
    of_views = tuple(
        ShortcutRow(place, text, keys) for place, rows in KEYS_OF_VIEWS for keys, text in rows
    )
    return of_menus + of_views


def matching(rows: Sequence[ShortcutRow], query: str) -> tuple[ShortcutRow, ...]:
    """The rows that contain each word typed in place, text or keys."""
    words = query.casefold().split()
    return tuple(
        row
        for row in rows
        if all(word in f"{row.place} {row.text} {row.keys}".casefold() for word in words)
    )


def as_text(rows: Sequence[ShortcutRow]) -> str:
    """The rows as text, one a line with tabs between, as a spreadsheet takes them."""
    return "\n".join(f"{row.keys}\t{row.text}\t{row.place}" for row in rows)


def as_html(rows: Sequence[ShortcutRow]) -> str:
    """The rows as a page to print, grouped by place."""
    parts = ["<h2>axdesk: shortcuts</h2><table cellpadding='3'>"]
    place = ""
    for row in rows:
        if row.place != place:
            place = row.place
            parts.append(f"<tr><td colspan='2'><br><b>{escape(place)}</b></td></tr>")
        parts.append(f"<tr><td width='160'>{escape(row.keys)}</td><td>{escape(row.text)}</td></tr>")
    return "".join([*parts, "</table>"])
