"""Attention: questions that wait for an answer, and notices."""

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QSignalBlocker, Qt, QTimer, Signal, SignalInstance
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from axdesk.core.questions import Answer
from axdesk.gui.models.attention_model import AttentionItem, AttentionModel, Severity
from axdesk.gui.style import px
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import EmptyState, Fold, Surface
from axdesk.gui.widgets.labels import ElidedLabel, label
from axdesk.gui.widgets.tables import ListView
from axdesk.gui.widgets.wrapping_row import WrappingRow

ANSWERS = {
    Answer.ASK_RUNNER: ("Ask the runner", "refresh"),
    Answer.REDEPLOY: ("It never ran: deploy again", "rocket"),
    Answer.MARK_FAILED: ("Mark failed", ""),
    Answer.ABANDON: ("Abandon", ""),
    Answer.STOP_RUN: ("Stop run", "player-stop-filled"),
}
"""Answer → the words and the icon of its button."""
AFTER_ERROR = ANSWERS | {
    Answer.ASK_RUNNER: ("Ask the runner again", "refresh"),
    Answer.MARK_FAILED: ("Mark failed and go on", ""),
    Answer.STOP_RUN: ("Stop run…", ""),
}
"""The same where a call failed for good and the run waits."""

_LABEL_WIDTH = 118


