"""Every building block of the window on one page, to be looked at and to be tested.

Run as a script it writes one picture a theme: `python tests/gui/gallery.py FOLDER`.
"""

import sys
from pathlib import Path

import pyqtgraph as pg
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from axdesk.gui.style import theme_manager
from axdesk.gui.theme import RUN_STATE_LOOKS, STATUS_LOOKS, THEMES
from axdesk.gui.widgets.banner import Banner, BannerContent, Figure, Segment, progress_segments
from axdesk.gui.widgets.buttons import Button, Chip, Choice, SegmentedButton
from axdesk.gui.widgets.cards import (
    Card,
    EmptyState,
    Facts,
    Fold,
    LiveSentence,
    Notice,
    PageHead,
    Surface,
)
from axdesk.gui.widgets.delegates import CheckDelegate, TagsDelegate
from axdesk.gui.widgets.fields import ComboField, FormRows, NumberField, TextField, labelled
from axdesk.gui.widgets.labels import IconLabel, Tile, label, rule
from axdesk.gui.widgets.lists import Issue, IssueList, Remedy, SectionList
from axdesk.gui.widgets.plots import (
    ColorScale,
    Legend,
    Plot,
    ReadOut,
    cosmetic_pen,
    scatter,
    style_scatter,
)
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import EditableTable, ListView, TableView

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def banner_content(state: str = "running") -> BannerContent:
    finished = [Segment.DONE] * 6 + [Segment.FAILED] + [Segment.DONE] * 10
    running = [Segment.RUNNING] * 2 + [
        Segment.NOT_ANSWERING if state == "needs_attention" else Segment.RUNNING
    ]
    return BannerContent(
        state=state,
        name="Suzuki coupling B",
        next_step="#16 should finish in 6 min, then the next trial starts",
        segments=progress_segments(finished, running, 30),
        slots=Figure("Slots busy", "3", "of 3"),
        failed=Figure("Failed", "1", "of 3 allowed", "Stops at the 4th failure."),
        end=Figure("Ends about", "16:36"),
        best=Figure("Best yield", "83.6 %", "#13"),
        button="Answer…" if state == "needs_attention" else "",
    )


def trials_model(parent: QWidget | None = None) -> QStandardItemModel:
    model = QStandardItemModel(0, 7, parent)
    heads = [
        ("#", ""),
        ("Status", ""),
        ("Source", ""),
        ("Temperature", "°C"),
        ("Solvent", ""),
        ("Yield", "%"),
        ("Limits", ""),
    ]
    for column, (name, unit) in enumerate(heads):
        model.setHorizontalHeaderItem(column, QStandardItem(name))
        model.setHeaderData(column, Qt.Orientation.Horizontal, unit, Role.UNIT)
        if column in (0, 3, 5):
            model.setHeaderData(
                column, Qt.Orientation.Horizontal, RIGHT, Qt.ItemDataRole.TextAlignmentRole
            )
    rows = [
        ("19", "running", "Model", "108", "1,4-Dioxane", "–", "", ""),
        ("17", "completed", "Model", "93", "DMF", "73.5", "± 1.0", "check"),
        ("13", "best", "Model", "92", "DMF", "83.6", "± 0.8", "check"),
        ("6", "failed", "Space filling", "60", "Toluene", "–", "", ""),
    ]
    for number, status, source, temperature, solvent, value, sem, sign in rows:
        look = STATUS_LOOKS[status]
        items = [
            QStandardItem(t) for t in (number, look.word, source, temperature, solvent, value, "")
        ]
        items[1].setData(look.icon, Role.ICON)
        items[1].setData(look.color, Role.TONE)
        items[2].setData("text2", Role.TONE)
        items[5].setData(sem, Role.UNCERTAINTY)
        items[5].setData(status == "best", Role.STRONG)
        if sign:
            items[6].setData(sign, Role.ICON)
            items[6].setData("good", Role.ICON_TONE)
        for column in (0, 3, 5):
            items[column].setTextAlignment(RIGHT)
        model.appendRow(items)
    return model


