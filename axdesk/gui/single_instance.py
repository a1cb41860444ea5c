"""One window for a user and a database: a second start raises the first, which opens its file."""

import ctypes
import getpass
import hashlib
import json
import logging
import os
import sys
import time
from pathlib import Path

from PySide6.QtCore import QDir, QLockFile, QObject, QThread, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_LOG = logging.getLogger(__name__)

PATIENCE_MS = 5000
"""So long a second start waits for the first, which may be just starting, too."""
_STEP_MS = 100
_MOST_BYTES = 100_000
_TOKEN = "XDG_ACTIVATION_TOKEN"
_ANY_PROCESS = -1


class SingleInstance(QObject):
    """The claim of one window on a database, as far as windows of the same user go.

    It keeps nobody from the database: the command line, other users and a window whose first does
    not answer work with it as well. GUI thread only.

    Signals:
        raised: Another start wants this window in front; carries the file to open, or an empty
            text.
    """

    raised = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._answer)
        self._lock: QLockFile | None = None
        self._name = ""

    def claim(self, database: Path) -> bool:
        """Take a database for this window, in place of the one it had.

        Returns:
            Whether no other window has it.
        """
        name = _name(database)
        if name == self._name:
            return True
        lock = QLockFile(QDir.temp().filePath(f"{name}.lock"))
        lock.setStaleLockTime(
            0
        )  # a window may be open for days; one that is dead is told by its id
        if not lock.tryLock(0) and lock.error() is QLockFile.LockError.LockFailedError:
            return False
        self.release()
        self._lock, self._name = lock, name
        # What a window that was killed left behind.
        QLocalServer.removeServer(name)
        if not self._server.listen(name):
            _LOG.warning(
                "A second start will not raise this window: %s", self._server.errorString()
            )
        return True

    def ask_first(self, database: Path, file: Path | None) -> bool:
        """Have the window that has a database come to the front.

        Args:
            database: Which.
            file: What it is to open; None for nothing.

        Returns:
            Whether it answered in time.
        """
        _let_others_come_to_the_front()
        told = {
            "file": "" if file is None else str(file.absolute()),
            "token": os.environ.get(_TOKEN, ""),
        }
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while time.monotonic() < deadline:
            socket = QLocalSocket()
            socket.connectToServer(_name(database))
            if socket.waitForConnected(_STEP_MS):
                socket.write(json.dumps(told).encode() + b"\n")
                left = int(1000 * (deadline - time.monotonic()))
                return socket.waitForReadyRead(max(left, _STEP_MS))
            QThread.msleep(_STEP_MS)  # it may be just about to listen
        return False

    def release(self) -> None:
        """Let another window have the database."""
        self._server.close()
        if self._lock is not None:
            self._lock.unlock()
        self._lock, self._name = None, ""

    def _answer(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.disconnected.connect(socket.deleteLater)

        def read() -> None:
            if not socket.canReadLine():
                if socket.bytesAvailable() > _MOST_BYTES:
                    socket.abort()
                return
            try:
                told = json.loads(bytes(socket.readLine().data()))
                file, token = str(told["file"]), str(told["token"])
            except (ValueError, KeyError, TypeError):
                socket.abort()
                return
            socket.write(b"ok\n")
            socket.flush()
            socket.disconnectFromServer()
            if token:
                os.environ[_TOKEN] = token
            self.raised.emit(file)

        socket.readyRead.connect(read)
        read()


def _name(database: Path) -> str:
    whose = f"{getpass.getuser()}\n{os.path.normcase(database.absolute().resolve())}"
    return f"axdesk-{hashlib.sha256(whose.encode(errors='surrogatepass')).hexdigest()[:20]}"


def _let_others_come_to_the_front() -> None:
    """Windows lets only who has the front give it away."""
    if sys.platform == "win32":
        ctypes.windll.user32.AllowSetForegroundWindow(_ANY_PROCESS)
