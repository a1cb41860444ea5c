"""One place that gives the application its theme, font and sizes.

Sizes are named at a body text of 16 pixels line height and follow the font: `px(30)` is the height
of a field whatever the font and the zoom. Widgets that paint themselves ask `current_theme()`,
`px()` and `type_font()` when they paint, so a change of theme needs no more than a repaint; the few
that keep copies (plots) listen to `theme_manager().changed`.
"""

import re
import sys
from string import Template
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QFontDatabase,
    QFontInfo,
    QFontMetrics,
    QPainter,
    QPainterPath,
    QPen,
)
from PySide6.QtWidgets import (
    QApplication,
    QProxyStyle,
    QStyle,
    QStyleOption,
    QWidget,
)

from axdesk.gui.theme import DARK, HIGH_CONTRAST, LIGHT, THEMES, Theme

TYPE_SCALE: Final = {
    "display": (1.85, QFont.Weight.DemiBold),
    "title": (1.55, QFont.Weight.DemiBold),
    "sentence": (1.3, QFont.Weight.Normal),
    "section": (1.15, QFont.Weight.DemiBold),
    "name": (1.15, QFont.Weight.Normal),
    "strong": (1.0, QFont.Weight.DemiBold),
    "body": (1.0, QFont.Weight.Normal),
    "small": (0.92, QFont.Weight.Normal),
    "head": (0.92, QFont.Weight.Medium),
    "caption": (0.85, QFont.Weight.Normal),
}
"""Kinds of text: size as a multiple of the body's, and weight."""

ZOOM_RANGE: Final = (80, 160)
SYSTEM: Final = "system"
"""The choice of theme that follows the operating system."""


class ThemeManager(QObject):
    """Applies theme, font and zoom to the application, and keeps following the system's scheme.

    Signals:
        changed: Colours or sizes are now others; palette and style sheet are already applied.
    """

    changed = Signal()

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
        smallest = 13.0 if sys.platform == "darwin" else 9.75
        self._body_points = max(QFontInfo(font).pointSizeF(), smallest)
        font.setFeature(QFont.Tag("tnum"), 1)
        self._font = font
        self._zoom = 100
        self._choice = SYSTEM
        self._theme = self._chosen_theme()
        self._unit = 1.0
        application.setStyle(WindowStyle())
        self._apply()
        application.styleHints().colorSchemeChanged.connect(self._follow_system)

    @property
    def theme(self) -> Theme:
        """The theme that is shown."""
        return self._theme

    @property
    def choice(self) -> str:
        """`system`, or the name of the theme that the operator chose."""
        return self._choice

    @property
    def zoom(self) -> int:
        """The size of the text in percent of its usual size."""
        return self._zoom

    def choose(self, choice: str) -> None:
        """Show the theme named `choice`, or what the system uses for `system`."""
        if choice != SYSTEM and choice not in THEMES:
            allowed = ", ".join([SYSTEM, *THEMES])
            raise ValueError(f"Theme {choice!r} is not known; choose one of {allowed}.")
        self._choice = choice
        hints = self._application.styleHints()
        if choice == SYSTEM:
            hints.unsetColorScheme()
        else:
            dark = THEMES[choice].is_dark
            hints.setColorScheme(Qt.ColorScheme.Dark if dark else Qt.ColorScheme.Light)
        self._show(self._chosen_theme())

    def set_zoom(self, percent: int) -> None:
        """Scale all text and sizes; a value beyond 80 to 160 % is brought back to the limit."""
        percent = min(max(percent, ZOOM_RANGE[0]), ZOOM_RANGE[1])
        if percent != self._zoom:
            self._zoom = percent
            self._apply()
            self.changed.emit()

    def type_font(self, kind: str) -> QFont:
        """The font of one kind of text of `TYPE_SCALE`."""
        ratio, weight = TYPE_SCALE[kind]
        font = QFont(self._font)
        font.setPointSizeF(self._body_points * self._zoom / 100 * ratio)
        font.setWeight(weight)
        return font

    def px(self, size: float) -> int:
        """The size in logical pixels of a length named at a 16 pixel line."""
        return round(size * self._unit)

    def _follow_system(self) -> None:
        if self._choice == SYSTEM:
            self._show(self._chosen_theme())

    def _chosen_theme(self) -> Theme:
        if self._choice != SYSTEM:
            return THEMES[self._choice]
        hints = self._application.styleHints()
        # Qt tells of the system's wish for more contrast from 6.10 on.
        accessibility = hints.accessibility() if hasattr(hints, "accessibility") else None
        if (
            accessibility is not None
            and accessibility.contrastPreference() == Qt.ContrastPreference.HighContrast
        ):
            return HIGH_CONTRAST
        return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT

    def _show(self, theme: Theme) -> None:
        if theme is not self._theme:
            self._theme = theme
            self._apply()
            self.changed.emit()

    def _apply(self) -> None:
        body = self.type_font("body")
        self._unit = QFontMetrics(body).height() / 16
        _lengths.clear()
        self._application.setFont(body)
        self._application.setPalette(self._theme.palette())
        self._application.setStyleSheet(style_sheet(self._theme, self))


