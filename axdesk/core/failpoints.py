"""Named places where the process can be made to die, to prove that nothing is lost there.

`AXDESK_FAILPOINT=trial_staged:3` kills the process without warning when `trial_staged` is reached
for the third time. Without that variable a failpoint does nothing.
"""

import os
import signal
from typing import Final

FAILPOINTS: Final = (
    "run_stored",
    "candidate_ready",
    "trial_staged",
    "trial_deployed",
    "trial_running",
    "results_fetched",
    "trial_recorded",
    "run_ending",
    "run_ended",
)
"""In the order in which a trial meets them."""

_wanted, _, _count = os.environ.get("AXDESK_FAILPOINT", "").partition(":")
_reached = 0


def failpoint(name: str) -> None:
    """Die here if the environment asks for it."""
    global _reached
    if name != _wanted:
        return
    _reached += 1
    if _reached == int(_count or 1):
        # Windows has no SIGKILL; its TerminateProcess comes by os.kill with any other signal.
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
