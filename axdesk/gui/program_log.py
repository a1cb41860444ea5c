"""What axdesk writes down about itself: log files of each start, and what a crash leaves behind.

Two files for each start: `…-axdesk.log` is the program's own and goes into a report of a problem;
`…-experiments.log` holds what happened in the experiments and what plugins printed, and stays here.
A third, `…-crash.txt`, is written by the interpreter itself as it dies.
"""

import faulthandler
import io
import logging
import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from typing import IO, TextIO

from PySide6.QtCore import QObject, Signal

from axdesk.gui.models.log_model import LogLevel, LogLine

MOST_BYTES = 2_000_000
"""Of one log file; a full one becomes `….log.1`, in the place of the one before."""
KEPT_STARTS = 10
"""The files of so many starts are kept."""
MOST_WAITING = 500
"""Lines that wait to be shown; of more only the last are kept."""

EXPERIMENT_LOGGER = "axdesk.of_experiments"
"""Of lines that the window shows in any case, and that hold the laboratory's data."""

_SHOWN = frozenset({"axdesk", "qt", "stdout", "stderr"})
"""Loggers whose information is shown, too; of others what they warn of."""

PROGRAM, EXPERIMENTS, CRASH = "-axdesk.log", "-experiments.log", "-crash.txt"
_TOLD = "-crash-told.txt"