_manager: ThemeManager | None = None
_lengths: dict[float, int] = {}
"""What `px` has answered at this zoom; painting asks for the same lengths thousands of times."""


def theme_manager() -> ThemeManager:
    """The application's theme manager; the first call gives the application its look.

    Raises:
        RuntimeError: No QApplication exists yet.
    """
    global _manager
    application = QCoreApplication.instance()
    if not isinstance(application, QApplication):
        raise RuntimeError(  # noqa: TRY004 - it is missing, not of a wrong type
            "There is no QApplication yet; create it before the first widget."
        )
    if _manager is None or _manager.parent() is not application:
        _manager = ThemeManager(application)
    return _manager


def current_theme() -> Theme:
    """The theme that is shown."""
    return theme_manager().theme


def px(size: float) -> int:
    """The size in logical pixels of a length named at a 16 pixel line."""
    known = _lengths.get(size)
    if known is None:
        known = _lengths[size] = theme_manager().px(size)
    return known


def type_font(kind: str) -> QFont:
    """The font of one kind of text of `TYPE_SCALE`."""
    return theme_manager().type_font(kind)


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet selects by, and have the widget restyled."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.update()


class WindowStyle(QProxyStyle):
    """Fusion, with check boxes and radio buttons drawn from the theme."""

    def __init__(self) -> None:
        super().__init__("Fusion")

    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption,
        painter: QPainter,
        /,
        widget: QWidget | None = None,
    ) -> None:
        """Draw the parts that a style sheet can only draw from image files."""
        primitive = QStyle.PrimitiveElement
        if element in (primitive.PE_IndicatorCheckBox, primitive.PE_IndicatorItemViewItemCheck):
            draw_check_box(painter, QRectF(option.rect), option.state)
        elif element == primitive.PE_IndicatorRadioButton:
            _draw_radio_button(painter, QRectF(option.rect), option.state)
        else:
            super().drawPrimitive(element, option, painter, widget)


def _indicator_colors(state: QStyle.StateFlag, *, is_on: bool) -> tuple[str, str]:
    """The tokens of an indicator's ground and line."""
    flag = QStyle.StateFlag
    if not state & flag.State_Enabled:
        return "hover", "border_soft"
    if is_on:
        return "accent_fill", "accent_fill"
    focused = state & flag.State_HasFocus or state & flag.State_MouseOver
    return "surface", "accent" if focused else "border2"


