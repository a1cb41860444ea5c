"""One field for each parameter of a search space, and what they say together."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from axdesk.core.draft_cells import parse_number, parse_whole, value_text
from axdesk.core.errors import UserInputError
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    RangeParameterConfig,
    TParameterValue,
    TunableParameterConfig,
)
from axdesk.core.search_space import SearchSpace
from axdesk.gui.models.formatting import with_unit
from axdesk.gui.style import px
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.fields import ComboField, TextField
from axdesk.gui.widgets.labels import ElidedLabel, label

_MOST_ROWS_SHOWN = 8


class ParameterForm(QWidget):
    """Names, fields and bounds of the parameters that a person may choose.

    Signals:
        edited: A field says something else.
    """

    edited = Signal()

    def __init__(
        self,
        space: SearchSpace,
        values: Mapping[str, TParameterValue],
        *,
        name: str,
        are_fixed_free: bool,
    ) -> None:
        """Make the form.

        Args:
            space: Whose parameters.
            values: Proposed, by parameter; a parameter without one has an empty field.
            name: Object name of the fields: `NAME.PARAMETER`.
            are_fixed_free: Whether a parameter that is not searched can have another value, too.
        """
        super().__init__()
        self._space = space
        self._name = name
        self._are_fixed_free = are_fixed_free
        self.fields: dict[str, TextField | ComboField] = {}
        rows = QWidget()
        self._grid = QGridLayout(rows)
        self._grid.setContentsMargins(0, 0, px(8), 0)
        self._grid.setHorizontalSpacing(px(12))
        self._grid.setVerticalSpacing(px(8))
        self._grid.setColumnStretch(0, 1)
        for row, parameter in enumerate(space.tunable):
            self._add_row(row, parameter, values.get(parameter.name))
        rows.setMinimumHeight(rows.sizeHint().height())
        self._derived = label("", "small", "text2", wrap=True)
        self._derived.setVisible(bool(space.derived))
        shown: QWidget = rows
        if len(space.tunable) > _MOST_ROWS_SHOWN:
            area = QScrollArea()
            area.setFrameShape(QFrame.Shape.NoFrame)
            area.setWidgetResizable(True)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            area.setWidget(rows)
            area.setMinimumHeight(px(38 * _MOST_ROWS_SHOWN))
            shown = area
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(px(8))
        layout.addWidget(shown)
        layout.addWidget(self._derived)

    def _add_row(
        self, row: int, parameter: TunableParameterConfig, value: TParameterValue | None
    ) -> None:
        unit = f" ({parameter.unit})" if parameter.unit else ""
        field: TextField | ComboField
        if isinstance(parameter, ChoiceParameterConfig):
            field = ComboField([Choice(v, value_text(v)) for v in parameter.values])
            field.set_value(value)
            field.chosen.connect(lambda _: self.edited.emit())
        else:
            field = TextField("" if value is None else value_text(value))
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            field.textChanged.connect(lambda _: self.edited.emit())
        field.setObjectName(f"{self._name}.{parameter.name}")
        field.setAccessibleName(f"{parameter.name}{unit}")
        field.setFixedWidth(px(150))
        field.setEnabled(self._are_fixed_free or not parameter.is_fixed)
        name = ElidedLabel(f"{parameter.name}{unit}")
        name.setBuddy(field)
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(field, row, 1)
        self._grid.addWidget(label(bounds_text(parameter), "small", "text2"), row, 2)
        self.fields[parameter.name] = field

    def values(self) -> dict[str, TParameterValue]:
        """What stands in the fields, with what follows from it, wherever it lies.

        Raises:
            UserInputError: At the first value that is missing or of another type.
        """
        read: dict[str, TParameterValue] = {}
        for parameter in self._space.tunable:
            field = self.fields[parameter.name]
            if isinstance(field, ComboField):
                read[parameter.name] = field.currentData()
                continue
            try:
                read[parameter.name] = _read(parameter, field.text())
            except UserInputError:
                if not field.text().strip() and parameter.name in self._space.parents:
                    continue
                raise
        exists = self._space.existing(read)
        return self._space.typed({n: v for n, v in read.items() if n in exists})

    def mark_issues(self, level: str) -> str:
        """Mark the fields that say what is not allowed; return the first reason.

        Args:
            level: `error` or `warning`, for a value that could be read.
        """
        first = ""
        for parameter in self._space.tunable:
            field = self.fields[parameter.name]
            if isinstance(field, ComboField):
                continue
            problem, is_read = self._problem_of(parameter, field.text())
            field.set_issue(problem, level if is_read else "error")
            if problem and not first:
                first = problem if parameter.name in problem else f"{parameter.name}: {problem}"
        return first

    def show_derived(self, values: Mapping[str, TParameterValue]) -> None:
        """Show what follows from the values."""
        told = [
            f"{d.name} = {value_text(values[d.name])}"
            for d in self._space.derived
            if d.name in values
        ]
        self._derived.setText(f"Follows from these: {', '.join(told)}.")

    def _problem_of(self, parameter: TunableParameterConfig, text: str) -> tuple[str, bool]:
        """Why a text is not allowed, and whether it is a value of the parameter's type."""
        if not text.strip() and parameter.name in self._space.parents:
            return "", True
        try:
            value = _read(parameter, text)
        except UserInputError as error:
            return error.message, False
        try:
            parameter.checked(value)
        except UserInputError as error:
            return error.message, True
        return "", True


def _read(parameter: TunableParameterConfig, text: str) -> TParameterValue:
    return parse_whole(text) if parameter.parameter_type == "int" else parse_number(text)


def bounds_text(parameter: TunableParameterConfig) -> str:
    """Write what a parameter may be: `20 … 100 °C, steps of 5`; empty for a choice."""
    if not isinstance(parameter, RangeParameterConfig):
        return ""
    low, high = (value_text(bound).replace("-", "−") for bound in parameter.bounds)
    step = parameter.step_size
    steps = "" if step is None else f", steps of {value_text(step)}"
    return f"{with_unit(f'{low} … {high}', parameter.unit)}{steps}"
