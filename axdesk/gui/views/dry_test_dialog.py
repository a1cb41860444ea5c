"""The confirmation of a dry test, in which the settings of its trial can be changed."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from axdesk.core.errors import UserInputError
from axdesk.core.parameters import TParameterValue
from axdesk.core.setup import ExperimentSetup
from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.views.parameter_form import ParameterForm
from axdesk.gui.widgets.cards import Notice
from axdesk.gui.widgets.labels import label


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
        self._form = ParameterForm(
            self._space, values, name="dialog.dry_test", are_fixed_free=False
        )
        self.fields = self._form.fields
        self._form.edited.connect(self._check)
        self._issue = label("", "small", "bad", wrap=True)
        self._issue.setObjectName("dialog.dry_test.issue")
        self.body.addWidget(self._form)
        self.body.addWidget(self._issue)
        self.chosen.connect(self._tell)
        self._check()

    def values(self) -> dict[str, TParameterValue]:
        """What stands in the fields, with what follows from it.

        Raises:
            UserInputError: At the first value that is not allowed, or a constraint that is broken.
        """
        checked = self._space.checked(self._form.values())
        broken = self._space.broken_constraints(checked)
        if broken:
            raise UserInputError(f"The constraint {broken[0]} is broken.")
        return checked

    def _check(self) -> None:
        sentence = self._form.mark_issues("error")
        if not sentence:
            try:
                self._form.show_derived(self.values())
            except UserInputError as error:
                sentence = str(error)
        self._issue.setText(sentence)
        self._issue.setVisible(bool(sentence))
        if self.isVisible():
            self.fit_height()
        self.buttons["test"].set_available(not sentence, reason=sentence)

    def _tell(self, key: str) -> None:
        if key == "test":
            self.confirmed.emit(self.values())
