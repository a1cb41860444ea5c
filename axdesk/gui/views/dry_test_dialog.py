"""The confirmation of a dry test, in which the settings of its trial can be changed."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QWidget

from axdesk.core.draft_cells import parse_number, parse_whole, value_text
from axdesk.core.errors import UserInputError
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    TParameterValue,
    TunableParameterConfig,
)
from axdesk.core.setup import ExperimentSetup
from axdesk.gui.style import px
from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.cards import Notice
from axdesk.gui.widgets.fields import ComboField, TextField
from axdesk.gui.widgets.labels import ElidedLabel, label

_MOST_ROWS_SHOWN = 8


class DryTestDialog(Dialog):
    """Says that a real instrument may move, and with which settings.

    Signals:
        confirmed: The operator wants the test; carries the parameterization.
    """

    confirmed = Signal(object)

    def __init__(
        self,
        parent: QWidget | None,
        setup: ExperimentSetup,
        values: Mapping[str, TParameterValue],
        users: Sequence[str] = (),
    ) -> None:
        """Ask.

        Args:
            parent: The window.
            setup: With a runner.
            values: Proposed for each parameter that exists there.
            users: Experiments that run with the same plugin files, perhaps the same instrument.
        """
        runner = setup.runner.reference.partition(":")[2] if setup.runner else ""
        super().__init__(
            parent,
            name="dialog.dry_test",
            title="A real instrument may move.",
            sentence=f"{runner} gets one trial with the index −1 and the settings below, and each "
            "metric is fetched once. Nothing is recorded. Stop is offered at any time.",
            ways=(Way("cancel", "Cancel"), Way("test", f"Test {runner}", "primary", "test-pipe")),
            icon_name="test-pipe",
            tone="warn",
            width=480,
        )
        if users:
            names = " and ".join(users)
            sentence = f"{names} runs with the same plugin file, perhaps at this instrument."
            notice = Notice("warn", "alert-triangle-filled", "In use:", sentence)
            notice.setObjectName("dialog.dry_test.in_use")
            self.body.addWidget(notice)
        self._space = setup.search_space
        self.fields: dict[str, TextField | ComboField] = {}
        rows = QWidget()
        grid = QGridLayout(rows)
        grid.setContentsMargins(0, 0, px(8), 0)
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(8))
        grid.setColumnStretch(0, 1)
        for row, parameter in enumerate(self._space.tunable):
            self._add_row(grid, row, parameter, values.get(parameter.name))
        rows.setMinimumHeight(rows.sizeHint().height())
        self._derived = label("", "small", "text2", wrap=True)
        self._derived.setVisible(bool(self._space.derived))
        self._issue = label("", "small", "bad", wrap=True)
        self._issue.setObjectName("dialog.dry_test.issue")
        shown: QWidget = rows
        if len(self._space.tunable) > _MOST_ROWS_SHOWN:
            area = QScrollArea()
            area.setFrameShape(QFrame.Shape.NoFrame)
            area.setWidgetResizable(True)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            area.setWidget(rows)
            area.setMinimumHeight(px(38 * _MOST_ROWS_SHOWN))
            shown = area
        for widget in (shown, self._derived, self._issue):
            self.body.addWidget(widget)
        self.chosen.connect(self._tell)
        self._check()

    def _add_row(
        self,
        grid: QGridLayout,
        row: int,
        parameter: TunableParameterConfig,
        value: TParameterValue | None,
    ) -> None:
        unit = f" ({parameter.unit})" if parameter.unit else ""
        field: TextField | ComboField
        if isinstance(parameter, ChoiceParameterConfig):
            field = ComboField([Choice(v, value_text(v)) for v in parameter.values])
            field.set_value(value)
            field.chosen.connect(lambda _: self._check())
        else:
            field = TextField("" if value is None else value_text(value))
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            field.textChanged.connect(self._check)
        field.setObjectName(f"dialog.dry_test.{parameter.name}")
        field.setAccessibleName(f"{parameter.name}{unit}")
        field.setFixedWidth(px(170))
        name = ElidedLabel(f"{parameter.name}{unit}")
        name.setBuddy(field)
        grid.addWidget(name, row, 0)
        grid.addWidget(field, row, 1)
        self.fields[parameter.name] = field

    def values(self) -> dict[str, TParameterValue]:
        """What stands in the fields, with what follows from it.

        Raises:
            UserInputError: At the first value that is not allowed, or a constraint that is broken.
        """
        read: dict[str, TParameterValue] = {}
        for parameter in self._space.tunable:
            field = self.fields[parameter.name]
            if isinstance(field, ComboField):
                read[parameter.name] = field.currentData()
                continue
            text = field.text()
            try:
                whole = parameter.parameter_type == "int"
                read[parameter.name] = parse_whole(text) if whole else parse_number(text)
            except UserInputError:
                if not text.strip() and parameter.name in self._space.parents:
                    continue
                raise
        exists = self._space.existing(read)
        checked = self._space.checked({n: v for n, v in read.items() if n in exists})
        broken = self._space.broken_constraints(checked)
        if broken:
            raise UserInputError(f"The constraint {broken[0]} is broken.")
        return checked

    def _check(self) -> None:
        sentence = ""
        for parameter in self._space.tunable:
            problem = self._problem_of(parameter)
            field = self.fields[parameter.name]
            if isinstance(field, TextField):
                field.set_issue(problem)
            field.setEnabled(not parameter.is_fixed)
            if problem and not sentence:
                sentence = problem if parameter.name in problem else f"{parameter.name}: {problem}"
        if not sentence:
            try:
                values = self.values()
            except UserInputError as error:
                sentence = str(error)
            else:
                told = [
                    f"{d.name} = {value_text(values[d.name])}" for d in self._derived_of(values)
                ]
                self._derived.setText(f"Follows from these: {', '.join(told)}.")
        self._issue.setText(sentence)
        self._issue.setVisible(bool(sentence))
        if self.isVisible():
            self.fit_height()
        self.buttons["test"].set_available(not sentence, reason=sentence)

    def _derived_of(
        self, values: Mapping[str, TParameterValue]
    ) -> tuple[DerivedParameterConfig, ...]:
        return tuple(d for d in self._space.derived if d.name in values)

    def _problem_of(self, parameter: TunableParameterConfig) -> str:
        field = self.fields[parameter.name]
        if isinstance(field, ComboField):
            return ""
        text = field.text()
        if not text.strip() and parameter.name in self._space.parents:
            return ""
        try:
            whole = parameter.parameter_type == "int"
            parameter.checked(parse_whole(text) if whole else parse_number(text))
        except UserInputError as error:
            return error.message
        return ""

    def _tell(self, key: str) -> None:
        if key == "test":
            self.confirmed.emit(self.values())
