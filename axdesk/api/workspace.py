"""The database with its experiments and drafts, and the plugin folder: for window and headless.

Every method blocks; the window calls them from its I/O thread.
"""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from axdesk import generation
from axdesk.api.clashes import clashing_rows
from axdesk.api.client import Client, Opened
from axdesk.api.database_care import DatabaseCare
from axdesk.api.dry_test import DryTester
from axdesk.api.optimizer_process import OptimizerProcess
from axdesk.api.places import default_database_path, moved_database
from axdesk.api.plugin_shelf import PluginShelf
from axdesk.api.preflight import examined, missing_baseline
from axdesk.api.stored_trials import StoredTrials
from axdesk.api.templates import Template, default_template_folder, list_templates, template_path
from axdesk.core.clock import SystemClock
from axdesk.core.draft_cells import Problem, Problems, Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.dry_test import PassedTest, plugins_of
from axdesk.core.errors import (
    AxdeskError,
    NotFoundError,
    PreflightError,
    StorageError,
    UserInputError,
)
from axdesk.core.experiment import Experiment
from axdesk.core.feasible_share import FeasibleShare
from axdesk.core.names import checked_name
from axdesk.core.parameters import TParameterization, TParameterValue
from axdesk.core.plugins import (
    PluginCatalogue,
    PluginChoice,
)
from axdesk.core.preflight import Preflight
from axdesk.core.protocols import AuditEntry, ExperimentSummary
from axdesk.core.resources import resource_path
from axdesk.core.run import RunState
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.suggestions import SuggestionRequest
from axdesk.exchange.experiment_file import read_experiment_file, write_experiment_file
from axdesk.orchestration.setup_commands import edit_setup
from axdesk.storage.store import SqlStore


