"""What the columns of a file tell, guessed from their heads."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from axdesk.core.errors import UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.texts import shown
from axdesk.core.trial_columns import ColumnRole, ColumnUse
from axdesk.exchange.trials_table import trial_columns

_HEADS: Mapping[ColumnRole, tuple[str, ...]] = {
    ColumnRole.STATUS: ("status", "trial status", "state", "outcome"),
    ColumnRole.ARM: ("arm", "arm name"),
    ColumnRole.NOTE: ("note", "notes", "comment", "comments", "remark", "remarks",
                      "bemerkung", "bemerkungen", "kommentar", "notiz"),
    ColumnRole.REASON: ("reason", "failure reason"),
    ColumnRole.EXCLUDED: ("excluded",),
    ColumnRole.STARTED: ("started", "start", "begin", "started at"),
    ColumnRole.FINISHED: ("finished", "end", "ended", "finished at"),
    ColumnRole.DURATION: ("duration",),
    ColumnRole.TRIAL: ("trial", "trial index"),
    ColumnRole.SOURCE: ("source",),
}  # fmt: skip
_OF_MEANS = ("", " mean", " average", " avg", " value")
_OF_SEMS = (" sem", " se", " standard error", " std error", " std err", " ±", " +-", " error")
_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]")
_TAIL = re.compile(r"^(.*\S)(?:\s*/\s*|\s+in\s+)(\S+)$")

IGNORED = ColumnUse(ColumnRole.IGNORED)


def known_heads(experiment: Experiment) -> dict[str, ColumnUse]:
    """Return head, as `normal` has it → what such a column tells."""
    found: dict[str, ColumnUse] = {}
    for parameter in experiment.search_space.parameters:
        for name in _spellings(parameter.name):
            found.setdefault(name, ColumnUse(ColumnRole.PARAMETER, parameter.name))
    for metric in experiment.optimization.metric_names:
        for ends, role in ((_OF_MEANS, ColumnRole.MEAN), (_OF_SEMS, ColumnRole.SEM)):
            for end in ends:
                for name in _spellings(metric):
                    found.setdefault(normal(f"{name}{end}"), ColumnUse(role, metric))
    for role, heads in _HEADS.items():
        for head in heads:
            found.setdefault(head, ColumnUse(role))
    return found


def _spellings(name: str) -> Iterator[str]:
    yield normal(name)
    without = normal(_BRACKETS.sub("", name))
    if without:
        yield without


def normal(head: str) -> str:
    """Return a head without what differs from one spelling to another."""
    text = unicodedata.normalize("NFKC", head).casefold().replace("_", " ")
    return " ".join(text.split())


def guessed_uses(
    experiment: Experiment, heads: Sequence[str]
) -> tuple[tuple[ColumnUse, ...], tuple[str, ...]]:
    """Return what each column tells, and its unit, as far as its head says so.

    The heads of an export are understood exactly; the same use is given once.
    """
    exact = {column.head: column.use for column in trial_columns(experiment)}
    if sum(head in exact for head in heads) == len(exact):
        return tuple(exact.get(head, IGNORED) for head in heads), ("",) * len(heads)
    known, taken = known_heads(experiment), set[ColumnUse]()
    uses, units = list[ColumnUse](), list[str]()
    for head in heads:
        use, unit = _guessed(head, known)
        if use in taken:
            use = IGNORED
        elif use != IGNORED:
            taken.add(use)
        uses.append(use)
        units.append(unit)
    return tuple(uses), tuple(units)


def _guessed(head: str, known: Mapping[str, ColumnUse]) -> tuple[ColumnUse, str]:
    if (whole := known.get(normal(head))) is not None:
        return whole, ""  # brackets, if any, belong to the name
    for match in _BRACKETS.finditer(head):
        rest = normal(head[: match.start()] + head[match.end() :])
        if rest in known:
            return known[rest], match[1].strip()
    tail = _TAIL.match(head.strip())
    if tail is not None and normal(tail[1]) in known:
        return known[normal(tail[1])], tail[2]
    return IGNORED, ""


def named_use(experiment: Experiment, text: object) -> ColumnUse:
    """Return the use that somebody means by a text.

    Args:
        experiment: Whose parameters and metrics it may name.
        text: A parameter, a metric, `METRIC sem`, a role such as `note`, or `ignored`.

    Raises:
        UserInputError: If it is none of these.
    """
    if not isinstance(text, str):
        raise UserInputError(f"{shown(text)} is no text that says what a column tells.")
    if normal(text) in ("ignored", "ignore", "-", ""):
        return IGNORED
    tunable = experiment.search_space.tunable
    names = {p.name: ColumnUse(ColumnRole.PARAMETER, p.name) for p in tunable}
    for metric in experiment.optimization.metric_names:
        names.setdefault(metric, ColumnUse(ColumnRole.MEAN, metric))
        names.setdefault(f"{metric} sem", ColumnUse(ColumnRole.SEM, metric))
    found = names.get(text) or known_heads(experiment).get(normal(text))
    if found is None:
        roles = ", ".join(role.value for role in _HEADS)
        raise UserInputError(
            f"{text!r} is nothing that a column can tell.",
            f"It may be {', '.join(names)}, {roles}, or ignored.",
        )
    return found


def head_row_of(experiment: Experiment, rows: Sequence[Sequence[object]]) -> int:
    """Return the number, from 0, of the row of heads; -1 if the first row has values already.

    It is the row among the first ones in which most heads are known, else the first row with
    anything in it, unless that has numbers.
    """
    known = known_heads(experiment)
    exact = {column.head for column in trial_columns(experiment)}
    best, most = -1, 0
    for number, row in enumerate(rows[:_MOST_BEFORE_HEADS]):
        heads = [cell for cell in row if isinstance(cell, str)]
        score = sum(h in exact or _guessed(h, known)[0] != IGNORED for h in heads)
        if score > most:
            best, most = number, score
    if best >= 0:
        return best
    first = next((n for n, row in enumerate(rows) if any(cell is not None for cell in row)), -1)
    has_numbers = first >= 0 and any(_is_number(cell) for cell in rows[first])
    return -1 if has_numbers else first


_MOST_BEFORE_HEADS = 30
_NUMBER = re.compile(r"\s*[+-]?[\d.,]+\s*")


def _is_number(cell: object) -> bool:
    if isinstance(cell, str):
        return _NUMBER.fullmatch(cell) is not None
    return isinstance(cell, int | float) and not isinstance(cell, bool)
