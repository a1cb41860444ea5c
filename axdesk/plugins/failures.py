"""What the laboratory's code raised, as text: the exception itself keeps its frames alive."""

import traceback
from pathlib import Path

from axdesk.core.texts import reason_of, shown, storable

__all__ = ["reason_of", "shown", "storable", "traceback_of"]

_OWN_FOLDER = str(Path(__file__).parent)
_LONGEST_DETAILS = 20_000


def traceback_of(error: BaseException) -> str:
    """Return the traceback from the first frame that is the laboratory's."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_OWN_FOLDER):
        frames = frames.tb_next
    text = "".join(traceback.TracebackException(type(error), error, frames).format())
    # The end says what was raised, and where.
    return storable(text)[-_LONGEST_DETAILS:]
