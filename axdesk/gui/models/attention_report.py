"""What is passed on of an item of Attention: the report to copy, and the file to look at."""

import platform
import re

from PySide6 import __version__ as pyside_version

from axdesk import __version__
from axdesk.core.setup import ExperimentSetup
from axdesk.gui.models.attention_model import AttentionItem
from axdesk.gui.models.run_facts import RunFacts

_FRAME = re.compile(r'^\s*File "(?:.*[\\/])?([^"\\/]+)", line \d+', re.MULTILINE)


def report_of(item: AttentionItem, facts: RunFacts) -> str:
    """Return an item as text for whoever is to help, with the versions of all that took part."""
    run = facts.run
    plugins = [f"{name} (SHA-256 {sha256})" for name, sha256 in (run.plugin_hashes if run else ())]
    lines = [
        item.report,
        f"When: {item.at:%Y-%m-%d %H:%M:%S} UTC{f', {item.count} times' * (item.count > 1)}",
        f"Experiment: {facts.name}, {facts.state.value.replace('_', ' ')}",
        f"axdesk {__version__}, Python {platform.python_version()}, PySide6 {pyside_version}, "
        f"{platform.system()} {platform.release()}",
        *(f"Plugin: {plugin}" for plugin in plugins),
    ]
    return "\n".join(lines)


def plugin_file_of(item: AttentionItem, setup: ExperimentSetup | None) -> str:
    """Return the name of the plugin file that an item is about; empty for none.

    That is the file in which the traceback begins, else the one of the metric or the runner whose
    call failed.
    """
    frames = _FRAME.findall(item.details)
    if frames:
        return str(frames[0])
    if setup is None or item.trial_index is None:
        return ""
    for name, choice in setup.metrics:
        kind = choice.reference.rpartition(":")[2]
        said = (f"fetching {name} ", f"metric {name!r} ", f"{kind}.fetch ")
        if any(words in item.happened for words in said):
            return choice.file_name
    return "" if setup.runner is None else setup.runner.file_name
