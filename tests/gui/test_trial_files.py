"""Trials out of the window, as files and in the clipboard."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton

from axdesk.api.workspace import Workspace
from axdesk.core.run import RunState
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import TrialStatus
from axdesk.gui.actions import off_reason
from axdesk.gui.main_window import MainWindow
from axdesk.gui.trial_files import EXPORT_KINDS
from axdesk.gui.workbench import Workbench
from axdesk.storage.store import SqlStore
from tests.gui.scenes import coupling_experiment, coupling_setup

QtBot = Any


class Desk:
    """A window on a real database."""

    def __init__(self, qtbot: QtBot, database: Path) -> None:
        self.qtbot = qtbot
        self.database = database
        self.workbench = Workbench(lambda _: Workspace(database, database.parent / "plugins"))
        self.window = MainWindow(self.workbench)
        self.window.show()
        qtbot.waitExposed(self.window)
        with qtbot.waitSignal(self.workbench.loaded, timeout=5000):
            self.workbench.begin()

    def until(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=30_000)

    def open(self, number: int) -> Any:
        self.workbench.open(number)
        self.until(lambda: self.session is not None and self.session.id == number)
        return self.session

    @property
    def session(self) -> Any:
        return self.workbench.current

    def trigger(self, name: str) -> None:
        self.until(self.window.actions_by_name[name].isEnabled)
        self.window.actions_by_name[name].trigger()

    def told(self, start: str) -> None:
        self.until(lambda: self.window.statusBar().currentMessage().startswith(start))

    def close(self) -> None:
        self.window.close()
        self.until(lambda: self.workbench.io.isFinished() and self.workbench.plugin_io.isFinished())
        self.window.deleteLater()


def with_trials(
    database: Path, setup: ExperimentSetup | None = None, *, trials: bool = True
) -> int:
    """Store the experiment of the drawings, with the trials that are over."""
    store = SqlStore.at(database)
    try:
        experiment = store.create(setup or coupling_setup())
        over = (TrialStatus.COMPLETED, TrialStatus.FAILED)
        known = coupling_experiment(RunState.STOPPED).with_status(*over) if trials else ()
        with store.control(experiment):
            store.save_trials(experiment, [replace(trial, run_index=None) for trial in known])
    finally:
        store.close()
    return experiment.id


@pytest.fixture
def desk(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "plugins").mkdir()
    desk = Desk(qtbot, tmp_path / "lab.sqlite")
    yield desk
    desk.close()


def answer_file_dialog(monkeypatch: pytest.MonkeyPatch, path: Path, kind: str) -> list[str]:
    """Let the file dialog say this; return what it is proposed."""
    proposals: list[str] = []

    def ask(_parent: object, _title: str, proposal: str, *filters: str) -> tuple[str, str]:
        proposals.extend((proposal, filters[-1]))
        return str(path), EXPORT_KINDS[kind].filter

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    return proposals


@pytest.mark.parametrize("kind", EXPORT_KINDS)
def test_trials_are_written_as_the_file_dialog_says(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    session = desk.open(with_trials(desk.database))
    proposals = answer_file_dialog(monkeypatch, tmp_path / "out", kind)

    desk.trigger("file.export_trials")

    count = len(session.facts.trials)
    desk.told(f"{count} trials written to")
    file = tmp_path / f"out{EXPORT_KINDS[kind].suffix}"
    assert proposals == ["Suzuki_coupling_B.csv", "CSV, decimal point (*.csv)"]
    if kind == "xlsx":
        assert file.read_bytes().startswith(b"PK")
    elif kind == "json":
        assert len(json.loads(file.read_text("utf-8"))["trials"]) == count
    else:
        delimiter = ";" if kind == "csv_comma" else ","
        text = file.read_text("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
        assert len(rows) == count
        assert rows[0]["Yield mean"] == ("51,6" if kind == "csv_comma" else "51.6")
    # The kind is proposed the next time.
    desk.window.statusBar().clearMessage()
    desk.trigger("file.export_trials")
    desk.told(f"{count} trials written to")
    assert proposals[-1] == EXPORT_KINDS[kind].filter


def test_an_ending_that_was_typed_is_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk.open(with_trials(desk.database))
    answer_file_dialog(monkeypatch, tmp_path / "out.txt", "csv")

    desk.trigger("file.export_trials")

    desk.told("17 trials written to")
    assert (tmp_path / "out.txt").exists()


def test_trials_are_copied_for_a_spreadsheet(desk: Desk) -> None:
    desk.open(with_trials(desk.database))
    desk.window.settings.export_kind = "csv_comma"
    QGuiApplication.clipboard().setText("")

    desk.trigger("file.copy_trials")

    desk.told("Copied 17 trials")
    rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text()), delimiter="\t"))
    assert len(rows) == 17
    assert rows[0]["Yield mean"] == "51,6"
    assert rows[6]["reason"] == "sampling valve blocked"


def numbers_in(file: Path) -> list[int]:
    """The trials of an exported CSV file."""
    rows = csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))
    return [int(row["trial"]) for row in rows]


def test_only_the_trials_that_the_table_shows_are_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = desk.open(with_trials(desk.database))
    answer_file_dialog(monkeypatch, tmp_path / "shown.csv", "csv")
    shown = desk.window.actions_by_name["file.export_shown"]
    assert off_reason(shown) == "The table shows all trials."
    session.trials_model.set_text_filter("yield>80 status:done")

    desk.trigger("file.export_shown")

    values = {t.index: t.latest("Yield") for t in session.facts.trials}
    above = [index for index, value in values.items() if value is not None and value.mean > 80]
    assert 0 < len(above) < len(session.facts.trials)
    desk.told(f"{len(above)} trials written to")
    assert numbers_in(tmp_path / "shown.csv") == above
    session.trials_model.set_text_filter("yield>1000")
    desk.until(lambda: off_reason(shown) == "The table shows no trial.")


def test_only_the_trials_that_are_selected_are_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk.open(with_trials(desk.database))
    answer_file_dialog(monkeypatch, tmp_path / "selected.csv", "csv")
    selected = desk.window.actions_by_name["file.export_selected"]
    assert off_reason(selected) == "Select a trial first."
    desk.window.selection.set_trials((9, 3))

    # As the button of the table offers it.
    button = desk.window.findChild(QPushButton, "trials.export")
    assert button is not None
    entries = {action.text(): action for action in button.menu().actions()}
    assert [*entries] == [
        "All trials…", "Shown trials…", "Selected trials…", "All trials to the clipboard"
    ]  # fmt: skip
    entries["Selected trials…"].trigger()

    desk.told("2 trials written to")
    assert numbers_in(tmp_path / "selected.csv") == [3, 9]


def test_a_file_that_cannot_be_written_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk.open(with_trials(desk.database))
    answer_file_dialog(monkeypatch, tmp_path / "nowhere" / "out.csv", "csv")

    desk.trigger("file.export_trials")

    desk.told(f"The file {tmp_path / 'nowhere' / 'out.csv'} cannot be written")
