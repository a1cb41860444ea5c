"""Starts axdesk many times without importing it many times: a process that forks for each start.

Importing takes longer than a whole short run. What is forked is the real program: it runs
`python -m axdesk` from there on. Each line on standard input asks for one start; the answers are
the process's id and, when it has ended, how.
"""

import importlib
import json
import os
import runpy
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

# What takes its time, once.
import axdesk.api.protocols.metric
import axdesk.api.protocols.runner
import axdesk.headless.main
import axdesk.storage.migrate
import axdesk.storage.migrations  # noqa: F401
from axdesk import generation
from axdesk.core import failpoints

SECONDS_BETWEEN_LOOKS = 0.002


def main() -> None:
    """Serve until standard input ends."""
    # Random search needs no model: the optimiser's process may do without loading torch.
    generation.warm_up = os.getpid  # type: ignore[assignment]  # anything that a child can find
    for line in sys.stdin:
        wanted = json.loads(line)
        process = os.fork()
        if process == 0:
            become_axdesk(wanted)
        answer({"pid": process})
        _, status = os.waitpid(process, 0)
        answer({"code": os.waitstatus_to_exitcode(status)})


def answer(value: dict[str, int]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def become_axdesk(wanted: dict[str, Any]) -> None:
    """Run the program in this process, as a process group of its own; does not return."""
    code: object = 1
    try:
        os.setsid()
        os.environ.update(wanted["environ"])
        importlib.reload(failpoints)  # its variable is read when it is loaded
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)
        for number, file in ((1, wanted["output"]), (2, wanted["errors"])):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(descriptor, number)
            os.close(descriptor)
        while wanted["gate"] and not Path(wanted["gate"]).exists():
            time.sleep(SECONDS_BETWEEN_LOOKS)
        sys.argv = ["axdesk", *wanted["arguments"]]
        runpy.run_module("axdesk", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        with suppress(ValueError):  # closed: nothing is left in it
            sys.stdout.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    main()
