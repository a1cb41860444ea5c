"""A window on invented experiments, and windows on a laboratory: closed after each test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from axdesk.gui.style import theme_manager
from tests.gui.scenes import MemoryWorkspace
from tests.gui.test_window import Bench
from tests.gui.test_window_run import Laboratory

QtBot = Any


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication) -> Iterator[Bench]:
    bench = Bench(qtbot, MemoryWorkspace())
    yield bench
    bench.close()
    theme_manager().choose("system")


@pytest.fixture
def laboratory(tmp_path: Path, qtbot: QtBot, qapp: QApplication) -> Iterator[Laboratory]:
    laboratory = Laboratory(tmp_path, qtbot)
    yield laboratory
    for window in list(laboratory.windows):
        laboratory.close(window)
