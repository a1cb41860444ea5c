"""The verbs of `axdesk --headless`, and the exit code of everything that can happen."""

import argparse
import os
import shlex
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from axdesk.api.client import Client
from axdesk.api.interrupts import end_when_asked_to
from axdesk.api.keep_awake import kept_awake
from axdesk.api.rescue import default_database_path, move_database, restore_backup, salvage
from axdesk.api.workspace import Workspace
from axdesk.core.commands import FetchAgain
from axdesk.core.errors import (
    AxdeskError,
    Code,
    DamagedDatabaseError,
    DecisionNeededError,
    ExperimentBusyError,
    FailureRateExceededError,
    NotFoundError,
    StorageError,
    TransitionError,
    UserInputError,
)
from axdesk.core.events import Event, QuestionAnswered, QuestionAsked
from axdesk.core.experiment import Experiment
from axdesk.core.questions import Answer, Question
from axdesk.core.run import OrchestrationConfig, RunState
from axdesk.core.setup import ExperimentSetup
from axdesk.headless import texts
from axdesk.headless.check import check, refuse_problems
from axdesk.headless.command_line import parse
from axdesk.headless.doctor import examine
from axdesk.headless.importing import import_file
from axdesk.headless.json_lines import JsonLines
from axdesk.headless.output import Lines, complain, standard_output
from axdesk.headless.progress import LogProgress, TerminalProgress

_SECONDS_TO_TELL = 0.5
_SHOW_CURSOR = "\x1b[?25h"
"""The line that moves hides it."""

_MAKE_DATABASE = ("run", "demo")
"""The verbs that make a database where there is none."""

DONE, OUR_BUG, USAGE, NOT_VALID, FAILURE_RATE, INTERRUPTED, BUSY, DECISION = range(8)


class _UsageError(AxdeskError):
    """The command line is about something that does not exist."""

    code = Code.USAGE


class _LostDatabaseError(StorageError):
    """The database failed while a run was going on; what it holds can be gone on with."""

    code = Code.LOST_DATABASE


_CODES: tuple[tuple[type[AxdeskError], int], ...] = (
    (_UsageError, USAGE),
    (FailureRateExceededError, FAILURE_RATE),
    (_LostDatabaseError, INTERRUPTED),
    (ExperimentBusyError, BUSY),
    (DecisionNeededError, DECISION),
    (AxdeskError, NOT_VALID),
)
"""The first that fits an error gives its exit code."""


class Display(Protocol):
    """Shows the events of a run."""

    def show(self, event: Event) -> None:
        """Take the next event."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was found."""
        ...


def main(arguments: Sequence[str]) -> int:
    """Carry out a command line; return the exit code.

    Args:
        arguments: Without the program's name and `--headless`.
    """
    options = parse(arguments)
    end_when_asked_to(_end_at_once)
    try:
        lines = standard_output()
        if options.verb == "doctor":
            return DONE if examine(options, lines) else NOT_VALID
        if options.verb == "restore":
            return _restore(options, lines)
        if options.verb == "move":
            with _place_as_given():
                moved = move_database(options.database, options.folder)
            lines.write(f"The database is now {moved}.")
            return DONE
        if options.verb == "salvage":
            return _salvage(options, lines)
        if options.verb == "check":
            return DONE if check(options, lines) else NOT_VALID
        return _with_database(options, lines)
    except AxdeskError as error:
        complain(f"axdesk: {error}")
        if isinstance(error, DamagedDatabaseError):
            complain(texts.ways_out(error.path, has_backup=error.backup is not None))
        complain(f"({error.code}: see Error codes in the help of the window, F1)")
        return next(code for kind, code in _CODES if isinstance(error, kind))
    except KeyboardInterrupt:
        complain("axdesk: interrupted.")
        return INTERRUPTED
    except Exception:  # noqa: BLE001  # the top of the process: whatever comes here is our bug
        complain(f"axdesk: this is a defect of axdesk, please report it.\n{traceback.format_exc()}")
        return OUR_BUG


