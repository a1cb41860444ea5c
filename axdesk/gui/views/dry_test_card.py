"""The card that makes a dry test and shows its steps."""

from datetime import UTC, datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from axdesk.core.dry_test import DryStep, StepKind, StepState
from axdesk.gui.models.dry_test_model import TITLES, DryTestModel
from axdesk.gui.models.formatting import counted, duration
from axdesk.gui.style import px
from axdesk.gui.views.text_fold import TextFold
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Card, Notice
from axdesk.gui.widgets.labels import IconLabel, label, rule, set_tone

_LOOKS = {
    StepState.WAITING: ("circle-dashed", "text2"),
    StepState.RUNNING: ("player-play-filled", "live"),
    StepState.DONE: ("circle-check-filled", "good"),
    StepState.FAILED: ("circle-x-filled", "bad"),
    StepState.STOPPED: ("player-stop", "text2"),
    StepState.NOT_REACHED: ("circle-minus", "text2"),
}


class StepRow(QWidget):
    """One step: sign, title and time, what came of it, and the traceback on demand."""

    def __init__(self, kind: StepKind, metric: str) -> None:
        super().__init__()
        name = f"setup.runner.steps.{kind}" + (f".{metric}" if metric else "")
        self.setObjectName(name)
        self._title = f"{TITLES[kind]} {metric}".strip()
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(px(10))
        self._icon = IconLabel()
        outer.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(px(2))
        head = QHBoxLayout()
        head.addWidget(label(self._title, "strong"), 1)
        self._time = label("", "small", "text2")
        head.addWidget(self._time)
        self._text = label("", "small", "text2", wrap=True)
        self._details = TextFold("Details", f"{name}.details")
        column.addLayout(head)
        column.addWidget(self._text)
        column.addWidget(self._details)
        outer.addLayout(column, 1)

    def show_step(self, step: DryStep, now: datetime) -> None:
        """Show how far it is."""
        self._icon.set_icon(*_LOOKS[step.state])
        self._time.setText(_time(step, now))
        text = {StepState.NOT_REACHED: "not reached"}.get(step.state, step.text)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        set_tone(self._text, "bad" if step.state is StepState.FAILED else "text2")
        self._details.show_text(step.details)
        self.setAccessibleName(f"{self._title}: {step.state}. {text}".strip())


class DryTestCard(Card):
    """Offers the test, shows its steps as they are made, and Stop while it goes on.

    Signals:
        test_requested: The operator wants a test.
        stop_requested: The operator wants its end.
    """

    test_requested = Signal()
    stop_requested = Signal()

    def __init__(self, model: DryTestModel) -> None:
        super().__init__("Test", note="one trial with index −1; nothing is recorded")
        self._model = model
        self.button = Button("Test…", "test-pipe", name="setup.runner.test")
        self.button.clicked.connect(lambda: self.test_requested.emit())
        self.stop = Button("Stop", "player-stop", kind="danger", name="setup.runner.test.stop")
        self.stop.clicked.connect(lambda: self.stop_requested.emit())
        self._state = label("", "small", "text2", wrap=True)
        self._state.setObjectName("setup.runner.test.state")
        line = QHBoxLayout()
        line.setSpacing(px(10))
        line.addWidget(self.button)
        line.addWidget(self.stop)
        line.addWidget(self._state, 1)
        self._error = Notice("bad", "alert-circle-filled", "The test was not begun:")
        self._error.setObjectName("setup.runner.test.error")
        self._rule, self._last_rule = rule(), rule()
        self._list = QWidget()
        self._list.setObjectName("setup.runner.steps")
        self._list.setAccessibleName("Steps of the test")
        self._rows_layout = QVBoxLayout(self._list)
        self._rows_layout.setContentsMargins(0, px(4), 0, px(4))
        self._rows_layout.setSpacing(px(10))
        self._remark = Notice("warn", "alert-triangle-filled", "Note:")
        self._remark.setObjectName("setup.runner.test.remark")
        self._printed = TextFold("Printed", "setup.runner.test.printed")
        self._settings = label("", "small", "text2", wrap=True)
        for widget in (self._error, self._rule, self._list, self._remark, self._printed,
                       self._last_rule, self._settings):  # fmt: skip
            if widget is self._error:
                self.body.addLayout(line)
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self._rows: dict[tuple[StepKind, str], StepRow] = {}
        model.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known."""
        model, now = self._model, datetime.now(UTC)
        test = model.test
        self.button.setText("Test again…" if test is not None else "Test…")
        self.button.setVisible(not model.is_going)
        self.button.set_available(not model.refusal, reason=model.refusal)
        self.stop.setVisible(model.is_going)
        if test is not None:
            self.stop.setText("Stop at once" if test.is_stopping else "Stop")
            self.stop.setToolTip(
                "Waits for nothing any longer: ends the process of the plugin."
                if test.is_stopping
                else "Stops the trial through the runner; a plugin that hangs is ended."
            )
        text, tone = model.state_text(now)
        self._state.setText(f"{text}: {model.refusal}" if model.refusal and not test else text)
        set_tone(self._state, tone)
        self._error.setVisible(bool(model.error))
        self._error.set_text("The test was not begun:", model.error)
        for widget in (self._rule, self._list, self._last_rule, self._settings):
            widget.setVisible(test is not None)
        self._remark.setVisible(test is not None and bool(test.remark))
        if test is None:
            self._printed.hide()
            return
        self._show_steps(test.steps, now)
        self._remark.set_text("Note:", test.remark)
        self._printed.show_text("\n".join(test.printed))
        self._printed.set_values(f"{counted(len(test.printed), 'line')}")
        self._settings.setText(f"Settings used: {model.settings}.")

    def _show_steps(self, steps: tuple[DryStep, ...], now: datetime) -> None:
        keys = [(step.kind, step.metric) for step in steps]
        if [*self._rows][: len(keys)] != keys or len(self._rows) > len(keys):
            for row in self._rows.values():
                self._rows_layout.removeWidget(row)
                row.setParent(None)  # its name goes to the row in its place
                row.deleteLater()
            self._rows = {}
            for key in keys:
                self._rows[key] = StepRow(*key)
                self._rows_layout.addWidget(self._rows[key])
        for step in steps:
            self._rows[step.kind, step.metric].show_step(step, now)


def _time(step: DryStep, now: datetime) -> str:
    if step.state in (StepState.WAITING, StepState.NOT_REACHED) or step.started_at is None:
        return ""
    seconds = step.seconds
    if step.state is StepState.RUNNING:
        seconds = max((now - step.started_at).total_seconds(), 0.0)
    taken = f"{seconds:.1f} s" if seconds < 10 else duration(seconds)
    return f"{counted(step.count, 'time')}, {taken}" if step.count else taken
