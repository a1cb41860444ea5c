"""The Setup tab: its sections with their states at the left, the page of one at the right."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.errors import AxdeskError
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.dry_test_model import DryTestModel
from axdesk.gui.models.formatting import counted
from axdesk.gui.models.preflight_model import PreflightModel
from axdesk.gui.models.setup_texts import SECTION_TITLES, section_state
from axdesk.gui.settings import WindowSettings
from axdesk.gui.style import px, theme_manager
from axdesk.gui.views.setup_constraints import ConstraintsPage
from axdesk.gui.views.setup_general import GeneralPage
from axdesk.gui.views.setup_objectives import ObjectivesPage
from axdesk.gui.views.setup_page import SetupPage
from axdesk.gui.views.setup_parameters import ParametersPage
from axdesk.gui.views.setup_review import ReviewPage
from axdesk.gui.views.setup_run import RunPage
from axdesk.gui.views.setup_runner import RunnerPage
from axdesk.gui.widgets.cards import Surface
from axdesk.gui.widgets.lists import SectionList

REVIEW = "review"
"""Key of the page that is no section of the draft."""

LIST_WIDTH = 214


class SetupView(QWidget):
    """Shows and edits the set-up of one experiment.

    Signals:
        start_requested: The operator pressed Start.
        reload_plugins_requested: The plugin folder is to be read again, or it is another one.
        plugin_file_requested: The operator wants to see a plugin file; carries its name.
        plugin_trusted: … lets a version of a plugin file be run; carries the `PluginFile`.
        plugin_folder_trusted: … lets every file of its folder be run; carries it.
        test_requested: … a dry test of the plugins.
        stop_test_requested: … its end.
        check_requested: … a pre-flight of the set-up.
        parameter_file_requested: … the parameters of a file, whose text `import_parameters`
            takes; carries its `Path`.
    """

    start_requested = Signal()
    reload_plugins_requested = Signal()
    plugin_file_requested = Signal(str)
    plugin_trusted = Signal(object)
    plugin_folder_trusted = Signal(object)
    test_requested = Signal()
    stop_test_requested = Signal()
    check_requested = Signal()
    parameter_file_requested = Signal(object)

    def __init__(
        self,
        model: DraftModel,
        dry_test: DryTestModel | None = None,
        preflight: PreflightModel | None = None,
        settings: WindowSettings | None = None,
    ) -> None:
        """Make the view of a set-up; it starts at the first section that is not complete.

        Args:
            model: What it shows and edits.
            dry_test: What is known of the dry test of its plugins.
            preflight: What the last pre-flight found.
            settings: Where the choice of columns is kept.
        """
        super().__init__()
        self.setObjectName("setup.view")
        self.setAccessibleName("Setup")
        self._model = model
        self._settings = settings
        self._dry_test = dry_test or DryTestModel(self)
        self._preflight = preflight or PreflightModel(model, self)
        self._preflight.changed.connect(self._refresh)
        self._dry_test.changed.connect(self._check_anew_once_tested)
        self._dry_test.changed.connect(self._refresh_review)
        self._was_tested = self._dry_test.passed
        self._start: tuple[str, str] | None = None
        self._seen: set[str] = set()
        # Made when first shown: all of them at once hold up the window for a third of a second.
        self._pages: dict[str, SetupPage] = {}
        titles = [(str(section), title) for section, title in SECTION_TITLES.items()]
        self._sections = SectionList([*titles, (REVIEW, "Review")], name="setup.sections")
        self._stack = QStackedWidget()
        self._side = Surface("panel")
        side = QHBoxLayout(self._side)
        side.setContentsMargins(0, px(8), 0, px(8))
        side.addWidget(self._sections)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._side)
        layout.addWidget(self._stack, 1)
        self._sections.section_chosen.connect(self._show_page)
        model.settled.connect(self._refresh)
        model.stepped.connect(self._follow_step)
        self._fix_width()
        theme_manager().changed.connect(self._fix_width)
        self._sections.set_current(Section.GENERAL)

    @property
    def model(self) -> DraftModel:
        """The set-up that is shown."""
        return self._model

    def page(self, section: Section) -> SetupPage:
        """The page of a section; it is made if it was not shown so far."""
        return self._page(section)

    def set_read_only(self, is_read_only: bool) -> None:
        """Refuse edits, or take them again."""
        self._model.set_read_only(is_read_only)

    def set_start(self, word: str, why_off: str) -> None:
        """Have the review's button say what the run's own says.

        Args:
            word: What it says now, such as Start or Resume.
            why_off: Why it cannot be pressed; empty if it can.
        """
        self._start = (word, why_off)
        review = self._pages.get(REVIEW)
        if isinstance(review, ReviewPage):
            review.set_start(word, why_off)

    def import_parameters(self, text: str) -> None:
        """Add the parameters of a file."""
        page = self._page(Section.PARAMETERS)
        assert isinstance(page, ParametersPage)
        page.import_text(text)

    def refuse_parameters(self, error: AxdeskError) -> None:
        """Say why a file brought no parameters."""
        page = self._page(Section.PARAMETERS)
        assert isinstance(page, ParametersPage)
        page.tell(str(error))

    def show_section(self, section: Section) -> None:
        """Go to the page of a section."""
        self._sections.set_current(section)

    def show_review(self) -> None:
        """Go to the review."""
        self._sections.set_current(REVIEW)

    def go_to(self, problem: Problem) -> None:
        """Go to the page of a problem and put the focus where it can be mended.

        A problem that the draft alone does not show (found by a slower check) is shown from now on
        until the next edit.
        """
        self._model.note_found(problem)
        key = _page_of(problem)
        self._seen.add(key)
        self._sections.set_current(key)
        self._page(key).go_to(problem)
        self._refresh()

    def _page(self, key: str) -> SetupPage:
        page = self._pages.get(key)
        if page is None:
            page = self._pages[key] = self._made(key)
            page.ensurePolished()
            self._stack.addWidget(page)
            page.body.activate()  # so that one can go to a place of it at once
        return page

    def _made(self, key: str) -> SetupPage:
        match key:
            case Section.GENERAL:
                general = GeneralPage(self._model)
                general.plugins_moved.connect(self.reload_plugins_requested)
                return general
            case Section.PARAMETERS:
                parameters = ParametersPage(self._model, self._settings)
                parameters.file_requested.connect(self.parameter_file_requested)
                return parameters
            case Section.OBJECTIVES:
                return ObjectivesPage(self._model)
            case Section.CONSTRAINTS:
                return ConstraintsPage(self._model)
            case Section.RUNNER:
                runner = RunnerPage(self._model, self._dry_test)
                runner.reload_requested.connect(self.reload_plugins_requested)
                runner.file_requested.connect(self.plugin_file_requested)
                runner.file_trusted.connect(self.plugin_trusted)
                runner.folder_trusted.connect(self.plugin_folder_trusted)
                runner.test_requested.connect(self.test_requested)
                runner.stop_test_requested.connect(self.stop_test_requested)
                return runner
            case Section.RUN:
                return RunPage(self._model)
            case _:
                review = ReviewPage(self._model, self._preflight, self._dry_test)
                review.check_requested.connect(self.check_requested)
                review.test_requested.connect(self._test_from_review)
                review.recheck_requested.connect(self.reload_plugins_requested)
                review.start_requested.connect(self.start_requested)
                review.fix_requested.connect(self.go_to)
                if self._start is not None:
                    review.set_start(*self._start)
                return review

    def begin_naming(self) -> None:
        """Give the keyboard to the name of an experiment that has none."""
        page = self._stack.currentWidget()
        if isinstance(page, GeneralPage) and not self._model.text(Section.GENERAL, 0, "name"):
            page.fields.focus("name")

    def _follow_step(self, section: Section) -> None:
        """Show what undo or redo changed, if another page is shown."""
        shown = self._stack.currentWidget()
        # The plugins of metrics are edited on the page of the runner.
        places = {section, Section.RUNNER} if section is Section.OBJECTIVES else {section}
        if all(shown is not self._pages.get(place) for place in places):
            self._sections.set_current(section)

    def _show_page(self, key: str) -> None:
        former = self._stack.currentWidget()
        page = self._page(key)
        if isinstance(former, SetupPage) and former is not page:
            former.leave()
            self._seen.add(next(k for k, p in self._pages.items() if p is former))
        self._stack.setCurrentWidget(page)
        if key in (Section.RUN, REVIEW):
            self._seen.add(key)
        self._refresh()

    def _refresh(self) -> None:
        for section in Section:
            state, sentence = section_state(self._model, section, was_seen=section in self._seen)
            if section is Section.RUNNER and state == "good" and self._is_untested:
                state, sentence = "warn", "Not tested as it is"
            self._sections.set_state(section, state, sentence)
        self._show_review_state()
        page = self._stack.currentWidget()
        if isinstance(page, SetupPage):
            page.refresh()

    def _show_review_state(self) -> None:
        problems = self._model.problems
        if problems is not None:
            left = f"{counted(len(problems.items), 'problem')} left"
            self._sections.set_state(REVIEW, "bad" if REVIEW in self._seen else "unseen", left)
        elif REVIEW in self._seen and self._preflight.is_checking:
            self._sections.set_state(REVIEW, "unseen", "Checking…")
        elif self._preflight.warnings:
            warnings = counted(len(self._preflight.warnings), "warning")
            self._sections.set_state(REVIEW, "warn", warnings)
        elif REVIEW in self._seen:
            self._sections.set_state(REVIEW, "good", "Ready to start")
        else:
            self._sections.set_state(REVIEW, "unseen", "Check before start")

    @property
    def _is_untested(self) -> bool:
        return any(line.title == "Test" for line in self._preflight.warnings)

    def _test_from_review(self) -> None:
        self.show_section(Section.RUNNER)
        self.test_requested.emit()

    def _check_anew_once_tested(self) -> None:
        """A passed test settles what the last pre-flight warned of."""
        if self._dry_test.passed != self._was_tested:
            self._was_tested = self._dry_test.passed
            if self._preflight.checked_at is not None:
                self.check_requested.emit()

    def _refresh_review(self) -> None:
        """Whether a test can be made is told there, too."""
        review = self._pages.get(REVIEW)
        if review is not None and review.isVisible():
            review.refresh()

    def _fix_width(self) -> None:
        self._side.setFixedWidth(px(LIST_WIDTH))


def _page_of(problem: Problem) -> str:
    """Options of a metric are edited on the page of the plugins."""
    if problem.section is Section.OBJECTIVES and problem.field.startswith("option."):
        return Section.RUNNER
    return problem.section
