"""The page Objectives & limits: what a good trial is."""

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QWidget

from axdesk.core.draft_cells import STEERING, Goal, Row, Section
from axdesk.core.draft_limits import is_relative_limit
from axdesk.core.plugins import PluginKind
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.draft_table import with_current
from axdesk.gui.models.goal_texts import baseline_sentence, optimization_of
from axdesk.gui.models.objective_table import (
    GOALS,
    LIMIT_KINDS,
    ObjectiveTable,
    chosen_plugin,
    compared_limit,
    plugin_choices,
    sums_of,
)
from axdesk.gui.models.setup_texts import objective_sentence
from axdesk.gui.style import px
from axdesk.gui.views.objective_sketch import ObjectiveSketch
from axdesk.gui.views.setup_page import CellFields, TableFoot, TablePage, leftmost
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.widgets.buttons import Button, Choice, SegmentedButton
from axdesk.gui.widgets.cards import Card, LiveSentence
from axdesk.gui.widgets.fields import ComboField, NumberField, labelled

WIDTHS = (0, 70, 210, 170, 200)
BASELINE = "baseline"
COMPARED = (Choice("", "A value"), Choice(BASELINE, "The baseline"))


class ObjectivesPage(TablePage):
    """The table of metrics, the sentence that they say, and the details of the selected row."""

    section = Section.OBJECTIVES

    def __init__(self, model: DraftModel) -> None:
        super().__init__(
            model,
            "Objectives & limits",
            "What a good trial is. One goal is enough; limits are never traded against it.",
        )
        self._objectives = ObjectiveTable(model)
        table = SetupTable(
            self._objectives,
            name="setup.objectives.table",
            label="Objectives and limits",
            widths=WIDTHS,
            empty="Nothing is measured yet.",
        )
        self._add = Button(
            "Add response", "plus", kind="quiet", on_click=self.add_row,
            name="setup.objectives.add",
        )  # fmt: skip
        foot = TableFoot(
            self._add,
            "A second goal turns the result into a set of best trade-offs; goals with a weight are "
            "added up instead.",
        )
        self.set_up(table, foot, "setup.objectives.issues")
        self.sentence = LiveSentence(name="setup.objectives.sentence")
        self._sketch = ObjectiveSketch()
        self.sentence.row.addWidget(self._sketch)
        self.body.addWidget(self.sentence)
        self._add_baseline()
        self._add_details()
        self.body.addStretch(1)

    def _add_baseline(self) -> None:
        """The way to what relative limits are compared with; shown while there are some."""
        self._baseline = Card("Baseline", name="setup.objectives.baseline")
        box = QCheckBox("Measure the start values first, as the baseline")
        box.setObjectName("setup.objectives.baseline.first")
        self._baseline.body.addWidget(box)
        self._baseline_fields = CellFields(self.model, Section.RUN)
        self._baseline_fields.add("start_at_center", box)
        self.body.addWidget(self._baseline)

    def _add_details(self) -> None:
        self._details = Card(
            "Details", note="details of the selected row", name="setup.objectives.details"
        )
        name = "setup.objectives.details"
        self._goal = SegmentedButton(GOALS, name=f"{name}.goal", label="Goal")
        self._goal.chosen.connect(lambda goal: self._edit("goal", str(goal)))
        line, last = QHBoxLayout(), QHBoxLayout()
        for layout in (line, last):
            layout.setSpacing(px(20))
        self._limit_kind = ComboField(name=f"{name}.limit_kind")
        limit = NumberField(placeholder="None", name=f"{name}.limit", width=132)
        self._compared = ComboField(COMPARED, name=f"{name}.compared")
        self._compared.chosen.connect(self._compare_limit)
        target = NumberField(placeholder="7", name=f"{name}.target")
        weight = NumberField(placeholder="None", name=f"{name}.weight")
        self._metric = ComboField(name=f"{name}.metric")
        self._metric.chosen.connect(self._choose_metric)
        self._limit_kind_cell = labelled("Limit", self._limit_kind)
        self._limit_cell = labelled(" ", limit)
        self._compared_cell = labelled("Compared with", self._compared)
        self._sum = ComboField(name=f"{name}.sum")
        self._sum.chosen.connect(lambda text: self._edit("sum", str(text)))
        self._sum_cell = labelled("Added up in", self._sum)
        limit.setAccessibleName("Limit value")
        self._target_cell = labelled("Target", target)
        self._weight_cell = labelled("Weight", weight)
        line.addWidget(self._target_cell)
        line.addWidget(self._limit_kind_cell)
        line.addWidget(self._limit_cell)
        line.addWidget(self._compared_cell)
        last.addWidget(labelled("Measured by", self._metric))
        last.addWidget(self._weight_cell)
        last.addWidget(self._sum_cell)
        for layout in (line, last):
            layout.addStretch(1)
        self._details.body.addWidget(labelled("Goal", leftmost(self._goal)))
        self._details.body.addLayout(line)
        self._details.body.addLayout(last)
        self._fields = CellFields(self.model, Section.OBJECTIVES)
        self._fields.add("limit_kind", self._limit_kind, LIMIT_KINDS)
        self._fields.add("limit", limit)
        self._fields.add("target", target)
        self._fields.add("weight", weight)
        self.body.addWidget(self._details)

    def refresh(self) -> None:
        """Show problems, the sentence, and the details of the selected row."""
        super().refresh()
        self.sentence.set_sentence(*objective_sentence(self.model))
        wrong = self.issues.issues()
        self._sketch.show_rows(() if wrong else self.model.draft.objectives)
        self._show_baseline()
        row = self.table.current_row
        has_row = 0 <= row < self._objectives.rowCount()
        self._details.setVisible(has_row)
        if not has_row:
            return
        cells = self._objectives.row(row)
        goal = cells.get("goal", "")
        self._details.set_title(
            cells.get("name", "").strip() or f"Row {row + 1}", "details of the selected row"
        )
        self._goal.show_text(goal)
        self._lock(self._goal, "goal")
        self._fields.row = row
        self._fields.refresh()
        goals = sum(r.get("goal") in STEERING for r in self.model.draft.objectives)
        weighs = goal in STEERING and (goals > 1 or bool(cells.get("weight")))
        self._target_cell.setVisible(goal == Goal.TARGET)
        self._weight_cell.setVisible(weighs)
        self._show_sums(cells)
        limits = goal != Goal.RECORD or bool(cells.get("limit"))
        for cell in (self._limit_kind_cell, self._limit_cell, self._compared_cell):
            cell.setVisible(limits)
        self._compared.set_value(BASELINE if is_relative_limit(cells.get("limit", "")) else "")
        self._lock(self._compared, "limit")
        metric = cells.get("metric", "")
        choices = plugin_choices(self.model.catalogue, PluginKind.METRIC)
        self._metric.set_choices(with_current(choices, metric))
        self._metric.show_whole_texts()
        self._metric.set_value(metric)
        self._lock(self._metric, "metric")

    def new_row(self) -> dict[str, str]:
        """A goal, or something to record."""
        return dict(self._objectives.new_row())

    def _edit(self, field: str, text: str) -> None:
        self.model.edit(Section.OBJECTIVES, self.table.current_row, field, text)

    def _lock(self, field: QWidget, name: str) -> None:
        """Let a field be used as far as the run allows, and say why not."""
        reason = self.model.locked_reason(Section.OBJECTIVES, self.table.current_row, name)
        field.setEnabled(not reason)
        field.setToolTip(reason)

    def _show_baseline(self) -> None:
        rows = self.model.draft.objectives
        optimization = optimization_of(self.model.draft)
        is_relative = any(is_relative_limit(row.get("limit", "")) for row in rows)
        is_relative = is_relative or (optimization is not None and optimization.is_relative)
        self._baseline.setVisible(is_relative)
        self._baseline_fields.refresh()
        self._baseline.set_sentence(baseline_sentence(self.model.draft))

    def _show_sums(self, cells: Row) -> None:
        """Offer the sums that there are, and one more, to a goal that is weighted among others."""
        known = sums_of(self.model.draft.objectives)
        own = cells.get("sum", "").strip()
        is_weighted = bool(cells.get("weight", "").strip()) and cells.get("goal") in STEERING
        weighted = sum(
            bool(row.get("weight", "").strip()) and row.get("goal") in STEERING
            for row in self.model.draft.objectives
        )
        self._sum_cell.setVisible(is_weighted and weighted > 1)
        self._sum.set_choices([Choice(text, f"Sum {n}") for n, text in enumerate(known, start=1)])
        self._sum.set_value(own)
        self._lock(self._sum, "sum")

    def _compare_limit(self, what: object) -> None:
        text = self.model.text(Section.OBJECTIVES, self.table.current_row, "limit")
        self._edit("limit", compared_limit(text, is_relative=what == BASELINE))

    def _choose_metric(self, reference: object) -> None:
        row = self.table.current_row
        cells = chosen_plugin(self._objectives.row(row), "metric", str(reference))
        self.model.edit_cells(Section.OBJECTIVES, row, cells)
