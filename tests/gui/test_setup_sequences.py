"""Whatever is typed, pasted and moved in any order: the table is the draft; undo leads back."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from axdesk.core.draft_cells import ParameterKind, Section
from axdesk.gui.models.parameter_table import MENU
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.views.setup_view import SetupView
from axdesk.gui.widgets.roles import Role
from tests.gui.setup_driver import ALT, CTRL, drag, paste, select, shown
from tests.gui.setup_samples import found, suzuki

P = Section.PARAMETERS
HOSTILE = (
    "", " ", "x", "1e999", "-1e999", "nan", "inf", "1,5", "1.5.2", "--3", "0x10", "١٢", "²",
    "1\u00a0000,5", "1_000", "9" * 400, "0." + "0" * 400 + "1", "ß" * 300, "`", "a`b", ";;;", "; ;",
    '"', "'", "1;1", "a: b", ":", "Time", "Temperature", "2*Time", "Time/0", "Time**9**9",
    "((((((((((", "a <= b <= c", "<=", "<script>", "%s %(x)s {0}", "🧪", "a\u200bb", "\u202e1",
    "log", "yes", "choice", "\x00", "\t", "a\nb",
)  # fmt: skip
COLUMNS = ("name", "unit", "kind", "low", "high", "scale", "start", "step", "description")
DETAILS = ("choices", "expression", "dependents", "value_type", "is_ordered", "on")
PASTES = (
    "Flow\tmL/min\tDecimal\t0,1\t5\r\nLamp\t\tYes/no\r\n",
    "Name;Low;High\nA;0,1;1\u00a0000",
    "Type\tName\tChoices\nChoice\tGas\tAr; N2\n",
    '"a ""b"""\t"x\ny"\t\t1\n\n\tz',
    "x",
    "\t\t\t\n",
)

place = st.integers(0, 6)
action = st.one_of(
    st.tuples(st.just("type"), place, st.sampled_from(COLUMNS), st.sampled_from(HOSTILE)),
    st.tuples(st.just("detail"), place, st.sampled_from(DETAILS), st.sampled_from(HOSTILE)),
    st.tuples(st.just("kind"), place, st.sampled_from([kind.value for kind in ParameterKind])),
    st.tuples(st.just("tick"), place),
    st.tuples(st.just("paste"), place, st.sampled_from(COLUMNS), st.sampled_from(PASTES)),
    st.tuples(st.just("drag"), place, place, st.booleans()),
    st.tuples(st.just("key"), place, place, st.sampled_from(["up", "down"])),
    st.tuples(st.just("key"), place, place, st.just("remove")),
    st.tuples(st.just("key"), place, place, st.just("double")),
    st.tuples(st.just("constrain"), st.sampled_from(HOSTILE)),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
)
KEYS = {
    "up": (Qt.Key.Key_Up, ALT),
    "down": (Qt.Key.Key_Down, ALT),
    "remove": (Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier),
    "double": (Qt.Key.Key_D, CTRL),
}


@pytest.fixture
def view(qtbot: QtBot) -> SetupView:
    return shown(qtbot, suzuki(), P)


@pytest.fixture
def table(view: SetupView) -> SetupTable:
    return found(view, SetupTable, "setup.parameters.table")


def column(table: SetupTable, field: str) -> int:
    return [c.field for c in table.table.columns].index(field)


def do(view: SetupView, table: SetupTable, name: str, *how: object) -> None:
    """One action of the operator, at the last row where there are fewer."""
    view.show_section(P)  # undo may have shown the page of constraints
    model, count = view.model, table.table.rowCount()
    rows = [min(at, count - 1) for at in how if type(at) is int]
    if name in ("undo", "redo"):
        (model.undo if name == "undo" else model.redo)()
    elif name == "constrain":
        model.insert_rows(Section.CONSTRAINTS, 0, [{"expression": str(how[0])}])
    elif name == "paste":
        table.go_to(*((rows[0], column(table, str(how[1]))) if count else (0, 1)))
        paste(table, str(how[2]))
    elif not count:
        pass
    elif name == "type":
        model.seal()
        table.table.setData(table.table.index(rows[0], column(table, str(how[1]))), how[2])
    elif name == "detail":
        model.edit_cells(P, rows[0], {str(how[1]): str(how[2])})
    elif name == "kind":
        model.edit_cells(P, rows[0], {"kind": str(how[1])})
    elif name == "tick":
        table.go_to(rows[0], 0)
        QTest.keyClick(table, Qt.Key.Key_Space)
    elif name == "drag":
        drag(table, *rows, below=bool(how[2]))
    else:
        select(table, *sorted(rows))
        QTest.keyClick(table, *KEYS[str(how[2])])
        change = {"remove": -1, "double": 1}.get(str(how[2]), 0)
        assert table.table.rowCount() == count + change * (max(rows) - min(rows) + 1)


