"""The log panel: filters, staying where one looks, copying, and a flood of lines."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton

from axdesk.gui.models.log_model import MOST_LINES, MOST_PRINTED, LogLevel, LogLine, LogModel
from axdesk.gui.views.log_view import LogView
from axdesk.gui.widgets.tables import TableView

QtBot = Any
AT = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


class Panel:
    def __init__(self, qtbot: QtBot) -> None:
        self.view, self.model = LogView(), LogModel()
        qtbot.addWidget(self.view)
        self.view.resize(600, 300)
        self.view.set_model(self.model)
        self.view.show()
        found = self.view.findChild(TableView, "log.view")
        assert found is not None
        self.table = found

    def add(self, texts: Sequence[str], level: LogLevel = LogLevel.INFO) -> None:
        self.model.append([LogLine(AT, level, text) for text in texts])
        QApplication.processEvents()

    def shown(self) -> list[str]:
        model = self.table.model()
        return [str(model.index(row, 1).data()) for row in range(model.rowCount())]

    def top(self) -> str:
        return str(
            self.table.indexAt(self.table.viewport().rect().topLeft()).siblingAtColumn(1).data()
        )

    def button(self, name: str) -> QPushButton:
        button = self.view.findChild(QPushButton, name)
        assert button is not None
        return button


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[Panel]:
    panel = Panel(qtbot)
    yield panel
    panel.view.set_model(None)


def test_it_follows_the_end_until_one_looks_elsewhere(panel: Panel, qtbot: QtBot) -> None:
    panel.add([f"line {n}" for n in range(100)])
    bar = panel.table.verticalScrollBar()
    assert bar.value() == bar.maximum()
    assert not panel.button("log.newest").isVisible()
    bar.setValue(bar.maximum() // 2)
    looked_at = panel.top()
    panel.add([f"more {n}" for n in range(50)])
    assert panel.top() == looked_at
    assert panel.button("log.newest").isVisible()
    qtbot.mouseClick(panel.button("log.newest"), Qt.MouseButton.LeftButton)
    assert bar.value() == bar.maximum()
    panel.add(["the last"])
    assert bar.value() == bar.maximum()


def test_what_is_looked_at_stays_while_the_oldest_lines_go(panel: Panel) -> None:
    panel.add([f"line {n}" for n in range(MOST_LINES)])
    bar = panel.table.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    looked_at = panel.top()
    for start in range(0, 1000, 100):
        panel.add([f"more {start + n}" for n in range(100)])
    assert panel.top() == looked_at
    assert len(panel.model.lines) == MOST_LINES
    panel.add([f"much more {n}" for n in range(MOST_LINES)])
    assert panel.top() == "much more 0"


def test_ten_thousand_lines_a_minute_leave_the_window_time(panel: Panel) -> None:
    panel.add([f"line {n}" for n in range(MOST_LINES)])
    started = time.process_time()
    for batch in range(60):  # a second's worth each
        panel.add([f"printed {batch} {n}" for n in range(167)], LogLevel.PRINTED)
    assert time.process_time() - started < 15  # of the minute that it stands for
    assert len(panel.model.lines) <= MOST_LINES
    assert sum(line.level is LogLevel.PRINTED for line in panel.model.lines) == MOST_PRINTED


def test_lines_selected_or_all_shown_are_copied(panel: Panel) -> None:
    panel.add(["fine", "also fine"])
    panel.add(["slow disk"], LogLevel.WARNING)
    panel.button("log.copy").click()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["fine", "also fine", "slow disk"]
    assert lines[0].startswith(f"{AT.astimezone():%Y-%m-%d %H:%M:%S}")
    panel.table.selectRow(1)
    panel.button("log.copy").click()
    assert QGuiApplication.clipboard().text().endswith("also fine")
