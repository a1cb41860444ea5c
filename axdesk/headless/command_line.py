"""What `axdesk --headless` understands."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from axdesk import __version__
from axdesk.core.questions import Answer

ANSWERS = {
    "redeploy": Answer.REDEPLOY,
    "failed": Answer.MARK_FAILED,
    "abandon": Answer.ABANDON,
}
"""How answers are written; the runner is asked by every `resume` anyway."""

_EXIT_CODES = """\
exit codes:
  0  done
  1  a defect of axdesk: please report the traceback
  2  not understood, or about something that does not exist
  3  the file is not valid, or the run cannot start as configured
  4  too many trials failed
  5  interrupted; `resume` goes on
  6  busy: another process runs the experiment
  7  a decision is needed; `resume` takes it by --answer, --result or --uncertain

Ctrl-C lets running trials finish; once more stops them now; once more leaves them
running in the laboratory, as SIGTERM and SIGHUP do at once. `resume` follows them again.
"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the verb and its options; ends the process with code 2 if they are not understood."""
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="axdesk --headless",
        description="Runs closed-loop laboratory experiments without a window.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"axdesk {__version__}")
    parser.set_defaults(database=None, plugins=None, plugin_python="")
    _add_places(parser)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def add(verb: str, text: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(verb, help=text, description=f"{text[0].upper()}{text[1:]}.")
        _add_places(added)
        return added

    run = add("run", "create the experiment that a file describes, and run it")
    run.add_argument("file", type=Path, metavar="FILE.toml", help="experiment file")
    _add_budget(run)
    _add_run_options(run)
    resume = add("resume", "go on with the last run of an experiment")
    resume.add_argument("name", metavar="NAME", help="the experiment")
    _add_decisions(resume)
    _add_run_options(resume)
    demo = add("demo", "run the Hartmann6 experiment that comes with axdesk")
    _add_budget(demo)
    _add_run_options(demo)
    status = add("status", "tell how all experiments stand, or one of them")
    status.add_argument("name", metavar="NAME", nargs="?", help="the experiment")
    export = add("export", "write the trials of an experiment as CSV, Excel workbook or JSON")
    export.add_argument("name", metavar="NAME", help="the experiment")
    export.add_argument(
        "--output", type=Path, metavar="F", help="file to write; default, and -: standard output"
    )
    export.add_argument(
        "--format", choices=("csv", "xlsx", "json"), help="default: by the file's name, or csv"
    )
    export.add_argument(
        "--decimal",
        choices=("point", "comma"),
        default="point",
        help="decimal sign of csv; with a comma, semicolons part the cells",
    )
    _add_import(add("import", "add trials that were run elsewhere: CSV, Excel workbook, JSON"))
    check = add("check", "check an experiment file, or the files of a plugin folder; run nothing")
    check.add_argument(
        "path", type=Path, metavar="PATH", nargs="?",
        help="FILE.toml, a plugin folder or file; default: the plugin folder",
    )  # fmt: skip
    add("doctor", "check versions, database, backups, plugins and optimiser")
    backup = add("backup", "copy the database, and check the copy")
    backup.add_argument(
        "output", type=Path, metavar="FILE", nargs="?",
        help="file to write; default: one in the folder of backups, where old ones go",
    )  # fmt: skip
    add("compact", "give back the space in the database's file that is of no use")
    move = add("move", "move the database with its backups and attached files to another folder")
    move.add_argument("folder", type=Path, metavar="FOLDER", help="must exist")
    restore = add("restore", "put a backup in the place of the database, which is kept beside it")
    restore.add_argument(
        "backup", type=Path, metavar="BACKUP", nargs="?", help="default: the newest sound one"
    )
    salvage = add("salvage", "save what can be read of a damaged database into a new one")
    salvage.add_argument("output", type=Path, metavar="OUTPUT", help="file to make")
    return parser


def _add_places(parser: argparse.ArgumentParser) -> None:
    # Before or after the verb: without a default, for the verb's would undo what stood before it.
    parser.add_argument(
        "--database",
        type=Path,
        metavar="D",
        default=argparse.SUPPRESS,
        help="database file; default: in the user's data folder",
    )
    parser.add_argument(
        "--plugins",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="folder of runners and metrics; default: as the experiment says, or the shipped ones",
    )
    parser.add_argument(
        "--plugin-python",
        type=_program,
        metavar="PATH",
        default=argparse.SUPPRESS,
        help="Python program that runs them; default: as the experiment says, or axdesk's own",
    )


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the experiment")
    parser.add_argument("file", type=Path, metavar="FILE", help="file to read; -: standard input")
    parser.add_argument(
        "--dry-run", action="store_true", help="tell what would become of each row; change nothing"
    )
    parser.add_argument(
        "--map",
        action="append",
        type=_mapped,
        default=[],
        metavar="HEAD=USE",
        help="what a column tells: a parameter, a metric, 'METRIC sem', status, arm, note, …, or "
        "ignored; default: guessed from its head; may be given several times",
    )
    parser.add_argument(
        "--decimal", choices=("point", "comma"), help="decimal sign; default: as the file shows"
    )
    parser.add_argument("--encoding", default="", metavar="E", help="default: found in the file")
    parser.add_argument("--sheet", default="", metavar="S", help="sheet of a workbook")
    parser.add_argument(
        "--duplicates", action="store_true", help="also add rows that are there already"
    )
    parser.add_argument(
        "--strict", action="store_true", help="add nothing if something is wrong with any row"
    )
    parser.add_argument(
        "--jsonl", action="store_true", help="write what became of each row as a line of JSON"
    )


def _mapped(text: str) -> tuple[str, str]:
    # A name may have an equals sign in it; what a column tells rarely does.
    head, sign, use = text.rpartition("=")
    if not (head and sign):
        message = f"{text!r} is not understood; write such as T1=Temperature"
        raise argparse.ArgumentTypeError(message)
    return head, use


def _program(text: str) -> str:
    # A mere name is a command that is looked for on the system's path.
    return text if Path(text).name == text else str(Path(text).expanduser().absolute())


def _add_budget(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-trials", type=_at_least(1), metavar="N", help="trials to run")
    parser.add_argument("--parallelism", type=_at_least(1), metavar="N", help="trials at once")
    parser.add_argument("--seed", type=_at_least(0), metavar="N", help="makes suggestions repeat")


def _add_decisions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--answer",
        action="append",
        type=_answer,
        default=[],
        metavar="TRIAL=ANSWER",
        help="what is to become of a trial that is asked about: redeploy (it never ran: deploy "
        "it), failed, or abandon (do not repeat it); may be given several times",
    )
    parser.add_argument(
        "--result",
        action=_Results,
        nargs="+",
        default=[],
        metavar=("TRIAL", "METRIC=VALUE"),
        help="result of a trial that ran or failed, such as 3 yield=81.2 purity=97.5+-0.4; may be "
        "given several times",
    )
    parser.add_argument(
        "--fetch-again",
        action="append",
        type=_at_least(0),
        default=[],
        metavar="TRIAL",
        help="ask once more for the result of a trial that failed after it had been started; may "
        "be given several times",
    )


def _answer(text: str) -> tuple[int, Answer]:
    trial, _, word = text.partition("=")
    if not trial.isdecimal() or word not in ANSWERS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not understood; write such as 3=redeploy, and after the sign one of "
            f"{', '.join(ANSWERS)}"
        )
    return int(trial), ANSWERS[word]


