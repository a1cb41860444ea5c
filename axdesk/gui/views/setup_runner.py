"""The page Runner & metrics: how a trial gets into the laboratory and its results come back."""

from PySide6.QtCore import QPoint, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.errors import NotFoundError
from axdesk.core.plugins import PluginDescription, PluginFile, PluginKind, PluginState
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.draft_table import with_current
from axdesk.gui.models.dry_test_model import DryTestModel
from axdesk.gui.models.objective_table import MetricsTable, chosen_plugin, plugin_choices
from axdesk.gui.models.plugins_model import STATE_LOOKS, abilities_text
from axdesk.gui.style import px, set_property, theme_manager
from axdesk.gui.views.dry_test_card import DryTestCard
from axdesk.gui.views.option_form import OptionForm
from axdesk.gui.views.setup_page import SetupPage
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.views.trust_notice import TrustNotice, asks_for_trust
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Card, Fold, Notice
from axdesk.gui.widgets.fields import ComboField
from axdesk.gui.widgets.labels import IconLabel, label, set_tone

LEAST_BESIDE = 920
"""Width of the page, at a 16 pixel line, from which the test stands beside the rest."""


class _LoadedSign(QWidget):
    """Whether a plugin is there: sign and word."""

    def __init__(self) -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(px(6))
        self._icon = IconLabel()
        self._word = label("", "small")
        line.addWidget(self._icon)
        line.addWidget(self._word)

    def show_state(self, word: str, icon_name: str, tone: str) -> None:
        self._icon.set_icon(icon_name, tone)
        self._word.setText(word)
        set_tone(self._word, tone)


