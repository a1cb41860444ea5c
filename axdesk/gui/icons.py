"""The icons, tinted in the theme's colours when they are drawn.

An icon is the name of a file in `resources/icons`; a name that ends in `-filled` is the solid
variant. An icon from `icon()` looks its colour up at each painting, so a change of theme reaches it
without any further step.
"""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from axdesk.core.resources import resource_path
from axdesk.gui.style import current_theme

STROKE_WIDTH = 1.75


@lru_cache(maxsize=256)
def _source(name: str) -> str:
    path = resource_path("icons", f"{name}.svg")
    svg = path.read_text(encoding="utf-8")
    return svg.replace('stroke-width="2"', f'stroke-width="{STROKE_WIDTH}"')


@lru_cache(maxsize=1024)
def _pixmap(name: str, color: str, width: int, ratio: float) -> QPixmap:
    svg = _source(name).replace("currentColor", color)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    image = QPixmap(round(width * ratio), round(width * ratio))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(image.rect()))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def pixmap(name: str, color: QColor, size: int = 16, ratio: float | None = None) -> QPixmap:
    """A square picture of an icon.

    Args:
        name: An icon's name.
        color: Its colour.
        size: Its side in logical pixels.
        ratio: Device pixels per logical pixel; None takes the sharpest screen's.

    Raises:
        FileNotFoundError: No icon has that name.
    """
    if ratio is None:
        application = QGuiApplication.instance()
        ratio = application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0
    return _pixmap(name, color.name(), size, ratio)


def draw_icon(painter: QPainter, name: str, rect: QRect | QRectF, color: QColor) -> None:
    """Draw an icon as large as fits in the middle of `rect`."""
    area = QRectF(rect)
    size = round(min(area.width(), area.height()))
    device = painter.device()
    picture = pixmap(name, color, size, device.devicePixelRatioF())
    corner = QPoint(round(area.center().x() - size / 2), round(area.center().y() - size / 2))
    painter.drawPixmap(corner, picture)


class _ThemedEngine(QIconEngine):
    """Draws an icon in the colour that its token has in the theme shown."""

    def __init__(self, name: str, token: str) -> None:
        super().__init__()
        self._name = name
        self._token = token

    def color(self, mode: QIcon.Mode) -> QColor:
        theme = current_theme()
        if mode == QIcon.Mode.Disabled:
            return theme.color("disabled")
        if mode == QIcon.Mode.Selected:
            return theme.color(theme.on_selection(self._token))
        return theme.color(self._token)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the icon; Qt calls this for buttons and menus."""
        draw_icon(painter, self._name, rect, self.color(mode))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """The icon as a picture, in logical pixels."""
        return pixmap(self._name, self.color(mode), min(size.width(), size.height()), 1.0)

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float
    ) -> QPixmap:
        """The icon as a picture for a screen with `scale` device pixels per logical pixel."""
        side = min(size.width(), size.height())
        return pixmap(self._name, self.color(mode), side, scale)

    def clone(self) -> QIconEngine:
        """A second engine that draws the same."""
        return _ThemedEngine(self._name, self._token)


def icon(name: str, token: str = "text") -> QIcon:
    """The icon called `name` in the colour `token` of whatever theme is shown.

    Raises:
        FileNotFoundError: No icon has that name.
    """
    _source(name)
    return QIcon(_ThemedEngine(name, token))