class Workspace(StoredTrials, DatabaseCare, PluginShelf):
    """One database and one plugin folder.

    Attributes:
        database: The database's file.
        template_folder: Where the operator's templates lie; it may not exist yet.
    """

    def __init__(
        self,
        database: Path | None = None,
        plugin_folder: Path | None = None,
        plugin_python: str = "",
        *,
        template_folder: Path | None = None,
        must_exist: bool = False,
        trust_file: Path | None = None,
    ) -> None:
        """Open a workspace.

        Args:
            database: Its file; None for the one in the user's data folder.
            plugin_folder: Goes before the folder that an experiment file names; None for the
                plugins that come with axdesk.
            plugin_python: Goes before the Python that an experiment file names: a path, or a
                command on the search path; empty for axdesk's own.
            template_folder: Where the operator's templates lie; None for the user's data folder.
            must_exist: Whether the database is not made if it does not exist.
            trust_file: Where it is kept which plugin files the operator trusts; no others are run
                than those and the ones that come with axdesk. None: all files are trusted.

        Raises:
            NotFoundError: If the database must exist and does not.
            StorageError: If the database cannot be used.
        """
        self.database = database or _usual_database()
        super().__init__(plugin_folder, plugin_python, trust_file)
        self._is_folder_given = plugin_folder is not None
        self.template_folder = template_folder or default_template_folder()
        self._store = SqlStore.at(self.database, must_exist=must_exist)

    # ---- experiments and drafts ------------------------------------------------------------------

    def summaries(self) -> tuple[ExperimentSummary, ...]:
        """Return all experiments and drafts, the latest change first."""
        return self._store.summaries()

    def changes_by_others(self) -> object:
        """Return what is another value after another program changed something; takes no time.

        To begin or to end to drive an experiment is a change, too.
        """
        return self._store.changes_by_others()

    def experiment_id(self, name: str) -> int:
        """Return the number of an experiment.

        Raises:
            NotFoundError: If there is none of that name.
        """
        return self._store.load(name).id

    def experiment(self, experiment_id: int) -> Experiment:
        """Return an experiment as stored, to look at.

        Raises:
            NotFoundError: If there is none, or only a draft.
        """
        return self._store.load_by_id(experiment_id)

    def history(self, experiment_id: int, trial_index: int | None = None) -> tuple[AuditEntry, ...]:
        """Return the history of an experiment or of one of its trials, oldest first."""
        return self._store.history(experiment_id, trial_index)

    def new_draft(self, draft: Draft | None = None) -> int:
        """Keep a new draft; return its number."""
        return self._store.save_draft(draft or Draft(), None)

    def save_draft(self, draft: Draft, experiment_id: int) -> None:
        """Keep what was typed."""
        self._store.save_draft(draft, experiment_id)

    def load_draft(self, experiment_id: int) -> Draft:
        """Return what was typed; of an experiment that was made otherwise, what says its set-up."""
        draft = self._store.load_draft(experiment_id)
        return draft if draft is not None else draft_of(self.experiment(experiment_id).setup)

    def check(self, draft: Draft, experiment_id: int | None = None) -> ExperimentSetup | Problems:
        """Return the set-up that a draft says, or everything that keeps it from being run.

        Args:
            draft: What was typed.
            experiment_id: Its own number, whose name is not taken by another.
        """
        problems: list[Problem] = []
        try:
            catalogue: PluginCatalogue | None = self.catalogue(
                draft.general.get("plugin_folder", ""), draft.general.get("plugin_python", "")
            )
        except AxdeskError as error:
            is_folder = isinstance(error, NotFoundError)
            field = "plugin_folder" if is_folder else "plugin_python"
            problems.append(Problem(Section.GENERAL, 0, field, str(error)))
            catalogue = None
        checked = draft.checked(catalogue, self._taken_names(experiment_id))
        problems += clashing_rows(draft)[:1]  # it names the others
        if isinstance(checked, Problems):
            problems += checked.items
        else:
            problems += missing_baseline(checked, self._experiment_or_none(experiment_id))
        if isinstance(checked, Problems) or problems:
            return Problems(tuple(sorted(problems, key=lambda p: tuple(Section).index(p.section))))
        return checked

    def clashing_rows(self, draft: Draft) -> tuple[Problem, ...]:
        """Return a problem at each constraint that cannot be kept together with the others."""
        return clashing_rows(draft)

    def _experiment_or_none(self, experiment_id: int | None) -> Experiment | None:
        with suppress(NotFoundError):  # a mere draft
            return None if experiment_id is None else self.experiment(experiment_id)
        return None

    def preflight(
        self, draft: Draft, experiment_id: int | None = None, *, database: Path | None = None
    ) -> Preflight:
        """Check all that a run needs, line by line.

        It takes as long as `check`, and some hundredths of a second more. Nothing is stored.

        Args:
            draft: The set-up.
            experiment_id: Its own number, whose name is not taken by another.
            database: Where it would be run; None for this one.
        """
        return examined(self, draft, experiment_id, database or self.database)

    def trial_seconds(self, runner: PluginChoice) -> float | None:
        """Return how long a trial of a runner took, the middle of the latest; None without any."""
        return self._store.trial_seconds(runner.reference)

    def feasible_share(self, of: Draft | ExperimentSetup | SearchSpace) -> FeasibleShare | None:
        """Return how much of a search space keeps its parameter constraints, sampled.

        It takes some hundredths of a second, more where allowed points are rare. Nothing is stored.

        Args:
            of: The search space, or what says it. Of a draft only the parameters and constraints
                have to be right.

        Returns:
            The same for the same search space, with points to draw; None for a draft in which a
            parameter or constraint has a problem.
        """
        space = of.search_space() if isinstance(of, Draft) else of
        if isinstance(space, ExperimentSetup):
            space = space.search_space
        return None if space is None else generation.feasible_share(space)

    def _taken_names(self, experiment_id: int | None) -> set[str]:
        """What an experiment cannot be called; no draft takes away the name that it has."""
        summaries = self.summaries()
        own = {s.name for s in summaries if s.id == experiment_id and s.state != RunState.DRAFT}
        return {s.name for s in summaries if s.id != experiment_id} - own - {""}

    def configure(self, experiment_id: int, setup: ExperimentSetup) -> None:
        """Turn a draft into an experiment, or change the set-up of one, with its history.

        Raises:
            ExperimentBusyError: If a run goes on: have it carry out an `EditSetup`.
            UserInputError: If the name is taken, or the constraints cannot all be met.
        """
        try:
            experiment = self.experiment(experiment_id)
        except NotFoundError:
            self._store.create(setup, experiment_id)
        else:
            with self._store.control(experiment):
                now = SystemClock().now()
                edit_setup(experiment, self._store, setup, now, generation.check_feasible)

    def create_from_setup(self, setup: ExperimentSetup, *, unique_name: bool = False) -> int:
        """Keep a new experiment; return its number.

        Args:
            setup: What it is.
            unique_name: Whether a name that is taken gets a number behind it.

        Raises:
            UserInputError: If the name is taken, or the constraints cannot all be met.
        """
        generation.check_feasible(setup.search_space)
        if unique_name:
            setup = replace(setup, name=self.free_name(setup.name))
        return self._store.create(setup).id

    def free_name(self, name: str) -> str:
        """Return a name if no experiment or draft has it, else the first free one with a number."""
        taken = {summary.name for summary in self.summaries()}
        numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
        return next(candidate for candidate in (name, *numbered) if candidate not in taken)

    def duplicate(self, experiment_id: int) -> int:
        """Keep a new draft that says the same under another name; return its number."""
        draft = self.load_draft(experiment_id)
        name = draft.general.get("name", "")
        if name:
            draft = draft.with_cell(Section.GENERAL, 0, "name", self.free_name(f"{name} copy"))
        return self.new_draft(draft)

    def rename_as_typed(self, experiment_id: int) -> None:
        """Give an experiment the name that its draft says, if that is one and is free.

        Raises:
            ExperimentBusyError: If a run goes on.
        """
        draft = self._store.load_draft(experiment_id)
        name = "" if draft is None else draft.general.get("name", "").strip()
        listed = {summary.id: summary for summary in self.summaries()}
        mine = listed.get(experiment_id)
        taken = {summary.name for summary in listed.values()}
        if mine is None or mine.state is RunState.DRAFT or not name or name in taken:
            return
        try:
            checked_name(name, "experiment")
        except UserInputError:
            return  # General says what is wrong with it
        self.configure(experiment_id, replace(self.experiment(experiment_id).setup, name=name))

    def delete(self, experiment_id: int) -> None:
        """Forget an experiment or a draft with all that belongs to it."""
        self._store.delete(experiment_id)

    # ---- files -----------------------------------------------------------------------------------

    def read_file(self, path: Path) -> ExperimentSetup:
        """Read an experiment file; what the workspace was given goes before what the file names.

        Raises:
            ExperimentFileError: If it is not valid, with the places.
        """
        return self.at_given_places(read_experiment_file(path))

    def at_given_places(self, setup: ExperimentSetup) -> ExperimentSetup:
        """Return a set-up with the plugin folder and the Python that the workspace was given."""
        return replace(
            setup,
            plugin_folder=str(self.plugin_folder) if self._is_folder_given else setup.plugin_folder,
            plugin_python=self.plugin_python or setup.plugin_python,
        )

    def new_from_file(self, path: Path) -> tuple[int, str, str]:
        """Keep what an experiment file says as a new draft.

        Returns:
            Its number, the name that it has, and that in the file: one that is taken gets a number
            behind it.

        Raises:
            ExperimentFileError: If the file is not valid, with the places.
        """
        setup = self.read_file(path)
        named = replace(setup, name=self.free_name(setup.name))
        return self.new_draft(draft_of(named)), named.name, setup.name

    def write_file(self, setup: ExperimentSetup, path: Path) -> None:
        """Write an experiment file, whole or not at all."""
        write_experiment_file(setup, path)

    def write_draft(self, draft: Draft, path: Path) -> None:
        """Write what a draft says as an experiment file; runner and metrics may be left open.

        Raises:
            PreflightError: If the draft says no set-up yet; a file takes only what is valid.
            UserInputError: If the file cannot be written.
        """
        self.write_file(self._valid(draft), path)

    def _valid(self, draft: Draft) -> ExperimentSetup:
        general = draft.general
        catalogue = self.catalogue(
            general.get("plugin_folder", ""), general.get("plugin_python", "")
        )
        checked = draft.checked(catalogue, needs_plugins=False)
        if isinstance(checked, Problems):
            first, more = checked.items[0], len(checked.items) - 1
            rest = f" ({more} more)" if more else ""
            raise PreflightError(
                f"No file is written while the set-up has a problem: {first.message}{rest}",
                "What was typed is kept all the same. Mend what Setup marks, then save again.",
            )
        return checked

    def command_options(self, setup: ExperimentSetup) -> tuple[str, ...]:
        """Return the options by which a command line finds an experiment with its plugins."""
        options = ["--database", str(self.database.absolute())]
        if self._is_folder_given and not setup.plugin_folder:
            options += ["--plugins", str(self.plugin_folder)]
        if self.plugin_python and not setup.plugin_python:
            options += ["--plugin-python", self.plugin_python]
        return tuple(options)

    # ---- templates -------------------------------------------------------------------------------

    def templates(self) -> tuple[Template, ...]:
        """Return what new experiments can start from, what comes with axdesk first."""
        return list_templates(self.template_folder)

    def save_template(self, draft: Draft, title: str) -> Path:
        """Keep what a draft says as the operator's template of that title; return its file.

        Raises:
            PreflightError: If the draft says no set-up yet.
            UserInputError: If the title is none, or the file cannot be written.
        """
        setup = self._valid(draft.with_cell(Section.GENERAL, 0, "name", title.strip()))
        path = template_path(self.made_template_folder(), setup.name)
        self.write_file(setup, path)
        return path

    def made_template_folder(self) -> Path:
        """Return the folder of the operator's templates; it is made if it is not there.

        Raises:
            UserInputError: If it cannot be made.
        """
        try:
            self.template_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserInputError(
                f"The folder {self.template_folder} cannot be made: {error.strerror}."
            ) from error
        return self.template_folder

    def demo_setup(self) -> ExperimentSetup:
        """Return the set-up of the Hartmann6 experiment that comes with axdesk."""
        return read_experiment_file(resource_path("experiments", "hartmann6.toml"))

    # ---- runs ------------------------------------------------------------------------------------

    def open(self, experiment_id: int) -> Client:
        """Return a client for an experiment, with processes for its plugins and the optimiser.

        Raises:
            PreflightError: If no runner is chosen, or nothing fetches a required metric.
            UserInputError: If an option of a plugin is not allowed.
            PluginError: If a plugin cannot be made.
            NotFoundError: If the experiment, the folder or a plugin does not exist.
        """
        experiment = self.experiment(experiment_id)
        setup = experiment.setup
        if setup.runner is None or setup.unfetched_metrics:
            missing = [] if setup.runner else ["Choose the runner that deploys trials."]
            missing += [f"Choose what fetches {name}." for name in setup.unfetched_metrics]
            raise PreflightError(f"{setup.name} cannot run yet.", problems=tuple(missing))
        calls = self.calls_of(setup, setup.runner)
        try:
            optimizer = OptimizerProcess(warms_up=setup.generation.method != "random_search")
        except BaseException:
            calls.close()
            raise
        return Client(
            opened=Opened(
                self._store,
                experiment,
                calls=calls,
                optimizer=optimizer,
                plugin_hashes=calls.hashes,
                is_shared=True,
            )
        )

    # ---- dry tests -------------------------------------------------------------------------------

    def dry_test_values(self, setup: ExperimentSetup) -> dict[str, TParameterValue]:
        """Return what a dry test is made with unless told otherwise: start values, or the centre.

        Raises:
            UserInputError: If the constraints cannot all be met.
        """
        request = SuggestionRequest(
            setup.search_space,
            setup.optimization,
            replace(setup.generation, initialize_with_center=True),
            trial_index=0,
        )
        return dict(generation.space_filling(request)[0].parameters)

    def dry_test(self, setup: ExperimentSetup, parameterization: TParameterization) -> DryTester:
        """Prepare a dry test, which stores nothing; its `run` blocks.

        Args:
            setup: With a runner, and with what fetches each metric.
            parameterization: Of its trial.

        Raises:
            UserInputError: If there is no runner, or the parameterization is not allowed.
        """
        runner = setup.runner
        if runner is None:
            raise UserInputError("There is no runner to be tested.", "Choose one.")
        values = setup.search_space.checked(parameterization)
        broken = setup.search_space.broken_constraints(values)
        if broken:
            raise UserInputError(f"The constraint {broken[0]} is broken.", "Change a value.")
        return DryTester(setup, values, lambda begun: self.calls_of(setup, runner, begun))

    def save_passed_test(self, experiment_id: int, passed: PassedTest) -> None:
        """Remember that the plugins of an experiment or a draft passed a dry test."""
        self._store.save_passed_test(experiment_id, passed)

    def passed_test(self, setup: ExperimentSetup) -> PassedTest | None:
        """Return the last dry test that the plugins of a set-up passed as their files are now.

        Raises:
            NotFoundError: If the folder or a file of it is not there, or cannot be read.
        """
        return self._store.passed_test(plugins_of(setup), self.plugin_hashes(setup))

    def close(self) -> None:
        """Release the database; once more does nothing."""
        self._store.close()


def _usual_database() -> Path:
    """Where the user keeps experiments; no new database is made where one was moved to."""
    moved = moved_database()
    if moved is not None and not moved.exists():
        raise StorageError(
            f"The database {moved}, which was moved there, is not there.",
            "Connect its drive, or choose another database.",
            is_temporary=True,
        )
    return default_database_path()
