"""Which plugin files may be run: laboratory code has all rights of the person who runs axdesk."""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axdesk.core.errors import PluginError
from axdesk.core.plugins import Hold, TrustedPlaces


class PluginTrust:
    """What the operator said of plugin files and folders, kept in a file of the user's.

    A file is trusted as it was: with another content it is asked for again. Any thread may call.
    """

    def __init__(self, file: Path | None, always: Sequence[Path] = ()) -> None:
        """Know what was said so far.

        Args:
            file: Where it is kept; it may not exist yet. None: all files are trusted, and what is
                said is forgotten at the end.
            always: Folders whose files are trusted without being asked for.
        """
        self._file = file
        self._always = set(map(_text, always))
        self._said: dict[str, Any] = {}
        self._lock = threading.Lock()

    def hold(self, path: Path, sha256: str) -> Hold:
        """Return why a file must not be run; `NOTHING` if it may.

        Raises:
            PluginError: If it cannot be read what the operator said.
        """
        said, name = self._read(), _text(path)
        if name in said["disabled"]:
            return Hold.DISABLED
        folder = _text(path.parent)
        if self._file is None or folder in self._always or folder in said["folders"]:
            return Hold.NOTHING
        known = said["files"].get(name, ())
        if sha256 in known:
            return Hold.NOTHING
        return Hold.CHANGED if known else Hold.UNTRUSTED

    def trust_file(self, path: Path, sha256: str) -> None:
        """Let a file be run as long as it has this content."""
        with self._changing() as said:
            known = said["files"].setdefault(_text(path), [])
            if sha256 not in known:
                known.append(sha256)

    def trust_folder(self, folder: Path) -> None:
        """Let all files of a folder be run, whatever becomes of them."""
        with self._changing() as said:
            if _text(folder) not in said["folders"]:
                said["folders"].append(_text(folder))

    def forget(self, path: Path) -> None:
        """Ask again before a file, or the files of a folder, are run."""
        with self._changing() as said:
            said["files"].pop(_text(path), None)
            said["folders"] = [name for name in said["folders"] if name != _text(path)]

    def places(self) -> TrustedPlaces:
        """Return what may be run, in the order of its paths.

        Raises:
            PluginError: If it cannot be read what the operator said.
        """
        said = self._read()
        return TrustedPlaces(tuple(sorted(said["folders"])), tuple(sorted(said["files"])))

    def trust_for_now(self, folder: Path) -> None:
        """Let all files of a folder be run until the program ends."""
        self._always.add(_text(folder))

    def set_enabled(self, path: Path, *, is_enabled: bool) -> None:
        """Leave a file out, or take it in again."""
        with self._changing() as said:
            others = [name for name in said["disabled"] if name != _text(path)]
            said["disabled"] = others if is_enabled else [*others, _text(path)]

    def version(self) -> str:
        """Return what differs once something else is said."""
        return json.dumps(self._read(), sort_keys=True)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        with self._lock:
            said = self._read()
            yield said
            self._write(said)

    def _read(self) -> dict[str, Any]:
        said: dict[str, Any] = {"files": {}, "folders": [], "disabled": []}
        if self._file is None:
            return {**said, **self._said}
        try:
            found = json.loads(self._file.read_text("utf-8"))
            if all(isinstance(found.get(key, empty), type(empty)) for key, empty in said.items()):
                return {**said, **found}
            problem = "its content is not as axdesk writes it"
        except FileNotFoundError:
            return said
        except (OSError, ValueError, AttributeError) as error:
            problem = str(error)
        raise PluginError(
            f"Which plugins are trusted cannot be read from {self._file}: {problem}.",
            "Mend the file, or remove it; then you are asked again.",
        )

    def _write(self, said: dict[str, Any]) -> None:
        if self._file is None:
            self._said = said
            return
        unfinished = self._file.with_name(f"{self._file.name}.{os.getpid()}.part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(json.dumps(said, indent=1, ensure_ascii=False), "utf-8")
            unfinished.replace(self._file)
        except OSError as error:
            raise PluginError(
                f"Which plugins are trusted cannot be written to {self._file}: {error.strerror}."
            ) from error


def _text(path: Path) -> str:
    return str(path.absolute())
