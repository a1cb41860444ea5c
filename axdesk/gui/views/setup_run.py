"""The page Run settings: how long the run goes on, and what happens when something fails."""

from collections.abc import Mapping
from types import MappingProxyType

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.durations import is_plain_number
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.formatting import counted
from axdesk.gui.models.run_texts import (
    DEADLINES,
    METHODS,
    advanced_values,
    first_trials_in_short,
    polling_values,
    run_settings,
    seconds_hint,
    stopping_values,
)
from axdesk.gui.models.setup_texts import RUN_TITLES, run_sentence
from axdesk.gui.style import px
from axdesk.gui.views.setup_page import CellFields, ProblemList, SetupPage
from axdesk.gui.widgets.buttons import Choice, SegmentedButton
from axdesk.gui.widgets.cards import Card, Fold, LiveSentence, Surface
from axdesk.gui.widgets.fields import FormRows, NumberField, RowNotes
from axdesk.gui.widgets.labels import label, rule

SHORT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "parallelism": "parallel",
        "tolerated_failure_percent": "failure_rate",
        "trial_time_limit": "trial_timeout",
        "run_time_limit": "run_timeout",
        "method": "preset",
    }
)
"""Object names that differ from the field's name."""

_CHOICES: Mapping[str, tuple[Choice, ...]] = MappingProxyType(
    {
        "count_existing_trials": (Choice("yes", "Yes"), Choice("no", "No")),
        "start_at_center": (Choice("yes", "Start values"), Choice("no", "Random")),
        "method": (
            Choice("fast", "Model"),
            Choice("quality", "Thorough"),
            Choice("random_search", "Random search"),
        ),
        "on_error": (
            Choice("continue", "Go on"),
            Choice("pause", "Pause and ask"),
            Choice("stop", "Stop"),
        ),
        "uncertain_deployment": (
            Choice("ask", "Ask me"),
            Choice("abandon", "Abandon"),
            Choice("redeploy", "Deploy again"),
        ),
        "when_failure_rate_exceeded": (
            Choice("drain", "Let running trials finish"),
            Choice("stop", "Stop them"),
        ),
    }
)
_NO_LIMIT = "No limit"