class RunnerPage(SetupPage):
    """The runner with its options, the class that fetches each metric, and files that are broken.

    Signals:
        reload_requested: The operator wants the plugin folder read anew.
        file_requested: … to see a plugin file; carries its name.
        file_trusted: … a plugin file to be run as it is; carries the `PluginFile`.
        folder_trusted: … every file of its folder; carries it.
        test_requested: … a dry test.
        stop_test_requested: … its end.
    """

    reload_requested = Signal()
    file_requested = Signal(str)
    file_trusted = Signal(object)
    folder_trusted = Signal(object)
    test_requested = Signal()
    stop_test_requested = Signal()
    section = Section.RUNNER

    def __init__(self, model: DraftModel, dry_test: DryTestModel | None = None) -> None:
        super().__init__(
            model,
            "Runner & metrics",
            "How a trial gets into the laboratory and how its results come back.",
        )
        self._is_patient = not any(model.rows(Section.RUNNER))
        self._files: tuple[PluginFile, ...] = ()
        self._left = QVBoxLayout()
        self._left.setSpacing(px(12))
        self._add_runner()
        self._add_metrics()
        self._left.addStretch(1)
        dry_test = dry_test or DryTestModel(self)
        self.test_card = DryTestCard(dry_test)
        self._was_testing = False
        dry_test.changed.connect(lambda: self._follow_test(dry_test.is_going))
        self.test_card.test_requested.connect(self.test_requested)
        self.test_card.stop_requested.connect(self.stop_test_requested)
        self._halves = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._halves.setSpacing(px(12))
        self._halves.addLayout(self._left, 4)
        self._halves.addWidget(self.test_card, 3)
        self.body.addLayout(self._halves)
        self._broken = QVBoxLayout()
        self._broken.setSpacing(px(8))
        self.body.addLayout(self._broken)
        self.body.addStretch(1)

    def _follow_test(self, is_going: bool) -> None:
        """Scroll to a test that begins: where the page is narrow, it stands far below."""
        has_begun, self._was_testing = is_going and not self._was_testing, is_going
        if has_begun:
            QTimer.singleShot(0, self, self._show_test)

    def _show_test(self) -> None:
        card, page = self.test_card, self.widget()
        top = 0 if page is None else card.mapTo(page, QPoint(0, 0)).y()
        height = min(card.height(), self.viewport().height())
        self.ensureVisible(0, top + height // 2, 0, height // 2)

    def _add_runner(self) -> None:
        card = Card("Runner", note="deploys each trial and says when it is done")
        self._runner_sign = _LoadedSign()
        card.add_action(self._runner_sign)
        self._runner = ComboField(name="setup.runner.plugin")
        self._runner.setAccessibleName("Runner")
        self._runner.setMinimumWidth(px(240))
        self._runner.chosen.connect(self._choose_runner)
        self._reload = Button(
            "Reload", "refresh", on_click=self.reload_requested.emit, name="setup.runner.reload"
        )
        line = QHBoxLayout()
        line.setSpacing(px(8))
        line.addWidget(self._runner)
        line.addWidget(self._reload)
        self._open_file = Button(
            "Open file", "external-link", kind="plain", name="setup.runner.open_file",
            on_click=lambda: self._request_file(Section.RUNNER, 0, "reference"),
        )  # fmt: skip
        line.addWidget(self._open_file)
        line.addStretch(1)
        self._runner_issue = label("", "small", "bad", wrap=True)
        self._summary = label("", "small", "text2", wrap=True)
        self._form = OptionForm(self.model, Section.RUNNER, name="setup.runner.form")
        card.body.addLayout(line)
        card.body.addWidget(self._runner_issue)
        card.body.addWidget(self._summary)
        card.body.addWidget(self._form)
        self._left.addWidget(card)

    def _add_metrics(self) -> None:
        card = Card("Metrics", note="fetch the results of a finished trial")
        self._metrics_sign = _LoadedSign()
        card.add_action(self._metrics_sign)
        self._metrics = MetricsTable(self.model)
        self.table = SetupTable(
            self._metrics, name="setup.metrics.table", label="Metrics", widths=(220, 0)
        )
        self._metric_head = label("", "strong", wrap=True)
        self._metric_issue = label("", "small", "bad", wrap=True)
        self._metric_summary = label("", "small", "text2", wrap=True)
        self._use_for_all = Button(
            "Use for all metrics", "copy", kind="quiet", name="setup.metrics.use_for_all",
            on_click=self._use_for_all_metrics,
        )  # fmt: skip
        self._use_for_all.setToolTip("Choose this class with these options for every metric.")
        self._metric_form = OptionForm(self.model, Section.OBJECTIVES, name="setup.metrics.form")
        self._no_metrics = label(
            "Nothing is measured yet: add it under Objectives & limits.", "body", "text2", wrap=True
        )
        for widget in (self._no_metrics, self.table, self._metric_head, self._metric_issue,
                       self._metric_summary, self._metric_form, self._use_for_all):  # fmt: skip
            card.body.addWidget(widget)
        self.table.selectionModel().currentChanged.connect(self.refresh)
        self._left.addWidget(card)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the test below the rest where there is no room beside it."""
        super().resizeEvent(event)
        is_wide = event.size().width() >= px(LEAST_BESIDE)
        directions = QBoxLayout.Direction
        self._halves.setDirection(directions.LeftToRight if is_wide else directions.TopToBottom)

    def refresh(self) -> None:
        """Show what the draft and the plugin folder say."""
        self._show_runner()
        self._show_metrics()
        self._show_broken()

    def go_to(self, problem: Problem) -> None:
        """Put the focus into the field of the runner or of the metric."""
        self._is_patient = False
        if problem.section is Section.OBJECTIVES:
            if problem.row is not None and problem.row < self._metrics.rowCount():
                self.table.go_to(problem.row, 1)
            self.refresh()
            self._metric_form.focus(problem.field)
            return
        self.refresh()
        if not self._form.focus(problem.field):
            self._runner.setFocus()

    def leave(self) -> None:
        """Be frank about a missing runner from now on."""
        self._is_patient = False
        self.table.leave()

    def _show_runner(self) -> None:
        reference = self.model.text(Section.RUNNER, 0, "reference")
        issue = self.model.issue(Section.RUNNER, 0, "reference")
        if self._is_patient and not reference:
            issue = ""
        locked = self.model.locked_reason(Section.RUNNER, 0, "reference")
        choices = plugin_choices(self.model.catalogue, PluginKind.RUNNER)
        self._runner.set_choices(with_current(choices, reference))
        self._runner.set_value(reference)
        self._runner.setEnabled(not locked)
        is_reading = self.model.is_reading_plugins
        self._reload.set_available(not is_reading, reason="The plugin folder is being read.")
        if not is_reading:
            self._reload.setToolTip("Read the files of the plugin folder again.")
        self._runner.setToolTip(locked or self._runner.currentText())
        set_property(self._runner, "issue", "error" if issue else "")
        plugin = self._found(reference)
        _show_text(self._runner_issue, issue + self._kept(Section.RUNNER, 0, plugin))
        self._open_file.setVisible(bool(reference))
        _show_text(self._summary, _about(plugin))
        self._show_loaded(self._runner_sign, reference, plugin)
        self._form.show_plugin(plugin, 0)

    def _show_metrics(self) -> None:
        count = self._metrics.rowCount()
        row = self.table.current_row
        if row < 0 and count:
            self.table.select_row(0)
            row = 0
        self._no_metrics.setVisible(not count)
        self.table.setVisible(bool(count))
        reference = self.model.text(Section.OBJECTIVES, row, "metric")
        plugin = self._found(reference)
        name = self.model.text(Section.OBJECTIVES, row, "name").strip()
        shows = plugin is not None and bool(plugin.options)
        _show_text(self._metric_head, f"Options for {name or 'this metric'}" if shows else "")
        issue = self.model.issue(Section.OBJECTIVES, row, "metric")
        kept = self._kept(Section.OBJECTIVES, row, plugin)
        _show_text(self._metric_issue, issue + kept)
        locked = self.model.locked_reason(Section.OBJECTIVES, row, "metric")
        self._use_for_all.setVisible(count > 1 and bool(reference) and not locked)
        _show_text(self._metric_summary, _about(plugin))
        self._metric_form.show_plugin(plugin, max(row, 0))
        references = [r.get("metric", "") for r in self.model.draft.objectives]
        known = [self._found(r) for r in references if r]
        missing = next((r for r in references if r and self._found(r) is None), "")
        shown = missing or (references[0] if references and known else "")
        self._show_loaded(self._metrics_sign, shown, None if missing else self._found(shown))
        self.table.update_tip()

    def _show_broken(self) -> None:
        catalogue = self.model.catalogue
        broken = tuple(f for f in catalogue.files if _is_told(f)) if catalogue is not None else ()
        if broken == self._files:
            return
        self._files = broken
        while (item := self._broken.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for file in broken:
            if asks_for_trust(file):
                notice = TrustNotice(file, name=f"setup.runner.trust.{file.name}")
                notice.file_trusted.connect(self.file_trusted)
                notice.folder_trusted.connect(self.folder_trusted)
                notice.file_requested.connect(self.file_requested)
                card = Card(file.name, note="the other files are not affected")
                card.body.addWidget(notice)
                self._broken.addWidget(card)
            else:
                self._broken.addWidget(_BrokenFile(file))

    def _show_loaded(
        self, sign: _LoadedSign, reference: str, plugin: PluginDescription | None
    ) -> None:
        """Say where the file of a class stands."""
        catalogue = self.model.catalogue
        name = reference.partition(":")[0]
        file = next((f for f in catalogue.files if f.name == name), None) if catalogue else None
        if self.model.is_reading_plugins:
            sign.show_state("Reading the plugin files…", "refresh", "text2")
        elif not reference:
            sign.show_state("", "", "text2")
        elif plugin is not None:
            sign.show_state("Loaded", "circle-check", "text")
        elif file is None or file.state is PluginState.LOADED:
            sign.show_state("Not found", "alert-triangle", "warn")
        else:
            sign.show_state(*STATE_LOOKS[file.state])

    def _found(self, reference: str) -> PluginDescription | None:
        if self.model.catalogue is None or not reference:
            return None
        try:
            return self.model.catalogue.find(reference)
        except NotFoundError:
            return None

    def _kept(self, section: Section, row: int, plugin: PluginDescription | None) -> str:
        """Say which options are kept for a plugin that is not there now."""
        rows = self.model.rows(section)
        if plugin is not None or not 0 <= row < len(rows):
            return ""
        cells = [(k.removeprefix("option."), v) for k, v in rows[row].items()]
        options = [f"{k} = {v}" for (k, v), name in zip(cells, rows[row], strict=True)
                   if name.startswith("option.")]  # fmt: skip
        return f" Its options are kept: {', '.join(options)}." if options else ""

    def _request_file(self, section: Section, row: int, field: str) -> None:
        file_name = self.model.text(section, row, field).partition(":")[0]
        if file_name:
            self.file_requested.emit(file_name)

    def _use_for_all_metrics(self) -> None:
        """Choose the class and the options of the current metric for every metric, in one step."""
        rows = self.model.rows(Section.OBJECTIVES)
        current = self.table.current_row
        if not 0 <= current < len(rows):
            return
        chosen = {k: v for k, v in rows[current].items()
                  if k == "metric" or k.startswith("option.")}  # fmt: skip
        with self.model.undo_stack.as_one("use for all metrics"):
            for number, row in enumerate(rows):
                former = {name: "" for name in row if name.startswith("option.")}
                self.model.edit_cells(Section.OBJECTIVES, number, {**former, **chosen})

    def _choose_runner(self, reference: object) -> None:
        row = self.model.rows(Section.RUNNER)[0]
        cells = chosen_plugin(row, "reference", str(reference))
        self.model.edit_cells(Section.RUNNER, 0, cells)


class _BrokenFile(Card):
    """A plugin file that cannot be used: its state, the reason, and the details on demand."""

    def __init__(self, file: PluginFile) -> None:
        super().__init__(file.name, note="cannot be used; the other files are not affected")
        self.setObjectName(f"setup.runner.broken.{file.name}")
        sign = _LoadedSign()
        sign.show_state("Error", "circle-x-filled", "bad")
        self.add_action(sign)
        self.body.addWidget(Notice("bad", "alert-circle-filled", "Reason:", file.error))
        if not file.details:
            return
        fold = Fold("Details", name=f"setup.runner.broken.{file.name}.details")
        self._text = QPlainTextEdit(file.details)
        self._text.setReadOnly(True)
        self._text.setAccessibleName(f"Details of {file.name}")
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        fold.body.addWidget(self._text)
        self.body.addWidget(fold)
        self._fix_height()
        theme_manager().changed.connect(self._fix_height)

    def _fix_height(self) -> None:
        self._text.setFixedHeight(px(160))


def _is_told(file: PluginFile) -> bool:
    """Whether a file is told of below: it is broken, or the operator has to decide."""
    return asks_for_trust(file) or (bool(file.error) and not file.hold)


def _show_text(shown: QLabel, text: str) -> None:
    shown.setText(text)
    shown.setVisible(bool(text))


def _about(plugin: PluginDescription | None) -> str:
    if plugin is None:
        return ""
    abilities = abilities_text(plugin) if plugin.kind is PluginKind.RUNNER else ""
    parts = [part for part in (plugin.summary.rstrip("."), abilities) if part]
    return ". ".join(parts) + ("." if parts else "")