def parameters_model(parent: QWidget | None = None) -> QStandardItemModel:
    model = QStandardItemModel(0, 6, parent)
    model.setHorizontalHeaderLabels(["", "Name", "Type", "Low", "High", "Scale"])
    for column in (3, 4):
        model.setHeaderData(
            column, Qt.Orientation.Horizontal, RIGHT, Qt.ItemDataRole.TextAlignmentRole
        )
    scales = (Choice("linear", "Linear"), Choice("log", "Logarithmic"))
    rows = [
        (True, "Temperature", "Decimal", "wave-sine", "50", "120", "Linear"),
        (True, "Solvent", "Choice", "list", "", "", ""),
        (True, "Catalyst", "Decimal", "wave-sine", "0", "5", "Logarithmic"),
        (False, "Stirring", "Whole", "number", "200", "800", "Linear"),
    ]
    for on, name, kind, icon_name, low, high, scale in rows:
        items = [QStandardItem(text) for text in ("", name, kind, low, high, scale)]
        items[0].setCheckable(True)
        items[0].setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        items[1].setData(True, Role.STRONG)
        items[2].setData(icon_name, Role.ICON)
        items[2].setData("text2", Role.ICON_TONE)
        items[5].setData(scales, Role.CHOICES)
        if not low:
            items[3].setData(["Toluene", "1,4-Dioxane", "DMF", "MeCN"], Role.TAGS)
        if name == "Catalyst":
            items[3].setData("A logarithmic scale cannot start at 0.", Role.ISSUE)
        for item in items:
            item.setData(not on, Role.OFF)
        for column in (3, 4):
            items[column].setTextAlignment(RIGHT)
        model.appendRow(items)
    return model


def experiments_model(parent: QWidget | None = None) -> QStandardItemModel:
    model = QStandardItemModel(parent)
    rows = [
        ("Suzuki coupling B", "running", "17 of 30", "83.6 %"),
        ("Suzuki coupling A", "completed", "24 of 24", "78.1 %"),
        ("Amide workup", "interrupted", "Interrupted", "9 of 20"),
        ("Buchwald screening", "draft", "Draft", ""),
    ]
    for name, state, second, side in rows:
        item = QStandardItem(name)
        look = RUN_STATE_LOOKS[state]
        item.setData(look.icon, Role.ICON)
        item.setData(look.color, Role.ICON_TONE)
        item.setData(second, Role.SECOND_LINE)
        item.setData(side, Role.SIDE)
        item.setEditable(False)
        model.appendRow(item)
    return model


def add_marks(plot: Plot, mark: str, x: list[int], y: list[float]) -> None:
    item = scatter(mark)
    item.setData(x=x, y=y)
    plot.item.addItem(item)
    plot.on_restyle(lambda: style_scatter(item, mark))


def plot_card() -> Card:
    card = Card(
        "Convergence", sentence="Best 83.6 % since #13. The model expects up to 83.4 ± 1.8 %."
    )
    card.add_action(ComboField([Choice("y", "Yield (%)")], compact=True))
    card.add_action(Button("View options", "adjustments-horizontal", kind="icon"))
    card.add_action(Button("More", "dots", kind="icon"))
    plot = Plot(label="Convergence")
    ys = [52, 48, 33, 82, 69, 46, -5, 12, 82, 80, 74, 81, 22, 83.6, 68, 79, 78, 73.5]
    best_line = pg.PlotDataItem([0, 4, 4, 9, 9, 13, 13, 18], [52, 52, 69, 69, 80, 80, 83.6, 83.6])
    plot.item.addItem(best_line)
    plot.on_restyle(lambda: best_line.setPen(cosmetic_pen("plot_ink", 2)))
    groups = {
        "dot": [i for i in range(18) if i not in (3, 6, 8, 13)],
        "ring": [3, 8],
        "cross": [6],
        "star": [13],
        "selected": [17],
    }
    for mark, indices in groups.items():
        add_marks(plot, mark, indices, [ys[i] for i in indices])
    add_marks(plot, "diamond", [18, 19], [86, 62])
    plot.set_x_range(0, 29)
    plot.set_y_range(-5, 100)
    plot.setMinimumHeight(260)
    card.body.addWidget(plot, 1)
    legend = Legend()
    legend.set_entries(
        [
            ("dot", "Done"),
            ("ring", "Limit not met"),
            ("diamond", "Running, predicted"),
            ("cross", "Failed"),
            ("star", "Best"),
        ],
        "Trial number",
    )
    card.body.addWidget(legend)
    out = ReadOut(plot)
    out.show_at(
        QPoint(200, 120),
        "player-play-filled",
        "live",
        "#19 running, 3 min",
        [("Expected", "62 ± 31 %"), ("Temperature", "108 °C")],
    )
    return card