class RunPage(SetupPage):
    """The live sentence and the settings, with polling and the advanced ones folded."""

    section = Section.RUN

    def __init__(self, model: DraftModel) -> None:
        super().__init__(
            model,
            "Run settings",
            "How long the run goes on, and what happens when something fails.",
        )
        self.fields = CellFields(model, Section.RUN)
        self._notes: dict[str, RowNotes] = {}
        self._hints: dict[str, str] = {}
        self._durations: set[str] = set()
        self.sentence = LiveSentence(name="setup.run.sentence")
        self.issues = ProblemList(model, self.go_to, name="setup.run.issues")
        self.body.addWidget(self.sentence)
        self.body.addWidget(self.issues)
        self._add_common()
        self._add_optimiser()
        self._add_folds()
        self.body.addStretch(1)

    def _add_common(self) -> None:
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._pair.setSpacing(px(12))
        much, rows = Card("How much"), FormRows()
        self._number(rows, "max_trials")
        self._number(rows, "parallelism")
        self._number(rows, "initial_trials")
        self._segments(
            rows, "start_at_center", tip="The centre stands in where no start value is given."
        )
        much.body.addWidget(rows)
        much.body.addStretch(1)
        fails, rows = Card("When something fails"), FormRows()
        self._number(rows, "tolerated_failure_percent", unit="%")
        self._segments(
            rows, "on_error",
            tip="When a call of a plugin failed for good. What the laboratory itself calls failed "
            "is no error.",
        )  # fmt: skip
        self._segments(rows, "uncertain_deployment")
        self._duration(rows, "trial_time_limit", placeholder=_NO_LIMIT)
        self._duration(rows, "run_time_limit", placeholder=_NO_LIMIT)
        fails.body.addWidget(rows)
        fails.body.addStretch(1)
        self._pair.addWidget(much, 1)
        self._pair.addWidget(fails, 1)
        self._cards = (much, fails)
        self.body.addLayout(self._pair)

    def _add_optimiser(self) -> None:
        card = Card("Optimiser")
        title = RUN_TITLES["method"]
        made = SegmentedButton(_CHOICES["method"], name=object_name("method"), label=title)
        self._method = label("", "small", "text2", wrap=True)
        line = QHBoxLayout()
        line.setSpacing(px(12))
        line.addWidget(made)
        line.addWidget(self._method, 1)
        card.body.addLayout(line)
        self.fields.add("method", made)
        self.body.addWidget(card)

    def _add_folds(self) -> None:
        card = Surface("card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(px(8), px(8), px(16), px(8))
        self._polling = Fold("Polling", name="setup.run.polling")
        rows = FormRows()
        self._duration(rows, "seconds_between_polls")
        self._duration(rows, "max_seconds_between_polls", hint="the pause grows with each")
        self._number(rows, "poll_retries", hint="then the trial counts as failed")
        self._number(rows, "fetch_retries", hint="then the trial counts as failed")
        self._duration(rows, "seconds_between_launches", hint="from the return of the last")
        for field in DEADLINES:
            self._duration(rows, field, placeholder=_NO_LIMIT)
        self._polling.body.addWidget(rows)
        self._advanced = Fold("Advanced", name="setup.run.advanced")
        rows = FormRows()
        self._number(rows, "seed", hint="the same seed and results give the same suggestions")
        self._number(
            rows, "min_observed_trials", placeholder="Half",
            hint="of the random trials",
        )  # fmt: skip
        self._segments(rows, "count_existing_trials")
        self._number(rows, "min_failed_trials")
        self._segments(rows, "when_failure_rate_exceeded")
        self._duration(
            rows, "generation_time_limit", placeholder=_NO_LIMIT,
            hint="then a space-filling trial steps in",
        )  # fmt: skip
        self._advanced.body.addWidget(rows)
        self._stopping = Fold("Stopping early", name="setup.run.stopping")
        rows = FormRows()
        for field, unit, placeholder, hint in _STOPPING:
            self._number(rows, field, unit=unit, placeholder=placeholder, hint=hint)
        self._stopping.body.addWidget(rows)
        inside.addWidget(self._stopping)
        inside.addWidget(rule())
        inside.addWidget(self._polling)
        inside.addWidget(rule())
        inside.addWidget(self._advanced)
        self.body.addWidget(card)
        self._folded = {
            "seed": self._advanced,
            "min_observed_trials": self._advanced,
            "count_existing_trials": self._advanced,
            "min_failed_trials": self._advanced,
            "when_failure_rate_exceeded": self._advanced,
            "generation_time_limit": self._advanced,
            **{field: self._stopping for field, *_ in _STOPPING},
        }

    def refresh(self) -> None:
        """Show what the draft says, and what it comes to."""
        self.fields.refresh()
        self.sentence.set_sentence(*run_sentence(self.model))
        problems = self.model.problems_of(Section.RUN)
        self.issues.show_problems(problems)
        self._method.setText(METHODS.get(self.model.text(Section.RUN, 0, "method"), ""))
        self._stopping.set_values(stopping_values(self.model.draft))
        self._polling.set_values(polling_values(self.model.draft))
        self._advanced.set_values(advanced_values(self.model.draft))
        for name, notes in self._notes.items():
            hint = self._hints[name]
            if name in self._durations:
                text = self.model.text(Section.RUN, 0, name)
                notes.set_unit("s" if not text or is_plain_number(text) else "")
                hint = ", ".join(filter(None, (seconds_hint(text), hint)))
            notes.set_hint(hint)
        if not problems:
            run, generation = run_settings(self.model.draft)
            tolerated = f"so {run.tolerated_failures} of {run.max_trials}"
            self._notes["tolerated_failure_percent"].set_hint(tolerated)
            self._notes["initial_trials"].set_hint(first_trials_in_short(run, generation))
            if run.parallelism > run.max_trials:
                more = f"only {counted(run.max_trials, 'trial')} in all"
                self._notes["parallelism"].set_hint(more, "warn")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the two cards side by side where there is room for both."""
        super().resizeEvent(event)
        need = sum(card.sizeHint().width() for card in self._cards) + px(2 * 28 + 12)
        side_by_side = need <= self.viewport().width()
        direction = QBoxLayout.Direction
        self._pair.setDirection(direction.LeftToRight if side_by_side else direction.TopToBottom)

    def go_to(self, problem: Problem) -> None:
        """Unfold what hides the field, and give it the focus."""
        name = problem.field
        fold = self._folded.get(name)
        if fold is None and name in _POLLING:
            fold = self._polling
        if fold is not None:
            fold.set_open(True)
        self.fields.focus(name)

    def _number(
        self, rows: FormRows, field: str, *, unit: str = "", placeholder: str = "", hint: str = "",
        width: int = 84,
    ) -> None:  # fmt: skip
        made = NumberField(placeholder=placeholder, name=object_name(field), width=width)
        self._notes[field] = rows.add_row(RUN_TITLES[field], made, unit=unit, hint=hint)
        self._hints[field] = hint
        self.fields.add(field, made)

    def _duration(
        self, rows: FormRows, field: str, *, placeholder: str = "", hint: str = ""
    ) -> None:
        self._durations.add(field)
        self._number(rows, field, unit="s", placeholder=placeholder, hint=hint, width=104)

    def _segments(self, rows: FormRows, field: str, *, hint: str = "", tip: str = "") -> None:
        title = RUN_TITLES[field]
        made = SegmentedButton(_CHOICES[field], name=object_name(field), label=title)
        made.setToolTip(tip)
        self._notes[field] = rows.add_row(title, made, hint=hint)
        self._hints[field] = hint
        self.fields.add(field, made)


_OFF = "Off"
_STOPPING = (
    ("early_percentile", "%", _OFF, "of the other trials at the same progression; 50 is usual"),
    ("early_threshold", "", _OFF, "a value of the objective"),
    ("early_min_progression", "", "10", ""),
    ("early_max_progression", "", _NO_LIMIT, ""),
    ("early_min_curves", "", "5", "that have come as far"),
    ("early_best_protected", "", "3", "never stopped by the percentile"),
    ("global_target", "", _OFF, "a value of the objective that is good enough"),
    ("global_improvement_percent", "%", _OFF, "of the spread of all values, or less"),
    ("global_stagnation", "trials", _OFF, ""),
    ("global_window_size", "trials", "5", ""),
    ("global_min_trials", "trials", "10", "completed; a target counts from the first"),
)
"""Field, unit, what stands in it while it is empty, and hint."""

_POLLING = (
    "seconds_between_polls",
    "max_seconds_between_polls",
    "poll_retries",
    "fetch_retries",
    "seconds_between_launches",
    *DEADLINES,
)


def object_name(field: str) -> str:
    """The object name of the field of a run setting."""
    return f"setup.run.{SHORT_NAMES.get(field, field)}"
