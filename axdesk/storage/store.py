"""The store: experiments in an SQL database."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from operator import is_
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, bindparam, delete, insert, select, text, update

from axdesk.core.attachments import Attachment
from axdesk.core.drafts import Draft
from axdesk.core.dry_test import PassedTest
from axdesk.core.errors import (
    ExperimentBusyError,
    NotFoundError,
    StorageError,
    UnsupportedError,
    UserInputError,
)
from axdesk.core.experiment import Experiment
from axdesk.core.protocols import AuditEntry, ExperimentSummary
from axdesk.core.record import ExperimentRecord
from axdesk.core.run import Run, RunState
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Trial
from axdesk.storage.attached_files import FileShelf
from axdesk.storage.backups import Backup, refuse_lost
from axdesk.storage.database import Database, Stamp
from axdesk.storage.engine import sqlite_connector
from axdesk.storage.experiment_rows import read_experiment
from axdesk.storage.facts import DatabaseFacts, facts_of
from axdesk.storage.files import FILES, beside, has_content
from axdesk.storage.goal_rows import write_optimizations
from axdesk.storage.locks import ControlLocks
from axdesk.storage.passed_tests import read_passed_test, write_passed_test
from axdesk.storage.records import audit_columns, read_history, read_record, write_record
from axdesk.storage.rows import insert_rows, read_rows
from axdesk.storage.run_rows import delete_draft, read_draft, write_draft, write_run
from axdesk.storage.schema import AuditRow, ExperimentRow, OptimizationRow, SearchSpaceRow, TrialRow
from axdesk.storage.setup_rows import experiment_columns, write_setup
from axdesk.storage.space_rows import write_search_space
from axdesk.storage.summaries import read_summaries, read_trial_seconds
from axdesk.storage.trial_rows import read_own_hashes, read_trials, write_trial

_INTERRUPTION = "The program ended while the run went on."

_TOUCH = (
    update(ExperimentRow)
    .where(ExperimentRow.id == bindparam("of_experiment"))
    .values(updated_at=bindparam("now"))
)


class SqlStore:
    """All experiments of one database; an `ExperimentStore`.

    Made by `at`, `connect` or `in_memory`. Every call is one transaction, and no transaction
    outlives its call.

    Attributes:
        path: The database's file; None in memory.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.path = database.path
        folder = None if self.path is None else beside(self.path, ".locks")
        self._locks = ControlLocks(folder)
        # (experiment, value) of what may have been stored though the disk said no.
        self._doubtful: list[tuple[int, Trial | Run | AuditEntry]] = []
        self._latest: _View | None = None
        self._files = FileShelf(None if self.path is None else beside(self.path, FILES))

    @classmethod
    def at(cls, path: Path, *, must_exist: bool = False) -> Self:
        """Open a file.

        Args:
            path: The file.
            must_exist: Whether it and its folder are not made.

        Raises:
            NotFoundError: If it must exist and does not, or is empty.
            DamagedDatabaseError: If it is damaged, or if it is empty or gone and has a backup.
            StorageError: If it is not ours, newer than this axdesk, or cannot be used.
        """
        try:
            if path.is_dir():
                raise StorageError(
                    f"The database {path} cannot be opened: it is a folder.", "Choose a file."
                )
            if not has_content(path):
                # Ahead of SQLite, which would make the file and drop a journal beside it.
                refuse_lost(path)
                if must_exist:
                    raise NotFoundError(
                        f"There is no database {path}{': the file is empty' * path.exists()}.",
                        "Check the path; a run makes a database where there is none.",
                    )
                path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The folder of the database {path} cannot be used: {error}.",
                "Choose another folder.",
            ) from error
        return cls(
            Database(lambda: sqlite3.connect(path, check_same_thread=False), label=str(path))
        )

    @classmethod
    def connect(cls, url: str | None = None, creator: Callable[[], object] | None = None) -> Self:
        """Open what a URL or a creator says.

        Args:
            url: An SQLAlchemy URL of a SQLite database, such as `sqlite:////data/lab.sqlite`;
                `sqlite://` is a new database in memory.
            creator: Returns a `sqlite3` connection that any thread may use; goes before `url`.

        Raises:
            UserInputError: If neither is given.
            UnsupportedError: If it is another kind of database.
            StorageError: If it is not ours, newer than this axdesk, or cannot be used.
        """
        if creator is not None:
            return cls(Database(creator))
        if url is None:
            raise UserInputError("A database needs a URL or a creator.", "Give one of them.")
        return cls(Database(sqlite_connector(url), label=url))

    @classmethod
    def in_memory(cls) -> Self:
        """Make a database that is gone when the store is closed."""
        return cls.connect("sqlite://")

    def create(self, setup: ExperimentSetup, draft_id: int | None = None) -> Experiment:
        """Keep a new experiment; one made from a draft takes the draft's place, id and cells.

        Raises:
            UserInputError: If the name is taken.
            NotFoundError: If there is no such draft.
        """
        now = datetime.now(UTC)
        columns = {**experiment_columns(setup), "created_at": now, "updated_at": now}
        with self._database.writing() as connection:
            _refuse_taken_name(connection, setup.name, draft_id)
            if draft_id is None:
                experiment_id = _insert_experiment(connection, columns)
            else:
                experiment_id = draft_id
                rows = update(ExperimentRow).where(
                    ExperimentRow.id == draft_id, ExperimentRow.name.is_(None)
                )
                if connection.execute(rows.values(columns)).rowcount != 1:
                    raise NotFoundError(f"There is no draft with the number {draft_id}.")
            write_setup(connection, experiment_id, setup)
            write_search_space(connection, experiment_id, 1, setup.search_space, now)
        return Experiment(experiment_id, setup, now)

    def load(self, name: str) -> Experiment:
        """Return an experiment; a run that nobody drives any more is INTERRUPTED in it.

        Raises:
            NotFoundError: If there is none with this name.
        """
        with self._database.reading() as connection:
            found = select(ExperimentRow.id).where(ExperimentRow.name == name)
            experiment_id = connection.execute(found).scalar()
            if experiment_id is None:
                named = select(ExperimentRow.name).where(ExperimentRow.name.is_not(None))
                known = connection.execute(named.order_by(ExperimentRow.name)).scalars()
                raise NotFoundError(
                    f"There is no experiment called {name!r} in {self._database.label}.",
                    f"Found there: {', '.join(map(repr, known)) or 'none'}.",
                )
            return self._read(connection, experiment_id)

    def load_by_id(self, experiment_id: int) -> Experiment:
        """Return an experiment that is no mere draft, as `load` does.

        Raises:
            NotFoundError: If there is none with this number.
        """
        with self._database.reading() as connection:
            return self._read(connection, experiment_id)

    def _read(self, connection: Connection, experiment_id: int) -> Experiment:
        # Looked at before and after: the run may begin or end while it is being read.
        was_driven = self._locks.is_held(experiment_id)
        experiment = read_experiment(connection, experiment_id)
        is_driven = was_driven or self._locks.is_held(experiment_id)
        if experiment.state.is_live and not is_driven:
            last_change = _last_change(connection, experiment_id)
            experiment.put_run(_interrupted(experiment.runs[-1], last_change))
        return experiment

    def record(self, experiment_id: int) -> ExperimentRecord:
        """Return all that is stored of an experiment, as of one moment.

        Raises:
            NotFoundError: If there is none, or only a draft.
        """
        with self._database.reading() as connection:
            return read_record(connection, experiment_id)

    def create_from(self, record: ExperimentRecord) -> Experiment:
        """Keep a new experiment with all that is remembered of it; return it as `load` does.

        Raises:
            UserInputError: If the name is taken.
        """
        times = {"created_at": record.created_at, "updated_at": datetime.now(UTC)}
        with self._database.writing() as connection:
            _refuse_taken_name(connection, record.setup.name, None)
            columns = {**experiment_columns(record.setup), **times}
            experiment_id = _insert_experiment(connection, columns)
            write_record(connection, experiment_id, record)
        return self.load_by_id(experiment_id)

    def save_setup(
        self, experiment: Experiment, setup: ExperimentSetup, audit: Sequence[AuditEntry] = ()
    ) -> None:
        """Replace the set-up; a changed search space and changed goals become a new version.

        Old versions stay. A draft of the experiment is forgotten: it says what no longer holds.

        Args:
            experiment: It has the new set-up afterwards.
            setup: The new one.
            audit: Lines of the history.

        Raises:
            UserInputError: If the new name is taken.
        """
        now = datetime.now(UTC)
        changed = replace(experiment, trials={}, runs=[])
        changed.change_setup(**{f.name: getattr(setup, f.name) for f in fields(setup)})
        with self._database.writing() as connection:
            _refuse_taken_name(connection, setup.name, experiment.id)
            columns = {**experiment_columns(setup), "updated_at": now}
            rows = update(ExperimentRow).where(ExperimentRow.id == experiment.id)
            if connection.execute(rows.values(columns)).rowcount != 1:
                raise _deleted(experiment.name)
            write_setup(connection, experiment.id, setup)
            _write_versions(connection, experiment, changed, now)
            delete_draft(connection, experiment.id)
            key = {"experiment_id": experiment.id}
            insert_rows(connection, AuditRow, key, [audit_columns(entry) for entry in audit])
        experiment.setup = setup
        experiment.search_space_version = changed.search_space_version
        experiment.earlier_spaces = changed.earlier_spaces
        experiment.optimization_version = changed.optimization_version

    def save_trial(
        self, experiment: Experiment, trial: Trial, audit: Sequence[AuditEntry] = ()
    ) -> None:
        """Insert or replace a trial with its observations; `experiment` keeps it afterwards.

        Raises:
            StorageError: If the stored trial is not the one that `experiment` knows.
        """
        self.save_trials(experiment, (trial,), audit)

    def save_trials(
        self, experiment: Experiment, trials: Sequence[Trial], audit: Sequence[AuditEntry] = ()
    ) -> None:
        """Do what `save_trial` does for several trials, all or none."""
        with self._changing(experiment, trials, audit) as connection:
            for trial in trials:
                if not self._has_taken_place(connection, experiment, trial):
                    known = experiment.trials.get(trial.index)
                    write_trial(connection, experiment.id, trial, known)

    def save_run(self, experiment: Experiment, run: Run, audit: Sequence[AuditEntry] = ()) -> None:
        """Insert or replace a run; `experiment` keeps it afterwards."""
        with self._changing(experiment, (run,), audit) as connection:
            write_run(connection, experiment.id, run)

    @contextmanager
    def _changing(
        self, experiment: Experiment, snapshots: Sequence[Trial | Run], audit: Sequence[AuditEntry]
    ) -> Iterator[Connection]:
        written = [(experiment.id, value) for value in (*snapshots, *audit)]
        try:
            with self._database.writing() as connection:
                is_latest = self._is_latest(experiment)
                touched = {"of_experiment": experiment.id, "now": datetime.now(UTC)}
                if connection.execute(_TOUCH, touched).rowcount != 1:
                    raise _deleted(experiment.name)
                self._locks.confirm(experiment.id)
                yield connection
                key = {"experiment_id": experiment.id}
                entries = [{**key, **audit_columns(entry)} for entry in audit]
                if any(value in self._doubtful for value in written):
                    entries = [e for e in entries if not read_rows(connection, AuditRow, e)]
                insert_rows(connection, AuditRow, {}, entries)
                stamp = self._database.stamp()
        except StorageError as error:
            if error.is_temporary:
                self._doubtful += [value for value in written if value not in self._doubtful]
            raise
        self._doubtful = [value for value in self._doubtful if value not in written]
        for snapshot in snapshots:
            if isinstance(snapshot, Trial):
                experiment.put(snapshot)
            else:
                experiment.put_run(snapshot)
        if is_latest:
            self._latest = _View.of(experiment, stamp)

    def _has_taken_place(
        self, connection: Connection, experiment: Experiment, trial: Trial
    ) -> bool:
        """Return whether a commit that was reported as failed has taken place all the same.

        SQLite reports what it cannot make certain: the change may be there, or not.
        """
        if (experiment.id, trial) not in self._doubtful:
            return False
        return read_trials(connection, experiment.id, trial.index) == {trial.index: trial}

    def summaries(self) -> tuple[ExperimentSummary, ...]:
        """Return all experiments and drafts, the latest change first."""
        with self._database.reading() as connection:
            return read_summaries(connection, self._locks.controllers())

    def trial_seconds(self, runner: str) -> float | None:
        """Return how long trials of a runner took: the median of the latest that were completed.

        Args:
            runner: Its reference.
        """
        with self._database.reading() as connection:
            return read_trial_seconds(connection, runner)

    def changes_by_others(self) -> tuple[int, frozenset[tuple[int, str]]]:
        """Return what is another value once others wrote something, or began or ended to drive."""
        return self._database.version(), frozenset(self._locks.controllers().items())

    def delete(self, experiment_id: int) -> None:
        """Forget an experiment or a draft and all that belongs to it.

        Raises:
            NotFoundError: If there is none with this number.
            ExperimentBusyError: If somebody drives it.
        """
        lock = self._locks.held(experiment_id, str(experiment_id))
        with lock, self._database.writing() as connection:
            orphans = read_own_hashes(connection, experiment_id)
            rows = delete(ExperimentRow).where(ExperimentRow.id == experiment_id)
            if connection.execute(rows).rowcount != 1:
                raise NotFoundError(f"There is no experiment with the number {experiment_id}.")
        self._files.forget(orphans)

    def keep_file(self, source: Path, now: datetime) -> Attachment:
        """Copy a file beside the database, for `AttachFile`; it is there for good afterwards.

        Args:
            source: The file.
            now: In UTC.

        Raises:
            UnsupportedError: If the database is in memory.
            UserInputError: If it is no file that can be read.
            StorageError: If it cannot be kept.
        """
        return self._files.keep(source, now)

    def path_of(self, attachment: Attachment) -> Path:
        """Return where a file of a trial lies, to be read and not to be changed.

        Raises:
            NotFoundError: If it is gone, or is not what was attached.
        """
        return self._files.path_of(attachment)

    def save_draft(self, draft: Draft, experiment_id: int | None) -> int:
        """Keep a draft, of a new experiment (None) or an existing one; return its id.

        Raises:
            NotFoundError: If there is no experiment or draft with this number.
        """
        now = datetime.now(UTC)
        with self._database.writing() as connection:
            if experiment_id is None:
                empty = dict.fromkeys(
                    ("description", "owner", "plugin_folder", "plugin_python"), ""
                )
                columns = {**empty, "name": None, "created_at": now, "updated_at": now}
                experiment_id = _insert_experiment(connection, columns)
            elif (
                connection.execute(_TOUCH, {"of_experiment": experiment_id, "now": now}).rowcount
                != 1
            ):
                raise NotFoundError(f"There is no experiment with the number {experiment_id}.")
            write_draft(connection, experiment_id, draft)
        return experiment_id

    def load_draft(self, experiment_id: int) -> Draft | None:
        """Return the draft of an experiment, or None."""
        with self._database.reading() as connection:
            return read_draft(connection, experiment_id)

    def history(self, experiment_id: int, trial_index: int | None = None) -> tuple[AuditEntry, ...]:
        """Return the history of an experiment or of one of its trials, oldest first."""
        with self._database.reading() as connection:
            return read_history(connection, experiment_id, trial_index)

    def save_passed_test(self, experiment_id: int, passed: PassedTest) -> None:
        """Keep the last dry test that the plugins of an experiment or a draft passed.

        Raises:
            NotFoundError: If there is no experiment or draft with this number.
        """
        with self._database.writing() as connection:
            known = select(ExperimentRow.id).where(ExperimentRow.id == experiment_id)
            if connection.execute(known).scalar() is None:
                raise NotFoundError(f"There is no experiment with the number {experiment_id}.")
            write_passed_test(connection, experiment_id, passed)

    def passed_test(
        self, plugins: tuple[str, ...], hashes: tuple[tuple[str, str], ...]
    ) -> PassedTest | None:
        """Return the last dry test that these versions of plugins passed, for any experiment."""
        with self._database.reading() as connection:
            return read_passed_test(connection, plugins, hashes)

    @contextmanager
    def control(self, experiment: Experiment) -> Iterator[None]:
        """Hold the right to drive an experiment, freed by the system should the process die.

        `experiment` gets the set-up, trials and runs that are stored, for somebody else may have
        driven or edited it since it was loaded; a run that was left in a live state is INTERRUPTED
        from now on. Nothing is read where nobody has written since this store last did for it.

        Raises:
            ExperimentBusyError: If another process, or another client of this one, holds it.
            NotFoundError: If it was deleted.
        """
        with self._locks.held(experiment.id, experiment.name):
            with self._database.reading() as connection:
                if not self._is_latest(experiment):
                    _read_again(connection, experiment)
                    self._latest = _View.of(experiment, self._database.stamp())
                cut_off = None
                if experiment.state.is_live:
                    last_change = _last_change(connection, experiment.id)
                    cut_off = _interrupted(experiment.runs[-1], last_change)
            if cut_off is not None:
                self.save_run(experiment, cut_off)
            yield

    def _is_latest(self, experiment: Experiment) -> bool:
        """Whether an experiment is what is stored; asked within a transaction."""
        latest = self._latest
        return latest is not None and latest.shows(experiment, self._database.stamp())

    def back_up(self) -> Backup:
        """Copy the database into its folder of backups now.

        Raises:
            UnsupportedError: If it is in memory.
            StorageError: If the copy cannot be made, or is not sound.
        """
        return self._database.back_up()

    def back_up_to(self, target: Path) -> Backup:
        """Copy the database to a file, which is replaced if it exists.

        Raises:
            UserInputError: If that is the database itself.
            StorageError: If the copy cannot be written, or would not be sound.
        """
        return self._database.back_up_to(target)

    def all_damage(self, is_cancelled: Callable[[], bool] = lambda: False) -> tuple[str, ...]:
        """Check every page, row and reference; return what is damaged, a sentence each.

        Opening checks less, and only what takes no time that anybody would notice.

        Args:
            is_cancelled: Asked now and then, from this thread.

        Raises:
            StorageError: If it was cancelled, or the database cannot be read.
        """
        return self._database.all_damage(is_cancelled)

    def compact(self, is_cancelled: Callable[[], bool] = lambda: False) -> int:
        """Write the database anew without what is of no use; return how many bytes that freed.

        Args:
            is_cancelled: Asked now and then, from this thread; the database stays as it was then.

        Raises:
            UnsupportedError: If it is in memory.
            ExperimentBusyError: If somebody drives one of the experiments.
            StorageError: If it was cancelled, the disk is full, or another program uses it.
        """
        for controller in self._locks.controllers().values():
            raise ExperimentBusyError(
                f"An experiment of the database {self.path} is driven by {controller}.",
                "Stop it there, or wait until it is done, and compact the database then.",
            )
        return self._database.compact(is_cancelled)

    def facts(self) -> DatabaseFacts:
        """Return how large the database is, what it holds, and what is kept of it.

        Raises:
            UnsupportedError: If it is in memory.
        """
        if self.path is None:
            raise UnsupportedError("A database in memory has no files.")
        with self._database.reading() as connection:
            experiments, trials = (
                connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                for table in ("experiments", "trials")
            )
            pages, size = (
                connection.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("freelist_count", "page_size")
            )
        return facts_of(self.path, experiments, trials, pages * size)

    def close(self) -> None:
        """Release the database."""
        self._database.close()


