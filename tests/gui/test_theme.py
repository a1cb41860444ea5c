"""Colours, fonts, style sheet and icons in the three themes."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFont, QFontMetrics, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from axdesk.core.resources import resource_path
from axdesk.gui.icons import icon, pixmap
from axdesk.gui.style import (
    SYSTEM,
    TYPE_SCALE,
    ThemeManager,
    current_theme,
    px,
    style_sheet,
    theme_manager,
    type_font,
)
from axdesk.gui.theme import (
    DARK,
    HIGH_CONTRAST,
    LIGHT,
    RUN_STATE_LOOKS,
    STATUS_LOOKS,
    THEMES,
    Look,
    Theme,
    contrast_ratio,
    run_state_look,
)
from axdesk.gui.widgets.lists import SECTION_ICONS
from axdesk.gui.widgets.plots import MARKS

every_theme = pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))

TEXTS = {
    "text": ("window", "surface", "raised", "sunken", "hover", "tint"),
    "text2": ("window", "surface", "raised", "sunken", "hover", "tint"),
    "text3": ("window", "surface", "raised"),
    "accent": ("window", "surface", "raised", "hover", "tint"),
    "accent_text": ("accent_fill",),
    "select_text": ("select",),
    **{
        state: (f"{state}_tint", "window", "surface")
        for state in ("live", "good", "warn", "bad", "idle")
    },
}
"""Each colour of text, and every ground that it stands on."""

MARKS_AND_LINES = ("border2", "accent", "warn_mark", "live", "good", "bad", "idle", "plot_dot",
                   "plot_hollow", "plot_best", "plot_ink")  # fmt: skip

ICON_NAMES = sorted(path.stem for path in resource_path("icons").glob("*.svg"))


@pytest.fixture
def manager(qapp: QApplication) -> Iterator[ThemeManager]:
    shown = theme_manager()
    yield shown
    shown.set_zoom(100)
    shown.choose("system")


def inks(picture: QPixmap) -> set[str]:
    """The colours of the opaque pixels."""
    image = picture.toImage()
    return {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    }


@every_theme
@pytest.mark.parametrize("token", TEXTS)
def test_text_reads_on_every_ground_that_it_stands_on(theme: Theme, token: str) -> None:
    colors = theme.tokens()
    poor = {
        ground: round(contrast_ratio(colors[token], colors[ground]), 2)
        for ground in TEXTS[token]
        if contrast_ratio(colors[token], colors[ground]) < 4.5
    }
    assert not poor


@every_theme
@pytest.mark.parametrize("token", TEXTS)
def test_text_reads_on_a_selected_row(theme: Theme, token: str) -> None:
    if token == "accent_text":
        return
    colors = theme.tokens()
    assert contrast_ratio(colors[theme.on_selection(token)], colors["select"]) >= 4.5


@every_theme
@pytest.mark.parametrize("token", MARKS_AND_LINES)
def test_marks_and_field_borders_stand_out_from_the_surface(theme: Theme, token: str) -> None:
    assert contrast_ratio(theme.tokens()[token], theme.surface) >= 3


@every_theme
@pytest.mark.parametrize("look", [*RUN_STATE_LOOKS.values(), *STATUS_LOOKS.values()])
def test_an_icon_reads_on_the_tile_of_its_state(theme: Theme, look: Look) -> None:
    ground = theme.fill(look.color)
    assert contrast_ratio(theme.ink_on(ground).name(), theme.tokens()[ground]) >= 4.5


def test_contrast_has_the_values_of_its_definition() -> None:
    assert contrast_ratio("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast_ratio("#777777", "#777777") == pytest.approx(1)
    assert contrast_ratio("#FFFFFF", "#767676") == pytest.approx(4.54, abs=0.01)


def test_a_colour_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="'border' of theme 'light' is 'white'"):
        replace(LIGHT, border="white")


@every_theme
def test_worse_and_better_values_differ_in_lightness(theme: Theme) -> None:
    lightness = [theme.sequential(share / 10).lightness() for share in range(11)]
    assert lightness == sorted(lightness, reverse=theme is LIGHT)
    assert theme.sequential(-1) == theme.sequential(0)
    assert theme.sequential(2) == theme.sequential(1)


@every_theme
def test_the_palette_gives_every_role_a_colour_of_the_theme(theme: Theme) -> None:
    palette = theme.palette()
    known = {QColor(value).name() for value in theme.tokens().values()}
    skipped = {QPalette.ColorRole.NoRole, QPalette.ColorRole.NColorRoles}
    for role in set(QPalette.ColorRole) - skipped:
        for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive):
            assert palette.color(group, role).name() in known, role
    disabled = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
    assert disabled == theme.color("disabled")


@every_theme
def test_the_style_sheet_names_only_colours_of_the_theme(
    theme: Theme, manager: ThemeManager
) -> None:
    sheet = style_sheet(theme, manager)
    assert not re.search(r"\$|\d+u\b", sheet)
    named = {name.upper() for name in re.findall(r"#[0-9A-Fa-f]{6}\b", sheet)}
    assert named <= {value.upper() for value in theme.tokens().values()}


def test_every_look_has_its_icon_and_its_mark() -> None:
    names = set(ICON_NAMES)
    for look in (*STATUS_LOOKS.values(), *RUN_STATE_LOOKS.values()):
        assert look.icon in names
        assert look.color in LIGHT.tokens()
        assert look.mark is None or look.mark in MARKS
    assert {icon_name for icon_name, _ in SECTION_ICONS.values()} <= names


def test_looks_are_told_apart_without_colour() -> None:
    shapes = [(look.icon, look.word) for look in STATUS_LOOKS.values()]
    assert len(set(shapes)) == len(shapes) - 1  # a limit not met is another mark, not another word
    words = [(look.icon, look.word) for look in RUN_STATE_LOOKS.values()]
    assert len(set(words)) == len(words)


def test_states_are_found_in_any_case() -> None:
    assert run_state_look("NEEDS_ATTENTION") is RUN_STATE_LOOKS["needs_attention"]


def test_the_licence_of_the_icons_stands_beside_them() -> None:
    assert "MIT License" in resource_path("icons", "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ICON_NAMES)
def test_an_icon_is_drawn_in_the_colour_asked_for(name: str, qapp: QApplication) -> None:
    picture = pixmap(name, QColor("#1D5FD1"), 16, 2.0)
    assert picture.size() == QSize(32, 32)
    assert picture.devicePixelRatio() == 2
    assert inks(picture) == {"#1d5fd1"}


def test_outlines_have_the_stroke_of_the_design(qapp: QApplication) -> None:
    thin = pixmap("circle", QColor("#000000"), 240, 1.0).toImage()
    column = [thin.pixelColor(120, y).alpha() for y in range(120)]
    assert sum(alpha > 127 for alpha in column) == 18  # 1.75 of 24 at 240 pixels, plus rounding


def test_an_unknown_icon_is_an_error(qapp: QApplication) -> None:
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon")


def test_icons_take_the_colours_of_the_theme_shown(manager: ThemeManager) -> None:
    made = icon("star-filled", "plot_best")
    seen = set()
    for name, theme in THEMES.items():
        manager.choose(name)
        assert inks(made.pixmap(QSize(16, 16), 2.0)) == {theme.plot_best.lower()}
        dimmed = made.pixmap(QSize(16, 16), 1.0, QIcon.Mode.Disabled)
        assert inks(dimmed) == {theme.disabled.lower()}
        seen.add(theme.plot_best)
    assert len(seen) == 3


def test_an_icon_on_a_selection_turns_black_in_high_contrast(manager: ThemeManager) -> None:
    manager.choose("high_contrast")
    selected = icon("star-filled", "plot_best").pixmap(QSize(16, 16), 1.0, QIcon.Mode.Selected)
    assert inks(selected) == {"#000000"}


def test_a_change_of_theme_reaches_the_application(manager: ThemeManager, qtbot: QtBot) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    manager.choose("light")
    button = QPushButton("Start")
    qtbot.addWidget(button)
    button.ensurePolished()
    for name, theme in (("dark", DARK), ("high_contrast", HIGH_CONTRAST), ("light", LIGHT)):
        with qtbot.waitSignal(manager.changed):
            manager.choose(name)
        assert current_theme() is theme
        assert application.palette().color(QPalette.ColorRole.Window).name() == theme.window.lower()
        assert button.palette().color(QPalette.ColorRole.ButtonText) == theme.color("text")
        with qtbot.assertNotEmitted(manager.changed):
            manager.choose(name)


def test_the_system_is_followed_until_a_theme_is_chosen(manager: ThemeManager) -> None:
    manager.choose(SYSTEM)
    assert manager.choice == SYSTEM
    assert manager.theme is LIGHT  # the offscreen platform has no scheme of its own
    manager.choose("dark")
    assert (manager.choice, manager.theme) == ("dark", DARK)


def test_an_unknown_theme_is_refused_with_those_allowed(manager: ThemeManager) -> None:
    with pytest.raises(ValueError, match="system, light, dark, high_contrast"):
        manager.choose("sepia")


def test_there_is_one_manager(manager: ThemeManager) -> None:
    assert theme_manager() is manager


def test_zoom_scales_fonts_and_sizes_within_its_limits(manager: ThemeManager) -> None:
    usual, height = type_font("body").pointSizeF(), px(300)
    manager.set_zoom(150)
    assert type_font("body").pointSizeF() == pytest.approx(1.5 * usual)
    line = QFontMetrics(type_font("body")).height()
    assert px(300) == round(300 * line / 16) > height
    manager.set_zoom(500)
    assert manager.zoom == 160
    manager.set_zoom(10)
    assert manager.zoom == 80


def test_text_is_never_smaller_than_the_design_allows(manager: ThemeManager) -> None:
    body = type_font("body").pointSizeF()
    assert body >= 9.75
    assert min(ratio for ratio, _ in TYPE_SCALE.values()) == 0.85
    for kind, (ratio, weight) in TYPE_SCALE.items():
        assert type_font(kind).pointSizeF() == pytest.approx(ratio * body)
        assert type_font(kind).weight() == weight


def test_figures_are_tabular_everywhere(manager: ThemeManager, qtbot: QtBot) -> None:
    tag = QFont.Tag("tnum")
    assert type_font("small").featureValue(tag) == 1
    widget = QWidget()
    qtbot.addWidget(widget)
    assert widget.font().featureValue(tag) == 1
