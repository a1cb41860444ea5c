"""The metrics of the draft as tables: what is wanted of each, and what fetches it."""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from axdesk.core.draft_cells import STEERING, Goal, Row, Section
from axdesk.core.draft_limits import is_relative_limit
from axdesk.core.plugins import PluginCatalogue, PluginKind
from axdesk.gui.models.draft_table import Column, DraftTable, with_current
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.roles import Role

GOALS = (
    Choice(Goal.MAXIMISE.value, "Maximise", "arrow-up"),
    Choice(Goal.MINIMISE.value, "Minimise", "arrow-down"),
    Choice(Goal.TARGET.value, "Match target", "target"),
    Choice(Goal.LIMIT.value, "Only keep the limit", "math-equal-lower"),
    Choice(Goal.RECORD.value, "Just record", "point"),
)
LIMIT_KINDS = (Choice("<=", "At most"), Choice(">=", "At least"))
_SIGNS = {"<=": "≤", ">=": "≥"}
_TIMES = "\u00a0×\u00a0"
_LIMIT = re.compile(r"\s*(<=|>=|≤|≥|<|>)\s*(.*)", re.DOTALL)
_FACTOR = re.compile(r"\s*([\d.,]+)\s*[*×·]?\s*baseline\s*", re.IGNORECASE)
_ICON_TONES = {**dict.fromkeys(map(str, STEERING), "good"), Goal.LIMIT.value: "warn"}


def limit_text(row: Row) -> str:
    """A limit as it is read: `≤ 2`; empty if there is none."""
    if not row.get("limit", "").strip():
        return ""
    sign = _SIGNS.get(row.get("limit_kind", ""), "")
    return f"{sign} {row['limit'].replace('*', _TIMES)}".strip()


def limit_cells(text: str) -> dict[str, str]:
    """What was typed as a limit, as the draft's fields; without a sign the kind stays."""
    found = _LIMIT.match(text)
    if found is None:
        return {"limit": text} if text.strip() else {"limit": "", "limit_kind": ""}
    kind = "<=" if found[1] in ("<=", "≤", "<") else ">="
    return {"limit_kind": kind, "limit": found[2]}


def compared_limit(text: str, *, is_relative: bool) -> str:
    """A limit's text after it was chosen what it is compared with; its number stays."""
    if is_relative == is_relative_limit(text):
        return text
    if is_relative:
        return f"{text.strip()}*baseline" if text.strip() else "baseline"
    found = _FACTOR.fullmatch(text)
    return found[1] if found is not None else ""


def sums_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """The `sum` texts of the goals that are weighted, in order, and one that is free."""
    weighted = (r for r in rows if r.get("weight", "").strip() and r.get("goal") in STEERING)
    known = tuple(dict.fromkeys(row.get("sum", "").strip() for row in weighted))
    free = next(str(n) for n in range(2, len(known) + 3) if str(n) not in known)
    return (*known, free) if "" in known else ("", *known)


def plugin_choices(catalogue: PluginCatalogue | None, kind: PluginKind) -> list[Choice]:
    """The usable classes of a plugin folder, each by its name and its file's."""
    found = () if catalogue is None else catalogue.of_kind(kind)
    return [Choice(plugin.reference, plugin_label(plugin.reference)) for plugin in found]


def plugin_label(reference: str) -> str:
    """A plugin's class as it is read: `hartmann6 · Hartmann6Metric`."""
    file, _, name = reference.partition(":")
    return f"{file.removesuffix('.py')} · {name}" if name else reference


class ObjectiveTable(DraftTable):
    """What is wanted of each metric."""

    section: ClassVar = Section.OBJECTIVES
    columns: ClassVar[tuple[Column, ...]] = (
        Column("name", "Name"),
        Column("unit", "Unit"),
        Column("goal", "Goal"),
        Column("limit", "Limit"),
        Column("metric", "Measured by"),
    )

    def shown(self, row: int, field: str) -> str:
        """The words of goals, limits and plugins."""
        text = self.text(row, field)
        match field:
            case "goal":
                word = next((c.text for c in GOALS if c.value == text), text)
                target, weight = (self.text(row, f).strip() for f in ("target", "weight"))
                word = f"{word} {target}" if text == Goal.TARGET and target else word
                return f"{word}, {weight}{_TIMES[:2]}" if text in STEERING and weight else word
            case "limit":
                return limit_text(self.row(row))
            case "metric":
                return plugin_label(text)
            case _:
                return text

    def edited(self, row: int, field: str) -> str:
        """A limit is edited with its sign."""
        return self.shown(row, field) if field == "limit" else self.text(row, field)

    def cells_for(self, row: int, field: str, text: str) -> Mapping[str, str]:
        """A limit is read apart; another plugin begins with its own defaults."""
        if field == "limit":
            return limit_cells(text)
        if field == "metric":
            return chosen_plugin(self.row(row), field, text)
        return {field: text}

    def offered(self, row: int, field: str) -> Sequence[Choice] | None:
        """Goals and metric classes."""
        if field == "goal":
            return with_current(GOALS, self.text(row, field))
        if field == "metric":
            choices = plugin_choices(self.draft_model.catalogue, PluginKind.METRIC)
            return with_current(choices, self.text(row, field))
        return None

    def look(self, row: int, field: str, role: int) -> object:
        """Signs of goals, and what stands in empty cells."""
        match role:
            case Role.ICON if field == "goal":
                text = self.text(row, field)
                return next((choice.icon for choice in GOALS if choice.value == text), None)
            case Role.ICON_TONE if field == "goal":
                return _ICON_TONES.get(self.text(row, field), "text2")
            case Role.TONE if field == "unit":
                return "text2"
            case Role.STRONG:
                return field == "name" or (field == "limit" and bool(self.text(row, "limit")))
            case Role.PLACEHOLDER:
                return {"unit": "–", "limit": "None", "metric": "Choose…"}.get(field)
            case _:
                return None

    def column_of(self, row: int, field: str) -> int | None:
        """The kind of a limit stands with the limit, what says more of a goal with the goal."""
        field = {"limit_kind": "limit"}.get(field, field)
        field = "goal" if field in ("target", "weight", "sum") else field
        return super().column_of(row, "metric" if field.startswith("option.") else field)

    def new_row(self) -> Row:
        """A row to fill in: the first is a goal, and it is fetched as the row before it."""
        rows = self._rows
        steers = any(row.get("goal") in STEERING for row in rows)
        choices = plugin_choices(self.draft_model.catalogue, PluginKind.METRIC)
        metric = rows[-1].get("metric", "") if rows else ""
        if not metric and len(choices) == 1:
            metric = str(choices[0].value)
        return {"goal": Goal.RECORD if steers else Goal.MAXIMISE, "metric": metric}


class MetricsTable(ObjectiveTable):
    """Which plugin class fetches each metric."""

    columns: ClassVar[tuple[Column, ...]] = (
        Column("name", "Metric"),
        Column("metric", "Fetched by"),
    )

    def is_editable(self, _row: int, field: str) -> bool:
        """Names belong to the page of the objectives."""
        return field == "metric"


def chosen_plugin(row: Row, field: str, reference: str) -> dict[str, str]:
    """The fields of a row after another plugin was chosen: the options of the former are gone."""
    if reference == row.get(field, ""):
        return {field: reference}
    options = {name: "" for name in row if name.startswith("option.")}
    return {**options, field: reference}
