"""Files that belong to a trial: what is known of one; the bytes are kept by the store."""

import re
from dataclasses import dataclass
from datetime import datetime

from axdesk.core.errors import UserInputError


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a trial, such as a spectrum or a photograph.

    Attributes:
        name: The file's name, without folders.
        sha256: Of its content, in 64 hexadecimal digits: what finds it again.
        size: Bytes.
        attached_at: UTC.
    """

    name: str
    sha256: str
    size: int
    attached_at: datetime

    def __post_init__(self) -> None:
        if self.name in ("", ".", "..") or re.search(r"[/\\\0]", self.name):
            raise UserInputError(f"{self.name!r} is no name of a file.", "Leave folders out.")
        if re.fullmatch("[0-9a-f]{64}", self.sha256) is None:
            raise UserInputError(
                f"{self.sha256!r} is no SHA-256.", "It has 64 digits of 0 to 9 and a to f."
            )
        if self.size < 0:
            raise UserInputError(f"The size {self.size} of {self.name!r} is below 0.")
