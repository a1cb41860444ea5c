"""The files of trials, beside the database: each under the SHA-256 of its content."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from axdesk.core.attachments import Attachment
from axdesk.core.errors import NotFoundError, StorageError, UnsupportedError, UserInputError
from axdesk.storage.files import put

_CHUNK = 1 << 20


class FileShelf:
    """A folder of files that never change: `FOLDER/SHA-256/NAME`. Calls from any thread."""

    def __init__(self, folder: Path | None) -> None:
        """Use a folder, which is made with the first file.

        Args:
            folder: None where files have no place: beside a database in memory.
        """
        self._folder = folder

    def keep(self, source: Path, now: datetime) -> Attachment:
        """Copy a file in, unless it is there, and return what is known of it.

        Args:
            source: The file; it stays where it is.
            now: In UTC.

        Raises:
            UnsupportedError: If the database is in memory.
            UserInputError: If it is no file that can be read.
            StorageError: If it cannot be kept, as on a full disk.
        """
        if self._folder is None:
            raise UnsupportedError(
                "A database in memory keeps no files.", "Keep the experiment in a database file."
            )
        try:
            original = source.open("rb")
        except OSError as error:
            raise UserInputError(
                f"The file {source} cannot be attached: {error.strerror}.", "Choose another one."
            ) from error
        with original:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                digest, size = hashlib.sha256(), 0
                number, name = tempfile.mkstemp(dir=self._folder, prefix="incoming-")
                copy = Path(name)
                try:
                    with os.fdopen(number, "wb") as target:
                        while chunk := original.read(_CHUNK):
                            digest.update(chunk)
                            size += len(chunk)
                            target.write(chunk)
                    attachment = Attachment(source.name, digest.hexdigest(), size, now)
                    self._place(copy, attachment)
                finally:
                    copy.unlink(missing_ok=True)
            except OSError as error:
                raise StorageError(
                    f"The file {source} cannot be kept in {self._folder}: {error.strerror}.",
                    "Make room or allow writing there, and attach it again.",
                ) from error
        return attachment

    def _place(self, copy: Path, attachment: Attachment) -> None:
        place = self._place_of(attachment)
        if _is_whole(place, attachment):
            return
        place.parent.mkdir(exist_ok=True)
        put(copy, place)

    def _place_of(self, attachment: Attachment) -> Path:
        assert self._folder is not None, "where files have no place none was kept"
        return self._folder / attachment.sha256 / attachment.name

    def path_of(self, attachment: Attachment) -> Path:
        """Return where a file lies, to be read.

        Raises:
            NotFoundError: If it is gone, or is not what was attached.
        """
        if self._folder is None:
            raise NotFoundError(
                f"The file {attachment.name!r} is not here: the database is in memory.",
                "Look beside the database from which the experiment comes.",
            )
        place = self._place_of(attachment)
        if not place.is_file():
            raise NotFoundError(
                f"The file {attachment.name!r} is gone from {place.parent}.",
                "Put it back from a copy, or attach it again.",
            )
        if not _is_whole(place, attachment):
            raise NotFoundError(
                f"The file {place} was changed since it was attached.",
                "Put it back from a copy, or attach it again.",
            )
        return place

    def forget(self, hashes: Iterable[str]) -> None:
        """Delete files that no trial has any more; what cannot be deleted stays."""
        if self._folder is not None:
            for sha256 in hashes:
                shutil.rmtree(self._folder / sha256, ignore_errors=True)


def _is_whole(place: Path, attachment: Attachment) -> bool:
    """Whether a file has the content that was attached."""
    if not place.is_file() or place.stat().st_size != attachment.size:
        return False
    with place.open("rb") as stored:
        return hashlib.file_digest(stored, "sha256").hexdigest() == attachment.sha256
