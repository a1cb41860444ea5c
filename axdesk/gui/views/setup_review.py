"""The page Review: may the run start?"""

from collections.abc import Sequence
from datetime import UTC, datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.preflight import CheckLine
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.dry_test_model import DryTestModel
from axdesk.gui.models.formatting import counted
from axdesk.gui.models.preflight_model import PreflightModel
from axdesk.gui.models.review_texts import (
    passed_lines,
    passed_note,
    review_sentence,
    run_rows,
    warning_title,
)
from axdesk.gui.models.setup_texts import SECTION_TITLES, place_of, sentence_of
from axdesk.gui.style import px
from axdesk.gui.views.setup_page import SetupPage
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Card, Facts, Surface, fixed_height
from axdesk.gui.widgets.labels import IconLabel, label, rule
from axdesk.gui.widgets.lists import Issue, IssueList, Remedy

_CHECK_TITLES = (*SECTION_TITLES.values(), "Search space", "Plugin folder")
"""The longest of what stands before what a check found."""


class ReviewPage(SetupPage):
    """Problems and warnings with a way to each, the checks that passed, the run, and Start.

    Signals:
        fix_requested: The operator wants to go to a problem; carries it.
        start_requested: The operator pressed Start.
        check_requested: A pre-flight is due.
        recheck_requested: The operator wants everything read and checked anew.
        test_requested: The operator wants a dry test of the plugins.
    """

    fix_requested = Signal(object)
    start_requested = Signal()
    check_requested = Signal()
    recheck_requested = Signal()
    test_requested = Signal()

    def __init__(
        self, model: DraftModel, preflight: PreflightModel, dry_test: DryTestModel
    ) -> None:
        self._dry_test = dry_test
        self._recheck = Button("Check again", "refresh", name="setup.review.recheck")
        self._recheck.setToolTip("Read the plugin files again and check everything.")
        super().__init__(model, "Review", "", [self._recheck])
        self._recheck.clicked.connect(self._check_again)
        self._preflight = preflight
        self._shown: tuple[Problem, ...] = ()
        self._warned: tuple[CheckLine, ...] = ()
        self._why_no_test = ""
        self._checks: list[tuple[str, str]] = []
        self.issues = IssueList(name="setup.review.list")
        self.issues.issue_clicked.connect(self.fix_requested)
        self._warnings = QVBoxLayout()
        self._warnings.setSpacing(px(8))
        self._passed = Card("Passed", name="setup.review.passed")
        self._passed_rows = QVBoxLayout()
        self._passed_rows.setSpacing(px(6))
        self._passed.body.addLayout(self._passed_rows)
        self._add_run()
        self._add_columns()

    def _add_run(self) -> None:
        self._why_off: str | None = None
        self._run = Card("This run", name="setup.review.summary")
        self._facts = Facts(wraps=True)
        self._nothing = label("", "body", "text2", wrap=True)
        self._start = Button(
            "Start", "player-play-filled", kind="primary",
            on_click=self.start_requested.emit, name="setup.review.start",
        )  # fmt: skip
        self._start.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._run.body.addWidget(self._facts)
        self._run.body.addWidget(self._nothing)
        self._run.body.addSpacing(px(4))
        self._run.body.addWidget(self._start)

    def _add_columns(self) -> None:
        left, right = QVBoxLayout(), QVBoxLayout()
        left.setSpacing(px(12))
        left.addWidget(self.issues)
        left.addLayout(self._warnings)
        left.addWidget(self._passed)
        left.addStretch(1)
        right.addWidget(fixed_height(self._run))
        right.addStretch(1)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(px(14))
        self._columns.addLayout(left, 3)
        self._columns.addLayout(right, 2)
        self.body.addLayout(self._columns)
        self.body.addStretch(1)

    def refresh(self) -> None:
        """Show what is wrong, what is not, and what the run will do; check anew what changed."""
        problems = self.model.problems.items if self.model.problems is not None else ()
        report = self._preflight.report
        self.head.set_sentence(review_sentence(self._preflight))
        self._recheck.setEnabled(not self._preflight.is_checking)
        if problems != self._shown:
            self._shown = problems
            self.issues.set_issues([self._issue(problem) for problem in problems])
        self._show_warnings(self._preflight.warnings)
        self._show_passed(passed_lines(report))
        if report is not None:
            self._passed.set_title("Passed", passed_note(report))
        setup = self.model.setup
        self._facts.setVisible(setup is not None)
        self._nothing.setVisible(setup is None)
        if setup is not None:
            self._facts.set_rows(run_rows(setup, report, datetime.now(UTC)))
        self._nothing.setText(
            f"{counted(len(problems), 'problem')} to fix before the run can start."
        )
        self._show_start()
        if self._preflight.is_due and not self._preflight.is_checking and self.isVisible():
            self.check_requested.emit()

    def set_start(self, word: str, why_off: str) -> None:
        """Show what the run's own button says.

        Args:
            word: What it says now, such as Start or Resume.
            why_off: Why it cannot be pressed; empty if it can.
        """
        self._start.setText(word)
        self._why_off = why_off
        self._show_start()

    def _show_start(self) -> None:
        reason = self._why_off
        if reason is None:  # nothing is known of a run yet
            is_complete = self.model.setup is not None
            reason = "" if is_complete else "The set-up is not complete."
        self._start.set_available(not reason, reason=reason)

    def go_to(self, _problem: Problem) -> None:
        """Problems are mended on the other pages."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the run below the checks where there is no room for it beside them."""
        super().resizeEvent(event)
        direction = QBoxLayout.Direction
        is_wide = self.viewport().width() >= px(760)
        self._columns.setDirection(direction.LeftToRight if is_wide else direction.TopToBottom)

    def _check_again(self) -> None:
        """Read the files anew; the set-up is checked at once, and again should they differ."""
        self.recheck_requested.emit()
        self.check_requested.emit()

    def _issue(self, problem: Problem) -> Issue:
        fix = Remedy(_fix_text(problem), lambda: self.fix_requested.emit(problem))
        place = place_of(problem, self.model.draft)
        return Issue(place, sentence_of(problem), remedies=(fix,), target=problem)

    def _show_warnings(self, warnings: tuple[CheckLine, ...]) -> None:
        # While a run goes on, the instrument is the run's.
        why_no_test = "A test goes on." if self._dry_test.is_going else self._dry_test.refusal
        if (warnings, why_no_test) != (self._warned, self._why_no_test):
            self._warned, self._why_no_test = warnings, why_no_test
            _empty(self._warnings)
            for line in warnings:
                self._warnings.addWidget(_WarningCard(line, self._ways(line)))

    def _ways(self, line: CheckLine) -> list[Button]:
        ways, place = [], line.place
        if line.title == "Test":
            test = self.test_requested.emit
            button = Button("Test now", "test-pipe", on_click=test, name="setup.review.test")
            button.set_available(not self._why_no_test, reason=self._why_no_test)
            ways.append(button)
        if place is not None:
            fix = self.fix_requested.emit
            ways.append(Button(_fix_text(place), kind="quiet", on_click=lambda: fix(place)))
        return ways

    def _show_passed(self, checks: Sequence[tuple[str, str]]) -> None:
        self._passed.setVisible(bool(checks))
        if checks == self._checks:
            return
        self._checks = list(checks)
        _empty(self._passed_rows)
        for position, (title, found) in enumerate(checks):
            if position:
                self._passed_rows.addWidget(rule())
            self._passed_rows.addWidget(_check_row(title, found))


