"""Runs and drafts as rows."""

import json
from typing import Any

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.sqlite import insert

from axdesk.core.draft_cells import Row, Section
from axdesk.core.drafts import Draft
from axdesk.core.questions import Answer, FailedCall
from axdesk.core.run import Run, RunState
from axdesk.storage.rows import insert_rows, read_rows
from axdesk.storage.schema import DraftCellRow, RunPluginFileRow, RunRow
from axdesk.storage.settings_rows import settings_columns, settings_of


def write_run(connection: Connection, experiment_id: int, run: Run) -> None:
    """Insert or replace a run."""
    key = {"experiment_id": experiment_id, "run_index": run.index}
    columns: dict[str, Any] = {
        **settings_columns(run.settings),
        "state": run.state,
        "reason": run.reason.encode("utf-8", "backslashreplace").decode("utf-8"),
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "elapsed_seconds": run.elapsed_seconds,
        "controller": run.controller,
        "standing_answers_json": json.dumps(run.standing_answers),
    }
    statement = insert(RunRow).values({**key, **columns})
    connection.execute(statement.on_conflict_do_update(index_elements=[*key], set_=columns))
    files = RunPluginFileRow
    connection.execute(
        delete(files).where(files.experiment_id == experiment_id, files.run_index == run.index)
    )
    insert_rows(
        connection,
        files,
        key,
        [
            {"position": n, "name": name, "sha256": sha256}
            for n, (name, sha256) in enumerate(run.plugin_hashes)
        ],
    )


def read_runs(connection: Connection, experiment_id: int) -> list[Run]:
    """Return the runs of an experiment, in order."""
    key = {"experiment_id": experiment_id}
    files: dict[int, list[tuple[str, str]]] = {}
    for row in read_rows(connection, RunPluginFileRow, key):
        files.setdefault(row["run_index"], []).append((row["name"], row["sha256"]))
    return [
        Run(
            index=row["run_index"],
            settings=settings_of(row),
            state=RunState(row["state"]),
            reason=row["reason"],
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            elapsed_seconds=row["elapsed_seconds"],
            plugin_hashes=tuple(files.get(row["run_index"], ())),
            controller=row["controller"],
            standing_answers=tuple(
                (FailedCall(call), Answer(answer))
                for call, answer in json.loads(row["standing_answers_json"])
            ),
        )
        for row in read_rows(connection, RunRow, key)
    ]


def write_draft(connection: Connection, experiment_id: int, draft: Draft) -> None:
    """Insert or replace the draft of an experiment."""
    delete_draft(connection, experiment_id)
    insert_rows(
        connection,
        DraftCellRow,
        {"experiment_id": experiment_id},
        [
            {"section": section, "row": n, "field": field, "text": text}
            for section in Section
            for n, row in enumerate(draft.rows(section))
            # A row without cells is a row all the same.
            for field, text in (row or {"": ""}).items()
        ],
    )


def delete_draft(connection: Connection, experiment_id: int) -> None:
    """Forget the draft of an experiment, if it has one."""
    connection.execute(delete(DraftCellRow).where(DraftCellRow.experiment_id == experiment_id))


def read_draft(connection: Connection, experiment_id: int) -> Draft | None:
    """Return the draft of an experiment, or None."""
    tables: dict[Section, dict[int, dict[str, str]]] = {section: {} for section in Section}
    cells = read_rows(connection, DraftCellRow, {"experiment_id": experiment_id})
    for cell in cells:
        row = tables[Section(cell["section"])].setdefault(cell["row"], {})
        if cell["field"]:
            row[cell["field"]] = cell["text"]
    if not cells:
        return None

    def rows(section: Section) -> tuple[Row, ...]:
        return tuple(row for _, row in sorted(tables[section].items()))

    return Draft(
        general=rows(Section.GENERAL)[0],
        parameters=rows(Section.PARAMETERS),
        objectives=rows(Section.OBJECTIVES),
        constraints=rows(Section.CONSTRAINTS),
        runner=rows(Section.RUNNER)[0],
        run=rows(Section.RUN)[0],
    )
