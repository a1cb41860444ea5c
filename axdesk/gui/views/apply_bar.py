"""The bar above the set-up of a run that goes on: what is typed and not applied yet."""

from PySide6.QtCore import Signal

from axdesk.gui.models.formatting import counted
from axdesk.gui.models.pending_changes import PendingChanges
from axdesk.gui.style import set_property
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Notice

_MOST_SHOWN = 4


class ApplyBar(Notice):
    """Says what would change, and offers to apply or to discard it; else what can be edited.

    Signals:
        applied: The operator wants the run to take the changes.
        discarded: The operator gives them up.
    """

    applied = Signal()
    discarded = Signal()

    def __init__(self) -> None:
        self._discard = Button("Discard", kind="plain", name="setup.changes.discard")
        self._apply = Button("Apply changes", "check", kind="primary", name="setup.changes.apply")
        super().__init__(
            "live", "pencil", "", buttons=(self._discard, self._apply), name="setup.changes"
        )
        self._discard.clicked.connect(lambda: self.discarded.emit())
        self._apply.clicked.connect(lambda: self.applied.emit())
        self.hide()

    def show_changes(self, changes: PendingChanges, lock: str = "") -> None:
        """Show other changes.

        Args:
            changes: What is typed and does not hold.
            lock: What can be edited, and why no more; told where there are no changes.
        """
        self.setVisible(changes.is_shown or bool(lock))
        statement, sentence = _words(changes) if changes.is_shown else ("", lock)
        tone, icon_name = "live", "pencil"
        if changes.refusal:
            tone, icon_name = "bad", "alert-circle-filled"
        elif not changes.is_shown:
            tone, icon_name = "idle", "lock"
        set_property(self, "tint", tone)
        self.set_icon(icon_name, tone)
        self.set_text(statement, sentence)
        self.setToolTip("\n".join(changes.words))
        has_edits = bool(changes.words or changes.problems)
        self._discard.setVisible(has_edits)
        self._discard.set_available(not changes.is_applying, reason="They are being applied.")
        self._apply.setVisible(has_edits and not changes.takes_effect)
        reason = changes.why_not
        if changes.problems:
            reason = f"{counted(changes.problems, 'problem')} to fix first."
        if changes.is_applying:
            reason = "They are being applied."
        self._apply.set_available(not reason, reason=reason)


def _words(changes: PendingChanges) -> tuple[str, str]:
    shown = "; ".join(changes.words[:_MOST_SHOWN])
    if len(changes.words) > _MOST_SHOWN:
        shown = f"{shown}; and {len(changes.words) - _MOST_SHOWN} more"
    if changes.refusal:
        return "Not applied", changes.refusal
    if changes.problems:
        return "Not applied yet", f"{counted(changes.problems, 'problem')} to fix first"
    if changes.is_applying:
        return "Applying", shown
    if changes.takes_effect:
        return f"Takes effect {changes.takes_effect}", shown
    return "Not applied yet", f"{shown}. {changes.why_not}" if changes.why_not else shown
