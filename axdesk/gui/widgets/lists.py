"""The list of set-up sections, and the list of problems under a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QVBoxLayout, QWidget

from axdesk.gui.style import px
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Notice
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import ListView

SECTION_ICONS = {
    "good": ("circle-check-filled", "good"),
    "bad": ("circle-x-filled", "bad"),
    "warn": ("alert-triangle-filled", "warn"),
    "optional": ("circle", "text2"),
    "unseen": ("circle-dashed", "text2"),
}
"""States of a section: done, wrong, doubtful, nothing needed, not looked at yet."""


class SectionList(ListView):
    """The sections of the set-up with a state each.

    Signals:
        section_chosen: The operator went to a section; carries its key.
    """

    section_chosen = Signal(str)

    def __init__(self, sections: Sequence[tuple[str, str]], *, name: str = "") -> None:
        """Make the list.

        Args:
            sections: (key, title) in order.
            name: Object name.
        """
        super().__init__(name=name, label="Sections of the set-up", ground="surface")
        self._items: dict[str, QStandardItem] = {}
        model = QStandardItemModel(self)
        for key, title in sections:
            item = QStandardItem(title)
            item.setData(key, Role.KEY)
            item.setEditable(False)
            self._items[key] = item
            model.appendRow(item)
            self.set_state(key, "unseen", "")
        self.setModel(model)
        self.selectionModel().currentChanged.connect(
            lambda current: self.section_chosen.emit(current.data(Role.KEY))
        )

    def set_state(self, key: str, state: str, sentence: str) -> None:
        """Show a section's state.

        Args:
            key: The section's key.
            state: A key of `SECTION_ICONS`.
            sentence: What it contains, or what is wrong with it.
        """
        icon_name, tone = SECTION_ICONS[state]
        item = self._items[key]
        item.setData(icon_name, Role.ICON)
        item.setData(tone, Role.ICON_TONE)
        item.setData(sentence, Role.SECOND_LINE)
        item.setData(tone if state in ("bad", "warn") else "text2", Role.SECOND_TONE)
        item.setData(f"{item.text()}: {sentence}", Qt.ItemDataRole.AccessibleTextRole)

    def set_current(self, key: str) -> None:
        """Go to a section."""
        self.setCurrentIndex(self._items[key].index())


@dataclass(frozen=True, slots=True)
class Remedy:
    """A way out of an issue: the words of its button and what the button does."""

    text: str
    apply: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem: where it is, what it is, and up to two remedies.

    `target` is handed back when the row is clicked, so that the view can go to the place.
    """

    location: str
    sentence: str
    level: str = "error"
    remedies: tuple[Remedy, ...] = ()
    target: object = None

    def __post_init__(self) -> None:
        if self.level not in ("error", "warning"):
            raise ValueError(f"Issue level {self.level!r} is neither 'error' nor 'warning'.")


class IssueRow(Notice):
    """A problem as a tinted row that goes to its place at a click."""

    def __init__(self, issue: Issue, go_to: Callable[[object], object]) -> None:
        tone, sign = ("bad", "alert-circle-filled")
        if issue.level == "warning":
            tone, sign = ("warn", "alert-triangle-filled")
        buttons = [
            Button(remedy.text, kind="quiet", on_click=remedy.apply) for remedy in issue.remedies
        ]
        super().__init__(tone, sign, f"{issue.location}:", issue.sentence, buttons=buttons)
        self._issue = issue
        self._go_to = go_to
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Go to the place."""
        if self.rect().contains(event.position().toPoint()):
            self._go_to(self._issue.target)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the place with Enter or space."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._go_to(self._issue.target)
        else:
            super().keyPressEvent(event)


class IssueList(QWidget):
    """The problems of a page, one row each; hidden while there is none.

    Signals:
        issue_clicked: The operator clicked a row; carries the issue's `target`.
    """

    issue_clicked = Signal(object)

    def __init__(self, *, name: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName("Problems")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(px(6))
        self._issues: tuple[Issue, ...] = ()
        self._rows: list[IssueRow] = []
        self.hide()

    def issues(self) -> tuple[Issue, ...]:
        """The problems shown."""
        return self._issues

    def set_issues(self, issues: Sequence[Issue]) -> None:
        """Show these problems instead."""
        if tuple(issues) == self._issues:
            return
        self._issues = tuple(issues)
        for row in self._rows:
            self._layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = [IssueRow(issue, self.issue_clicked.emit) for issue in issues]
        for row in self._rows:
            self._layout.addWidget(row)
        self.setVisible(bool(issues))
