"""What each colour of the window is called, in the light, dark and high contrast theme.

A `Theme` is a value: the palette, the style sheet, the delegates and the plots read it, and nothing
else names a colour. Icons, words and colours of the states stand here too, so that a status looks
the same in the table, in the plots and in the lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from PySide6.QtGui import QColor, QPalette


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The colours of one theme, each as `#RRGGBB`; a field's name is the colour's token.

    `*_tint` fills the ground below text of the colour in front of it; high contrast has no tints
    and marks the same places by lines. `plot_*` belong to plots only.
    """

    name: str
    is_dark: bool
    is_high_contrast: bool
    window: str
    surface: str
    raised: str
    sunken: str
    text: str
    text2: str
    text3: str
    disabled: str
    border: str
    border_soft: str
    border2: str
    grid: str
    hover: str
    accent: str
    accent_fill: str
    accent_text: str
    select: str
    select_text: str
    tint: str
    live: str
    live_fill: str
    live_tint: str
    good: str
    good_tint: str
    warn: str
    warn_tint: str
    warn_mark: str
    bad: str
    bad_tint: str
    idle: str
    idle_tint: str
    plot_ink: str
    plot_dot: str
    plot_hollow: str
    plot_best: str
    plot_shade: str
    plot_worse: str
    plot_better: str
    band_alpha: int
    """Opacity (0 to 255) of the confidence band, which has the colour `live`."""

    def __post_init__(self) -> None:
        for token, value in self.tokens().items():
            if not QColor.isValidColorName(value) or len(value) != len("#RRGGBB"):
                raise ValueError(
                    f"Colour {token!r} of theme {self.name!r} is {value!r}, not #RRGGBB."
                )

    def tokens(self) -> dict[str, str]:
        """The colours by token."""
        plain = {"name", "is_dark", "is_high_contrast", "band_alpha"}
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in plain}

    def color(self, token: str, alpha: int = 255) -> QColor:
        """The colour called `token`, with an opacity of `alpha` (0 to 255)."""
        color = QColor(str(getattr(self, token)))
        color.setAlpha(alpha)
        return color

    def band(self) -> QColor:
        """The colour of a 95 % band around a model's mean."""
        return self.color("live", self.band_alpha)

    def on_selection(self, token: str) -> str:
        """The token to use in place of `token` where the ground is the selection colour.

        In high contrast the selection is so bright that every text and icon turns black.
        """
        if self.is_high_contrast:
            return "select_text"
        return {"text": "select_text", "text3": "text2"}.get(token, token)

    def fill(self, token: str) -> str:
        """The token that fills a tile or bar of the state colour `token`."""
        return "live_fill" if token == "live" else token

    def ink_on(self, token: str) -> QColor:
        """Black or white, whichever reads better on the colour `token`."""
        inks = (QColor("#FFFFFF"), QColor("#000000"))
        ground = str(getattr(self, token))
        return max(inks, key=lambda ink: contrast_ratio(ink.name(), ground))

    def sequential(self, share: float) -> QColor:
        """The colour of a value at `share` (0 worst to 1 best) of its range; clipped outside."""
        share = min(max(share, 0.0), 1.0)
        worse, better = self.color("plot_worse"), self.color("plot_better")

        def between(first: int, second: int) -> int:
            return round(first + (second - first) * share)

        return QColor(
            between(worse.red(), better.red()),
            between(worse.green(), better.green()),
            between(worse.blue(), better.blue()),
        )

    def palette(self) -> QPalette:
        """The palette that gives Qt's own widgets these colours."""
        role = QPalette.ColorRole
        roles = {
            role.Window: "window", role.WindowText: "text", role.Base: "surface",
            role.AlternateBase: "surface", role.Text: "text", role.Button: "surface",
            role.ButtonText: "text", role.BrightText: "bad", role.ToolTipBase: "raised",
            role.ToolTipText: "text", role.PlaceholderText: "text3", role.Highlight: "select",
            role.HighlightedText: "select_text", role.Link: "accent", role.LinkVisited: "accent",
            role.Accent: "accent_fill", role.Light: "surface", role.Midlight: "hover",
            role.Mid: "border", role.Dark: "border2", role.Shadow: "border2",
        }  # fmt: skip
        palette = QPalette()
        for palette_role, token in roles.items():
            palette.setColor(palette_role, self.color(token))
        for palette_role in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
            palette.setColor(QPalette.ColorGroup.Disabled, palette_role, self.color("disabled"))
        return palette


def contrast_ratio(first: str, second: str) -> float:
    """The contrast of two colours, 1 (equal) to 21 (black on white).

    Source: WCAG 2.2, definitions of relative luminance and contrast ratio.
    """
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    parsed = QColor(color)
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (parsed.redF(), parsed.greenF(), parsed.blueF())
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


LIGHT = Theme(
    name="light", is_dark=False, is_high_contrast=False,
    window="#F3F4F6", surface="#FFFFFF", raised="#FFFFFF", sunken="#E9EBEF",
    text="#1B2027", text2="#535C68", text3="#66707D", disabled="#9AA2AD",
    border="#DDE0E5", border_soft="#C3C9D1", border2="#868F9C", grid="#ECEEF1", hover="#EEF0F3",
    accent="#1D5FD1", accent_fill="#1D5FD1", accent_text="#FFFFFF",
    select="#DBE7FB", select_text="#1B2027", tint="#E9F0FC",
    live="#1D5FD1", live_fill="#1D5FD1", live_tint="#EAF1FD",
    good="#0A7550", good_tint="#E5F4ED",
    warn="#8A5A00", warn_tint="#FFF5E0", warn_mark="#D97706",
    bad="#B93815", bad_tint="#FCECE7", idle="#535C68", idle_tint="#EEF0F3",
    plot_ink="#1B2027", plot_dot="#6F7C8F", plot_hollow="#B9690A", plot_best="#BF8300",
    plot_shade="#F3F4F6", plot_worse="#D5DFEE", plot_better="#0E2F6E", band_alpha=34,
)  # fmt: skip

