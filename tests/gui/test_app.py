"""The front door: what is imported before the first paint, and what becomes of defects."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog

from axdesk.gui.app import CrashReporter
from axdesk.gui.main_window import MainWindow
from axdesk.gui.workbench import Workbench
from tests.gui.scenes import MemoryWorkspace

QtBot = Any

FIRST_PAINT = """
import json, sys
from PySide6.QtWidgets import QApplication
application = QApplication([])
from axdesk.gui import app
from axdesk.gui.main_window import MainWindow
from axdesk.gui.workbench import Workbench
window = MainWindow(Workbench(lambda _: None))
window.show()
application.processEvents()
shown = not window.grab().isNull()
heavy = [m for m in ("torch", "botorch", "sqlalchemy", "alembic", "pandas", "pydantic", "pyqtgraph",
                     "numpy", "scipy", "matplotlib", "axdesk.api.workspace", "axdesk.storage")
         if m in sys.modules]
print(json.dumps([shown, heavy]))
window.close()
"""


def test_the_window_is_painted_before_anything_heavy_is_imported() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FIRST_PAINT], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == [True, []]


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication) -> Iterator[MainWindow]:
    workbench = Workbench(lambda _: MemoryWorkspace())  # type: ignore[arg-type,return-value]
    window = MainWindow(workbench)
    window.show()
    workbench.begin()
    yield window
    window.close()
    qtbot.waitUntil(workbench.io.isFinished)
    window.deleteLater()


def test_a_defect_of_any_thread_is_shown_once_with_a_report(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    reporter = CrashReporter(window)
    reporter.install()

    def fail() -> None:
        raise ZeroDivisionError("a defect in a thread")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: window.findChild(QDialog, "dialog.crash") is not None)
    sys.excepthook(ValueError, ValueError("another"), None)
    QApplication.processEvents()
    dialogs = window.findChildren(QDialog, "dialog.crash")
    assert len(dialogs) == 1
    dialogs[0].choose("copy")  # type: ignore[attr-defined]
    assert "ZeroDivisionError: a defect in a thread" in QGuiApplication.clipboard().text()