def _end_at_once() -> None:
    """End a run that cannot even be left, as a power cut would; `resume` goes on with it."""
    # In a thread: what does not answer may be the terminal.
    telling = threading.Thread(target=_tell_hard_end, daemon=True)
    telling.start()
    telling.join(_SECONDS_TO_TELL)
    os._exit(INTERRUPTED)


def _tell_hard_end() -> None:
    complain("axdesk: something does not answer; ended as by a power cut. `resume` goes on.")
    if sys.stdout.isatty():
        standard_output().write(_SHOW_CURSOR)


@contextmanager
def _place_as_given() -> Iterator[None]:
    """Tell a file of the command line that does not exist from all else that may be missing."""
    try:
        yield
    except NotFoundError as error:
        raise _UsageError(error.message, error.hint) from error


def _with_database(options: argparse.Namespace, lines: Lines) -> int:
    try:
        workspace = Workspace(
            options.database,
            options.plugins,
            options.plugin_python,
            must_exist=options.verb not in _MAKE_DATABASE,
        )
    except NotFoundError as error:
        if options.verb == "status" and options.database is options.name is None:
            lines.write("\n".join(texts.summary_lines(())))
            return DONE
        raise _UsageError(error.message, error.hint) from error
    with closing(workspace):
        return _Command(options, workspace, lines).carry_out()


def _restore(options: argparse.Namespace, lines: Lines) -> int:
    with _place_as_given():
        backup, kept = restore_backup(options.database, options.backup)
    lines.write(f"Restored {backup.path}, made {texts.moment(backup.made_at)}.")
    if kept is not None:
        lines.write(f"The database that was there is now {kept}.")
    return DONE


def _salvage(options: argparse.Namespace, lines: Lines) -> int:
    with _place_as_given():
        report = salvage(options.database or default_database_path(), options.output)
    for table in report.tables:
        if table.rows_read or table.rows_lost or table.rows_from_backup:
            backup = f", {table.rows_from_backup} from a backup" if table.rows_from_backup else ""
            lines.write(f"{table.name}: {table.rows_read} read, {table.rows_lost} lost{backup}")
    for remark in report.remarks:
        lines.write(remark)
    lines.write(
        f"{report.target}: {report.experiments} experiments, {report.trials} trials; "
        "the damaged database was not changed."
    )
    complain(f"Look at it with: {texts.command('status', '', {'database': report.target})}")
    return DONE


