"""The trial inspector: one trial in full."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from axdesk.core.outcomes import broken_limits
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.formatting import (
    MISSING,
    clock,
    counted,
    duration,
    measured,
    number,
    parameter_decimals,
    parameter_value,
    with_unit,
)
from axdesk.gui.models.run_facts import (
    SOURCE_WORDS,
    RunFacts,
    decimals_of,
    limit_text,
    seconds_running,
    status_key,
    status_word,
)
from axdesk.gui.style import px
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import EmptyState, Facts, Surface
from axdesk.gui.widgets.labels import ElidedLabel, IconLabel, label, rule


class InspectorView(Surface):
    """Header, results, settings, history and note of the selected trial.

    Signals:
        step_requested: The operator wants the next (1) or previous (-1) trial by number.
        close_requested: … the inspector away.
        note_requested: … to write the trial's note; carries its index.
        correct_requested: … to enter or correct its result; carries its index.
    """

    step_requested = Signal(int)
    close_requested = Signal()
    note_requested = Signal(int)
    correct_requested = Signal(int)

    def __init__(self) -> None:
        super().__init__("panel")
        self._trial: Trial | None = None
        self._shown: object = None
        self._title = label("", "section")
        self._sign = IconLabel()
        self._status = ElidedLabel("", "small", "text2")
        self._content = QWidget()
        self._body = QVBoxLayout(self._content)
        self._body.setContentsMargins(px(14), 0, px(14), px(8))
        self._body.setSpacing(px(8))
        self._correct = Button(
            "Enter result…", name="inspector.correct",
            on_click=lambda: self._tell(self.correct_requested),
        )  # fmt: skip
        self._page = QWidget()
        self._empty = EmptyState("list", "No trial selected", "Click one in the table or the plot.")
        self._lay_out()
        self.show_trial(None, None)

    def show_trial(self, trial: Trial | None, facts: RunFacts | None) -> None:
        """Show a trial; None for no trial."""
        self._trial = trial
        self._page.setVisible(trial is not None)
        self._around.setVisible(trial is None)
        if trial is None or facts is None:
            self._shown = None
            return
        health = facts.unanswered.get(trial.index)
        key = (trial, facts.setup, status_key(trial, facts), facts.controller, health)
        if key == self._shown:
            return
        self._shown = key
        look = STATUS_LOOKS[status_key(trial, facts)]
        self._title.setText(f"Trial #{trial.index}")
        self._sign.set_icon(look.icon, look.color)
        word = status_word(trial, facts, datetime.now(UTC))
        word = f"{word}, excluded" if trial.is_excluded else word
        self._status.setText(f"{word}  ·  {SOURCE_WORDS[trial.generation.source]}")
        done = trial.status is TrialStatus.COMPLETED
        self._correct.setText("Correct result…" if done else "Enter result…")
        takes_result = trial.status not in (TrialStatus.CANDIDATE, TrialStatus.ABANDONED)
        self._correct.set_available(
            takes_result and not facts.controller,
            reason="An abandoned trial takes no result."
            if not takes_result
            else "Another process drives this experiment.",
        )
        while (item := self._body.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._section("Results", _results(trial, facts))
        if health is not None:
            tries = counted(health.failures, "failed call")
            self._text("Last failure", f"{health.reason}\n{tries} in a row")
        if trial.reason:
            self._text("Reason", trial.reason)
        self._section("Settings", _settings(trial, facts))
        if trial.generation.why:
            self._text("Why", trial.generation.why)
        self._history(trial)
        self._text("Note", trial.note or "–", pencil=True)
        self._body.addStretch(1)

    def _lay_out(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._page)
        self._around = QWidget()
        around = QVBoxLayout(self._around)
        around.setContentsMargins(px(12), px(12), px(12), px(12))
        around.addWidget(self._empty)
        outer.addWidget(self._around)
        page = QVBoxLayout(self._page)
        page.setContentsMargins(0, px(10), 0, px(10))
        page.setSpacing(px(6))
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
            head.addWidget(
                Button(tip, icon_name, kind="icon", name=f"inspector.{name}", on_click=step_to)
            )
        head.addWidget(
            Button("Close", "x", kind="icon", name="inspector.close",
                   on_click=self.close_requested.emit)
        )  # fmt: skip
        page.addWidget(header)
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
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self._content)
        area.setWidget(content)
        page.addWidget(area, 1)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(px(14), px(6), px(14), 0)
        buttons.addWidget(self._correct)
        buttons.addStretch(1)
        page.addLayout(buttons)

    def _section(self, title: str, rows: Sequence[tuple[str, str, str]]) -> None:
        self._body.addWidget(rule())
        self._body.addWidget(label(title, "strong"))
        facts = Facts()
        facts.setObjectName(f"inspector.{title.lower()}")
        facts.set_rows(rows or [("Nothing yet", "", "")])
        self._body.addWidget(facts)

    def _text(self, title: str, text: str, *, pencil: bool = False) -> None:
        self._body.addWidget(rule())
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(label(title, "strong"))
        line.addStretch(1)
        if pencil:
            line.addWidget(
                Button("Edit note", "pencil", kind="icon",
                       on_click=lambda: self._tell(self.note_requested))
            )  # fmt: skip
        self._body.addWidget(row)
        shown = label(text, "small", wrap=True)
        shown.setObjectName(f"inspector.{title.lower()}")
        self._body.addWidget(shown)

    def _history(self, trial: Trial) -> None:
        self._body.addWidget(rule())
        self._body.addWidget(label("History", "strong"))
        grid_widget = QWidget()
        grid_widget.setObjectName("inspector.history")
        grid = QGridLayout(grid_widget)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        now = datetime.now(UTC)
        for row, (moment, text) in enumerate(_history(trial)):
            grid.addWidget(label(clock(moment, now), "small", "text2"), row, 0)
            grid.addWidget(label(text, "small", wrap=True), row, 1)
        self._body.addWidget(grid_widget)

    def _tell(self, signal: object) -> None:
        if self._trial is not None:
            signal.emit(self._trial.index)  # type: ignore[attr-defined]  # a bound signal


def _results(trial: Trial, facts: RunFacts) -> list[tuple[str, str, str]]:
    optimization = facts.optimization
    if optimization is None:
        return []
    rows = []
    predictions = {p.metric: p for p in trial.generation.predictions}
    for metric in optimization.metric_names:
        decimals = decimals_of(metric, facts)
        unit = optimization.unit_of(metric)
        observation = trial.latest(metric)
        if observation is not None:
            sem = f"± {number(observation.sem, decimals)}" if observation.sem else ""
            mean = measured(observation.mean, decimals, observation.sem)
            rows.append((metric, with_unit(mean, unit), sem))
        expected = predictions.get(metric)
        if expected is not None:
            text = with_unit(number(expected.mean, decimals), unit)
            rows.append((f"{metric}, expected", text, f"± {number(expected.sem, decimals)}"))
    if trial.status is TrialStatus.COMPLETED:
        broken = broken_limits(trial, optimization)
        rows += [
            (f"Limit {limit_text(limit)}", "Not met" if limit in broken else "Met", "")
            for limit in optimization.outcome_constraints
        ]
    if trial.started_at is not None:
        rows.append(("Duration", duration(seconds_running(trial, datetime.now(UTC))), ""))
    return rows


def _settings(trial: Trial, facts: RunFacts) -> list[tuple[str, str, str]]:
    if facts.setup is None:
        return [(name, str(value), "") for name, value in trial.parameters.items()]
    rows = []
    for parameter in facts.setup.search_space.parameters:
        value = trial.parameters.get(parameter.name)
        text = MISSING
        if value is not None:
            text = with_unit(parameter_value(value, parameter_decimals(parameter)), parameter.unit)
        rows.append((parameter.name, text, ""))
    return rows


def _history(trial: Trial) -> list[tuple[datetime, str]]:
    source = SOURCE_WORDS[trial.generation.source].lower()
    lines = [(trial.staged_at, f"Launched ({source})"), (trial.started_at, "Deployed")]
    if trial.status.is_terminal:
        lines.append((trial.finished_at, STATUS_LOOKS[trial.status.value].word))
    return [(moment, text) for moment, text in lines if moment is not None]
