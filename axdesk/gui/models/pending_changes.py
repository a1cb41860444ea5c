"""Edits of the set-up that the run does not know yet: in words, and as commands."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from axdesk.core.commands import ChangeRunSettings, Command, EditSetup
from axdesk.core.draft_cells import Row, Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.run import RunSettings
from axdesk.core.setup import ExperimentSetup
from axdesk.gui.models.setup_texts import SECTION_TITLES, field_title

_ROWS = {Section.PARAMETERS: "Parameter", Section.OBJECTIVES: "Metric"}
_PLUGINS = ("plugin_folder", "plugin_python", "runner", "metrics")


@dataclass(frozen=True, slots=True)
class PendingChanges:
    """What differs between what is typed and what holds.

    Attributes:
        words: Each change as `Temperature, High: 120 → 130`.
        problems: How many problems keep them from being applied.
        takes_effect: When they do, as a sentence part; empty if they can be applied now.
        why_not: Why they cannot be applied now; empty if they can.
        is_applying: Whether they are being applied.
        refusal: Why the run did not take the last ones; empty if it did.
    """

    words: tuple[str, ...] = ()
    problems: int = 0
    takes_effect: str = ""
    why_not: str = ""
    is_applying: bool = False
    refusal: str = ""

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.words or self.problems or self.refusal)


def commands_to(setup: ExperimentSetup, run: RunSettings, wanted: ExperimentSetup) -> list[Command]:
    """Return what leads a run that goes on to another set-up.

    Args:
        setup: As it is stored.
        run: The settings of the run that goes on.
        wanted: What it shall be; plugins stay what they are.
    """
    commands: list[Command] = []
    parts = {
        part.name: new
        for part in fields(EditSetup)
        if part.name != "run" and (new := getattr(wanted, part.name)) != getattr(setup, part.name)
    }
    if parts:
        commands.append(EditSetup(**parts))
    settings = {
        part.name: new
        for part in fields(ChangeRunSettings)
        if (new := getattr(wanted.run, part.name)) != getattr(run, part.name)
    }
    if settings:
        commands.append(ChangeRunSettings(**settings))
    return commands


def needs_stop(setup: ExperimentSetup, wanted: ExperimentSetup) -> bool:
    """Whether a run must end before it can take a set-up: it has other plugins."""
    return any(getattr(setup, part) != getattr(wanted, part) for part in _PLUGINS)


def changes_in_words(before: ExperimentSetup, after: ExperimentSetup) -> tuple[str, ...]:
    """Say what differs between two set-ups."""
    return tuple(_differences(draft_of(before), draft_of(after)))


def _differences(before: Draft, after: Draft) -> Iterator[str]:
    for section in Section:
        old, new = before.rows(section), after.rows(section)
        if old == new:
            continue
        if section is Section.CONSTRAINTS:
            yield from _constraints(old, new)
        elif len(old) != len(new):
            yield SECTION_TITLES[section]
        else:
            for number, (one, other) in enumerate(zip(old, new, strict=True), start=1):
                yield from _cells(section, number, one, other)


def _constraints(old: tuple[Row, ...], new: tuple[Row, ...]) -> Iterator[str]:
    was, now = ([row.get("expression", "").strip() for row in rows] for rows in (old, new))
    for text in was:
        if text not in now:
            yield f"without {text}"
    for text in now:
        if text not in was:
            yield f"with {text}"


def _cells(section: Section, number: int, one: Row, other: Row) -> Iterator[str]:
    name = one.get("name", "") or f"{_ROWS.get(section, 'Row')} {number}"
    place = f"{name}, " if section in _ROWS else ""
    for field in dict.fromkeys((*one, *other)):
        was, now = one.get(field, "").strip(), other.get(field, "").strip()
        if was != now:
            title = field_title(section, field)
            yield f"{place}{title[:1].upper()}{title[1:]}: {was or '–'} → {now or '–'}"


def rebased(draft: Draft, before: ExperimentSetup, after: ExperimentSetup) -> Draft:
    """Return a draft that keeps what was edited and takes over what holds now for the rest.

    Args:
        draft: As it is typed.
        before: What held when it was typed.
        after: What holds now.
    """
    old, new = draft_of(before), draft_of(after)
    for section in Section:
        was, now, mine = old.rows(section), new.rows(section), draft.rows(section)
        if was == now:
            continue
        if len(was) == len(now) == len(mine):
            rows = [_merged(*cells) for cells in zip(mine, was, now, strict=True)]
            draft = draft.with_rows(section, rows)
        elif mine == was:
            draft = draft.with_rows(section, now)
    return draft


def _merged(mine: Row, was: Row, now: Row) -> Row:
    taken = {
        field: now.get(field, "")
        for field in dict.fromkeys((*was, *now))
        if mine.get(field, "") == was.get(field, "") != now.get(field, "")
    }
    return {**mine, **taken}


def what_holds(setup: ExperimentSetup, run: RunSettings | None) -> ExperimentSetup:
    """Return the stored set-up with the settings of the last run, if there is one."""
    return setup if run is None else replace(setup, run=run)
