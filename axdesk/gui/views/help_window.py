"""The window of the help: contents and search at the left, the page at the right."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import (
    QDesktopServices,
    QKeySequence,
    QShortcut,
    QStandardItem,
    QStandardItemModel,
    QTextBlock,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QHBoxLayout, QTextBrowser, QVBoxLayout, QWidget

from axdesk.core.resources import resource_path
from axdesk.gui.models.help_pages import HelpPage, pages_with
from axdesk.gui.style import px, theme_manager
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label
from axdesk.gui.widgets.one_line import OneLineDelegate
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import ListView


class HelpWindow(QWidget):
    """A window of its own, beside what it tells of.

    Signals:
        closed: The operator closed it.
    """

    closed = Signal()

    def __init__(self, pages: Sequence[HelpPage]) -> None:
        super().__init__()
        self.setObjectName("window.help")
        self.setWindowTitle("Help – axdesk")
        self.resize(px(940), px(680))
        self._pages = tuple(pages)
        self._search = TextField(
            placeholder="Search the help", name="window.help.search", icon_name="search"
        )
        self._search.setAccessibleName("Search the help")
        self._search.textChanged.connect(self._list_pages)
        self._search.returnPressed.connect(self._open_first)
        self._contents = ListView(name="window.help.contents", label="Contents", ground="surface")
        self._contents.setItemDelegate(OneLineDelegate(self._contents))
        self._contents.clicked.connect(lambda index: self.show_page(index.data(Role.KEY)))
        self._contents.activated.connect(lambda index: self.show_page(index.data(Role.KEY)))
        self._nothing = label("No page has these words.", "small", "text2", wrap=True)
        self.page = QTextBrowser()
        self.page.setObjectName("window.help.page")
        self.page.setAccessibleName("Page")
        self.page.setSearchPaths([str(resource_path("help"))])
        self.page.setOpenLinks(False)
        self.page.anchorClicked.connect(self._follow)
        self.page.sourceChanged.connect(self._show_place)
        back, forward = self._step("Back", "chevron-left"), self._step("Forward", "chevron-right")
        back.clicked.connect(self.page.backward)
        forward.clicked.connect(self.page.forward)
        self.page.backwardAvailable.connect(back.setEnabled)
        self.page.forwardAvailable.connect(forward.setEnabled)
        bar = QHBoxLayout()
        bar.addWidget(back)
        bar.addWidget(forward)
        bar.addStretch(1)
        left = QVBoxLayout()
        left.addWidget(self._search)
        left.addWidget(self._contents, 1)
        left.addWidget(self._nothing)
        right = QVBoxLayout()
        right.addLayout(bar)
        right.addWidget(self.page, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(px(12), px(12), px(12), px(12))
        row.setSpacing(px(12))
        row.addLayout(left)
        row.addLayout(right, 1)
        for keys, act in (
            (QKeySequence.StandardKey.Back, self.page.backward),
            (QKeySequence.StandardKey.Forward, self.page.forward),
            (QKeySequence.StandardKey.Find, self._search.setFocus),
            (QKeySequence(Qt.Key.Key_Escape), self.close),
        ):
            QShortcut(keys, self).activated.connect(act)
        self._fit()
        theme_manager().changed.connect(self._restyle)
        self._list_pages("")

    def show_page(self, name: str, place: str = "") -> None:
        """Show a page, from its heading that begins with `place` on."""
        url = QUrl(name)
        if place:
            url.setFragment(place)
        self.page.setSource(url, QTextDocument.ResourceType.MarkdownResource)
        self._show_place(url)
        self.page.setFocus()

    def closeEvent(self, event: object) -> None:
        """Tell that it is closed."""
        self.closed.emit()

    def _step(self, text: str, icon_name: str) -> Button:
        button = Button(text, icon_name, kind="plain", name=f"window.help.{text.lower()}")
        button.setEnabled(False)
        return button

    def _follow(self, url: QUrl) -> None:
        """Show a page that a link names; anything else opens outside."""
        if url.scheme() in ("", "file"):
            self.show_page(url.fileName() or self.page.source().fileName(), url.fragment())
        else:
            QDesktopServices.openUrl(url)

    def _show_place(self, url: QUrl) -> None:
        place = url.fragment().casefold()
        block = self.page.document().begin()
        while place and block.isValid() and not _is_heading(block, place):
            block = block.next()
        if not block.isValid():
            block = self.page.document().begin()
        self.page.setTextCursor(QTextCursor(block))
        top = self.page.document().documentLayout().blockBoundingRect(block).top()
        self.page.verticalScrollBar().setValue(round(top) - px(8))
        for row in range(self._contents.model().rowCount()):
            index = self._contents.model().index(row, 0)
            if index.data(Role.KEY) == url.fileName():
                self._contents.setCurrentIndex(index)

    def _list_pages(self, query: str) -> None:
        model = QStandardItemModel(self._contents)
        for page in pages_with(self._pages, query):
            item = QStandardItem(page.title)
            item.setData(page.name, Role.KEY)
            item.setData("file-text", Role.ICON)
            item.setEditable(False)
            model.appendRow(item)
        self._contents.setModel(model)
        self._nothing.setVisible(not model.rowCount())

    def _open_first(self) -> None:
        """Open the first page found, at the first word typed."""
        index = self._contents.model().index(0, 0)
        if index.isValid():
            self.show_page(index.data(Role.KEY))
            self.page.find(self._search.text().split()[0] if self._search.text().strip() else "")

    def _fit(self) -> None:
        self._contents.setFixedWidth(px(230))
        self._search.setFixedWidth(px(230))
        self._nothing.setFixedWidth(px(230))
        self.page.document().setDocumentMargin(px(16))

    def _restyle(self) -> None:
        """Set the page anew: text keeps the colours and sizes it was made with."""
        self._fit()
        place = self.page.verticalScrollBar().value()
        self.page.reload()
        self.page.verticalScrollBar().setValue(place)


def _is_heading(block: QTextBlock, beginning: str) -> bool:
    return block.blockFormat().headingLevel() > 0 and (
        block.text().casefold().startswith(beginning)
    )
