"""The database window: what the database holds, and what can be done for it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from axdesk.gui.models.database_texts import backup_cells, fact_rows
from axdesk.gui.style import px
from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Facts
from axdesk.gui.widgets.labels import IconLabel, label
from axdesk.gui.widgets.tables import TableView
from axdesk.gui.widgets.wrapping_row import WrappingRow

if TYPE_CHECKING:
    from axdesk.api.rescue import Backup, DatabaseFacts

CHECK, BACK_UP, BACK_UP_TO, COMPACT, MOVE, OPEN_FOLDER, RESTORE, CANCEL = (
    "check", "back_up", "back_up_to", "compact", "move", "open_folder", "restore", "cancel_work",
)  # fmt: skip

_BUTTONS = (
    (CHECK, "Check", "circle-check", "Reads every page, row and reference"),
    (BACK_UP, "Back up now", "device-floppy", "Puts a checked copy into the folder of backups"),
    (BACK_UP_TO, "Back up to…", "download", "Copies it to a file of your own"),
    (COMPACT, "Compact", "database", "Gives back the space that deleted experiments took"),
    (MOVE, "Move…", "arrow-right", "With its backups and attached files, to another folder"),
    (OPEN_FOLDER, "Open folder", "folder-open", ""),
)
ALONE = frozenset({COMPACT, MOVE, RESTORE})
"""What is not possible while a run goes on."""

_ICONS = {"good": "circle-check-filled", "bad": "circle-x-filled", "warn": "alert-triangle-filled"}
_HEADS = ("Time", "Holds", "Size", "")


class DatabaseDialog(Dialog):
    """Shows the database, its backups, and what goes on with it.

    Signals:
        asked: The operator wants something done; carries one of the module's words.
        restore_asked: A backup shall take the database's place; carries the `Backup`.
    """

    asked = Signal(str)
    restore_asked = Signal(object)

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(
            parent, name="dialog.database", title="Database",
            sentence="All experiments, drafts and trials are in this one file. It is backed up by "
            "itself while it is used.",
            ways=(Way("cancel", "Close", "primary"),), icon_name="database", width=760,
        )  # fmt: skip
        self._backups: tuple[Backup, ...] = ()
        self._reason = ""
        self._is_busy = True
        self._facts = Facts(wraps=True)
        self.body.addWidget(self._facts)
        row = WrappingRow()
        for key, text, icon_name, tip in _BUTTONS:
            button = Button(text, icon_name, name=f"dialog.database.{key}")
            button.clicked.connect(lambda _=False, key=key: self.asked.emit(key))
            button.setToolTip(tip)
            self.buttons[key] = button
            row.addWidget(button)
        self.body.addLayout(row)
        self.body.addWidget(self._progress())
        self.body.addLayout(self._list())
        self.show_busy("Reading…")

    def _progress(self) -> QWidget:
        """The line that says what goes on, or how it went."""
        line = QWidget()
        column = QVBoxLayout(line)
        column.setContentsMargins(0, px(2), 0, px(2))
        column.setSpacing(px(6))
        row = QHBoxLayout()
        row.setSpacing(px(8))
        self._icon = IconLabel("info-circle", "text2")
        self._told = label("", "body", wrap=True)
        self._told.setObjectName("dialog.database.told")
        self._cancel = Button("Cancel", kind="quiet", name=f"dialog.database.{CANCEL}")
        self._cancel.setAccessibleName("Cancel what goes on")
        self._cancel.clicked.connect(lambda: self.asked.emit(CANCEL))
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._told, 1)
        row.addWidget(self._cancel)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Goes on")
        column.addLayout(row)
        column.addWidget(self._bar)
        return line

    def _list(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(px(6))
        column.addWidget(label("Backups", "strong"))
        self._model = QStandardItemModel(0, len(_HEADS), self)
        self._model.setHorizontalHeaderLabels(list(_HEADS))
        self._table = TableView(name="dialog.database.backups", label="Backups")
        self._table.setSortingEnabled(False)
        self._table.setModel(self._model)
        self._table.setSelectionMode(TableView.SelectionMode.SingleSelection)
        self._table.setMinimumHeight(px(130))
        self._none = label("None yet; the first is made while a run goes on.", "body", "text2")
        column.addWidget(self._none)
        self._table.selectionModel().selectionChanged.connect(lambda *_: self._allow())
        column.addWidget(self._table)
        self.add_aside(RESTORE, "Restore…", "refresh", self._ask_restore)
        return column

    # what is shown

    def show_facts(self, facts: "DatabaseFacts") -> None:
        """Show what is known of the database."""
        now = datetime.now(UTC)
        self._facts.set_rows(fact_rows(facts, now))
        self._backups = tuple(reversed(facts.backups))
        self._model.removeRows(0, self._model.rowCount())
        for backup in self._backups:
            items = [QStandardItem(text) for text in backup_cells(backup, now)]
            items[0].setToolTip(str(backup.path))
            self._model.appendRow(items)
        self._table.set_widths((130, 260, 100, 120))
        for widget in (self._table, self.buttons[RESTORE]):
            widget.setVisible(bool(self._backups))
        self._none.setVisible(not self._backups)
        self._allow()
        self.fit_height()

    def show_busy(self, sentence: str, *, can_cancel: bool = False) -> None:
        """Say what goes on; nothing else can be asked for meanwhile."""
        self._is_busy = True
        self._show_told("info-circle", "text2", sentence)
        self._cancel.setVisible(can_cancel)
        self._bar.setVisible(True)
        self._allow()
        self.fit_height()

    def show_result(self, tone: str, statement: str, sentence: str = "") -> None:
        """Say how it went; `tone` is `good`, `warn`, `bad`, or empty where there is no result."""
        self._is_busy = False
        told = f"{statement} {sentence}".strip()
        self._show_told(_ICONS.get(tone, "info-circle"), tone or "text2", told)
        self._cancel.setVisible(False)
        self._bar.setVisible(False)
        self._allow()
        self.fit_height()

    def set_refusal(self, reason: str) -> None:
        """Say why nothing is possible that needs the database alone; empty if it is."""
        self._reason = reason
        self._allow()

    def _show_told(self, icon_name: str, tone: str, told: str) -> None:
        self._icon.set_icon(icon_name, tone)
        self._told.setText(told)
        self._icon.setVisible(bool(told))
        self._told.setVisible(bool(told))

    def _allow(self) -> None:
        for key in (*(key for key, *_ in _BUTTONS), RESTORE):
            reason = "Something goes on." if self._is_busy and key != OPEN_FOLDER else ""
            if not reason and key in ALONE:
                reason = self._reason
            if not reason and key == RESTORE and self._chosen() is None:
                reason = "Choose a backup that can be read."
            tip = next((tip for known, _, _, tip in _BUTTONS if known == key), "")
            self.buttons[key].set_available(not reason, reason=reason)
            if not reason:
                self.buttons[key].setToolTip(tip)

    def _chosen(self) -> "Backup | None":
        rows = self._table.selectionModel().selectedRows()
        backup = self._backups[rows[0].row()] if rows and self._backups else None
        return backup if backup is not None and backup.contents is not None else None

    def _ask_restore(self) -> None:
        backup = self._chosen()
        if backup is not None:
            self.restore_asked.emit(backup)
