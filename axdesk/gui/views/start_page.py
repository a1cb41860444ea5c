"""The start page: recent experiments, what was interrupted, and the demo."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QPainter, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from axdesk.core.protocols import ExperimentSummary
from axdesk.core.run import RunState
from axdesk.gui.icons import draw_icon
from axdesk.gui.models.experiments_model import (
    SUMMARY_ROLE,
    ExperimentFilter,
    ExperimentsModel,
    Show,
    best_text,
    goal_text,
    look_of,
    progress_text,
)
from axdesk.gui.models.formatting import UNNAMED, counted, when
from axdesk.gui.style import current_theme, px, theme_manager, type_font
from axdesk.gui.theme import RUN_STATE_LOOKS
from axdesk.gui.views.experiment_menu import open_experiment_menu
from axdesk.gui.views.template_card import TemplateCard
from axdesk.gui.widgets.buttons import Button, Chip
from axdesk.gui.widgets.cards import Card, EmptyState, Notice, Surface
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import ListView

if TYPE_CHECKING:
    from axdesk.api.templates import Template

Index = QModelIndex | QPersistentModelIndex

MOST_NOTICES = 3


class _RowDelegate(QStyledItemDelegate):
    """A row: state, name over goal, progress over a bar, best over its trial, when."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(px(480), px(58))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        summary = index.data(SUMMARY_ROLE)
        if not isinstance(summary, ExperimentSummary):
            return
        theme = current_theme()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.color("hover"))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.color("accent"))
            painter.drawRoundedRect(rect.adjusted(1, 1, -2, -2), px(6), px(6))
        if index.row() < index.model().rowCount() - 1:
            bottom = QRect(rect.left() + px(18), rect.bottom(), rect.width() - px(36), 1)
            painter.fillRect(bottom, theme.color("border"))
        columns = self._columns(rect)
        look = look_of(summary)
        side = px(16)
        box = QRect(columns[0].left(), columns[0].center().y() - side // 2, side, side)
        draw_icon(painter, look.icon, box, theme.color(look.color))
        word_area = columns[0].adjusted(side + px(8), 0, 0, 0)
        tone = look.color if look.color in ("live", "warn", "bad") else "text2"
        self._write(painter, word_area, look.word, "body", tone)
        self._two(painter, columns[1], summary.name or UNNAMED, goal_text(summary))
        self._progress(painter, columns[2], summary)
        best = f"at #{summary.best_trial}" if summary.best_trial is not None else ""
        self._two(painter, columns[3], best_text(summary), best)
        moment = when(summary.updated_at, datetime.now(UTC))
        self._write(painter, columns[4], moment, "small", "text2", right=True)
        dots = QRect(rect.right() - px(34), rect.center().y() - side // 2, side, side)
        draw_icon(painter, "dots", dots, theme.color("text2"))
        painter.restore()

    @staticmethod
    def _columns(rect: QRect) -> list[QRect]:
        inner = rect.adjusted(px(18), px(6), -px(48), -px(6))
        gap = px(12)
        metrics = QFontMetrics(type_font("body"))
        longest = max(metrics.horizontalAdvance(look.word) for look in RUN_STATE_LOOKS.values())
        state = max(0.19, (px(16) + px(8) + longest + gap) / inner.width())
        shares = (state, 0.57 - state, 0.16, 0.15, 0.12)
        lefts = [inner.left() + round(inner.width() * sum(shares[:i])) for i in range(6)]
        return [
            QRect(left, inner.top(), right - left - gap, inner.height())
            for left, right in pairwise(lefts)
        ]

    def _two(self, painter: QPainter, area: QRect, first: str, second: str) -> None:
        if not second:
            self._write(painter, area, first, "strong", "text")
            return
        middle = area.center().y()
        upper = QRect(area.left(), middle - px(20), area.width(), px(20))
        self._write(painter, upper, first, "strong", "text")
        self._write(painter, upper.translated(0, px(19)), second, "small", "text2")

    def _progress(self, painter: QPainter, area: QRect, summary: ExperimentSummary) -> None:
        theme = current_theme()
        middle = area.center().y()
        upper = QRect(area.left(), middle - px(18), area.width(), px(18))
        self._write(painter, upper, progress_text(summary), "small", "text2")
        bar = QRect(area.left(), middle + px(6), area.width(), px(4))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("grid" if theme.is_high_contrast else "border"))
        painter.drawRoundedRect(bar, px(2), px(2))
        if summary.max_trials:
            share = min(summary.finished_trials / summary.max_trials, 1.0)
            bar.setWidth(round(bar.width() * share))
            running = summary.state in (RunState.RUNNING, RunState.STARTING)
            painter.setBrush(theme.color("live_fill" if running else "plot_dot"))
            painter.drawRoundedRect(bar, px(2), px(2))

    @staticmethod
    def _write(
        painter: QPainter, area: QRect, text: str, kind: str, tone: str, *, right: bool = False
    ) -> None:
        painter.setFont(type_font(kind))
        painter.setPen(current_theme().color(tone))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, shown)


