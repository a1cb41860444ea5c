"""The review: what a pre-flight found, the way to each place, and when Start is on."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.drafts import draft_of
from axdesk.core.errors import StorageError
from axdesk.core.preflight import CheckLine, Preflight, Verdict
from axdesk.core.run import RunState
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.dry_test_model import DryTestModel
from axdesk.gui.models.preflight_model import PreflightModel
from axdesk.gui.models.review_texts import run_rows
from axdesk.gui.preflight_check import PreflightCheck
from axdesk.gui.style import theme_manager
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.views.setup_view import SetupView
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Card
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.lists import IssueList, SectionList
from axdesk.gui.widgets.roles import Role
from tests.gui.scenes import MemoryWorkspace, coupling_setup
from tests.gui.setup_samples import CATALOGUE, found, suzuki
from tests.gui.test_window import Bench

PASSED, WARNING, PROBLEM = Verdict
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
UNTESTED = CheckLine(
    "Test", WARNING, "No test was passed.", Problem(Section.RUNNER, 0, "reference", "No test.")
)
FULL = CheckLine("Storage", WARNING, "Only 300 MB are free.")


def passed(*titles: str) -> tuple[CheckLine, ...]:
    return tuple(CheckLine(title, PASSED, f"{title} is well") for title in titles)


class Review:
    """A set-up at its review, and what a pre-flight would have told."""

    def __init__(self, qtbot: QtBot) -> None:
        self.model = DraftModel(suzuki())
        self.model.set_catalogue(CATALOGUE)
        self.preflight = PreflightModel(self.model, self.model)
        self.dry_test = DryTestModel(self.model)
        self.view = SetupView(self.model, self.dry_test, self.preflight)
        self.model.setParent(self.view)
        self.asked = 0
        self.view.check_requested.connect(self._count)
        qtbot.addWidget(self.view)
        self.view.resize(1100, 700)
        self.view.show()
        self.view.activateWindow()
        qtbot.waitUntil(self.view.isActiveWindow)
        self.view.show_review()

    def _count(self) -> None:
        self.asked += 1
        self.preflight.begin()

    def tell(self, *lines: CheckLine, seconds: float | None = None) -> None:
        self.preflight.end(Preflight(lines, self.model.setup, seconds), datetime.now(UTC))
        QApplication.processEvents()

    @property
    def start(self) -> Button:
        return found(self.view, Button, "setup.review.start")

    def texts(self) -> list[str]:
        return [shown.text() for shown in self.view.findChildren(QLabel) if shown.isVisible()]

    def state(self, place: int) -> tuple[str, str]:
        index = found(self.view, SectionList, "setup.sections").model().index(place, 0)
        return index.data(Role.ICON_TONE), index.data(Role.SECOND_LINE)


@pytest.fixture
def review(qtbot: QtBot) -> Review:
    return Review(qtbot)


def press(view: QWidget, text: str) -> None:
    button = next(b for b in view.findChildren(QAbstractButton) if b.text() == text)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_review_is_checked_when_shown_and_once_after_each_change(review: Review) -> None:
    assert review.asked == 1
    assert "Checking…" in review.texts()
    review.tell(*passed("Name", "Plugins"))
    assert any(text.startswith("Checked at ") for text in review.texts())
    assert review.asked == 1
    review.model.edit(Section.RUN, 0, "max_trials", "7")
    assert review.asked == 2
    review.tell(*passed("Name"))
    review.view.show_section(Section.RUN)
    review.model.edit(Section.RUN, 0, "max_trials", "8")
    assert review.asked == 2
    review.view.show_review()
    assert review.asked == 3


def test_what_changed_meanwhile_is_checked_once_more(review: Review) -> None:
    review.model.edit(Section.RUN, 0, "max_trials", "7")
    assert review.asked == 1
    review.tell(*passed("Name"))
    assert review.asked == 2


def test_passed_checks_are_listed(review: Review) -> None:
    review.tell(*passed("Name", "Plugins", "Duration"), UNTESTED)
    card = found(review.view, Card, "setup.review.passed")
    told = [shown.text() for shown in card.findChildren(QLabel) if shown.isVisible()]
    assert told == ["Passed", "2 of 3 checks", "Name", "Name is well", "Plugins", "Plugins is well"]


def test_start_is_on_with_warnings_and_each_has_its_way_out(review: Review, qtbot: QtBot) -> None:
    review.tell(*passed("Name"), UNTESTED, FULL)
    assert review.start.isEnabled()
    assert review.state(6) == ("warn", "2 warnings")
    assert review.state(4) == ("warn", "Not tested as it is")
    assert "Only 300 MB are free." in review.texts()
    with qtbot.waitSignal(review.view.test_requested):
        press(review.view, "Test now")
    assert review.view.page(Section.RUNNER).isVisible()
    review.view.show_review()
    press(review.view, "Fix in Runner && metrics")
    assert review.view.page(Section.RUNNER).isVisible()
    assert review.state(4) == ("good", "Cell") or review.state(4)[0] == "bad"


def test_start_is_off_with_a_problem_and_fix_goes_to_the_field(review: Review) -> None:
    review.model.edit(Section.OBJECTIVES, 1, "limit", "much")
    review.model.edit(Section.RUN, 0, "run_time_limit", "soon")
    review.tell(*passed("Name"))
    assert not review.start.isEnabled()
    assert review.state(6) == ("bad", "2 problems left")
    press(review.view, "Fix in Objectives && limits")
    table = found(review.view, SetupTable, "setup.objectives.table")
    assert table.hasFocus()
    assert (table.currentIndex().row(), table.currentIndex().column()) == (1, 3)
    review.view.show_review()
    press(review.view, "Fix in Run settings")
    assert found(review.view, TextField, "setup.run.run_timeout").hasFocus()


def test_each_kind_of_problem_is_fixed_at_its_own_field(review: Review) -> None:
    places = {
        (Section.GENERAL, 0, "name"): "setup.general.name",
        (Section.RUN, 0, "poll_deadline"): "setup.run.poll_deadline",
        (Section.RUN, 0, "early_percentile"): "setup.run.early_percentile",
        (Section.RUN, 0, "seed"): "setup.run.seed",
    }
    for (section, row, field), name in places.items():
        review.view.show_review()
        problem = Problem(section, row, field, "Something is wrong.")
        review.model.take_found([problem])
        issue = found(review.view, IssueList, "setup.review.list").issues()[0]
        issue.remedies[0].apply()
        assert found(review.view, TextField, name).hasFocus(), name


def test_the_summary_tells_the_end_where_it_can_be_known(review: Review) -> None:
    assert review.model.setup is not None
    report = Preflight(passed("Name"), review.model.setup, 1040)
    rows = dict(run_rows(review.model.setup, report, NOW))
    assert rows["Duration"] == "about 8\u00a0h\u00a040"
    assert rows["Ends"].startswith("about ")
    report = Preflight(passed("Name"), review.model.setup)
    rows = dict(run_rows(review.model.setup, report, NOW))
    assert rows["Duration"] == "known after the first trial"
    assert "Ends" not in rows


class Post:
    """Takes work as the plugins' thread does, and carries it out when told to."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Callable[..., object], Callable[..., object], object]] = []

    def post(
        self, work: Callable[..., object], done: Callable[..., object], failed: object = None
    ) -> None:
        self.jobs.append((work, done, failed))

    def carry_out(self, workspace: object) -> None:
        work, done, _ = self.jobs.pop(0)
        done(work(workspace))


