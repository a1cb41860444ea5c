"""Dialogs about trials: one to be added by hand, and one to be found by its number."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from axdesk.core.commands import AddTrial
from axdesk.core.errors import UserInputError
from axdesk.core.parameters import TParameterValue
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Trial
from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.views.parameter_form import ParameterForm
from axdesk.gui.widgets.buttons import Choice, SegmentedButton
from axdesk.gui.widgets.fields import TextField, labelled
from axdesk.gui.widgets.labels import label, set_tone

DEPLOYED, BY_HAND = "deployed", "by_hand"


class ManualTrialDialog(Dialog):
    """Asks for the settings of a trial, its name, and who runs it.

    Signals:
        entered: The operator confirmed; carries the `AddTrial`.
    """

    entered = Signal(object)

    def __init__(
        self,
        parent: QWidget | None,
        setup: ExperimentSetup,
        values: Mapping[str, TParameterValue],
        source: str = "",
    ) -> None:
        """Ask.

        Args:
            parent: The window.
            setup: Whose parameters.
            values: Proposed, by parameter.
            source: Where they come from, such as `#17`; empty for the start values.
        """
        taken = f"The settings are those of {source} at first. " if source else ""
        super().__init__(
            parent,
            name="dialog.manual_trial",
            title="New manual trial",
            sentence=f"{taken}The model learns from it as from any other trial.",
            ways=(Way("cancel", "Cancel"), Way("ok", "Add trial", "primary")),
            icon_name="plus",
            width=520,
        )
        self._space = setup.search_space
        self.form = ParameterForm(
            self._space, values, name="dialog.manual_trial", are_fixed_free=True
        )
        self.arm_name = TextField(
            placeholder="Named by its number", name="dialog.manual_trial.arm_name"
        )
        self.way = SegmentedButton(
            (Choice(DEPLOYED, "axdesk deploys it"), Choice(BY_HAND, "I run it by hand")),
            name="dialog.manual_trial.way",
            label="Who runs it",
        )
        self.is_baseline = QCheckBox("Use as the baseline")
        self.is_baseline.setObjectName("dialog.manual_trial.is_baseline")
        self.is_baseline.setToolTip("A limit such as “95 % of baseline” is compared with it then.")
        self._told = label("", "small", "text2", wrap=True)
        self._told.setObjectName("dialog.manual_trial.told")
        self.body.addWidget(self.form)
        self.body.addWidget(labelled("Name (optional)", self.arm_name))
        self.body.addWidget(self.way)
        self.body.addWidget(self.is_baseline)
        self.body.addWidget(self._told)
        self.form.edited.connect(self._check)
        self.way.chosen.connect(lambda _: self._check())
        self.arm_name.textChanged.connect(self._check)
        self.is_baseline.toggled.connect(lambda _: self._check())
        self.chosen.connect(self._tell)
        self._check()

    def command(self) -> AddTrial:
        """What is asked for.

        Raises:
            UserInputError: At the first value that is missing or of another type.
        """
        values = self.form.values()
        is_deployed = self.way.value() == DEPLOYED
        return AddTrial(
            values,
            self.arm_name.text().strip() or None,
            is_baseline=self.is_baseline.isChecked(),
            is_deployed=is_deployed,
        )

    def _check(self) -> None:
        sentence, tone, can_add = self._state()
        self._told.setText(sentence)
        set_tone(self._told, tone)
        self.buttons["ok"].set_available(can_add, reason=sentence)
        if self.isVisible():
            self.fit_height()

    def _state(self) -> tuple[str, str, bool]:
        """What is told, in which colour, and whether the trial can be added."""
        problem = self.form.mark_issues("warning")
        try:
            command = self.command()
        except UserInputError as error:
            return problem or str(error), "bad", False
        self.form.show_derived(command.parameters)
        outside = self._space.deviations(command.parameters)
        if outside and command.is_deployed:
            way = "axdesk deploys nothing outside the search space: run it by hand, or widen it."
            return f"{outside[0]} {way}", "bad", False
        if outside:
            kept = "It is kept; the model learns from it unless it lies far outside."
            return f"{outside[0]} {kept}", "warn", True
        told = "It counts as running until you enter its result."
        if command.is_deployed:
            told = "It is deployed as soon as a slot is free, beyond the run's budget."
        if command.is_baseline:
            told += " Limits are compared with it once it has a result."
        return told, "text2", True

    def _tell(self, key: str) -> None:
        if key == "ok":
            self.entered.emit(self.command())


class GoToDialog(Dialog):
    """Asks for a trial by its number or its name.

    Signals:
        entered: The operator confirmed; carries the trial's index.
    """

    entered = Signal(int)

    def __init__(self, parent: QWidget | None, trials: Sequence[Trial]) -> None:
        """Ask for one of these trials."""
        super().__init__(
            parent,
            name="dialog.go_to",
            title="Go to trial",
            sentence=f"A number from {trials[0].index} to {trials[-1].index}, or the trial's name.",
            ways=(Way("cancel", "Cancel"), Way("ok", "Go", "primary")),
            icon_name="hash",
            width=360,
        )
        # Of replicates, which share a name, the latest.
        self._places = {trial.arm.name: trial.index for trial in trials}
        self._places |= {str(trial.index): trial.index for trial in trials}
        self.field = TextField(name="dialog.go_to.number")
        self.field.setAccessibleName("Trial")
        self.field.textChanged.connect(self._check)
        self.body.addWidget(self.field)
        self.chosen.connect(self._tell)
        self._check()
        self.field.setFocus()

    def _wanted(self) -> int | None:
        return self._places.get(self.field.text().strip().removeprefix("#"))

    def _check(self) -> None:
        text = self.field.text().strip()
        missing = f"There is no trial {text}." if text else "Enter a number or a name."
        found = self._wanted() is not None
        self.field.set_issue(missing if text and not found else "")
        self.buttons["ok"].set_available(found, reason=missing)

    def _tell(self, key: str) -> None:
        wanted = self._wanted()
        if key == "ok" and wanted is not None:
            self.entered.emit(wanted)