class _Results(argparse.Action):
    """Gathers (trial, metric → value or (mean, sem))."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        trial, *texts = tuple(values or ())
        if not trial.isdecimal() or not texts:
            raise argparse.ArgumentError(self, "write such as 3 yield=81.2: a trial and its values")
        result = dict(self._value(text) for text in texts)
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), (int(trial), result)])

    def _value(self, text: str) -> tuple[str, float | tuple[float, float]]:
        metric, sign, value = text.rpartition("=")
        mean, has_sem, sem = value.replace("±", "+-").partition("+-")
        try:
            number: float | tuple[float, float] | None = (
                (float(mean), float(sem)) if has_sem else float(mean)
            )
        except ValueError:
            number = None
        if number is None or not (metric and sign):
            message = f"{text!r} is not understood; write such as yield=81.2 or yield=81.2+-0.3"
            raise argparse.ArgumentError(self, message)
        return metric, number


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--uncertain",
        choices=("ask", "abandon", "redeploy"),
        help="what to do with every trial of which nobody knows whether it started",
    )
    parser.add_argument(
        "--jsonl", action="store_true", help="write every event as one line of JSON"
    )


def _at_least(low: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        value = int(text)
        if value < low:
            raise argparse.ArgumentTypeError(f"{value} is below {low}")
        return value

    # argparse names the type in its message: "invalid whole number value".
    whole_number.__name__ = "whole number"
    return whole_number
