"""A program that types into a draft without a pause until it is killed.

Arguments: the database. It writes a line for each letter that is in the draft.
"""

import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTimer

from axdesk.api.workspace import Workspace
from axdesk.core.draft_cells import Section
from axdesk.gui.draft_saver import DraftSaver
from axdesk.gui.io_thread import IoThread
from axdesk.gui.models.draft_model import DraftModel

BETWEEN_LETTERS_MS = 20

app = QCoreApplication(sys.argv)
io = IoThread(lambda: Workspace(Path(sys.argv[1])))
io.start()
model = DraftModel()
timer = QTimer()
timer.setInterval(BETWEEN_LETTERS_MS)


def begin(experiment_id: int) -> None:
    DraftSaver(model, experiment_id, io, model)
    timer.start()


def type_letter() -> None:
    typed = model.text(Section.GENERAL, 0, "name") + "x"
    model.edit(Section.GENERAL, 0, "name", typed)
    sys.stdout.write(f"{len(typed)}\n")
    sys.stdout.flush()


timer.timeout.connect(type_letter)
io.post(lambda workspace: workspace.new_draft(), begin)
app.exec()