class ProgramLog(QObject):
    """Gathers what is logged in any thread, writes it to files and hands it to the window.

    Files are written in a thread of its own. Made and ended in the GUI thread.

    Signals:
        recorded: Lines wait in `take`, where none waited before; sent from any thread.
    """

    recorded = Signal()

    def __init__(self, folder: Path) -> None:
        """Make the log; `begin` starts it.

        Args:
            folder: Of the files; made when needed.
        """
        super().__init__()
        self.folder = folder
        self._stem = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
        self._waiting: deque[LogLine] = deque(maxlen=MOST_WAITING)
        self._lock = threading.Lock()
        self._handlers: list[logging.Handler] = []
        self._listener: QueueListener | None = None
        self._crash: IO[str] | None = None
        self._before: tuple[int, TextIO | None, TextIO | None] | None = None

    def begin(self) -> None:
        """Take over the program's logging, and its output where it has none."""
        window = _WindowHandler(self)
        root = logging.getLogger()
        self._before = root.level, sys.stdout, sys.stderr
        root.setLevel(logging.INFO)
        self._add(window)
        if sys.stderr is not None:
            console = logging.StreamHandler(sys.stderr)
            console.setLevel(logging.WARNING)
            self._add(console)
        try:
            self._begin_files()
        except OSError as error:
            # What stands in the window is all there is then.
            logging.getLogger(__name__).warning("No log file is written: %s", error)
        # The windowed program of Windows has no output at all: whoever prints would fail.
        if sys.stdout is None:
            sys.stdout = _Stream(logging.getLogger("stdout"), logging.INFO)
        if sys.stderr is None:
            sys.stderr = _Stream(logging.getLogger("stderr"), logging.WARNING)

    def end(self) -> None:
        """Write what is left and give everything back; the crash file of a good end is removed."""
        if self._before is None:
            return
        level, sys.stdout, sys.stderr = self._before
        self._before = None
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
        self._handlers.clear()
        logging.getLogger().setLevel(level)
        if self._listener is not None:
            self._listener.stop()
            for handler in self._listener.handlers:
                handler.close()
            self._listener = None
        if self._crash is not None:
            faulthandler.disable()
            self._crash.close()
            self._crash = None
            with suppress(OSError):
                self._path(CRASH).unlink()

    def take(self) -> tuple[LogLine, ...]:
        """Return the lines that wait to be shown."""
        with self._lock:
            lines = tuple(self._waiting)
            self._waiting.clear()
        return lines

    def add(self, line: LogLine) -> None:
        """Have a line shown; from any thread."""
        with self._lock:
            is_first = not self._waiting
            self._waiting.append(line)
        if is_first:
            self.recorded.emit()

    def earlier_crash(self) -> str:
        """Return what an earlier start left as it crashed, once; empty if none did."""
        texts = []
        for file in sorted(self.folder.glob(f"*{CRASH}")):
            if file == self._path(CRASH):
                continue
            with suppress(OSError):  # of a window that is open
                text = file.read_text("utf-8", errors="replace").strip()
                if text:
                    texts.append(f"{file.name}\n{text}")
                    file.replace(file.with_name(file.name.replace(CRASH, _TOLD)))
        return "\n\n".join(texts)

    def report_files(self) -> tuple[Path, ...]:
        """Return the files of the latest starts that tell of the program, not of experiments."""
        endings = (PROGRAM, f"{PROGRAM}.1", CRASH, _TOLD)
        found = [file for ending in endings for file in self.folder.glob(f"*{ending}")]
        return tuple(sorted(file for file in found if file.name >= self._oldest_stem(3)))

    def _begin_files(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._prune()
        files = [self._file(PROGRAM), self._file(EXPERIMENTS)]
        files[0].addFilter(lambda record: record.name != EXPERIMENT_LOGGER)
        files[1].addFilter(lambda record: record.name == EXPERIMENT_LOGGER)
        records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        self._listener = QueueListener(records, *files)
        self._listener.start()
        self._add(QueueHandler(records))
        self._crash = self._path(CRASH).open("w", encoding="utf-8")
        faulthandler.enable(self._crash)

    def _file(self, ending: str) -> logging.Handler:
        handler = RotatingFileHandler(
            self._path(ending), maxBytes=MOST_BYTES, backupCount=1, encoding="utf-8",
            errors="replace", delay=True,
        )  # fmt: skip
        form = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s")
        form.converter = time.gmtime
        form.default_time_format = "%Y-%m-%dT%H:%M:%S"
        handler.setFormatter(form)
        return handler

    def _path(self, ending: str) -> Path:
        return self.folder / f"{self._stem}{ending}"

    def _oldest_stem(self, starts: int) -> str:
        """Begin of the names of the first of the last `starts` starts."""
        pattern = "[0-9]*-[0-9]*-[0-9]*-*"
        stems = {"-".join(f.name.split("-")[:3]) for f in self.folder.glob(pattern)}
        return min(sorted(stems)[-starts:], default="")

    def _prune(self) -> None:
        oldest = self._oldest_stem(KEPT_STARTS - 1)
        for file in self.folder.glob("[0-9]*-[0-9]*-[0-9]*-*"):
            if file.name < oldest:
                with suppress(OSError):  # of a window that is open
                    file.unlink()

    def _add(self, handler: logging.Handler) -> None:
        self._handlers.append(handler)
        logging.getLogger().addHandler(handler)


def keep_lines(experiment: str, lines: Sequence[LogLine]) -> None:
    """Write lines of an experiment's log to the file of all of them."""
    logger = logging.getLogger(EXPERIMENT_LOGGER)
    if logger.isEnabledFor(logging.INFO):
        for line in lines:
            logger.info("%s [%s] %s", line.level.name, experiment, line.told)


class _WindowHandler(logging.Handler):
    def __init__(self, log: ProgramLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        is_ours = record.name.partition(".")[0] in _SHOWN
        if record.name == EXPERIMENT_LOGGER or not (is_ours or record.levelno >= logging.WARNING):
            return
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - whatever a library logs must not end what it does
            text = str(record.msg)
        level = LogLevel.INFO if record.levelno < logging.WARNING else LogLevel.WARNING
        if record.levelno >= logging.ERROR:
            level = LogLevel.ERROR
        self._log.add(LogLine(datetime.now(UTC), level, text.partition("\n")[0]))


class _Stream(io.TextIOBase):
    """What stands for an output that is not there: each line is logged."""

    def __init__(self, logger: logging.Logger, level: int) -> None:
        super().__init__()
        self._logger, self._level = logger, level
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                self._logger.log(self._level, "%s", line)
        return len(text)
