"""The set-up of an experiment: everything that is decided before the first trial."""

from dataclasses import dataclass, field
from typing import Literal

from axdesk.core.errors import UserInputError
from axdesk.core.names import checked_name, first_duplicate
from axdesk.core.objective import OptimizationConfig
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import RunSettings
from axdesk.core.search_space import SearchSpace
from axdesk.core.setting_checks import check_count

GENERATION_METHODS = ("fast", "quality", "random_search")
"""How candidates can be made."""


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How candidates are made.

    Attributes:
        method: `"fast"`; `"quality"`, whose model finds out which parameters matter and takes
            several times as long; `"random_search"` for space-filling points only.
        initialization_budget: Space-filling trials before the model takes over, at least 1.
        initialize_with_center: Whether the first of them is the start values, or the centre.
        seed: Every seed derives from it and the trial index.
        min_observed_initialization_trials: Trials with results before the model takes over, at
            least 1; None for half of the budget, at least 2.
        use_existing_trials_for_initialization: Whether trials that a person chose or imported count
            towards the budget.
    """

    method: Literal["fast", "quality", "random_search"] = "fast"
    initialization_budget: int = 5
    initialize_with_center: bool = True
    seed: int = 0
    min_observed_initialization_trials: int | None = None
    use_existing_trials_for_initialization: bool = True

    def __post_init__(self) -> None:
        if self.method not in GENERATION_METHODS:
            raise UserInputError(
                f"The generation method is {self.method!r}; "
                f"allowed are {', '.join(map(repr, GENERATION_METHODS))}."
            )
        for name, low in (
            ("initialization_budget", 1),
            ("seed", 0),
            ("min_observed_initialization_trials", 1),
        ):
            value = getattr(self, name)
            if value is not None or name != "min_observed_initialization_trials":
                check_count(name, value, low=low)

    @property
    def needed_results(self) -> int:
        """Trials with results before the model takes over."""
        given = self.min_observed_initialization_trials
        return max(2, self.initialization_budget // 2) if given is None else given


def initial_design_size(space: SearchSpace) -> int:
    """Return how many space-filling trials come first where nobody says how many.

    Five up to six parameters, which is Ax's number for any number of them; from there on one more
    for every two parameters, so that the design has points on both sides of each parameter's
    middle that are not confounded with another's. More is waste: the prior on length scales, which
    grows with the dimension, makes the model useful from few points on.
    """
    searched = sum(not parameter.is_fixed for parameter in space.tunable)
    return max(5, searched // 2 + 2)


@dataclass(frozen=True, slots=True)
class ExperimentSetup:
    """What an experiment file, a checked draft and a stored experiment all say.

    Attributes:
        name: A label, unique in its database.
        search_space: Where trials may lie.
        optimization: What is optimised.
        description: Free text.
        owner: Free text.
        generation: How candidates are made.
        runner: The runner's plugin; None if the library was given an object.
        metrics: (metric name, plugin) of each metric that a plugin fetches; kept in the order of
            `optimization.metric_names`.
        plugin_folder: Where the plugin files lie; empty for the default folder.
        plugin_python: The Python program that runs them, 3.11 or newer; empty for axdesk's own.
        run: Settings of the next run.
    """

    name: str
    search_space: SearchSpace
    optimization: OptimizationConfig
    description: str = ""
    owner: str = ""
    generation: GenerationSettings = field(default_factory=GenerationSettings)
    runner: PluginChoice | None = None
    metrics: tuple[tuple[str, PluginChoice], ...] = ()
    plugin_folder: str = ""
    plugin_python: str = ""
    run: RunSettings = field(default_factory=RunSettings)

    def __post_init__(self) -> None:
        checked_name(self.name, "experiment")
        twice = first_duplicate(tuple(name for name, _ in self.metrics))
        if twice is not None:
            raise UserInputError(f"Two plugins fetch the metric {twice!r}.", "Keep one of them.")
        known = dict(self.metrics)
        ordered = tuple((n, known.pop(n)) for n in self.optimization.metric_names if n in known)
        object.__setattr__(self, "metrics", (*ordered, *known.items()))

    @property
    def unfetched_metrics(self) -> tuple[str, ...]:
        """Metrics of the objective and the limits that no plugin fetches."""
        fetched = {name for name, _ in self.metrics}
        return tuple(n for n in self.optimization.required_metrics if n not in fetched)
