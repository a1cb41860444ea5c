"""The page Review: may the run start?"""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from axdesk.core.draft_cells import Problem
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.formatting import counted
from axdesk.gui.models.setup_texts import (
    SECTION_TITLES,
    passed_checks,
    place_of,
    sentence_of,
    summary_rows,
)
from axdesk.gui.style import px
from axdesk.gui.views.setup_page import SetupPage
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Card, Facts, fixed_height
from axdesk.gui.widgets.labels import ElidedLabel, IconLabel, label, rule
from axdesk.gui.widgets.lists import Issue, IssueList, Remedy


class ReviewPage(SetupPage):
    """Problems with a way to each, the checks that passed, the run in lines, and Start.

    Signals:
        fix_requested: The operator wants to go to a problem; carries it.
        start_requested: The operator pressed Start.
        recheck_requested: The operator wants everything read and checked anew.
    """

    fix_requested = Signal(object)
    start_requested = Signal()
    recheck_requested = Signal()

    def __init__(self, model: DraftModel) -> None:
        recheck = Button("Check again", "refresh", name="setup.review.recheck")
        recheck.setToolTip("Read the plugin files again and check everything.")
        sentence = "Checked at every change, and again when you press Start."
        super().__init__(model, "Review", sentence, [recheck])
        recheck.clicked.connect(lambda: self.recheck_requested.emit())
        self._shown: tuple[Problem, ...] = ()
        self._checks: list[tuple[str, str]] = []
        columns = QHBoxLayout()
        columns.setSpacing(px(14))
        left = QVBoxLayout()
        left.setSpacing(px(12))
        self.issues = IssueList(name="setup.review.list")
        self.issues.issue_clicked.connect(self.fix_requested)
        self._passed = Card("Passed")
        self._passed_rows = QVBoxLayout()
        self._passed_rows.setSpacing(px(6))
        self._passed.body.addLayout(self._passed_rows)
        left.addWidget(self.issues)
        left.addWidget(self._passed)
        left.addStretch(1)
        self._run = Card("This run", name="setup.review.summary")
        self._facts = Facts()
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
        right = QVBoxLayout()
        right.addWidget(fixed_height(self._run))
        right.addStretch(1)
        columns.addLayout(left, 3)
        columns.addLayout(right, 2)
        self.body.addLayout(columns)
        self.body.addStretch(1)

    def refresh(self) -> None:
        """Show what is wrong, what is not, and what the run will do."""
        problems = self.model.problems.items if self.model.problems is not None else ()
        if problems != self._shown:
            self._shown = problems
            self.issues.set_issues([self._issue(problem) for problem in problems])
        self._show_passed(passed_checks(self.model))
        setup = self.model.setup
        self._facts.setVisible(setup is not None)
        self._nothing.setVisible(setup is None)
        if setup is not None:
            self._facts.set_rows(summary_rows(setup))
        self._nothing.setText(
            f"{counted(len(problems), 'problem')} to fix before the run can start."
        )
        reason = "Stands as soon as the problems are fixed."
        if self.model.is_read_only:
            reason = "The set-up cannot be changed or started now."
        self._start.set_available(setup is not None and not self.model.is_read_only, reason=reason)

    def go_to(self, _problem: Problem) -> None:
        """Problems are mended on the other pages."""

    def _issue(self, problem: Problem) -> Issue:
        fix = Remedy(
            f"Fix in {SECTION_TITLES[problem.section]}", lambda: self.fix_requested.emit(problem)
        )
        place = place_of(problem, self.model.draft)
        return Issue(place, sentence_of(problem), remedies=(fix,), target=problem)

    def _show_passed(self, checks: Sequence[tuple[str, str]]) -> None:
        if checks == self._checks:
            return
        self._checks = list(checks)
        while (item := self._passed_rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for position, (title, found) in enumerate(checks):
            if position:
                self._passed_rows.addWidget(rule())
            self._passed_rows.addWidget(_check_row(title, found))
        self._passed.set_title("Passed", counted(len(checks), "check"))
        self._passed.setVisible(bool(checks))


def _check_row(title: str, found: str) -> QWidget:
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(px(10))
    name = label(title)
    longest = max(map(name.fontMetrics().horizontalAdvance, SECTION_TITLES.values()))
    name.setFixedWidth(longest + px(12))
    line.addWidget(IconLabel("check", "good"))
    line.addWidget(name)
    line.addWidget(ElidedLabel(found, "small", "text2"), 1)
    row.setAccessibleName(f"{title}: {found}")
    return row
