"""The models behind tables and lists, and the words of the banner."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from axdesk.core.errors import AxdeskError, CallFailedError, DamagedDatabaseError, StorageError
from axdesk.core.events import TrialChanged
from axdesk.core.experiment import Experiment
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.questions import Answer, Question
from axdesk.core.run import STOPPED_BY_ERROR, RunState, allowed_actions
from axdesk.core.trial import Observation, TrialStatus
from axdesk.gui.models.attention_model import AttentionModel, error_item, question_item
from axdesk.gui.models.banner_content import banner_content, next_step, short_reason
from axdesk.gui.models.event_lines import event_line
from axdesk.gui.models.experiments_model import ExperimentsModel
from axdesk.gui.models.formatting import (
    decimals_for,
    duration,
    listed,
    measured,
    metric_decimals,
    number,
    parameter_decimals,
    when,
)
from axdesk.gui.models.log_model import MOST_LINES, LogLevel, LogLine, LogModel
from axdesk.gui.models.run_facts import RunFacts, status_key
from axdesk.gui.models.trials_model import ALL, TrialsModel
from axdesk.gui.style import px
from axdesk.gui.views.database_page import ways_out
from axdesk.gui.views.inspector import InspectorView
from axdesk.gui.widgets.banner import Banner, Segment
from axdesk.gui.widgets.labels import ElidedLabel
from axdesk.gui.widgets.roles import Role
from tests.gui.scenes import MemoryWorkspace, coupling_experiment, coupling_setup

NOW = datetime.now(UTC)
ModelTester = Any


def facts_of(experiment: Experiment, **changes: Any) -> RunFacts:
    facts = RunFacts(
        name=experiment.name,
        state=experiment.state,
        setup=experiment.setup,
        runs=tuple(experiment.runs),
        trials=tuple(experiment.trials.values()),
    )
    return replace(facts, **changes)


def shown_as(facts: RunFacts, trial_index: int) -> str:
    return status_key(next(t for t in facts.trials if t.index == trial_index), facts)


def column(model: TrialsModel, key: str) -> list[str]:
    at = model.column_of(key)
    return [str(model.index(row, at).data()) for row in range(model.rowCount())]


@pytest.fixture
def trials(qapp: QApplication) -> TrialsModel:
    model = TrialsModel()
    model.show_facts(facts_of(coupling_experiment()), NOW)
    return model


def test_what_does_not_exist_in_a_trial_is_a_dash(qapp: QApplication) -> None:
    experiment = coupling_experiment()
    first = experiment.trials[0]
    name, *_ = first.parameters
    kept = {n: v for n, v in first.parameters.items() if n != name}
    experiment.put(replace(first, arm=replace(first.arm, parameters=kept)))
    model, inspector = TrialsModel(), InspectorView()

    model.show_facts(facts_of(experiment), NOW)
    inspector.show_trials((experiment.trials[0],), facts_of(experiment))

    assert column(model, f"parameter:{name}").count("–") == 1
    texts = [label.text() for label in inspector.findChildren(QLabel)]
    assert texts[texts.index(name) + 1] == "–"


def test_steps_are_written_with_their_decimals() -> None:
    stepped = RangeParameterConfig("x", (0.25, 100), step_size=0.5)
    assert parameter_decimals(stepped) == 2
    assert parameter_decimals(RangeParameterConfig("x", (0, 1), step_size=1e-9)) is None


class TestFormatting:
    @pytest.mark.parametrize(
        ("span", "decimals"), [(1.0, 3), (70.0, 1), (4.95, 2), (1e-9, None), (0.0, None), (3e3, 0)]
    )
    def test_decimals_tell_steps_of_the_range_apart(
        self, span: float, decimals: int | None
    ) -> None:
        assert decimals_for(span) == decimals

    def test_a_standard_error_limits_the_decimals(self) -> None:
        assert metric_decimals([1.85, 2.6]) == 3
        assert metric_decimals([1.85, 2.6], [0.04, 0.05]) == 2
        assert metric_decimals([73.5, 12.1], [1.0]) == 1
        assert metric_decimals([]) is None

    def test_numbers_have_a_real_minus_and_no_negative_zero(self) -> None:
        assert number(-3.32237, 2) == "−3.32"
        assert number(-0.0001, 2) == "0.00"
        assert number(123456789.0, 2) == "1.235e+08"
        assert number(5.0) == "5"

    def test_what_is_measured_and_is_not_0_does_not_read_as_0(self) -> None:
        assert measured(-1.98e-06, 3) == "−1.98e−06"
        assert measured(0.0004, 3) == "0.0004"
        assert measured(0.0, 3) == "0.000"
        assert measured(1.5, 3) == "1.500"
        assert measured(0.0004, 1, 0.9) == "0.0"

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0.2, "0 s"), (42, "42 s"), (360, "6 min"), (4440, "1 h 14"), (7200, "2 h"),
         (3 * 86400 + 4 * 3600, "3 d 4 h")],
    )  # fmt: skip
    def test_durations_are_short(self, seconds: float, text: str) -> None:
        assert duration(seconds).replace("\u00a0", " ") == text

    def test_trials_are_named_in_running_text(self) -> None:
        assert listed([16, 18, 19]) == "#16, #18 and #19"
        assert listed([16]) == "#16"

    def test_lists_say_days_coarsely(self) -> None:
        noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
        assert when(noon, noon) == "now"
        assert when(noon - timedelta(days=1), noon) == "yesterday"
        assert when(noon - timedelta(days=10), noon) == "14 Nov"


class TestTrials:
    def test_the_model_keeps_qts_rules_while_trials_come_and_rows_move(
        self, trials: TrialsModel, qtmodeltester: ModelTester
    ) -> None:
        experiment = coupling_experiment()
        qtmodeltester.check(trials)
        trials.sort(trials.column_of("metric:Yield"), Qt.SortOrder.DescendingOrder)
        done = experiment.trials[18].moved_to(
            TrialStatus.COMPLETED,
            observations=(Observation("Yield", 99.0), Observation("Impurity", 1.0)),
        )
        experiment.put(done)
        experiment.put(replace(experiment.trials[19], index=20))
        trials.show_facts(facts_of(experiment), NOW)
        trials.set_status_filter("completed")
        trials.set_status_filter(ALL)
        qtmodeltester.check(trials)
        assert column(trials, "index")[0] == "18"

    def test_the_newest_trial_comes_first(self, trials: TrialsModel) -> None:
        assert column(trials, "index") == [str(i) for i in range(19, -1, -1)]

    @pytest.mark.parametrize("order", list(Qt.SortOrder))
    def test_numbers_sort_as_numbers_with_missing_ones_last(
        self, trials: TrialsModel, order: Qt.SortOrder
    ) -> None:
        trials.sort(trials.column_of("metric:Yield"), order)
        texts = column(trials, "metric:Yield")
        values = [float(t) for t in texts[:16]]
        assert values == sorted(values, reverse=order == Qt.SortOrder.DescendingOrder)
        assert texts[16:] == ["–"] * 4

    def test_a_row_keeps_its_persistent_index_when_it_moves(self, trials: TrialsModel) -> None:
        from PySide6.QtCore import QPersistentModelIndex

        kept = QPersistentModelIndex(trials.index(trials.row_of(13) or 0, 0))
        trials.sort(trials.column_of("metric:Yield"), Qt.SortOrder.DescendingOrder)
        assert kept.row() == trials.row_of(13)
        assert kept.data(Role.KEY) == 13

    def test_a_new_trial_is_inserted_without_a_reset(self, trials: TrialsModel) -> None:
        told: list[str] = []
        trials.rowsInserted.connect(lambda *_: told.append("inserted"))
        trials.modelReset.connect(lambda: told.append("reset"))
        experiment = coupling_experiment()
        experiment.put(replace(experiment.trials[19], index=20))
        trials.show_facts(facts_of(experiment), NOW)
        assert told == ["inserted"]
        assert column(trials, "index")[0] == "20"

    def test_chips_count_what_the_filters_show(self, trials: TrialsModel) -> None:
        counts = trials.counts()
        assert (counts[ALL], counts["running"], counts["completed"], counts["failed"]) == (
            20, 3, 16, 1,
        )  # fmt: skip
        for key in ("running", "completed", "failed"):
            trials.set_status_filter(key)
            assert trials.rowCount() == counts[key]

    def test_the_text_filter_finds_words_in_any_cell(self, trials: TrialsModel) -> None:
        trials.set_text_filter("dmf done")
        assert set(column(trials, "parameter:Solvent")) == {"DMF"}
        assert set(column(trials, "status")) == {"Done"}

    def test_the_best_trial_has_a_star_and_a_broken_limit_a_cross(
        self, trials: TrialsModel
    ) -> None:
        def icon(trial: int, key: str) -> object:
            row = trials.row_of(trial)
            assert row is not None
            return trials.index(row, trials.column_of(key)).data(Role.ICON)

        assert icon(13, "best") == "star-filled"
        assert icon(12, "best") is None
        assert icon(3, "limits") == "x"
        assert icon(13, "limits") == "check"

    def test_a_row_is_copied_with_its_heads(self, trials: TrialsModel) -> None:
        heads, cells = (line.split("\t") for line in trials.rows_text([17]).splitlines())
        assert heads[:4] == ["#", "Status", "Source", "Temperature (°C)"]
        assert cells[:3] == ["17", "Done", "Model"]
        at = heads.index("Yield (%)")
        assert heads[at + 1] == "sem of Yield (%)"
        assert cells[at : at + 2] == ["73.5", "1.0"]

    def test_another_set_up_changes_the_columns(self, trials: TrialsModel) -> None:
        setup = coupling_setup()
        shorter = replace(
            setup,
            search_space=replace(setup.search_space, parameters=setup.search_space.parameters[:1]),
        )
        trials.show_facts(facts_of(coupling_experiment(), setup=shorter), NOW)
        keys = [
            trials.headerData(c, Qt.Orientation.Horizontal) for c in range(trials.columnCount())
        ]
        assert "Solvent" not in keys
        assert "Temperature" in keys


class TestLists:
    def test_experiments_keep_qts_rules(
        self, qapp: QApplication, qtmodeltester: ModelTester
    ) -> None:
        workspace = MemoryWorkspace()
        first = workspace.add(coupling_experiment())
        workspace.new_draft()
        model = ExperimentsModel()
        model.set_summaries(workspace.summaries())
        qtmodeltester.check(model)
        workspace.delete(first)
        model.set_summaries(workspace.summaries())
        assert model.rowCount() == 1
        qtmodeltester.check(model)

    def test_what_a_session_knows_wins_over_the_database(self, qapp: QApplication) -> None:
        workspace = MemoryWorkspace()
        number = workspace.add(coupling_experiment())
        model = ExperimentsModel()
        model.set_summaries(workspace.summaries())
        facts = facts_of(coupling_experiment(), state=RunState.PAUSING)
        model.show_facts(number, facts)
        model.set_summaries(workspace.summaries())
        summary = model.summary_of(number)
        assert summary is not None
        assert summary.state is RunState.PAUSING

    def test_notices_fold_and_questions_come_first(
        self, qapp: QApplication, qtmodeltester: ModelTester
    ) -> None:
        model = AttentionModel()
        error = CallFailedError("poll_trial raised OSError.", "Check the cable.", details="trace")
        model.add(error_item(error, "suzuki_cell", NOW))
        model.add(error_item(error, "suzuki_cell", NOW + timedelta(seconds=3)))
        question = Question(16, "It may have started.", "Nothing.", (Answer.ASK_RUNNER,))
        model.set_questions([question_item(question, "suzuki_cell", NOW)])
        assert [item.count for item in model.items] == [1, 2]
        assert model.open_questions == 1
        assert "trace" in model.items[1].report
        qtmodeltester.check(model)
        model.set_questions([])
        assert model.open_questions == 0
        assert model.rowCount() == 1

    def test_the_log_drops_the_oldest_lines(
        self, qapp: QApplication, qtmodeltester: ModelTester
    ) -> None:
        model = LogModel()
        model.append([LogLine(NOW, LogLevel.INFO, str(i)) for i in range(MOST_LINES + 5)])
        assert model.rowCount() == MOST_LINES
        assert model.lines[0].text == "5"
        qtmodeltester.check(model)


SENTENCES: dict[RunState, Callable[[str], bool]] = {
    RunState.RUNNING: lambda text: "then the next trial starts" in text,
    RunState.PAUSING: lambda text: text == "Waiting for 3 running trials. Nothing new starts",
    RunState.PAUSED: lambda text: text == "Nothing runs. Press Resume to go on",
    RunState.STOPPING: lambda text: text == "Waiting for 3 running trials",
    RunState.STOPPED: lambda text: text.endswith("can be resumed"),
    RunState.COMPLETED: lambda text: text.replace("\u00a0", " ") == "17 trials; best 83.6 % (#13)",
    RunState.INTERRUPTED: lambda text: "Decide what became of them" in text,
    RunState.NEEDS_ATTENTION: lambda text: text.endswith("nothing new starts"),
}


class TestBanner:
    @pytest.mark.parametrize("state", list(SENTENCES))
    def test_each_state_says_what_happens_next(self, state: RunState) -> None:
        facts = facts_of(coupling_experiment(state), state=state)
        assert SENTENCES[state](next_step(facts, NOW)), next_step(facts, NOW)

    def test_a_run_that_an_error_stopped_says_so(self) -> None:
        facts = facts_of(coupling_experiment(RunState.STOPPED), state=RunState.STOPPED)
        assert facts.run is not None
        reason = f"{STOPPED_BY_ERROR} of trial 3: poll_trial raised OSError: no vial"
        run = replace(facts.run, reason=reason, ended_at=None)
        told = next_step(replace(facts, runs=(run,)), NOW)
        assert told == "by an error of trial 3; can be resumed"

    def test_a_pause_for_a_decision_is_told_in_whole_sentences(self) -> None:
        facts = facts_of(coupling_experiment(), state=RunState.NEEDS_ATTENTION)
        alone = replace(facts, trials=facts.trials[:16])
        assert next_step(alone, NOW) == "Paused: a decision is needed. Nothing new starts"

    @pytest.mark.parametrize("state", list(RunState))
    def test_every_state_has_words(self, state: RunState) -> None:
        content = banner_content(facts_of(coupling_experiment(), state=state), NOW)
        assert content.next_step
        assert content.state == state.value

    def test_a_pause_while_something_runs_is_not_told_as_rest(self) -> None:
        facts = facts_of(coupling_experiment(), state=RunState.PAUSED)
        assert next_step(facts, NOW) == (
            "Waiting for 3 running trials. Nothing new starts. Press Resume to go on"
        )
        question = Question(16, "It may have started.", "Nothing.", (Answer.ABANDON,))
        asked = replace(facts, questions=(question,))
        assert next_step(asked, NOW) == ("Waiting for your answer about #16. Press Resume to go on")

    @pytest.mark.parametrize("state", [RunState.PAUSING, RunState.STOPPING])
    def test_nobody_waits_for_no_trials(self, state: RunState) -> None:
        facts = facts_of(coupling_experiment(), state=state)
        alone = replace(facts, trials=facts.trials[:16])
        assert next_step(alone, NOW).startswith("Nothing runs any more")

    def test_a_result_that_a_person_enters_is_waited_for_by_name(self) -> None:
        facts = facts_of(coupling_experiment())
        by_hand = replace(facts.trials[19], metadata=None)
        waiting = replace(facts, trials=(*facts.trials[:16], facts.trials[17], by_hand))
        assert next_step(waiting, NOW) == "Waiting for a result you enter by hand (#19)"
        assert next_step(replace(waiting, suggesting=20), NOW) != next_step(waiting, NOW)

    def test_a_run_that_goes_on_prepares_no_first_trial(self) -> None:
        facts = facts_of(coupling_experiment(), state=RunState.STARTING)
        assert next_step(facts, NOW) == "Preparing the next trial"
        assert next_step(replace(facts, trials=()), NOW) == "Preparing the first trial"

    def test_an_experiment_with_trials_says_when_a_run_would_end(self) -> None:
        facts = facts_of(coupling_experiment(), state=RunState.READY)
        none = replace(facts, runs=(), trials=())
        assert next_step(none, NOW) == "30 trials, 3 at a time"
        told = next_step(replace(facts, runs=(), trials=facts.trials[:3]), NOW)
        assert told.startswith("30 trials, 3 at a time, would end about ")

    def test_a_failure_without_a_sentence_of_its_own_says_what_to_do(self) -> None:
        facts = facts_of(coupling_experiment(RunState.FAILED), state=RunState.FAILED)
        run = replace(facts.runs[0], reason="MemoryError: no room.\n  at line 3")
        failed = replace(facts, runs=(run,))
        assert next_step(failed, NOW) == "MemoryError: no room. Fix the cause, then resume"

    def test_no_tolerance_and_no_trials_are_told_as_such(self) -> None:
        facts = facts_of(coupling_experiment())
        settings = replace(facts.runs[0].settings, max_trials=1, tolerated_trial_failure_rate=0.0)
        strict = replace(facts, runs=(replace(facts.runs[0], settings=settings),), trials=())
        content = banner_content(strict, NOW)
        assert content.failed is not None
        assert content.end is not None
        assert content.best is not None
        assert (content.failed.value, content.failed.detail) == ("0", "none allowed")
        assert (content.end.value, content.best.value) == ("–", "–")
        assert content.segments == (Segment.LEFT,)

    @pytest.mark.parametrize("width", [1024, 1160, 1440])
    @pytest.mark.parametrize("state", list(SENTENCES))
    def test_what_happens_next_is_read_in_full_before_figures_take_its_room(
        self, qapp: QApplication, state: RunState, width: int
    ) -> None:
        facts = facts_of(coupling_experiment(state), state=state)
        banner = Banner()
        banner.resize(width, banner.sizeHint().height())
        banner.show_content(banner_content(replace(facts, name="A long name " * 9), NOW))
        banner.show()
        qapp.processEvents()
        sentence: Any = banner.findChild(QLabel, "status.banner.next")
        whole = sentence.sizeHint().width()
        assert sentence.width() >= min(whole, px(400)), sentence.text()
        progress = banner.findChild(QWidget, "status.banner.progress")
        assert progress is not None
        # Nor does the progress grow while the sentence is cut.
        is_cut = sentence.width() < whole
        assert not (is_cut and progress.isVisible() and progress.width() > px(160))
        for name in ("failed", "best"):
            figure = banner.findChild(QWidget, f"status.banner.{name}")
            assert figure is not None
            assert figure.isVisible()
        parts = banner.findChildren(QLabel)
        for part in parts:
            if part.isVisible() and part.text() and not isinstance(part, ElidedLabel):
                assert part.width() >= part.sizeHint().width(), part.text()
        banner.close()

    def test_a_trial_that_surely_did_not_start_takes_no_slot(self) -> None:
        facts = facts_of(coupling_experiment())
        waits = replace(facts.pending[0], status=TrialStatus.STAGED, staged_at=None)
        trials = tuple(waits if t.index == waits.index else t for t in facts.trials)
        content = banner_content(replace(facts, trials=trials), NOW)
        assert content.slots is not None
        assert content.slots.value == "2"

    def test_segments_and_figures_count_the_run(self) -> None:
        content = banner_content(facts_of(coupling_experiment()), NOW)
        kinds = [content.segments.count(kind) for kind in Segment]
        assert kinds == [16, 1, 0, 3, 10]
        assert content.slots is not None
        assert (content.slots.value, content.slots.detail) == ("3", "of 3")
        assert content.failed is not None
        assert (content.failed.value, content.failed.detail) == ("1", "of 1 allowed")
        assert content.best is not None
        assert content.best.detail == "#13"
        assert content.end is not None
        assert content.end.value != "–"

    def test_a_run_elsewhere_can_only_be_watched(self) -> None:
        facts = facts_of(coupling_experiment(), controller="4711@LAB-PC2")
        content = banner_content(facts, NOW)
        assert content.next_step == "Controlled by LAB-PC2 (process 4711). You can watch, not steer"
        assert content.button == ""
        assert facts.actions == frozenset()

    def test_the_end_is_estimated_from_finished_trials(self) -> None:
        experiment = coupling_experiment()
        facts = facts_of(experiment)
        mean = facts.mean_seconds
        assert mean is not None
        end = facts.ends_at(NOW)
        assert end is not None
        # Ten trials in three slots after the ones that run: between three and six rounds.
        assert 3 * mean < (end - NOW).total_seconds() < 6 * mean
        unknown = facts_of(replace(experiment, trials={}))
        assert unknown.ends_at(NOW) is None

    def test_an_uncertain_trial_is_shown_as_such(self) -> None:
        question = Question(16, "It may have started.", "Nothing.", (Answer.ABANDON,))
        facts = facts_of(coupling_experiment(), questions=(question,))
        assert status_key(facts.trials[16], facts) == "may_have_started"
        assert banner_content(facts, NOW).button == "Answer…"

    @pytest.mark.parametrize("state", list(RunState))
    def test_actions_are_those_of_the_core(self, state: RunState) -> None:
        facts = facts_of(coupling_experiment(), state=state)
        assert facts.actions == allowed_actions(state, 3)
        opening = replace(facts, is_opening=True)
        assert opening.actions == allowed_actions(RunState.STARTING, 0)


def test_models_answer_nothing_for_an_invalid_index(trials: TrialsModel) -> None:
    models: list[QAbstractItemModel] = [trials, ExperimentsModel(), AttentionModel(), LogModel()]
    assert [model.data(QModelIndex()) for model in models] == [None] * 4


@pytest.mark.parametrize(
    ("reason", "short"),
    [
        ("The database /data/my lab/a.sqlite cannot grow: the disk is full.", "the disk is full"),
        (
            "The database C:\\lab\\a.sqlite is locked by another program.",
            "the database is locked by another program",
        ),
        ("The folder of the database is gone.", "The folder of the database is gone"),
    ],
)
def test_the_banner_says_briefly_why_nothing_is_saved(reason: str, short: str) -> None:
    assert short_reason(reason) == short


def test_the_page_of_a_database_offers_the_way_out_that_fits() -> None:
    def keys(error: AxdeskError) -> list[str]:
        return [way.key for way in ways_out(error)]

    damaged = DamagedDatabaseError("It is damaged.", path="a.sqlite", backup="b.sqlite")
    assert keys(damaged) == ["backup", "salvage", "choose", "quit"]
    assert keys(DamagedDatabaseError("…", path="a.sqlite")) == ["salvage", "choose", "quit"]
    emptied = DamagedDatabaseError("…", path="a.sqlite", backup="b.sqlite", has_content=False)
    assert keys(emptied) == ["backup", "choose", "quit"]
    assert keys(StorageError("It is locked.", is_temporary=True)) == ["retry", "choose", "quit"]
    assert keys(StorageError("It was written by a newer axdesk.")) == ["choose", "quit"]


def test_the_log_tells_how_long_a_trial_took_over_a_power_cut() -> None:
    experiment = coupling_experiment()
    trial = next(t for t in experiment.trials.values() if t.status is TrialStatus.COMPLETED)
    trial = replace(trial, elapsed_seconds=0.2, finished_at=NOW, started_at=NOW - timedelta(0, 42))
    line = event_line(TrialChanged(trial), None, experiment.optimization)
    assert line is not None
    assert f"#{trial.index} done after 42\u00a0s" in line[1]