def assert_table_is_draft(view: SetupView, table: SetupTable) -> None:
    rows = view.model.draft.parameters
    assert table.table.rows == rows
    assert table.model().rowCount() == len(rows)
    for row, cells in enumerate(rows):
        for at, column in enumerate(table.table.columns):
            index = table.table.index(row, at)
            for role in (Qt.ItemDataRole.DisplayRole, Role.CHOICES, Role.TAGS, Role.ISSUE):
                index.data(role)
            if column.field not in ("on", MENU):
                stored = table.table.stored_field(row, column.field)
                fallback = ParameterKind.DECIMAL.value if stored == "kind" else ""
                assert index.data(Qt.ItemDataRole.EditRole) == (cells.get(stored) or fallback)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=st.lists(action, min_size=1, max_size=12))
def test_each_action_is_one_step_and_every_step_leads_back(
    view: SetupView, table: SetupTable, actions: list[tuple[object, ...]]
) -> None:
    model = view.model
    model.set_draft(suzuki())
    history, at = [model.draft], 0
    for name, *how in actions:
        do(view, table, str(name), *how)
        if name == "undo":
            at = max(at - 1, 0)
        elif name == "redo":
            at = min(at + 1, len(history) - 1)
        elif model.draft != history[at]:
            history[at + 1 :] = [model.draft]
            at += 1
        assert model.draft == history[at]
        assert_table_is_draft(view, table)
    for back in range(at - 1, -1, -1):
        model.undo()
        assert model.draft == history[back]
    assert not model.can_undo
    assert_table_is_draft(view, table)
    for done in history[1:]:
        model.redo()
        assert model.draft == done
    assert not model.can_redo
    assert_table_is_draft(view, table)


@pytest.mark.parametrize("kind", list(ParameterKind))
def test_wrong_input_of_every_kind_is_kept_in_every_cell(
    kind: ParameterKind, view: SetupView, table: SetupTable
) -> None:
    plain = [{"kind": kind.value, "name": f"p{at}"} for at in range(len(HOSTILE))]
    for field in (*COLUMNS, *DETAILS):
        view.model.set_draft(suzuki().with_rows(P, plain))
        view.model.edit_rows(P, {at: {field: text} for at, text in enumerate(HOSTILE)})
        assert tuple(view.model.text(P, at, field) for at in range(len(HOSTILE))) == HOSTILE
        assert_table_is_draft(view, table)
        view.model.undo()
        assert view.model.draft.parameters == suzuki().with_rows(P, plain).parameters


@pytest.mark.parametrize("section", list(Section))
def test_wrong_input_of_every_kind_is_kept_in_every_section(section: Section, qtbot: QtBot) -> None:
    view = shown(qtbot, suzuki(), section)
    fields = {field for row in suzuki().rows(section) for field in row}
    fields |= {"name", "target", "weight", "limit", "expression", "max_trials", "seed"}
    for field in sorted(fields):
        for text in HOSTILE:
            view.model.edit_cells(section, 0, {field: text})
            assert view.model.text(section, 0, field) == text
            assert view.model.setup is not None or view.model.problems is not None


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.dictionaries(
            st.sampled_from([*COLUMNS[3:], "name", "unit", *DETAILS[:5]]),
            st.sampled_from(
                [text for text in HOSTILE if text == text.strip() and "\x00" not in text]
            ),
        ).map(lambda row: {"on": "yes", "kind": "decimal", **row, "name": row.get("name") or "n"}),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_is_copied_is_pasted_back_the_same(
    view: SetupView, table: SetupTable, rows: list[dict[str, str]]
) -> None:
    view.model.set_draft(suzuki().with_rows(P, rows))

    def plain() -> list[dict[str, str]]:
        """Return the rows without cells that hold nothing, which need not be named."""
        return [
            {field: text for field, text in row.items() if text}
            for row in view.model.draft.parameters
        ]

    before = plain()
    table.selectAll()
    QTest.keyClick(table, Qt.Key.Key_C, CTRL)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert not view.model.draft.parameters
    QTest.keyClick(table, Qt.Key.Key_V, CTRL)
    assert plain() == before
