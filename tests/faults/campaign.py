"""The fault-injection campaign.

Injects the faults of each family into the real program, two at a time, and prints a table of what
was injected, survived, lost and doubled. Exit status 1 if anything was not survived.
"""

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.faults import conditions, damage, endings, kills, plugin_faults, storage_faults
from tests.faults.cases import (
    FAMILIES,
    Bench,
    Case,
    NotPossibleError,
    Undisturbed,
    Verdict,
    as_markdown,
    rows,
)
from tests.faults.programs import Launcher

AT_ONCE = 2
POINTS = 100


def all_cases(points: int = POINTS, *, sampled: int = 0) -> list[Case]:
    """Return every fault, in the order of the families."""
    found = [
        *kills.cases(points, sampled=sampled),
        *endings.cases(),
        *storage_faults.cases(),
        *damage.cases(),
        *plugin_faults.cases(),
        *conditions.cases(),
    ]
    return sorted(found, key=lambda case: case.family)


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Campaign:
    """Injects faults, each in a folder of its own below `folder`."""

    def __init__(self, folder: Path, *, keep: bool = False) -> None:
        self._folder = folder
        self._keep = keep
        self._launchers: SimpleQueue[Launcher] = SimpleQueue()
        self._started: list[Launcher] = []
        self._undisturbed: Future[Undisturbed] = Future()
        for _ in range(AT_ONCE):
            launcher = Launcher()
            self._started.append(launcher)
            self._launchers.put(launcher)

    def __enter__(self) -> "Campaign":
        launcher = self._launchers.get()
        try:
            self._undisturbed.set_result(kills.undisturbed(launcher, self._folder / "undisturbed"))
        except NotPossibleError as reason:
            self._undisturbed.set_exception(reason)
        except BaseException:
            self.__exit__()
            raise
        self._launchers.put(launcher)
        return self

    def __exit__(self, *_: object) -> None:
        for launcher in self._started:
            launcher.close()

    def inject(self, number: int, case: Case) -> Verdict | NotPossibleError:
        """Inject one fault; from any thread."""
        folder = self._folder / f"{case.family:02}-{number:04}"
        folder.mkdir()
        launcher = self._launchers.get()
        try:
            verdict = case.check(Bench(folder, launcher, self._undisturbed)).without(folder)
        except NotPossibleError as reason:
            return reason
        except Exception as error:  # noqa: BLE001  # a fault that breaks its own check is told too
            traceback.print_exc()
            return Verdict(broken=[f"{type(error).__name__}: {error}"])
        finally:
            self._launchers.put(launcher)
        if verdict.has_survived and not self._keep:
            shutil.rmtree(folder, ignore_errors=True)
        elif not verdict.has_survived:
            say(f"{case.family} {case.fault}: {verdict.told} ({folder})")
        return verdict


def inject_all(
    cases: Sequence[Case], folder: Path
) -> list[tuple[Case, Verdict | NotPossibleError]]:
    """Inject all faults, two at a time; tell the progress family by family."""
    with Campaign(folder) as campaign, ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(campaign.inject, *numbered) for numbered in enumerate(cases)]
        found = []
        for case, future in zip(cases, futures, strict=True):
            found.append((case, future.result()))
            if len(found) == len(cases) or cases[len(found)].family != case.family:
                say(f"{case.family} {FAMILIES[case.family]}: done")
        return found


def main(arguments: Iterable[str]) -> int:
    """Run the campaign; return the exit status."""
    told = "\n".join(f"  {number:2}  {name}" for number, name in FAMILIES.items())
    parser = argparse.ArgumentParser(
        prog="dev.py faults",
        description=__doc__,
        epilog=f"families:\n{told}\n\n`dev.py faults peers` shows six faults with Ax beside it.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "families", nargs="*", type=int, metavar="FAMILY", help="numbers of families; default: all"
    )
    parser.add_argument("--points", type=int, default=POINTS, help="kills at system calls")
    parser.add_argument("--output", type=Path, metavar="F", help="write the table there, too")
    options = parser.parse_args(list(arguments))
    unknown = set(options.families) - set(FAMILIES)
    if unknown:
        parser.error(f"no such family: {unknown}; there are {', '.join(map(str, FAMILIES))}")
    wanted = options.families or list(FAMILIES)
    cases = [case for case in all_cases(options.points) if case.family in wanted]
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="axdesk-faults-"))
    table = rows(inject_all(cases, folder))
    text = as_markdown(table)
    say(f"\n{text}\n\n{time.monotonic() - started:.0f} s")
    if options.output is not None:
        options.output.write_text(text + "\n", "utf-8")
    if all(row.is_good for row in table):
        shutil.rmtree(folder, ignore_errors=True)
        return 0
    say(f"What was left of the faults that were not survived: {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
