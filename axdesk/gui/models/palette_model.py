"""The command palette: what can be carried out, found by a few letters of it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from axdesk.gui.widgets.roles import Role

MOST_SHOWN = 100
"""Entries listed at once; more letters bring up the rest."""


@dataclass(frozen=True, slots=True)
class Command:
    """One entry.

    Attributes:
        key: Names it for good, so that it is known again when it was used.
        text: What it does.
        run: Carries it out.
        place: Where it stands in the menus, such as `View ▸ Theme`.
        keys: Its shortcut as the system writes it; empty for none.
        icon: Name of its icon; empty for none.
        off: Why it cannot be used now; empty if it can.
        tip: What it does in more words; searched, too.
        target: What it would be done to, such as `#17`; empty for nothing in particular.
    """

    key: str
    text: str
    run: Callable[[], object]
    place: str = ""
    keys: str = ""
    icon: str = ""
    off: str = ""
    tip: str = ""
    target: str = ""


def match(query: str, command: Command) -> float | None:
    """How well an entry answers what was typed, higher is better; None if it does not.

    Each word typed must be found: at the head of a word of the text, inside the text, in the place
    or the tip, or as letters of the text in their order (`nmt` finds *New manual trial*).
    """
    score = 0.0
    for word in query.casefold().split():
        found = _match_word(word, command)
        if found is None:
            return None
        score += found
    return score


def _match_word(word: str, command: Command) -> float | None:
    text = command.text.casefold()
    words = re.findall(r"\w+", text)
    if text.startswith(word):
        return 5
    if any(one.startswith(word) for one in words):
        return 4
    if _is_initials(word, words):
        return 3.5
    if word in text:
        return 3
    place, tip = command.place.casefold(), command.tip.casefold()
    if any(one.startswith(word) for one in re.findall(r"\w+", f"{place} {tip}")):
        return 2
    spread = _spread(word, text)
    return None if spread is None else len(word) / spread


def _is_initials(word: str, words: Sequence[str]) -> bool:
    return len(word) > 1 and "".join(one[0] for one in words).startswith(word)


def _spread(word: str, text: str) -> int | None:
    """Over how many letters of the text those of the word lie, in their order."""
    first = place = -1
    for letter in word:
        place = text.find(letter, place + 1)
        if place < 0:
            return None
        first = place if first < 0 else first
    return place - first + 1


class PaletteModel(QAbstractListModel):
    """The entries that answer what is typed, the best first; of equal ones the one used last."""

    def __init__(
        self,
        commands: Sequence[Command],
        recent: Sequence[str],
        find_more: Callable[[str], Sequence[Command]] = lambda _: (),
        parent: QObject | None = None,
    ) -> None:
        """Make a model.

        Args:
            commands: All entries, in the order of the menus.
            recent: Keys of those used last, the latest first.
            find_more: Further entries for what is typed, such as the trial of that number; they
                stand first.
            parent: Owner.
        """
        super().__init__(parent)
        self._commands = commands
        self._rank = {key: rank for rank, key in enumerate(recent)}
        self._find_more = find_more
        self._shown: list[Command] = []
        self.search("")

    def search(self, query: str) -> None:
        """List what answers `query`; an empty one lists all, those used last first."""
        query = query.strip()
        unused = len(self._rank)
        found = [
            (-score, self._rank.get(command.key, unused), command)
            for command in self._commands
            if (score := match(query, command)) is not None
        ]
        found.sort(key=itemgetter(0, 1))
        self.beginResetModel()
        self._shown = [*self._find_more(query), *(command for *_, command in found)][:MOST_SHOWN]
        self.endResetModel()

    def command(self, row: int) -> Command | None:
        """The entry in a row; None if there is none."""
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        """As many as are found."""
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """What the delegate draws, and one sentence for screen readers."""
        command = self.command(index.row())
        if command is None:
            return None
        remark = command.off or command.target
        values: dict[int, object] = {
            Qt.ItemDataRole.DisplayRole: command.text,
            Qt.ItemDataRole.AccessibleTextRole: ", ".join(
                part for part in (command.text, remark, command.keys, command.place) if part
            ),
            Role.ICON: command.icon,
            Role.SECOND_LINE: remark,
            Role.SIDE: command.place,
            Role.KEYS: command.keys,
            Role.OFF: bool(command.off),
        }
        return values.get(role)
