"""The dialog after axdesk ended during a run: what may be said of each trial, and what follows."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QLabel
from shiboken6 import isValid

from axdesk.core.commands import Abandon, AnswerQuestion, EnterResult, MarkFailed
from axdesk.core.errors import AxdeskError
from axdesk.core.experiment import Experiment
from axdesk.core.questions import Answer, Question
from axdesk.core.run import OrchestrationConfig, RunState
from axdesk.core.trial import TrialStatus
from axdesk.gui.models.attention_model import AttentionModel, question_item
from axdesk.gui.models.formatting import clock
from axdesk.gui.models.run_facts import RunFacts
from axdesk.gui.views.attention_view import AttentionView
from axdesk.gui.views.interrupted_dialog import InterruptedDialog
from axdesk.gui.widgets.buttons import Button
from tests.gui.scenes import coupling_experiment
from tests.gui.test_window_models import shown_as

QtBot = Any
Ask = Callable[..., InterruptedDialog]


def cut_off(**orchestration: Any) -> Experiment:
    """16 and 18 run, 19 was being deployed."""
    experiment = coupling_experiment(RunState.RUNNING)
    experiment.put(
        replace(experiment.trials[19], status=TrialStatus.STAGED, metadata=None, started_at=None)
    )
    run = experiment.runs[0]
    settings = replace(run.settings, orchestration=OrchestrationConfig(**orchestration))
    experiment.runs[0] = replace(run, settings=settings)
    return experiment


def facts_of(experiment: Experiment) -> RunFacts:
    return RunFacts(
        name=experiment.name,
        state=RunState.INTERRUPTED,
        setup=experiment.setup,
        runs=tuple(experiment.runs),
        trials=tuple(trial for _, trial in sorted(experiment.trials.items())),
    )


@pytest.fixture
def ask(qapp: QApplication) -> Iterator[Ask]:
    shown: list[InterruptedDialog] = []

    def ask(*, can_find: bool = True, **orchestration: Any) -> InterruptedDialog:
        dialog = InterruptedDialog(None, facts_of(cut_off(**orchestration)), can_find=can_find)
        shown.append(dialog)
        dialog.show()
        return dialog

    yield ask
    for dialog in shown:
        if isValid(dialog):
            dialog.close()


def offered(dialog: InterruptedDialog, index: int) -> list[str]:
    choice = dialog.rows[index].choice
    return [choice.itemText(i) for i in range(choice.count())]


def say(dialog: InterruptedDialog, index: int, key: str) -> None:
    choice = dialog.rows[index].choice
    choice.set_value(key)
    choice.chosen.emit(key)


def told(dialog: InterruptedDialog, key: str) -> Any:
    decisions: list[Any] = []
    (dialog.resumed if key == "resume" else dialog.left).connect(decisions.append)
    dialog.choose(key)
    assert len(decisions) == 1
    return decisions[0]


def test_the_runner_is_asked_unless_told_otherwise(ask: Ask) -> None:
    dialog = ask()
    assert offered(dialog, 16) == ["Ask the runner", "Mark failed", "Abandon", "Enter result…"]
    assert offered(dialog, 19) == [
        "Ask the runner", "It never ran: deploy again", "Mark failed", "Abandon", "Enter result…",
    ]  # fmt: skip
    assert dialog.buttons["resume"].isEnabled()
    assert told(dialog, "resume") == ()


def test_where_the_runner_cannot_look_a_decision_is_needed(ask: Ask) -> None:
    dialog = ask(can_find=False)
    assert offered(dialog, 19)[:2] == ["Choose…", "It never ran: deploy again"]
    assert not dialog.buttons["resume"].isEnabled()
    assert "#19" in dialog.buttons["resume"].toolTip()
    say(dialog, 19, "redeploy")
    assert dialog.buttons["resume"].isEnabled()
    assert told(dialog, "resume") == (AnswerQuestion(19, Answer.REDEPLOY),)


@pytest.mark.parametrize("rule", ["abandon", "redeploy"])
def test_the_rule_of_the_run_is_proposed(ask: Ask, rule: str) -> None:
    dialog = ask(can_find=False, uncertain_deployment=rule)
    assert dialog.buttons["resume"].isEnabled()
    assert told(dialog, "resume") == (AnswerQuestion(19, Answer(rule)),)


def test_each_trial_becomes_what_was_said(ask: Ask) -> None:
    dialog = ask()
    say(dialog, 16, "mark_failed")
    say(dialog, 18, "abandon")
    say(dialog, 19, "mark_failed")
    failed, abandoned, uncertain = told(dialog, "leave_stopped")
    assert isinstance(failed, MarkFailed)
    assert failed.trial_index == 16
    assert isinstance(abandoned, Abandon)
    assert abandoned.trial_index == 18
    assert uncertain == AnswerQuestion(19, Answer.MARK_FAILED)


def test_a_result_is_entered_in_a_dialog_of_its_own(ask: Ask) -> None:
    dialog = ask(can_find=False)
    say(dialog, 19, "enter_result")
    entry: Any = dialog.findChild(QDialog, "dialog.enter_result")
    # Until it is entered nothing is decided.
    assert dialog.rows[19].key == ""
    assert not dialog.buttons["resume"].isEnabled()
    entry.fields["Yield"][0].setText("81.5")
    entry.fields["Impurity"][0].setText("1.2")
    entry.choose("ok")
    assert dialog.rows[19].choice.currentText() == "Enter result…"
    assert told(dialog, "resume") == (EnterResult(19, {"Yield": 81.5, "Impurity": 1.2}),)


def test_what_the_runner_says_stands_in_the_row(ask: Ask, qtbot: QtBot) -> None:
    dialog = ask()
    with qtbot.waitSignal(dialog.check_requested):
        dialog._check.click()
    assert not dialog._check.isEnabled()
    dialog.show_told(16, TrialStatus.RUNNING)
    dialog.show_told(18, AxdeskError("No reply from the cell."))
    assert not dialog._check.isEnabled()
    dialog.show_told(19, None)
    assert dialog._check.isEnabled()
    words = [dialog.rows[i]._word.text() for i in (16, 18, 19)]
    assert words == ["Still running", "No reply from the cell.", "It never started"]
    assert dialog._checked.text().startswith("Checked at ")


def test_a_choice_shows_its_whole_text(ask: Ask) -> None:
    dialog = ask(can_find=False)
    say(dialog, 19, "redeploy")
    choice = dialog.rows[19].choice
    icon_and_chevron = choice.iconSize().width() + 2 * 14
    words = choice.fontMetrics().horizontalAdvance(choice.currentText())
    assert choice.width() >= words + icon_and_chevron


def test_a_trial_that_surely_did_not_start_needs_no_decision(qapp: QApplication) -> None:
    experiment = cut_off()
    experiment.put(replace(experiment.trials[19], staged_at=None))
    facts = facts_of(experiment)
    assert shown_as(facts, 19) == "to_be_deployed"
    dialog = InterruptedDialog(None, facts, can_find=False)
    assert offered(dialog, 19)[0] == "It never ran: deploy again"
    assert told(dialog, "resume") == (AnswerQuestion(19, Answer.REDEPLOY),)
    dialog.close()


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.FAILED, RunState.COMPLETED])
def test_nothing_is_being_launched_where_no_run_goes_on(state: RunState) -> None:
    facts = replace(facts_of(cut_off()), state=state)
    assert shown_as(facts, 19) == "may_have_started"
    opening = replace(facts, state=RunState.STARTING, is_opening=True)
    assert shown_as(opening, 19) == "may_have_started"
    assert shown_as(replace(facts, state=RunState.RUNNING), 19) == "staged"


def test_the_runner_is_said_to_be_asked_only_where_it_can_be(ask: Ask) -> None:
    for can_find in (True, False):
        dialog = ask(can_find=can_find)
        texts = [found.text() for found in dialog.findChildren(QLabel)]
        [sentence] = [text for text in texts if text.startswith("axdesk ended")]
        assert ("have the runner asked" in sentence) == can_find


def test_it_is_said_when_axdesk_ended(qapp: QApplication) -> None:
    at = datetime(2026, 11, 24, 12, 59, tzinfo=UTC)
    written = f"{clock(at, datetime.now(UTC))} while 3 trials were running"
    experiment = cut_off()
    experiment.runs[0] = replace(experiment.runs[0], ended_at=at)
    facts = facts_of(experiment)
    assert sentence_of(facts).startswith(f"axdesk ended at {written}")
    # Nothing tells of a sign of life while a run only waits: it may have ended much later.
    for index in (16, 18):
        experiment.put(replace(experiment.trials[index], reason="no reply"))
    assert sentence_of(facts_of(experiment)).startswith(f"axdesk ended after {written}")


def sentence_of(facts: RunFacts) -> str:
    dialog = InterruptedDialog(None, facts, can_find=True)
    texts = [found.text() for found in dialog.findChildren(QLabel)]
    dialog.deleteLater()
    return next(text for text in texts if text.startswith("axdesk ended"))


@pytest.mark.parametrize("answers", [tuple(Answer), tuple(Answer)[1:]])
def test_only_asking_is_proposed_in_attention(
    qapp: QApplication, answers: tuple[Answer, ...]
) -> None:
    view, model = AttentionView(), AttentionModel()
    view.set_model(model)
    question = Question(1, "It may have started.", "Nothing.", answers)
    model.set_questions([question_item(question, "cell", datetime.now(UTC))])
    names = {
        button.objectName() for button in view.findChildren(Button) if button.kind == "primary"
    }
    asks = {"attention.answer.ask_runner"} if Answer.ASK_RUNNER in answers else set()
    assert names == asks
