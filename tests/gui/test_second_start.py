"""A second start on the same database raises the first window; ends from outside save the run."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from axdesk.gui import app
from axdesk.gui.main_window import MainWindow

class Told(MainWindow):
    def __init__(self, workbench, *more):
        super().__init__(workbench, *more)
        workbench.loaded.connect(lambda: print("open", flush=True))
        self.closed.connect(lambda: print("closed", flush=True))
        self.files.open_path = lambda path: print("file", path, flush=True)
    def come_to_front(self, file=""):
        self.showMinimized()
        super().come_to_front(file)
        print("front", not self.isMinimized(), flush=True)

app.MainWindow = Told
database, *file = map(Path, sys.argv[1:])
code = app.main(database, None, *file)
print("end", code, flush=True)
"""


class Start:
    """A start of the window in a process of its own."""

    def __init__(self, *arguments: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WINDOW, *map(str, arguments)],
            stdout=subprocess.PIPE, text=True, cwd=Path.cwd(),
        )  # fmt: skip

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(by)
        return self.process.wait(30)


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Start]]:
    sockets = tmp_path / "t"
    sockets.mkdir()
    monkeypatch.setenv("TMPDIR", str(sockets))
    starts: list[Start] = []

    def start(*arguments: Path) -> Start:
        starts.append(Start(*arguments))
        return starts[-1]

    yield start
    for one in starts:
        one.process.kill()
        one.process.wait()
        assert one.process.stdout is not None
        one.process.stdout.close()


def test_a_second_start_raises_the_first_and_hands_it_its_file(
    start: Callable[..., Start], tmp_path: Path
) -> None:
    database = tmp_path / "Lab µ 1.sqlite"
    first = start(database)
    assert first.line() == "open"
    (tmp_path / "link").symlink_to(tmp_path)
    file = tmp_path / "suzuki.toml"
    second = start(tmp_path / "link" / database.name, file)
    assert second.line() == "end 0"
    assert [first.line(), first.line()] == [f"file {file}", "front True"]
    third = start(database)
    assert third.line() == "end 0"
    assert first.line() == "front True"
    other = start(tmp_path / "other.sqlite")
    assert other.line() == "open"
    assert other.end() == 0


def test_what_a_killed_window_left_behind_keeps_nobody_out(
    start: Callable[..., Start], tmp_path: Path
) -> None:
    database = tmp_path / "lab.sqlite"
    first = start(database)
    assert first.line() == "open"
    first.end(signal.SIGKILL)
    assert list((tmp_path / "t").iterdir())
    second = start(database)
    assert second.line() == "open"
    third = start(database)
    assert third.line() == "end 0"
    assert second.line() == "front True"


def test_a_first_window_that_hangs_keeps_nobody_out(
    start: Callable[..., Start], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "lab.sqlite"
    first = start(database)
    assert first.line() == "open"
    first.process.send_signal(signal.SIGSTOP)
    second = start(database)
    assert second.line() == "open"
    first.process.send_signal(signal.SIGCONT)


def test_the_end_of_the_system_session_closes_without_a_question(
    start: Callable[..., Start], tmp_path: Path
) -> None:
    first = start(tmp_path / "lab.sqlite")
    assert first.line() == "open"
    assert first.end(signal.SIGTERM) == 0
    assert [first.line(), first.line()] == ["closed", "end 0"]
