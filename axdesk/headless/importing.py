"""The verb `import`: trials that were run elsewhere."""

import argparse
import json
import sys

from axdesk.api.workspace import Workspace
from axdesk.core.commands import ImportTrials
from axdesk.core.experiment import Experiment
from axdesk.core.trial_columns import ColumnRole
from axdesk.core.trial_import import (
    FileTable,
    ImportColumn,
    ImportPlan,
    ImportRow,
    ImportSettings,
    ReadSettings,
)
from axdesk.headless.output import Lines, complain

_MOST_TOLD = 20


def import_file(
    options: argparse.Namespace, workspace: Workspace, experiment: Experiment, lines: Lines
) -> bool:
    """Add the trials of a file; return whether that, or a dry run, went well.

    It did not if no row can be imported, or with `--strict` if any cannot. That all rows are there
    already is well.
    """
    table = _table(options, workspace)
    settings = ImportSettings(
        options.decimal, named=dict(options.map), keeps_duplicates=options.duplicates
    )
    plan = workspace.plan_import(experiment.id, table, settings)
    is_wanted = _is_wanted(plan, is_strict=options.strict)
    if is_wanted and plan.trials and not options.dry_run:
        command = ImportTrials(plan.trials, plan.name)
        plan = plan.carried_out(workspace.import_trials(experiment.id, command))
    if options.jsonl:
        _write_json(plan, lines)
    _tell(plan, options, experiment, lines, is_wanted=is_wanted)
    return is_wanted


def _table(options: argparse.Namespace, workspace: Workspace) -> FileTable:
    settings = ReadSettings(encoding=options.encoding, sheet=options.sheet)
    if str(options.file) == "-":
        return workspace.read_table(sys.stdin.buffer.read(), settings)
    return workspace.read_table(options.file, settings)


def _is_wanted(plan: ImportPlan, *, is_strict: bool) -> bool:
    if plan.problems or not plan.rows or (is_strict and plan.bad):
        return False
    return bool(plan.trials) or not plan.bad


def _tell(
    plan: ImportPlan,
    options: argparse.Namespace,
    experiment: Experiment,
    lines: Lines,
    *,
    is_wanted: bool,
) -> None:
    """Tell what was understood, and what became of it."""
    for column in plan.columns:
        if column.remark or column.use.role is ColumnRole.IGNORED:
            complain(_column_text(column))
    for remark in (*plan.remarks, *([outside] if (outside := plan.outside()) else [])):
        complain(remark)
    tell = complain if options.jsonl or not is_wanted else lines.write
    tell(plan.summary(_MOST_TOLD))
    if plan.problems:
        complain("Say what each column tells, such as --map 'T1=Temperature'.")
    elif not is_wanted:
        complain("Nothing was imported.")
    elif options.dry_run:
        tell("Nothing was imported: it was a dry run.")
    elif plan.indices:
        first, last = plan.indices[0], plan.indices[-1]
        numbers = f"trial {first}" if first == last else f"trials {first} to {last}"
        tell(f"Imported into {experiment.name} as {numbers}.")


def _column_text(column: ImportColumn) -> str:
    if column.use.role is ColumnRole.IGNORED:
        why = f": {column.remark}" if column.remark else "."
        return f"Column {column.head!r} is ignored{why}"
    return f"Column {column.head!r}: {column.remark}"


def _write_json(plan: ImportPlan, lines: Lines) -> None:
    numbers = iter(plan.indices)
    for row in plan.rows:
        index = next(numbers, None) if row.trial is not None else None
        lines.write(json.dumps({"row": row.number, **_row_content(row), "trial": index}))
    lines.write(
        json.dumps(
            {
                "rows": len(plan.rows),
                "ok": len(plan.trials),
                "skipped": len(plan.skipped),
                "imported": len(plan.indices),
                "problems": list(plan.problems),
            }
        )
    )


def _row_content(row: ImportRow) -> dict[str, object]:
    state = "ok" if row.trial is not None else "duplicate" if row.is_duplicate else "skipped"
    return {"state": state, "reason": row.reason, "deviations": list(row.deviations)}
