"""The part of a client that says what is varied, optimised, deployed and fetched."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from axdesk import generation
from axdesk.api.client_state import ClientState
from axdesk.core.arguments import with_checked_arguments
from axdesk.core.commands import EditSetup
from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.errors import UnsupportedError, UserInputError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.names import checked_name
from axdesk.core.objective import OptimizationConfig, parse_objectives
from axdesk.core.parameters import ParameterConfig, TParameterization
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings, initial_design_size


@with_checked_arguments
class SetupMethods(ClientState):
    """Configures an experiment."""

    def configure_experiment(
        self,
        parameters: Sequence[ParameterConfig],
        parameter_constraints: Sequence[str] | None = None,
        name: str | None = None,
        description: str | None = None,
        experiment_type: str | None = None,
        owner: str | None = None,
    ) -> None:
        """Say what may change.

        Args:
            parameters: Ranges, choices and derived ones, at least one that is on.
            parameter_constraints: Such as `"x1 + 2*x2 <= 3"` or `"a + b + c = 100"`, in the
                parameters' units. Every suggestion keeps them.
            name: Needed where the experiment is kept in a database.
            description: Free text.
            experiment_type: Kept in the description's place where that is empty.
            owner: Free text.

        Raises:
            UserInputError: If a value is not allowed, or the constraints cannot all be met:
                then those that clash are named.
            UnsupportedError: If the experiment is configured already.
        """
        if self._experiment is not None:
            raise UnsupportedError(
                "The experiment is configured already.",
                "Change it with edit_experiment, or make a new Client for another one.",
            )
        if name is None and self._is_kept:
            raise UserInputError(
                "An experiment in a database needs a name.", "Give configure_experiment a name."
            )
        constraints = tuple(ParameterConstraint.parse(t) for t in parameter_constraints or ())
        space = SearchSpace(tuple(parameters), constraints)
        generation.check_feasible(space)
        self._texts = {
            "name": checked_name(name or "experiment", "experiment"),
            "description": description or experiment_type or "",
            "owner": owner or "",
        }
        self._keep_setup(EditSetup(search_space=space))

    def edit_experiment(
        self,
        parameters: Sequence[ParameterConfig] | None = None,
        parameter_constraints: Sequence[str] | None = None,
        name: str | None = None,
        description: str | None = None,
        owner: str | None = None,
    ) -> None:
        """Change what may change, also after trials were run; None leaves as it is.

        A changed search space becomes a new version: trials say which one they were made for, and
        the history says what it was before. Earlier trials stay; the model learns from those that
        have a value of each parameter. A run that goes on has to be paused, and suggests by the new
        set-up once it is resumed; here and in the other methods that configure, but for runner and
        metrics. The objective is changed with `configure_optimization`.

        Args:
            parameters: All of them, changed or not.
            parameter_constraints: All of them; an empty list for none.
            name: Unique in its database.
            description: Free text.
            owner: Free text.

        Raises:
            UserInputError: If a value is not allowed, the constraints cannot all be met, or the
                name is taken.
            TransitionError: If a run goes on that is not paused.
            ExperimentBusyError: If another process or client drives the experiment.
        """
        space = self.experiment.search_space
        changes: dict[str, Any] = {"name": name, "description": description, "owner": owner}
        if parameters is not None or parameter_constraints is not None:
            texts = None if parameter_constraints is None else tuple(parameter_constraints)
            constraints = space.constraints
            if texts is not None:
                constraints = tuple(ParameterConstraint.parse(text) for text in texts)
            kept = space.parameters if parameters is None else tuple(parameters)
            changes["search_space"] = SearchSpace(kept, constraints)
        self._keep_setup(EditSetup(**changes))

    def configure_optimization(
        self,
        objective: str,
        outcome_constraints: Sequence[str] | None = None,
        pruning_target_parameterization: TParameterization | None = None,
    ) -> None:
        """Say what is optimised.

        Once there are trials, metrics that are no longer optimised or limited are recorded on, and
        the changed goals become a new version, which the trials to come know: `setup_of_trial`.

        Args:
            objective: A linear expression of metrics that is maximised; `"-m"` minimises `m`,
                `"-abs(m - 7)"` brings it close to 7, `"a, -b"` are two objectives.
            outcome_constraints: Limits on metrics, such as `"impurity <= 2"`, or relative to the
                baseline trial, `"qps >= 0.95 * baseline"`. With several objectives a limit on
                the metric of one in its own direction is its threshold.
            pruning_target_parameterization: None; others are not offered.

        Raises:
            UserInputError: If an expression is not understood, with the place.
        """
        _refuse_what_is_not_offered(
            pruning_target_parameterization=(pruning_target_parameterization, None)
        )
        limits = tuple(OutcomeConstraint.parse(text) for text in outcome_constraints or ())
        config = OptimizationConfig.of(parse_objectives(objective), limits)
        before = self._optimization
        if before is not None:
            has_trials = self._experiment is not None and bool(self._experiment.trials)
            tracked = before.metric_names if has_trials else before.tracking_metrics
            kept = tuple(m for m in tracked if m not in config.required_metrics)
            config = replace(config, tracking_metrics=kept, units=before.units)
        self._keep_setup(EditSetup(optimization=config))

    def configure_tracking_metrics(self, metric_names: Sequence[str]) -> None:
        """Record further metrics without optimising them.

        They are stored where they are fetched or told; no trial waits for them.

        Args:
            metric_names: All of them, each once; an empty list for none.

        Raises:
            UserInputError: If nothing is optimised yet, or one is optimised or limited already.
            TransitionError: If a run goes on that is not paused.
        """
        config = self._configured_optimization()
        tracked = tuple(checked_name(name, "metric") for name in metric_names)
        config = replace(config, tracking_metrics=tracked)
        self._keep_setup(EditSetup(optimization=config))

    def configure_generation_strategy(
        self,
        method: Literal["fast", "quality", "random_search"] = "fast",
        initialization_budget: int | None = None,
        initialization_random_seed: int | None = None,
        initialize_with_center: bool = True,  # noqa: FBT001, FBT002, RUF100  # the tutorial's signature
        use_existing_trials_for_initialization: bool = True,  # noqa: FBT001, FBT002, RUF100  # as above
        min_observed_initialization_trials: int | None = None,
        allow_exceeding_initialization_budget: bool = True,  # noqa: FBT001, FBT002, RUF100  # as above
        torch_device: str | None = None,
        simplify_parameter_changes: bool = False,  # noqa: FBT001, FBT002, RUF100  # as above
        fit_tracking_metrics: bool = False,  # noqa: FBT001, FBT002, RUF100  # as above
    ) -> None:
        """Say how candidates are made; stored with the experiment.

        Args:
            method: `"fast"`; `"quality"`, whose model finds out which parameters matter, for many
                parameters of which few do, and takes several times as long; `"random_search"` for
                space-filling points only.
            initialization_budget: Trials before the model takes over, at least 1; None: 5, and
                more above 6 parameters, one for every two of them.
            initialization_random_seed: Goes before the client's seed; at least 0.
            initialize_with_center: Whether the first trial is the start values, or the centre.
            use_existing_trials_for_initialization: Whether trials that were attached or imported
                count towards the budget.
            min_observed_initialization_trials: Trials with results before the model takes over, at
                least 1; None: half of the budget, at least 2.
            allow_exceeding_initialization_budget: Space-filling trials go on until there are enough
                results, so that no slot stands idle; False is not offered.
            torch_device: None or `"cpu"`; others are not offered.
            simplify_parameter_changes: True is not offered.
            fit_tracking_metrics: True is not offered: the model knows what is optimised or limited.

        Raises:
            UserInputError: If a value is not allowed.
            UnsupportedError: If one is asked for that is not offered.
        """
        _refuse_what_is_not_offered(
            allow_exceeding_initialization_budget=(allow_exceeding_initialization_budget, True),
            torch_device=(torch_device or "cpu", "cpu"),
            simplify_parameter_changes=(simplify_parameter_changes, False),
            fit_tracking_metrics=(fit_tracking_metrics, False),
        )
        seed = self._generation.seed
        self._has_default_budget = initialization_budget is None
        budget = initialization_budget
        if budget is None:
            budget = 5 if self._space is None else initial_design_size(self._space)
        settings = GenerationSettings(
            method=method,
            initialization_budget=budget,
            initialize_with_center=initialize_with_center,
            seed=seed if initialization_random_seed is None else initialization_random_seed,
            min_observed_initialization_trials=min_observed_initialization_trials,
            use_existing_trials_for_initialization=use_existing_trials_for_initialization,
        )
        self._keep_setup(EditSetup(generation=settings))

    def configure_runner(self, runner: IRunner) -> None:
        """Say what deploys trials, from the next run on.

        Args:
            runner: Of a class that derives from `IRunner`; called in one thread of this process
                that is not the caller's.

        Raises:
            UserInputError: If it is none.
        """
        self._runner = runner
        self._close_calls()

    def configure_metrics(self, metrics: Sequence[IMetric]) -> None:
        """Say what fetches results; a metric replaces an earlier one of its name.

        Args:
            metrics: Of classes that derive from `IMetric`; called in the runner's thread.

        Raises:
            UserInputError: If one is no metric, or its name is not part of the objective, the
                limits or the tracking metrics that were configured.
        """
        if self._optimization is not None:
            self._check_names(tuple(metric.name for metric in metrics))
        self._metrics |= {metric.name: metric for metric in metrics}
        self._close_calls()

    def _keep_setup(self, change: EditSetup) -> None:
        """Store what changes, as soon as the set-up says enough."""
        if self._experiment is not None:
            self._order(change)
        self._space = change.search_space or self._space
        self._optimization = change.optimization or self._optimization
        self._generation = change.generation or self._generation
        if self._experiment is not None or self._space is None or self._optimization is None:
            return
        if self._has_default_budget:
            budget = initial_design_size(self._space)
            self._generation = replace(self._generation, initialization_budget=budget)
        self._experiment = self._store.create(
            ExperimentSetup(
                search_space=self._space,
                optimization=self._optimization,
                generation=self._generation,
                **self._texts,  # type: ignore[arg-type]  # name, description, owner
            )
        )


def _refuse_what_is_not_offered(**options: tuple[object, object]) -> None:
    """Refuse options of Ax whose value is not the one that axdesk always has."""
    for name, (given, offered) in options.items():
        if given != offered:
            raise UnsupportedError(
                f"{name} is {given!r}; axdesk offers {offered!r} alone.", "Leave it out."
            )