DARK = Theme(
    name="dark", is_dark=True, is_high_contrast=False,
    window="#15171A", surface="#1C1F23", raised="#262A30", sunken="#101214",
    text="#E6E9ED", text2="#A6AFBA", text3="#8D97A4", disabled="#5F6874",
    border="#31363D", border_soft="#454C56", border2="#737D8A", grid="#272B31", hover="#2A2E35",
    accent="#7FB1FF", accent_fill="#2F6BD3", accent_text="#FFFFFF",
    select="#233A61", select_text="#F2F5F9", tint="#1B2A44",
    live="#7FB1FF", live_fill="#2F6BD3", live_tint="#18243A",
    good="#54C79B", good_tint="#143026",
    warn="#EDB44C", warn_tint="#33280F", warn_mark="#EDB44C",
    bad="#FF8E6B", bad_tint="#3A1F17", idle="#A6AFBA", idle_tint="#24282E",
    plot_ink="#E6E9ED", plot_dot="#98A4B4", plot_hollow="#F0A14A", plot_best="#F0C04A",
    plot_shade="#212429", plot_worse="#3A4350", plot_better="#A9CBFF", band_alpha=44,
)  # fmt: skip

HIGH_CONTRAST = Theme(
    name="high_contrast", is_dark=True, is_high_contrast=True,
    window="#000000", surface="#000000", raised="#000000", sunken="#000000",
    text="#FFFFFF", text2="#FFFFFF", text3="#E6E6E6", disabled="#9C9C9C",
    border="#FFFFFF", border_soft="#FFFFFF", border2="#FFFFFF", grid="#4D4D4D", hover="#333333",
    accent="#FFE14D", accent_fill="#FFE14D", accent_text="#000000",
    select="#FFE14D", select_text="#000000", tint="#333000",
    live="#6BCBFF", live_fill="#6BCBFF", live_tint="#000000",
    good="#5CF2A8", good_tint="#000000",
    warn="#FFD24A", warn_tint="#000000", warn_mark="#FFD24A",
    bad="#FF9C80", bad_tint="#000000", idle="#FFFFFF", idle_tint="#000000",
    plot_ink="#FFFFFF", plot_dot="#FFFFFF", plot_hollow="#FFD24A", plot_best="#FFE14D",
    plot_shade="#1A1A1A", plot_worse="#5A5A5A", plot_better="#FFFFFF", band_alpha=80,
)  # fmt: skip

THEMES: Mapping[str, Theme] = MappingProxyType(
    {theme.name: theme for theme in (LIGHT, DARK, HIGH_CONTRAST)}
)


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown, always by shape, colour and word together.

    `color` is a token; `mark` the name of its mark in plots (see `widgets.plots.MARKS`), or None
    where the state has no place in a plot.
    """

    icon: str
    color: str
    word: str
    mark: str | None = None


STATUS_LOOKS: Mapping[str, Look] = MappingProxyType({
    "candidate": Look("circle-dashed", "idle", "Suggested"),
    "staged": Look("rocket", "live", "Launching"),
    "to_be_deployed": Look("rocket", "idle", "Waits to be deployed"),
    "running": Look("player-play-filled", "live", "Running", "diamond"),
    "completed": Look("circle-check", "text", "Done", "dot"),
    "limit_not_met": Look("circle-check", "text", "Done", "ring"),
    "failed": Look("circle-x-filled", "bad", "Failed", "cross"),
    "abandoned": Look("circle-minus", "idle", "Abandoned", "small_cross"),
    "early_stopped": Look("player-skip-forward", "idle", "Stopped early", "square"),
    "not_answering": Look("alert-triangle-filled", "warn", "Not answering", "triangle"),
    "no_valid_result": Look("alert-circle", "warn", "No valid result", "triangle"),
    "may_have_started": Look("help-circle-filled", "warn", "May have started", "triangle"),
    "not_known": Look("help-circle-filled", "warn", "Not known", "triangle"),
    "best": Look("star-filled", "plot_best", "Best", "star"),
    "excluded": Look("eye-off", "idle", "excluded", "hollow_dot"),
})  # fmt: skip
"""How trials look: the stored statuses, and what the window tells apart beyond them."""

RUN_STATE_LOOKS: Mapping[str, Look] = MappingProxyType({
    "draft": Look("pencil", "idle", "Draft"),
    "ready": Look("circle-check", "good", "Ready to start"),
    "starting": Look("player-play-filled", "live", "Starting"),
    "running": Look("player-play-filled", "live", "Running"),
    "pausing": Look("player-pause-filled", "idle", "Pausing"),
    "paused": Look("player-pause-filled", "idle", "Paused"),
    "needs_attention": Look("alert-triangle-filled", "warn", "Needs attention"),
    "stopping": Look("player-stop-filled", "idle", "Stopping"),
    "stopped": Look("player-stop-filled", "idle", "Stopped"),
    "completed": Look("circle-check-filled", "good", "Completed"),
    "failed": Look("circle-x-filled", "bad", "Failed"),
    "interrupted": Look("bolt-filled", "warn", "Interrupted"),
    "elsewhere": Look("lock", "idle", "Running"),
    "not_saving": Look("alert-circle-filled", "bad", "Not saving"),
})  # fmt: skip
"""How the state of a run looks.

`elsewhere` is a run that another process controls; `not_saving` goes before any state while the
database takes nothing.
"""


def run_state_look(state: str) -> Look:
    """The look of a run's state, given in any case."""
    return RUN_STATE_LOOKS[state.lower()]
