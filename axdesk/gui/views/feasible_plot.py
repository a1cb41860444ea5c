"""A sample of the search space in two of its parameters: what is allowed, and what is not."""

import math
from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtWidgets import QSizePolicy

from axdesk.core.feasible_share import FeasibleShare
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    TParameterization,
    TParameterValue,
    TunableParameterConfig,
)
from axdesk.core.search_space import SearchSpace
from axdesk.gui.models.formatting import number
from axdesk.gui.style import px
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.cards import Card
from axdesk.gui.widgets.fields import ComboField
from axdesk.gui.widgets.labels import label
from axdesk.gui.widgets.plots import Legend, Plot, scatter, style_scatter

_NAME = "setup.constraints.preview"
_MOST_DRAWN = 300
_MARKS = (("dot", "allowed"), ("small_cross", "forbidden"))


class FeasiblePlot(Card):
    """A scatter of sampled points over two parameters that the operator chooses."""

    def __init__(self) -> None:
        super().__init__("Sampled settings", name=_NAME)
        self._space: SearchSpace | None = None
        self._share: FeasibleShare | None = None
        self._axes = {side: ComboField(name=f"{_NAME}.{side}", compact=True) for side in "xy"}
        for side, combo in self._axes.items():
            self.add_action(label("across" if side == "x" else "up", "small", "text2"))
            combo.setAccessibleName("Across" if side == "x" else "Up")
            combo.setSizeAdjustPolicy(
                ComboField.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            combo.setMinimumContentsLength(9)
            combo.chosen.connect(self._draw)
            self.add_action(combo)
        self._plot = Plot(name=f"{_NAME}.plot", label="Sampled settings")
        self._plot.setFixedHeight(px(250))
        self._plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._items = {}
        for mark, _ in reversed(_MARKS):
            item = scatter(mark)
            self._plot.item.addItem(item)
            self._plot.on_restyle(partial(style_scatter, item, mark))
            self._items[mark] = item
        self._legend = Legend(_MARKS)
        self.body.addWidget(self._legend)
        self.body.addWidget(self._plot)

    def show_share(self, space: SearchSpace | None, share: FeasibleShare | None) -> None:
        """Show the sample of a search space; nothing where there are no two parameters to show."""
        searched = [] if space is None else [p for p in space.tunable if not p.is_fixed]
        is_shown = share is not None and len(searched) > 1
        self.setVisible(is_shown)
        if not is_shown or space is None:
            return
        is_same = space == self._space and share == self._share
        if is_same:
            return
        self._space, self._share = space, share
        # Those that constraints name are worth seeing first.
        named = dict.fromkeys(name for c in space.constraints for name in c.names)
        names = [p.name for p in searched]
        first = [name for name in named if name in names]
        usual = dict(zip("xy", dict.fromkeys((*first, *names)), strict=False))
        for side, combo in self._axes.items():
            chosen = combo.currentData()
            combo.set_choices([Choice(name, name) for name in names])
            combo.set_value(chosen if chosen in names else usual[side])
        self._draw()

    def _draw(self) -> None:
        space, share = self._space, self._share
        if space is None or share is None:
            return
        known = {parameter.name: parameter for parameter in space.tunable}
        scales = {
            side: _Scale(known[str(combo.currentData())]) for side, combo in self._axes.items()
        }
        groups: Mapping[str, Sequence[TParameterization]] = {
            "dot": share.allowed, "small_cross": share.forbidden
        }  # fmt: skip
        for mark, points in groups.items():
            places = [
                tuple(scales[side].place(point[scales[side].name]) for side in "xy")
                for point in points[:_MOST_DRAWN]
                if all(scale.name in point for scale in scales.values())
            ]
            self._items[mark].setData(x=[x for x, _ in places], y=[y for _, y in places])
        for side, axis in (("x", "bottom"), ("y", "left")):
            self._plot.set_ticks(axis, scales[side].ticks)
        self._plot.set_x_range(0, 1)
        self._plot.set_y_range(0, 1)
        x, y = (scales[side].name for side in "xy")
        self._legend.set_entries(_MARKS, x)
        self.setAccessibleDescription(f"{y} against {x}: {share.sentence}")


class _Scale:
    """Where the values of a parameter lie between 0 and 1, as the search sees them."""

    def __init__(self, parameter: TunableParameterConfig) -> None:
        self.name = parameter.name
        self._parameter = parameter

    def place(self, value: TParameterValue) -> float:
        parameter = self._parameter
        if isinstance(parameter, ChoiceParameterConfig):
            return parameter.values.index(value) / max(len(parameter.values) - 1, 1)
        low, high = parameter.bounds
        if parameter.is_log:
            return (math.log(float(value)) - math.log(low)) / (math.log(high) - math.log(low))
        return (float(value) - low) / (high - low)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        parameter = self._parameter
        if isinstance(parameter, ChoiceParameterConfig):
            return [(self.place(value), str(value)) for value in parameter.values]
        low, high = parameter.bounds
        middle = math.sqrt(low) * math.sqrt(high) if parameter.is_log else low / 2 + high / 2
        return [(0.0, number(low)), (0.5, number(middle)), (1.0, number(high))]
