"""What axdesk writes down about itself, what a crash leaves, and the report of a problem."""

import logging
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import qWarning
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QPlainTextEdit

from axdesk.gui.crash_reporter import CrashReporter
from axdesk.gui.main_window import MainWindow
from axdesk.gui.models.log_model import LogLevel, LogLine
from axdesk.gui.program_log import KEPT_STARTS, ProgramLog, keep_lines
from axdesk.gui.workbench import Workbench
from tests.gui.scenes import MemoryWorkspace

QtBot = Any

DIES = """
import faulthandler, os, signal, sys
from PySide6.QtCore import QTimer
from axdesk.gui import app
from axdesk.gui.main_window import MainWindow
how = sys.argv[1]

class Dying(MainWindow):
    def __init__(self, workbench, *more):
        super().__init__(workbench, *more)
        workbench.loaded.connect(lambda: QTimer.singleShot(0, self.die))
    def die(self):
        if how == "crash":
            faulthandler._sigsegv()
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        self.close()

app.MainWindow = Dying
sys.exit(app.main())
"""


@pytest.fixture
def log(tmp_path: Path, qapp: QApplication) -> Iterator[ProgramLog]:
    log = ProgramLog(tmp_path / "log")
    yield log
    log.end()


@pytest.fixture
def window(log: ProgramLog, qtbot: QtBot) -> Iterator[MainWindow]:
    workbench = Workbench(lambda _: MemoryWorkspace())  # type: ignore[arg-type,return-value]
    window = MainWindow(workbench, None, log)
    window.show()
    workbench.begin()
    yield window
    window.close()
    qtbot.waitUntil(workbench.io.isFinished)
    window.deleteLater()


def content(folder: Path, ending: str) -> str:
    [file] = folder.glob(f"*{ending}")
    return file.read_text("utf-8")


def start(how: str) -> int:
    ran = subprocess.run(
        [sys.executable, "-c", DIES, how], capture_output=True, timeout=60, check=False
    )
    return ran.returncode


def test_the_program_and_the_experiments_are_written_to_files_of_their_own(log: ProgramLog) -> None:
    log.begin()
    logging.getLogger("axdesk.gui.test").warning("the disk is slow µ")
    printed = LogLine(datetime.now(UTC), LogLevel.PRINTED, "secret 83.6", "cell.py")
    keep_lines("Suzuki", [printed])
    log.end()
    own = content(log.folder, "-axdesk.log")
    assert "Z WARNING axdesk.gui.test the disk is slow µ" in own
    assert "secret" not in own
    assert "PRINTED [Suzuki] cell.py: secret 83.6" in content(log.folder, "-experiments.log")
    assert [line.text for line in log.take()] == ["the disk is slow µ"]