@dataclass(frozen=True, slots=True)
class _View:
    """An experiment that is what is stored, as long as nobody writes and nobody changes it."""

    experiment: Experiment
    stamp: Stamp
    setup: ExperimentSetup
    trials: dict[int, Trial]
    runs: list[Run]

    @classmethod
    def of(cls, experiment: Experiment, stamp: Stamp) -> Self:
        """Look at an experiment that was just read."""
        return cls(experiment, stamp, experiment.setup, {**experiment.trials}, [*experiment.runs])

    def shows(self, experiment: Experiment, stamp: Stamp) -> bool:
        """Whether it is this experiment, as it was."""
        return (
            self.experiment is experiment
            and self.stamp == stamp
            and self.setup is experiment.setup
            and len(self.trials) == len(experiment.trials)
            and all(map(is_, self.trials.values(), experiment.trials.values()))
            and len(self.runs) == len(experiment.runs)
            and all(map(is_, self.runs, experiment.runs))
        )


def _read_again(connection: Connection, experiment: Experiment) -> None:
    known = select(ExperimentRow.id).where(ExperimentRow.id == experiment.id)
    if connection.execute(known).scalar() is None:
        raise _deleted(experiment.name)
    stored = read_experiment(connection, experiment.id)
    experiment.setup = stored.setup
    experiment.search_space_version = stored.search_space_version
    experiment.earlier_spaces = stored.earlier_spaces
    experiment.optimization_version = stored.optimization_version
    experiment.trials, experiment.runs = stored.trials, stored.runs


