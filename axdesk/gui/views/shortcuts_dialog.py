"""The list of shortcuts: searched, copied, printed."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QStandardItem, QStandardItemModel, QTextDocument
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QAbstractItemView, QDialog, QHeaderView, QWidget

from axdesk.gui.models.shortcut_list import ShortcutRow, as_html, as_text, matching
from axdesk.gui.style import px
from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import TableView


class ShortcutsDialog(Dialog):
    """Every key of the window by menu and view; Escape closes."""

    def __init__(self, parent: QWidget | None, rows: Sequence[ShortcutRow]) -> None:
        super().__init__(
            parent,
            name="dialog.shortcuts",
            title="Shortcuts",
            sentence="Every command is in the command palette, too.",
            ways=(Way("cancel", "Close", "primary"),),
            icon_name="list",
            width=620,
        )
        self._rows = tuple(rows)
        self._shown = self._rows
        self._search = TextField(
            placeholder="Search keys and commands", name="dialog.shortcuts.search",
            icon_name="search",
        )  # fmt: skip
        self._search.setAccessibleName("Search shortcuts")
        self._search.textChanged.connect(self._show)
        self._model = QStandardItemModel(0, 3, self)
        self._model.setHorizontalHeaderLabels(["Keys", "Command", "Where"])
        self.table = TableView(name="dialog.shortcuts.table", label="Shortcuts")
        self.table.setModel(self._model)
        self.table.setSortingEnabled(False)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setMinimumHeight(px(160))
        self._nothing = label("No shortcut is called so.", "body", "text2")
        self.body.addWidget(self._search)
        self.body.addWidget(self.table)
        self.body.addWidget(self._nothing)
        self.add_aside("copy", "Copy", "copy", self.copy)
        self.add_aside("print", "Print…", "file-text", self._print)
        self._show("")
        self.table.set_widths((150, 0, 0))
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setStretchLastSection(False)
        self.table.setColumnWidth(2, px(150))
        self._search.setFocus()

    def fit_height(self) -> None:
        """Show some twelve rows, or what the screen has room for."""
        self.resize(self.width(), min(px(600), self.room().height()))

    def copy(self) -> None:
        """Put the rows shown into the clipboard."""
        QGuiApplication.clipboard().setText(as_text(self._shown))

    def print_to(self, printer: QPrinter) -> None:
        """Print the rows shown."""
        document = QTextDocument(self)
        document.setHtml(as_html(self._shown))
        document.print_(printer)

    def _print(self) -> None:
        printer = QPrinter()
        choice = QPrintDialog(printer, self)
        choice.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        choice.accepted.connect(lambda: self.print_to(printer))
        QDialog.open(choice)  # its own `open` wants a slot by name

    def _show(self, query: str) -> None:
        self._shown = matching(self._rows, query)
        self._model.setRowCount(0)
        for row in self._shown:
            items = [QStandardItem(text) for text in (row.keys, row.text, row.place)]
            items[0].setData(True, Role.STRONG)
            items[2].setData("text2", Role.TONE)
            self._model.appendRow(items)
        self.table.setVisible(bool(self._shown))
        self._nothing.setVisible(not self._shown)