def test_a_program_without_output_prints_to_the_log(
    log: ProgramLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    log.begin()
    print("first", "line", flush=True)  # noqa: T201 - as a plugin or a library may
    print("half", end="")  # noqa: T201
    print(" of it", file=sys.stdout)  # noqa: T201
    assert sys.stderr is not None
    sys.stderr.write("trouble\n")
    log.end()
    assert (sys.stdout, sys.stderr) == (None, None)
    told = [(line.level, line.text) for line in log.take()]
    assert told == [
        (LogLevel.INFO, "first line"),
        (LogLevel.INFO, "half of it"),
        (LogLevel.WARNING, "trouble"),
    ]
    assert "WARNING stderr trouble" in content(log.folder, "-axdesk.log")


def test_without_a_folder_the_window_says_that_nothing_is_written(
    tmp_path: Path, qapp: QApplication
) -> None:
    (tmp_path / "log").write_text("a file where the folder should be")
    log = ProgramLog(tmp_path / "log")
    log.begin()
    logging.getLogger("axdesk").error("it goes on")
    log.end()
    told = [line.text for line in log.take()]
    assert told[0].startswith("No log file is written: ")
    assert told[1:] == ["it goes on"]


def test_old_files_go(log: ProgramLog) -> None:
    log.folder.mkdir()
    for number in range(30):
        (log.folder / f"20260101-0000{number:02}-1-axdesk.log").write_text("old")
    (log.folder / "note.txt").write_text("not ours")
    log.begin()
    log.end()
    old = sorted(file.name for file in log.folder.glob("2026*-1-axdesk.log"))
    assert len(old) == KEPT_STARTS - 1
    assert old[-1].startswith("20260101-000029")
    assert (log.folder / "note.txt").exists()


def test_a_crash_of_the_last_start_is_told_once(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qapp: QApplication
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    from axdesk.api.places import log_folder

    for how, code, is_told in (("close", 0, False), ("kill", -9, False), ("crash", -11, True)):
        assert start(how) == code
        told = ProgramLog(log_folder()).earlier_crash()
        assert ("Segmentation fault" in told) is is_told, how
        assert ProgramLog(log_folder()).earlier_crash() == ""


def test_the_window_tells_of_an_earlier_crash_and_saves_a_report(
    log: ProgramLog, window: MainWindow, qtbot: QtBot, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    log.begin()
    (log.folder / "29990101-000000-4711-crash.txt").write_text("Fatal Python error: boom")
    keep_lines("Suzuki", [LogLine(datetime.now(UTC), LogLevel.INFO, "yield 83.6")])
    window.reports.tell_earlier_crash()
    dialog: Any = window.findChild(QDialog, "dialog.earlier_crash")
    target = tmp_path / "report.zip"
    monkeypatch.setattr("axdesk.gui.report_desk.ask_report_path", lambda _: target)
    dialog.buttons["save"].click()
    qtbot.waitUntil(target.exists)
    qtbot.waitUntil(lambda: "Saved" in window.statusBar().currentMessage())
    with zipfile.ZipFile(target) as bundle:
        names = bundle.namelist()
        held = {name: bundle.read(name).decode() for name in names}
    assert "Fatal Python error: boom" in held["what-happened.txt"]
    assert "PySide6-Essentials" in held["system.txt"]
    assert not any("experiments" in name for name in names)
    assert "83.6" not in "".join(held.values())
    dialog.choose("cancel")
    window.reports.tell_earlier_crash()
    QApplication.processEvents()
    assert len(window.findChildren(QDialog, "dialog.earlier_crash")) <= 1


def test_a_problem_is_reported_with_what_the_operator_writes(
    log: ProgramLog, window: MainWindow, qtbot: QtBot, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    log.begin()
    target = tmp_path / "none" / "report.zip"
    monkeypatch.setattr("axdesk.gui.report_desk.ask_report_path", lambda _: target)
    for _ in range(2):
        window.actions_by_name["help.report_problem"].trigger()
        dialog: Any = window.findChild(QDialog, "dialog.report_problem")
        field = dialog.findChild(QPlainTextEdit, "dialog.report_problem.text")
        field.setPlainText("The plot stays empty.")
        dialog.choose("save")
        qtbot.waitUntil(lambda: str(target) in window.statusBar().currentMessage())
        qtbot.waitUntil(lambda: window.findChild(QDialog, "dialog.report_problem") is None)
        if not target.parent.exists():
            assert "cannot be written" in window.statusBar().currentMessage()
            target.parent.mkdir()
            window.statusBar().clearMessage()
    with zipfile.ZipFile(target) as bundle:
        assert bundle.read("what-happened.txt") == b"The plot stays empty."


def test_a_defect_of_any_kind_is_logged_and_the_first_is_shown(
    log: ProgramLog, window: MainWindow, qtbot: QtBot
) -> None:
    log.begin()
    reporter = CrashReporter()
    reporter.install()
    reporter.crashed.connect(window.reports.tell_crash)

    class Bad:
        def __del__(self) -> None:
            raise KeyError("in a destructor")

    def fail() -> None:
        raise ZeroDivisionError("a defect in a thread")

    def end() -> None:
        raise SystemExit

    try:
        for work in (end, fail):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        qtbot.waitUntil(lambda: window.findChild(QDialog, "dialog.crash") is not None)
        sys.excepthook(ValueError, ValueError("another"), None)
        Bad()
        qWarning("a word of Qt")
        QApplication.processEvents()
    finally:
        reporter.uninstall()
    log.end()
    dialogs: list[Any] = window.findChildren(QDialog, "dialog.crash")
    assert len(dialogs) == 1
    dialogs[0].choose("copy")
    copied = QGuiApplication.clipboard().text()
    assert "ZeroDivisionError: a defect in a thread" in copied
    assert "PySide6-Essentials" in copied
    own = content(log.folder, "-axdesk.log")
    for part in ("a defect in a thread", "another", "in a destructor", "WARNING qt a word of Qt"):
        assert part in own
    assert "SystemExit" not in own


def test_what_the_program_logs_stands_in_the_log_panel(
    log: ProgramLog, window: MainWindow, qtbot: QtBot
) -> None:
    log.begin()

    def flood() -> None:
        for number in range(10_000):
            logging.getLogger("axdesk.storage").warning("line %d", number)
        logging.getLogger("alembic").info("of no interest")

    thread = threading.Thread(target=flood)
    thread.start()
    thread.join()
    model = window._program_lines
    qtbot.waitUntil(lambda: any("line 9999" in line.text for line in model.lines))
    assert len(model.lines) <= 600
    assert model.lines[-1].level is LogLevel.WARNING
    log.end()
