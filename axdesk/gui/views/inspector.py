"""The trial inspector: one trial in full, or several side by side."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from axdesk.core.protocols import AuditEntry
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.formatting import clock, counted
from axdesk.gui.models.run_facts import RunFacts, status_key
from axdesk.gui.models.trial_details import (
    Row,
    headline,
    history_lines,
    reading_rows,
    result_rows,
    setting_rows,
)
from axdesk.gui.models.trial_words import why_no_change, why_off_for_trial
from axdesk.gui.style import px
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.views.trial_comparison import TrialComparison
from axdesk.gui.views.trial_files_list import TrialFilesList
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import EmptyState, Facts, Surface
from axdesk.gui.widgets.labels import ElidedLabel, IconLabel, label, rule
from axdesk.gui.widgets.note_field import NoteField


class InspectorView(Surface):
    """Header, results, settings, history, note and files of the selected trial.

    Signals:
        step_requested: The operator wants the next (1) or previous (-1) trial by number.
        close_requested: … the inspector away.
        note_written: A note was written; carries the trial's index and the text.
        correct_requested: … to enter or correct a result; carries the trial's index.
        run_again_requested: … the trial's settings run once more; carries its index.
        menu_requested: … the menu of the selected trials, at this place.
        attach_requested: … to choose files for the trial; carries its index.
        files_dropped: … these files kept with the trial; carries its index and the paths.
        file_requested: … a file of the trial opened; carries the `Attachment`.
        detach_requested: … a file taken from the trial; carries its index and the `Attachment`.
        trial_requested: … one of the compared trials alone; carries its index.
    """

    step_requested = Signal(int)
    close_requested = Signal()
    note_written = Signal(int, str)
    correct_requested = Signal(int)
    run_again_requested = Signal(int)
    menu_requested = Signal(QPoint)
    attach_requested = Signal(int)
    files_dropped = Signal(int, object)
    file_requested = Signal(object)
    detach_requested = Signal(int, object)
    trial_requested = Signal(int)

    def __init__(self) -> None:
        super().__init__("panel")
        self._trial: Trial | None = None
        self._shown: object = None
        self._title = label("", "section")
        self._sign = IconLabel()
        self._status = ElidedLabel("", "small", "text2")
        self._content = QWidget()
        self._body = QVBoxLayout(self._content)
        self.comparison = TrialComparison()
        self.comparison.trial_requested.connect(self.trial_requested)
        self.note = NoteField(name="inspector.note", label="Note")
        self.note.committed.connect(self.note_written)
        self.files = TrialFilesList()
        self.files.add_requested.connect(lambda: self._tell(self.attach_requested))
        self.files.opened.connect(self.file_requested)
        self.files.removed.connect(self._detach)
        self._correct = Button(
            "Enter result…", name="inspector.correct",
            on_click=lambda: self._tell(self.correct_requested),
        )  # fmt: skip
        self._run_again = Button(
            "Run again", "repeat", name="inspector.run_again",
            on_click=lambda: self._tell(self.run_again_requested),
        )  # fmt: skip
        self._more = Button("More", "dots", kind="icon", name="inspector.more",
                            on_click=self._open_menu)  # fmt: skip
        self._steps: dict[int, Button] = {}
        self._page = QWidget()
        self._empty = EmptyState("list", "No trial selected", "Click one in the table or the plot.")
        self._lay_out()
        self.setAcceptDrops(True)
        self.show_trials((), None)

    def show_trials(
        self, trials: Sequence[Trial], facts: RunFacts | None, history: Sequence[AuditEntry] = ()
    ) -> None:
        """Show a trial, or several side by side.

        Args:
            trials: The current one first; none for no trial.
            facts: Of their experiment; None for no experiment.
            history: What people did to the first one.
        """
        trial = trials[0] if trials and facts is not None else None
        is_one = len(trials) == 1
        self._trial = trial if is_one else None
        self._page.setVisible(self._trial is not None)
        self._around.setVisible(trial is None)
        self.comparison.setVisible(trial is not None and not is_one)
        if trial is None or facts is None or not is_one:
            self._shown = None
            self.note.show_note(None, "")
            if trial is not None and facts is not None:
                self.comparison.show_trials(trials, facts)
            return
        self._show_buttons(trial, facts)
        health = facts.unanswered.get(trial.index)
        key = (trial, facts.setup, status_key(trial, facts), health, tuple(history))
        if key != self._shown:
            self._shown = key
            self._show_trial(trial, facts, history)

    def _show_buttons(self, trial: Trial, facts: RunFacts) -> None:
        is_done = trial.status is TrialStatus.COMPLETED
        self._correct.setText("Correct result…" if is_done else "Enter result…")
        reason = why_off_for_trial("trials.enter_result", facts, trial)
        self._correct.set_available(not reason, reason=reason)
        name = "trials.replicate" if is_done else "trials.run_again"
        reason = why_off_for_trial(name, facts, trial)
        self._run_again.set_available(not reason, reason=reason)
        known = {t.index for t in facts.trials}
        for step, button in self._steps.items():
            there = trial.index + step in known
            button.set_available(there, reason="There is no further trial.")
        locked = why_no_change(facts)
        self.note.setReadOnly(bool(locked))
        self.note.setToolTip(locked or "Stored when you leave the field, or with Ctrl+Enter")
        self.files.set_locked(locked)
        self.setAcceptDrops(not locked)

    def _show_trial(self, trial: Trial, facts: RunFacts, history: Sequence[AuditEntry]) -> None:
        now = datetime.now(UTC)
        look = STATUS_LOOKS[status_key(trial, facts)]
        self._title.setText(f"Trial #{trial.index}")
        self._sign.set_icon(look.icon, look.color)
        self._status.setText(headline(trial, facts, now))
        content = self._content
        self._content = QWidget()
        self._body = QVBoxLayout(self._content)
        self._body.setContentsMargins(0, 0, 0, 0)
        self._body.setSpacing(px(8))
        self._section("Results", result_rows(trial, facts))
        health = facts.unanswered.get(trial.index)
        if health is not None:
            tries = counted(health.failures, "failed call")
            self._text("Last failure", f"{health.reason}\n{tries} in a row")
        if trial.reason:
            self._text("Reason", trial.reason)
        if readings := reading_rows(trial, facts):
            self._section("Readings", readings)
        self._section("Settings", setting_rows(trial, facts))
        if trial.generation.why:
            self._text("Why", trial.generation.why)
        self._history(trial, history, now)
        self._inside.replaceWidget(content, self._content)
        content.hide()
        content.deleteLater()
        self.note.show_note(trial.index, trial.note)
        self.files.show_files(trial.attachments, now)

    def _lay_out(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._page)
        outer.addWidget(self.comparison)
        self._around = QWidget()
        around = QVBoxLayout(self._around)
        around.setContentsMargins(px(12), px(12), px(12), px(12))
        around.addWidget(self._empty)
        outer.addWidget(self._around)
        page = QVBoxLayout(self._page)
        page.setContentsMargins(0, px(10), 0, px(10))
        page.setSpacing(px(6))
        page.addWidget(self._header())
        status = QHBoxLayout()
        status.setContentsMargins(px(14), 0, px(14), 0)
        status.setSpacing(px(6))
        status.addWidget(self._sign)
        status.addWidget(self._status, 1)
        page.addLayout(status)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = Surface("panel")
        self._inside = QVBoxLayout(content)
        self._inside.setContentsMargins(px(14), 0, px(14), px(8))
        self._inside.setSpacing(px(8))
        note = label("Note", "strong")
        for widget in (self._content, rule(), note, self.note, rule(), self.files):
            self._inside.addWidget(widget)
        self._inside.addStretch(1)
        area.setWidget(content)
        page.addWidget(area, 1)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(px(14), px(6), px(8), 0)
        buttons.addWidget(self._run_again)
        buttons.addWidget(self._correct)
        buttons.addStretch(1)
        buttons.addWidget(self._more)
        page.addLayout(buttons)

    def _header(self) -> QWidget:
        header = QWidget()
        header.setObjectName("inspector.header")
        head = QHBoxLayout(header)
        head.setContentsMargins(px(14), 0, px(8), 0)
        head.setSpacing(px(2))
        head.addWidget(self._title)
        head.addStretch(1)
        for name, icon_name, tip, step in (
            ("next", "chevron-up", "Next trial", 1),
            ("previous", "chevron-down", "Previous trial", -1),
        ):
            step_to = partial(self.step_requested.emit, step)
            self._steps[step] = Button(
                tip, icon_name, kind="icon", name=f"inspector.{name}", on_click=step_to
            )
            head.addWidget(self._steps[step])
        head.addWidget(
            Button("Close", "x", kind="icon", name="inspector.close",
                   on_click=self.close_requested.emit)
        )  # fmt: skip
        return header

    def _section(self, title: str, rows: Sequence[Row]) -> None:
        self._body.addWidget(rule())
        self._body.addWidget(label(title, "strong"))
        facts = Facts()
        facts.setObjectName(f"inspector.{title.lower()}")
        facts.set_rows(rows or [("Nothing yet", "", "")])
        self._body.addWidget(facts)

    def _text(self, title: str, text: str) -> None:
        self._body.addWidget(rule())
        self._body.addWidget(label(title, "strong"))
        shown = label(text, "small", wrap=True)
        shown.setObjectName(f"inspector.{title.lower()}")
        self._body.addWidget(shown)

    def _history(self, trial: Trial, history: Sequence[AuditEntry], now: datetime) -> None:
        self._body.addWidget(rule())
        self._body.addWidget(label("History", "strong"))
        grid_widget = QWidget()
        grid_widget.setObjectName("inspector.history")
        grid = QGridLayout(grid_widget)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(px(10))
        grid.setVerticalSpacing(px(3))
        grid.setColumnStretch(1, 1)
        row = 0
        for line in history_lines(trial, history):
            time = label(clock(line.at, now), "small", "text2")
            grid.addWidget(time, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label(line.text, "small", wrap=True), row, 1)
            row += 1
            for text in (line.change, f"“{line.note}”" if line.note else ""):
                if text:
                    grid.addWidget(label(text, "small", "text2", wrap=True), row, 1)
                    row += 1
        self._body.addWidget(grid_widget)

    # what the operator does

    def _tell(self, signal: object) -> None:
        if self._trial is not None:
            signal.emit(self._trial.index)  # type: ignore[attr-defined]  # a bound signal

    def _detach(self, attachment: object) -> None:
        if self._trial is not None:
            self.detach_requested.emit(self._trial.index, attachment)

    def _open_menu(self) -> None:
        self.menu_requested.emit(self._more.mapToGlobal(QPoint(0, 0)))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files that are dragged onto a trial."""
        if self._trial is not None and _files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Keep files that are dropped with the trial."""
        if self._trial is not None:
            event.acceptProposedAction()
            self.files_dropped.emit(self._trial.index, _files(event))


def _files(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
