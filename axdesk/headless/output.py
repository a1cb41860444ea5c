"""Output that may lose its reader, its terminal or its disk without harm to the experiment."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Lines:
    """Writes lines to a stream, each at once.

    Attributes:
        stream: Once it cannot be written any more, all of it is dropped, with one notice.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks on."""
        return self.stream.isatty()

    def write(self, text: str) -> None:
        """Write a line."""
        print(text, file=self.stream, flush=True)


class _Enduring(io.TextIOWrapper):
    """A text stream that drops everything from its first failure on."""

    def write(self, text: str) -> int:
        with _without_harm(self):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with _without_harm(self):
            super().flush()


@contextmanager
def _without_harm(stream: TextIO) -> Iterator[None]:
    """Let the stream lead nowhere as soon as it cannot be written."""
    try:
        yield
    except OSError as error:
        # The reader has gone (`| head`), the terminal was closed, or the disk is full: no reason
        # to end an experiment.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError) and stream is not sys.stderr:
            complain(f"The output cannot be written: {error.strerror}.")


def complain(text: str) -> None:
    """Write a line to standard error."""
    with _without_harm(sys.stderr):
        print(text, file=sys.stderr, flush=True)


def standard_output() -> Lines:
    """Return standard output; characters that it cannot show are escaped."""
    encoding = sys.stdout.encoding
    return Lines(_Enduring(sys.stdout.buffer, encoding=encoding, errors="backslashreplace"))