class StartPage(QScrollArea):
    """What is shown while no experiment is open.

    Signals:
        open_requested: The operator chose an experiment; carries its id.
        new_requested: The operator wants a new experiment.
        file_requested: … to open an experiment file.
        demo_requested: … to see the demo.
        template_requested: … a new experiment from a template; carries the template.
        duplicate_requested: … a copy of an experiment; carries its id.
        delete_requested: … to delete an experiment; carries its id.
    """

    open_requested = Signal(int)
    new_requested = Signal()
    file_requested = Signal()
    demo_requested = Signal()
    template_requested = Signal(object)
    duplicate_requested = Signal(int)
    delete_requested = Signal(int)

    def __init__(self, model: ExperimentsModel) -> None:
        super().__init__()
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setWidgetResizable(True)
        self._model = model
        self._put_off: set[int] = set()
        self._loaded = False
        self._proxy = ExperimentFilter(model, self)
        self._summary = label("Reading the database", "body", "text2")
        self._notices = QVBoxLayout()
        self._notices.setSpacing(px(8))
        self._error = Notice(
            "bad", "alert-circle-filled", "",
            buttons=[Button("Close", kind="plain", on_click=lambda: self._error.hide())],
        )  # fmt: skip
        self._error.hide()
        self._notice_of: dict[int, Notice] = {}
        self._list = self._make_list()
        self._card = Surface("card")
        inside = QVBoxLayout(self._card)
        inside.setContentsMargins(1, px(4), 1, px(4))
        inside.addWidget(self._list)
        self._empty = EmptyState(
            "flask", "No experiments yet", "Make a new one, or watch the demo first.",
            Button("New experiment", "plus", on_click=self.new_requested.emit),
        )  # fmt: skip
        self._chips = {show: Chip(show.value, 0) for show in Show}
        self._templates = TemplateCard()
        self._templates.chosen.connect(self.template_requested)
        self._lay_out()
        # What changes together is shown once, and only while the page can be seen.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._update)
        for signal in (model.modelReset, model.dataChanged, model.layoutChanged):
            signal.connect(self._update_soon)

    def set_database(self, file_name: str) -> None:
        """Say which database is shown."""
        self._file_name = file_name
        self._loaded = True
        self._update()

    def set_templates(self, templates: "Sequence[Template]") -> None:
        """Show what new experiments can start from."""
        self._templates.set_templates(templates)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while another page was shown."""
        super().showEvent(event)
        self._update()

    def _update_soon(self) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start(0)

    _file_name = ""

    def show_error(self, message: str, hint: str) -> None:
        """Say that the database cannot be read, or that something could not be done."""
        self._error.set_text(message, hint)
        self._error.show()

    def _make_list(self) -> ListView:
        view = ListView(name="start.list", label="Experiments", ground="surface")
        view.setModel(self._proxy)
        view.setItemDelegate(_RowDelegate(view))
        view.setSelectionMode(ListView.SelectionMode.NoSelection)
        view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._open_menu)
        view.clicked.connect(self._clicked)
        view.activated.connect(lambda index: self.open_requested.emit(index.data(Role.KEY)))
        return view

    def _lay_out(self) -> None:
        page = Surface("window")
        outer = QHBoxLayout(page)
        outer.setContentsMargins(px(24), px(32), px(24), px(24))
        outer.setSpacing(px(28))
        outer.addStretch(1)
        column = QWidget()
        column.setMaximumWidth(px(900))
        column.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        main = QVBoxLayout(column)
        main.setContentsMargins(0, 0, 0, 0)
        main.setSpacing(px(14))
        head = QHBoxLayout()
        titles = QVBoxLayout()
        titles.setSpacing(px(2))
        titles.addWidget(label("Experiments", "display"))
        titles.addWidget(self._summary)
        head.addLayout(titles)
        head.addStretch(1)
        head.addWidget(
            Button("Open…", "folder-open", name="start.open", on_click=self.file_requested.emit)
        )
        head.addWidget(
            Button("New experiment", "plus", kind="primary", name="start.new",
                   on_click=self.new_requested.emit)
        )  # fmt: skip
        main.addLayout(head)
        main.addWidget(self._error)
        main.addLayout(self._notices)
        self._tools = QWidget()
        tools = QHBoxLayout(self._tools)
        tools.setContentsMargins(0, 0, 0, 0)
        tools.setSpacing(px(6))
        text = TextField(
            placeholder="Filter by name, goal or state", name="start.filter", icon_name="search"
        )
        text.setAccessibleName("Filter experiments")
        self._filter_field = text
        text.textChanged.connect(self._filter_text)
        tools.addWidget(text)
        tools.addStretch(1)
        group = QButtonGroup(self)
        for show, chip in self._chips.items():
            group.addButton(chip)
            chip.clicked.connect(lambda _=False, show=show: self._filter_show(show))
            tools.addWidget(chip)
        self._chips[Show.ALL].setChecked(True)
        main.addWidget(self._tools)
        main.addWidget(self._card)
        main.addWidget(self._empty)
        main.addStretch(1)
        outer.addWidget(column, 20)
        side = QVBoxLayout()
        side.setSpacing(px(14))
        side.addWidget(self._demo_card())
        side.addWidget(self._templates)
        side.addStretch(1)
        outer.addLayout(side)
        outer.addStretch(1)
        self.setWidget(page)

    def _fit_widths(self) -> None:
        self._demo.setFixedWidth(px(324))
        self._filter_field.setFixedWidth(px(270))

    def _demo_card(self) -> Card:
        card = Card("New here? Watch one run")
        self._demo = card
        self._fit_widths()
        theme_manager().changed.connect(self._fit_widths)
        card.body.addWidget(
            label(
                "The Hartmann6 demo needs no laboratory. It runs 30 simulated trials, three at a "
                "time, in about a minute and shows every panel at work.",
                "body",
                "text2",
                wrap=True,
            )
        )
        row = QHBoxLayout()
        row.addWidget(
            Button("Try the demo", "player-play-filled", name="start.demo",
                   on_click=self.demo_requested.emit)
        )  # fmt: skip
        row.addStretch(1)
        card.body.addLayout(row)
        return card

    def _filter_text(self, text: str) -> None:
        self._proxy.set_text(text)
        self._fit()

    def _filter_show(self, show: Show) -> None:
        self._proxy.set_show(show)
        self._fit()

    def _fit(self) -> None:
        rows = max(self._proxy.rowCount(), 1)
        self._list.setFixedHeight(px(58) * rows + 2)

    def _update(self) -> None:
        summaries = self._model.summaries
        if self._loaded:
            count = str(len(summaries)) if summaries else "None yet"
            self._summary.setText(f"{count} on this computer, in {self._file_name}")
        self._empty.setVisible(self._loaded and not summaries)
        self._card.setVisible(bool(summaries))
        self._tools.setVisible(bool(summaries))
        for show, chip in self._chips.items():
            chip.set_count(sum(show.has(summary) for summary in summaries))
        self._fit()
        self._update_notices(summaries)

    def _update_notices(self, summaries: tuple[ExperimentSummary, ...]) -> None:
        cut = [
            s for s in summaries if s.state is RunState.INTERRUPTED and s.id not in self._put_off
        ][:MOST_NOTICES]
        for gone in set(self._notice_of) - {summary.id for summary in cut}:
            notice = self._notice_of.pop(gone)
            self._notices.removeWidget(notice)
            notice.hide()
            notice.deleteLater()
        for summary in cut:
            if summary.id not in self._notice_of:
                self._notice_of[summary.id] = self._make_notice(summary)
                self._notices.addWidget(self._notice_of[summary.id])

    def _make_notice(self, summary: ExperimentSummary) -> Notice:
        moment = when(summary.updated_at, datetime.now(UTC))
        if moment == "now":
            moment = "just now"
        elif moment != "yesterday":
            moment = f"at {moment}" if ":" in moment else f"on {moment}"
        done = counted(summary.finished_trials, "finished trial")
        return Notice(
            "warn",
            "bolt-filled",
            f"{summary.name} was interrupted",
            f"{moment}. Its {done} {'is' if summary.finished_trials == 1 else 'are'} safe.",
            buttons=[
                Button(
                    "Decide later", kind="plain", on_click=lambda: self._decide_later(summary.id)
                ),
                Button("Review…", on_click=lambda: self.open_requested.emit(summary.id)),
            ],
            outlined=True,
            name="start.interrupted",
        )

    def _decide_later(self, experiment_id: int) -> None:
        self._put_off.add(experiment_id)
        self._update_notices(self._model.summaries)

    def _clicked(self, index: QModelIndex) -> None:
        rect = self._list.visualRect(index)
        place = self._list.viewport().mapFromGlobal(self.cursor().pos())
        if place.x() > rect.right() - px(44) and rect.contains(place):
            self._open_menu(place)
        else:
            self.open_requested.emit(index.data(Role.KEY))

    def _open_menu(self, place: QPoint) -> None:
        open_experiment_menu(self, self._list, place)
