"""Trials into the window: the import dialog, through its real widgets, on a real database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from axdesk.core.trial import TrialSource, TrialStatus
from axdesk.core.trial_columns import ColumnRole, ColumnUse
from axdesk.gui.models.import_model import OUTCOME
from axdesk.gui.views.import_dialog import ImportDialog
from tests.gui.scenes import coupling_setup
from tests.gui.test_trial_files import Desk, answer_file_dialog, with_trials

HEADS = "Temperature [K];Time;Catalyst;Solvent;Ausbeute;Impurity;Bemerkung"


def german_file(folder: Path, rows: int = 200, bad: tuple[int, ...] = (4, 100)) -> Path:
    """What a German Excel saves: semicolons, decimal commas, Windows-1252, two bad lines."""
    lines = [HEADS]
    for number in range(rows):
        value = "n/a" if number in bad else f"{40 + number / 10:.2f}".replace(".", ",")
        kelvin = f"{323.15 + number / 5:.2f}".replace(".", ",")
        lines.append(f"{kelvin};30;0,5;DMF;{value};1,5;{'läuft' if number else '=1+1'}")
    file = folder / "Läufe 2025.csv"
    file.write_bytes("\r\n".join(lines).encode("cp1252"))
    return file


@pytest.fixture
def desk(qtbot: Any, qapp: QApplication, tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "plugins").mkdir()
    desk = Desk(qtbot, tmp_path / "lab.sqlite")
    yield desk
    desk.close()


def dialog_of(desk: Desk) -> ImportDialog:
    def shown() -> list[ImportDialog]:
        return [d for d in desk.window.findChildren(ImportDialog) if d.isVisible()]

    desk.until(shown)
    (dialog,) = shown()
    settled(desk, dialog)
    return dialog


def settled(desk: Desk, dialog: ImportDialog) -> None:
    desk.until(lambda: not dialog.summary.text().endswith("…"))


def press(dialog: ImportDialog, key: str) -> None:
    QTest.mouseClick(dialog.buttons[key], Qt.MouseButton.LeftButton)


def choose(dialog: ImportDialog, column: int, use: ColumnUse) -> None:
    """Choose what a column tells, as the keyboard does."""
    field = dialog._rows[column].use
    index = next(i for i in range(field.count()) if field.itemData(i) == use)
    field.setCurrentIndex(index)
    field.activated.emit(index)


def test_200_rows_with_a_decimal_comma_and_two_bad_lines(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = desk.open(with_trials(desk.database))
    before = len(session.facts.trials)
    file = german_file(tmp_path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))

    desk.trigger("file.import_trials")
    dialog = dialog_of(desk)

    # The yield has a German name: nothing is guessed, and nothing can be imported.
    assert not dialog.buttons["import"].isEnabled()
    assert "it has no value of Yield" in dialog.summary.text()
    choose(dialog, 4, ColumnUse(ColumnRole.MEAN, "Yield"))
    settled(desk, dialog)
    reason = "Yield 'n/a' is no number"
    assert dialog.summary.text() == f"198 rows ok, 2 skipped: row 6: {reason}; row 102: {reason}."
    assert dialog.buttons["import"].text() == "Import 198 trials"
    assert dialog.model.rowCount() == 200
    bad = dialog.model.index(4, OUTCOME)
    assert bad.data() == "Skipped: Yield 'n/a' is no number"
    assert dialog.model.index(4, 6).data(Qt.ItemDataRole.ToolTipRole) == "Yield 'n/a' is no number"
    dialog.skipped_only.click()
    assert dialog.model.rowCount() == 2
    # Nothing is written yet.
    assert len(session.facts.trials) == before

    press(dialog, "import")

    desk.told("198 trials imported from Läufe 2025.csv; 2 rows skipped")
    desk.until(lambda: len(session.facts.trials) == before + 198)
    trials = [t for t in session.facts.trials if t.generation.source is TrialSource.IMPORTED]
    assert [t.parameters["Temperature"] for t in trials[:2]] == [50.0, 50.2]
    assert trials[0].latest("Yield").mean == 40.0
    assert [t.note for t in trials[:2]] == ["=1+1", "läuft"]
    assert {t.status for t in trials} == {TrialStatus.COMPLETED}

    # Once more, all of them are there.
    desk.window.trial_import.import_path(file)
    again = dialog_of(desk)
    choose(again, 4, ColumnUse(ColumnRole.MEAN, "Yield"))
    settled(desk, again)
    assert again.summary.text().startswith("0 rows ok, 200 skipped: row 2: it is in the experiment")
    again.duplicates.click()
    settled(desk, again)
    assert again.summary.text().startswith("198 rows ok")
    press(again, "cancel")


def test_what_was_exported_is_imported_into_another_experiment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = desk.open(with_trials(desk.database))
    given = [(t.arm.parameters, t.status, t.observations, t.note) for t in first.facts.trials]
    answer_file_dialog(monkeypatch, tmp_path / "out.xlsx", "xlsx")
    desk.trigger("file.export_trials")
    desk.told("17 trials written")
    number = with_trials(desk.database, coupling_setup("Again"), trials=False)
    second = desk.open(number)

    desk.window.trial_import.import_path(tmp_path / "out.xlsx")
    dialog = dialog_of(desk)
    assert dialog.summary.text() == "17 rows ok."
    press(dialog, "import")

    desk.told("17 trials imported from out.xlsx")
    desk.until(lambda: len(second.facts.trials) == 17)
    assert [
        (t.arm.parameters, t.status, t.observations, t.note) for t in second.facts.trials
    ] == given


def test_rows_come_from_the_clipboard(desk: Desk) -> None:
    desk.open(with_trials(desk.database, trials=False))
    QGuiApplication.clipboard().setText(
        "Temperature\tTime\tCatalyst\tSolvent\tYield\tImpurity\n80,5\t30\t0,5\tDMF\t71\t1,5\n"
    )

    desk.trigger("file.paste_trials")
    dialog = dialog_of(desk)
    assert dialog.summary.text() == "1 row ok."
    press(dialog, "import")

    desk.told("1 trial imported from The clipboard")
    desk.until(lambda: len(desk.session.facts.trials) == 1)


def test_a_table_is_dropped_on_the_window(desk: Desk, tmp_path: Path) -> None:
    desk.open(with_trials(desk.database))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(german_file(tmp_path)))])
    drop = QDropEvent(QPoint(5, 5).toPointF(), Qt.DropAction.CopyAction, data,
                      Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)  # fmt: skip

    desk.window.dropEvent(drop)

    dialog = dialog_of(desk)
    assert dialog.windowTitle() == "Import trials from Läufe 2025.csv"
    press(dialog, "cancel")


def test_a_table_needs_an_experiment(desk: Desk, tmp_path: Path) -> None:
    desk.window.trial_import.import_path(german_file(tmp_path))

    desk.told("Open the experiment that the trials of Läufe 2025.csv belong to first.")


def test_how_the_file_is_read_can_be_changed(desk: Desk, tmp_path: Path) -> None:
    desk.open(with_trials(desk.database))
    desk.window.trial_import.import_path(german_file(tmp_path, 5, ()))
    dialog = dialog_of(desk)
    choose(dialog, 4, ColumnUse(ColumnRole.MEAN, "Yield"))
    settled(desk, dialog)
    assert dialog.plan is not None
    assert dialog.plan.columns[0].remark == "Converted from K into °C."

    dialog._rows[0].unit.setText("")
    dialog._rows[0].unit.editingFinished.emit()
    settled(desk, dialog)
    assert dialog.plan.trials[0].parameters["Temperature"] == 323.15
    assert dialog.remarks.text().splitlines()[-1].startswith("5 rows lie outside the search space")

    dialog.decimal.setCurrentIndex(1)
    dialog.decimal.activated.emit(1)
    settled(desk, dialog)
    assert "is no number with a decimal point" in dialog.summary.text()
    dialog.delimiter.setCurrentIndex(1)
    dialog.delimiter.activated.emit(1)
    settled(desk, dialog)
    assert "No column tells Temperature." in dialog.summary.text()
    assert not dialog.buttons["import"].isEnabled()
    press(dialog, "cancel")


def test_a_file_that_is_no_table_is_told_in_the_dialog(desk: Desk, tmp_path: Path) -> None:
    desk.open(with_trials(desk.database))
    (tmp_path / "old.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 100)

    desk.window.trial_import.import_path(tmp_path / "old.xlsx")

    dialog = dialog_of(desk)
    assert "is an old Excel workbook (.xls)" in dialog.summary.text()
    assert not dialog.buttons["import"].isEnabled()
    press(dialog, "cancel")