def _insert_experiment(connection: Connection, columns: Mapping[str, object]) -> int:
    statement = insert(ExperimentRow).values(columns).returning(ExperimentRow.id)
    return connection.execute(statement).scalar_one()


def _refuse_taken_name(connection: Connection, name: str, own_id: int | None) -> None:
    holder = select(ExperimentRow.id).where(ExperimentRow.name == name)
    holder_id = connection.execute(holder).scalar()
    if holder_id is not None and holder_id != own_id:
        raise UserInputError(
            f"There is already an experiment called {name!r}.", "Choose another name."
        )


def _write_versions(
    connection: Connection, before: Experiment, after: Experiment, now: datetime
) -> None:
    """Insert what is new of an experiment's search space and goals."""
    for table, version, of_trials in (
        (SearchSpaceRow, before.search_space_version, TrialRow.search_space_version),
        (OptimizationRow, before.optimization_version, TrialRow.optimization_version),
    ):
        # A commit that was reported as failed may have taken place all the same. What trials were
        # made for is never among that, and would take them along.
        used = select(of_trials).where(TrialRow.experiment_id == before.id)
        connection.execute(
            delete(table).where(
                table.experiment_id == before.id,
                table.version > version,
                table.version.not_in(used),
            )
        )
    if after.search_space_version > before.search_space_version:
        version = after.search_space_version
        write_search_space(connection, before.id, version, after.search_space, now)
    if after.optimization_version > before.optimization_version:
        versions = (
            (before.optimization_version, before.created_at, before.optimization),
            (after.optimization_version, now, after.optimization),
        )
        write_optimizations(connection, before.id, versions)


def _deleted(name: str) -> NotFoundError:
    return NotFoundError(f"Experiment {name!r} was deleted meanwhile.")


def _interrupted(run: Run, last_change: datetime) -> Run:
    """Return a run that was cut off: it ended no earlier than at the last change it stored."""
    return replace(run, state=RunState.INTERRUPTED, reason=_INTERRUPTION, ended_at=last_change)


def _last_change(connection: Connection, experiment_id: int) -> datetime:
    changed = select(ExperimentRow.updated_at).where(ExperimentRow.id == experiment_id)
    return connection.execute(changed).scalar_one()
