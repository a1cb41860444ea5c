"""What a run asks a person: each question once, and settled once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from axdesk.core.commands import AnswerQuestion
from axdesk.core.errors import AxdeskError, DecisionNeededError, UserInputError
from axdesk.core.events import Publish, QuestionAnswered, QuestionAsked
from axdesk.core.questions import Question


class OpenQuestions:
    """The questions that are open, by trial; lives in the scheduler's thread."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._open: dict[int, Question] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, trial_index: object) -> bool:
        return trial_index in self._open

    def __iter__(self) -> Iterator[Question]:
        return iter(self._open.values())

    @property
    def trial_indices(self) -> tuple[int, ...]:
        """The trials that are asked about, as they were asked."""
        return tuple(self._open)

    @property
    def about_errors(self) -> tuple[Question, ...]:
        """Those that keep the run from launching until they are answered."""
        return tuple(question for question in self if question.failed_call is not None)

    def ask(self, question: Question) -> None:
        """Ask, in place of what was asked about the trial before."""
        self.withdraw(question.trial_index)
        self._open[question.trial_index] = question
        self._publish(QuestionAsked(question))

    def withdraw(self, trial_index: int) -> None:
        """Ask no longer: what became of the trial is known without an answer."""
        if self._open.pop(trial_index, None) is not None:
            self._publish(QuestionAnswered(trial_index, None))

    def answer(
        self, command: AnswerQuestion, carry_out: Callable[[Question, AnswerQuestion], None]
    ) -> None:
        """Have an answer carried out, and settle the question.

        Raises:
            UserInputError: If no such question is open, or the answer is not among its answers.
        """
        index, answer = command.trial_index, command.answer
        question = self._open.get(index)
        if question is None:
            raise UserInputError(f"No question about trial {index} is open.")
        if answer not in question.answers:
            allowed = ", ".join(question.answers)
            raise UserInputError(f"{answer!r} is no answer here; allowed are {allowed}.")
        if command.for_the_rest and not question.may_repeat(answer):
            raise UserInputError(
                f"{answer!r} cannot be answered beforehand for the rest of the run.",
                "Answer for this trial alone.",
            )
        with self._settled(question):
            carry_out(question, command)
        self._publish(QuestionAnswered(index, answer))

    @contextmanager
    def _settled(self, question: Question) -> Iterator[None]:
        """Take a question away; put it back if the answer cannot be carried out."""
        del self._open[question.trial_index]
        try:
            yield
        except AxdeskError:
            self._open[question.trial_index] = question
            raise


def decision_needed(questions: Iterable[Question]) -> DecisionNeededError:
    """Return what ends a run whose questions nobody is there to answer."""
    errors = [question for question in questions if question.failed_call is not None]
    unknown = [question.trial_index for question in questions if question.failed_call is None]
    told = [f"Nobody knows what became of {named(unknown)}."] if unknown else []
    told += [f"A decision is needed: {question.happened}" for question in errors]
    return DecisionNeededError(
        " ".join(told),
        "Look at the instrument, then decide: client.answer_question or client.complete_trial, or "
        "`axdesk --headless resume NAME` with --answer or --result; for all such trials by "
        "uncertain_deployment or on_error.",
        trial_indices=tuple(question.trial_index for question in questions),
    )


def named(indices: Sequence[int]) -> str:
    """Return trials, in words: `"trials 1, 2"`."""
    are = "trial" if len(indices) == 1 else "trials"
    return f"{are} {', '.join(map(str, indices))}"
