"""The program of a plugin host process: `python host_program.py`, in the laboratory's own Python.

Nothing of axdesk needs to be installed there: this script finds the package beside itself and uses
of it what needs the standard library alone. It has to be parsed by Pythons that are too old.

Standard input brings requests, standard output takes answers, standard error takes whatever the
laboratory's code prints.
"""

import os
import sys

OLDEST = (3, 11)


def main() -> None:
    """Serve, or say that this Python cannot."""
    if sys.version_info < OLDEST:
        version = ".".join(str(part) for part in sys.version_info[:3])
        os.write(1, f'{{"id": 0, "too_old": "{version}"}}\n'.encode("ascii"))
        return
    _find_axdesk()

    from axdesk.plugins.host_loop import serve

    serve()


def _find_axdesk() -> None:
    """Make this file's own package importable, and nothing of what is installed beside it."""
    if "axdesk" in sys.modules:
        return
    import importlib.util

    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    # A script's folder leads the path: plugins would import these files as top-level modules.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]  # noqa: PTH100
    package = os.path.dirname(here)  # noqa: PTH120
    spec = importlib.util.spec_from_file_location(
        "axdesk",
        os.path.join(package, "__init__.py"),  # noqa: PTH118
        submodule_search_locations=[package],
    )
    assert spec is not None
    assert spec.loader is not None, "a .py file always has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules["axdesk"] = module
    spec.loader.exec_module(module)


# The guard keeps a plugin's `multiprocessing` children, which run this file again, from serving.
if __name__ == "__main__":
    main()
