"""What a model may tell the delegates beyond Qt's own roles.

Models serve these from `data(index, role)`; the header reads `UNIT` through `headerData`. A role
that a model does not know is simply absent (None). Of Qt's own roles the delegates read
`DisplayRole` (the text, already formatted), `EditRole`, `TextAlignmentRole`, `CheckStateRole`
and the item flags; Qt itself shows `ToolTipRole` and reads out `AccessibleTextRole`.
"""

from enum import IntEnum

from PySide6.QtCore import Qt


class Role(IntEnum):
    """Item data roles of the window's own."""

    ICON = Qt.ItemDataRole.UserRole + 1
    """`str`: name of the icon in front of the text (alone, if there is no text)."""
    TONE = Qt.ItemDataRole.UserRole + 2
    """`str`: colour token of the text; default `text`."""
    ICON_TONE = Qt.ItemDataRole.UserRole + 3
    """`str`: colour token of the icon; default that of the text."""
    STRONG = Qt.ItemDataRole.UserRole + 4
    """`bool`: semibold text (best trial, name of an item)."""
    UNCERTAINTY = Qt.ItemDataRole.UserRole + 5
    """`str`: small secondary part after a number, such as `± 1.0`."""
    SECOND_LINE = Qt.ItemDataRole.UserRole + 6
    """`str`: second line of a list row, such as `17 of 30`."""
    SECOND_TONE = Qt.ItemDataRole.UserRole + 7
    """`str`: colour token of the second line; default `text2`."""
    SIDE = Qt.ItemDataRole.UserRole + 8
    """`str`: text at the right of a list row's second line (first line, if there is no second)."""
    ISSUE = Qt.ItemDataRole.UserRole + 9
    """`str`: what is wrong with the cell; it gets a frame, a sign and a tip with this sentence."""
    ISSUE_LEVEL = Qt.ItemDataRole.UserRole + 10
    """`str`: `error` (default) or `warning`."""
    CHOICES = Qt.ItemDataRole.UserRole + 11
    """`Sequence[Choice]`: what the cell may be set to; it is edited by a combo box."""
    TAGS = Qt.ItemDataRole.UserRole + 12
    """`Sequence[str]`: values drawn as tags; edited as text with `; ` between them (EditRole)."""
    OFF = Qt.ItemDataRole.UserRole + 13
    """`bool`: the row does not count (a parameter switched off); its text is dimmed."""
    PROGRESS = Qt.ItemDataRole.UserRole + 14
    """`float`: share done (0 to 1), drawn as a bar under the text."""
    SORT = Qt.ItemDataRole.UserRole + 15
    """Sort key of the cell: a number or text, or None for a value that is missing (sorts last)."""
    UNIT = Qt.ItemDataRole.UserRole + 16
    """`str`, of a header: unit, drawn lighter behind the name."""
    PLACEHOLDER = Qt.ItemDataRole.UserRole + 17
    """`str`: hint shown while the cell is empty, such as `Any value`."""
    KEY = Qt.ItemDataRole.UserRole + 18
    """What the row stands for (a trial's index, a section's key), for the views."""
    KEYS = Qt.ItemDataRole.UserRole + 19
    """`str`: shortcut of the command in the row, as the system writes it."""
