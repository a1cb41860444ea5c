"""The helper processes of a frozen axdesk, which has no Python beside it: it starts itself again.

Elsewhere the same programs are started as scripts, by the Python that runs axdesk.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def _host_plugins() -> None:
    from axdesk.plugins.host_loop import serve

    serve()


def _wrap_command(folder: str) -> None:
    from axdesk.runners.command_wrapper import main

    main(Path(folder))


_PROGRAMS: Mapping[tuple[str, int], Callable[..., None]] = {
    ("--plugin-host", 0): _host_plugins,
    ("--command-wrapper", 1): _wrap_command,
}


def run_helper(arguments: Sequence[str]) -> bool:
    """Be a helper process, to its end, where the arguments ask for one.

    Args:
        arguments: Of the command line, without the program's name.

    Returns:
        Whether they did.
    """
    program = _PROGRAMS.get((arguments[0], len(arguments) - 1)) if arguments else None
    if program is None:
        return False
    program(*arguments[1:])
    return True
