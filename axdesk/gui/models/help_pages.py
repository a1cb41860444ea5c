"""The pages of the help, and which of them tells of what: by object name, the nearest one wins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from axdesk.core.resources import resource_path

START = "start.md"
CODES = "codes.md"

ORDER = (
    START, "window.md", "general.md", "parameters.md", "objectives.md", "constraints.md",
    "runner.md", "run-settings.md", "review.md", "monitor.md", "trials.md", "inspector.md",
    "corrections.md", "attention.md", "interrupted.md", "plugins.md", "database.md", "headless.md",
    "keyboard.md", "troubleshooting.md", CODES,
)  # fmt: skip
"""The contents in order."""

PAGE_OF = {
    "window.main": START,
    "toolbar": "monitor.md",
    "toolbar.main": START,
    "toolbar.search": "keyboard.md",
    "status.banner": "monitor.md",
    "statusbar": "window.md",
    "tabs.central": "window.md",
    "tab.setup": "general.md",
    "tab.monitor": "monitor.md",
    "start": START,
    "experiments": START,
    "dock.experiments": START,
    "plugins": "plugins.md",
    "dock.plugins": "plugins.md",
    "trials": "trials.md",
    "dock.trials": "trials.md",
    "log": "window.md",
    "dock.log": "window.md",
    "attention": "attention.md",
    "dock.attention": "attention.md",
    "inspector": "inspector.md",
    "dock.inspector": "inspector.md",
    "monitor": "monitor.md",
    "database": "database.md",
    "setup.sections": "review.md",
    "setup.general": "general.md",
    "setup.parameters": "parameters.md",
    "setup.objectives": "objectives.md",
    "setup.constraints": "constraints.md",
    "setup.runner": "runner.md",
    "setup.metrics": "runner.md",
    "setup.run": "run-settings.md",
    "setup.review": "review.md",
    "setup.apply": "run-settings.md",
    "dialog.about": "troubleshooting.md",
    "dialog.add_trials": "run-settings.md",
    "dialog.abandon": "corrections.md",
    "dialog.close": "interrupted.md",
    "dialog.crash": "troubleshooting.md",
    "dialog.earlier_crash": "troubleshooting.md",
    "dialog.report_problem": "troubleshooting.md",
    "dialog.database": "database.md",
    "dialog.restore": "database.md",
    "dialog.delete": "database.md",
    "dialog.dry_test": "runner.md",
    "dialog.enter_result": "corrections.md",
    "dialog.file_problems": CODES,
    "dialog.interrupted": "interrupted.md",
    "dialog.manual_trial": "corrections.md",
    "dialog.void": "corrections.md",
    "dialog.go_to": "trials.md",
    "dialog.mark_failed": "corrections.md",
    "dialog.new_plugin": "plugins.md",
    "dialog.not_saved": CODES,
    "dialog.note": "corrections.md",
    "dialog.palette": "keyboard.md",
    "dialog.preferences": "window.md",
    "dialog.save_layout": "window.md",
    "dialog.save_template": START,
    "dialog.shortcuts": "keyboard.md",
    "dialog.stop": "monitor.md",
    "dialog.stop_now": "monitor.md",
    "dialog.stop_run": "attention.md",
}
"""Object name, or the head of one up to a dot → page; the longest head that fits counts."""


@dataclass(frozen=True, slots=True)
class HelpPage:
    """One page: its file's name, its title and its text in Markdown."""

    name: str
    title: str
    text: str


def read_pages() -> tuple[HelpPage, ...]:
    """Read the pages that come with axdesk, in the order of the contents."""
    pages = []
    for name in ORDER:
        text = resource_path("help", name).read_text("utf-8")
        pages.append(HelpPage(name, text.partition("\n")[0].removeprefix("# ").strip(), text))
    return tuple(pages)


def page_of(object_name: str) -> str | None:
    """The page that tells of a widget of this name; None if none does by itself."""
    parts = object_name.split(".")
    heads = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((PAGE_OF[head] for head in heads if head in PAGE_OF), None)


def page_for(object_names: Iterable[str]) -> str:
    """The page for a widget, given its own name and those of its ancestors, the nearest first."""
    found = (page_of(name) for name in object_names if name)
    return next((page for page in found if page is not None), START)


def pages_with(pages: Sequence[HelpPage], query: str) -> tuple[HelpPage, ...]:
    """The pages that contain each word typed, those with all of them in the title first."""
    words = query.casefold().split()
    found = [page for page in pages if all(word in page.text.casefold() for word in words)]
    return tuple(
        sorted(found, key=lambda page: not all(word in page.title.casefold() for word in words))
    )
