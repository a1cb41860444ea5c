"""Standard output that may lose its reader without harm to the experiment."""

import os
import sys
from typing import TextIO


class Lines:
    """Writes lines to a stream, each at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks on."""
        return self._stream.isatty()

    def write(self, text: str) -> None:
        """Write a line; once that fails, this and all later ones are dropped, with one notice."""
        try:
            print(text, file=self._stream, flush=True)
        except OSError as error:
            # The reader has gone (`| head`), or the disk is full: no reason to end an experiment.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            if not isinstance(error, BrokenPipeError):
                complain(f"The output cannot be written: {error.strerror}.")


def complain(text: str) -> None:
    """Write a line to standard error."""
    print(text, file=sys.stderr, flush=True)


def standard_output() -> Lines:
    """Return standard output; characters that it cannot show are escaped."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return Lines(sys.stdout)


def reserved_output() -> Lines:
    """Return standard output for our lines alone: what plugins print goes to standard error."""
    sys.stdout.flush()
    ours = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", newline="\n")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return Lines(ours)