def left_column() -> QVBoxLayout:
    column = QVBoxLayout()
    card = Card("Run states", note="tile, word, what happens next")
    for look in RUN_STATE_LOOKS.values():
        card.body.addWidget(Notice(look.color, look.icon, look.word, "what happens next"))
    column.addWidget(card)
    card = Card("Trial status", note="shape, colour and word together")
    grid = QGridLayout()
    for index, look in enumerate(STATUS_LOOKS.values()):
        line = QHBoxLayout()
        tone = look.color if look.color in ("live", "bad", "warn", "idle") else "text"
        line.addWidget(IconLabel(look.icon, look.color))
        line.addWidget(label(look.word, "body", tone))
        line.addStretch(1)
        grid.addLayout(line, index // 2, index % 2)
    card.body.addLayout(grid)
    card.body.addWidget(rule())
    tiles = QHBoxLayout()
    for icon_name, tone in (
        ("player-play-filled", "live"),
        ("alert-triangle-filled", "warn"),
        ("pencil", "idle"),
    ):
        tiles.addWidget(Tile(icon_name, tone))
    for icon_name in ("flask", "adjustments"):
        tiles.addWidget(Tile(icon_name, "live", 34, quiet=True))
    tiles.addStretch(1)
    card.body.addLayout(tiles)
    column.addWidget(card)
    empty = Card("Empty table")
    empty.body.addWidget(
        EmptyState(
            "table",
            "No trials yet",
            "Press Start, or add one by hand.",
            Button("Add manual trial…", "plus"),
        )
    )
    column.addWidget(empty, 1)
    return column


def middle_column() -> QVBoxLayout:
    column = QVBoxLayout()
    sentence = LiveSentence()
    sentence.set_sentence(
        "axdesk will maximise **Yield (%)** while keeping **Impurity (%) ≤ 2**.",
        "Pressure is recorded with each trial and does not steer the search.",
    )
    column.addWidget(
        PageHead("Objectives & limits", "What a good trial is.", [Button("Check again", "refresh")])
    )
    column.addWidget(sentence)
    table = EditableTable(label="Parameters")
    table.setModel(parameters_model(table))
    table.setItemDelegateForColumn(0, CheckDelegate(table))
    table.setItemDelegateForColumn(3, TagsDelegate(table))
    table.set_widths([44, 130, 110, 96, 84, 120])
    table.setSpan(1, 3, 1, 3)
    table.selectRow(2)
    table.setMinimumHeight(210)
    card = Surface("card")
    inside = QVBoxLayout(card)
    inside.setContentsMargins(1, 4, 1, 4)
    inside.addWidget(table)
    column.addWidget(card)
    issues = IssueList()
    issues.set_issues(
        [
            Issue(
                "Catalyst, Low",
                "a logarithmic scale cannot start at 0.",
                remedies=(
                    Remedy("Use 0.05", lambda: None),
                    Remedy("Switch to linear", lambda: None),
                ),
            ),
            Issue("Plugin changed", "suzuki_cell 1.4 has not been tested.", level="warning"),
        ]
    )
    column.addWidget(issues)
    trials = TableView(label="Trials")
    trials.setModel(trials_model(trials))
    trials.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    trials.set_widths([50, 110, 100, 110, 100, 110, 60])
    trials.selectRow(1)
    trials.setMinimumHeight(170)
    trials_card = Surface("card")
    inside = QVBoxLayout(trials_card)
    inside.setContentsMargins(1, 4, 1, 4)
    inside.addWidget(trials)
    column.addWidget(trials_card)
    column.addWidget(plot_card(), 1)
    return column


def right_column() -> QVBoxLayout:
    column = QVBoxLayout()
    card = Card("Buttons", note="one primary per view")
    for row in (
        [
            Button("Start", "player-play-filled", kind="primary"),
            Button("Pause", "player-pause-filled"),
            Button("Stop now", "hand-stop", kind="danger"),
            Button("Start", "player-play-filled", kind="primary"),
        ],
        [
            Button("Add parameter", "plus", kind="quiet"),
            Button("Decide later", kind="plain"),
            Button("More", "dots", kind="icon"),
            ComboField([Choice(1, "Yield (%)")], compact=True),
        ],
        [
            Chip("All", 20),
            Chip("Running", 3, "player-play-filled", "live"),
            Chip("Failed", 1, "circle-x-filled", "bad"),
        ],
    ):
        line = QHBoxLayout()
        for widget in row:
            line.addWidget(widget)
        line.addStretch(1)
        card.body.addLayout(line)
        if isinstance(row[0], Chip):
            row[0].setChecked(True)
        row[-1].setEnabled(not isinstance(row[-1], Button))
    card.body.addWidget(
        SegmentedButton(
            [
                Choice("max", "Maximise", "arrow-up"),
                Choice("min", "Minimise", "arrow-down"),
                Choice("target", "Match target", "target"),
            ]
        )
    )
    column.addWidget(card)
    card = Card("Fields and cells", note="errors sit where they arise")
    line = QHBoxLayout()
    fields = [NumberField("46"), NumberField("92"), NumberField("0"), NumberField("4711")]
    fields[2].set_issue("Must be above 0.")
    fields[3].setEnabled(False)
    for text, field in zip(("Rest", "Focus", "Error", "Locked"), fields, strict=True):
        line.addWidget(labelled(text, field))
    line.addStretch(1)
    card.body.addLayout(line)
    rows = FormRows()
    rows.add_row("Trials", NumberField("30"))
    rows.add_row("Tolerated failures", NumberField("10"), unit="%", hint="so 3 of 30")
    rows.add_row("Run time limit", NumberField("", placeholder="No limit"), unit="h")
    rows.add_row("Measured by", ComboField([Choice(1, "suzuki_hplc · yield")]))
    card.body.addWidget(rows)
    box = QCheckBox("Do the same for further errors of this run")
    box.setChecked(True)
    card.body.addWidget(box)
    fold = Fold("Polling", "every 10 s, growing to 60 s; 3 tries")
    card.body.addWidget(fold)
    column.addWidget(card)
    card = Card("Type", note="the system’s font, by ratio")
    for kind in ("display", "title", "section", "strong", "body", "small", "caption"):
        card.body.addWidget(label(f"{kind}: Experiments 83.6", kind))
    column.addWidget(card)
    card = Card("Results")
    facts = Facts()
    facts.set_rows([("Yield", "73.5 %", "± 1.0"), ("Temperature", "93 °C"), ("Solvent", "DMF")])
    card.body.addWidget(facts)
    scale = ColorScale()
    scale.set_ends("15", "83 %")
    card.add_action(scale)
    column.addWidget(card)
    lists = QHBoxLayout()
    experiments = ListView(label="Experiments")
    experiments.setModel(experiments_model(experiments))
    experiments.setCurrentIndex(experiments.model().index(0, 0))
    sections = SectionList(
        [
            ("general", "General"),
            ("parameters", "Parameters"),
            ("constraints", "Constraints"),
            ("review", "Review"),
        ]
    )
    sections.set_state("general", "good", "Suzuki coupling B")
    sections.set_state("parameters", "bad", "1 problem")
    sections.set_state("constraints", "optional", "None")
    sections.set_current("parameters")
    lists.addWidget(experiments)
    lists.addWidget(sections)
    filter_field = TextField(placeholder="Filter: yield>80", icon_name="filter")
    column.addWidget(filter_field)
    column.addLayout(lists, 1)
    return column


def gallery() -> QWidget:
    page = Surface("window")
    outer = QVBoxLayout(page)
    outer.setContentsMargins(0, 0, 0, 16)
    for state in ("running", "needs_attention"):
        banner = Banner()
        banner.show_content(banner_content(state))
        outer.addWidget(banner)
    columns = QHBoxLayout()
    columns.setContentsMargins(16, 8, 16, 0)
    columns.setSpacing(16)
    for column, stretch in ((left_column(), 3), (middle_column(), 5), (right_column(), 4)):
        columns.addLayout(column, stretch)
    outer.addLayout(columns, 1)
    return page


def main() -> None:
    folder = Path(sys.argv[1])
    application = QApplication.instance() or QApplication(sys.argv[:1])
    manager = theme_manager()
    page = gallery()
    page.resize(1640, 1240)
    page.show()
    table = page.findChild(EditableTable)
    assert table is not None
    table.setFocus()
    table.setCurrentIndex(table.model().index(2, 3))
    for name in THEMES:
        manager.choose(name)
        application.processEvents()
        page.grab().save(str(folder / f"gallery-{name}.png"))


if __name__ == "__main__":
    main()