def is_answered(check: PreflightCheck) -> bool:
    return check.model.report is not None


def messages(model: DraftModel) -> list[str]:
    """What keeps the run from starting."""
    assert (model.setup is None) == (model.problems is not None)
    return [p.message for p in model.problems.items] if model.problems is not None else []


class Found:
    """A workspace whose pre-flight finds what it is told to."""

    def __init__(self, *lines: CheckLine) -> None:
        self.lines = lines
        self.drafts: list[object] = []

    def preflight(self, draft: object, _number: int) -> Preflight:
        self.drafts.append(draft)
        return Preflight(self.lines)


@pytest.fixture
def checked(qapp: QApplication) -> Iterator[tuple[DraftModel, Post, PreflightCheck]]:
    model, post = DraftModel(suzuki()), Post()
    yield model, post, PreflightCheck(1, model, post, model)  # type: ignore[arg-type]  # as a thread
    model.deleteLater()


def test_what_was_asked_for_meanwhile_is_answered_last(
    checked: tuple[DraftModel, Post, PreflightCheck],
) -> None:
    model, post, check = checked
    workspace = Found(*passed("Name"))
    check.check()
    model.edit(Section.RUN, 0, "max_trials", "7")
    check.check()
    check.check()
    assert len(post.jobs) == 1
    post.carry_out(workspace)
    assert not is_answered(check)
    post.carry_out(workspace)
    assert is_answered(check)
    assert workspace.drafts[-1] is model.draft
    assert post.jobs == []