class AttentionView(Surface):
    """The list at the left, the item at the right.

    Signals:
        answered: The operator answered a question; carries the trial's index, the `Answer`, and
            whether it holds for the rest of the run.
        plugin_requested: The operator wants to read the plugin file that an item is about; carries
            the `AttentionItem`.
        report_requested: … to copy what there is to tell of an item; carries it.
        end_requested: What the plugin does for a trial is to be ended; carries the trial's index.
        set_aside: The operator waits, and has read the item; carries its key.
        result_requested: The operator wants to enter the result of a trial; carries its index.
        trial_requested: The operator wants to see a trial; carries its index.
        code_requested: The operator wants to know more of a code; carries it.
    """

    answered = Signal(int, object, bool)
    plugin_requested = Signal(object)
    report_requested = Signal(object)
    end_requested = Signal(int)
    set_aside = Signal(str)
    result_requested = Signal(int)
    trial_requested = Signal(int)
    code_requested = Signal(str)

    def __init__(self) -> None:
        super().__init__("panel")
        self._model: AttentionModel | None = None
        self._connections: list[tuple[SignalInstance, Callable[..., object]]] = []
        self._list = ListView(
            name="attention.list", label="Attention", separated=True, ground="surface"
        )
        self._list.setMinimumWidth(px(200))
        self._empty = EmptyState(
            "circle-check", "Nothing needs you", "Questions and notices of the run appear here."
        )
        self._item: AttentionItem | None = None
        self._asked: frozenset[object] = frozenset()
        self._offered: object = None
        self._title = ElidedLabel("", "section")
        self._title.setObjectName("attention.title")
        self._source = ElidedLabel("", "small", "text2")
        self._texts = {name: label("", "body", wrap=True) for name in ("happened", "did", "todo")}
        self._heads = {
            "happened": label("What happened", "head", "text2"),
            "did": label("What axdesk did", "head", "text2"),
            "todo": label("What you can do", "head", "text2"),
        }
        self._answers = WrappingRow()
        self._remember = QCheckBox("Do the same for further errors of this run")
        self._remember.setObjectName("attention.remember")
        self._remember.setAccessibleName(self._remember.text())
        self._remember.toggled.connect(self._offer_what_can_be_repeated)
        self._buttons: dict[Answer | None, Button] = {}
        self._details = Fold("Details", name="attention.details")
        self._trace = QPlainTextEdit()
        self._trace.setReadOnly(True)
        self._trace.setMinimumHeight(px(120))
        self._details.body.addWidget(self._trace)
        self._details.button.toggled.connect(self._bring_details)
        self._page = self._make_page()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.addWidget(self._list)
        split.addWidget(self._page)
        split.setStretchFactor(1, 1)
        split.setSizes([px(310), px(700)])
        split.setChildrenCollapsible(False)
        self._split = split
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)
        self._around = QWidget()
        around = QVBoxLayout(self._around)
        around.setContentsMargins(px(12), px(12), px(12), px(12))
        around.addWidget(self._empty)
        layout.addWidget(self._around)
        self._update()

    def set_model(self, model: AttentionModel | None) -> None:
        """Show the items of another experiment."""
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._connections = []
        self._model = model
        self._list.setModel(model)
        if model is not None:
            signals = (model.rowsInserted, model.rowsRemoved, model.dataChanged, model.modelReset)
            self._connections = [(signal, self._update) for signal in signals]
            for signal, slot in self._connections:
                signal.connect(slot)
            self._list.selectionModel().currentChanged.connect(self._show_current)
        self._update()

    def show_first(self) -> None:
        """Go to the first item that needs the operator, or to the first of all."""
        items = () if self._model is None else self._model.items
        if self._model is not None and items:
            needed = (row for row, item in enumerate(items) if item.needs_person)
            self._list.setCurrentIndex(self._model.index(next(needed, 0)))

    def _make_page(self) -> QWidget:
        page = Surface("panel")
        outer = QVBoxLayout(page)
        outer.setContentsMargins(px(20), px(8), px(16), px(8))
        outer.setSpacing(px(6))
        head = QHBoxLayout()
        head.setSpacing(px(10))
        head.addWidget(self._title)
        head.addWidget(self._source, 1)
        self._code = Button("AXD-100", kind="quiet", name="attention.code")
        self._code.clicked.connect(lambda: self.code_requested.emit(self._code.text()))
        head.addWidget(self._code)
        self._open_plugin = Button(
            "Open plugin file", "external-link", kind="plain", name="attention.open_plugin",
            on_click=lambda: self.plugin_requested.emit(self._item),
        )  # fmt: skip
        head.addWidget(
            Button("Copy report", "copy", kind="plain", name="attention.copy_report",
                   on_click=lambda: self.report_requested.emit(self._item))
        )  # fmt: skip
        head.addWidget(self._open_plugin)
        outer.addLayout(head)
        grid = QGridLayout()
        grid.setVerticalSpacing(px(4))
        grid.setColumnMinimumWidth(0, px(_LABEL_WIDTH))
        grid.setColumnStretch(1, 1)
        for row, (name, text) in enumerate(self._texts.items()):
            text.setObjectName(f"attention.{name}")
            grid.addWidget(self._heads[name], row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(text, row, 1)
        outer.addLayout(grid)
        answers = QWidget()
        answers.setObjectName("attention.answers")
        answers.setLayout(self._answers)
        self._answers.setContentsMargins(0, px(4), 0, 0)
        outer.addWidget(answers)
        outer.addWidget(self._remember)
        outer.addWidget(self._details)
        outer.addStretch(1)
        self._area = QScrollArea()
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setWidget(page)
        return self._area

    def _bring_details(self, are_shown: bool) -> None:
        """Scroll to what was unfolded, once it has its place."""
        if are_shown:
            QTimer.singleShot(0, self, self._scroll_to_details)

    def _scroll_to_details(self) -> None:
        place = self._details.geometry()
        half = min(place.height(), self._area.viewport().height()) // 2
        self._area.ensureVisible(0, place.top() + half, 0, half)

    def _update(self) -> None:
        has_items = self._model is not None and self._model.rowCount() > 0
        self._split.setVisible(has_items)
        self._around.setVisible(not has_items)
        current = (
            None if self._model is None else self._model.item_at(self._list.currentIndex().row())
        )
        items = () if self._model is None else self._model.items
        asked = frozenset(item.about for item in items if item.needs_person)
        reads_other = current is not None and not current.needs_person
        is_interrupted = reads_other and bool(asked - self._asked)
        self._asked = asked
        if has_items and (current is None or is_interrupted):
            self.show_first()
        self._show_current(self._list.currentIndex())

    def _show_current(self, index: QModelIndex) -> None:
        item = None if self._model is None else self._model.item_at(index.row())
        if item is self._item:
            return
        before, self._item = self._item, item
        if item is None:
            return
        if before is None or before.about != item.about:
            self._details.set_open(False)
            self._area.verticalScrollBar().setValue(0)
        self._title.setText(item.title)
        self._source.setText(item.source)
        self._code.setText(item.code)
        self._code.setAccessibleName(f"Help on {item.code}")
        self._code.setToolTip(f"What {item.code} means, and what you can do")
        for name, text in self._texts.items():
            sentence = getattr(item, name)
            text.setText(sentence)
            text.setVisible(bool(sentence))
            self._heads[name].setVisible(bool(sentence))
        self._open_plugin.setVisible(item.trial_index is not None or bool(item.details))
        self._trace.setPlainText(item.details)
        self._details.setVisible(bool(item.details))
        offered = (
            item.trial_index, item.severity, item.answers, item.is_answering, item.repeatable,
            item.is_silent,
        )  # fmt: skip
        if offered != self._offered:
            self._offered = offered
            self._show_answers(item)

    def _show_answers(self, item: AttentionItem) -> None:
        while (entry := self._answers.takeAt(0)) is not None:
            if (old := entry.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._buttons = {}
        self._remember.setVisible(bool(item.repeatable))
        with QSignalBlocker(self._remember):
            self._remember.setChecked(False)
        self._remember.setEnabled(not item.is_answering)
        index = item.trial_index
        if index is None:
            return
        words = AFTER_ERROR if item.asks_about_error else ANSWERS
        if item.severity is Severity.QUESTION:
            # Stopping the run comes last, behind entering the result.
            for answer in sorted(item.answers, key=lambda one: one is Answer.STOP_RUN):
                if answer is Answer.STOP_RUN:
                    self._add_enter(item, index)
                self._buttons[answer] = self._add_button(
                    *words[answer], f"attention.answer.{answer.value}",
                    lambda answer=answer: self._answer(index, answer),
                    # Only asking is surely safe: what may run twice is never the proposed way.
                    kind="primary" if answer is Answer.ASK_RUNNER else "normal",
                    is_busy=item.is_answering,
                )  # fmt: skip
        if item.is_silent:
            self._add_button("Wait", "", "attention.wait", lambda: self.set_aside.emit(item.key))
            self._add_button(
                "End its process", "", "attention.end_calls",
                lambda: self.end_requested.emit(index),
            )  # fmt: skip
        if None not in self._buttons and item.severity in (Severity.QUESTION, Severity.WARNING):
            self._add_enter(item, index)
        if item.severity is not Severity.QUESTION:
            self._add_button(
                f"Show #{index}", "", "attention.show_trial",
                lambda: self.trial_requested.emit(index),
            )  # fmt: skip

    def _add_enter(self, item: AttentionItem, index: int) -> None:
        self._buttons[None] = self._add_button(
            "Enter result by hand…" if item.asks_about_error else "Enter result…", "",
            "attention.answer.enter_result", lambda: self.result_requested.emit(index),
            is_busy=item.is_answering,
        )  # fmt: skip

    def _answer(self, index: int, answer: Answer) -> None:
        self.answered.emit(index, answer, self._remember.isChecked())

    def _offer_what_can_be_repeated(self, for_the_rest: bool) -> None:
        """Switch off what can only be said of this trial, while it is to hold for others, too."""
        if self._item is None:
            return
        for answer, button in self._buttons.items():
            can = not for_the_rest or answer in self._item.repeatable
            button.set_available(can, reason="This can only be said of one trial.")

    def _add_button(
        self, words: str, icon_name: str, name: str, on_click: object, *, kind: str = "normal",
        is_busy: bool = False,
    ) -> Button:  # fmt: skip
        button = Button(words, icon_name, kind=kind, name=name)
        button.set_available(not is_busy, reason="Your answer is being carried out.")
        if callable(on_click):
            button.clicked.connect(lambda: on_click())
        self._answers.addWidget(button)
        return button