def _check_row(title: str, found: str) -> QWidget:
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(px(10))
    name = label(title)
    longest = max(map(name.fontMetrics().horizontalAdvance, _CHECK_TITLES))
    name.setFixedWidth(longest + px(12))
    line.addWidget(IconLabel("check", "good"))
    line.addWidget(name)
    line.addWidget(label(found, "small", "text2", wrap=True), 1)
    row.setAccessibleName(f"{title}: {found}")
    return row


class _WarningCard(Surface):
    """A warning with what can be done about it."""

    def __init__(self, warning: CheckLine, ways: Sequence[Button]) -> None:
        super().__init__("notice")
        self.setProperty("tint", "warn")
        self.setProperty("outlined", True)
        self.setAccessibleName(f"Warning: {warning_title(warning)}. {warning.message}")
        outer = QHBoxLayout(self)
        outer.setContentsMargins(px(14), px(10), px(14), px(10))
        outer.setSpacing(px(12))
        outer.addWidget(
            IconLabel("alert-triangle-filled", "warn", 20), 0, Qt.AlignmentFlag.AlignTop
        )
        inside = QVBoxLayout()
        inside.setSpacing(px(4))
        inside.addWidget(label(warning_title(warning), "strong", wrap=True))
        inside.addWidget(label(warning.message, "body", "text2", wrap=True))
        if ways:
            row = QHBoxLayout()
            row.setSpacing(px(8))
            for way in ways:
                row.addWidget(way)
            row.addStretch(1)
            inside.addLayout(row)
        outer.addLayout(inside, 1)


def _fix_text(problem: Problem) -> str:
    is_option = problem.section is Section.OBJECTIVES and problem.field.startswith("option.")
    section = Section.RUNNER if is_option else problem.section
    return f"Fix in {SECTION_TITLES[section]}"


def _empty(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