def test_a_problem_of_no_place_keeps_the_run_from_starting_until_it_is_gone(
    checked: tuple[DraftModel, Post, PreflightCheck],
) -> None:
    model, post, check = checked
    assert messages(model) == []
    check.check()
    post.carry_out(Found(CheckLine("Storage", PROBLEM, "The disk is full.")))
    assert messages(model) == ["The disk is full."]
    check.check()
    post.carry_out(Found(*passed("Storage")))
    assert messages(model) == []


def test_a_pre_flight_that_fails_says_so(
    checked: tuple[DraftModel, Post, PreflightCheck],
) -> None:
    model, post, check = checked
    check.check()
    _, _, failed = post.jobs.pop()
    assert callable(failed)
    failed(StorageError("The database is gone."))
    assert (check.model.is_checking, check.model.report) == (False, None)
    assert check.model.failure == "The database is gone."
    check.check()
    check.close()
    post.carry_out(Found(*passed("Name")))
    assert model.setup is not None
    assert check.model.report is None


def test_f7_leads_to_the_review_and_its_findings_reach_the_toolbar(
    qtbot: QtBot, qapp: QApplication
) -> None:
    workspace = MemoryWorkspace()
    bench = Bench(qtbot, workspace)
    try:
        workspace.found = (UNTESTED,)
        bench.open(workspace.new_draft(draft_of(coupling_setup())))
        bench.until(lambda: bench.session.state is RunState.READY)
        QTest.keyClick(bench.window, Qt.Key.Key_F7)
        bench.until(lambda: bench.session.preflight.model.report is not None)
        assert bench.find("setup.review.start").isEnabled()
        assert bench.action("run.start").isEnabled()
        workspace.found = (CheckLine("Storage", PROBLEM, "The disk is full."),)
        bench.press("setup.review.recheck")
        bench.until(lambda: not bench.action("run.start").isEnabled())
        assert not bench.find("setup.review.start").isEnabled()
        assert bench.session.facts.first_problem == "The disk is full."
        workspace.found = ()
        bench.press("setup.review.recheck")
        bench.until(lambda: bench.action("run.start").isEnabled())
        assert bench.find("setup.review.start").isEnabled()
    finally:
        bench.close()
        theme_manager().choose("system")


def test_no_test_is_offered_while_a_run_has_the_instrument(review: Review) -> None:
    review.tell(UNTESTED)
    assert found(review.view, Button, "setup.review.test").isEnabled()
    review.dry_test.show(refusal="The run uses the instrument.")
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    button = found(review.view, Button, "setup.review.test")
    assert not button.isEnabled()
    assert button.toolTip() == "The run uses the instrument."
    review.dry_test.show(refusal="")
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert found(review.view, Button, "setup.review.test").isEnabled()
