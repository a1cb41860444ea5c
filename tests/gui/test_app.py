"""The front door: what is imported before the first paint."""

import json
import subprocess
import sys

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
                     "numpy", "scipy", "matplotlib", "axdesk.api.workspace", "axdesk.storage",
                     "axdesk.gui.views.setup_view", "axdesk.gui.views.monitor")
         if m in sys.modules]
print(json.dumps([shown, heavy]))
window.close()
"""


def test_the_window_is_painted_before_anything_heavy_is_imported() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FIRST_PAINT], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == [True, []]