def draw_check_box(painter: QPainter, rect: QRectF, state: QStyle.StateFlag) -> None:
    """Draw a check box in the middle of `rect`: on, off or (State_NoChange) partly on."""
    theme = current_theme()
    flag = QStyle.StateFlag
    is_on = bool(state & (flag.State_On | flag.State_NoChange))
    ground, line = _indicator_colors(state, is_on=is_on)
    side = min(rect.width(), rect.height(), px(15))
    box = QRectF(0, 0, side, side)
    box.moveCenter(rect.center())
    box.adjust(0.75, 0.75, -0.75, -0.75)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.color(line), 1.25))
    painter.setBrush(theme.color(ground))
    painter.drawRoundedRect(box, px(3.5), px(3.5))
    if is_on:
        enabled = bool(state & flag.State_Enabled)
        ink = theme.color("accent_text" if enabled else "disabled")
        pen = QPen(ink, max(side / 8.5, 1.5))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        marks = ((0.26, 0.52), (0.43, 0.69), (0.75, 0.33))
        if state & flag.State_NoChange:
            marks = ((0.27, 0.5), (0.5, 0.5), (0.73, 0.5))
        points = [
            QPointF(box.left() + x * box.width(), box.top() + y * box.height()) for x, y in marks
        ]
        path = QPainterPath(points[0])
        for point in points[1:]:
            path.lineTo(point)
        painter.drawPath(path)
    painter.restore()


def _draw_radio_button(painter: QPainter, rect: QRectF, state: QStyle.StateFlag) -> None:
    theme = current_theme()
    is_on = bool(state & QStyle.StateFlag.State_On)
    ground, line = _indicator_colors(state, is_on=is_on)
    side = min(rect.width(), rect.height(), px(15))
    circle = QRectF(0, 0, side, side)
    circle.moveCenter(rect.center())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.color(line), 1.25))
    painter.setBrush(theme.color(ground))
    painter.drawEllipse(circle.adjusted(0.75, 0.75, -0.75, -0.75))
    if is_on:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent_text"))
        painter.drawEllipse(circle.center(), side / 6, side / 6)
    painter.restore()


def style_sheet(theme: Theme, manager: ThemeManager) -> str:
    """The style sheet of the application in the colours of `theme` and the manager's sizes.

    Widgets choose among its variants by properties: `kind` of a button (primary, danger, quiet,
    plain, icon), `type` and `tone` of a label, `surface` of a frame, `tint` of a notice.
    """
    values = theme.tokens()
    for kind, (_, weight) in TYPE_SCALE.items():
        points = manager.type_font(kind).pointSizeF()
        values[f"font_{kind}"] = f"font-size: {points:.2f}pt; font-weight: {weight.value}"
    values["focus"] = "2px" if theme.is_high_contrast else "1px"
    values["off_line"] = theme.disabled if theme.is_high_contrast else theme.sunken
    values["labels"] = "\n".join(
        [f'QLabel[type="{kind}"] {{ {values[f"font_{kind}"]}; }}' for kind in TYPE_SCALE]
        + [
            f'QLabel[tone="{tone}"] {{ color: {values[tone]}; }}'
            for tone in ("text2", "text3", "accent", "live", "good", "warn", "bad", "idle")
        ]
    )
    values["notices"] = "\n".join(
        f'QFrame[tint="{tint}"] {{ background: {values[f"{tint}_tint"]}; border-radius: 6u; '
        f"border: 1px solid {values[tint if theme.is_high_contrast else f'{tint}_tint']}; }}"
        f'\nQFrame[tint="{tint}"][outlined="true"] {{ border-color: '
        f"{values['warn_mark' if tint == 'warn' else tint]}; border-radius: 8u; }}"
        for tint in ("live", "good", "warn", "bad", "idle")
    )
    sheet = Template(_STYLE_SHEET).substitute(values)
    return re.sub(
        r"(?<![\w.])(\d+(?:\.\d+)?)u\b", lambda match: f"{manager.px(float(match[1]))}px", sheet
    )


