"""How sizes, backups and the state of a database are written."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from axdesk.gui.models.formatting import clock, counted, with_unit

if TYPE_CHECKING:
    from axdesk.api.rescue import Backup, DatabaseFacts

_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_LITTLE = 100_000
"""Bytes that are not worth being told of."""


def size_text(size: int) -> str:
    """Write a number of bytes: `640 kB`, `2.4 MB`."""
    for factor, unit in _UNITS:
        if size >= factor:
            decimals = 1 if size < 100 * factor and factor > 1e3 else 0
            return with_unit(f"{size / factor:.{decimals}f}", unit)
    return with_unit(str(size), "bytes")


def fact_rows(facts: "DatabaseFacts", now: datetime) -> list[tuple[str, str]]:
    """Return name and value of what is known of a database."""
    journal = f" and {size_text(facts.journal_size)} not yet in it" if facts.journal_size else ""
    free = f", of which {size_text(facts.free_size)} free" if facts.free_size >= _LITTLE else ""
    rows = [
        ("File", str(facts.path)),
        ("Size", f"{size_text(facts.size)}{free}{journal}"),
        ("Holds", contents_text((facts.experiments, facts.trials))),
    ]
    if facts.files_size is not None:
        rows.append(("Attached files", size_text(facts.files_size)))
    last = facts.last_backup
    rows.append(("Last backup", "none yet" if last is None else clock(last.made_at, now)))
    return rows


def contents_text(contents: tuple[int, int] | None) -> str:
    """Write what is in a database: experiments, drafts included, and trials."""
    if contents is None:
        return "cannot be read"
    return f"{counted(contents[0], 'experiment')}, {counted(contents[1], 'trial')}"


def backup_cells(backup: "Backup", now: datetime) -> tuple[str, str, str, str]:
    """Return when, what is in it, how large it is and what it is, for a row of the list."""
    kind = "before a restore" if backup.is_former else "backup"
    return (
        clock(backup.made_at, now), contents_text(backup.contents), size_text(backup.size), kind,
    )  # fmt: skip


def damage_text(damage: Sequence[str]) -> tuple[str, str, str]:
    """Return tone, statement and sentence for what a check found."""
    if not damage:
        return "good", "The database is sound.", "Every page, row and reference was checked."
    more = f" and {len(damage) - 1} more" if len(damage) > 1 else ""
    sentence = f"{damage[0].rstrip('.')}{more}. Restore a backup, or close and open axdesk, which "
    return "bad", "The database is damaged.", f"{sentence}offers to salvage what can be read."
