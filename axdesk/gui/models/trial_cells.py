"""The columns of the table of trials: what stands in each cell, and what it is sorted by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from PySide6.QtCore import Qt

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_cells import number_text, value_text
from axdesk.core.parameters import TParameterValue
from axdesk.core.run import RunState
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.formatting import (
    MISSING,
    clock,
    duration,
    measured,
    number,
    parameter_decimals,
    parameter_value,
)
from axdesk.gui.models.run_facts import (
    SOURCE_WORDS,
    RunFacts,
    decimals_of,
    limit_text,
    seconds_running,
    status_key,
    status_word,
)
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.widgets.roles import Role

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTER = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_NO_RESULT = (TrialStatus.FAILED, TrialStatus.ABANDONED)

SortKey = float | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head, how a trial's cell is written, and what it is sorted by.

    Attributes:
        key: Stable name.
        title: In the head.
        text: The cell's text.
        sort: What the column is sorted by; None for a missing value.
        plain: What is copied; None copies the text.
        full: The text with what stands small behind it; None where nothing does.
        unit: In the head, lighter.
        alignment: Of head and cells.
        width: At a 16 pixel line; 0 takes the head's, a negative one at least its amount.
        is_shown: Unless the operator chose otherwise.
        is_figure: Whether its cells are numbers, in which no word without a digit can be found.
        is_searched: Whether words are looked for in it.
        tip: Of the head; empty names title and unit.
    """

    key: str
    title: str
    text: Callable[[Trial], str]
    sort: Callable[[Trial], SortKey]
    plain: Callable[[Trial], str] | None = None
    full: Callable[[Trial], str] | None = None
    unit: str = ""
    alignment: Qt.AlignmentFlag = _LEFT
    width: int = 100
    is_shown: bool = True
    is_figure: bool = False
    is_searched: bool = True
    tip: str = ""

    @property
    def full_text(self) -> Callable[[Trial], str]:
        """Writes the whole cell, with what stands small in it."""
        return self.full or self.text

    @property
    def name(self) -> str:
        """Title and unit: `Temperature (°C)`."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


class TrialCells:
    """Writes the cells of all columns, by the facts and at the time that it is given.

    Attributes:
        facts: What is known.
        now: The time (UTC).
        columns: In their usual order.
    """

    def __init__(self) -> None:
        self.facts = RunFacts(name="", state=RunState.DRAFT)
        self.now = datetime.now(UTC)
        self._decimals: dict[str, int | None] = {}
        self.columns = self._made_columns()

    def make_columns(self) -> None:
        """Make the columns that the set-up wants."""
        self.columns = self._made_columns()

    def measure(self) -> bool:
        """Find the decimals of all columns; returns whether they changed."""
        setup = self.facts.setup
        decimals: dict[str, int | None] = {}
        if setup is not None:
            for parameter in setup.search_space.parameters:
                decimals[f"parameter:{parameter.name}"] = parameter_decimals(parameter)
            for metric in setup.optimization.metric_names:
                decimals[f"metric:{metric}"] = decimals_of(metric, self.facts)
        changed = decimals != self._decimals
        self._decimals = decimals
        return changed

    def decimals(self, key: str) -> int | None:
        """The decimals of a column; None for four significant digits."""
        return self._decimals.get(key)

    # cells

    def uncertainty_text(self, column: Column, trial: Trial) -> str:
        """The standard error behind a result; empty for none."""
        if not column.key.startswith("metric:"):
            return ""
        observation = trial.latest(column.key.removeprefix("metric:"))
        if observation is None or not observation.sem:
            return ""
        return f"± {number(observation.sem, self._decimals.get(column.key))}"

    def is_strong(self, column: Column, trial: Trial) -> bool:
        """Whether a cell is written stronger: the figures of the best trial."""
        is_figure = column.key == "index" or column.key.startswith("metric:")
        return is_figure and trial.index in self.facts.starred

    def tool_tip(self, column: Column, trial: Trial) -> str:
        """What a cell tells beyond its text."""
        if column.key in ("status", "note"):
            health = self.facts.unanswered.get(trial.index)
            told = (self._status_text(trial), health.reason) if health is not None else ()
            return "\n".join(part for part in (*told, trial.reason, trial.note) if part)
        if column.key.startswith("parameter:"):
            return str(trial.parameters.get(column.title, ""))
        if column.key == "files":
            return "\n".join(file.name for file in trial.attachments)
        return column.text(trial) if column.key in ("limits", "started") else ""

    def sign(self, column: Column, trial: Trial) -> Mapping[int, str]:
        """Icon and colours of a cell, by role."""
        if column.key == "best" and trial.index in self.facts.starred:
            return {Role.ICON: "star-filled", Role.ICON_TONE: "plot_best"}
        if column.key == "limits" and (broken := self.broken(trial)) is not None:
            icon_name, tone = ("x", "plot_hollow") if broken else ("check", "good")
            return {Role.ICON: icon_name, Role.ICON_TONE: tone}
        look = STATUS_LOOKS[status_key(trial, self.facts)]
        if column.key == "status":
            icon_name = "eye-off" if trial.is_excluded else look.icon
            return {Role.ICON: icon_name, Role.TONE: look.color}
        if column.key == "duration" and trial.status is TrialStatus.RUNNING:
            return {Role.TONE: "live" if look.color == "live" else "text2"}
        if column.key in ("source", "note", "duration", "started", "tries", "files"):
            return {Role.TONE: "text2"}
        return {}

    def broken(self, trial: Trial) -> tuple[OutcomeConstraint, ...] | None:
        """The limits that a completed trial breaks; None where that is not known."""
        optimization = self.facts.optimization
        if optimization is None or trial.status is not TrialStatus.COMPLETED:
            return None
        if not optimization.outcome_constraints:
            return None
        return self.facts.broken(trial)

    # columns

    def _made_columns(self) -> list[Column]:
        columns = [
            Column("best", "Best", self._best_text, self._best_sort, alignment=_CENTER, width=34,
                   is_searched=False),
            Column("index", "#", lambda t: str(t.index), lambda t: float(t.index),
                   alignment=_RIGHT, width=48, is_figure=True, tip="The trial's number"),
            Column("status", "Status", self._status_text, self._status_text, width=132),
            Column("source", "Source", _source_text, _source_text, width=100),
        ]  # fmt: skip
        setup = self.facts.setup
        if setup is not None:
            for parameter in setup.search_space.parameters:
                columns.append(self._parameter_column(parameter.name, parameter.unit))
            for metric in setup.optimization.metric_names:
                columns.append(self._metric_column(metric, setup.optimization.unit_of(metric)))
            if setup.optimization.outcome_constraints:
                columns.append(
                    Column("limits", "Limits", self._limits_text, self._limits_sort,
                           alignment=_CENTER, width=62, is_searched=False)
                )  # fmt: skip
        return [
            *columns,
            Column("started", "Started", self._started_text, _started, _started_plain,
                   width=108, is_shown=False, is_searched=False),
            Column("duration", "Duration", self._duration_text, self.seconds, self._plain_seconds,
                   alignment=_RIGHT, width=82, is_figure=True),
            Column("tries", "Tries", self._tries_text, self.tries, alignment=_RIGHT, width=60,
                   is_shown=False, is_searched=False,
                   tip="Calls in a row that failed or do not answer"),
            Column("files", "Files", _files_text, files, alignment=_RIGHT, width=60,
                   is_shown=False, is_searched=False),
            Column("note", "Note", note_text, lambda t: note_text(t) or None, width=200),
        ]  # fmt: skip

    def _parameter_column(self, name: str, unit: str) -> Column:
        key = f"parameter:{name}"

        def value(trial: Trial) -> TParameterValue | None:
            return trial.parameters.get(name)

        def text(trial: Trial) -> str:
            found = trial.parameters.get(name)
            return MISSING if found is None else parameter_value(found, self._decimals.get(key))

        def plain(trial: Trial) -> str:
            found = value(trial)
            return "" if found is None else value_text(found)

        def sort(trial: Trial) -> SortKey:
            found = value(trial)
            return float(found) if isinstance(found, int | float) else found

        setup = self.facts.setup
        parameter = setup.search_space[name] if setup else None
        is_text = getattr(parameter, "parameter_type", "float") in ("str", "bool")
        longest = max((len(str(v)) for v in getattr(parameter, "values", ())), default=0)
        return Column(key, name, text, sort, plain, None, unit, _LEFT if is_text else _RIGHT,
                      -8 * longest - 24, is_figure=not is_text)  # fmt: skip

    def _metric_column(self, name: str, unit: str) -> Column:
        key = f"metric:{name}"

        def text(trial: Trial) -> str:
            observation = trial.latest(name)
            if observation is None:
                return MISSING
            return measured(observation.mean, self._decimals.get(key), observation.sem)

        def full(trial: Trial) -> str:
            observation = trial.latest(name)
            if observation is None:
                return MISSING
            decimals = self._decimals.get(key)
            sem = observation.sem
            mean = measured(observation.mean, decimals, sem)
            return f"{mean} ± {number(sem, decimals)}" if sem else mean

        def plain(trial: Trial) -> str:
            observation = trial.latest(name)
            return "" if observation is None else number_text(observation.mean)

        def sort(trial: Trial) -> SortKey:
            # What a trial measured before it failed is no result to rank by.
            observation = None if trial.status in _NO_RESULT else trial.latest(name)
            return None if observation is None else observation.mean

        return Column(key, name, text, sort, plain, full, unit, _RIGHT, -112, is_figure=True)

    def _best_text(self, trial: Trial) -> str:
        return "Best" if trial.index in self.facts.starred else ""

    def _best_sort(self, trial: Trial) -> SortKey:
        return 0.0 if trial.index in self.facts.starred else None

    def _status_text(self, trial: Trial) -> str:
        word = status_word(trial, self.facts, self.now)
        return f"{word}, excluded" if trial.is_excluded else word

    def _limits_text(self, trial: Trial) -> str:
        broken = self.broken(trial)
        if broken is None:
            return ""
        return f"Not met: {', '.join(map(limit_text, broken))}" if broken else "Met"

    def _limits_sort(self, trial: Trial) -> SortKey:
        broken = self.broken(trial)
        return None if broken is None else float(len(broken))

    def _started_text(self, trial: Trial) -> str:
        return MISSING if trial.started_at is None else clock(trial.started_at, self.now)

    def _duration_text(self, trial: Trial) -> str:
        seconds = self.seconds(trial)
        return MISSING if seconds is None else duration(seconds)

    def _plain_seconds(self, trial: Trial) -> str:
        seconds = self.seconds(trial)
        return "" if seconds is None else number_text(round(seconds, 3))

    def seconds(self, trial: Trial) -> float | None:
        """How long a trial ran so far; None where that is not known."""
        if trial.started_at is None or status_key(trial, self.facts) == "not_known":
            return None
        return seconds_running(trial, self.now)

    def tries(self, trial: Trial) -> float | None:
        """How many calls about a trial failed in a row, or do not answer; None for none."""
        health = self.facts.unanswered.get(trial.index)
        return None if health is None else float(health.failures)

    def _tries_text(self, trial: Trial) -> str:
        tries = self.tries(trial)
        return MISSING if tries is None else f"{tries:.0f}"


def _source_text(trial: Trial) -> str:
    return SOURCE_WORDS[trial.generation.source]


def note_text(trial: Trial) -> str:
    """The operator's note on one line, else why the trial ended as it did."""
    return " ".join((trial.note or trial.reason).split())


def files(trial: Trial) -> float | None:
    """How many files are attached to a trial; None for none."""
    return float(len(trial.attachments)) or None


def _files_text(trial: Trial) -> str:
    return str(len(trial.attachments)) if trial.attachments else MISSING


def _started(trial: Trial) -> float | None:
    return None if trial.started_at is None else trial.started_at.timestamp()


def _started_plain(trial: Trial) -> str:
    if trial.started_at is None:
        return ""
    return trial.started_at.astimezone().isoformat(" ", "seconds")
