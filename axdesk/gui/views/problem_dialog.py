"""Reporting a problem: what the operator says of it, and what else the report holds."""

from collections.abc import Sequence

from PySide6.QtWidgets import QPlainTextEdit, QWidget

from axdesk.gui.style import px
from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.widgets.labels import label


class ProblemDialog(Dialog):
    """Asks what happened; `chosen` carries `save` or `copy`."""

    def __init__(self, parent: QWidget | None, files: Sequence[str]) -> None:
        """Make the dialog.

        Args:
            parent: The window.
            files: Names of the log files that the report holds.
        """
        super().__init__(
            parent, name="dialog.report_problem", title="Report a problem",
            sentence="The report is a file that you save and pass on to whoever looks after "
            "axdesk. Nothing is sent.",
            ways=(
                Way("cancel", "Cancel"),
                Way("copy", "Copy", icon="copy"),
                Way("save", "Save report…", "primary", "download"),
            ),
            icon_name="alert-triangle", width=580,
        )  # fmt: skip
        self._field = QPlainTextEdit()
        self._field.setObjectName("dialog.report_problem.text")
        self._field.setAccessibleName("What happened")
        self._field.setPlaceholderText("What did you do, what happened, what did you expect?")
        self._field.setTabChangesFocus(True)
        self._field.setMinimumHeight(px(110))
        self.body.addWidget(label("What happened", "strong"))
        self.body.addWidget(self._field)
        self.body.addWidget(label("The report holds", "strong"))
        parts = [
            "what you write here",
            "system.txt: versions of axdesk, Python, the system and the libraries",
            *(f"{name}: {_KINDS[name.endswith('.txt')]}" for name in files),
        ]
        listed = label("\n".join(f"·  {part}" for part in parts), "small", "text2", wrap=True)
        listed.setObjectName("dialog.report_problem.parts")
        self.body.addWidget(listed)
        self.body.addWidget(
            label(
                "No trials, results, set-ups or output of plugins. Warnings may name experiments "
                "and files; the log is text and can be read before it is passed on.",
                "small",
                "text2",
                wrap=True,
            )
        )
        self._field.setFocus()

    def told(self) -> str:
        """What the operator wrote."""
        return self._field.toPlainText().strip()


_KINDS = {
    False: "the end of what axdesk wrote down about itself",
    True: "what the interpreter wrote as it crashed",
}
