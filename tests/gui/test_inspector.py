"""The inspector: what it says of a trial, and what can be done in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDialog, QLabel, QWidget

from axdesk.api.workspace import Workspace
from axdesk.core.attachments import Attachment
from axdesk.core.commands import DetachFile, SetNote
from axdesk.core.events import TrialChanged
from axdesk.core.protocols import AuditEntry
from axdesk.core.run import RunState
from axdesk.core.trial import Observation, Trial, TrialStatus
from axdesk.gui.models.trial_details import (
    HistoryLine,
    history_lines,
    reading_rows,
    setting_rows,
)
from axdesk.gui.views.trial_files_list import size_text
from tests.gui.scenes import coupling_experiment
from tests.gui.test_session import running_trial
from tests.gui.test_trial_actions import commands, press_ok, running
from tests.gui.test_window import Bench
from tests.gui.test_window_run import Laboratory, session_of

QtBot = Any
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def stopped(bench: Bench) -> Bench:
    bench.open(bench.workspace.add(coupling_experiment(RunState.STOPPED)))
    bench.action("view.monitor").trigger()
    return bench


def texts(widget: QWidget) -> list[str]:
    """What can be read in a widget, from top to bottom."""
    found = [one for one in widget.findChildren(QLabel) if one.isVisibleTo(widget) and one.text()]
    return [one.text() for one in found]


def finished(*values: tuple[float, float]) -> Trial:
    """A trial with these yields, each with its progression."""
    return replace(
        running_trial(0).moved_to(TrialStatus.COMPLETED, observations=(Observation("Yield", 1.0),)),
        observations=tuple(Observation("Yield", y, None, step) for y, step in values),
    )


def test_every_reading_is_listed_and_those_replaced_say_so() -> None:
    facts: Any = type("Facts", (), {"optimization": None})()
    assert reading_rows(finished((73.5, 0)), facts) == []
    assert reading_rows(finished((73.5, 0), (80.5, 0)), facts) == [
        ("Yield", "73.5", "replaced"),
        ("Yield", "80.5", ""),
    ]
    assert [row[0] for row in reading_rows(finished((1, 1), (2, 2)), facts)] == [
        "Yield at 1",
        "Yield at 2",
    ]


def test_what_was_run_in_place_of_what_was_planned_is_told(stopped: Bench) -> None:
    trial = stopped.session.trial(13)
    other = {**trial.parameters, "Temperature": 91.0}
    rows = setting_rows(replace(trial, executed_parameters=other), stopped.session.facts)
    assert rows[0][0] == "Temperature"
    assert rows[0][1].startswith("91")
    assert rows[0][2].startswith("planned ")
    assert not any(small for _, _, small in rows[1:])


def test_the_history_tells_old_and_new_values_and_why() -> None:
    trial = replace(finished((80.5, 0)), staged_at=NOW, started_at=NOW)
    corrected = AuditEntry(
        NOW + timedelta(hours=1), "enter_result", 0,
        "completed; Yield = 73.5 ± 1.0; Impurity = 1.85",
        "completed; Yield = 80.5; Impurity = 1.85",
        "read again",
    )  # fmt: skip
    excluded = replace(corrected, action="set_excluded", before="included", after="excluded")
    lines = history_lines(trial, (corrected, excluded))
    assert [line.text for line in lines[:2]] == ["Launched (model)", "Deployed"]
    assert lines[2] == HistoryLine(
        corrected.at, "Result corrected", "Yield = 73.5 ± 1.0 → Yield = 80.5", "read again"
    )
    assert lines[3] == HistoryLine(corrected.at, "Excluded from the model", "", "read again")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (812, "812 B"), (1400, "1.4 kB"), (999_600, "1.0 MB"), (23_000_000, "23 MB")],
)
def test_sizes_of_files_are_short(size: int, text: str) -> None:
    assert size_text(size) == text


def test_a_note_is_written_where_it_stands(stopped: Bench) -> None:
    stopped.window.selection.select(17)
    note = stopped.window.inspector.note
    assert note.toPlainText() == "Slight foaming above 90 °C."
    note.setFocus()
    note.setPlainText("Foam.")
    # Another trial is looked at: what was typed belongs to the one before.
    stopped.window.selection.select(13)
    assert commands(stopped, 1) == [SetNote(17, "Foam.")]
    assert note.toPlainText() == ""
    note.setPlainText("Best.")
    stopped.qtbot.keyClick(note, Qt.Key.Key_Escape)
    assert note.toPlainText() == ""
    note.setPlainText("Best so far.")
    stopped.qtbot.keyClick(note, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert commands(stopped, 2)[1] == SetNote(13, "Best so far.")


def test_what_is_typed_stays_while_the_trial_goes_on(bench: Bench) -> None:
    bench.open(bench.workspace.add(coupling_experiment(RunState.STOPPED)))
    client = bench.workspace.clients
    bench.action("run.start").trigger()
    bench.until(lambda: bench.session.is_live)
    bench.window.selection.select(17)
    note = bench.window.inspector.note
    note.setPlainText("Half a sen")
    trial = bench.session.trial(17)
    client[-1].tell(TrialChanged(replace(trial, elapsed_seconds=trial.elapsed_seconds + 60)))
    bench.until(lambda: bench.session.trial(17).elapsed_seconds > trial.elapsed_seconds)
    bench.window._show_facts()
    assert note.toPlainText() == "Half a sen"


def test_files_are_shown_dropped_and_taken_away(stopped: Bench, tmp_path: Path) -> None:
    kept = Attachment("a" * 40 + ".pdf", "0" * 64, 1400, NOW)
    experiment = coupling_experiment(RunState.STOPPED, "With files")
    experiment.put(replace(experiment.trial(13), attachments=(kept,)))
    stopped.open(stopped.workspace.add(experiment))
    inspector = stopped.window.inspector
    stopped.window.selection.select(13)
    opened: list[object] = []
    inspector.file_requested.disconnect()
    inspector.file_requested.connect(opened.append)
    stopped.find("inspector.files.open.0").click()
    assert opened == [kept]
    dropped: list[object] = []
    inspector.files_dropped.disconnect()
    inspector.files_dropped.connect(lambda index, paths: dropped.append((index, paths)))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "nmr.txt"))])
    inspector.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, data,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip
    assert dropped == [(13, [tmp_path / "nmr.txt"])]
    stopped.find("inspector.files.remove.0").click()
    stopped.until(lambda: any(c.commands for c in stopped.workspace.clients))
    assert stopped.workspace.clients[-1].commands == [DetachFile(13, kept)]


def test_several_trials_stand_side_by_side(stopped: Bench) -> None:
    selection = stopped.window.selection
    selection.set_trials((13, 12))
    comparison = stopped.find("inspector.comparison")
    assert comparison.isVisible()
    assert "2 trials" in texts(comparison)
    assert "≠" in texts(comparison)
    stopped.find("inspector.show.12").click()
    assert selection.trials == (12,)
    assert not comparison.isVisible()
    assert stopped.find("inspector.header").isVisible()


def test_the_arrows_end_with_the_trials(stopped: Bench) -> None:
    stopped.window.selection.select(0)
    assert not stopped.find("inspector.previous").isEnabled()
    stopped.find("inspector.next").click()
    assert stopped.window.selection.current == 1


def test_a_correction_shows_in_the_history_while_the_run_goes_on(laboratory: Laboratory) -> None:
    window = running(laboratory)
    session = session_of(window)
    window.selection.select(0)
    old = session.trial(0).latest("depth").mean
    window.trial_operations.enter_result(0)
    dialog: Any = window.findChild(QDialog, "dialog.enter_result")
    dialog.fields["depth"][0].setText("-3,25")
    dialog.note.setText("read again")
    press_ok(dialog)

    def told() -> str:
        history = window.inspector.findChild(QWidget, "inspector.history")
        return "" if history is None else "\n".join(texts(history))

    laboratory.until(lambda: f"depth = {old!r} → depth = -3.25" in told())
    assert "“read again”" in told()
    assert "Result corrected" in told()

    def readings() -> str:
        shown = window.inspector.findChild(QWidget, "inspector.readings")
        return "" if shown is None else " ".join(texts(shown))

    # The history may be read before the run's event of the correction is shown.
    laboratory.until(lambda: "replaced" in readings())
    assert session.is_live


def test_a_note_that_is_being_typed_is_kept_when_the_window_closes(laboratory: Laboratory) -> None:
    window = running(laboratory)
    session = session_of(window)
    session.stop()
    laboratory.hold.unlink()
    laboratory.until(lambda: session.state is RunState.STOPPED and not session.is_live)
    window.selection.select(0)
    window.inspector.note.setPlainText("Half a sen")
    laboratory.close(window)
    workspace = Workspace(laboratory.database, laboratory.plugins)
    assert workspace.experiment(session.id).trial(0).note == "Half a sen"
    workspace.close()