class _Command:
    """One command line, on an open workspace."""

    def __init__(self, options: argparse.Namespace, workspace: Workspace, lines: Lines) -> None:
        self._options = options
        self._workspace = workspace
        self._lines = lines

    def carry_out(self) -> int:
        """Do what the verb says; return the exit code."""
        match self._options.verb:
            case "run":
                return self._run_new(self._workspace.read_file(self._options.file))
            case "demo":
                return self._run_new(self._workspace.at_given_places(self._workspace.demo_setup()))
            case "resume":
                return self._resume()
            case "status":
                return self._status()
            case "export":
                return self._export()
            case "compact":
                freed = texts.size(self._workspace.compact())
                self._lines.write(f"{self._workspace.database}: {freed} given back.")
                return DONE
            case "import":
                experiment = self._named(self._options.name)
                is_done = import_file(self._options, self._workspace, experiment, self._lines)
                return DONE if is_done else NOT_VALID
            case _:
                return self._back_up()

    # ---- runs ------------------------------------------------------------------------------------

    def _run_new(self, setup: ExperimentSetup) -> int:
        setup = self._with_options(setup)
        refuse_problems(self._workspace, setup)
        experiment_id = self._workspace.create_from_setup(setup, unique_name=True)
        name = self._workspace.experiment(experiment_id).name
        if name != setup.name:
            complain(
                f"An experiment {setup.name!r} exists: this one is called {name!r}. "
                f"To go on with that one: {self._resume_command(setup.name)}"
            )
        try:
            return self._drive(experiment_id)
        except AxdeskError:
            # Corrected, the same file makes it anew under the same name.
            with suppress(StorageError):
                if not self._workspace.experiment(experiment_id).runs:
                    self._workspace.delete(experiment_id)
            raise

    def _with_options(self, setup: ExperimentSetup) -> ExperimentSetup:
        options = self._options
        given = {"max_trials": options.max_trials, "parallelism": options.parallelism}
        run = replace(
            setup.run,
            orchestration=self._orchestration(setup.run.orchestration),
            **{name: value for name, value in given.items() if value is not None},
        )
        generation = setup.generation
        if options.seed is not None:
            generation = replace(generation, seed=options.seed)
        return replace(setup, run=run, generation=generation)

    def _orchestration(self, config: OrchestrationConfig) -> OrchestrationConfig:
        if self._options.uncertain is None:
            return config
        return replace(config, uncertain_deployment=self._options.uncertain)

    def _resume(self) -> int:
        experiment = self._named(self._options.name)
        moved = self._workspace.at_given_places(experiment.setup)
        if moved != experiment.setup:
            self._workspace.configure(experiment.id, moved)
        return self._drive(experiment.id)

    def _drive(self, experiment_id: int) -> int:
        name = self._workspace.experiment(experiment_id).name
        try:
            with kept_awake(), closing(self._workspace.open(experiment_id)) as client:
                return self._run_to_its_end(client)
        except KeyboardInterrupt:
            complain(f"Go on with: {self._resume_command(name)}")
            return INTERRUPTED

    def _run_to_its_end(self, client: Client) -> int:
        experiment = client.experiment
        self._take_decisions(client)
        questions: dict[int, Question] = {}
        try:
            self._run_trials(client, questions)
        except KeyboardInterrupt:
            # Ctrl-C while the last trial finished leaves nothing to go on with.
            if experiment.state is not RunState.COMPLETED:
                self._tell_end(experiment)
                raise
        except FailureRateExceededError:
            self._tell_end(experiment)
            raise
        except DecisionNeededError as error:
            self._tell_end(experiment)
            error.hint = self._how_to_decide(experiment, questions.values())
            raise
        self._tell_end(experiment)
        if experiment.runs[-1].was_stopped_by_error:
            complain(f"Mend the cause, then go on with: {self._resume_command(experiment.name)}")
            return INTERRUPTED
        return DONE

    def _take_decisions(self, client: Client) -> None:
        try:
            for trial_index, answer in getattr(self._options, "answer", ()):
                client.answer_question(trial_index, answer)
            for trial_index, result in getattr(self._options, "result", ()):
                before = client.experiment.trial(trial_index)
                client.complete_trial(trial_index, result)
                self._tell(texts.entered(before, result))
        except (NotFoundError, TransitionError, UserInputError) as error:
            raise _UsageError(error.message, error.hint) from error

    def _run_trials(self, client: Client, questions: dict[int, Question]) -> None:
        experiment = client.experiment
        display = self._display(experiment)
        has_begun = False

        def show(event: Event) -> None:
            nonlocal has_begun
            if not has_begun:
                self._fetch_again(client)
            has_begun = True
            if isinstance(event, QuestionAsked):
                questions[event.question.trial_index] = event.question
            elif isinstance(event, QuestionAnswered):
                questions.pop(event.trial_index, None)
            display.show(event)

        try:
            if experiment.runs:
                last = experiment.runs[-1].settings.orchestration
                client.run_trials(config=self._orchestration(last), on_event=show)
                return
            run = experiment.setup.run
            client.run_trials(
                run.max_trials,
                run.parallelism,
                run.tolerated_trial_failure_rate,
                run.initial_seconds_between_polls,
                config=self._orchestration(run.orchestration),
                on_event=show,
            )
        except StorageError as error:
            if has_begun:
                hint = f"{error.hint} Then go on with: {self._resume_command(experiment.name)}"
                raise _LostDatabaseError(error.message, hint.strip()) from error
            raise
        finally:
            display.close()

    def _fetch_again(self, client: Client) -> None:
        """Have the run that has just begun ask for results once more."""
        for trial_index in getattr(self._options, "fetch_again", ()):
            answer = client.submit(FetchAgain(trial_index))
            answer.add_done_callback(
                lambda done: None if (error := done.exception()) is None else complain(str(error))
            )

    def _display(self, experiment: Experiment) -> Display:
        if self._options.jsonl:
            return JsonLines(self._lines)
        if self._lines.is_terminal:
            return TerminalProgress(experiment, self._lines)
        return LogProgress(experiment, self._lines)

    def _tell(self, text: str) -> None:
        """Write a line for a person, where it disturbs no JSON."""
        (complain if self._options.jsonl else self._lines.write)(text)

    def _tell_end(self, experiment: Experiment) -> None:
        """Write how the run ended and what is best."""
        if not experiment.runs:
            return
        tell = self._tell
        run = experiment.runs[-1]
        finished = sum(trial.status.is_terminal for trial in experiment.of_run(run))
        reason = f" ({run.reason})" if run.reason else ""
        tell(
            f"{experiment.name}: {texts.words(run.state)}{reason}, "
            f"{finished} of {run.settings.max_trials} trials finished."
        )
        for line in texts.best_lines(experiment.trials.values(), experiment.optimization):
            tell(line)

    def _resume_command(self, name: str) -> str:
        return texts.command("resume", name, {"database": self._options.database})

    def _how_to_decide(self, experiment: Experiment, questions: Iterable[Question]) -> str:
        """Return what is asked, and the commands that answer it."""
        resume = self._resume_command(experiment.name)
        metrics = experiment.optimization.required_metrics
        result = " ".join(shlex.quote(f"{metric}=VALUE") for metric in metrics)
        lines = ["Look what became of it, and go on with one of these commands."]
        asked = list(questions)
        for question in asked:
            index = question.trial_index
            ways = {
                Answer.ASK_RUNNER: f"  ask the runner again:     {resume}",
                Answer.REDEPLOY: f"  it never ran, deploy it:  {resume} --answer {index}=redeploy",
                Answer.MARK_FAILED: f"  it failed:                {resume} --answer {index}=failed",
                Answer.ABANDON: f"  do not repeat it:         {resume} --answer {index}=abandon",
            }
            lines += [
                f"{question.happened} {question.did}",
                *(way for answer, way in ways.items() if answer in question.answers),
                f"  it ran to its end:        {resume} --result {index} {result}",
            ]
        if any(question.failed_call is None for question in asked):
            every = "The same for every such trial"
            lines.append(f"{every}: {resume} --uncertain abandon (or redeploy)")
        return "\n".join(lines)

    # ---- what is stored --------------------------------------------------------------------------

    def _named(self, name: str) -> Experiment:
        try:
            return self._workspace.experiment(self._workspace.experiment_id(name))
        except NotFoundError as error:
            known = ", ".join(s.name for s in self._workspace.summaries() if s.name) or "none"
            raise _UsageError(
                f"There is no experiment {name!r} in {self._workspace.database}.",
                f"The experiments there: {known}.",
            ) from error

    def _status(self) -> int:
        summaries = self._workspace.summaries()
        if self._options.name is None:
            told = texts.summary_lines(summaries)
        else:
            experiment = self._named(self._options.name)
            summary = next(s for s in summaries if s.id == experiment.id)
            told = texts.experiment_lines(experiment, summary)
            if summary.state in (RunState.INTERRUPTED, RunState.STOPPED):
                told.append(f"Go on with: {self._resume_command(experiment.name)}")
        self._lines.write("\n".join(told))
        return DONE

    def _back_up(self) -> int:
        target: Path | None = self._options.output
        workspace = self._workspace
        backup = workspace.back_up() if target is None else workspace.back_up_to(target)
        self._lines.write(f"{backup.path}: {texts.size(backup.size)}, checked.")
        return DONE

    def _export(self) -> int:
        experiment = self._named(self._options.name)
        output: Path | None = self._options.output
        file_format, decimal = self._options.format, self._options.decimal
        if output is None or str(output) == "-":
            text = self._workspace.trials_text(experiment.id, file_format or "csv", decimal)
            self._lines.write(text.removesuffix("\n"))
            return DONE
        count = self._workspace.export_trials(experiment.id, output, file_format, decimal=decimal)
        complain(f"{count} trial{'s' * (count != 1)} written to {output}.")
        return DONE
