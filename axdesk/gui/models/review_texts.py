"""What the review says of a pre-flight."""

from datetime import datetime, timedelta

from axdesk.core.preflight import CheckLine, Preflight, Verdict
from axdesk.core.setup import ExperimentSetup
from axdesk.gui.models.formatting import clock, counted, duration
from axdesk.gui.models.preflight_model import PreflightModel
from axdesk.gui.models.setup_texts import summary_rows

_FINDINGS = {
    "Test": "The plugins were not tested as they are",
    "Storage": "The place of the database",
    "Control": "Another axdesk",
    "Run settings": "Run settings",
}


def review_sentence(model: PreflightModel) -> str:
    """What stands below the title of the review."""
    if model.is_checking:
        return "Checking…"
    if model.failure:
        return f"Not checked: {model.failure}"
    if model.checked_at is None or model.is_due:
        return "Not checked yet."
    at = model.checked_at.astimezone().strftime("%H:%M:%S")
    return f"Checked at {at}, and again when you press Start."


def warning_title(line: CheckLine) -> str:
    """What a warning is about, as a head."""
    return _FINDINGS.get(line.title, line.title)


def passed_lines(report: Preflight | None) -> list[tuple[str, str]]:
    """The checks that passed: title and what was found."""
    passed = () if report is None else report.of(Verdict.PASSED)
    return [(line.title, line.message) for line in passed if line.title != "Duration"]


def passed_note(report: Preflight) -> str:
    """How many checks passed, of how many: `9 of 10 checks`."""
    lines = [line for line in report.lines if line.title != "Duration"]
    passed = sum(line.verdict is Verdict.PASSED for line in lines)
    if passed == len(lines):
        return counted(passed, "check")
    return f"{passed} of {counted(len(lines), 'check')}"


def run_rows(
    setup: ExperimentSetup, report: Preflight | None, now: datetime
) -> list[tuple[str, str]]:
    """What the run will do and when it would end, in lines of name and value."""
    rows = summary_rows(setup)
    seconds = None if report is None else report.run_seconds
    if seconds is not None:
        end = now + timedelta(seconds=seconds)
        rows += [("Duration", f"about {duration(seconds)}"), ("Ends", f"about {clock(end, now)}")]
    elif report is not None:
        rows.append(("Duration", "known after the first trial"))
    return rows
