"""The experiment file: TOML that a person writes, and the set-up that it means.

format              1, unless a newer axdesk wrote the file; may be left out
[experiment]        name, description, owner, plugin_folder, plugin_python,
                    parameter_constraints
[[parameters]]      name, type, unit, description, and by type
float, int: low, high, scale, start
choice: values, ordered, start
fixed: value
[optimization]      objective, outcome_constraints, tracking_metrics
[optimization.units]    metric = unit
[generation]        method, initial_trials, center, seed, min_observed_trials,
                    count_existing_trials
[runner]            plugin, unset          [runner.options]
[metrics.NAME]      plugin, unset          [metrics.NAME.options]
[run]               the arguments of run_trials and the fields of OrchestrationConfig
[run.call_deadlines]    run, poll, fetch, stop
[run.retry_budget]      poll, fetch
"""

import re
import tomllib
from pathlib import Path

from pydantic import ValidationError

from axdesk.core.errors import ExperimentFileError
from axdesk.core.setup import ExperimentSetup
from axdesk.exchange.experiment_reader import SetupReader
from axdesk.exchange.experiment_writer import experiment_file_text
from axdesk.exchange.files import replace_file
from axdesk.exchange.models import FORMAT, FileTable
from axdesk.exchange.problems import Problems, schema_problems

__all__ = ["experiment_file_text", "read_experiment_file", "write_experiment_file"]


def read_experiment_file(path: Path) -> ExperimentSetup:
    """Read and check an experiment file.

    A relative `plugin_folder` is meant from the file's own folder, and so is a `plugin_python` that
    is no mere command.

    Raises:
        ExperimentFileError: If it cannot be read or is not valid, with every problem's place.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ExperimentFileError(
            f"The experiment file {path} cannot be read: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _not_valid(path, (f"line {line}: this is no UTF-8 text; save it as UTF-8",)) from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_valid(path, (_syntax_problem(str(error), text),)) from None
    problems = Problems(content, text)
    written = content.get("format")
    if isinstance(written, int) and written > FORMAT:
        problems.add(
            ("format",),
            f"a newer axdesk wrote this file, in format {written}; this one reads up to {FORMAT}. "
            "Update axdesk to open it",
        )
        raise _not_valid(path, problems.sentences)
    try:
        table = FileTable.model_validate(content)
    except ValidationError as error:
        schema_problems(error, problems)
        raise _not_valid(path, problems.sentences) from None
    setup = SetupReader(problems, path.parent).setup(table)
    if setup is None:
        raise _not_valid(path, problems.sentences)
    return setup


def write_experiment_file(setup: ExperimentSetup, path: Path) -> None:
    """Write an experiment file that reads back as `setup`, in the place of one that is there.

    Raises:
        UserInputError: If the file cannot be written.
    """
    replace_file(path, experiment_file_text(setup))


def _not_valid(path: Path, problems: tuple[str, ...]) -> ExperimentFileError:
    return ExperimentFileError(f"The experiment file {path} is not valid:", problems=problems)


def _syntax_problem(message: str, text: str) -> str:
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.S)
    if found is None:
        return message
    line = found[2] or text.count("\n") + 1
    column = f", column {found[3]}" if found[3] else ""
    return f"line {line}{column}: {found[1][:1].lower()}{found[1][1:]}"
