"""What an experiment of the campaign is, and its experiment file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NAME = "faults"
TRIALS = 8
PARALLELISM = 3
PLUGINS = Path(__file__).with_name("lab")

_USUAL_RUN: Mapping[str, object] = {
    "max_trials": TRIALS,
    "parallelism": PARALLELISM,
    "initial_seconds_between_polls": 0.02,
    "min_seconds_between_launches": 0.0,
}
_PARAMETERS = """
[[parameters]]
name = "x"
type = "float"
low = 0.0
high = 1.0

[[parameters]]
name = "y"
type = "int"
low = 0
high = 1000
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An experiment; as it is unless told: random search, runner and metric of `journal.py`.

    Attributes:
        runner: Its plugin; every plugin has an option `journal`.
        metric: The plugin of each of the metrics.
        runner_options: On top of the journal.
        metric_options: On top of the journal.
        metrics: Their names.
        objective: Of them.
        run: Settings of the run that differ from the usual ones.
        method: Of generation.
        description: Of the experiment.
        parameters: As tables of the file; at least `x` and `y`.
        extra: Further tables.
        plugins: The plugin folder.
    """

    runner: str = "journal.py:FindingRunner"
    metric: str = "journal.py:JournalMetric"
    runner_options: Mapping[str, object] = field(default_factory=dict)
    metric_options: Mapping[str, object] = field(default_factory=dict)
    metrics: Sequence[str] = ("value",)
    objective: str = "value"
    run: Mapping[str, object] = field(default_factory=dict)
    method: str = "random_search"
    description: str = ""
    parameters: str = _PARAMETERS
    extra: str = ""
    plugins: Path = PLUGINS

    @property
    def trials(self) -> int:
        """The budget."""
        return int(str(self.run.get("max_trials", TRIALS)))

    def text(self, journal: Path) -> str:
        """Return the experiment file."""
        return "\n".join(self._lines(journal))

    def _lines(self, journal: Path) -> Iterator[str]:
        where = {"journal": str(journal)}
        yield from _table(
            "experiment",
            {
                "name": NAME,
                "description": self.description,
                "plugin_folder": str(self.plugins),
            },
        )
        yield self.parameters
        yield from _table("optimization", {"objective": self.objective})
        yield from _table("generation", {"method": self.method, "seed": 7, "initial_trials": 3})
        yield from _table("runner", {"plugin": self.runner})
        yield from _table("runner.options", {**where, **self.runner_options})
        for name in self.metrics:
            yield from _table(f"metrics.{name}", {"plugin": self.metric})
            yield from _table(f"metrics.{name}.options", {**where, **self.metric_options})
        yield from _table("run", {**_USUAL_RUN, **self.run})
        yield self.extra


def _table(name: str, content: Mapping[str, object]) -> Iterator[str]:
    yield f"[{name}]"
    for key, value in content.items():
        yield f"{key} = {json.dumps(value, ensure_ascii=False)}"