_STYLE_SHEET: Final = """
QMainWindow, QScrollArea { background: $window; }
QDialog, QStatusBar, QMenuBar, QToolBar { background: $surface; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 4u 7u; }
QLabel:disabled, QCheckBox:disabled, QRadioButton:disabled { color: $disabled; }

QMenuBar { padding: 2u 10u 0 10u; }
QMenuBar::item { padding: 5u 10u; border-radius: 4u; background: transparent; color: $text; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $raised; border: 1px solid $border; padding: 4u; }
QMenu::item { padding: 5u 22u 5u 10u; border-radius: 4u; color: $text; }
QMenu::item:selected { background: $select; color: $select_text; }
QMenu::item:disabled { color: $disabled; background: transparent; }
QMenu::separator { height: 1px; background: $border; margin: 4u 8u; }
QMenu::icon { padding-left: 8u; }
QToolBar { border: none; border-bottom: 1px solid $border; spacing: 6u; padding: 0; }
QToolBar[banner="true"] { border-bottom: 1px solid $border; spacing: 0; }
QToolBar::separator { width: 1px; background: $border; margin: 8u 6u; }
QStatusBar { border-top: 1px solid $border; color: $text2; }
QStatusBar::item { border: none; }
QStatusBar > QLabel { padding: 0 8u; }

QTabWidget::pane { border: none; }
QTabBar { background: $surface; color: $text2; font-weight: 600; qproperty-drawBase: 0; }
QTabBar::tab { background: $surface; color: $text2; padding: 7u 11u 6u 11u; margin: 0;
    border: none; border-bottom: 2u solid $surface; }
QTabBar::tab:!selected { font-weight: 400; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:hover:!selected { color: $text; border-bottom-color: $border; }
QTabBar::tab:disabled { color: $disabled; }
QDockWidget { font-weight: 600; color: $text; }
QDockWidget::title { background: $surface; padding: 8u 12u; text-align: left; }
QMainWindow::separator { background: $window; }
QMainWindow::separator:vertical { width: 4px; border-left: 1px solid $border; }
QMainWindow::separator:horizontal { height: 4px; border-top: 1px solid $border; }
QMainWindow::separator:hover { background: $select; }
QSplitter::handle { background: $border; }

QPushButton { background: $surface; color: $text; border: 1px solid $border_soft;
    border-radius: 6u; padding: 0 11u; min-height: 26u; icon-size: 16u; }
QPushButton:hover { background: $hover; }
QPushButton:pressed, QPushButton:checked { background: $sunken; }
QPushButton:focus { border: $focus solid $accent; }
QPushButton:disabled { background: $surface; color: $disabled; border-color: $border; }
QPushButton::menu-indicator, QToolButton::menu-indicator { image: none; width: 0; }
QPushButton[kind="primary"] { background: $accent_fill; color: $accent_text; font-weight: 600;
    border-color: $accent_fill; }
QPushButton[kind="primary"]:hover, QPushButton[kind="primary"]:pressed { border-color: $text; }
QPushButton[kind="primary"]:focus { border: $focus solid $text; }
QPushButton[kind="primary"]:disabled { background: $sunken; color: $disabled;
    border-color: $off_line; }
QPushButton[kind="danger"] { color: $bad; border-color: $bad; font-weight: 500; }
QPushButton[kind="danger"]:hover { background: $bad_tint; }
QPushButton[kind="danger"]:focus { border: 2px solid $bad; }
QPushButton[kind="danger"]:disabled { color: $disabled; border-color: $border; }
QPushButton[kind="quiet"], QPushButton[kind="plain"], QPushButton[kind="icon"] {
    background: transparent; border: 1px solid transparent; padding: 0 8u; }
QPushButton[kind="quiet"] { color: $accent; font-weight: 500; }
QPushButton[kind="plain"] { color: $text2; }
QPushButton[kind="icon"] { padding: 0; min-width: 26u; }
QPushButton[kind="quiet"]:hover, QPushButton[kind="plain"]:hover,
QPushButton[kind="icon"]:hover {
    background: $hover; }
QPushButton[kind="quiet"]:focus, QPushButton[kind="plain"]:focus,
QPushButton[kind="icon"]:focus {
    border: $focus solid $accent; }
QPushButton[kind="plain"]:checked {
    color: $accent; background: $tint; border: 1px solid $accent;
}
QPushButton[kind="quiet"]:disabled, QPushButton[kind="plain"]:disabled { color: $disabled; }
QPushButton[kind="search"] { background: $hover; color: $text2; border-color: $border;
    text-align: left; min-width: 200u; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 6u;
    padding: 4u; color: $text; icon-size: 18u; }
QToolButton:hover { background: $hover; }
QToolButton:pressed, QToolButton:checked { background: $sunken; }
QToolButton:focus { border: $focus solid $accent; }
QToolButton:disabled { color: $disabled; }

QLineEdit, QComboBox, QAbstractSpinBox { background: $surface; color: $text;
    border: 1px solid $border2; border-radius: 6u; padding: 0 8u; min-height: 28u;
    placeholder-text-color: $text3; selection-background-color: $select;
    selection-color: $select_text; }
QPlainTextEdit, QTextEdit, QTextBrowser { background: $surface; color: $text;
    border: 1px solid $border2; border-radius: 6u; padding: 4u;
    selection-background-color: $select; selection-color: $select_text; }
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
    border: $focus solid $accent; }
QLineEdit[issue="error"], QComboBox[issue="error"] { border-color: $bad; background: $bad_tint; }
QLineEdit[issue="warning"], QComboBox[issue="warning"] { border-color: $warn_mark; }
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled, QPlainTextEdit:disabled,
QLineEdit:read-only { background: $hover; color: $text2; border-color: $border_soft; }
QLineEdit:disabled, QComboBox:disabled { color: $disabled; }
QLineEdit[bare="true"], QLineEdit[bare="true"]:focus { background: transparent; border: none; }
QLineEdit[cell="true"], QComboBox[cell="true"] { border: none; min-height: 0; padding: 0 8u; }
QLineEdit[cell="true"] { background: transparent; }
QComboBox { padding-right: 2u; }
QComboBox[compact="true"] { border-color: $border_soft; min-height: 24u; }
QComboBox::drop-down { border: none; width: 22u; }
QComboBox::down-arrow { image: none; width: 0; }
QComboBox QAbstractItemView { background: $raised; color: $text; border: 1px solid $border;
    padding: 4u; outline: 0; selection-background-color: $select;
    selection-color: $select_text; }
QComboBox QAbstractItemView::item { min-height: 26u; padding: 0 6u; }
QCheckBox, QRadioButton { spacing: 8u; }
QCheckBox::indicator:focus { outline: 0; }

QAbstractItemView { background: $surface; border: none; outline: 0; }
QAbstractItemView[ground="window"] { background: $window; }
QAbstractItemView[ground="raised"] { background: $raised; }
QHeaderView { background: $surface; border: none; }
QTableCornerButton::section { background: $surface; border: none; }
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 10u; margin: 2u; }
QScrollBar:horizontal { height: 10u; margin: 2u; }
QScrollBar::handle { background: $border_soft; border-radius: 3u; }
QScrollBar::handle:hover { background: $border2; }
QScrollBar::handle:vertical { min-height: 28u; }
QScrollBar::handle:horizontal { min-width: 28u; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; }
QProgressBar { background: $sunken; border: none; border-radius: 2u; max-height: 4u; }
QProgressBar::chunk { background: $accent_fill; border-radius: 2u; }

QFrame[surface="card"] { background: $surface; border: 1px solid $border; border-radius: 8u; }
QFrame[surface="panel"] { background: $surface; border: none; }
QFrame[surface="window"] { background: $window; border: none; }
QFrame[surface="well"] { background: $window; border: 1px solid $border; border-radius: 6u; }
QFrame[surface="raised"] { background: $raised; border: 1px solid $border_soft;
    border-radius: 6u; }
QFrame[surface="tip"] { background: $raised; border: 1px solid $bad; border-radius: 6u; }
QFrame[surface="tip"][level="warning"] { border-color: $warn_mark; }
QFrame[surface="sentence"] { background: $tint; border: none; border-radius: 8u; }
QFrame[surface="rule"] { background: $border; border: none; max-height: 1px; min-height: 1px; }
$notices
$labels
"""
